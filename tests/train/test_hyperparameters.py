import dataclasses

import pytest

from gradgen import optim
from gradgen.train.hyperparameters import filled, form, values


def test_numbers_are_taken_out_of_nested_records_and_put_back():
    given = optim.adamw(optim.warmup(3, optim.cosine(0.1, steps=9)), weight_decay=0.5, biases=False)
    numbers = values(given)
    assert numbers["lr"] == {"steps": 3.0, "then": {"rate": 0.1, "steps": 9.0, "final": 0.0}}
    assert numbers["weight_decay"] == 0.5
    assert "biases" not in numbers
    assert filled(given, numbers) == given
    assert filled(given, numbers | {"b1": 0.5}) == dataclasses.replace(given, b1=0.5)


def test_the_form_of_a_record_forgets_its_numbers_and_nothing_else():
    assert form(optim.adam(0.1)) == form(optim.adam(0.2))
    assert form(optim.adam(0.1)) != form(optim.adamw(0.1))
    assert form(optim.adam(0.1)) != form(optim.adam(optim.constant(0.1)))
    assert form(optim.adamw(biases=False)) != form(optim.adamw(biases=True))
    assert hash(form(optim.adam(optim.cosine(0.1, 9))))


def test_records_of_others_and_functions_stay_closed():
    @dataclasses.dataclass(frozen=True)
    class Mine(optim.sgd):
        beta: float = 0.9

    schedule = lambda step: 0.1 / (step + 1)
    assert values(Mine(0.1)) == {}
    assert filled(Mine(0.1), {}) == Mine(0.1)
    assert values(optim.sgd(schedule)) == {}
    assert form(optim.sgd(schedule)) != form(optim.sgd(lambda step: 0.1))


@pytest.mark.parametrize("x", ["adam", 3, None])
def test_anything_may_stand_where_a_record_does(x):
    assert values(x) == {}
    assert form(x) == x
