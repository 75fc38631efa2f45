"""The plot of a loss: E and its slope while the first output (or logit) of the first sample runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from derive.catalogue import numeric
from derive.catalogue.numeric_losses import evaluate
from derive.derivation.loss import LossGraph
from derive.figures.geometry import Point
from derive.figures.plot import Curve, Plot
from derive.formula.symbols import symbol
from derive.pages.activation_plot import with_slope
from derive.problem.loss import LossSetting
from derive.worked import WorkedExample

Array = NDArray[np.float64]

_SAMPLES = 240
_HALF_WIDTH = 4.0
_STEEPEST = 5.0
"""Curves are cut off this far from 0, unless the given numbers lie farther out."""

_LEAST = {"probability": 0.0, "positive": 0.0, "above-minus-one": -1.0}
_EDGE = 1e-4


def has_picture(example: WorkedExample) -> bool:
    """Whether there is anything to draw."""
    return plot_of(example, "") is not None


def plot_of(example: WorkedExample, title: str) -> Plot | None:
    """The plot; None where several outputs have no numbers, or the numbers are too large to be drawn."""
    graph = example.graph
    assert isinstance(graph, LossGraph)
    found = _point(example, graph.setting)
    if found is None:
        return None
    targets, start = found
    x = _range(graph.setting, start[0], targets[0])
    loss, slope = _curve(graph.setting, targets, start, x)
    here, slope_here = _curve(graph.setting, targets, start, np.asarray([start[0]]))
    name = graph.setting.names(graph.setting.given_letter, graph.setting.suffixes()[0])[0]
    root = f"E{graph.setting.suffixes()[0]}"
    given = example.has_numbers()
    curves = (
        Curve(symbol(root, "unicode"), symbol(root, "latex"), _runs(x, loss), _dot(start[0], here, given)),
        Curve(
            symbol(f"d{root}/d{name}", "unicode"), symbol(f"d{root}/d{name}", "latex"), _runs(x, slope),
            _dot(start[0], slope_here, given),
        ),
    )  # fmt: skip
    heights = _heights(loss, slope, here, slope_here)
    if heights is None:
        return None
    ends = (float(x[0].round(2)), float(x[-1].round(2)))
    return Plot(curves, ends, heights, symbol(name, "unicode"), symbol(name, "latex"), title)


def _point(example: WorkedExample, setting: LossSetting) -> tuple[Array, Array] | None:
    """Targets and predictions of the first sample; for one symbolic output the target 1 and the prediction 1/2."""
    suffix = setting.suffixes()[0]
    numbers = [
        [example.value(name) if name in example.problem.given else None for name in setting.names(letter, suffix)]
        for letter in ("t", setting.given_letter)
    ]
    if any(value is None for row in numbers for value in row):
        return (np.asarray([1.0]), np.asarray([0.5])) if setting.outputs == 1 else None
    return np.asarray(numbers[0], dtype=np.float64), np.asarray(numbers[1], dtype=np.float64)


def _range(setting: LossSetting, at: float, target: float) -> Array:
    """Where the first output runs: around the target and the given number, within what the loss is defined for."""
    target = at if setting.activation is not None or setting.loss.labels else target
    low, high = min(at, target) - _HALF_WIDTH, max(at, target) + _HALF_WIDTH
    if setting.activation is None and setting.loss.outputs != "any":
        low = _LEAST[setting.loss.outputs] + _EDGE
        high = 1 - _EDGE if setting.loss.outputs == "probability" else high
    return np.linspace(low, high, _SAMPLES + 1)


def _curve(setting: LossSetting, targets: Array, start: Array, x: Array) -> tuple[Array, Array]:
    """E and ∂E/∂(first number) for every x, the other numbers held."""
    at = np.tile(start, (len(x), 1))
    at[:, 0] = x
    row = setting.activation
    if row is None:
        value, slope = evaluate(setting.loss, np.tile(targets, (len(x), 1)), at)
        return value, slope[:, 0]
    row = with_slope(row) if not row.vector else row
    outputs = numeric.outputs(row, at) if row.vector else numeric.value(row, at)
    value, slope = evaluate(setting.loss, np.tile(targets, (len(x), 1)), outputs)
    if row.vector:
        first = np.asarray([numeric.jacobian(row, point)[:, 0] for point in at])
        return value, np.asarray((slope * first).sum(-1))
    return value, slope[:, 0] * numeric.slope(row, at)[:, 0]


def _runs(x: Array, y: Array) -> tuple[tuple[Point, ...], ...]:
    return (tuple((float(a), float(b)) for a, b in zip(x, y, strict=True) if np.isfinite(b)),)


def _dot(x: float, y: Array, given: bool) -> tuple[Point, ...]:
    return ((float(x), float(y[0])),) if given and np.isfinite(y[0]) else ()


def _heights(*curves: Array) -> tuple[float, float] | None:
    """The span of the curves, cut off where it is steep but never so that a given point is lost."""
    points = [float(value) for curve in curves[2:] for value in curve if np.isfinite(value)]
    values = [float(value) for curve in curves[:2] for value in curve if np.isfinite(value)]
    if not values or any(abs(point) > 1e4 for point in points):
        return None
    low = max(min(values), min([-_STEEPEST, *(point - 1 for point in points)]))
    high = min(max(values), max([_STEEPEST, *(point + 1 for point in points)]))
    margin = 0.06 * max(high - low, 1.0)
    return round(min(low, 0.0) - margin, 3), round(max(high, 0.0) + margin, 3)
