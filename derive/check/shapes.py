"""Plans of the same form are evaluated together: the form, and the quantities that stand in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from derive.check.plan import (
    Applied,
    Atom,
    Choice,
    Constant,
    Minus,
    Plan,
    Raised,
    Ratio,
    Reference,
    Share,
    Test,
    Times,
    Total,
)
from derive.check.values import is_direct


@dataclass(frozen=True, slots=True)
class Shape:
    """A plan whose references are the places "0", "1", …, and the keys that stood there."""

    form: Plan
    keys: tuple[str, ...]


class Shapes:
    """The shapes of plans, each found once; equal forms are one object.

    simple  as the full value of a plan needs it: a function's formula stands for the function
    """

    def __init__(self, *, simple: bool) -> None:
        self._simple = simple
        self._found: dict[int, tuple[Plan, Shape]] = {}
        self._forms: dict[Plan, Plan] = {}

    def of(self, plan: Plan) -> Shape:
        """The shape of a plan."""
        if id(plan) not in self._found:
            keys: dict[str, str] = {}
            form = _form(plan, lambda key: keys.setdefault(key, str(len(keys))), simple=self._simple)
            self._found[id(plan)] = plan, Shape(self._forms.setdefault(form, form), tuple(keys))
        return self._found[id(plan)][1]


def _form(plan: Plan, place: Callable[[str], str], *, simple: bool) -> Plan:
    of = partial(_form, place=place, simple=simple)
    match plan:
        case Reference(key):
            return Reference(place(key))
        case Constant():
            return plan
        case Total(terms):
            return Total(tuple(map(of, terms)))
        case Times(atoms):
            return Times(tuple(Atom(of(each.plan), each.variable and place(each.variable)) for each in atoms))
        case Minus(arg):
            return Minus(of(arg))
        case Ratio(top, bottom):
            return Ratio(of(top), of(bottom))
        case Raised(base, exponent):
            return Raised(of(base), of(exponent))
        case Share(own, others):
            return Share(of(own), tuple(map(of, others)))
        case Choice(pieces, otherwise):
            tested = ((of(value), replace(test, left=of(test.left), right=of(test.right))) for value, test in pieces)
            return Choice(tuple[tuple[Plan, Test], ...](tested), of(otherwise))
        case Applied(function, args, direct, by_hand):
            if not simple:
                formulas = (None if formula is None else of(formula) for formula in (direct, by_hand))
                return Applied(function, tuple(map(of, args)), *formulas)
            return of(direct) if direct is not None and not is_direct(plan) else Applied(function, tuple(map(of, args)))
