"""The plot of an activation: the function with its derivative, or the outputs of a vector activation as z1 varies."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from derive.calculus.symbolic import textbook
from derive.catalogue import numeric
from derive.catalogue.activations import Activation
from derive.derivation.points import PointsGraph
from derive.figures.geometry import Point
from derive.figures.plot import Curve, Plot
from derive.formula.grammar import write
from derive.problem.points import kink_values
from derive.worked import WorkedExample

_HALF_WIDTH, _WIDEST = 6.0, 12.0
_LOWEST, _HIGHEST = -3.0, 4.0
_SAMPLES = 120
_BESIDE = 1e-9


def plot_of(example: WorkedExample, title: str) -> Plot:
    """The plot of the problem's activation."""
    graph = example.graph
    assert isinstance(graph, PointsGraph)
    row, points = graph.row, graph.points
    if row.vector:
        return _of_vector(row, [float(value.value) for value in points[0]], title)
    far = max((abs(float(point[0].value)) for point in points), default=0.0)
    kinks = max(map(abs, _kink_places(row)), default=0.0)
    half = max(_HALF_WIDTH, min(far, _WIDEST), kinks + 2)
    return _of_scalar(row, half, title)


def _of_scalar(row: Activation, half: float, title: str) -> Plot:
    row = with_slope(row)
    edges = [-half, *(at for at in _kink_places(row) if abs(at) < half), half]
    slope = f"{row.text}'(z)"
    curves = (
        Curve(f"{row.text}(z)", f"{row.latex}(z)", _runs(row, edges, slope=False), _dots(row, edges, slope=False)),
        Curve(slope, f"{row.latex}'(z)", _runs(row, edges, slope=True), _dots(row, edges, slope=True)),
    )
    corners = numeric.value(row, _kink_places(row)) if row.kinks else np.zeros(1)
    highest, lowest = max(_HIGHEST, float(corners.max())), min(_LOWEST, float(corners.min()))
    return Plot(curves, (-half, half), _heights(curves, lowest, highest), "z", "z", title)


def with_slope(row: Activation) -> Activation:
    """The row with SymPy's derivative where it has none of its own."""
    return row if row.derivative else replace(row, derivative=write(textbook(row)))


def _kink_places(row: Activation) -> list[float]:
    """Where the kinks are, from left to right."""
    return sorted(float(at.value) for at in kink_values(row))


def _runs(row: Activation, edges: list[float], *, slope: bool) -> tuple[tuple[Point, ...], ...]:
    function = numeric.slope if slope else numeric.value
    runs: list[tuple[Point, ...]] = []
    for start, end in pairwise(edges):
        count = max(2, round(_SAMPLES * (end - start) / (edges[-1] - edges[0])) + 1)
        x = np.linspace(start, end, count)
        y = function(row, np.clip(x, start + _BESIDE, end - _BESIDE))
        run = tuple((float(a), float(b)) for a, b in zip(x, y, strict=True) if np.isfinite(b))
        if runs and run and abs(runs[-1][-1][1] - run[0][1]) < 1e-6:
            runs[-1] = (*runs[-1], *run[1:])
        elif len(run) > 1:
            runs.append(run)
    return tuple(runs)


def _dots(row: Activation, edges: list[float], *, slope: bool) -> tuple[Point, ...]:
    """The value that is taken where the curve jumps."""
    function = numeric.slope if slope else numeric.value
    found = []
    for at in edges[1:-1]:
        below, here, above = function(row, [at - _BESIDE, at, at + _BESIDE])
        if max(abs(below - here), abs(above - here)) > 1e-6:
            found.append((at, float(here)))
    return tuple(found)


def _heights(
    curves: tuple[Curve, ...], lowest: float = _LOWEST, highest: float = _HIGHEST
) -> tuple[float, float]:
    values = [y for curve in curves for run in curve.runs for _, y in run]
    low, high = max(min(values), lowest), min(max(values), highest)
    margin = 0.06 * max(high - low, 1.0)
    return round(min(low, 0.0) - margin, 3), round(max(high, 1.0) + margin, 3)


def _of_vector(row: Activation, point: list[float], title: str) -> Plot:
    """Each output while z1 runs and the other net inputs stay."""
    x = np.linspace(-_HALF_WIDTH, _HALF_WIDTH, _SAMPLES + 1)
    at = np.tile(np.asarray(point), (len(x), 1))
    at[:, 0] = x
    y = numeric.outputs(row, at)
    single = y.shape[1] == 1
    curves = tuple(
        Curve(
            "a" if single else f"a{i}", "a" if single else f"a_{{{i}}}",
            (tuple(zip(x.tolist(), y[:, i - 1].tolist(), strict=True)),),
        )
        for i in range(1, min(y.shape[1], 6) + 1)
    )  # fmt: skip
    return Plot(curves, (-_HALF_WIDTH, _HALF_WIDTH), _heights(curves), "z1", "z_{1}", title)
