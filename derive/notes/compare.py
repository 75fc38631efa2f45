"""Printed numbers against true ones: the same, the same with rounded intermediate results, or a slip."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal

from derive.derivation.evaluate import Values
from derive.formula.expression import Expr, names_in
from derive.formula.grammar import read
from derive.numbers.exact import Real
from derive.numbers.rounding import Rounding
from derive.problem.file import find, loads
from derive.worked import WorkedExample

Verdict = Literal["same", "same when intermediate results are rounded", "a slip in the notes"]

MOST_DECIMALS = 8
"""So many decimals are tried for intermediate results."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A number of the notes: what it is (the name of a quantity, or a formula in quantities) and its digits."""

    text: str
    is_name: bool
    digits: str

    @property
    def decimals(self) -> int:
        return len(self.digits.partition(".")[2])

    @property
    def formula(self) -> Expr | None:
        return None if self.is_name else read(self.text)


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one number; `ours` has the decimals of the notes, `closer` two more.

    `carried` are the quantities whose printed, rounded numbers lead to the printed one.
    """

    printed: Printed
    ours: str
    closer: str
    verdict: Verdict
    reason: str = ""
    carried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """Some numbers of one problem; `before` are numbers of it that the notes print earlier and carry on."""

    title: str
    worked: WorkedExample
    numbers: tuple[Printed, ...]
    before: tuple[Printed, ...] = ()


@cache
def data(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))


def problem_of(entry: Mapping[str, Any]) -> WorkedExample:
    """The bundled problem or the problem in the text of an entry."""
    return WorkedExample(find(entry["problem"]) if "problem" in entry else loads(entry["text"], entry["title"]))


def examples() -> Iterator[Example]:
    """Every example of numbers.toml."""
    earlier: dict[str, tuple[Printed, ...]] = {}
    for entry in data("numbers.toml")["examples"]:
        numbers = tuple(_printed(number) for number in entry["numbers"])
        key = entry.get("problem", "")
        before = earlier.get(key, ()) if entry.get("carries_on") else ()
        yield Example(entry["title"], problem_of(entry), numbers, before)
        earlier[key] = numbers


def _printed(number: Mapping[str, str]) -> Printed:
    is_name = "quantity" in number
    return Printed(number["quantity"] if is_name else number["formula"], is_name, number["printed"])


def findings(example: Example) -> list[Finding]:
    """The verdict on every number of an example, in its order."""
    carried: dict[str, Real] = {}
    list(_judged(example, example.before, carried))
    return list(_judged(example, example.numbers, carried))


def _judged(example: Example, numbers: tuple[Printed, ...], carried: dict[str, Real]) -> Iterator[Finding]:
    """Findings; numbers that are right so far are added to `carried`, as the notes compute on with them."""
    for printed in numbers:
        finding = judge(example.worked, printed, carried)
        if printed.is_name and finding.verdict != "a slip in the notes":
            carried[_canonical(example.worked, printed)] = Fraction(printed.digits)
        yield finding


def _canonical(worked: WorkedExample, printed: Printed) -> str:
    found = worked.find(printed.text)
    return f"{found.name}_new" if found.step else found.name


def judge(worked: WorkedExample, printed: Printed, carried: Mapping[str, Real]) -> Finding:
    """The verdict on one number, given those that the notes have printed before it."""
    decimals = printed.decimals
    ours = _shown(worked, printed, decimals, {})
    closer = _shown(worked, printed, decimals + 2, {})
    if ours == printed.digits:
        return Finding(printed, ours, closer, "same")
    own = _canonical(worked, printed) if printed.is_name else ""
    used = {name: value for name, value in carried.items() if name != own}
    for names in (*((name,) for name in reversed(used)), tuple(used)):
        if names and _shown(worked, printed, decimals, {name: used[name] for name in names}) == printed.digits:
            return Finding(printed, ours, closer, _ROUNDED, _REASON, names)
    for places in range(1, MOST_DECIMALS + 1):
        if _shown(worked, printed, decimals, {}, places) == printed.digits:
            reason = f"Every intermediate result is rounded to {places} decimals."
            return Finding(printed, ours, closer, _ROUNDED, reason)
    if _cut_off(closer, decimals) == printed.digits:
        return Finding(printed, ours, closer, _SLIP, "Its last digit is cut off instead of rounded.")
    return Finding(printed, ours, closer, _SLIP, f"It is {closer} to {decimals + 2} decimals.")


_ROUNDED: Verdict = "same when intermediate results are rounded"
_SLIP: Verdict = "a slip in the notes"
_REASON = "It is computed with rounded numbers that are printed before it."


def _cut_off(digits: str, decimals: int) -> str:
    whole, point, fraction = digits.partition(".")
    return whole + (point + fraction[:decimals] if decimals else "")


def _shown(worked: WorkedExample, printed: Printed, decimals: int, carried: Mapping[str, Real], places: int = 0) -> str:
    """The digits with that many decimals; with `places` every intermediate result is rounded to so many.

    `carried` takes the place of what quantities would be.
    """
    given: dict[str, Real] = {**worked.values.given, **carried}
    if places:
        given |= _rounded_operands(worked, printed, places)
    values = Values(worked.derivation, given, Rounding(decimals=decimals))
    formula = printed.formula
    shown = values.shown_of(formula) if formula is not None else values.shown(_canonical(worked, printed))
    return shown or ""


def _rounded_operands(worked: WorkedExample, printed: Printed, places: int) -> dict[str, Real]:
    """What the definition of a number needs, each rounded and computed from rounded numbers."""
    rounded = Values(worked.derivation, worked.values.given, Rounding(decimals=places, carry="displayed"))
    formula = printed.formula or worked.derivation.quantity(_canonical(worked, printed)).definition
    names = dict.fromkeys(names_in(formula)) if formula is not None else {}
    shown = {name: rounded.shown(name) for name in names if name not in worked.values.given}
    return {name: Fraction(text) for name, text in shown.items() if text is not None}
