"""Everything that honest rounding can reach, as intervals over arrays of students.

Arrays have two axes: precisions (or mistakes) and students, each of length 1 where nothing differs along it.

`evaluate` gives the interval of a formula's value before that is rounded itself; whatever is computed on the way may
have been rounded to a precision, or not.  Sums and products may be taken in any grouping.  A product whose factors
hang on the same quantity, out·(1 − out), is enclosed by its values at the ends and the middle of that quantity's
interval, and the roundings on the way are added to that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, reduce
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from derive.check.plan import (
    MOST_FACTORS,
    MOST_REGROUPED_TERMS,
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
    is_computed,
    references,
)
from derive.check.precision import EXACT, Flags, Floats, Grid, Range

Environment = Mapping[str, Range]
Indices = NDArray[np.int_]
_TINY = 1e-14

MOST_DIVIDED_FACTORS = 3
"""A numerator of at most so many factors may have one of them divided before the product is taken."""

BY_FACTORS = {"silu": "sigmoid"}
"""Functions that are z·g(z), by g: written so by hand as often as in their own formula."""


def evaluate(plan: Plan, env: Environment, grid: Grid) -> Range:
    """The interval of a plan's value; ends may be infinite, never NaN."""
    with np.errstate(all="ignore"):
        return _sound(_value(plan, env, grid))


def _value(plan: Plan, env: Environment, grid: Grid) -> Range:
    return _EVALUATE[type(plan)](plan, env, grid)


def carried(plan: Plan, env: Environment, grid: Grid) -> Range:
    """The interval of what may be carried on of a plan's value: rounded unless nothing is computed in it."""
    found = _value(plan, env, grid)
    return grid.rounded(found) if is_computed(plan) else found


def point(value: Floats | float) -> Range:
    found = np.atleast_2d(np.asarray(value, dtype=np.float64))
    return Range(found, found)


def hull(*ranges: Range) -> Range:
    lo, hi = ranges[0]
    for other in ranges[1:]:
        lo, hi = np.minimum(lo, other.lo), np.maximum(hi, other.hi)
    return Range(lo, hi)


def _sound(x: Range) -> Range:
    if not (np.isnan(x.lo).any() or np.isnan(x.hi).any()):
        return x
    return Range(np.where(np.isnan(x.lo), -np.inf, x.lo), np.where(np.isnan(x.hi), np.inf, x.hi))


# -- arithmetic


def negate(x: Range) -> Range:
    return Range(-x.hi, -x.lo)


def add(a: Range, b: Range) -> Range:
    return Range(_plus(a.lo, b.lo), _plus(a.hi, b.hi))


def _plus(a: Floats, b: Floats) -> Floats:
    """A sum that is zero where nothing but the noise of binary fractions is left."""
    total = a + b
    return np.where(abs(total) < _TINY * np.minimum(abs(a) + abs(b), 1e290), 0.0, total)


def _times(a: Floats, b: Floats) -> Floats:
    """0 · ∞ is 0: the infinite end is only a bound."""
    found = a * b
    return np.where(np.isnan(found), 0.0, found) if np.isnan(found).any() else found


def multiply(a: Range, b: Range) -> Range:
    if (a.lo >= 0).all() and (b.lo >= 0).all():
        return Range(_times(a.lo, b.lo), _times(a.hi, b.hi))
    corners = (_times(a.lo, b.lo), _times(a.lo, b.hi), _times(a.hi, b.lo), _times(a.hi, b.hi))
    return Range(_least(corners), _most(corners))


def _least(parts: tuple[Floats, ...]) -> Floats:
    found = parts[0]
    for part in parts[1:]:
        found = np.minimum(found, part)
    return found


def _most(parts: tuple[Floats, ...]) -> Floats:
    found = parts[0]
    for part in parts[1:]:
        found = np.maximum(found, part)
    return found


def divide(a: Range, b: Range) -> Range:
    straddles = (b.lo <= 0) & (b.hi >= 0)
    plain = (a.lo / b.lo, a.lo / b.hi, a.hi / b.lo, a.hi / b.hi)
    corners = tuple(np.where(np.isnan(part), 0.0, part) for part in plain)
    return Range(np.where(straddles, -np.inf, _least(corners)), np.where(straddles, np.inf, _most(corners)))


# -- plans


def _constant(plan: Constant, _: Environment, __: Grid) -> Range:
    return point(plan.value)


def _reference(plan: Reference, env: Environment, _: Grid) -> Range:
    return env[plan.key]


def _minus(plan: Minus, env: Environment, grid: Grid) -> Range:
    return negate(_value(plan.arg, env, grid))


def _total(plan: Total, env: Environment, grid: Grid) -> Range:
    terms = [carried(term, env, grid) for term in plan.terms]
    if grid.exact or len(terms) <= 2:
        return reduce(add, terms)
    if len(terms) > MOST_REGROUPED_TERMS:
        return _long_total(terms, grid)
    return _regrouped_total(terms, grid)


def _regrouped_total(terms: list[Range], grid: Grid) -> Range:
    """The sum in any order, every part of it rounded or not."""
    count = len(terms)
    shape = (1 << count, *np.broadcast_shapes(*(term.lo.shape for term in terms), (len(grid.precisions), 1)))
    sums = Range(np.zeros(shape), np.zeros(shape))
    for place, term in enumerate(terms):
        sums.lo[1 << place], sums.hi[1 << place] = term
    for size in range(2, count + 1):
        masks, parts, rests = _splits(count, size)
        lo = _plus(sums.lo[parts], sums.lo[rests]).min(axis=1)
        hi = _plus(sums.hi[parts], sums.hi[rests]).max(axis=1)
        found = grid.rounded(Range(lo, hi)) if size < count else Range(lo, hi)
        sums.lo[masks], sums.hi[masks] = found
    return Range(sums.lo[-1], sums.hi[-1])


def _long_total(terms: list[Range], grid: Grid) -> Range:
    """The sum of many terms: each rounding on the way takes it off by a unit of the largest part at most."""
    whole = reduce(add, terms)
    above = reduce(np.add, (np.maximum(term.hi, 0.0) for term in terms))
    below = reduce(np.add, (np.maximum(-term.lo, 0.0) for term in terms))
    slack = (len(terms) - 2) * grid.unit(np.maximum(above, below))
    return Range(whole.lo - slack, whole.hi + slack)


def _halves(mask: int) -> list[int]:
    """One of each two parts that a set splits into: the one that holds its lowest element, not the whole."""
    low = mask & -mask
    rest, part, found = mask ^ low, mask ^ low, []
    while part:
        part = (part - 1) & rest
        found.append(part | low)
    return found


def _ratio(plan: Ratio, env: Environment, grid: Grid) -> Range:
    """The quotient as it stands, and with one factor of the numerator divided first: (η/q)·g for η·g/q."""
    bottom = carried(plan.bottom, env, grid)
    found = _sound(divide(carried(plan.top, env, grid), bottom))
    if grid.exact or not isinstance(plan.top, Times) or not 1 < len(plan.top.atoms) <= MOST_DIVIDED_FACTORS:
        return found
    if _clusters(plan.top.atoms):
        return found
    factors = [carried(atom.plan, env, grid) for atom in plan.top.atoms]
    for place, factor in enumerate(factors):
        share = grid.rounded(_sound(divide(factor, bottom)))
        found = hull(found, _sound(_whole([share, *factors[:place], *factors[place + 1 :]])))
    return found


def _raised(plan: Raised, env: Environment, grid: Grid) -> Range:
    base, exponent = carried(plan.base, env, grid), carried(plan.exponent, env, grid)
    corners = tuple(np.power(b, e) for b in base for e in exponent)
    even = (base.lo < 0) & (base.hi > 0)
    low = _least(corners)
    return _sound(Range(np.where(even & (exponent.lo > 0), np.minimum(low, 0.0), low), _most(corners)))


def _wave(function: Callable[[Floats], Floats], x: Range, peak: float) -> Range:
    """Sine or cosine: the ends, and ±1 where a peak lies between them."""
    ends = (function(x.lo), function(x.hi))
    top = np.floor((x.hi - peak) / (2 * np.pi)) > np.floor((x.lo - peak) / (2 * np.pi))
    bottom = np.floor((x.hi - peak - np.pi) / (2 * np.pi)) > np.floor((x.lo - peak - np.pi) / (2 * np.pi))
    return Range(np.where(bottom, -1.0, _least(ends)), np.where(top, 1.0, _most(ends)))


def _erf(x: Floats) -> Floats:
    from math import erf

    found: Floats = np.vectorize(erf, otypes=[np.float64])(x)
    return found


RISING: dict[str, Callable[[Floats], Floats]] = {
    "exp": np.exp,
    "ln": lambda x: np.log(np.maximum(x, 0.0)),
    "log": lambda x: np.log(np.maximum(x, 0.0)),
    "sqrt": lambda x: np.sqrt(np.maximum(x, 0.0)),
    "erf": _erf,
    "tanh": np.tanh,
    "sigmoid": lambda x: np.where(x >= 0, 1 / (1 + np.exp(-abs(x))), np.exp(-abs(x)) / (1 + np.exp(-abs(x)))),
}


def _applied(plan: Applied, env: Environment, grid: Grid) -> Range:
    args = [carried(arg, env, grid) for arg in plan.args]
    if plan.function in RISING and len(args) == 1:
        rising = RISING[plan.function]
        found = Range(rising(args[0].lo), rising(args[0].hi))
    elif plan.direct is not None:
        found = _sampled(plan.direct, env, args[0])
    else:
        found = _function(plan.function, args)
    if plan.by_hand is not None and not grid.exact:
        found = hull(found, _value(plan.by_hand, env, grid))
    if plan.function in BY_FACTORS and not grid.exact:
        rising = RISING[BY_FACTORS[plan.function]]
        factor = grid.rounded(Range(rising(args[0].lo), rising(args[0].hi)))
        found = hull(found, multiply(args[0], factor))
    return found


def _function(name: str, args: list[Range]) -> Range:
    match name:
        case "pi":
            return point(np.pi)
        case "sin":
            return _wave(np.sin, args[0], np.pi / 2)
        case "cos":
            return _wave(np.cos, args[0], 0.0)
        case "abs":
            lo, hi = abs(args[0].lo), abs(args[0].hi)
            inside = (args[0].lo < 0) & (args[0].hi > 0)
            return Range(np.where(inside, 0.0, np.minimum(lo, hi)), np.maximum(lo, hi))
        case "max":
            return Range(_most(tuple(x.lo for x in args)), _most(tuple(x.hi for x in args)))
        case "min":
            return Range(_least(tuple(x.lo for x in args)), _least(tuple(x.hi for x in args)))
    return Range(np.array([[-np.inf]]), np.array([[np.inf]]))


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
    """Softmax: as a quotient of rounded powers, as they are and with the largest taken off, and without rounding."""
    own, others = carried(plan.own, env, grid), [carried(other, env, grid) for other in plan.others]
    exact = _quotient_of_powers(own, others, EXACT)
    if grid.exact or not others:
        return exact
    by_hand = _quotient_of_powers(own, others, grid)
    top = _most((own.lo, *(other.lo for other in others)))
    peak = Range(top, _most((own.hi, *(other.hi for other in others))))
    known = peak.hi == peak.lo
    if known.any():
        shifted = [add(net, negate(peak)) for net in (own, *others)]
        both = hull(by_hand, _quotient_of_powers(shifted[0], shifted[1:], grid))
        by_hand = Range(np.where(known, both.lo, by_hand.lo), np.where(known, both.hi, by_hand.hi))
    return hull(exact, by_hand)


def _quotient_of_powers(own: Range, others: list[Range], grid: Grid) -> Range:
    """Rising in the own power, falling in the others; the rounding of the sum takes it off by a unit at most."""
    if grid.exact:
        above = [np.exp(other.hi - own.lo) for other in others]
        below = [np.exp(other.lo - own.hi) for other in others]
        return Range(1 / (np.ones((1, 1)) + sum(above)), 1 / (np.ones((1, 1)) + sum(below)))
    power = grid.rounded(Range(np.exp(own.lo), np.exp(own.hi)))
    rest = [grid.rounded(Range(np.exp(other.lo), np.exp(other.hi))) for other in others]
    most, least = reduce(np.add, (other.hi for other in rest)), reduce(np.add, (other.lo for other in rest))
    bottom = grid.rounded(Range(power.lo + least, power.hi + most))
    unit = grid.unit(power.hi + most)
    high = np.minimum(bottom.hi, power.lo + most + unit / 2)
    low = np.maximum(bottom.lo, power.hi + least - unit)
    return _sound(Range(power.lo / high, np.where(low > 0, power.hi / low, np.inf)))


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


# -- products


def _product(plan: Times, env: Environment, grid: Grid) -> Range:
    """The product without roundings, and the roundings of every grouping on top of it."""
    atoms = plan.atoms
    if len(atoms) > MOST_FACTORS:
        return _in_order(plan, env, grid)
    values = [_value(atom.plan, env, grid) for atom in atoms]
    if grid.exact:
        return _whole(values)
    return _regrouped(atoms, values, env, grid)


def _whole(values: list[Range]) -> Range:
    found = values[0]
    for value in values[1:]:
        found = multiply(found, value)
    return found


def _in_order(plan: Times, env: Environment, grid: Grid) -> Range:
    found = carried(plan.atoms[0].plan, env, grid)
    for atom in plan.atoms[1:]:
        found = grid.rounded(multiply(found, carried(atom.plan, env, grid)))
    return found


def _exact(atoms: tuple[Atom, ...], values: list[Range], env: Environment) -> dict[int, Range]:
    """The product of each set of factors without roundings, by its mask."""
    products: dict[int, Range] = {1 << place: value for place, value in enumerate(values)}
    shared = _clusters(atoms)
    at = {place: _along(atoms[place], env) for places in shared for place in places}
    for mask in range(1, 1 << len(atoms)):
        low = mask & -mask
        if mask == low:
            continue
        cluster = next((places for places in shared if sum(mask >> place & 1 for place in places) > 1), None)
        if cluster is None:
            products[mask] = multiply(products[low], products[mask ^ low])
            continue
        inside = [place for place in cluster if mask >> place & 1]
        taken = sum(1 << place for place in inside)
        together = products[taken] if taken in products else _together([at[place] for place in inside])
        rest = mask ^ taken
        products[mask] = multiply(together, products[rest]) if rest else together
    return products


def _clusters(atoms: tuple[Atom, ...]) -> list[tuple[int, ...]]:
    """The places of factors that hang on the same quantity."""
    found: dict[str, list[int]] = {}
    for place, atom in enumerate(atoms):
        if atom.variable is not None:
            found.setdefault(atom.variable, []).append(place)
    return [tuple(places) for places in found.values() if len(places) > 1]


def _along(atom: Atom, env: Environment) -> tuple[Range, Range, Range]:
    """A factor at the lower end, the middle and the upper end of what it hangs on."""
    assert atom.variable is not None
    x = env[atom.variable]
    keys = references(atom.plan)
    inside = {key: env[key] for key in keys}
    ends = []
    for at in (x.lo, (x.lo + x.hi) / 2, x.hi):
        inside[atom.variable] = point(at)
        ends.append(_value(atom.plan, inside, EXACT))
    return ends[0], ends[1], ends[2]


def _together(factors: list[tuple[Range, Range, Range]]) -> Range:
    """A product of factors of one quantity: what it is at three points, and how far it bends between them."""
    at = list(factors[0])
    for factor in factors[1:]:
        at = [multiply(a, b) for a, b in zip(at, factor, strict=True)]
    found = hull(*at)
    bend = np.maximum(abs(at[1].lo - (at[0].lo + at[2].lo) / 2), abs(at[1].hi - (at[0].hi + at[2].hi) / 2))
    bend = np.where(np.isfinite(bend), bend, 0.0)
    return Range(found.lo - bend, found.hi + bend)


def _regrouped(atoms: tuple[Atom, ...], values: list[Range], env: Environment, grid: Grid) -> Range:
    """The product of all factors, and how far the roundings of any grouping take it off."""
    products, count = _exact(atoms, values, env), len(atoms)
    computed = any(is_computed(atom.plan) for atom in atoms)
    if count == 2 and not computed:
        return products[3]
    exact = _stacked(products, count, len(grid.precisions))
    errors = Range(np.zeros_like(exact.lo), np.zeros_like(exact.hi))
    for place, atom in enumerate(atoms):
        if is_computed(atom.plan):
            error = _rounding(Range(exact.lo[1 << place], exact.hi[1 << place]), grid)
            errors.lo[1 << place], errors.hi[1 << place] = error
    for size in range(2, count + 1):
        masks, parts, rests = _splits(count, size)
        if size == 2 and not computed:
            off = Range(errors.lo[masks], errors.hi[masks])
        else:
            a, b, ea, eb = (Range(x.lo[part], x.hi[part]) for x in (exact, errors) for part in (parts, rests))
            split = _off(a, b, ea, eb)
            off = Range(split.lo.min(axis=1), split.hi.max(axis=1))
        reached = Range(exact.lo[masks] + off.lo, exact.hi[masks] + off.hi)
        if size == count:
            return Range(reached.lo[0], reached.hi[0])
        rounding, ends = _rounding(reached, grid), grid.rounded(reached)
        low, high = off.lo + np.minimum(rounding.lo, 0.0), off.hi + np.maximum(rounding.hi, 0.0)
        errors.lo[masks] = np.maximum(low, ends.lo - exact.hi[masks])
        errors.hi[masks] = np.minimum(high, ends.hi - exact.lo[masks])
    return values[0]


def _stacked(products: dict[int, Range], count: int, precisions: int) -> Range:
    """Arrays whose first axis is the mask."""
    whole = products[(1 << count) - 1]
    shape = np.broadcast_shapes(*(x.lo.shape for x in products.values()), whole.hi.shape, (precisions, 1))
    lo, hi = np.zeros((1 << count, *shape)), np.zeros((1 << count, *shape))
    for mask, x in products.items():
        lo[mask], hi[mask] = x
    return Range(lo, hi)


def _off(a: Range, b: Range, ea: Range, eb: Range) -> Range:
    """(a + ea)(b + eb) − ab."""
    first = multiply(a, eb)
    second = multiply(Range(b.lo + eb.lo, b.hi + eb.hi), ea)
    return Range(first.lo + second.lo, first.hi + second.hi)


def _rounding(reached: Range, grid: Grid) -> Range:
    """How far rounding takes the numbers of an interval: at most a unit towards zero, half of one away from it."""
    ends = grid.rounded(reached)
    unit = grid.unit(np.maximum(abs(reached.lo), abs(reached.hi)))
    down = np.where(reached.lo >= 0, -unit, np.where(reached.hi <= 0, -unit / 2, -unit))
    up = np.where(reached.hi <= 0, unit, np.where(reached.lo >= 0, unit / 2, unit))
    return Range(np.maximum(ends.lo - reached.hi, down), np.minimum(ends.hi - reached.lo, up))


@cache
def _splits(count: int, size: int) -> tuple[Indices, Indices, Indices]:
    """The sets of so many factors as masks, and the two parts of each split of each."""
    masks = [sum(1 << place for place in chosen) for chosen in combinations(range(count), size)]
    parts = np.array([_halves(mask) for mask in masks])
    whole = np.array(masks)
    return whole, parts, whole[:, None] ^ parts


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
