"""kind = "activation": one activation, and the points where it is evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from derive.catalogue.activations import Activation
from derive.formula.expression import Number, number
from derive.problem.activation import read_activation
from derive.problem.shape import Grid, Report, Table

MOST_POINTS = 200
MOST_ENTRIES = 12
"""A vector of n numbers has n² slopes."""

USUAL_POINTS = tuple((number(z),) for z in ("-3", "-2", "-1", "0", "1", "2", "3"))
USUAL_VECTOR = (tuple(number(z) for z in ("1", "2", "3")),)

Point = tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class ActivationPoints:
    """An activation at points: of one number each, or of several for a vector activation.

    named   the points go by the names of their numbers, which are given: f(z1) and not f(0.5)
    """

    kind: ClassVar[str] = "activation"

    activation: Activation
    points: tuple[Point, ...]
    named: bool = False

    def names(self) -> dict[str, tuple[str, ...]]:
        """The name of each point and those of its numbers: z1, z2, …; the vector z of z1, z2, …, or z[2] of several."""
        numbers = range(1, len(self.points) + 1)
        if self.activation.vector is None:
            labels = [f"z{k}" for k in numbers] if len(numbers) > 1 else ["z"]
            return {label: (label,) for label in labels}
        marks = [f"[{k}]" for k in numbers] if len(numbers) > 1 else [""]
        return {
            f"z{mark}": tuple(f"z{i}{mark}" for i in range(1, len(point) + 1))
            for mark, point in zip(marks, self.points, strict=True)
        }

    @property
    def leaves(self) -> tuple[str, ...]:
        return tuple(name for names in self.names().values() for name in names)


def read_points(fields: Table, report: Report) -> ActivationPoints | None:
    """The activation and its points, or None when anything was reported."""
    written = fields.get("activation")
    row = None if written is None else read_activation(written, "activation", report)
    if row is None or "at" in fields.wrong:
        return None
    if "at" not in fields:
        return ActivationPoints(row, usual_points(row))
    points = _points(fields.get("at"), row, report)
    return None if points is None else ActivationPoints(row, points)


def usual_points(row: Activation) -> tuple[Point, ...]:
    """What is shown where nobody says: whole numbers around 0 and the kinks, or the vector 1, 2, 3."""
    if row.vector:
        return USUAL_VECTOR
    own = tuple((value,) for value in kink_values(row))
    found = {point[0].value: point for point in (*own, *USUAL_POINTS)}
    return tuple(found[value] for value in sorted(found))


def kink_values(row: Activation) -> tuple[Number, ...]:
    """Where the kinks of a row are: a number, or the value of a parameter."""
    parameters = dict(row.parameters)
    return tuple(parameters[kink.at] if kink.at in parameters else number(kink.at) for kink in row.kinks)


def _points(grid: Grid[Number], row: Activation, report: Report) -> tuple[Point, ...] | None:
    if len(grid.rows) > MOST_POINTS or (grid.flat and not row.vector and len(grid.rows[0]) > MOST_POINTS):
        report.add("at", f"{max(len(grid.rows), len(grid.rows[0]))} points", f"at most {MOST_POINTS} points")
        return None
    return _vectors(grid, report) if row.vector else _numbers(grid, row, report)


def _vectors(grid: Grid[Number], report: Report) -> tuple[Point, ...] | None:
    right = True
    for k, point in enumerate(grid.rows, 1):
        if not 2 <= len(point) <= MOST_ENTRIES:
            place = "at" if grid.flat else f"at[{k}]"
            found = f"a vector of {len(point)}"
            report.add(place, found, f"vectors of 2 to {MOST_ENTRIES} numbers, such as [[1, 2, 3]]")
            right = False
    return grid.rows if right else None


def _numbers(grid: Grid[Number], row: Activation, report: Report) -> tuple[Point, ...] | None:
    if grid.flat:
        return tuple((value,) for value in grid.rows[0])
    report.add("at", "a list of rows", f"a list of numbers: {row.title} is a function of one number")
    return None


def title_of_points(body: ActivationPoints) -> str:
    row = body.activation
    name = row.title if row.name != "custom" else f"f(z) = {row.formula}"
    return f"The activation {name}"
