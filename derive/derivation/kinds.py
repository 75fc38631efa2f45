"""Which graph each kind of problem becomes: a new kind is a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from derive.calculus.symbolic import activation_derivative, prove_activation
from derive.catalogue.activations import Activation
from derive.derivation.graph import DefinitionGraph, Graph
from derive.derivation.network import NetworkGraph
from derive.errors import DeriveError
from derive.formula.grammar import write
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


GRAPHS: dict[str, Callable[[Problem, Any], Graph]] = {"network": _network, "expression": _expression}


def graph_of(problem: Problem) -> Graph:
    """The graph of a problem; raises DeriveError for a typed derivative that is not the derivative."""
    return GRAPHS[problem.kind](problem, problem.body)
