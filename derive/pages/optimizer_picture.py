"""The picture of a few updates: the way along the curve of the objective, or the parameters after each update."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from derive.derivation.evaluator import Evaluator
from derive.derivation.long_run import Decimals
from derive.derivation.unrolled import UnrolledGraph
from derive.errors import DeriveError
from derive.figures.geometry import Point
from derive.figures.plot import Curve, Plot
from derive.formula.symbols import symbol
from derive.numbers.exact import NotEnoughDigits
from derive.worked import WorkedExample

MOST_CURVES = 6
MOST_STEPS = 200
FEWEST_STEPS = 3
"""Fewer updates on given gradients make no picture."""

_SAMPLES = 80
_LARGEST, _SMALLEST = 1e5, 1e-3


def has_picture(example: WorkedExample) -> bool:
    """Whether the numbers are of a size that can be drawn."""
    graph = example.graph
    if not isinstance(graph, UnrolledGraph) or len(graph.run.parameters) > MOST_CURVES or graph.steps > MOST_STEPS:
        return False
    if graph.run.objective is None and graph.steps < FEWEST_STEPS:
        return False
    points = [value for name in graph.run.parameters for value in _path(example, name)]
    if len(points) != len(graph.run.parameters) * (graph.steps + 1):
        return False
    return max(map(abs, points)) < _LARGEST and max(points) - min(points) > _SMALLEST


def plot_of(example: WorkedExample, title: str) -> Plot | None:
    """The plot, or None where there is nothing to draw."""
    graph = example.graph
    if not isinstance(graph, UnrolledGraph) or not has_picture(example):
        return None
    if graph.run.objective is not None and len(graph.run.parameters) == 1:
        return _on_the_curve(example, graph, title) or _over_steps(example, graph, title)
    return _over_steps(example, graph, title)


def _path(example: WorkedExample, name: str) -> list[float]:
    """The values of a parameter before the first update and after each."""
    graph = example.graph
    assert isinstance(graph, UnrolledGraph)
    names = (f"{name}@{step}" if step else name for step in range(graph.steps + 1))
    return [value for value in map(example.value, names) if value is not None]


def _over_steps(example: WorkedExample, graph: UnrolledGraph, title: str) -> Plot:
    curves = []
    for name in graph.run.parameters:
        points = tuple((float(step), value) for step, value in enumerate(_path(example, name)))
        curves.append(Curve(symbol(name, "unicode"), symbol(name, "latex"), (points,), points))
    heights = [y for curve in curves for run in curve.runs for _, y in run]
    return Plot(tuple(curves), (0.0, float(graph.steps)), _margin(heights), "t", "t", title)


def _on_the_curve(example: WorkedExample, graph: UnrolledGraph, title: str) -> Plot | None:
    """The objective, and the points that the updates go through."""
    name = graph.run.parameters[0]
    places = _path(example, name)
    low, high = _margin(places)
    curve = tuple(_samples(graph, name, low, high))
    heights = [example.value(f"E@{step}" if step else "E") for step in range(graph.steps + 1)]
    dots = tuple((place, height) for place, height in zip(places, heights, strict=True) if height is not None)
    if len(curve) <= _SAMPLES or len(dots) < len(places):
        return None
    between = _margin([y for _, y in (*curve, *dots)])
    if max(map(abs, between)) > _LARGEST or between[1] - between[0] < _SMALLEST:
        return None
    objective = Curve("E", "E", (curve,))
    steps = Curve("updates", "", (dots,), dots)
    return Plot((objective, steps), (low, high), between, symbol(name, "unicode"), symbol(name, "latex"), title)


def _samples(graph: UnrolledGraph, name: str, low: float, high: float) -> Iterator[Point]:
    """Points of the objective; none where it has no value."""
    assert graph.run.objective is not None
    for place in range(_SAMPLES + 1):
        x = low + (high - low) * place / _SAMPLES
        at = {name: Decimal(x)}
        try:
            yield x, float(Evaluator(Decimals(20), at.__getitem__).value(graph.run.objective))
        except (DeriveError, NotEnoughDigits):
            return


def _margin(values: list[float]) -> tuple[float, float]:
    """The span of the values and a tenth of it on both sides."""
    low, high = min(values), max(values)
    room = (high - low or abs(high) or 1.0) / 10
    return low - room, high + room
