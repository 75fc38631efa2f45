"""The graph of a perceptron: its run unrolled into named definitions."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property

from derive.derivation.graph import Node, WrittenOut, split_sample
from derive.derivation.perceptron_run import Run, Separation, separation
from derive.formula.expression import ZERO as NOTHING
from derive.formula.expression import (
    Cases,
    Condition,
    Expr,
    Name,
    Relation,
    add,
    multiply,
    names_in,
    number,
    subtract,
)
from derive.problem.model import Problem
from derive.problem.perceptron import Perceptron

CHECKPOINT = 500
"""After every so many presentations the values start from the run instead of from the first presentation."""

LISTED = 200
"""Of a run with more presentations than twice this, the graph lists the first and the last."""


class PerceptronGraph(WrittenOut):
    """The run unrolled, each node made when asked for.

    net[i] and out[i] belong to presentation i; w1[i] and b[i] are the weights after it.  Nothing is differentiated.
    """

    counts = "presentations"

    def __init__(self, problem: Problem, perceptron: Perceptron) -> None:
        self.perceptron = perceptron
        self.problem = problem
        self.run = Run(problem, perceptron)
        self._leaves = frozenset(perceptron.leaves)

    @cached_property
    def separation(self) -> Separation | None:
        return separation(self.problem, self.perceptron)

    @property
    def root(self) -> str | None:
        return None

    @property
    def all_lead_to_root(self) -> bool:
        return False

    def node(self, name: str) -> Node:
        if name in self._leaves:
            return Node(name, "given", parameter=name in self.perceptron.parameters)
        if name in ("converged", "epochs") and self.perceptron.target:
            value = self.run.epochs if name == "epochs" else int(self.run.converged)
            return Node(name, "definition", number(value))
        head, place = split_sample(name)
        if not 1 <= place <= self.run.presentations:
            raise KeyError(name)
        if head == "net":
            return Node(name, "weighted-sum", self._net(place))
        if head == "out":
            return Node(name, "definition", self._out(place))
        if head == "error" and self._has_errors:
            return Node(name, "definition", self._error(place))
        if head in self.perceptron.parameters and self.perceptron.target:
            return Node(name, "definition", self._updated(head, place))
        raise KeyError(name)

    def checkpoints(self) -> Iterator[tuple[str, Fraction]]:
        """The weights after every so many presentations, from which the values of later ones are found."""
        if not self.perceptron.target:
            return
        for place in range(CHECKPOINT, self.run.presentations, CHECKPOINT):
            for name, value in zip(self.perceptron.parameters, self.run.weights(place), strict=True):
                yield f"{name}[{place}]", value

    def before(self, name: str, place: int) -> Name:
        """A parameter as it is when presentation `place` begins."""
        return Name(f"{name}[{place - 1}]" if place > 1 and self.perceptron.target else name)

    def input(self, name: str, place: int) -> Name:
        """An input or the target in that presentation."""
        return Name(self.perceptron.of_point(name, self.run.point(place)))

    def _net(self, place: int) -> Expr:
        shape = self.perceptron
        terms: list[Expr] = [
            multiply(self.before(weight, place), self.input(source, place))
            for weight, source in zip(shape.weights, shape.inputs, strict=True)
        ]
        if shape.bias:
            terms.append(multiply(self.before(shape.bias, place), shape.bias_input))
        return add(*terms)

    def _out(self, place: int) -> Expr:
        shape, net = self.perceptron, Name(f"net[{place}]")
        lower, upper = (number(label) for label in shape.labels)
        at_zero = self._wrong(place) if shape.at_zero is None else shape.at_zero
        if at_zero in shape.labels:
            relation: Relation = ">=" if at_zero == shape.labels[1] else ">"
            return Cases(((upper, Condition(net, relation, NOTHING)),), lower)
        return Cases(((upper, Condition(net, ">", NOTHING)), (lower, Condition(net, "<", NOTHING))), number(at_zero))

    @property
    def _has_errors(self) -> bool:
        return self.perceptron.update == "difference" and "error" not in self.perceptron.parameters

    def _error(self, place: int) -> Expr | None:
        """Target minus output, where the rule takes its step with that; not on the page, but it can be asked for."""
        target = self.perceptron.target
        return subtract(self.input(target, place), Name(f"out[{place}]")) if target else None

    def _wrong(self, place: int) -> int:
        """The label that the point does not have."""
        target = self.perceptron.target
        wanted = int(self.problem.given[self.input(target, place).name].value) if target else self.perceptron.labels[1]
        return sum(self.perceptron.labels) - wanted

    def _updated(self, name: str, place: int) -> Expr:
        """The old value plus η times error (or label) times what the weight is multiplied by."""
        shape = self.perceptron
        assert shape.target is not None
        old, wanted, out = self.before(name, place), self.input(shape.target, place), Name(f"out[{place}]")
        feeds = self.input(shape.inputs[shape.weights.index(name)], place) if name != shape.bias else shape.bias_input
        if shape.update == "difference":
            return add(old, multiply(Name("eta"), subtract(wanted, out), feeds))
        moved = add(old, multiply(Name("eta"), wanted, feeds))
        return Cases(((moved, Condition(multiply(wanted, out), "<=", NOTHING)),), old)

    def parents(self, name: str) -> tuple[str, ...]:
        definition = self.node(name).definition
        return (
            ()
            if definition is None
            else tuple(dict.fromkeys(part for part in names_in(definition) if part not in self._leaves))
        )

    def children(self, name: str) -> tuple[str, ...]:  # noqa: ARG002  # the protocol asks it so
        """Empty: nothing is differentiated, so nobody walks upwards."""
        return ()

    def cancellation(self, name: str) -> tuple[str, Expr] | None:  # noqa: ARG002  # the protocol asks it so
        return None

    def general_fork(self, name: str) -> Expr | None:  # noqa: ARG002  # the protocol asks it so
        return None

    def forward(self) -> Iterator[str]:
        """Every node in order; of a long run those of the first and the last presentations."""
        total = self.run.presentations
        places = range(1, total + 1)
        listed = places if total <= 2 * LISTED else (*places[:LISTED], *places[-LISTED:])
        parameters = self.perceptron.parameters if self.perceptron.target else ()
        for place in listed:
            yield from (f"{head}[{place}]" for head in ("net", "out", *parameters))
        if self.perceptron.target:
            yield from ("converged", "epochs")

    def leaves(self) -> tuple[str, ...]:
        return self.perceptron.leaves
