"""The line of verification of a page: every number on it against a second calculation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal
from weakref import WeakKeyDictionary

from derive.problem.model import Network
from derive.verify.arithmetic import DIGITS, FAILURES, MORE_DIGITS, arithmetic_of
from derive.verify.derived import Derived
from derive.verify.names import Asked, shown_quantities
from derive.verify.opinion import DIGITS_CLAIMED, Opinion, Witness
from derive.verify.witnesses import witness_of
from derive.worked import WorkedExample

MOST_STAND_INS = 2000
"""A network with more parameters than this and no numbers is not checked."""

Verdict = Literal["agrees", "differs", "at-kink", "unchecked"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of it.

    numbers          how many quantities agree
    derivatives      how many of them are derivatives that were held against difference quotients
    kinks            derivatives that stand at a kink
    wrong            the names of those that disagree
    before_rounding  the page carries displayed numbers; what was checked are those with full precision
    stand_ins        numbers were put in for symbols
    digits           to how many digits all of them agree, at least
    """

    numbers: int
    derivatives: int
    kinks: int
    wrong: tuple[str, ...]
    before_rounding: bool
    stand_ins: bool
    digits: int = DIGITS_CLAIMED

    @property
    def agrees(self) -> bool:
        return not self.wrong

    def as_data(self) -> dict[str, object]:
        """For JSON."""
        return {
            "agrees": self.agrees,
            "numbers": self.numbers,
            "derivatives": self.derivatives,
            "digits": self.digits,
            "at_kinks": self.kinks,
            "disagree": list(self.wrong),
            "before_rounding": self.before_rounding,
            "stand_ins": self.stand_ins,
        }


class SecondOpinion:
    """Holds the quantities of an example against its witness."""

    def __init__(self, example: WorkedExample) -> None:
        self.derived = Derived(example)

    @cached_property
    def _witness(self) -> Witness | None:
        return self._with(DIGITS)

    @cached_property
    def _closer(self) -> Witness | None:
        return self._with(MORE_DIGITS)

    def _with(self, digits: int) -> Witness | None:
        try:
            return witness_of(self.derived.problem, self.derived.given, arithmetic_of(digits), self.derived.number)
        except (KeyError, *FAILURES):
            return None

    def opinion(self, name: str, step: int) -> Opinion | None:
        """With 40 digits."""
        return _said(self._witness, name, step)

    def verdict(self, name: str, step: int) -> tuple[Verdict, Opinion | None]:
        """What comes of holding a quantity against the witness; with more digits where 40 do not agree."""
        derived = self.derived.number(name, step)
        if derived is None:
            return "unchecked", None
        found = self.opinion(name, step)
        if found is not None and self._agree(found, derived, name, step):
            return "agrees", found
        if found is not None and found.slope and (found.at_kink or self._meets_kink(name, step)):
            return "at-kink", found
        closer = _said(self._closer, name, step)
        if closer is None:
            return ("unchecked" if found is None else "differs"), found
        return ("agrees" if self._agree(closer, derived, name, step) else "differs"), closer

    def _agree(self, found: Opinion, derived: float, name: str, step: int) -> bool:
        if found.at_kink or not found.agrees(derived):
            return False
        shown = self.derived.shown(name, step)
        return shown is None or found.shows(shown)

    def _meets_kink(self, name: str, step: int) -> bool:
        return self._witness is not None and self._witness.meets_kink(name, step)


def _said(witness: Witness | None, name: str, step: int) -> Opinion | None:
    try:
        return None if witness is None else witness.opinion(name, step)
    except (KeyError, *FAILURES):
        return None


_FOUND: WeakKeyDictionary[WorkedExample, Checked] = WeakKeyDictionary()


def checked(example: WorkedExample) -> Checked:
    """Every quantity that the page of an example shows, held against its witness; once for all formats of the page."""
    if example not in _FOUND:
        _FOUND[example] = _checked(example)
    return _FOUND[example]


def _checked(example: WorkedExample) -> Checked:
    if _is_large_and_symbolic(example):
        return Checked(0, 0, 0, (), before_rounding=False, stand_ins=False)
    second = SecondOpinion(example)
    if example.options.collapse:
        return _checked_collapse(second.derived)
    numbers = derivatives = kinks = 0
    wrong, digits = [], DIGITS_CLAIMED
    for name, step in _asked(second):
        verdict, found = second.verdict(name, step)
        numbers += verdict == "agrees"
        derivatives += verdict == "agrees" and found is not None and found.slope
        digits = min(digits, found.digits) if verdict == "agrees" and found else digits
        kinks += verdict == "at-kink"
        if verdict == "differs":
            wrong.append(f"{name}@{step}" if step else name)
    derived = second.derived
    return Checked(numbers, derivatives, kinks, tuple(wrong), derived.carries_displayed, derived.stand_ins, digits)


def _is_large_and_symbolic(example: WorkedExample) -> bool:
    """Numbers for so many symbols take seconds, and the page has none."""
    body = example.problem.body
    if not isinstance(body, Network) or body.parameter_count() <= MOST_STAND_INS:
        return False
    return body.layers[0].weights.name(0, 0) not in example.problem.given


def _checked_collapse(derived: Derived) -> Checked:
    from derive.verify.collapsed import collapsed_pairs

    pairs = list(collapsed_pairs(derived))
    wrong = tuple(name for name, number, found in pairs if not found.agrees(number))
    return Checked(len(pairs) - len(wrong), 0, 0, wrong, derived.carries_displayed, derived.stand_ins)


def _asked(second: SecondOpinion) -> Iterator[Asked]:
    for name, step in shown_quantities(second.derived.example):
        if step or second.derived.is_computed(name):
            yield name, step
