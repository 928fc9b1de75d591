"""What all tests share: a cache folder of their own, and the option that rewrites golden files."""

import os
import shutil
import tempfile

import numpy as np
import pytest

# Before gradgen looks for its cache: a cold one, that vanishes with the session.
_CACHE = tempfile.mkdtemp(prefix="gradgen-tests-")
os.environ["GRADGEN_CACHE_DIR"] = _CACHE


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden from what is generated now")


def pytest_unconfigure(config):
    shutil.rmtree(_CACHE, ignore_errors=True)


@pytest.fixture
def rng():
    return np.random.default_rng(0)
