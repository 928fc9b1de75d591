"""What the tape is compared with: differences of the plain function."""

import numpy as np


def slope(f, x, v, step=1e-6):
    """The derivative of scalar f at x along v, by central differences. f64 only."""
    return (f(x + step * v) - f(x - step * v)) / (2 * step)


def assert_slopes_agree(f, gradient, *args, rtol=1e-6, atol=1e-7):
    """gradient(*args): one array per argument, compared along a random direction of each."""
    rng = np.random.default_rng(0)
    for k, (x, g) in enumerate(zip(args, gradient(*args), strict=True)):
        v = rng.normal(size=np.shape(x))
        along = slope(lambda t, k=k: f(*args[:k], t, *args[k + 1 :]), x, v)
        np.testing.assert_allclose(np.sum(g * v), along, rtol=rtol, atol=atol)
