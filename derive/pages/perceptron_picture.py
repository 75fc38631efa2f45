"""The picture of a perceptron: its points, the line where the sum is 0, or where the two classes overlap."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from derive.derivation.perceptron import PerceptronGraph
from derive.figures.geometry import Point
from derive.figures.plane import Dot, Plane
from derive.pages.perceptron_verdict import common_point
from derive.pages.writers import writer
from derive.worked import WorkedExample

MOST_DOTS = 2000


def plane(example: WorkedExample, title: str) -> Plane | None:
    """The plane of two inputs or the axis of one; None for more inputs and for more points than can be seen."""
    graph = example.graph
    assert isinstance(graph, PerceptronGraph)
    shape = graph.perceptron
    if len(shape.inputs) > 2 or shape.samples > MOST_DOTS:
        return None
    common = common_point(graph) if not graph.run.converged else None
    return Plane(
        dots=tuple(Dot(*_spot(graph, point), upper=_is_upper(graph, point)) for point in range(1, shape.samples + 1)),
        axes=(_named(example, shape.inputs[0]), _named(example, shape.inputs[-1])),
        legend=(_class(example, shape.labels[1]), _class(example, shape.labels[0])),
        title=title,
        flat=len(shape.inputs) == 1,
        line=_line(graph),
        hulls=tuple(_hull(graph, side) for side in (common.upper, common.lower)) if common else (),
        common=_flattened(common.place) if common else None,
    )


def _flattened(place: tuple[Fraction, ...]) -> Point:
    return float(place[0]), float(place[1]) if len(place) > 1 else 0.0


def _spot(graph: PerceptronGraph, point: int) -> Point:
    shape, given = graph.perceptron, graph.problem.given
    return _flattened(tuple(given[shape.of_point(name, point)].value for name in shape.inputs))


def _is_upper(graph: PerceptronGraph, point: int) -> bool:
    """By target; without targets by output."""
    shape = graph.perceptron
    if shape.target is None:
        return graph.run.presentation(point).out == shape.labels[1]
    return graph.problem.given[shape.of_point(shape.target, point)].value == shape.labels[1]


def _line(graph: PerceptronGraph) -> tuple[float, float, float] | None:
    """The line of the last weights; none while the points are not separated by it."""
    shape, run = graph.perceptron, graph.run
    weights = run.weights(run.presentations if shape.target else 0)
    if (shape.target and not run.converged) or not any(weights[: len(shape.inputs)]):
        return None
    shift = weights[-1] * shape.bias_input.value if shape.bias else Fraction(0)
    second = weights[1] if len(shape.inputs) > 1 else Fraction(0)
    return float(weights[0]), float(second), float(shift)


def _hull(graph: PerceptronGraph, shares: Mapping[int, Fraction]) -> tuple[Point, ...]:
    return tuple(_spot(graph, point) for point in shares)


def _named(example: WorkedExample, name: str) -> tuple[str, str]:
    ways = [writer(way, "dollar", example.problem.notation) for way in ("text", "latex")]
    return ways[0].name(name), ways[1].name(name)


def _class(example: WorkedExample, label: int) -> tuple[str, str]:
    graph = example.graph
    assert isinstance(graph, PerceptronGraph)
    text, latex = _named(example, graph.perceptron.target or "out")
    return f"{text} = {label}".replace("-", "−"), f"{latex} = {label}"
