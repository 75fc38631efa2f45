"""Arithmetic of intervals over arrays; ends may be infinite, never NaN."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from derive.check.precision import Flags, Floats, Range

_TINY = 1e-14


def point(value: Floats | float) -> Range:
    """The interval of one number."""
    found = np.atleast_2d(np.asarray(value, dtype=np.float64))
    return Range(found, found)


def hull(*ranges: Range) -> Range:
    """The least interval that holds them all."""
    lo, hi = ranges[0]
    for other in ranges[1:]:
        lo, hi = np.minimum(lo, other.lo), np.maximum(hi, other.hi)
    return Range(lo, hi)


def common(a: Range, b: Range) -> Range:
    """What lies in both of two enclosures of the same."""
    return Range(np.maximum(a.lo, b.lo), np.minimum(a.hi, b.hi))


def sound(x: Range) -> Range:
    """An end that is NaN is none."""
    if not (np.isnan(x.lo).any() or np.isnan(x.hi).any()):
        return x
    return Range(np.where(np.isnan(x.lo), -np.inf, x.lo), np.where(np.isnan(x.hi), np.inf, x.hi))


def nearest_to_zero(x: Range) -> Floats:
    """The least size of the numbers of an interval."""
    return np.maximum(np.maximum(x.lo, -x.hi), 0.0)


def holds_zero(x: Range) -> Flags:
    found: Flags = (x.lo <= 0) & (x.hi >= 0)
    return found


def negate(x: Range) -> Range:
    return Range(-x.hi, -x.lo)


def add(a: Range, b: Range) -> Range:
    return Range(plus(a.lo, b.lo), plus(a.hi, b.hi))


def plus(a: Floats, b: Floats) -> Floats:
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
    return Range(least_of(corners), most_of(corners))


def product(values: list[Range]) -> Range:
    found = values[0]
    for value in values[1:]:
        found = multiply(found, value)
    return found


def least_of(parts: tuple[Floats, ...]) -> Floats:
    found = parts[0]
    for part in parts[1:]:
        found = np.minimum(found, part)
    return found


def most_of(parts: tuple[Floats, ...]) -> Floats:
    found = parts[0]
    for part in parts[1:]:
        found = np.maximum(found, part)
    return found


def divide(a: Range, b: Range, least: Floats | None = None) -> Range:
    """The quotient; `least` is the least size of a divisor from around zero, which none is."""
    straddles = holds_zero(b)
    plain = (a.lo / b.lo, a.lo / b.hi, a.hi / b.lo, a.hi / b.hi)
    corners = tuple(np.where(np.isnan(part), 0.0, part) for part in plain)
    found = Range(least_of(corners), most_of(corners))
    if not straddles.any():
        return found
    most = np.inf if least is None else 1 / least
    low = np.where(b.lo < 0, -most, np.where(b.hi > 0, 1 / b.hi, -np.inf))
    high = np.where(b.hi > 0, most, np.where(b.lo < 0, 1 / b.lo, np.inf))
    around = multiply(a, Range(np.minimum(low, high), np.maximum(low, high)))
    return Range(np.where(straddles, around.lo, found.lo), np.where(straddles, around.hi, found.hi))


def raised(base: Range, exponent: Range) -> Range:
    corners = tuple(np.power(b, e) for b in base for e in exponent)
    even = (base.lo < 0) & (base.hi > 0)
    low = least_of(corners)
    return sound(Range(np.where(even & (exponent.lo > 0), np.minimum(low, 0.0), low), most_of(corners)))


def wave(function: Callable[[Floats], Floats], x: Range, peak: float) -> Range:
    """Sine or cosine: the ends, and ±1 where a peak lies between them."""
    ends = (function(x.lo), function(x.hi))
    top = np.floor((x.hi - peak) / (2 * np.pi)) > np.floor((x.lo - peak) / (2 * np.pi))
    bottom = np.floor((x.hi - peak - np.pi) / (2 * np.pi)) > np.floor((x.lo - peak - np.pi) / (2 * np.pi))
    return Range(np.where(bottom, -1.0, least_of(ends)), np.where(top, 1.0, most_of(ends)))
