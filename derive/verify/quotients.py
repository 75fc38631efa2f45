"""Derivatives as difference quotients in numbers of 40 digits and more: with a step of a third of the digits, the
error of a central quotient lies far below the last digit of a double.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from derive.verify.arithmetic import FAILURES
from derive.verify.program import Program

MOST_LOOKED_AT = 60
"""So many nodes are looked at for a kink."""

BEND = 10**6
"""Where the slopes on both sides differ by no more than this times the step, it is the curve that bends."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A central difference quotient, and those from the left and from the right where they differ: at a kink.

    bend   how far the two sides are apart where they meet: as far off is the value where the curve bends suddenly
    """

    value: Any
    sides: tuple[Any, Any] | None = None
    bend: Any = 0


class Quotients:
    """Difference quotients of the numbers of a program; what a nudge changes is calculated once for all tops."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._changed: dict[tuple[str, Any], Mapping[str, Any]] = {}
        self._sharp: dict[str, bool] = {}
        self._step = program.arithmetic.number(Fraction(1, 10 ** (program.arithmetic.digits // 3)))

    def slope(self, top: str, bottom: str) -> Slope | None:
        """∂top/∂bottom; None where a nudge leads out of the domain.  KeyError for unknown names."""
        self._program.value(bottom), self._program.value(top)
        try:
            right, left = self._sides(top, bottom, self._step)
            gap = abs(right - left)
            if gap <= max(abs(right), abs(left)) * self._step * BEND:
                return Slope((left + right) / 2, bend=gap)
            nearer = self._sides(top, bottom, self._step / 16)
        except FAILURES:
            return None
        is_smooth = abs(nearer[0] - nearer[1]) < gap / 2
        return Slope((left + right) / 2, None if is_smooth else (left, right), gap if is_smooth else 0)

    def _sides(self, top: str, bottom: str, step: Any) -> tuple[Any, Any]:
        """The quotients to the right and to the left."""
        before = self._program.value(top)
        above, below = (self._nudged(bottom, amount).get(top, before) for amount in (step, -step))
        return (above - before) / step, (before - below) / step

    def _nudged(self, bottom: str, amount: Any) -> Mapping[str, Any]:
        key = (bottom, amount)
        found = self._changed.get(key)
        if found is None:
            found = self._changed[key] = self._program.nudged(bottom, amount)
        return found

    def meets_kink(self, bottom: str) -> bool:
        """Whether something that changes with `bottom` stands at a kink of what follows from it."""
        try:
            nodes = list(self._nudged(bottom, self._step))[:MOST_LOOKED_AT]
        except FAILURES:
            return True
        return any(self._is_sharp(node) for node in nodes)

    def _is_sharp(self, node: str) -> bool:
        """Whether anything has a kink where the node is, or no value beside it."""
        if node not in self._sharp:
            try:
                slopes = [self.slope(top, node) for top in self._nudged(node, self._step)]
            except FAILURES:
                slopes = [None]
            self._sharp[node] = any(slope is None or slope.sides is not None for slope in slopes)
        return self._sharp[node]
