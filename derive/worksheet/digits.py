"""Many numbers as the page shows them: rounded where the bound of their error decides the last digit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from derive.numbers.rounding import Rounding, show_units
from derive.worksheet.arrays import UNIT, Column, Exact, Flags, Floats

MOST_SHOWN = 2**52
_SURE_DIGITS = 10**15


@dataclass(frozen=True, slots=True)
class Digits:
    """Rounded numbers: sign · units · 10^exponent.

    decided   where these are the digits of the true value
    distance  how far the value is from the nearest tie, in units of the last place shown
    exactly   where the rounded number is the value itself; `unclear` where that is not known
    """

    units: NDArray[np.int64]
    exponent: NDArray[np.int64]
    decided: Flags
    distance: Floats
    exactly: Flags
    unclear: Flags

    def texts(self, rounding: Rounding) -> list[str]:
        """Each as the page writes it; what is not decided is not to be used."""
        if rounding.decimals is None:
            pairs = zip(self.units.tolist(), self.exponent.tolist(), strict=True)
            return [show_units(units, exponent, rounding) for units, exponent in pairs]
        decimals = rounding.decimals
        if decimals <= 15 and int(np.abs(self.units).max(initial=0)) < _SURE_DIGITS:
            form = f"%.{decimals}f"
            return [form % value for value in (self.units / 10.0**decimals).tolist()]
        return [show_units(units, -decimals, rounding) for units in self.units.tolist()]


def rounded(column: Column, rounding: Rounding) -> Digits:
    """The column as the page shows it."""
    size = np.abs(column.value)
    if rounding.decimals is not None:
        exponent = np.full(size.shape, -rounding.decimals, dtype=np.int64)
    else:
        exponent = _leading(size) - (rounding.significant or 1) + 1
    found = _of_integers(column.exact, exponent, rounding) if column.exact is not None else None
    return found or _of_doubles(column, size, exponent, rounding)


def _of_integers(exact: Exact, exponent: NDArray[np.int64], rounding: Rounding) -> Digits | None:
    """Decimals to fewer decimals, without any doubt; None where the integers are too large."""
    shift = exponent + exact.places
    fewer, more = np.clip(shift, 0, 18), np.clip(-shift, 0, 18)
    if float(exact.most) * 10.0 ** float(more.max(initial=0)) > MOST_SHOWN or int(np.abs(shift).max(initial=0)) > 18:
        return None
    sure = np.ones(exact.units.shape, dtype=bool)
    unit = 10**fewer
    whole, rest = np.divmod(np.abs(exact.units) * 10**more, unit)
    up = (2 * rest > unit) | ((2 * rest == unit) & ((whole % 2 == 1) if rounding.mode == "half-even" else sure))
    units = np.sign(exact.units) * (whole + up)
    if rounding.significant is not None:
        carried = np.abs(units) == 10**rounding.significant
        units, exponent = np.where(carried, units // 10, units), exponent + carried
        exponent = np.where(units == 0, 0, exponent)
    return Digits(units, exponent, sure, np.abs(rest / unit - 0.5), rest == 0, ~sure)


def _of_doubles(column: Column, size: Floats, exponent: NDArray[np.int64], rounding: Rounding) -> Digits:
    power = 10.0 ** np.abs(exponent).astype(float)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.where(exponent < 0, size * power, size / power)
        error = np.where(exponent < 0, column.error * power, column.error / power) + scaled * (8 * UNIT)
    fine = np.isfinite(scaled) & np.isfinite(error) & (scaled < MOST_SHOWN)
    scaled, error = np.where(fine, scaled, 0.0), np.where(fine, error, np.inf)
    below = np.floor(scaled)
    distance = np.abs(scaled - below - 0.5)
    whole = (below + (scaled - below > 0.5)).astype(np.int64)
    decided = distance > error
    if rounding.significant is not None:
        decided &= size > column.error
        carried = whole == 10**rounding.significant
        whole, exponent = np.where(carried, whole // 10, whole), exponent + carried
    negative = (column.value < 0) & (whole > 0)
    unclear = np.abs(scaled - np.rint(scaled)) <= error
    return Digits(
        np.where(negative, -whole, whole), exponent, decided, distance, np.zeros(size.shape, dtype=bool), unclear
    )


def _leading(size: Floats) -> NDArray[np.int64]:
    """The place of the first digit; near a power of ten either side will do, as both round alike."""
    safe = np.where(size > 0, size, 1.0)
    return np.floor(np.log10(safe)).astype(np.int64)
