"""An LSTM learns the Zen of Python, character by character.

    python docs/examples/lstm.py [--updates 400] [--hidden 64] [--plot lstm.png]

The network of S. Hochreiter and J. Schmidhuber (Long Short-Term Memory, Neural Computation 9, 1997), with the forget
gates of F. Gers, J. Schmidhuber and F. Cummins (2000), reads a text and predicts each next character. It runs over the
text in a gg.scan, whose adjoint is a loop back. One compiled function takes some windows of the text and makes an
update: the gradient of the mean cross-entropy, and Adam's step. Another one speaks, a scan as well.
"""

import argparse
import codecs
import contextlib
import io
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # products this small are not worth a second thread

import numpy as np

import gradgen as gg

with contextlib.redirect_stdout(io.StringIO()):
    import this  # prints the text, in every Python there is

TEXT = codecs.decode(this.s, "rot13")
LETTERS = sorted(set(TEXT))
CODES = np.array([LETTERS.index(c) for c in TEXT])


def init(hidden, rng):
    """Weights f32: of letters and state to the four gates, and of the state to the scores of the next letter."""
    n = len(LETTERS)
    weights = {
        "letters": rng.normal(size=(n, 4 * hidden)),
        "state": rng.normal(size=(hidden, 4 * hidden)) / np.sqrt(hidden),
        "gates": np.repeat([0.0, 1.0, 0.0, 0.0], hidden),  # forget gates begin open
        "out": rng.normal(size=(hidden, n)) / np.sqrt(hidden),
        "out_bias": np.zeros(n),
    }
    return {name: w.astype(np.float32) for name, w in weights.items()}


def cell(w, h, c, letters):
    """The next state h, c f32[batch, hidden] after letters i64[batch], and the scores f32[batch, n] of what follows."""
    gates = w["letters"][letters] + h @ w["state"] + w["gates"]
    k = h.shape[1]
    write, keep, show = (gg.nn.sigmoid(gates[:, j * k : (j + 1) * k]) for j in range(3))
    c = keep * c + write * np.tanh(gates[:, 3 * k :])
    h = show * np.tanh(c)
    return h, c, h @ w["out"] + w["out_bias"]


def loss(w, windows):
    """Mean cross-entropy, in nats a letter, of the windows i64[length, batch]: each letter from those before it."""
    start = np.zeros((windows.shape[1], w["state"].shape[0]), np.float32)

    def read(carry, pair):
        now, following = pair
        h, c, scores = cell(w, *carry, now)
        return (h, c), gg.nn.softmax_cross_entropy(scores, following)

    return np.mean(gg.scan(read, (start, start), (windows[:-1], windows[1:]))[1])


optimizer = gg.optim.adam(lr=5e-3)


@gg.jit
def update(w, state, windows):
    """Weights and Adam's state after one update, and the loss before it."""
    value, grads = gg.value_and_grad(loss)(w, windows)
    return *optimizer.update(grads, state, w), value


@gg.jit
def speak(w, letters, noise):
    """Letters i64[m] that follow the given ones i64[k]: the highest scores after noise f32[m, n] was added.

    With noise of Gumbel's distribution that is a draw from the probabilities that the scores stand for.
    """
    state = np.zeros((1, w["state"].shape[0]), np.float32)

    def read(carry, letter):
        h, c, _ = cell(w, *carry, np.reshape(letter, (1,)))
        return (h, c), None

    def say(carry, noise):
        h, c, letter = carry
        h, c, scores = cell(w, h, c, letter)
        letter = np.argmax(scores + noise, axis=1)
        return (h, c, letter), letter[0]

    (h, c), _ = gg.scan(read, (state, state), letters[:-1])
    return gg.scan(say, (h, c, letters[-1:]), noise)[1]


def plot(file, losses):
    """The loss of every update, where matplotlib is installed."""
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError:
        return
    figure, axes = plt.subplots(figsize=(8, 4))
    axes.semilogy(losses)
    axes.set(xlabel="update", ylabel="cross-entropy, nats a letter")
    figure.savefig(file)
    print(f"picture           {file}")


def main(argv=None):
    """Returns the losses of all updates, and the sample."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=400)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--length", type=int, default=64, help="letters of a window")
    parser.add_argument("--batch", type=int, default=16, help="windows in an update")
    parser.add_argument("--plot", default="lstm.png", help="file of the picture")
    options = parser.parse_args(argv)

    rng = np.random.default_rng(0)
    w = init(options.hidden, rng)
    state, losses = optimizer.init(w), []
    offsets = np.arange(options.length + 1)[:, None]
    began = time.perf_counter()
    for k in range(options.updates):
        starts = rng.integers(0, len(CODES) - options.length, options.batch)
        w, state, value = update(w, state, CODES[offsets + starts])
        losses.append(value)
        if k == 0:
            compiled = time.perf_counter()
    ended = time.perf_counter()
    for k in sorted({*range(0, len(losses), max(1, len(losses) // 5)), len(losses) - 1}):
        print(f"update {k:5}      {losses[k]:.3f} nats a letter")
    noise = rng.gumbel(size=(200, len(LETTERS))).astype(np.float32)
    first = "Beautiful "
    sample = "".join(LETTERS[k] for k in speak(w, np.array([LETTERS.index(c) for c in first]), 0.3 * noise))
    print("\n" + first + sample + "\n")
    each = (ended - compiled) / max(1, len(losses) - 1)
    print(f"training          {ended - began:.1f} s, of which {compiled - began:.1f} s to trace and compile or load")
    print(f"an update         {each * 1e3:.2f} ms, of {options.batch} times {options.length} letters")
    print(f"generated module  {update.kernel(w, state, CODES[offsets + starts]).path}")
    plot(options.plot, losses)
    return losses, sample


if __name__ == "__main__":
    main()
