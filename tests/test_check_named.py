"""The whole checker on wrong numbers: a mistake is listed, and nearly always named first."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import cache

import pytest
from slips_by_hand import TABLES

from derive.check.model import Marking, Sheet, Verdict, Written
from derive.check.verdicts import Judge
from derive.problem.file import loads
from derive.worked import WorkedExample

DECIMALS = 7


def _written(value: float) -> Written:
    text = f"{value:.{DECIMALS}f}"
    return Written(text, Fraction(text), DECIMALS, len(text.lstrip("-0.").replace(".", "")))


@cache
def _verdicts(table: str) -> tuple[Verdict, ...]:
    """One for each row, each of a student that answers nothing else."""
    text, rows = TABLES[table]
    example = WorkedExample(loads(text))
    names = list(dict.fromkeys(quantity for _, quantity, _ in rows))
    judge = Judge(example, names, Marking())
    sheets = [Sheet(str(place), {quantity: _written(wrong)}) for place, (_, quantity, wrong) in enumerate(rows)]
    found = {(verdict.student, verdict.quantity): verdict for verdict in judge.verdicts(sheets)}
    return tuple(found[str(place), quantity] for place, (_, quantity, _) in enumerate(rows))


@pytest.mark.parametrize("table", TABLES)
def test_a_wrong_number_alone_has_its_mistake_listed(table: str) -> None:
    for (mistake, quantity, wrong), verdict in zip(TABLES[table][1], _verdicts(table), strict=True):
        assert verdict.status == "wrong", (mistake, quantity, wrong)
        assert verdict.mistake is not None, (mistake, quantity, wrong)
        listed = {verdict.mistake.id, *(other.id for other in verdict.mistake.others)}
        assert mistake in listed, (mistake, quantity, wrong, listed)


def test_most_are_named_first_or_beside_what_gives_the_same_number() -> None:
    first: Counter[bool] = Counter()
    for table, (_, rows) in TABLES.items():
        for (mistake, *_), verdict in zip(rows, _verdicts(table), strict=True):
            assert verdict.mistake is not None
            first[verdict.mistake.id == mistake] += 1
    assert first[True] / first.total() > 0.8


@pytest.mark.parametrize("table", ["2-2-2", "linear", "adam, more"])
def test_a_mistake_has_a_sentence_in_the_names_of_the_problem(table: str) -> None:
    for verdict in _verdicts(table):
        assert verdict.mistake is not None
        assert verdict.mistake.step
        for each in (verdict.mistake, *verdict.mistake.others):
            assert "{" not in each.message
            assert each.message.endswith(".")
