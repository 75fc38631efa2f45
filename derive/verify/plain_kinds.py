"""Perceptrons, initializers and the counting of batches as plain loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from derive.problem.initializer import Initialization
from derive.problem.model import Problem
from derive.problem.perceptron import Perceptron
from derive.problem.training import Training
from derive.verify.arithmetic import Arithmetic
from derive.verify.functions import SCALARS

Values = Mapping[str, Any]


# --- perceptron ------------------------------------------------------------------------------------------------------


def perceptron_values(problem: Problem, _: Arithmetic) -> Values:
    """net[i], out[i] and the weights after presentation i, `converged` and `epochs`, in fractions."""
    shape = problem.body
    assert isinstance(shape, Perceptron)
    given = {name: value.value for name, value in problem.given.items()}
    weights = {name: given[name] for name in shape.parameters}
    found: dict[str, Any] = {}
    place = 0
    for epoch in range(1, (shape.epochs if shape.target else 1) + 1):
        mistakes = 0
        for point in range(1, shape.samples + 1):
            place += 1
            fed = [given[shape.of_point(name, point)] for name in shape.inputs]
            wrong = _present(shape, given, weights, fed, point, place, found)
            mistakes += wrong
            if wrong and shape.order == "restart":
                break
        if shape.target:
            found |= {"epochs": Fraction(epoch), "converged": Fraction(not mistakes)}
        if not mistakes:
            break
    return found


def _present(
    shape: Perceptron,
    given: Mapping[str, Fraction],
    weights: dict[str, Fraction],
    fed: list[Fraction],
    point: int,
    place: int,
    found: dict[str, Any],
) -> bool:
    """One presentation: whether it was a mistake; `weights` and `found` are brought up to date."""
    constant = shape.bias_input.value
    net = sum((weights[name] * value for name, value in zip(shape.weights, fed, strict=True)), Fraction(0))
    net += weights[shape.bias] * constant if shape.bias else 0
    lower, upper = shape.labels
    wanted = int(given[shape.of_point(shape.target, point)]) if shape.target else None
    if net == 0:
        other = lower if wanted in (upper, None) else upper
        out = other if shape.at_zero is None else shape.at_zero
    else:
        out = upper if net > 0 else lower
    found[f"net[{place}]"], found[f"out[{place}]"] = net, Fraction(out)
    if wanted is None:
        return False
    if out != wanted:
        factor = wanted if shape.update == "label" else wanted - out
        for name, value in zip(shape.weights, fed, strict=True):
            weights[name] += given["eta"] * factor * value
        if shape.bias:
            weights[shape.bias] += given["eta"] * factor * constant
    found |= {f"{name}[{place}]": value for name, value in weights.items()}
    return out != wanted


# --- batches ---------------------------------------------------------------------------------------------------------

MOST_COUNTED = 100_000


def training_values(problem: Problem, _: Arithmetic) -> Values:
    """The batches of an epoch counted one by one; of very many, by whole division."""
    body = problem.body
    assert isinstance(body, Training)
    whole, rest = divmod(body.samples, body.batch)
    if whole <= MOST_COUNTED:
        sizes = [min(body.batch, body.samples - start) for start in range(0, body.samples, body.batch)]
        kept = [size for size in sizes if size == body.batch or not body.drop_last]
        batches, last = len(kept), kept[-1]
    else:
        short = bool(rest) and not body.drop_last
        batches, last = whole + short, rest if short else body.batch
    counts = {"rest": rest, "batches": batches, "last": last, "iterations": batches * body.epochs}
    return {name: Fraction(count) for name, count in counts.items()}


# --- initializers ----------------------------------------------------------------------------------------------------

_VARIANCES: Mapping[str, Callable[[Any, Any, Mapping[str, Any]], Any]] = {
    "zeros": lambda n, _m, _p: n * 0,
    "constant": lambda n, _m, _p: n * 0,
    "uniform": lambda _n, _m, p: (2 * p["bound"]) ** 2 / 12,
    "normal": lambda _n, _m, p: p["deviation"] ** 2,
    "pytorch-linear": lambda n, _m, _p: 4 / n / 12,
    "xavier-uniform": lambda n, m, _p: 2 / (n + m),
    "xavier-normal": lambda n, m, _p: 2 / (n + m),
    "he-uniform": lambda n, _m, p: 2 / n / (1 + p["slope"] ** 2),
    "he-normal": lambda n, _m, p: 2 / n / (1 + p["slope"] ** 2),
    "lecun-uniform": lambda n, _m, _p: 1 / n,
    "lecun-normal": lambda n, _m, _p: 1 / n,
}
"""The variance of one weight of a layer with n inputs and m outputs."""


def initializer_values(problem: Problem, arithmetic: Arithmetic) -> Values:
    """The variance, deviation and limit; by how much a layer multiplies the second moments."""
    body = problem.body
    assert isinstance(body, Initialization)
    row = body.initializer
    parameters = {key: arithmetic.number(value.value) for key, value in row.parameters}
    fan_in, fan_out = (arithmetic.number(Fraction(fan)) for fan in (body.fan_in, body.fan_out))
    variance = _VARIANCES[row.name](fan_in, fan_out, parameters)
    kept = _kept(row.activation, parameters, arithmetic)
    root = arithmetic.functions.sqrt
    return {
        "weight": parameters.get("value", variance * 0),
        "variance": variance,
        "deviation": root(variance),
        "limit": root(3 * variance),
        "forward_factor": kept * fan_in * variance,
        "backward_factor": kept * fan_out * variance,
    }


def _kept(activation: str, parameters: Mapping[str, Any], arithmetic: Arithmetic) -> Any:
    """The share of a second moment that an activation of two straight halves lets through."""
    slope = parameters.get("slope", arithmetic.number(Fraction(0)))
    one = arithmetic.number(Fraction(1))
    name = "leaky-relu" if slope else activation
    right, left = (SCALARS[name](arithmetic.functions, z, {"alpha": slope}) for z in (one, -one))
    return (right**2 + left**2) / 2


VALUES: Mapping[str, Callable[[Problem, Arithmetic], Values]] = {
    "perceptron": perceptron_values, "training": training_values, "initializer": initializer_values,
}  # fmt: skip
