"""A formula with max, min or abs as plain cases in z, one for each interval between the points where they switch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

import sympy

from derive.calculus.limits import smooth
from derive.calculus.rules import KINKED
from derive.calculus.sympy_trees import from_sympy, to_sympy
from derive.formula.expression import Call, Cases, Condition, Expr, Name, Negative, Number, Relation, children

_NET = Name("z")


def by_intervals(formula: Expr, kinks: Sequence[Number]) -> Expr:
    """The formula by cases: 0 if z <= -3 else z/6 + 1/2 if z < 3 else 1; itself where nothing in it switches.

    Every other name must have been replaced by its number.
    """
    places = sorted({at.value: at for at in (*kinks, *_corners(formula))}.values(), key=lambda at: at.value)
    if not places or not any(_switches(formula)):
        return formula
    pieces = [_piece(formula, inside) for inside in _between([at.value for at in places])]
    if len(places) == 1:
        return Cases(((pieces[1], Condition(_NET, ">", _signed(places[0]))),), pieces[0])
    below: Relation = "<"
    relations: list[Relation] = ["<=", *(below for _ in places[1:])]
    tests = (Condition(_NET, relation, _signed(at)) for relation, at in zip(relations, places, strict=True))
    return Cases(tuple(zip(pieces, tests, strict=False)), pieces[-1])


def _signed(at: Number) -> Expr:
    """A negative number as it is written in a formula, with its sign apart."""
    return Negative(Number(-at.value, at.written.removeprefix("-"))) if at.value < 0 else at


def _switches(expr: Expr) -> Iterator[bool]:
    yield isinstance(expr, Call) and expr.function in KINKED
    for part in children(expr):
        yield from _switches(part)


def _corners(expr: Expr) -> Iterator[Number]:
    """0 where the size of z itself is taken."""
    if expr == Call("abs", (_NET,)):
        yield Number(Fraction(0), "0")
    for part in children(expr):
        yield from _corners(part)


def _between(places: list[Fraction]) -> Iterator[Fraction]:
    """A point in each interval."""
    yield places[0] - 1
    yield from ((low + high) / 2 for low, high in pairwise(places))
    yield places[-1] + 1


def _piece(formula: Expr, inside: Fraction) -> Expr:
    """The formula near a point, as SymPy writes it."""
    return from_sympy(to_sympy(smooth(formula, sympy.Rational(inside.numerator, inside.denominator), "+")))
