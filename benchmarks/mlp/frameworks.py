"""autograd, JAX and PyTorch, each as its own users would write the step."""

import functools

import numpy as np

from benchmarks.harness import Call
from benchmarks.jax_precision import precision
from benchmarks.mlp.by_hand import after_run, after_step
from benchmarks.mlp.problem import RATE, Problem, network


def call_autograd(problem: Problem) -> Call:
    import autograd
    import autograd.numpy as anp
    from autograd.scipy.special import expit, logsumexp

    def loss(params, x, y):
        z = network(anp, params, x)
        if problem.loss == "mse":
            return anp.sum((expit(z) - y) ** 2) / (2 * len(x))
        return anp.sum(y * (logsumexp(z, axis=1, keepdims=True) - z)) / len(x)

    value_and_grad = autograd.value_and_grad(loss)

    def step(params, x, y):
        value, grads = value_and_grad(params, x, y)
        return value, tuple(p - RATE * g for p, g in zip(params, grads, strict=True))

    return Call(step, (problem.params, *problem.first_batch), read=lambda result: after_step(problem, *result))


def call_torch(problem: Problem) -> Call:
    """Updates in place, as PyTorch's optimizers do: so only its first call starts at problem.params."""
    import torch

    params = [torch.tensor(p, requires_grad=True) for p in problem.params]
    x, y = (torch.from_numpy(a) for a in problem.first_batch)
    labels = y.argmax(1)

    def step(x, y):
        z = x
        for W, b in zip(params[:-2:2], params[1:-2:2], strict=True):
            z = torch.tanh(torch.addmm(b, z, W))
        z = torch.addmm(params[-1], z, params[-2])
        if problem.loss == "mse":
            loss = torch.sum((torch.sigmoid(z) - y) ** 2) / (2 * len(x))
        else:
            loss = torch.nn.functional.cross_entropy(z, y)
        grads = torch.autograd.grad(loss, params)
        with torch.no_grad():
            for p, g in zip(params, grads, strict=True):
                p.sub_(g, alpha=RATE)
        return loss

    def read(loss):
        return after_step(problem, loss.detach().numpy(), [p.detach().numpy() for p in params])

    return Call(step, (x, y if problem.loss == "mse" else labels), read=read)


def jax_step(problem: Problem):
    import jax
    import jax.numpy as jnp

    def loss(params, x, y):
        z = network(jnp, params, x)
        if problem.loss == "mse":
            return jnp.sum((jax.nn.sigmoid(z) - y) ** 2) / (2 * len(x))
        return -jnp.sum(y * jax.nn.log_softmax(z)) / len(x)

    def step(params, x, y):
        value, grads = jax.value_and_grad(loss)(params, x, y)
        return value, tuple(p - RATE * g for p, g in zip(params, grads, strict=True))

    return step


def call_jax(problem: Problem) -> Call:
    import jax

    step = jax.jit(jax_step(problem))
    with precision(32):
        args = jax.device_put((problem.params, *problem.first_batch))

    def read(result):
        return after_step(problem, *result)

    def run(*args):
        result = step(*args)
        result[0].block_until_ready()  # the results of one executable are ready together; to ask each costs 10 us
        return result

    return Call(run, args, read=read, context=lambda: precision(32))


def call_jax_sync(problem: Problem) -> Call:
    """JAX at its best for small steps: they run in the calling thread, where by default another one is woken."""
    import jax

    jax.config.update("jax_cpu_enable_async_dispatch", False)
    return call_jax(problem)


def loop_jax(problem: Problem) -> Call:
    import jax

    step = jax_step(problem)

    @functools.partial(jax.jit, static_argnums=4)
    def train(params, X, Y, order, epochs):
        def body(s, params):
            rows = order[s % problem.batches]
            return step(params, X[rows], Y[rows])[1]

        return jax.lax.fori_loop(0, epochs * problem.batches, body, params)

    with precision(32):
        args = jax.device_put((problem.params, *problem.data, problem.order))
    return Call(
        lambda *args: jax.block_until_ready(train(*args)),
        (*args, problem.epochs),
        problem.steps,
        checked_args=(*args, 1),
        read=lambda params: after_run(problem, [np.asarray(p) for p in params]),
        context=lambda: precision(32),
    )
