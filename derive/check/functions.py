"""Functions of intervals, and softmax as it is worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np

from derive.check.intervals import add, hull, least_of, most_of, negate, point, sound, wave
from derive.check.precision import EXACT, Floats, Grid, Range

BY_FACTORS = {"silu": "sigmoid"}
"""Functions that are z·g(z), by g: written so by hand as often as in their own formula."""

LOGARITHMS = ("ln", "log")

ON_GRID = 1e-7
"""A number so near to one with the digits of a precision is that."""


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


def rising(name: str, x: Range) -> Range:
    function = RISING[name]
    return Range(function(x.lo), function(x.hi))


def function_of(name: str, args: list[Range]) -> Range:
    """A function that does not rise everywhere."""
    match name:
        case "pi":
            return point(np.pi)
        case "sin":
            return wave(np.sin, args[0], np.pi / 2)
        case "cos":
            return wave(np.cos, args[0], 0.0)
        case "abs":
            lo, hi = abs(args[0].lo), abs(args[0].hi)
            inside = (args[0].lo < 0) & (args[0].hi > 0)
            return Range(np.where(inside, 0.0, np.minimum(lo, hi)), np.maximum(lo, hi))
        case "max":
            return Range(most_of(tuple(x.lo for x in args)), most_of(tuple(x.hi for x in args)))
        case "min":
            return Range(least_of(tuple(x.lo for x in args)), least_of(tuple(x.hi for x in args)))
    return Range(np.array([[-np.inf]]), np.array([[np.inf]]))


def sigmoid_by_hand(z: Range, grid: Grid) -> Range:
    """1/(1 + e⁻ᶻ) and eᶻ/(1 + eᶻ), each part of them rounded."""
    power = grid.rounded(rising("exp", negate(z)))
    bottom = grid.rounded(Range(1 + power.lo, 1 + power.hi))
    positive = rising("exp", z)
    ways = [Range(1 / bottom.hi, 1 / bottom.lo)]
    for x in (positive, grid.rounded(positive)):
        low, high = _sum_of(x, point(1.0), (x.lo, x.hi), grid)
        ways.append(Range(x.lo / low.hi, x.hi / high.lo))
    return hull(*ways)


def tanh_by_hand(z: Range, grid: Grid) -> Range:
    """(e²ᶻ − 1)/(e²ᶻ + 1), (1 − e⁻²ᶻ)/(1 + e⁻²ᶻ), (eᶻ − e⁻ᶻ)/(eᶻ + e⁻ᶻ) and 2σ(2z) − 1, each part of them rounded."""
    double = Range(2 * z.lo, 2 * z.hi)
    half = grid.rounded(rising("sigmoid", double))
    found = [Range(2 * half.lo - 1, 2 * half.hi - 1)]
    up, down, more, less = (rising("exp", x) for x in (double, negate(double), z, negate(z)))
    for a, b in ((up, point(1.0)), (point(1.0), down), (more, less)):
        found += [_contrast(a, b, grid), _contrast(grid.rounded(a), grid.rounded(b), grid)]
    return hull(*found)


def _contrast(a: Range, b: Range, grid: Grid) -> Range:
    """(a − b)/(a + b), which rises in a and falls in b: the two hang on the same, one rising, one falling."""
    top = grid.rounded(Range(a.lo - b.hi, a.hi - b.lo))
    low, high = _sum_of(a, b, (a.lo + b.hi - 1, a.hi + b.lo - 1), grid)
    least = np.where(top.lo >= 0, top.lo / low.hi, top.lo / low.lo)
    most = np.where(top.hi >= 0, top.hi / high.lo, top.hi / high.hi)
    return sound(Range(np.maximum(least, -1.0), np.minimum(most, 1.0)))


def _sum_of(a: Range, b: Range, at: tuple[Floats, Floats], grid: Grid) -> tuple[Range, Range]:
    """The sums of 1 and each of two numbers: rounding takes a sum off by a unit at most, and not at all on the grid."""
    whole = Range(a.lo + b.lo, a.hi + b.hi)
    reach, unit = grid.rounded(whole), grid.unit(whole.hi)
    ends = []
    for number in at:
        exact = 1 + number
        on_grid = abs(exact / unit - np.rint(exact / unit)) < ON_GRID
        ends.append(Range(
            np.where(on_grid, exact, np.maximum(reach.lo, exact - unit)),
            np.where(on_grid, exact, np.minimum(reach.hi, exact + unit / 2)),
        ))  # fmt: skip
    return ends[0], ends[1]


# -- softmax


def share(own: Range, others: list[Range], grid: Grid) -> Range:
    """Softmax: as a quotient of rounded powers, as they are and with the largest taken off, and without rounding."""
    exact = _quotient_of_powers(own, others, EXACT)
    if grid.exact or not others:
        return exact
    by_hand = _quotient_of_powers(own, others, grid)
    nets = [own, *others]
    peak = Range(most_of(tuple(net.lo for net in nets)), most_of(tuple(net.hi for net in nets)))
    known = peak.hi == peak.lo
    if known.any():
        shifted = [add(net, negate(peak)) for net in nets]
        found = _quotient_of_powers(shifted[0], shifted[1:], grid)
        if not known.all():
            about = _shifted(nets, exact, peak, grid)
            found = Range(np.where(known, found.lo, about.lo), np.where(known, found.hi, about.hi))
    else:
        found = _shifted(nets, exact, peak, grid)
    return hull(exact, by_hand, found)


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
    return sound(Range(power.lo / high, np.where(low > 0, power.hi / low, np.inf)))


def _shifted(nets: list[Range], exact: Range, peak: Range, grid: Grid) -> Range:
    """Softmax with the largest taken off where nobody knows it exactly: the shares, and how far each power is off."""
    off = [_off(net, peak, grid) for net in nets]
    least, most = least_of(tuple(x.lo for x in off[1:])), most_of(tuple(x.hi for x in off[1:]))
    low, high = np.maximum(1 + off[0].lo, 0.0), 1 + off[0].hi
    bottom_high = 1 + exact.lo * off[0].lo + (1 - exact.lo) * most
    bottom_low = 1 + exact.hi * off[0].hi + (1 - exact.hi) * least
    unit = grid.unit(point(float(len(nets))).hi)
    bottom = np.maximum(bottom_low - unit, 0.0), bottom_high + unit / 2
    return sound(Range(exact.lo * low / bottom[1], exact.hi * high / bottom[0]))


def _off(net: Range, peak: Range, grid: Grid) -> Range:
    """How far the power of a difference is off for the roundings of the two, as a share of it."""
    step = Range(net.lo - peak.hi, np.minimum(net.hi - peak.lo, 0.0))
    top = (net.hi - peak.lo >= 0) & (net.lo - peak.hi >= 0)
    unit, power = grid.unit(abs(step.lo)), np.exp(step.lo)
    size = grid.unit(np.exp(step.hi)) / power
    low = np.exp(-unit / 2) * (1 - size) - 1
    high = np.exp(unit) * (1 + size / 2) - 1
    return Range(np.where(top, 0.0, low), np.where(top, 0.0, high))


BY_HAND: dict[str, Callable[[Range, Grid], Range]] = {"sigmoid": sigmoid_by_hand, "tanh": tanh_by_hand}
"""Functions that people write in several ways, by name."""
