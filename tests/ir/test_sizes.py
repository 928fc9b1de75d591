"""Sizes are polynomials in normal form; what can't be read off them is decided once and for all calls."""

import pytest

from gradgen.errors import ShapeError
from gradgen.ir.sizes import Dim, Narrow, divide_exactly, evaluate, freeze, guard, hint, product, same, symbol

n, m = symbol("n", 12), symbol("m", 4)


@pytest.mark.parametrize(
    ("size", "text"),
    [(n + n, "2*n"), (n + 1 - 1, "n"), (n * m - m * n + 3, "3"), ((n + 1) * (n - 1), "n*n - 1"), (3 - n, "-n + 3"),
     ((n + 1) // 2, "((n + 1)//2)"), (2 * n // 2, "n")],
)  # fmt: skip
def test_arithmetic_has_one_form(size, text):
    assert str(size) == text


def test_what_cancels_is_a_plain_number():
    assert n - n == 0 and isinstance(n - n, int)


def test_equality_is_structural_and_hashable():
    assert n + m == m + n and hash(n + m) == hash(m + n)
    assert n != m and n != 12


@pytest.mark.parametrize(("top", "bottom", "result"), [(6 * n, 3, 2 * n), (n * m, n, m), (n, m, None), (7, 2, None)])
def test_exact_division(top, bottom, result):
    assert divide_exactly(top, bottom) == result


def test_values_and_hints_agree():
    size = product((n, m + 1)) + (n // 5)
    assert evaluate(size, {"n": 12, "m": 4}) == hint(size) == 62


def test_two_symbols_that_agree_now_are_made_one():
    with pytest.raises(Narrow) as narrow:
        same(symbol("a", 3), symbol("b", 3))
    assert narrow.value.replacements == {"b": "a"}


def test_a_symbol_that_is_a_number_now_is_frozen():
    with pytest.raises(Narrow) as narrow:
        same(n, 12)
    assert narrow.value.replacements == {"n": 12}
    with pytest.raises(Narrow):
        freeze(n)


def test_sizes_that_differ_now_are_guarded():
    guards = []
    k = symbol("k", 5, guards)
    assert not same(k, 7)
    assert guards == [(k, "!=", 7)]
    guard(k, "<", 9)
    assert (k, "<", 9) in guards


def test_without_a_hint_the_question_is_an_error_with_the_remedy():
    with pytest.raises(ShapeError, match="signature"):
        same(symbol("p"), symbol("q"))


def test_narrowing_is_no_exception_that_users_catch():
    assert not issubclass(Narrow, Exception)
    assert isinstance(n, Dim)
