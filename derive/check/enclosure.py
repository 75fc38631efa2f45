"""Everything that honest rounding can reach, as intervals over arrays of students.

Arrays have two axes: precisions (or mistakes) and students, each of length 1 where nothing differs along it.

`evaluate` gives the interval of a formula's value before that is rounded itself; whatever is computed on the way may
have been rounded to a precision, or not.  Sums and products may be taken in any grouping.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from derive.check.divisors import least_carried
from derive.check.functions import BY_FACTORS, BY_HAND, LOGARITHMS, RISING, function_of, rising, share
from derive.check.intervals import divide, holds_zero, hull, multiply, negate, point, product, raised, sound
from derive.check.partitions import total
from derive.check.plan import (
    Applied,
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
    is_computed,
    references,
)
from derive.check.precision import EXACT, Flags, Floats, Grid, Range
from derive.check.products import clusters, product_of

__all__ = ["RISING", "Environment", "evaluate", "hull", "point"]

Environment = Mapping[str, Range]

MOST_DIVIDED_FACTORS = 3
"""A numerator of at most so many factors may have one of them divided before the product is taken."""


def evaluate(plan: Plan, env: Environment, grid: Grid) -> Range:
    """The interval of a plan's value; ends may be infinite, never NaN."""
    with np.errstate(all="ignore"):
        return sound(_value(plan, env, grid))


def _value(plan: Plan, env: Environment, grid: Grid) -> Range:
    return _EVALUATE[type(plan)](plan, env, grid)


def carried(plan: Plan, env: Environment, grid: Grid) -> Range:
    """The interval of what may be carried on of a plan's value: rounded unless nothing is computed in it."""
    found = _value(plan, env, grid)
    return grid.rounded(found) if is_computed(plan) else found


def _constant(plan: Constant, _: Environment, __: Grid) -> Range:
    return point(plan.value)


def _reference(plan: Reference, env: Environment, _: Grid) -> Range:
    return env[plan.key]


def _minus(plan: Minus, env: Environment, grid: Grid) -> Range:
    return negate(_value(plan.arg, env, grid))


def _total(plan: Total, env: Environment, grid: Grid) -> Range:
    return total([carried(term, env, grid) for term in plan.terms], grid)


def _product(plan: Times, env: Environment, grid: Grid) -> Range:
    return product_of(plan, env, grid, _value)


def _ratio(plan: Ratio, env: Environment, grid: Grid) -> Range:
    """The quotient as it stands, and with one factor of the numerator divided first: (η/q)·g for η·g/q."""
    bottom = carried(plan.bottom, env, grid)
    least = None if grid.exact or not holds_zero(bottom).any() else least_carried(plan.bottom, env, grid, _value)
    found = sound(divide(carried(plan.top, env, grid), bottom, least))
    if grid.exact or not isinstance(plan.top, Times) or not 1 < len(plan.top.atoms) <= MOST_DIVIDED_FACTORS:
        return found
    if clusters(plan.top.atoms):
        return found
    factors = [carried(atom.plan, env, grid) for atom in plan.top.atoms]
    for place, factor in enumerate(factors):
        part = grid.rounded(sound(divide(factor, bottom, least)))
        found = hull(found, sound(product([part, *factors[:place], *factors[place + 1 :]])))
    return found


def _raised(plan: Raised, env: Environment, grid: Grid) -> Range:
    return raised(carried(plan.base, env, grid), carried(plan.exponent, env, grid))


def _applied(plan: Applied, env: Environment, grid: Grid) -> Range:
    args = [carried(arg, env, grid) for arg in plan.args]
    if plan.function in LOGARITHMS and not grid.exact and (args[0].lo <= 0).any():
        least = least_carried(plan.args[0], env, grid, _value)
        args[0] = Range(np.where(args[0].lo <= 0, np.minimum(least, args[0].hi), args[0].lo), args[0].hi)
    if plan.function in RISING and len(args) == 1:
        found = rising(plan.function, args[0])
    elif plan.direct is not None:
        found = _sampled(plan.direct, env, args[0])
    else:
        found = function_of(plan.function, args)
    if grid.exact:
        return found
    if plan.function in BY_FACTORS:
        found = hull(found, multiply(args[0], grid.rounded(rising(BY_FACTORS[plan.function], args[0]))))
    if plan.function in BY_HAND:
        return hull(found, BY_HAND[plan.function](args[0], grid))
    return found if plan.by_hand is None else hull(found, _value(plan.by_hand, env, grid))


def _sampled(plan: Plan, env: Environment, x: Range) -> Range:
    """A smooth function of an interval that is nearly a point: ends, quarters, and how far it bends between them."""
    width = x.hi - x.lo
    values = []
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        at = x.lo + part * width if part < 1 else x.hi
        values.append(_value(plan, _at(plan, env, at), EXACT))
    found = hull(*values)
    bend = abs(values[2].lo - (values[0].lo + values[4].lo) / 2)
    return Range(found.lo - bend / 4, found.hi + bend / 4)


def _at(plan: Plan, env: Environment, at: Floats) -> Environment:
    keys = list(references(plan))
    uncertain = [key for key in keys if env[key].lo is not env[key].hi]
    return {**{key: env[key] for key in keys}, **{key: point(at) for key in uncertain}}


def _share(plan: Share, env: Environment, grid: Grid) -> Range:
    return share(carried(plan.own, env, grid), [carried(other, env, grid) for other in plan.others], grid)


def _choice(plan: Choice, env: Environment, grid: Grid) -> Range:
    """Every piece whose condition may hold."""
    lo: Floats = np.array([[np.inf]])
    hi: Floats = np.array([[-np.inf]])
    possible: Flags = np.array([[True]])
    for value, test in plan.pieces:
        may, must = _holds(test, env, grid)
        lo, hi = _joined(lo, hi, _value(value, env, grid), possible & may)
        possible = possible & ~must
        if not possible.any():
            return Range(lo, hi)
    lo, hi = _joined(lo, hi, _value(plan.otherwise, env, grid), possible)
    return Range(lo, hi)


def _joined(lo: Floats, hi: Floats, found: Range, where: Flags) -> tuple[Floats, Floats]:
    return np.where(where, np.minimum(lo, found.lo), lo), np.where(where, np.maximum(hi, found.hi), hi)


def _holds(test: Test, env: Environment, grid: Grid) -> tuple[Flags, Flags]:
    """Whether a condition may hold, and whether it must."""
    left, right = carried(test.left, env, grid), carried(test.right, env, grid)
    match test.relation:
        case "<":
            return left.lo < right.hi, left.hi < right.lo
        case "<=":
            return left.lo <= right.hi, left.hi <= right.lo
        case ">":
            return left.hi > right.lo, left.lo > right.hi
        case ">=":
            return left.hi >= right.lo, left.lo >= right.hi
        case "==":
            equal = (left.lo == left.hi) & (right.lo == right.hi) & (left.lo == right.lo)
            return (left.lo <= right.hi) & (left.hi >= right.lo), equal


_EVALUATE: dict[type, Callable[..., Range]] = {
    Constant: _constant,
    Reference: _reference,
    Minus: _minus,
    Total: _total,
    Times: _product,
    Ratio: _ratio,
    Raised: _raised,
    Applied: _applied,
    Share: _share,
    Choice: _choice,
}
