"""What sheets ask after later updates: w5@2, dE/dw5@2, m_w1@2."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from derive.formula.expression import names_in
from derive.worked import WorkedExample
from derive.worksheet.later import LaterExample, place_of
from derive.worksheet.lines import worked_lines
from derive.worksheet.plan import Plan
from derive.worksheet.press import Entry, Press
from worksheets import SMALL, plan

ASKED = ("w5@2", "dE/dw5@2", "dE/dw1@1", "out_o1@3", "E@2", "w1_new", "b1@2")
BATCH = SMALL.replace("[0.5, -0.3]", "[[0.5, -0.3], [0.1, 0.2]]").replace("targets = [1]", "targets = [[1], [0]]")
OPTIMIZERS = {
    "sgd": SMALL,
    "momentum": SMALL.replace("[update]", '[update]\noptimizer = { name = "momentum", momentum = 0.9 }'),
    "adam": SMALL.replace("[update]", '[update]\noptimizer = "adam"'),
    "exponential": SMALL.replace("[update]", '[update]\nschedule = { name = "exponential", factor = 0.5 }'),
    "displayed": SMALL.replace("decimals = 6", 'decimals = 4\ncarry = "displayed"'),
    "significant": SMALL.replace("decimals = 6", "significant = 4"),
    "frozen": SMALL.replace("learning_rate = 0.1", 'learning_rate = 0.1\nfrozen = ["w1", "w2", "b1"]'),
    "penalty": SMALL.replace("targets = [1]", "targets = [1]\nl2 = 0.1"),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_numbers_are_those_after_so_many_updates(name: str) -> None:
    """The worked example goes through its updates by carrying values, the sheet by definitions."""
    asked = tuple(each for each in ASKED if name != "frozen" or not each.startswith(("b1", "w1")))
    _check_numbers(plan(OPTIMIZERS[name], ask=asked), asked)


def test_numbers_of_a_batch_are_too() -> None:
    _check_numbers(plan(BATCH, ask=("E@1", "net_h1[2]@1", "dE/dw5@2")), ("E@1", "net_h1[2]@1", "dE/dw5@2"))


def _check_numbers(made: Plan, asked: tuple[str, ...]) -> None:
    assert made.asked == (asked,)
    press = Press(made)
    picks = made.space.drawn(1, range(3))
    table = press.tables(picks)[0]
    for row in range(3):
        example = WorkedExample(made.space.problem(0, picks[row].tolist()))
        for name in asked:
            base, step = place_of(name)
            assert table.texts(name)[row] == example.values_after(step).shown(base), name


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_the_way_to_an_answer_is_whole(name: str) -> None:
    """Every number in a line is given or stands at the end of a line before it."""
    made = plan(OPTIMIZERS[name], ask=("w5@2", "E@2"))
    press, example = Press(made), made.examples[0]
    assert isinstance(example, LaterExample)
    table = press.tables(made.space.drawn(1, [0]))[0]
    known: set[str] = set()
    for line in worked_lines(example, made.asked[0], table):
        definition = example.derivation.quantity(line.target).definition
        assert definition is not None
        for part in names_in(definition):
            source = part if not part.startswith("delta_") else f"dE/dnet_{part.removeprefix('delta_')}"
            assert source in known or table.is_given(part), f"{part} in {line.target}"
        known.add(line.target)
    assert {"w5@2", "E@2", "w1@2", "net_h1@1"} <= known


def test_a_name_is_read_leniently_and_the_first_update_keeps_its_own() -> None:
    assert plan(SMALL, ask=("w5@1", "w5+", "dE_dw5@2", "w5@2")).asked == (("w5_new", "dE/dw5@2", "w5@2"),)
    assert type(plan(SMALL, ask=("w5@1",)).examples[0]) is WorkedExample


def test_a_sheet_says_what_its_brackets_mean() -> None:
    made = plan(SMALL, ask=("w5@2",), level="scaffold")
    sheet = Press(made).make([Entry(0)])[0]
    assert "$`w_{1}^{[2]}`$ after the second" in sheet.sheet
    assert r"w_{5}^{[2]} &= w_{5}^{+} - \eta \cdot" in sheet.sheet
    assert "after the second" not in Press(plan(SMALL)).make([Entry(0)])[0].sheet
    numbers = re.findall(r"w_\{5\}\^\{\[2\]\}`\$ \| \$`([-0-9.]+)`\$", sheet.key)
    picks = made.space.drawn(made.seed, [0])[0].tolist()
    shown = WorkedExample(made.space.problem(0, picks)).shown("w5@2")
    assert [Decimal(text) for text in numbers] == [Decimal(str(shown))]
