"""`gradgen demo`: a network learns to read handwritten digits, and shows what it reads and how fast it learned.

in:  scikit-learn's digits, 1,797 images of 8x8; a fifth of them held out
out: pictures with predictions, held-out accuracy, samples per second beside the interpreted tape's, the module's path
"""

from __future__ import annotations

import sys
import time

import numpy as np

from gradgen import nn, optim
from gradgen.train.fit import fit
from gradgen.train.result import FitResult

SHADES = " \u2591\u2592\u2593\u2588"  # from blank to full block
PLAIN = " .+#@"  # where the terminal has no such characters
SHOWN = (2, 3, 5, 8)  # the first held-out image of each; pictures of 16 columns
HELD_OUT, BATCH, EPOCHS, TAPE_STEPS = 357, 32, 40, 60

MODEL = nn.MLP((64, 64, 10))
OPTIMIZER = optim.adamw(lr=optim.cosine(4e-3, steps=EPOCHS * 45), weight_decay=0.05)


def loss(params, x, y):
    return nn.softmax_cross_entropy(MODEL(params, x), y)


def accuracy(params, x, y):
    return nn.accuracy(MODEL(params, x), y)


def main() -> int:
    """Print it all. Returns 0, or 1 where scikit-learn is missing."""
    try:
        learned, held_out = digits()
    except ModuleNotFoundError:
        print("the digits come with scikit-learn: pip install scikit-learn", file=sys.stderr)
        return 1
    print(f"A network of {'-'.join(map(str, MODEL.sizes))} units learns from {len(learned[0])} handwritten digits ...")
    start = time.perf_counter()
    result = fit(loss, MODEL.init(0), learned, OPTIMIZER, EPOCHS, BATCH, held_out, metric=accuracy)
    elapsed, trained = time.perf_counter() - start, sum(result.history["seconds"])
    print(f"{EPOCHS} epochs in {trained:.3f} s, after {elapsed - trained:.1f} s to trace and compile or load\n")
    report(result, *held_out)
    report_speed(result, *learned)
    return 0


def digits() -> tuple[tuple, tuple]:
    """(images f32[n, 64] in 0..1, labels i64[n]) to learn from, and the same held out; always the same split."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    x, y = (images[order] / 16).astype(np.float32), labels[order].astype(np.int64)
    return (x[HELD_OUT:], y[HELD_OUT:]), (x[:HELD_OUT], y[:HELD_OUT])


def report(result: FitResult, x: np.ndarray, y: np.ndarray) -> None:
    read = np.argmax(MODEL(result.params, x), axis=1)
    chosen = [int(np.argmax(y == digit)) for digit in SHOWN]
    print(pictures(x[chosen], _shades()))
    print("  ".join(f"reads {read[k]}, is {y[k]}".ljust(16) for k in chosen), end="\n\n")
    right = int(np.sum(read == y))
    print(f"held-out accuracy  {right / len(y):.1%} ({right} of {len(y)})")


def report_speed(result: FitResult, x: np.ndarray, y: np.ndarray) -> None:
    fast, slow = float(np.median(result.history["samples_per_second"])), tape_speed(x, y)
    print(f"gradgen            {fast:,.0f} samples/s")
    print(f"interpreted tape   {slow:,.0f} samples/s: gradgen is {fast / slow:,.0f} times as fast")
    print(f"generated module   {result.kernel.path if result.kernel else ''}")


def tape_speed(x: np.ndarray, y: np.ndarray) -> float:
    """Samples per second of the same training, on the tape: the median over some steps."""
    from gradgen import tape

    value_and_grad, params = tape.value_and_grad(loss), MODEL.init(0)
    state, times = OPTIMIZER.init(params), []
    for step in range(TAPE_STEPS):
        start = time.perf_counter()
        rows = np.arange(step * BATCH, (step + 1) * BATCH) % len(x)
        _, grads = value_and_grad(params, x[rows], y[rows])
        params, state = OPTIMIZER.update(grads, state, params)
        times.append(time.perf_counter() - start)
    return BATCH / float(np.median(times))


def pictures(images: np.ndarray, shades: str) -> str:
    """Images f[k, 64] in 0..1, side by side, each pixel two characters wide."""
    levels = np.rint(images.reshape(-1, 8, 8) * (len(shades) - 1)).astype(int)
    return "\n".join("  ".join("".join(2 * shades[v] for v in image[row]) for image in levels) for row in range(8))


def _shades() -> str:
    try:
        SHADES.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return PLAIN
    return SHADES
