"""Linear inequalities: each answer carries its own proof, which is checked here without the solver."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.numbers.inequalities import Contradiction, Row, Solution, solve

ENTRIES = st.integers(-8, 8).map(lambda n: Fraction(n, 2))


@st.composite
def systems(draw: st.DrawFn) -> tuple[list[Row], list[bool]]:
    size = draw(st.integers(1, 4))
    rows = draw(st.lists(st.tuples(*[ENTRIES] * size), min_size=1, max_size=9))
    return rows, draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))


def row(*entries: int) -> Row:
    return tuple(map(Fraction, entries))


def check(rows: list[Row], strict: list[bool], answer: Solution | Contradiction) -> None:
    if isinstance(answer, Solution):
        for entries, is_strict in zip(rows, strict, strict=True):
            value = sum(a * b for a, b in zip(entries, answer.values, strict=True))
            assert value > 0 if is_strict else value >= 0
        return
    multipliers = answer.multipliers
    assert all(times > 0 for times in multipliers.values())
    assert any(strict[place] for place in multipliers)
    assert len(multipliers) <= len(rows[0]) + 1
    for column in range(len(rows[0])):
        assert sum(times * rows[place][column] for place, times in multipliers.items()) == 0


@settings(max_examples=150)
@given(systems())
def test_every_answer_proves_itself(system: tuple[list[Row], list[bool]]) -> None:
    rows, strict = system
    check(rows, strict, solve(rows, strict))


XOR = [row(0, 0, -1), row(0, 1, 1), row(1, 0, 1), row(-1, -1, -1)]


@pytest.mark.parametrize(
    ("rows", "strict", "multipliers"),
    [
        (XOR, [True] * 4, {0: 1, 1: 1, 2: 1, 3: 1}),
        (XOR, [True, False, False, True], {0: 1, 1: 1, 2: 1, 3: 1}),
        ([row(1), row(-1)], [True, False], {0: 1, 1: 1}),
        ([row(2), row(-3)], [True, True], {0: 3, 1: 2}),
        ([row(0)], [True], {0: 1}),
        ([row(1, 0), row(0, 0)], [True, True], {1: 1}),
    ],
)
def test_contradictions(rows: list[Row], strict: list[bool], multipliers: dict[int, int]) -> None:
    assert solve(rows, strict) == Contradiction(multipliers)


@pytest.mark.parametrize(
    ("rows", "strict"),
    [
        (XOR[:3], [True] * 3),
        ([row(1), row(-1)], [False, False]),
        ([row(0)], [False]),
        ([row(1, 0), row(-1, 0), row(0, 1)], [False, False, True]),
    ],
)
def test_solutions(rows: list[Row], strict: list[bool]) -> None:
    answer = solve(rows, strict)
    assert isinstance(answer, Solution)
    check(rows, strict, answer)
