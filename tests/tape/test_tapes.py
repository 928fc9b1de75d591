"""Pausing: what is recorded, by whom, and in which thread."""

import threading

from gradgen import ops, tape


def test_no_grad_makes_constants():
    def f(x):
        with tape.no_grad():
            scale = x * x
            assert float(scale) == float(x) ** 2
        return scale * x

    assert tape.grad(f)(3.0) == 9
    assert tape.grad(tape.no_grad()(lambda x: x * x))(3.0) == 0
    assert tape.grad(lambda x: tape.no_grad()(lambda: x * x)() * x)(3.0) == 9
    assert tape.grad(lambda x: x * ops.stop_gradient(x))(3.0) == 3


def test_no_grad_pauses_outer_transformations_only():
    def f(x):
        with tape.no_grad():
            slope = tape.grad(lambda y: y * y * x)(x)  # 2 * x * x = 18, a constant outside
        return slope * x

    assert tape.grad(f)(3.0) == 18
    assert tape.grad(tape.grad(f))(3.0) == 0


def test_no_grad_ends_with_an_error_too():
    def f(x):
        try:
            with tape.no_grad():
                raise KeyError
        except KeyError:
            return x * x

    assert tape.grad(f)(3.0) == 6


def test_threads_do_not_pause_each_other():
    entered, done, result = threading.Event(), threading.Event(), []

    def pause():
        with tape.no_grad():
            entered.set()
            done.wait(10)

    def f(x):
        thread = threading.Thread(target=pause)
        thread.start()
        entered.wait(10)
        y = x * x
        done.set()
        thread.join()
        return y

    result.append(tape.grad(f)(3.0))
    assert result == [6]
