"""gradgen and its tape on the MLP: one compiled step, gg.fit, and a user's @njit loop around the step's kernel."""

import numpy as np

from benchmarks.harness import Call
from benchmarks.mlp.by_hand import after_run, after_step, whole_loss
from benchmarks.mlp.problem import RATE, Problem, network


def loss_of(problem: Problem):
    import gradgen as gg

    if problem.loss == "mse":

        def loss(params, x, y):
            return gg.nn.mse(gg.nn.sigmoid(network(np, params, x)), y)

    else:

        def loss(params, x, y):
            return gg.nn.softmax_cross_entropy(network(np, params, x), y)

    return loss


def step_of(value_and_grad):
    def step(params, x, y):
        value, grads = value_and_grad(params, x, y)
        return value, tuple(p - RATE * g for p, g in zip(params, grads, strict=True))

    return step


def call_of(problem: Problem, step) -> Call:
    return Call(step, (problem.params, *problem.first_batch), read=lambda result: after_step(problem, *result))


def call_gradgen(problem: Problem) -> Call:
    """Value, gradient and update as one kernel."""
    import gradgen as gg

    return call_of(problem, gg.jit(step_of(gg.value_and_grad(loss_of(problem)))))


def call_gradgen_grad(problem: Problem) -> Call:
    """Value and gradient as one kernel, the update in NumPy."""
    import gradgen as gg

    return call_of(problem, step_of(gg.value_and_grad(loss_of(problem))))


def call_tape(problem: Problem) -> Call:
    import gradgen as gg

    return call_of(problem, step_of(gg.tape.value_and_grad(loss_of(problem))))


def loop_gradgen(problem: Problem) -> Call:
    """gg.fit shuffles in its own order, so only the loss is compared."""
    import gradgen as gg

    loss = loss_of(problem)

    def fit(epochs):
        return gg.fit(
            loss,
            problem.params,
            problem.data,
            optimizer=gg.optim.sgd(lr=RATE),
            epochs=epochs,
            batch_size=problem.batch,
            seed=0,
            progress=False,
        )

    def read(result):
        return {"whole loss": whole_loss(problem, result.params)}

    return Call(fit, (problem.epochs,), problem.steps, checked_args=(1,), read=read)


def loop_gradgen_njit(problem: Problem) -> Call:
    """The kernel of the compiled step, called in an @njit loop that copies each batch as its own."""
    import numba

    import gradgen as gg

    step = gg.jit(step_of(gg.value_and_grad(loss_of(problem)))).kernel(problem.params, *problem.first_batch).njit

    @numba.njit
    def train(params, X, Y, order, epochs):
        for _ in range(epochs):
            for rows in order:
                params = step(*params, X[rows], Y[rows])[1:]
        return params

    args = (problem.params, *problem.data, problem.order)
    return Call(
        train,
        (*args, problem.epochs),
        problem.steps,
        checked_args=(*args, 1),
        read=lambda params: after_run(problem, params),
    )
