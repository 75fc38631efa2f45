from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from derive.derivation.steps import line
from derive.errors import DeriveError
from derive.formula.expression import number
from derive.numbers.rounding import Rounding, show
from derive.pages.blocks import Equation
from derive.pages.equations import Equations
from derive.pages.writers import writer
from derive.problem.file import from_dict
from derive.problem.model import Network
from derive.worked import WorkedExample, quantity_names
from derive.worksheet.arrays import chosen
from derive.worksheet.digits import rounded
from derive.worksheet.lines import LINE_WIDTH, WIDTH, LineWriter, worked_lines
from derive.worksheet.source import Source
from derive.worksheet.values import Table
from derive.worksheet.variants import Picks, Space, Varied
from networks import problems

ROUNDINGS: tuple[dict[str, Any], ...] = (
    {}, {"decimals": 3, "carry": "displayed"}, {"significant": 4}, {"significant": 3, "carry": "displayed"},
    {"decimals": 1, "mode": "half-even"}, {"decimals": 9}, {"decimals": 0},
)  # fmt: skip
CHOICES = [Decimal(text) for text in ("0.25", "-0.8", "0.3", "1.5", "0.005", "-1", "0.05")]


def _space(data: dict[str, Any], varied: list[str]) -> Space:
    problem = from_dict(data)
    entries = tuple(Varied(0, name, tuple(map(number, CHOICES))) for name in problem.given if name in varied)
    return Space((Source("test", "", {}),), (problem,), entries, "00" * 32)


def _table(space: Space, picks: Picks) -> Table:
    return Table(space, 0, WorkedExample(space.problems[0]), picks)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A few variants of a random network: any weights, biases and inputs vary."""
    data = draw(problems(most_width=3, most_depth=2, updated=True))
    data["rounding"] = draw(st.sampled_from(ROUNDINGS))
    problem = from_dict(data)
    assert isinstance(problem.body, Network)
    targets = tuple(problem.body.targets)
    names = [name for name in problem.given if name.partition("[")[0] not in targets]
    rng = random.Random(draw(st.integers(0, 10**6)))
    space = _space(data, rng.sample(names, min(len(names), 6)))
    picks = [[rng.randrange(len(CHOICES)) for _ in space.varied] for _ in range(4)]
    return _table(space, np.array(picks, dtype=np.intp).reshape(4, len(space.varied)))


def _example(table: Table, row: int) -> WorkedExample:
    return WorkedExample(table.space.problem(0, table.picks[row].tolist()))


@settings(max_examples=25)
@given(tables())
def test_every_number_is_that_of_the_worked_example(table: Table) -> None:
    names = [name for name in quantity_names(WorkedExample(table.problem)) if not table.is_given(name)]
    for row in range(table.count):
        example = _example(table, row)
        try:
            wanted = {name: example.values.shown(name) for name in names}
        except DeriveError:
            assume(False)
        for name in names:
            assert table.texts(name)[row] == wanted[name], name
            exact = example.values.exact_result(name)
            assert bool(table.exactly(name)[row]) == (exact == Fraction(wanted[name] or "0")), name


@settings(max_examples=12)
@given(tables(), st.sampled_from(["latex", "ascii"]))
def test_every_line_is_that_of_the_page(table: Table, style: str) -> None:
    writing = writer("latex" if style == "latex" else "text", "dollar", "net-out", ascii=style == "ascii")
    model = WorkedExample(table.problem)
    asked = tuple(quantity_names(model))[-6:]
    try:
        lines = worked_lines(model, asked, table)
        texts = [LineWriter(model, found, writing, table, _joined).texts(table) for found in lines]
        examples = [_example(table, row) for row in range(table.count)]
        for row, example in enumerate(examples):
            page = Equations(example, writing, WIDTH, LINE_WIDTH)
            for place, found in enumerate(lines):
                assert texts[place][row] == _joined(page.equation(line(example.derivation.quantity(found.target))))
    except DeriveError:
        assume(False)


def _joined(equation: Equation) -> str:
    """One line of text, no spaces: where rows are broken, inside a product too, hangs on the width of the numbers."""
    rows = "".join(f"{row.relation}{row.right}" for row in equation.rows)
    return f"{equation.left}{rows}{'†' if equation.marked else ''}".replace(" ", "")


@pytest.mark.parametrize("keys", [{"decimals": 2}, {"significant": 2}, {"decimals": 2, "mode": "half-even"}])
def test_ties_of_decimals_are_decided_exactly(keys: dict[str, Any]) -> None:
    """In doubles 0.285 is below its tie and 1.005 too; 99.5 gets one digit more."""
    rounding = Rounding(**keys)
    values = tuple(map(Fraction, ("0.285", "1.005", "0.125", "-0.285", "99.5", "0.995", "0", "0.004999", "-0.005")))
    digits = rounded(chosen(values, np.arange(len(values), dtype=np.intp)), rounding)
    assert digits.decided.all()
    assert digits.texts(rounding) == [show(value, rounding) for value in values]


@given(st.lists(st.fractions(min_value=-1000, max_value=1000), min_size=1, max_size=20), st.sampled_from(ROUNDINGS[:6]))
def test_what_doubles_decide_is_right(values: list[Fraction], keys: dict[str, Any]) -> None:
    rounding = Rounding(**keys)
    digits = rounded(chosen(tuple(values), np.arange(len(values), dtype=np.intp)), rounding)
    for text, value, decided in zip(digits.texts(rounding), values, digits.decided.tolist(), strict=True):
        assert not decided or text == show(value, rounding)
