"""Which graph each kind of problem becomes: a new kind is a row, and its module is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from derive.calculus.symbolic import activation_derivative, prove_activation
from derive.catalogue.activations import Activation
from derive.derivation.graph import DefinitionGraph, Graph, WrittenOut
from derive.derivation.network import NetworkGraph
from derive.errors import DeriveError
from derive.formula.grammar import write
from derive.numbers.exact import Real
from derive.problem.model import Problem


def _network(problem: Problem, network: Any) -> Graph:
    for layer in network.layers:
        _check_typed(layer.activation)
    return NetworkGraph(network, problem.given)


def _check_typed(row: Activation) -> None:
    """A derivative that somebody typed beside an activation must be proved equal to SymPy's before it is used."""
    if row.name == "custom" and row.derivative and not prove_activation(row):
        derived = write(activation_derivative(row))
        raise DeriveError(
            f'"{row.derivative}" is not proved to be the derivative of "{row.formula}"; accepted: {derived}, '
            "another form of it that can be proved, or no derivative at all"
        )


def _expression(_: Problem, definitions: Any) -> Graph:
    return DefinitionGraph(definitions)


def _activation(_: Problem, body: Any) -> Graph:
    from derive.derivation.points import NamedPointsGraph, PointsGraph

    _check_typed(body.activation)
    return NamedPointsGraph(body) if body.named else PointsGraph(body)


def _loss(problem: Problem, setting: Any) -> Graph:
    from derive.derivation.loss import LossGraph

    if setting.activation is not None:
        _check_typed(setting.activation)
    return LossGraph(setting, problem.given)


def _perceptron(problem: Problem, perceptron: Any) -> Graph:
    from derive.derivation.perceptron import PerceptronGraph

    return PerceptronGraph(problem, perceptron)


def _training(_: Problem, training: Any) -> Graph:
    from derive.derivation.training import training_definitions

    return DefinitionGraph(training_definitions(training))


def _initializer(_: Problem, body: Any) -> Graph:
    from derive.derivation.initializer import initializer_definitions

    return DefinitionGraph(initializer_definitions(body))


def _optimizer(problem: Problem, run: Any) -> Graph:
    from derive.derivation.unrolled import UnrolledGraph

    return UnrolledGraph(run, problem.given, carried=problem.rounding.carry == "full")


GRAPHS: dict[str, Callable[[Problem, Any], Graph]] = {
    "network": _network, "expression": _expression, "activation": _activation, "loss": _loss,
    "perceptron": _perceptron, "training": _training, "optimizer": _optimizer, "initializer": _initializer,
}  # fmt: skip


def graph_of(problem: Problem) -> Graph:
    """The graph of a problem; raises DeriveError for a typed derivative that is not the derivative."""
    return GRAPHS[problem.kind](problem, problem.body)


def known_values(graph: Graph) -> dict[str, Real]:
    """Values that were found when the graph was made, so that no evaluation has to begin at the far end of a run."""
    return dict(graph.checkpoints()) if isinstance(graph, WrittenOut) else {}
