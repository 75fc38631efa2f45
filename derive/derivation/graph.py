"""The graph of a problem: named nodes, each defined by its parents, made when asked for.

A network is one builder of a graph, an expression file another.  No node of a large layer exists until somebody asks
for it, so 784-128-10 costs what is looked at and no more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal, Protocol

from derive.catalogue.activations import Activation
from derive.formula.expression import Expr, names_in
from derive.numbers.exact import Real
from derive.problem.model import Definitions

Rule = Literal["given", "weighted-sum", "activation", "softmax", "loss", "loss-part", "total", "penalty", "definition"]

SERIES_FROM = 13
"""A sum with at least so many like terms is printed in Σ form."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node: `definition` in terms of other nodes, None for what is given.

    `layer` and `position` (counted from 1) say where it stands in a network; `sample` is 0 outside a batch.
    `parameter` is true of weights and biases.
    `textbook` holds derivatives with respect to parents in the form that textbooks use; what is not there is SymPy's.
    `terms_with`, of a long sum, gives its terms with a name at once: what SymPy is asked, as all others fall away.
    """

    name: str
    rule: Rule
    definition: Expr | None = None
    layer: int = 0
    position: int = 0
    sample: int = 0
    activation: Activation | None = None
    textbook: tuple[tuple[str, Expr], ...] = ()
    parameter: bool = False
    terms_with: Callable[[str], Expr] | None = None


class Graph(Protocol):
    """What a derivation needs to know."""

    @property
    def root(self) -> str | None:
        """What is differentiated: the loss or the output; None for a forward pass without a loss."""

    @property
    def all_lead_to_root(self) -> bool:
        """Whether every node that has children leads to the root, so that nobody needs to look."""

    def node(self, name: str) -> Node:
        """The node of that canonical name; KeyError when there is none."""

    def parents(self, name: str) -> tuple[str, ...]:
        """The nodes in the definition that are not given, in its order, each once."""

    def children(self, name: str) -> tuple[str, ...]:
        """The nodes whose definition contains this one, in the order of the forward pass."""

    def cancellation(self, name: str) -> tuple[str, Expr] | None:
        """(loss, ∂loss/∂name) where output activation and loss cancel to output − target."""

    def general_fork(self, name: str) -> Expr | None:
        """The k-th term of the sum over the children of a node of a large layer, for a Σ; None where there is none."""

    def forward(self) -> Iterator[str]:
        """Every defined node, in an order in which it can be evaluated."""

    def leaves(self) -> tuple[str, ...]:
        """The given nodes with respect to which a gradient is of interest."""


def sample_suffix(sample: int) -> str:
    return f"[{sample}]" if sample else ""


def split_sample(name: str) -> tuple[str, int]:
    """("net_h1", 2) for "net_h1[2]"; ("W1[3,4]", 0) for a weight by place; sample 0 where there is none."""
    head, bracket, tail = name.rpartition("[")
    if bracket and tail.endswith("]") and tail.isascii() and tail[:-1].isdigit():
        return head, int(tail[:-1])
    return name, 0


class WrittenOut(ABC):
    """A graph that holds every step of a run as nodes of its own; `also` maps further names to nodes."""

    counts: Literal["updates", "presentations"]
    also: Mapping[str, str] = MappingProxyType({})

    @abstractmethod
    def checkpoints(self) -> Iterator[tuple[str, Real]]:
        """Values that were found when the graph was made, so that no evaluation begins at the far end of a run."""


class DefinitionGraph:
    """The graph of an expression file, and of whatever else is written out as definitions."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = dict(definitions.define)
        self._output = definitions.output
        self._leaves = dict.fromkeys(definitions.leaves)

    @property
    def root(self) -> str | None:
        return self._output or None

    @property
    def all_lead_to_root(self) -> bool:
        return False

    def node(self, name: str) -> Node:
        if name in self._definitions:
            return Node(name, "definition", self._definitions[name])
        if name in self._leaves:
            return Node(name, "given")
        raise KeyError(name)

    def parents(self, name: str) -> tuple[str, ...]:
        definition = self._definitions.get(name)
        if definition is None:
            return ()
        return tuple(dict.fromkeys(part for part in names_in(definition) if part in self._definitions))

    @cached_property
    def _children(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name, definition in self._definitions.items():
            for part in dict.fromkeys(names_in(definition)):
                found.setdefault(part, []).append(name)
        return {name: tuple(users) for name, users in found.items()}

    def children(self, name: str) -> tuple[str, ...]:
        return self._children.get(name, ())

    def cancellation(self, name: str) -> tuple[str, Expr] | None:
        return None

    def general_fork(self, name: str) -> Expr | None:
        return None

    def forward(self) -> Iterator[str]:
        return iter(self._definitions)

    def leaves(self) -> tuple[str, ...]:
        return tuple(self._leaves)
