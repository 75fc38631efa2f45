"""The numbers that honest rounding of every step reaches, for a quantity by itself."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import numpy as np

from derive.check.enclosure import evaluate, hull
from derive.check.intervals import point
from derive.check.precision import MOST_DIGITS, Grid, Precision, Range
from derive.check.program import compiled
from derive.worked import WorkedExample


def honest_range(
    example: WorkedExample, quantity: str, *, decimals: int | None = None, significant: int | None = None
) -> tuple[Fraction, Fraction] | None:
    """The lowest and highest number that honest rounding of every step reaches; None where there is no number.

    Raises UnknownQuantity.
    """
    kind: Literal["decimals", "significant"] = "decimals" if significant is None else "significant"
    digits = significant if significant is not None else decimals if decimals is not None else 5
    precision = Precision(kind, min(digits, MOST_DIGITS))
    program = compiled(example, [quantity])
    env: dict[str, Range] = {}
    grid = Grid((precision,))
    with np.errstate(all="ignore"):
        for key, node in program.nodes.items():
            value = program.truth[key]
            if node.routes:
                env[key] = grid.rounded(hull(*(evaluate(way, env, grid) for way in node.routes)))
            elif value is None:
                return None
            else:
                env[key] = point(value)
    low, high = (float(end[0, 0]) for end in env[program.asked[quantity]])
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    return _at_precision(low, precision), _at_precision(high, precision)


def _at_precision(value: float, precision: Precision) -> Fraction:
    places = precision.digits if precision.kind == "decimals" else 12
    return Fraction(format(value, f".{places}f"))
