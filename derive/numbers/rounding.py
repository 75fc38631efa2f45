"""Rounding as on paper: half away from zero (or to even), decided on the true value and never on a binary double."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Literal

from derive.errors import DeriveError
from derive.numbers.exact import Interval, Real

Carry = Literal["full", "displayed"]
Mode = Literal["half-up", "half-even"]

DEFAULT_DECIMALS = 5
MOST_DIGITS = 100
"""The most decimals or significant digits that are shown."""

_LONGEST = 4000  # powers of ten beyond which a value is not written out
_CONTEXT_MODES = {"half-up": ROUND_HALF_UP, "half-even": ROUND_HALF_EVEN}
_WIDE = Context(prec=2 * _LONGEST, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


@dataclass(frozen=True, slots=True)
class Rounding:
    """How numbers are shown: to so many decimals, or to so many significant digits; 5 decimals when neither is given.

    carry   "full": the full value is carried on; "displayed": the number as shown
    mode    where a value lies exactly between two: "half-up" away from zero, "half-even" to the even digit
    """

    decimals: int | None = None
    significant: int | None = None
    carry: Carry = "full"
    mode: Mode = "half-up"

    def __post_init__(self) -> None:
        if self.decimals is None and self.significant is None:
            object.__setattr__(self, "decimals", DEFAULT_DECIMALS)
        if self.decimals is not None and self.significant is not None:
            found = f"decimals = {self.decimals} and significant = {self.significant}"
            raise DeriveError(f"rounding: found {found}; accepted: one of the two")
        for key, count, least in (("decimals", self.decimals, 0), ("significant", self.significant, 1)):
            if count is not None and not least <= count <= MOST_DIGITS:
                raise DeriveError(f"rounding: found {key} = {count}; accepted: {least} to {MOST_DIGITS}")


@dataclass(frozen=True, slots=True)
class _Rounded:
    """units · 10^exponent; with significant digits, `units` has exactly that many (or is 0)."""

    units: int
    exponent: int


def round_exact(value: Fraction, rounding: Rounding) -> Fraction:
    """The rounded value; half-up takes a tie away from zero."""
    return _fraction(_round_fraction(value, rounding))


def round_real(value: Real, rounding: Rounding) -> Fraction | None:
    """The rounded value, None where the enclosure does not decide it (or it is beyond 10^±4000)."""
    rounded = _round_real(value, rounding)
    return None if rounded is None or abs(rounded.exponent) > _LONGEST else _fraction(rounded)


def show(value: Fraction, rounding: Rounding) -> str:
    """The rounded value as text: "0.37750"; never "-0.00000".

    Significant digits keep their zeros ("0.3775" to four of them) and are written out while 10^-7 < |value| < 10^15,
    else as "1.2e-09"; zero is "0".
    """
    rounding = _readable(value, rounding)
    return _text(_round_fraction(value, rounding), rounding)


def show_units(units: int, exponent: int, rounding: Rounding) -> str:
    """The rounded number units · 10^exponent as `show` writes it.

    With significant digits, `units` has that many or is 0.
    """
    return _text(_Rounded(units, exponent if units or rounding.significant is None else 0), rounding)


def show_real(value: Real, rounding: Rounding) -> str | None:
    """The true value as `show` writes it, None where the enclosure does not decide the digits."""
    rounding = _readable(value, rounding)
    rounded = _round_real(value, rounding)
    return None if rounded is None else _text(rounded, rounding)


def _readable(value: Real, rounding: Rounding) -> Rounding:
    """Decimals become significant digits, and the text a power of ten, where a number has more than 40 places."""
    if rounding.decimals is None or not _is_giant(value):
        return rounding
    return replace(rounding, decimals=None, significant=min(MOST_DIGITS, max(rounding.decimals, 1)))


def _is_giant(value: Real) -> bool:
    if isinstance(value, Interval):
        size = max(value.lo.copy_abs(), value.hi.copy_abs())
        return size > _GIANT and size.adjusted() <= _LONGEST
    return value.numerator.bit_length() - value.denominator.bit_length() > 133


def nearest_double(value: Real) -> float | None:
    """The double nearest to the true value, ties to even; None where it is undecided or beyond the largest double."""
    if isinstance(value, Interval):
        if value.lo <= 0 <= value.hi and max(-value.lo, value.hi) < _NOTHING:
            return 0.0
        double = float(value.lo)
        return double + 0.0 if double == float(value.hi) and math.isfinite(double) else None
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return None


_NOTHING = Decimal("1e-300")
"""What is enclosed this closely around zero is zero as a double: no digits would tell it from one in practice."""


_GIANT = Decimal("1e40")


def _round_real(value: Real, rounding: Rounding) -> _Rounded | None:
    """Rounding never decreases, so ends that round alike decide everything between them."""
    if not isinstance(value, Interval):
        return _round_fraction(value, rounding)
    if value.lo.is_infinite() or value.hi.is_infinite():
        return None
    if rounding.significant is None and max(value.lo.adjusted(), value.hi.adjusted()) > _LONGEST:
        return None
    low = _round_decimal(value.lo, rounding)
    return low if value.lo == value.hi or low == _round_decimal(value.hi, rounding) else None


def _round_fraction(value: Fraction, rounding: Rounding) -> _Rounded:
    top, bottom = value.numerator, value.denominator
    if rounding.significant is None:
        decimals = rounding.decimals or 0
        return _Rounded(_round_ratio(top * 10**decimals, bottom, rounding.mode), -decimals)
    if not top:
        return _Rounded(0, 0)
    exponent = _leading_place(abs(top), bottom) - rounding.significant + 1
    top, bottom = (top * 10**-exponent, bottom) if exponent < 0 else (top, bottom * 10**exponent)
    return _shortened(_round_ratio(top, bottom, rounding.mode), exponent, rounding.significant)


def _round_decimal(value: Decimal, rounding: Rounding) -> _Rounded:
    mode = _CONTEXT_MODES[rounding.mode]
    if rounding.significant is None:
        decimals = rounding.decimals or 0
        return _Rounded(int(value.scaleb(decimals, _WIDE).to_integral_value(mode, _WIDE)), -decimals)
    if not value:
        return _Rounded(0, 0)
    exponent = value.adjusted() - rounding.significant + 1
    units = int(value.scaleb(-exponent, _WIDE).to_integral_value(mode, _WIDE))
    return _shortened(units, exponent, rounding.significant)


def _round_ratio(top: int, bottom: int, mode: Mode) -> int:
    """top/bottom (bottom > 0) to the nearest integer."""
    whole, rest = divmod(abs(top), bottom)
    rest *= 2
    if rest > bottom or (rest == bottom and (mode == "half-up" or whole % 2)):
        whole += 1
    return whole if top > 0 else -whole


def _leading_place(top: int, bottom: int) -> int:
    """The e with 10^e <= top/bottom < 10^(e+1), for top, bottom > 0."""
    place = Decimal(top).adjusted() - Decimal(bottom).adjusted()
    reached = top >= bottom * 10**place if place >= 0 else top * 10**-place >= bottom
    return place if reached else place - 1


def _shortened(units: int, exponent: int, significant: int) -> _Rounded:
    """A carry to one digit too many ("9.996" to "10.00") gives that digit back."""
    return _Rounded(units // 10, exponent + 1) if abs(units) == 10**significant else _Rounded(units, exponent)


def _fraction(rounded: _Rounded) -> Fraction:
    power = 10 ** abs(rounded.exponent)
    return Fraction(rounded.units, power) if rounded.exponent < 0 else Fraction(rounded.units * power)


def _text(rounded: _Rounded, rounding: Rounding) -> str:
    digits, exponent = str(abs(rounded.units)), rounded.exponent
    sign = "-" if rounded.units < 0 else ""
    place = exponent + len(digits) - 1
    if rounding.significant is not None and rounded.units and not -7 < place < 15:
        fraction = f".{digits[1:]}" if digits[1:] else ""
        return f"{sign}{digits[0]}{fraction}e{place:+03d}"
    if exponent >= 0:
        return sign + digits + "0" * exponent
    digits = digits.zfill(1 - exponent)
    return f"{sign}{digits[:exponent]}.{digits[exponent:]}"
