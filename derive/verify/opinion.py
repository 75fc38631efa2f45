"""What a witness says of a quantity, and how that is compared with what was derived."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

DIGITS_CLAIMED = 12
AGREES = 1e-12
"""A derived double may be off by so much, relative to the number of the witness."""

DIGITS_OF_DOUBLES = 9
"""The same after updates in doubles."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """The number of a witness.

    floor    how far the witness itself may be off
    at_kink  the quantity is a derivative at a kink: its value is a convention, and no quotient says which
    slope    whether it is a difference quotient
    digits   to how many digits an agreement means something
    """

    value: Any
    floor: Any = 0
    at_kink: bool = False
    slope: bool = False
    digits: int = DIGITS_CLAIMED

    def agrees(self, derived: float) -> bool:
        return bool(abs(self.value - derived) <= AGREES * abs(self.value) + self.floor)

    def shows(self, text: str) -> bool:
        """Whether digits that a page prints are this number rounded: off by half a unit of the last digit at most."""
        return bool(abs(self.value - _exact(self.value, text)) <= _exact(self.value, str(_unit(text) / 2)) + self.floor
                    + abs(self.value) * 1e-30)  # fmt: skip


def _exact(like: Any, text: str) -> Any:
    """The number of a text in the arithmetic of another number."""
    number = Fraction(text)
    return number if isinstance(like, Fraction) else like.context.mpf(number.numerator) / number.denominator


def _unit(text: str) -> Fraction:
    """One unit of the last digit of a decimal; 0 of a fraction, which is exact."""
    if "/" in text:
        return Fraction(0)
    digits, _, power = text.lower().partition("e")
    _, _, decimals = digits.partition(".")
    return Fraction(10) ** (int(power or 0) - len(decimals))


class Witness(Protocol):
    """One independent calculation of everything in a problem."""

    def opinion(self, name: str, step: int) -> Opinion | None:
        """Of a quantity by canonical name after so many updates; None where the witness has nothing to say."""

    def meets_kink(self, name: str, step: int) -> bool:
        """Whether a derivative has to do with a kink, where its value is a convention."""
