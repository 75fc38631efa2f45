"""Products as people take them: in any grouping, every partial product rounded or not.

A product whose factors hang on the same quantity, out·(1 − out), is enclosed by its values at the ends and the middle
of that quantity's interval, and the roundings on the way are added to that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from derive.check.intervals import common, hull, multiply, point, product
from derive.check.partitions import splits
from derive.check.plan import MOST_FACTORS, Atom, Plan, Times, is_computed, is_linear, references
from derive.check.precision import EXACT, Grid, Range

Environment = Mapping[str, Range]
Value = Callable[[Plan, Environment, Grid], Range]
"""The interval of a plan's value before that is rounded itself."""


def product_of(plan: Times, env: Environment, grid: Grid, value: Value) -> Range:
    """The product without roundings, and the roundings of every grouping on top of it."""
    values = [value(atom.plan, env, grid) for atom in plan.atoms]
    if grid.exact:
        return product(values)
    if len(plan.atoms) > MOST_FACTORS:
        return _in_order(plan.atoms, values, grid)
    return _regrouped(plan, values, _exact(plan.atoms, values, env, value), grid)


def _in_order(atoms: tuple[Atom, ...], values: list[Range], grid: Grid) -> Range:
    carried = [grid.rounded(x) if is_computed(atom.plan) else x for atom, x in zip(atoms, values, strict=True)]
    found = carried[0]
    for factor in carried[1:]:
        found = grid.rounded(multiply(found, factor))
    return found


def _exact(atoms: tuple[Atom, ...], values: list[Range], env: Environment, value: Value) -> dict[int, Range]:
    """The product of each set of factors without roundings, by its mask."""
    products: dict[int, Range] = {1 << place: x for place, x in enumerate(values)}
    shared = clusters(atoms)
    at = {place: _along(atoms[place], env, value) for places in shared for place in places}
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
        if taken not in products:
            linear = len(inside) == 2 and all(is_linear(atoms[place].plan) for place in inside)
            plain = product([values[place] for place in inside])
            products[taken] = common(_together([at[place] for place in inside], linear=linear), plain)
        together = products[taken]
        rest = mask ^ taken
        products[mask] = multiply(together, products[rest]) if rest else together
    return products


def clusters(atoms: tuple[Atom, ...]) -> list[tuple[int, ...]]:
    """The places of factors that hang on the same quantity."""
    found: dict[str, list[int]] = {}
    for place, atom in enumerate(atoms):
        if atom.variable is not None:
            found.setdefault(atom.variable, []).append(place)
    return [tuple(places) for places in found.values() if len(places) > 1]


def _along(atom: Atom, env: Environment, value: Value) -> tuple[Range, Range, Range]:
    """A factor at the lower end, the middle and the upper end of what it hangs on."""
    assert atom.variable is not None
    x = env[atom.variable]
    keys = references(atom.plan)
    inside = {key: env[key] for key in keys}
    ends = []
    for at in (x.lo, (x.lo + x.hi) / 2, x.hi):
        inside[atom.variable] = point(at)
        ends.append(value(atom.plan, inside, EXACT))
    return ends[0], ends[1], ends[2]


def _together(factors: list[tuple[Range, Range, Range]], *, linear: bool) -> Range:
    """A product of factors of one quantity: what it is at three points, and how far it bends between them.

    A parabola goes beyond the three by a quarter of its bend at most.
    """
    at = list(factors[0])
    for factor in factors[1:]:
        at = [multiply(a, b) for a, b in zip(at, factor, strict=True)]
    found = hull(*at)
    bend = np.maximum(abs(at[1].lo - (at[0].lo + at[2].lo) / 2), abs(at[1].hi - (at[0].hi + at[2].hi) / 2))
    bend = np.where(np.isfinite(bend), bend / 4 if linear else bend, 0.0)
    return Range(found.lo - bend, found.hi + bend)


def _regrouped(plan: Times, values: list[Range], products: dict[int, Range], grid: Grid) -> Range:
    """The product of all factors, and how far the roundings of any grouping take it off."""
    atoms, count = plan.atoms, len(plan.atoms)
    computed = any(is_computed(atom.plan) for atom in atoms)
    if count == 2 and not computed:
        return products[3]
    exact = _stacked(products, count, len(grid.precisions))
    errors = Range(np.zeros_like(exact.lo), np.zeros_like(exact.hi))
    for place, atom in enumerate(atoms):
        if is_computed(atom.plan):
            error = _rounding(Range(exact.lo[1 << place], exact.hi[1 << place]), grid)
            errors.lo[1 << place], errors.hi[1 << place] = error
    _take_as_factors(plan.slopes, errors, exact, grid)
    for size in range(2, count + 1):
        masks, parts, rests = splits(count, size)
        if size == 2 and not computed:
            off = Range(errors.lo[masks], errors.hi[masks])
        else:
            a, b, ea, eb = (Range(x.lo[part], x.hi[part]) for x in (exact, errors) for part in (parts, rests))
            split = _off(a, b, ea, eb)
            off = Range(split.lo.min(axis=1), split.hi.max(axis=1))
        whole = Range(exact.lo[masks], exact.hi[masks])
        reached = _of_its_sign(Range(whole.lo + off.lo, whole.hi + off.hi), whole)
        if size == count:
            return Range(reached.lo[0], reached.hi[0])
        rounding, ends = _rounding(reached, grid), grid.rounded(reached)
        low, high = off.lo + np.minimum(rounding.lo, 0.0), off.hi + np.maximum(rounding.hi, 0.0)
        errors.lo[masks] = np.maximum(low, ends.lo - whole.hi)
        errors.hi[masks] = np.minimum(high, ends.hi - whole.lo)
        if size == 2:
            _take_squares_off(plan.squares, errors, exact, grid)
    return values[0]


def _of_its_sign(reached: Range, whole: Range) -> Range:
    """Rounding gives no number another sign."""
    low = np.where(whole.lo >= 0, np.maximum(reached.lo, 0.0), reached.lo)
    return Range(low, np.where(whole.hi <= 0, np.minimum(reached.hi, 0.0), reached.hi))


def _take_squares_off(squares: tuple[tuple[int, int], ...], errors: Range, exact: Range, grid: Grid) -> None:
    """What the rounding of o² does to o − o², which is as good as o(1 − o)."""
    for place, mask in squares:
        o = np.maximum(abs(exact.lo[1 << place]), abs(exact.hi[1 << place]))
        unit = grid.unit(o * o)
        errors.lo[mask] = np.minimum(errors.lo[mask], -unit / 2)
        errors.hi[mask] = np.maximum(errors.hi[mask], unit)


def _take_as_factors(slopes: tuple[int, ...], errors: Range, exact: Range, grid: Grid) -> None:
    """What (1 − o)(1 + o) does to 1 − o²: at significant digits, 1 + o has a decimal less than o."""
    for place in slopes if grid.significant.any() else ():
        mask = 1 << place
        o = np.sqrt(np.clip(1 - exact.lo[mask], 0.0, 1.0))
        unit = (1 - o) * grid.unit(1 + o)
        low, high = errors.lo[mask] - unit, errors.hi[mask] + unit / 2
        errors.lo[mask] = np.where(grid.significant, low, errors.lo[mask])
        errors.hi[mask] = np.where(grid.significant, high, errors.hi[mask])


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
