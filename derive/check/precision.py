"""The numbers that a person may carry on instead of a result: itself, or rounded as finely as they write.

A precision is so many decimals, so many significant digits, single or double precision.  `rounded` encloses what
rounding (half away from zero, half to even, towards zero) to that precision *or any finer one* can make of the numbers
of an interval; the result itself is always among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

Kind = Literal["decimals", "significant", "single", "double"]

MOST_DIGITS = 15
"""A double holds so many; answers with more are compared as doubles."""

_NOISE = 1e-9
"""A scaled value so near to a whole number, or to a tie, is taken to be either."""
_SLACK = {"single": 2.0**-23, "double": 2.0**-49}
_WHOLE = 1e14
"""A scaled value beyond this is not rounded: its double has no digits behind."""


class Range(NamedTuple):
    """Arrays of lower and upper ends; -inf and inf are ends, NaN never is."""

    lo: Floats
    hi: Floats


@dataclass(frozen=True, slots=True)
class Precision:
    """How finely somebody rounds; `digits` decimals or significant digits, 0 for single and double precision."""

    kind: Kind
    digits: int = 0


SINGLE = Precision("single")
DOUBLE = Precision("double")


class Grid:
    """Several precisions at once, one for each row of the arrays."""

    def __init__(self, precisions: Sequence[Precision]) -> None:
        shape = (len(precisions), 1)
        self.precisions = tuple(precisions)
        kinds = [each.kind for each in precisions]
        self._scale = np.array([10.0**each.digits if each.kind == "decimals" else 1.0 for each in precisions])
        self._scale = self._scale.reshape(shape)
        self.significant = np.array([kind == "significant" for kind in kinds]).reshape(shape)
        self._digits = np.array([float(each.digits) for each in precisions]).reshape(shape)
        self._float = np.array([_SLACK.get(kind, 0.0) for kind in kinds]).reshape(shape)
        self._any_significant = bool(self.significant.any())
        self._any_float = bool(self._float.any())
        self.exact = all(kind == "double" for kind in kinds)
        kept = np.where(self.significant, 1 - 10.0 ** np.minimum(1 - self._digits, 0.0), 0.5)
        self.least_left = np.where(self._float > 0, 1 - self._float, np.maximum(kept, 0.5))
        """So much is left at least of a number that does not round to zero."""

    def some(self, rows: NDArray[np.intp]) -> Grid:
        """The precisions of these rows."""
        found = copy(self)
        found.precisions = tuple([self.precisions[row] for row in rows.tolist()])
        for name, part in vars(self).items():
            if isinstance(part, np.ndarray):
                setattr(found, name, part[rows])
        return found

    def rounded(self, x: Range) -> Range:
        """The interval of what may be carried on for numbers of `x`."""
        if self.exact:
            return x
        if x.lo is x.hi:
            down, up = self._ends(x.lo)
            positive = x.lo >= 0
            found = Range(np.where(positive, down, -up), np.where(positive, up, -down))
        else:
            ends = np.stack(np.broadcast_arrays(x.lo, x.hi))
            down, up = self._ends(ends)
            positive = ends >= 0
            found = Range(np.where(positive[0], down[0], -up[0]), np.where(positive[1], up[1], -down[1]))
        if not self._any_float:
            return found
        few = self._float > 0
        lo, hi = x.lo - self._float * abs(x.lo), x.hi + self._float * abs(x.hi)
        return Range(np.where(few, lo, found.lo), np.where(few, hi, found.hi))

    def _ends(self, x: Floats) -> tuple[Floats, Floats]:
        """|x| truncated, and the most that rounding it to this precision or a finer one gives."""
        size = abs(x)
        scale = self.scale(size)
        scaled = size * scale
        slack = _NOISE + 1e-14 * scaled
        tenths = scaled * 10
        on_grid = abs(tenths - np.rint(tenths)) <= 10 * slack
        up = np.maximum(np.floor(scaled + (0.5 + slack)), np.floor(tenths + (0.5 + 10 * slack)) / 10)
        up = np.maximum(up, np.where(on_grid, scaled, np.minimum(scaled + 0.005, 2 * scaled)))
        down = np.minimum(np.floor(scaled + slack), scaled)
        large = ~(scaled < _WHOLE)
        if large.any():
            return np.where(large, size, down / scale), np.where(large, size, up / scale)
        return down / scale, up / scale

    def scale(self, size: Floats) -> Floats:
        """10 to the number of decimals that numbers of that size are rounded to."""
        if not self._any_significant:
            return self._scale
        place = np.floor(np.log10(np.where((size > 0) & np.isfinite(size), size, 1.0)) + 1e-13)
        return np.where(self.significant, 10.0 ** np.clip(self._digits - 1 - place, -290, 290), self._scale)

    def first_digits(self, size: Floats) -> Floats:
        """The least that rounding makes of numbers from `size` on, unless zero: the first digit always stays."""
        scale = self.scale(size)
        scaled = size * scale
        kept = np.floor(scaled + (_NOISE + 1e-14 * scaled)) / scale
        lead = 10.0 ** np.floor(np.log10(np.where((size > 0) & np.isfinite(size), size, 1.0)) + 1e-13)
        first = np.floor(size / lead + _NOISE) * lead
        found = np.where(kept > 0, kept, np.where(size > 0, first, 0.0))
        return np.where((self._float > 0) | ~np.isfinite(size) | ~(scaled < _WHOLE), size * self.least_left, found)

    def unit(self, size: Floats) -> Floats:
        """A unit of the last digit of numbers of that size."""
        unit = 1.0 / self.scale(size)
        return np.where(self._float > 0, size * self._float, unit) if self._any_float else unit


EXACT = Grid((DOUBLE,))
"""Nothing is rounded."""


def last_digit_of(x: Range, scale: Floats, *, truncated: Flags) -> Range:
    """What may be written for numbers of `x` at the place 1/scale: rounded, and truncated where that is allowed."""
    lo, hi = x.lo * scale, x.hi * scale
    slack_lo, slack_hi = _NOISE + 1e-14 * abs(lo), _NOISE + 1e-14 * abs(hi)
    near_lo, near_hi = np.ceil(lo - 0.5 - slack_lo), np.floor(hi + 0.5 + slack_hi)
    cut_lo, cut_hi = np.trunc(lo + np.sign(lo) * slack_lo), np.trunc(hi + np.sign(hi) * slack_hi)
    low = np.where(truncated, np.minimum(near_lo, cut_lo), near_lo)
    high = np.where(truncated, np.maximum(near_hi, cut_hi), near_hi)
    return Range(low / scale, high / scale)
