"""Sets of terms or factors as masks, and the two parts that each may be taken together from; sums in any order."""

from __future__ import annotations

from functools import cache, reduce
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from derive.check.intervals import add, plus
from derive.check.plan import MOST_REGROUPED_TERMS
from derive.check.precision import Grid, Range

Indices = NDArray[np.int_]


@cache
def splits(count: int, size: int) -> tuple[Indices, Indices, Indices]:
    """The sets of so many of `count` as masks, and the two parts of each split of each."""
    masks = [sum(1 << place for place in chosen) for chosen in combinations(range(count), size)]
    parts = np.array([_halves(mask) for mask in masks])
    whole = np.array(masks)
    return whole, parts, whole[:, None] ^ parts


def _halves(mask: int) -> list[int]:
    """One of each two parts that a set splits into: the one that holds its lowest element, not the whole."""
    low = mask & -mask
    rest, part, found = mask ^ low, mask ^ low, []
    while part:
        part = (part - 1) & rest
        found.append(part | low)
    return found


def total(terms: list[Range], grid: Grid) -> Range:
    """The sum of terms, each as it is carried on."""
    if grid.exact or len(terms) <= 2:
        return reduce(add, terms)
    return _long_total(terms, grid) if len(terms) > MOST_REGROUPED_TERMS else _regrouped_total(terms, grid)


def _regrouped_total(terms: list[Range], grid: Grid) -> Range:
    """The sum in any order, every part of it rounded or not."""
    count = len(terms)
    shape = (1 << count, *np.broadcast_shapes(*(term.lo.shape for term in terms), (len(grid.precisions), 1)))
    sums = Range(np.zeros(shape), np.zeros(shape))
    for place, term in enumerate(terms):
        sums.lo[1 << place], sums.hi[1 << place] = term
    for size in range(2, count + 1):
        masks, parts, rests = splits(count, size)
        lo = plus(sums.lo[parts], sums.lo[rests]).min(axis=1)
        hi = plus(sums.hi[parts], sums.hi[rests]).max(axis=1)
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
