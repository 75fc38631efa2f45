"""What is measured in a process of its own, after import and with cold caches: `python -m benchmarks.jobs JOB …`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby, pairwise
from typing import Any

import derive
from benchmarks.networks import composed_loss, problem
from derive.derivation.chain_rule import derivative_name, split_derivative
from derive.derivation.steps import Step
from derive.formula.expression import names_in
from derive.pages.equations import Equations
from derive.pages.render import EQUATION_WIDTH, LINE_WIDTH
from derive.pages.writers import writer
from derive.worked import WorkedExample

LARGE = problem((784, 128, 10), "relu", "softmax", "cross-entropy")
WEIGHT = "dE/dW1[300,17]"
EVERY = 8
"""The peer differentiates by every eighth parameter of each layer; the time is scaled up."""


def all_gradients(sizes: str) -> dict[str, Any]:
    """Every gradient of the loss and every factor that one of them is defined by."""
    example = derive.loads(problem([int(size) for size in sizes.split("-")]))
    parameters = example.graph.leaves()
    start = time.perf_counter()
    todo = [derivative_name("E", name) for name in parameters]
    seen = set(todo)
    while todo:
        definition = example.derivation.quantity(todo.pop()).definition
        needed = set() if definition is None else {name for name in names_in(definition) if split_derivative(name)}
        todo += needed - seen
        seen |= needed
    return {"seconds": time.perf_counter() - start, "parameters": len(parameters), "derived": len(seen)}


def sympy_diff(sizes: str) -> dict[str, Any]:
    """The same gradients by `sympy.diff` of the composed loss, from a sample of the parameters."""
    import sympy

    loss, parameters = composed_loss([int(size) for size in sizes.split("-")])
    seconds = 0.0
    for _, group in groupby(parameters, key=lambda symbol: symbol.name.partition("_")[0]):
        layer = list(group)
        sample = layer[::EVERY]
        start = time.perf_counter()
        for parameter in sample:
            sympy.diff(loss, parameter)
        seconds += (time.perf_counter() - start) * len(layer) / len(sample)
    return {"seconds": seconds, "parameters": len(parameters)}


def gradient(form: str, style: str) -> dict[str, Any]:
    """One gradient of 784-128-10 with all its factors; "expanded": after the net input with its 784 terms."""
    import resource

    asked = (WEIGHT,) if form == "sigma" else ("net_h17", WEIGHT)
    example = derive.loads(LARGE, only=asked, expand=form == "expanded")
    start = time.perf_counter()
    text = "\n".join(_lines(example, style))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    return {"seconds": seconds, "characters": len(text), "megabytes": peak}


def one_gradient(sizes: str, name: str) -> dict[str, Any]:
    """One gradient in Σ form with its factors, as terminal text, and what it takes to have the network at all."""
    import resource

    text = problem([int(size) for size in sizes.split("-")], "relu", "softmax", "cross-entropy")
    start = time.perf_counter()
    example = derive.loads(text, only=(name,))
    loaded = time.perf_counter()
    lines = list(_lines(example, "text"))
    seconds = time.perf_counter() - loaded
    widths = [int(size) for size in sizes.split("-")]
    parameters = sum((n + 1) * m for n, m in pairwise(widths))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    return {
        "seconds": seconds, "loading": loaded - start, "parameters": parameters, "lines": len(lines), "megabytes": peak,
    }  # fmt: skip


def _lines(example: WorkedExample, style: str) -> Iterator[str]:
    pen = writer(style, "dollar", example.problem.notation)
    equations = Equations(example, pen, EQUATION_WIDTH, LINE_WIDTH)
    for section in example.sections:
        for step in _steps(section.steps):
            for line in step.lines:
                equation = equations.equation(line)
                yield equation.left
                yield from (f"{row.relation} {row.right}" for row in equation.rows)


def _steps(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield from _steps(step.steps)
        yield step


def page() -> dict[str, Any]:
    """The whole page of that gradient as terminal text, its template compiled on the way."""
    example = derive.loads(LARGE, only=(WEIGHT,))
    start = time.perf_counter()
    text = example.text()
    return {"seconds": time.perf_counter() - start, "characters": len(text)}


def updates(steps: str) -> dict[str, Any]:
    """The loss of the 2-2-2 problem after so many updates."""
    example = derive.load("mazur-2-2-2")
    start = time.perf_counter()
    shown = example.shown(f"E@{steps}")
    return {"seconds": time.perf_counter() - start, "loss": shown}


JOBS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "all-gradients": all_gradients,
    "sympy-diff": sympy_diff,
    "gradient": gradient,
    "one-gradient": one_gradient,
    "page": page,
    "updates": updates,
}

if __name__ == "__main__":
    print(json.dumps(JOBS[sys.argv[1]](*sys.argv[2:])))
