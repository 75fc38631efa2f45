"""What is peculiar to a kind of problem on the sheets of a class: how its numbers are named, and what may not vary."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product

from derive.derivation.graph import split_sample
from derive.errors import DeriveError
from derive.formula.expression import Number
from derive.problem.loss import LossSetting
from derive.problem.model import Network, Problem
from derive.problem.perceptron import Perceptron, exact_decimals
from derive.problem.points import ActivationPoints
from derive.problem.training import Training

KINDS = ("network", "expression", "training", "loss", "optimizer", "perceptron", "activation")
"""Kinds that sheets are made of; what is derived is the same for every variant."""

_WEIGHTS_AND_INPUTS = "weights = { from = 0.10, to = 0.90, step = 0.05 }\ninputs = { choose = [0.05, 0.10, 0.20] }"
_EXAMPLES: Mapping[str, str] = {
    "network": _WEIGHTS_AND_INPUTS,
    "perceptron": "weights = { from = -1, to = 1, step = 1 }\nlearning_rate = { choose = [0.5, 1] }",
    "activation": "at = { from = -3, to = 3, step = 0.5 }",
}
_POINT = re.compile(r"(.*)\(([^()]*)\)", re.DOTALL)


def on_sheet(problem: Problem) -> Problem:
    """The problem in the form whose derivation holds for all variants: an activation at points that have names."""
    body = problem.body
    if not isinstance(body, ActivationPoints):
        return problem
    given = {
        name: value
        for names, point in zip(body.names().values(), body.points, strict=True)
        for name, value in zip(names, point, strict=True)
    }
    named = replace(body, named=True)
    return replace(problem, body=named, given=given, ask=tuple(asked_as(named, name) for name in problem.ask))


def asked_as(body: object, name: str) -> str:
    """f(z1) for f(0.5), where 0.5 is the first point of an activation; any other name as it is."""
    found = _POINT.fullmatch(name.replace(" ", "")) if isinstance(body, ActivationPoints) and body.named else None
    if found is None or not isinstance(body, ActivationPoints):
        return name
    try:
        values = tuple(Fraction(text) for text in found[2].split(","))
    except (ValueError, ZeroDivisionError):
        return name
    points = zip(body.names(), body.points, strict=True)
    labels = [label for label, point in points if tuple(entry.value for entry in point) == values]
    return f"{found[1]}({labels[0]})" if labels else name


def with_digits(problem: Problem, choices: Mapping[str, Sequence[Number]], *, said: bool) -> Problem:
    """A perceptron whose file does not say how to round, with as many decimals as its numbers have in any variant."""
    body = problem.body
    if said or not isinstance(body, Perceptron):
        return problem
    numbers = {name: (choices.get(name) or (number,)) for name, number in problem.given.items()}
    decimals = exact_decimals(body, numbers)
    return problem if decimals is None else replace(problem, rounding=replace(problem.rounding, decimals=decimals))


def is_exact(problem: Problem, choices: Mapping[str, Sequence[Number]]) -> bool:
    """Whether no number of a perceptron is rounded in any variant."""
    body = problem.body
    if not isinstance(body, Perceptron) or problem.rounding.decimals is None:
        return False
    decimals = exact_decimals(body, {name: choices.get(name) or (own,) for name, own in problem.given.items()})
    return decimals is not None and decimals <= problem.rounding.decimals


def groups(problem: Problem) -> dict[str, str]:
    """The group of each given number, by name."""
    body = problem.body
    if isinstance(body, ActivationPoints):
        return dict.fromkeys(body.leaves, "at")
    if isinstance(body, Perceptron):
        heads = dict.fromkeys(body.inputs, "inputs") | ({body.target: "targets"} if body.target else {})
        points = {name: heads[_head(name)] for name in problem.given if _head(name) in heads}
        weights = dict.fromkeys(body.weights, "weights") | ({body.bias: "biases"} if body.bias else {})
        return {**points, **weights, "eta": "learning_rate"}
    if not isinstance(body, Network):
        return {}
    heads = dict.fromkeys(body.inputs, "inputs") | dict.fromkeys(body.targets, "targets")
    found = {name: heads[_head(name)] for name in problem.given if _head(name) in heads}
    found |= dict.fromkeys(body.weight_names(), "weights") | dict.fromkeys(body.bias_names(), "biases")
    return {**found, "eta": "learning_rate"}


def example_of_vary(problem: Problem) -> str:
    """Lines of a table [vary] that would do."""
    if problem.kind in _EXAMPLES:
        return _EXAMPLES[problem.kind]
    return f"{next(iter(problem.given))} = {{ from = 1, to = 9, step = 1 }}"


def check(source: str, problem: Problem, choices: Mapping[str, Sequence[Number]]) -> None:
    """Raises DeriveError where the numbers that vary decide what is derived, and not only what it comes to."""
    for name, found in _CHECKS.get(problem.kind, _nothing)(problem, choices):
        raise DeriveError(f"{source}: {name}: {found}")


def _nothing(_: Problem, __: Mapping[str, Sequence[Number]]) -> Iterator[tuple[str, str]]:
    return iter(())


def _network(problem: Problem, choices: Mapping[str, Sequence[Number]]) -> Iterator[tuple[str, str]]:
    body = problem.body
    assert isinstance(body, Network)
    if body.layers[-1].activation.vector is not None and any(_head(name) in body.targets for name in choices):
        yield "vary", "the targets of a softmax decide how its gradient is derived; accepted: all else"


def _loss(problem: Problem, choices: Mapping[str, Sequence[Number]]) -> Iterator[tuple[str, str]]:
    body = problem.body
    assert isinstance(body, LossSetting)
    if "t - o" in body.loss.part or "o - t" in body.loss.part:
        return
    for name in choices:
        if name.startswith("t"):
            yield f"vary.{name}", (f"the targets of a {body.loss.title} decide how its gradient is derived; accepted: "
                                   "the predictions")  # fmt: skip


def _perceptron(problem: Problem, choices: Mapping[str, Sequence[Number]]) -> Iterator[tuple[str, str]]:
    body = problem.body
    assert isinstance(body, Perceptron)
    if body.target is None:
        return
    if body.order == "restart":
        yield "order", '"restart": which point comes next hangs on the numbers of each sheet; accepted: "cycle"'
    for name in choices:
        if _head(name) != body.target:
            continue
        if body.at_zero is None:
            yield f"vary.{name}", "a target that varies decides what a sum of 0 gives; accepted: step_at_zero = 0 or 1"
        wrong = next((number for number in choices[name] if number.value not in body.labels), None)
        if wrong is not None:
            labels = " and ".join(map(str, body.labels))
            yield f"vary.{name}", f"found {wrong.written}; accepted: {labels}, as the other targets have it"


def _training(problem: Problem, choices: Mapping[str, Sequence[Number]]) -> Iterator[tuple[str, str]]:
    """How many samples the last batch has is a constant of what is derived."""
    body = problem.body
    assert isinstance(body, Training)
    rest = body.samples % body.batch
    for name, numbers in choices.items():
        wrong = next((number for number in numbers if number.value < 1 or number.value.denominator != 1), None)
        if wrong is not None:
            yield f"vary.{name}", f"found {wrong.written}; accepted: whole numbers from 1"
            return
    own = {name: choices.get(name) or (problem.given[name],) for name in ("samples", "batch")}
    for samples, batch in product(own["samples"], own["batch"]):
        left = samples.value % batch.value
        if left != rest:
            name = next(name for name in ("samples", "batch") if name in choices)
            yield f"vary.{name}", (f"{samples.written} samples in batches of {batch.written} leave {left}, the file's "
                                   f"own numbers leave {rest}; accepted: numbers that always leave {rest}")  # fmt: skip
            return


_CHECKS: Mapping[str, Callable[[Problem, Mapping[str, Sequence[Number]]], Iterator[tuple[str, str]]]] = {
    "network": _network, "loss": _loss, "perceptron": _perceptron, "training": _training,
}  # fmt: skip

NO_SHEETS: Mapping[str, str] = {
    "initializer": "its random numbers are drawn by a generator, which nobody does by hand",
}
"""Why there are no sheets of a kind."""


def check_kind(source: str, problem: Problem) -> None:
    """Raises DeriveError for a problem that no sheet can be made of."""
    if problem.kind not in KINDS:
        why = NO_SHEETS.get(problem.kind, "")
        raise DeriveError(
            f'{source}: no worksheets for a problem of the kind "{problem.kind}"{": " if why else ""}{why}; accepted: '
            f"{', '.join(KINDS)}"
        )
    if not problem.given:
        raise DeriveError(f"{source}: nothing has a number; accepted: a problem with numbers")
    if not problem.vary:
        raise DeriveError(
            f"{source}: nothing varies, so all sheets would be alike; accepted: a problem with a table [vary], "
            f"for example\n[vary]\n{example_of_vary(problem)}"
        )


def _head(name: str) -> str:
    return split_sample(name)[0]
