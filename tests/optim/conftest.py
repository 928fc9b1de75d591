"""The way of an optimiser through given gradients, here and in torch: the parameters after each step."""

import numpy as np
import pytest


@pytest.fixture
def ours():
    def path(w, grads, optimizer, dtype=np.float64):
        w, rows = w.astype(dtype), []
        state = optimizer.init(w)
        for g in grads:
            w, state = optimizer.update(g.astype(dtype), state, w)
            rows.append(w)
        return np.array(rows)

    return path


@pytest.fixture
def torchs():
    torch = pytest.importorskip("torch")

    def path(w, grads, name, dtype, **options):
        w, rows = torch.tensor(w.astype(dtype), requires_grad=True), []
        optimizer = getattr(torch.optim, name)([w], **options)
        for g in grads:
            w.grad = torch.tensor(g.astype(dtype))
            optimizer.step()
            rows.append(w.detach().numpy().copy())
        return np.array(rows)

    return path
