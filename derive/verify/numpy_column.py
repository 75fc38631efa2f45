"""The functions, the network and the optimizers of `derive.mlp` on a problem, with a bound on their rounding errors."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.catalogue.activations import Activation as Row
from derive.mlp.activations import Activation
from derive.mlp.losses import Loss
from derive.mlp.optimizers import Optimizer
from derive.problem.loss import LossSetting
from derive.problem.model import Problem
from derive.problem.optimizer import OptimizerRun
from derive.problem.points import ActivationPoints
from derive.verify.numpy_network import NumpyNetwork, Typed
from derive.verify.numpy_updates import updated

Array = NDArray[Any]
Numbers = dict[str, float]
Given = Mapping[str, float]
Objective = Callable[[int, Given], Given]
"""The gradient after so many updates."""

NUDGE = 2.0**-50
"""What the given numbers are changed by, relatively, to see how errors of rounding grow."""


def numpy_numbers(problem: Problem, given: Given, steps: int, objective: Objective) -> Iterator[Numbers] | None:
    """All numbers before any update, after the first, …; None for a kind that has nothing to do with networks."""
    body = problem.body
    if problem.kind == "network":
        return NumpyNetwork(problem, given).after(steps)
    if isinstance(body, ActivationPoints):
        return iter([dict(_points(body))])
    if isinstance(body, LossSetting):
        return iter([_loss(body, given)])
    if isinstance(body, OptimizerRun):
        return iter([_updates(body, given, objective)])
    return None


class NumpyColumn:
    """The numbers of `numpy_numbers`, and how far each may be off.

    Everything is calculated a second time with the given numbers changed in their last digits: what that changes is
    what rounding may change.
    """

    def __init__(self, problem: Problem, given: Given, steps: int, objective: Objective) -> None:
        spread = random.Random(0)
        nudged = {name: value * (1 + spread.choice((-1, 1)) * NUDGE) for name, value in given.items()}
        with np.errstate(all="ignore"):
            runs = [numpy_numbers(problem, numbers, steps, objective) for numbers in (given, nudged)]
            found, beside = (list(run) if run else [] for run in runs)
        self.applies = bool(found)
        self._found, self._beside = found, beside

    def number(self, name: str, step: int) -> float | None:
        if step >= len(self._found):
            return None
        value = self._found[step].get(name)
        return value if value is not None and np.isfinite(value) else None

    def floor(self, name: str, step: int) -> float:
        value, beside = self._found[step][name], self._beside[step].get(name)
        return 32 * abs(value - beside) if beside is not None and np.isfinite(beside) else 0.0


def _function(row: Row) -> Any:
    return Typed(row) if row.name == "custom" else Activation(row)


def _points(body: ActivationPoints) -> Iterator[tuple[str, float]]:
    """f(0.5), f'(0.5), f1(1,2,3), df1/dz2(1,2,3)."""
    from derive.derivation.points import point_name, slope_symbols, value_symbols

    row = body.activation
    for point in body.points:
        z = np.array([[float(value.value) for value in point]])
        function = Activation(row.with_parameters(_pieces(row, len(point)))) if row.name == "maxout" else _function(row)
        a = function.value(z)
        symbols = value_symbols(row, len(point))
        yield from ((point_name(symbol, point), float(value)) for symbol, value in zip(symbols, a[0], strict=True))
        slopes = [function.backward(z, a, one[None, :])[0] for one in np.eye(len(symbols))]
        flat = np.concatenate(slopes)
        names = slope_symbols(row, len(point))
        yield from ((point_name(symbol, point), float(slope)) for symbol, slope in zip(names, flat, strict=True))


def _pieces(row: Row, count: int) -> dict[str, Any]:
    from derive.formula.expression import number

    return {key: number(count) if key == "pieces" else value for key, value in row.parameters}


def _loss(body: LossSetting, given: Given) -> Numbers:
    """E, E[k], o1 … and the slopes of E."""
    suffixes = body.suffixes()
    t, o = (np.array([[given[name] for name in body.names(letter, suffix)] for suffix in suffixes])
            for letter in ("t", body.given_letter))  # fmt: skip
    z, function = o, _function(body.activation) if body.activation else None
    if function:
        o = function.value(z)
    loss = Loss(body.loss, body.activation.name if body.activation else "")
    plain = Loss(body.loss, "")
    samples = loss.value(t, o, z)
    mean = body.reduction == "mean"
    share = 1 / len(suffixes) if mean else 1.0
    found = {f"E{suffix}": float(value) for suffix, value in zip(suffixes, samples, strict=True)}
    found["E"] = float(samples.mean() if mean else samples.sum())
    by_output = plain.slope(t, o, z) * share
    found |= dict(_named("dE/d", body, "o", by_output))
    if function:
        by_net = loss.slope(t, o, z) * share if loss.takes_nets else function.backward(z, o, by_output)
        found |= dict(_named("", body, "o", o)) | dict(_named("dE/d", body, "z", by_net))
    return found


def _named(prefix: str, body: LossSetting, letter: str, values: Array) -> Iterator[tuple[str, float]]:
    for suffix, row in zip(body.suffixes(), values, strict=True):
        yield from ((prefix + name, float(value)) for name, value in zip(body.names(letter, suffix), row, strict=True))


def _updates(run: OptimizerRun, given: Given, objective: Objective) -> Numbers:
    """w@1, m_w@1, …"""
    names = list(run.parameters)
    optimizer = Optimizer(run.recipe, float(run.rate.value))
    vector = np.array([given[name] for name in names])
    optimizer.begin(vector)
    found: Numbers = {}
    for step in range(1, run.steps + 1):
        if run.objective is None:
            slopes: Given = {name: given[f"g_{name}@{step}"] for name in names}
        else:
            slopes = objective(step - 1, dict(zip(names, vector.tolist(), strict=True)))
        carried = updated(optimizer, names, vector, np.array([slopes[name] for name in names]))
        now = {**dict(zip(names, vector.tolist(), strict=True)), **carried}
        found |= {f"{name}@{step}": value for name, value in now.items()}
    return found
