"""Limits of formulas in z, by SymPy: at infinity, and from both sides of a kink."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import sympy

from derive.calculus.rules import KINKED, as_cases, inlined
from derive.calculus.symbolic import equal
from derive.calculus.sympy_trees import from_sympy, to_sympy
from derive.catalogue.activations import BY_FUNCTION
from derive.catalogue.numeric import evaluated
from derive.errors import DeriveError
from derive.formula.expression import Call, Cases, Condition, Expr, Name, Negative, rebuild, replace_names, subtract

Infinite = Literal["oo", "-oo"]
Side = Literal["+", "-"]
Limit = Expr | Infinite

Z = sympy.Symbol("z", real=True)

_FAR, _NEAR, _STEP, _CLOSE = 30.0, 1e-4, 1e-5, 0.1


@lru_cache(maxsize=1024)
def limit(expr: Expr, at: Limit, side: Side = "-") -> Limit | None:
    """The limit of a formula in z as z goes to a point from one side, or to an infinity; None where SymPy has none.

    Every other name must have been replaced by its number.
    """
    return _limit(expr, at, side, 0)


@lru_cache(maxsize=1024)
def slope_limit(expr: Expr, at: Limit, side: Side = "-") -> Limit | None:
    """The limit of SymPy's derivative of a formula in z, see `limit`."""
    return _limit(expr, at, side, 1)


def _limit(expr: Expr, at: Limit, side: Side, order: int) -> Limit | None:
    point = {"oo": sympy.oo, "-oo": -sympy.oo}[at] if isinstance(at, str) else to_sympy(at)
    if isinstance(at, str):
        side = "-" if at == "oo" else "+"
    form = sympy.diff(to_sympy(smooth(expr, point, side)), Z, order)
    for change in (_same, sympy.together, sympy.simplify):
        found = _sympys(change(form), point, side)
        if found is not None and _agrees(expr, found, point, side, order):
            return _FOUND[found] if found in _FOUND else from_sympy(found)
    return None


_FOUND: dict[sympy.Expr, Infinite] = {sympy.oo: "oo", -sympy.oo: "-oo"}


def _same(form: sympy.Expr) -> sympy.Expr:
    return form


def _sympys(form: sympy.Expr, point: sympy.Expr, side: Side) -> sympy.Expr | None:
    try:
        found = sympy.limit(form, Z, point, side)
    except (NotImplementedError, ValueError, TypeError):
        return None
    return found if found in _FOUND or found.is_finite else None


def _agrees(expr: Expr, found: sympy.Expr, point: sympy.Expr, side: Side, order: int) -> bool:
    """Whether the formula is near the limit there: SymPy finds 0 for 1/(1 + e^(-z)) + z·e^(-z)/(1 + e^(-z))² at ∞."""
    step = 1 if side == "+" else -1

    def near(distance: float) -> float:
        here = float(point) + step * _NEAR * distance if point.is_finite else -step * _FAR * distance
        places = np.array([here - _STEP, here + _STEP]) if order else np.array([here, here])
        with np.errstate(all="ignore"):
            low, high = np.broadcast_to(evaluated(expr, {"z": places}), places.shape)
        return float((high - low) / (2 * _STEP) if order else low)

    if found in _FOUND:
        return near(1) * (1 if found == sympy.oo else -1) > 1.2 * abs(near(0.5))
    return abs(near(1) - float(found)) < _CLOSE


def smooth(expr: Expr, point: sympy.Expr, side: str) -> Expr:
    """The formula beside the point, without cases: of each the piece that holds there."""
    if isinstance(expr, Call) and expr.function in KINKED:
        return smooth(as_cases(expr), point, side)
    if isinstance(expr, Call) and expr.function in BY_FUNCTION:
        return smooth(inlined(expr), point, side)
    if isinstance(expr, Cases):
        held = next((value for value, test in expr.pieces if _holds(test, point, side)), expr.otherwise)
        return smooth(held, point, side)
    return rebuild(expr, lambda part: smooth(part, point, side))


def _holds(test: Condition, point: sympy.Expr, side: str) -> bool:
    difference = to_sympy(smooth(subtract(test.left, test.right), point, side))
    sign = _sign(difference, point, side)
    return {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0, "==": sign == 0}[test.relation]


def _sign(difference: sympy.Expr, point: sympy.Expr, side: str) -> int:
    """The sign of an expression just beside the point."""
    if difference == 0:
        return 0
    for _ in range(4):
        found = sympy.limit(difference, Z, point, side)
        if found != 0:
            return 1 if found > 0 else -1
        if not point.is_finite:
            return 0
        difference = difference / (Z - point) if side == "+" else difference / (point - Z)
    raise DeriveError(f"the sign of {difference} beside {point} is not decided")


def is_odd(formula: Expr) -> bool:
    """Whether SymPy proves f(−z) = −f(z)."""
    return equal(replace_names(formula, {"z": Negative(Name("z"))}), Negative(formula))


def constant_sign(formula: Expr) -> Literal["plus", "minus", ""]:
    """Which sign SymPy proves that no value goes against; empty where it proves neither."""
    size = Call("abs", (formula,))
    if equal(size, formula):
        return "plus"
    return "minus" if equal(size, Negative(formula)) else ""
