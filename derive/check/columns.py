"""Intervals of some of the students, taken out of those of all and put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from derive.check.precision import Flags, Floats, Range


@dataclass(frozen=True, slots=True)
class View(Mapping[str, Range]):
    """An environment for some of the students."""

    whole: Mapping[str, Range]
    columns: NDArray[np.intp]

    def __getitem__(self, key: str) -> Range:
        lo, hi = self.whole[key]
        few_lo = lo[:, self.columns] if lo.shape[1] > 1 else lo
        few_hi = few_lo if hi is lo else hi[:, self.columns] if hi.shape[1] > 1 else hi
        return Range(few_lo, few_hi)

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole)

    def __len__(self) -> int:
        return len(self.whole)


def spread(base: Range, some: Range, columns: NDArray[np.intp], count: int) -> Range:
    """An interval for all students: what holds for some of them in the columns of these."""
    ends = []
    for whole, part in zip(base, some, strict=True):
        full = np.array(np.broadcast_to(whole, (max(whole.shape[0], part.shape[0]), count)))
        full[:, columns] = part
        ends.append(full)
    return Range(*ends)


def elsewhere(x: Range, at: Flags) -> Range:
    """An interval; at a precision that the student did not work at here, that of those that they may have."""
    if at.shape[0] < 2 or at.all():
        return x
    lo, hi = np.where(at, x.lo, np.inf).min(axis=0), np.where(at, x.hi, -np.inf).max(axis=0)
    other = ~at & (lo <= hi)
    return Range(np.where(other, np.minimum(lo, x.lo), x.lo), np.where(other, np.maximum(hi, x.hi), x.hi))


def lenient(value: Floats) -> Range:
    """A given number as it stands; without one, anything."""
    value = np.atleast_2d(value)
    missing = np.isnan(value)
    if not missing.any():
        return Range(value, value)
    return Range(np.where(missing, -np.inf, value), np.where(missing, np.inf, value))
