"""Perceptrons on the sheets of a class: which presentations are asked for, and what only a whole run says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from derive.derivation.graph import split_sample
from derive.derivation.perceptron import PerceptronGraph
from derive.derivation.perceptron_run import Run
from derive.problem.model import Problem
from derive.problem.perceptron import Perceptron
from derive.worksheet.arrays import Column, Flags, from_units

if TYPE_CHECKING:
    from derive.worksheet.values import Table

MOST_PRESENTATIONS = 60
"""Every number hangs on all before it; more of them than this are for a machine."""

OF_RUN = ("epochs", "converged")
"""Quantities that are read off a whole run, and have no formula."""


def usual(graph: PerceptronGraph) -> Iterator[str]:
    """The first epoch: sum, output, error where there is one, and every weight, presentation by presentation."""
    shape = graph.perceptron
    for place in range(1, shape.samples + 1):
        yield from (f"net[{place}]", f"out[{place}]")
        if shape.target:
            error = (f"error[{place}]",) if shape.update == "difference" else ()
            yield from (*error, *(f"{name}[{place}]" for name in shape.parameters))


def of_run(table: Table, name: str) -> Column:
    """How many epochs each variant takes, or whether it converges (1 or 0)."""
    body = table.problem.body
    assert isinstance(body, Perceptron)
    runs = (Run(table.space.problem(table.part, picks), body) for picks in table.picks.tolist())
    numbers = [run.epochs if name == "epochs" else int(run.converged) for run in runs]
    return from_units(np.array(numbers, dtype=np.int64), np.zeros(table.count, dtype=np.int64))


def by_presentation(names: Iterable[str], table: Table) -> list[str]:
    """What is computed, presentation by presentation: sum, output, error, new weights; what the run says comes last."""
    derived = [name for name in names if not table.is_given(name)]
    order = {"net": 0, "out": 1, "error": 2}

    def place(name: str) -> tuple[int, int]:
        head, presentation = split_sample(name)
        if name in OF_RUN:
            return MOST_PRESENTATIONS + 1, OF_RUN.index(name)
        return presentation, order.get(head, len(order))

    return sorted(derived, key=place)


def first_to_last(graph: object, asked: Sequence[str]) -> list[str]:
    """Every node of a perceptron up to the last presentation that is asked for; of other graphs nothing."""
    if not isinstance(graph, PerceptronGraph):
        return []
    final = last(asked)
    return [name for name in graph.forward() if 0 < split_sample(name)[1] <= final]


def is_whole(problem: Problem, name: str) -> bool:
    """Whether a quantity of a perceptron is a whole number whatever the others are."""
    return problem.kind == "perceptron" and (name in OF_RUN or split_sample(name)[0] in ("out", "error"))


def last(names: Sequence[str]) -> int:
    """The last presentation that is asked for."""
    return max((split_sample(name)[1] for name in names), default=0)


def still(table: Table, asked: Sequence[str]) -> Flags:
    """Where no presentation that is asked for changes a weight."""
    graph = _graph(table)
    places = last(asked)
    if graph is None or not graph.perceptron.target or not places:
        return np.zeros(table.count, dtype=bool)
    return ~_mistakes(table, graph, range(1, places + 1))


def ended(table: Table, asked: Sequence[str]) -> Flags:
    """Where the run is over before the last presentation that is asked for: an epoch without a mistake ends it."""
    found = np.zeros(table.count, dtype=bool)
    graph = _graph(table)
    if graph is None or not graph.perceptron.target:
        return found
    points = graph.perceptron.samples
    for epoch in range((last(asked) - 1) // points):
        found |= ~_mistakes(table, graph, range(epoch * points + 1, (epoch + 1) * points + 1))
    return found


def near_zero(table: Table, unit: float, names: Sequence[str]) -> Flags:
    """Where a sum that is rounded is so small that its sign hangs on the rounding; 0 itself is decided by the rule."""
    found = np.zeros(table.count, dtype=bool)
    if _graph(table) is not None:
        for name in names:
            if name.startswith("net["):
                found |= (np.abs(table.column(name).value) <= unit) & ~table.exactly(name)
    return found


def _graph(table: Table) -> PerceptronGraph | None:
    graph = table.derivation.graph
    return graph if isinstance(graph, PerceptronGraph) else None


def _mistakes(table: Table, graph: PerceptronGraph, places: range) -> Flags:
    """Where one of these presentations has an output other than its target."""
    assert graph.perceptron.target is not None
    found = np.zeros(table.count, dtype=bool)
    for place in places:
        target = graph.input(graph.perceptron.target, place).name
        found |= table.column(target).value != table.column(f"out[{place}]").value
    return found
