"""Minimum cuts against SciPy's maximum flows."""

import random

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow

from gradgen.passes.mincut import source_side


@pytest.mark.parametrize("seed", range(40))
def test_what_a_cut_costs_is_what_can_flow(seed):
    chosen = random.Random(seed)
    n = chosen.randrange(3, 14)
    pairs = [(chosen.randrange(n), chosen.randrange(n)) for _ in range(chosen.randrange(1, 40))]
    edges = {(a, b): float(chosen.randrange(1, 20)) for a, b in pairs if a != b} or {(0, 2): 1.0}
    side = source_side(edges, 0, 1)
    rows, columns = zip(*edges, strict=True)
    network = csr_matrix((np.array([*edges.values()], np.int32), (rows, columns)), (n, n))
    assert 0 in side and 1 not in side
    assert (
        sum(c for (a, b), c in edges.items() if a in side and b not in side) == maximum_flow(network, 0, 1).flow_value
    )


def test_an_endless_edge_is_never_cut():
    assert source_side({(0, 2): float("inf"), (2, 3): 2.0, (3, 1): float("inf"), (2, 1): 1.0}, 0, 1) == {0, 2}


def test_a_chain_of_thousands_needs_no_recursion():
    edges = {(k + 1 if k else 0, k + 2): float(5000 - k) for k in range(4000)}
    assert len(source_side({**edges, (4001, 1): 1.0}, 0, 1)) == 4001
