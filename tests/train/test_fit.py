import signal

import numpy as np
import pytest

from gradgen import nn, optim
from gradgen.errors import ArgumentError, GradgenError, NonFiniteError
from gradgen.train import fit, training
from tests.train.problem import by_hand, data, error, loss, start

pytestmark = pytest.mark.numba

OPTIMIZERS = [
    optim.sgd(0.1),
    optim.momentum(0.05),
    optim.nesterov(0.05),
    optim.adagrad(0.1),
    optim.rmsprop(0.01),
    optim.adam(0.05),
    optim.adamw(0.05, weight_decay=0.1),
    optim.adam(optim.warmup(3, optim.cosine(0.05, steps=9))),
]


def close(found, expected, dtype=np.float64):
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=2e-4 if dtype == np.float32 else 1e-10)
        assert np.asarray(found[name]).dtype == np.asarray(expected[name]).dtype
        assert np.shape(found[name]) == np.shape(expected[name])


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_fit_is_the_plain_loop_over_gradients_and_updates(optimizer):
    found = fit(loss, start(), data(), optimizer, epochs=3, batch_size=14)
    params, losses = by_hand(loss, start(), data(), optimizer, 3, 14)
    close(found.params, params)
    np.testing.assert_allclose(found.history["loss"], losses)


def test_float32_stays_float32():
    rows = data(dtype=np.float32)
    found = fit(loss, start(np.float32), rows, optim.adam(0.05), epochs=2, batch_size=14)
    close(found.params, by_hand(loss, start(np.float32), rows, optim.adam(0.05), 2, 14)[0], np.float32)


@pytest.mark.parametrize(("count", "drop_last"), [(66, False), (62, False), (57, False), (57, True)])
def test_a_smaller_last_batch_counts_unless_it_is_dropped(count, drop_last):
    found = fit(loss, start(), data(count), optim.sgd(0.1), epochs=2, batch_size=14, drop_last=drop_last)
    params, losses = by_hand(loss, start(), data(count), optim.sgd(0.1), 2, 14, drop_last=drop_last)
    close(found.params, params)
    np.testing.assert_allclose(found.history["loss"], losses)


@pytest.mark.parametrize("batch_size", [None, 70, 1000])
def test_a_batch_is_at_most_all_rows(batch_size):
    found = fit(loss, start(), data(), optim.sgd(0.1), epochs=2, batch_size=batch_size)
    close(found.params, by_hand(loss, start(), data(), optim.sgd(0.1), 2, 70)[0])


def test_equal_seeds_give_equal_bits_and_others_do_not():
    def run(seed):
        return fit(loss, start(), data(), optim.sgd(0.1), epochs=2, batch_size=14, seed=seed).params["w"]

    assert np.array_equal(run(3), run(3))
    assert not np.array_equal(run(3), run(4))


def test_epochs_in_pieces_are_the_same_epochs(monkeypatch):
    def run():
        result = fit(loss, start(), data(), optim.momentum(0.05), epochs=2, batch_size=14)
        return result.params["w"].tolist(), result.history["loss"]

    whole = run()
    monkeypatch.setattr(training, "PIECE", 0.0)
    assert run() == whole


def test_nothing_that_is_given_is_changed_or_shared():
    params, (x, y) = start(), data()
    x.flags.writeable = False
    seen = []
    result = fit(loss, params, (x, y), optim.momentum(0.05), 2, 14, callbacks=lambda _, r: seen.append(r.params["w"]))
    assert params["w"].tolist() == start()["w"].tolist()
    assert np.array_equal(x, data()[0])
    assert not np.shares_memory(result.params["w"], seen[0])
    assert not np.array_equal(seen[0], seen[1])
    assert result.params["w"].base is None


def test_no_epochs_give_back_a_copy():
    params = start()
    result = fit(loss, params, data(), optim.sgd(0.1), epochs=0, batch_size=14)
    assert result.params["w"].tolist() == params["w"].tolist()
    assert not np.shares_memory(result.params["w"], params["w"])
    assert result.epochs == 0


def test_another_learning_rate_or_more_rows_need_no_other_kernel():
    one = fit(loss, start(), data(), optim.sgd(0.1), epochs=1, batch_size=14)
    two = fit(loss, start(), data(84), optim.sgd(0.2), epochs=1, batch_size=14)
    assert one.kernel is two.kernel
    assert not np.array_equal(one.params["w"], two.params["w"])


def test_data_and_parameters_are_trees():
    def shifted(params, x, y):
        assert y is None
        return np.mean(np.square(x["a"] * params[0] + x["b"][1] - params[1]))

    rows = {"a": np.linspace(0, 1, 12), "b": (np.arange(12), np.ones((12,), np.float32))}
    result = fit(shifted, (1.0, 2.0), (rows, None), optim.sgd(0.1), epochs=60, batch_size=4)
    assert isinstance(result.params, tuple)
    assert result.history["loss"][-1] < 0.1 * result.history["loss"][0]


# -- what is measured


@pytest.mark.parametrize("count", [10, 256, 257, 600])
def test_validation_is_measured_on_all_rows_after_each_epoch(count):
    held_out = data(count)
    result = fit(loss, start(), data(), optim.sgd(0.1), 2, 14, validation=held_out, metric=error)
    assert list(result.history) == ["loss", "metric", "val_loss", "val_metric", "seconds", "samples_per_second"]
    assert [len(values) for values in result.history.values()] == [2] * 6
    np.testing.assert_allclose(result.history["val_loss"][-1], loss(result.params, *held_out))
    np.testing.assert_allclose(result.history["val_metric"][-1], error(result.params, *held_out))
    assert result.history["metric"][1] < result.history["metric"][0]


def test_early_stopping_gives_back_the_best_parameters():
    # the data pull towards one line, the validation data towards another: the way to the first passes by the second
    x, y = data()
    held_out = (x, np.sum(x * (0.7 * start()["w"] + 0.3 * np.array([1.0, -2.0, 0.5])), axis=1) + 0.26)
    every = []
    result = fit(
        loss, start(), (x, y), optim.sgd(0.02), 100, 14, validation=held_out, metric=error, early_stopping=3,
        callbacks=lambda _, so_far: every.append(so_far.params),
    )  # fmt: skip
    best = int(np.argmin(result.history["val_loss"]))
    assert best > 0
    assert result.epochs == best + 4 < 100
    close(result.params, every[best])
    assert "early" not in result.stopped
    assert f"since epoch {best + 1}" in result.stopped


def test_a_callback_that_returns_true_ends_training():
    result = fit(loss, start(), data(), optim.sgd(0.1), 10, 14, callbacks=[lambda epoch, _: epoch == 3])
    assert result.epochs == 3
    assert "callback" in result.stopped
    assert not result.interrupted


def test_an_interrupt_returns_what_was_learned_so_far():
    def press(epoch, _):
        if epoch == 2:
            signal.raise_signal(signal.SIGINT)

    result = fit(loss, start(), data(), optim.sgd(0.1), 10, 14, callbacks=press)
    assert result.interrupted
    assert result.epochs == 2
    close(result.params, by_hand(loss, start(), data(), optim.sgd(0.1), 2, 14)[0])


def test_the_result_shows_how_it_went_and_what_was_run():
    result = fit(loss, start(), data(), optim.sgd(0.1), epochs=2, batch_size=14)
    assert repr(result).startswith("FitResult(epochs=2, loss=0.")
    assert "params" not in repr(result)
    assert "def loss_step_" in result.kernel.source
    assert result.kernel.path.is_file()


# -- losses that are not finite


@pytest.mark.parametrize("piece", [0.0, 0.2])
@pytest.mark.parametrize(("rate", "step", "good"), [(1e36, 1, 4), (1e30, 2, 5)])
def test_a_loss_that_blows_up_keeps_the_last_good_parameters(rate, step, good, piece, monkeypatch):
    monkeypatch.setattr(training, "PIECE", piece)
    with pytest.raises(NonFiniteError) as caught:
        fit(loss, start(), data(), optim.sgd(rate), epochs=10, batch_size=14)
    message = str(caught.value)
    assert f"the loss is not finite at step {step} of epoch 2" in message, message
    assert "a smaller learning rate" in message
    result = caught.value.result
    # an epoch has five steps: of the last step whose loss was finite, these are the parameters before it
    close(result.params, by_hand(loss, start(), data(), optim.sgd(rate), 2, 14, steps=good)[0])
    assert result.epochs == 1
    assert np.isfinite(loss(result.params, *data()))


def test_a_row_that_is_nan_is_named():
    x, y = data()
    x[17, 1] = np.nan
    with pytest.raises(NonFiniteError, match="row 17 of the data holds nan or inf"):
        fit(loss, start(), (x, y), optim.sgd(0.1), epochs=2, batch_size=14)


def test_a_loss_that_was_never_finite_gives_back_the_start():
    bad = start() | {"b": np.float64(np.inf)}
    with pytest.raises(NonFiniteError, match="step 1 of epoch 1") as caught:
        fit(loss, bad, data(), optim.sgd(0.1), epochs=2, batch_size=14)
    assert caught.value.result.params["w"].tolist() == start()["w"].tolist()


def test_parameters_that_break_in_the_last_step_are_met():
    with pytest.raises(NonFiniteError, match="after the last step of epoch 1") as caught:
        fit(loss, start(np.float32), data(14, np.float32), optim.sgd(1e39), epochs=1, batch_size=14)
    assert caught.value.result.params["w"].tolist() == start(np.float32)["w"].tolist()


# -- bad input


def returns_rows(params, x, y):
    return np.square(np.sum(x * params["w"], axis=1) - y)


def classifies(params, x, y):
    return nn.softmax_cross_entropy(x * params["w"] + params["b"], y)


X, Y = data(20)
BAD = {
    "is a ndarray": {"data": X},
    "a tuple of 3": {"data": (X, Y, Y)},
    "have 20 and 19 rows": {"data": (X, Y[1:])},
    "has no rows": {"data": (X[:0], Y[:0])},
    "holds numbers": {"data": (X.tolist(), Y.tolist())},
    "holds no arrays": {"data": (None, None)},
    "dtype <U1": {"data": (X, np.array(list("ab") * 10))},
    "validation is a list of 1": {"validation": [X]},
    "batch_size is 0": {"batch_size": 0},
    "batch_size is 2.5": {"batch_size": 2.5},
    "epochs is -1": {"epochs": -1},
    "early_stopping needs validation": {"early_stopping": 3},
    "optimizer is <class": {"optimizer": optim.adam},
    "optimizer is 'adam'": {"optimizer": "adam"},
    "no option 'batchsize'": {"batchsize": 4},
    "loss is a float": {"loss": 0.5},
    "must be floating point": {"params": {"w": np.arange(3), "b": 0.1}},
    "params holds no arrays": {"params": {}},
    "not a scalar": {"loss": returns_rows},
    "labels must be integers": {"loss": classifies},
    "the metric is f64\\[20\\]": {"metric": returns_rows},
}


@pytest.mark.parametrize(("message", "given"), BAD.items(), ids=BAD)
def test_bad_input_is_refused_with_its_name(message, given):
    call = {"loss": loss, "params": start(), "data": (X, Y), "optimizer": optim.sgd(0.1), "epochs": 1} | given
    with pytest.raises(GradgenError, match=message):
        fit(**call)


def test_an_update_that_changes_a_dtype_is_refused():
    class Widening:
        def init(self, params):
            return {"step": 0.0}

        def update(self, grads, state, params):
            return {k: p.astype(np.float64) for k, p in params.items()}, state

    with pytest.raises(ArgumentError, match="turns params_b from f32"):
        fit(loss, start(np.float32), data(dtype=np.float32), Widening(), epochs=1, batch_size=14)


def test_early_stopping_says_so_where_the_validation_loss_is_nan():
    x, y = data()
    broken = np.full_like(x, np.nan), y
    found = fit(loss, start(), data(), optim.sgd(0.01), epochs=9, batch_size=14, validation=broken, early_stopping=2)
    assert found.stopped == "the validation loss was never finite"
    assert found.epochs == 2


def test_parameters_are_finite_also_where_the_loss_hides_nan():
    def hides(params, x, y):
        return np.sum(np.where(x[:, 0] > 100, 0.0, 1.0) * 0 + np.sum(params["w"]) * 1e200) * 1e-200

    x, y = data()
    with pytest.raises(NonFiniteError) as caught:
        fit(hides, start(), (x, y), optim.sgd(1e308), epochs=3, batch_size=14)
    assert np.isfinite(caught.value.result.params["w"]).all()
