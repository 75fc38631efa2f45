"""How finely a student works, judged by the whole sheet: what each answer's digits may mean.

A student keeps so many decimals or so many significant digits.  Where a sheet shows which, an answer with fewer digits
has lost its last zeros (a spreadsheet writes 0.5 for 0.5000); a single answer may be either.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from derive.check.model import Answer, Sheet, Written
from derive.check.precision import DOUBLE, MOST_DIGITS, SINGLE, Flags, Floats, Kind, Precision

Whole = NDArray[np.int_]

NO_PLACE = 99
"""The decimals of an answer that has no last digit, as 3/8."""
FEWEST_SIGNIFICANT = 3
"""Nobody works with fewer significant digits; an answer that shows fewer has lost its last zeros."""
WHOLE_PLACES = 2
"""The decimals that a lone whole number is taken to have lost."""
FEWEST_WHOLE = 2
"""The significant digits that a number of tens or more is read with at least: 1e1 is 10 and not 5 to 15."""
LARGEST = 1e300
"""Larger answers are compared as this."""
SHOWS = 3
"""So many answers show how a sheet is rounded, ..."""
HALF = 0.5
"""On a sheet of settled decimals, significant digits that fewer of the answers show are not how it is rounded."""
SETTLED = 0.7  # ... where so large a share of them agrees
LOST = 2.0
"""Where so many times more answers have fewer decimals than lose zeros by chance (1 in 10), those are not lost ..."""
FEWEST_MEANT = 2  # ... where there are at least so many: outputs are written to 4 decimals, gradients to 6.
_PLACES = MOST_DIGITS + 1
_NUMBERED = re.compile(r"[_0-9\[@]")


@dataclass(frozen=True, slots=True)
class Numbers:
    """The answers of some sheets as arrays with a row for each quantity: NaN where there is no number.

    scale        10 to the decimals that an answer is compared at
    read_scale   10 to the decimals of the number carried on
    truncatable  whether enough digits are written to tell a truncated number from a wrong one
    precisions   where each precision is what the student may have worked at
    """

    value: Floats
    decimals: Whole
    significant: Whole
    scale: Floats
    read_scale: Floats
    truncatable: Flags
    precisions: dict[Precision, Flags]


def usual_decimals(answers: Iterable[Answer | None]) -> int:
    """The decimals that most answers of a sheet have; 0 where none has any."""
    counts = Counter(each.decimals for each in answers if isinstance(each, Written) and each.decimals)
    return counts.most_common(1)[0][0] if counts else 0


def numbers(sheets: Sequence[Sheet], expected: Sequence[str]) -> Numbers:
    """The numbers of some sheets, and what their digits may mean."""
    shape = (len(expected), len(sheets))
    value, decimals, significant = np.full(shape, np.nan), np.full(shape, NO_PLACE), np.zeros(shape, dtype=np.int_)
    for column, sheet in enumerate(sheets):
        for row, quantity in enumerate(expected):
            answer: Answer | None = sheet.answers.get(quantity)
            if isinstance(answer, Written):
                value[row, column] = _double(answer)
                if answer.decimals is not None:
                    decimals[row, column] = max(-300, min(answer.decimals, NO_PLACE - 1))
                    significant[row, column] = answer.significant or 0
    return _read(value, decimals, significant, families(tuple(expected)))


@lru_cache(maxsize=256)
def families(expected: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """The rows of quantities of one kind: all net_…, all ∂E/∂w…."""
    found: dict[str, list[int]] = {}
    for row, name in enumerate(expected):
        kind = _NUMBERED.split(name, maxsplit=1)[0]
        found.setdefault(kind + "_new" * name.endswith("_new"), []).append(row)
    return tuple(tuple(rows) for rows in found.values() if len(rows) > 1)


def _double(answer: Written) -> float:
    try:
        return max(-LARGEST, min(LARGEST, float(answer.value)))
    except OverflowError:
        return LARGEST if answer.value > 0 else -LARGEST


def _read(value: Floats, decimals: Whole, significant: Whole, kinds: Sequence[Sequence[int]]) -> Numbers:
    there = np.isfinite(value) & (decimals != NO_PLACE)
    shown = there & (decimals > 0)
    most_places, share_places, count, alike = _commonest(decimals, shown)
    most_digits, share_digits, _, _ = _commonest(significant, shown & (value != 0))
    by_places = (count >= SHOWS) & (share_places >= SETTLED)
    by_digits = (count >= SHOWS) & (share_digits >= SETTLED)
    size = abs(np.where(there, value, 0.0))
    whole = there & (decimals <= 0) & (size < 10)
    least = FEWEST_WHOLE - 1 - np.floor(np.log10(np.maximum(size, 1.0))).astype(np.int_)
    places = np.where(there & (decimals < 0), np.maximum(decimals, least), decimals)
    unlikely = by_places & ~by_digits & (share_digits < HALF)
    whole_places = np.where(unlikely, most_places, np.minimum(most_places, np.maximum(most_digits - 1, 1)))
    places = np.where(whole, np.where(by_places, whole_places, WHOLE_PLACES), places)
    digits = np.maximum(significant, FEWEST_SIGNIFICANT)
    full = ~unlikely & (decimals > 0) & (significant >= most_digits)
    fewer = np.maximum(most_places - decimals, 0)
    often = shown & (alike >= LOST * 0.1**fewer * count)
    meant = (often | _shared(decimals, shown, kinds)) & (decimals >= FEWEST_MEANT)
    second = np.where(meant, decimals, most_places).min(axis=0)
    places = np.where(whole & by_places, np.minimum(places, second), places)
    worked = np.where(by_places & ~meant, np.maximum(places, np.where(decimals < second, second, most_places)), places)
    kept = np.where(by_digits | (by_places & (share_digits >= HALF)), np.maximum(digits, most_digits), digits)
    sane = there & (size < LARGEST)
    to_digits = by_digits & ~by_places & (most_digits >= FEWEST_SIGNIFICANT)
    may_places = sane & ~to_digits & (places >= 0)
    may_digits = sane & ~unlikely
    found: dict[Precision, Flags] = {}
    _mark(found, "decimals", worked, may_places)
    more = may_places & by_places & (places > most_places)
    _mark(found, "decimals", np.broadcast_to(most_places, worked.shape), more)
    _mark(found, "significant", kept, may_digits)
    _note(found, SINGLE, sane & (significant >= 7))
    _note(found, DOUBLE, (abs(value) < LARGEST) & ((decimals == NO_PLACE) | (significant >= 12)))
    return Numbers(
        value,
        decimals,
        significant,
        10.0 ** np.where(decimals == NO_PLACE, 0, np.clip(places, -300, 300)),
        10.0 ** np.where(decimals == NO_PLACE, MOST_DIGITS, np.clip(np.where(full, places, worked), -300, 300)),
        (places >= 2) | (significant >= 2),
        found,
    )


def _shared(decimals: Whole, shown: Flags, kinds: Sequence[Sequence[int]]) -> Flags:
    """Where all answers of some kind have as many decimals as this one: no zeros are lost so evenly."""
    found = np.zeros_like(shown)
    for kind in kinds:
        rows = list(kind)
        of_kind = np.where(shown[rows], decimals[rows], NO_PLACE)
        first, last = of_kind.min(axis=0), np.where(shown[rows], decimals[rows], -1).max(axis=0)
        settled = (first == last) & (shown[rows].sum(axis=0) > 1)
        found |= shown & settled & (decimals == first)
    return found


def _commonest(counts: Whole, shown: Flags) -> tuple[Whole, Floats, Whole, Whole]:
    """For each sheet the commonest number of places or digits, its share, and how many answers show one.

    At the end, for each answer, how many answers of its sheet show as many.
    """
    total = shown.sum(axis=0)
    each = np.stack([((counts == number) & shown).sum(axis=0) for number in range(_PLACES)])
    best = each.shape[0] - 1 - each[::-1].argmax(axis=0)
    alike = np.take_along_axis(each, np.clip(counts, 0, _PLACES - 1), axis=0)
    return best, each.max(axis=0) / np.maximum(total, 1), total, alike


def _mark(found: dict[Precision, Flags], kind: Kind, digits: Whole, where: Flags) -> None:
    for number in np.unique(digits[where]):
        at = where & (digits == number)
        if number > MOST_DIGITS:
            _note(found, DOUBLE, at)
        else:
            _note(found, Precision(kind, int(number)), at)


def _note(found: dict[Precision, Flags], precision: Precision, where: Flags) -> None:
    if where.any():
        found[precision] = found[precision] | where if precision in found else where.copy()
