"""Formulas and statements of the notes, each judged by a computation: a check is a row of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from derive.calculus.symbolic import equal
from derive.catalogue.activations import ACTIVATIONS
from derive.derivation.evaluate import Enclosed
from derive.derivation.evaluator import Evaluator
from derive.formula.expression import names_in
from derive.formula.grammar import Unreadable, read
from derive.notes.compare import Verdict, data, problem_of
from derive.numbers.rounding import Rounding, show_real

DIGITS = Rounding(decimals=None, significant=5)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a check found: whether the notes are right, and what holds, in a few words."""

    right: bool
    ours: str


@dataclass(frozen=True, slots=True)
class Claim:
    says: str
    ours: str
    verdict: Verdict
    reason: str


def claims() -> Iterator[Claim]:
    """Every claim of claims.toml with its verdict."""
    for entry in data("claims.toml")["claims"]:
        judged = CHECKS[entry["check"]](entry)
        yield Claim(entry["says"], judged.ours, "same" if judged.right else "a slip in the notes", entry["reason"])


def _formula(entry: Mapping[str, Any]) -> Judged:
    """Whether SymPy proves both formulas equal; where it does not, their values at a point must differ."""
    printed, right = read(entry["printed"]), read(entry["right"])
    values = [_value(tree, entry["at"]) for tree in (printed, right)]
    at = ", ".join(f"{name} = {value}" for name, value in entry["at"].items())
    if equal(printed, right):
        return Judged(True, "proved equal")
    if values[0] == values[1]:
        raise AssertionError(f"{entry['says']}: neither proved equal nor different at {at}")
    return Judged(False, f"at {at}: {values[1]}, not {values[0]}")


def _value(tree: Any, at: Mapping[str, Any]) -> str:
    names = {name: Fraction(Decimal(str(value))) for name, value in at.items()}
    return show_real(Evaluator(Enclosed(40), names.__getitem__).value(tree), DIGITS) or ""


def _values(entry: Mapping[str, Any]) -> Judged:
    """Whether two quantities, each of a problem, have the same value."""
    shown = []
    for side in ("printed", "right"):
        worked = problem_of({"title": entry["says"], **entry[side]})
        worked = type(worked)(worked.problem.with_rounding(DIGITS))
        shown.append(worked.shown(entry[side]["quantity"]) or "")
    return Judged(shown[0] == shown[1], shown[1] if shown[0] == shown[1] else f"{shown[1]}, not {shown[0]}")


def _readable(entry: Mapping[str, Any]) -> Judged:
    try:
        read(entry["printed"])
    except Unreadable as error:
        return Judged(False, f"unreadable at column {error.column}")
    return Judged(True, "readable")


def _names(entry: Mapping[str, Any]) -> Judged:
    """Whether a formula has only names that the notes have introduced."""
    strange = [name for name in names_in(read(entry["printed"])) if name not in entry["known"]]
    return Judged(not strange, f"no {', '.join(strange)} is introduced" if strange else "all names are introduced")


def _range(entry: Mapping[str, Any]) -> Judged:
    own = ACTIVATIONS[entry["activation"]].range
    return Judged(own == entry["printed"], own.replace("oo", "∞").replace("-", "−"))


def _shapes(entry: Mapping[str, Any]) -> Judged:
    """Whether the inner sizes of a product fit and the outer ones are as printed."""
    (rows, inner), (inner_too, columns) = entry["shapes"]
    if inner != inner_too:
        return Judged(False, f"({rows}×{inner})({inner_too}×{columns}) does not fit")
    return Judged([rows, columns] == entry["gives"], f"{rows}×{columns}")


def _largest(entry: Mapping[str, Any]) -> Judged:
    place = entry["outputs"].index(max(entry["outputs"])) + 1
    return Judged(place == entry["place"], f"neuron {place}")


def _sum(entry: Mapping[str, Any]) -> Judged:
    total = sum(Decimal(str(value)) for value in entry["outputs"])
    return Judged(total == entry["total"], f"their sum is {total}")


CHECKS: dict[str, Callable[[Mapping[str, Any]], Judged]] = {
    "formula": _formula, "values": _values, "readable": _readable, "names": _names, "range": _range,
    "shapes": _shapes, "largest": _largest, "sum": _sum,
}  # fmt: skip
