"""Every path of a gradient, one by one: what the sum over paths is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

from derive.derivation.chain_rule import Derivation, derivative_name
from derive.formula.expression import ONE, Expr, Name, multiply

MOST = 64


@dataclass(frozen=True, slots=True)
class Path:
    """The nodes from `bottom` up to `top`, and the product of the slopes along them."""

    nodes: tuple[str, ...]
    product: Expr


def paths(derivation: Derivation, top: str, bottom: str, most: int = MOST) -> tuple[list[Path], int]:
    """The first paths in the order of the graph, and how many there are in all."""
    counts: dict[str, int] = {}
    total = _count(derivation, top, bottom, counts)
    found = islice(_walk(derivation, top, (bottom,), counts), most)
    return [Path(nodes, _product(derivation, nodes)) for nodes in found], total


def _count(derivation: Derivation, top: str, name: str, counts: dict[str, int]) -> int:
    if name == top:
        return 1
    if name not in counts:
        counts[name] = sum(_count(derivation, top, child, counts) for child in derivation.graph.children(name))
    return counts[name]


def _walk(
    derivation: Derivation, top: str, nodes: tuple[str, ...], counts: dict[str, int]
) -> Iterator[tuple[str, ...]]:
    if nodes[-1] == top:
        yield nodes
        return
    for child in derivation.graph.children(nodes[-1]):
        if child == top or counts.get(child, 0):
            yield from _walk(derivation, top, (*nodes, child), counts)


def _product(derivation: Derivation, nodes: tuple[str, ...]) -> Expr:
    """The slopes from the top down, without those that are 1 because a node is a plain sum."""
    factors = []
    for lower, upper in pairwise(nodes):
        node = derivation.graph.node(upper)
        assert node.definition is not None
        name = derivative_name(upper, lower)
        if node.rule != "total" or not _is_one(derivation, upper, lower):
            factors.append(_local_name(derivation, upper, lower, name))
    return multiply(*reversed(factors))


def _local_name(derivation: Derivation, upper: str, lower: str, name: str) -> Expr:
    """The slope of one edge: by name, or itself where the name would mean the sum over more than this edge."""
    if derivation.quantity(name).rule == "local-derivative":
        return Name(name)
    return derivation.local(derivation.graph.node(upper), lower)


def _is_one(derivation: Derivation, upper: str, lower: str) -> bool:
    return derivation.local(derivation.graph.node(upper), lower) == ONE
