"""Schedules at explicit steps, at their ends, and against torch's."""

import math

import numpy as np
import pytest

from gradgen import optim
from gradgen.errors import ArgumentError

SCHEDULES = [
    optim.constant(0.5),
    optim.step(0.5, every=10),
    optim.exponential(0.5, factor=0.9, every=2),
    optim.inverse_time(0.5, decay=0.1),
    optim.cosine(0.5, steps=20, final=0.05),
    optim.warmup(5, optim.step(0.5, every=10)),
]
EXPECTED = [
    (optim.constant(0.5), {0: 0.5, 1000: 0.5}),
    (optim.step(0.8, every=10, factor=0.5), {0: 0.8, 9: 0.8, 10: 0.4, 19: 0.4, 20: 0.2}),
    (optim.exponential(0.8, factor=0.25, every=10), {0: 0.8, 5: 0.4, 10: 0.2, 20: 0.05}),
    (optim.inverse_time(0.8, decay=0.5), {0: 0.8, 2: 0.4, 6: 0.2}),
    (optim.cosine(0.8, steps=10), {0: 0.8, 5: 0.4, 10: 0.0, 99: 0.0}),
    (optim.cosine(0.8, steps=10, final=0.2), {0: 0.8, 5: 0.5, 10: 0.2, 99: 0.2}),
    (optim.warmup(3, 0.8), {0: 0.2, 1: 0.4, 2: 0.6, 3: 0.8, 99: 0.8}),
    (optim.warmup(0, 0.8), {0: 0.8, 99: 0.8}),
    (optim.warmup(3, optim.inverse_time(0.8, decay=0.5)), {0: 0.2, 2: 0.6, 3: 0.8, 5: 0.4, 9: 0.2}),
]


@pytest.mark.parametrize("schedule, values", EXPECTED, ids=str)
def test_schedule_has_its_value_at_each_step(schedule, values):
    for step, rate in values.items():
        np.testing.assert_allclose(schedule(step), rate, rtol=1e-14, atol=1e-16)
        np.testing.assert_allclose(schedule(np.float64(step)), rate, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_schedule_takes_all_steps_at_once(schedule):
    steps = np.arange(40)
    at_once = np.broadcast_to(schedule(steps), steps.shape)
    np.testing.assert_allclose(at_once, [schedule(s) for s in range(40)], rtol=1e-15)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_schedule_is_hashable_and_its_repr_makes_it(schedule):
    again = eval(repr(schedule), vars(optim))
    assert again == schedule and hash(again) == hash(schedule)


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda: optim.constant(-1), "rate"),
        (lambda: optim.constant(optim.constant(1)), "rate"),
        (lambda: optim.step(0.1, every=0), "every"),
        (lambda: optim.step(0.1, every=5, factor=0), "factor"),
        (lambda: optim.exponential(0.1, factor=-0.5), "factor"),
        (lambda: optim.inverse_time(0.1, decay=math.nan), "decay"),
        (lambda: optim.cosine(0.1, steps=0), "steps"),
        (lambda: optim.cosine(0.1, steps=10, final=-1), "final"),
        (lambda: optim.warmup(-1, 0.1), "steps"),
        (lambda: optim.warmup(5, -0.1), "then"),
    ],
)
def test_numbers_are_checked(make, name):
    with pytest.raises(ArgumentError, match=f"{name} must be"):
        make()


@pytest.mark.parametrize(
    "schedule, name, options",
    [
        (optim.step(0.5, every=4, factor=0.3), "StepLR", {"step_size": 4, "gamma": 0.3}),
        (optim.exponential(0.5, factor=0.9), "ExponentialLR", {"gamma": 0.9}),
        (optim.cosine(0.5, steps=12, final=0.1), "CosineAnnealingLR", {"T_max": 12, "eta_min": 0.1}),
    ],
)
def test_schedule_agrees_with_torch(schedule, name, options):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    theirs = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    for step in range(12):
        np.testing.assert_allclose(schedule(step), theirs.get_last_lr()[0], rtol=1e-12)
        optimizer.step()
        theirs.step()
