"""What stacks of linear layers amount to, against the layers themselves fed with unit vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from derive.derivation.matrices import NetworkMatrices
from derive.derivation.network import NetworkGraph
from derive.derivation.stacks import Stack, stacks
from derive.verify.arithmetic import arithmetic_of
from derive.verify.derived import Derived
from derive.verify.formulas import evaluated
from derive.verify.opinion import Opinion
from derive.verify.plain_network import PlainLayer

Pair = tuple[str, Any, Opinion]
"""A name, the derived number and what the witness says."""


def collapsed_pairs(derived: Derived) -> Iterator[Pair]:
    """W[i,j] and B[j] of every stack whose entries a page shows."""
    graph = derived.example.graph
    assert isinstance(graph, NetworkGraph)
    numbers = {name: arithmetic_of().number(value.value) for name, value in derived.given.items()}
    layers = [PlainLayer(layer, numbers.__getitem__, arithmetic_of()) for layer in graph.network.layers]
    for stack in stacks(NetworkMatrices(derived.example.derivation, graph)):
        yield from _of_stack(stack, layers[stack.first - 1 : stack.last], numbers)


def _of_stack(stack: Stack, layers: list[PlainLayer], numbers: dict[str, Any]) -> Iterator[Pair]:
    rows, columns = stack.shape
    zero = arithmetic_of().context.mpf(0)
    offset = _through(layers, [zero] * rows)
    for i in range(rows):
        unit = _through(layers, [zero + (k == i) for k in range(rows)])
        for j in range(columns):
            if (entry := _entry(stack, i, j, numbers)) is not None:
                yield f"W[{i + 1},{j + 1}]", entry, Opinion(unit[j] - offset[j], abs(offset[j]) * 1e-30)
    for j in range(columns):
        if (entry := _entry(stack, None, j, numbers)) is not None:
            yield f"B[{j + 1}]", entry, Opinion(offset[j])


def _through(layers: list[PlainLayer], signals: list[Any]) -> list[Any]:
    for layer in layers:
        signals = layer.nets(signals)
    return signals


def _entry(stack: Stack, i: int | None, j: int, numbers: dict[str, Any]) -> Any:
    """The derived number; with symbols that of its formula; None where a page has neither."""
    if stack.weight_numbers is not None and stack.bias_numbers is not None:
        exact = stack.bias_numbers[j] if i is None else stack.weight_numbers[i][j]
        return arithmetic_of().number(exact)
    written = stack.biases if i is None else stack.weights
    if written is None:
        return None
    return evaluated(written.entry(1 if i is None else i + 1, j + 1), numbers.__getitem__, arithmetic_of())
