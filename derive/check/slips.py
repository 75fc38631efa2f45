"""Slips of the pen, which no formula makes: digits transposed, a decimal point or a sign lost, the neighbour copied."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from derive.check.model import Mistake, Written
from derive.check.phrases import say

POWERS = (1, -1, 2, -2, 3, -3)
FEWEST_DIGITS = 2
"""Numbers of fewer digits agree too often by chance."""
ENOUGH_DIGITS = 4
"""Numbers of so many digits hardly agree by chance but for the last one."""
FAR = 20
"""So many units of the last digit from what was asked for, a number is no near miss of it."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be written for a quantity: from the true numbers, or from the student's own."""

    low: float
    high: float

    def holds(self, value: float, slack: float) -> bool:
        return self.low - slack <= value <= self.high + slack


def slips(
    quantity: str, answer: Written, reaches: tuple[Reach, ...], others: Mapping[str, Sequence[float]], unit: float,
    language: str = "en",
) -> Iterator[Mistake]:  # fmt: skip
    """The slips that turn a number that may be written into the one that is, told in that language.

    reaches   intervals of right answers (true, and from the student's own earlier ones)
    others    of other quantities by name the true value, then what was written for it, for a neighbour's number
    unit      a unit of the last written digit
    """
    value, digits = float(answer.value), answer.significant or 0
    if not value:
        return

    def told(mistake: str, key: str = "", /, **words: object) -> Mistake:
        return Mistake(mistake, say("slips", key or mistake, language, quantity=quantity, **words), step=quantity)

    if _any(reaches, -value, 0.0):
        yield told("sign-lost")
    if digits >= FEWEST_DIGITS:
        for power in POWERS:
            if _any(reaches, value * 10.0**power, 0.5 * unit * 10.0**power):
                places = say("slips", "place" if abs(power) == 1 else "places", language, n=abs(power))
                yield told("decimal-point-slipped", "point-to-left" if power > 0 else "point-to-right", places=places)
                break
        for swapped in _transposed(answer):
            if _any(reaches, swapped, 0.0):
                yield told("digits-transposed")
                break
    if copied := _copied(value, digits, others, reaches, unit):
        yield told("another-quantity", name=copied)
    if digits >= FEWEST_DIGITS and "%" not in answer.text and _any(reaches, value / 100, 0.005 * unit):
        yield told("percent")
    if digits >= FEWEST_DIGITS and any(_beside(reach, value, unit) for reach in reaches):
        yield told("last-digit")


def _any(reaches: tuple[Reach, ...], value: float, slack: float) -> bool:
    return any(reach.holds(value, slack + 1e-9 * abs(value)) for reach in reaches)


def _beside(reach: Reach, value: float, unit: float) -> bool:
    return 0 < max(reach.low - value, value - reach.high) <= unit * 1.001


def _transposed(answer: Written) -> Iterator[float]:
    """The number with two neighbouring digits exchanged, every such pair."""
    found = re.fullmatch(r"([-+−]?)([0-9]*)[.,]?([0-9]*)((?:[eE].*)?)", answer.text)
    if found is None or not answer.value:
        return
    digits = found[2] + found[3]
    if not digits or not int(digits):
        return
    unit = abs(answer.value) / int(digits)
    sign = -1 if answer.value < 0 else 1
    for place in range(len(digits) - 1):
        if digits[place] != digits[place + 1]:
            changed = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
            yield float(sign * unit * int(changed))


def _copied(
    value: float, digits: int, others: Mapping[str, Sequence[float]], reaches: tuple[Reach, ...], unit: float
) -> str:
    """Whose number it is: another quantity's of the same kind, the gradient's where the new weight was asked for.

    Of several digits the last may be one off, from rounding on the way, and the number may be one that was written for
    the other quantity: where it is no near miss of what was asked for.
    """
    if digits < FEWEST_DIGITS:
        return ""
    exact = next((name for name, (true, *_) in others.items() if abs(value - true) <= 0.5000001 * unit), "")
    if exact or digits < ENOUGH_DIGITS or any(reach.holds(value, FAR * unit) for reach in reaches):
        return exact
    by_rounding = (name for name, (true, *_) in others.items() if abs(value - true) <= 1.5000001 * unit)
    away = min(max(reach.low - value, value - reach.high) for reach in reaches)
    written = (
        name for name, (true, *own) in others.items()
        if abs(value - true) < away and any(abs(value - each) <= 1e-6 * unit for each in own)
    )  # fmt: skip
    return next(written, "") or next(by_rounding, "")


def family(name: str) -> str:
    """What a quantity is, its indices aside: out_h1 and out_h2, dE/dw1 and dE/dw5 are of one kind."""
    return re.sub("[0-9]+", "#", name)


def relatives(quantity: str, names: Iterable[str]) -> list[str]:
    """The quantities whose number is easily copied instead."""
    kind = family(quantity)
    base = quantity.removesuffix("_new")
    tests: tuple[Callable[[str], bool], ...] = (
        lambda name: family(name) == kind,
        lambda name: base != quantity and name in (f"dE/d{base}", base),
        lambda name: quantity.startswith("dE/d") and name == quantity.removeprefix("dE/d") + "_new",
        lambda name: quantity.replace("net_", "out_") == name or quantity.replace("out_", "net_") == name,
    )
    return [name for name in names if name != quantity and any(test(name) for test in tests)]

