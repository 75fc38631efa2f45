"""The diagram of a problem: its network or its graph of definitions, with its numbers."""

from __future__ import annotations

from collections.abc import Iterator

from derive.derivation.network import NetworkGraph
from derive.derivation.steps import FEW
from derive.figures import Diagram, Spot, Wire
from derive.pages.writers import Writer
from derive.problem.model import Layer, Network
from derive.worked import WorkedExample

TALLEST = 6
"""Layers with more neurons are drawn with their first three and their last."""


def diagram(example: WorkedExample, text: Writer, latex: Writer, title: str) -> Diagram:
    """Values, labels in plain text and in LaTeX; large layers are cut short."""
    if isinstance(example.graph, NetworkGraph):
        return _network(example, example.graph.network, text, latex, title)
    return _definitions(example, text, latex, title)


def _network(example: WorkedExample, network: Network, text: Writer, latex: Writer, title: str) -> Diagram:
    columns = [_spots(example, [(name, name, "input") for name in network.inputs], text, latex)]
    wires: list[Wire] = []
    sources = list(network.inputs)
    for number, layer in enumerate(network.layers, 1):
        neurons = [(f"out_{name}", name, "neuron") for name in layer.neurons]
        columns.append(_spots(example, neurons, text, latex))
        columns[-2] = (*_biases(layer, number, text, latex), *columns[-2])
        drawn = {spot.name for column in columns[-2:] for spot in column}
        wires += [
            wire
            for wire in _wires(example, layer, number, sources, text, latex)
            if wire.source in drawn and wire.target in drawn
        ]
        sources = [f"out_{name}" for name in layer.neurons]
    if network.targets and len(network.layers[-1].neurons) <= TALLEST:
        targets = [(name, name, "target") for name in network.targets]
        columns.append(_spots(example, [(name, name, kind) for name, _, kind in targets], text, latex))
        wires += [Wire(out, target) for out, target in zip(sources, network.targets, strict=True)]
    return Diagram(tuple(columns), tuple(wires), title)


def _spots(example: WorkedExample, names: list[tuple[str, str, str]], text: Writer, latex: Writer) -> tuple[Spot, ...]:
    """(quantity, label, kind) as spots; of many the first three and the last with a gap between."""
    if len(names) > TALLEST:
        first, last = names[:3], names[-1]
        gap = Spot(f"gap {first[0][0]}", "⋮", r"\vdots", kind="gap")
        return (*_spots(example, first, text, latex), gap, *_spots(example, [last], text, latex))
    return tuple(
        Spot(name, _label(label, kind, text), _label(label, kind, latex), _value(example, name, kind, text), kind)  # type: ignore[arg-type]  # the three kinds above
        for name, label, kind in names
    )


def _label(label: str, kind: str, writer: Writer) -> str:
    """A neuron by its own name, h1; inputs and targets as quantities."""
    return writer.name(label) if kind != "neuron" or not label.isdigit() else label


def _value(example: WorkedExample, name: str, kind: str, text: Writer) -> str:
    if kind == "neuron" or getattr(example.problem.body, "samples", 1) > 1:
        return ""
    given = example.problem.given.get(name)
    return text.number(given.written) if given else ""


def _biases(layer: Layer, number: int, text: Writer, latex: Writer) -> Iterator[Spot]:
    """One small square above the layer before for each layer that has a bias."""
    if any(layer.biases) and len(layer.neurons) <= FEW:
        constant = text.constant(layer.bias_input)
        yield Spot(f"bias {number}", constant, latex.constant(layer.bias_input), kind="bias")


def _wires(
    example: WorkedExample, layer: Layer, number: int, sources: list[str], text: Writer, latex: Writer
) -> Iterator[Wire]:
    small = layer.weights.fan_in * layer.weights.neurons <= 30
    shown = [
        position
        for position in range(len(layer.neurons))
        if len(layer.neurons) <= TALLEST or position in (0, 1, 2, len(layer.neurons) - 1)
    ]
    for position in shown:
        target = f"out_{layer.neurons[position]}"
        for index, source in enumerate(sources):
            if len(sources) > TALLEST and index not in (0, 1, 2, len(sources) - 1):
                continue
            if layer.pieces and index // layer.pieces == position:
                yield Wire(source, target)
            name = layer.weights.name(position, index)
            if name:
                yield _wire(example, source, target, name if small else "", text, latex)
        bias = layer.biases[position]
        if bias and len(layer.neurons) <= FEW:
            yield _wire(example, f"bias {number}", target, bias if small else "", text, latex)


def _wire(example: WorkedExample, source: str, target: str, name: str, text: Writer, latex: Writer) -> Wire:
    if not name:
        return Wire(source, target)
    given = example.problem.given.get(name)
    labels = [writer.name(name) + (f" = {writer.number(given.written)}" if given else "") for writer in (text, latex)]
    return Wire(source, target, *labels)


def _definitions(example: WorkedExample, text: Writer, latex: Writer, title: str) -> Diagram:
    """Columns by depth: what is given on the left, the output on the right."""
    graph = example.graph
    depth: dict[str, int] = dict.fromkeys(graph.leaves(), 0)
    order = list(graph.forward())
    users = {name: graph.children(name) for name in (*graph.leaves(), *order)}
    parents: dict[str, list[str]] = {name: [] for name in order}
    for name, above in users.items():
        for user in above:
            parents[user].append(name)
    for name in order:
        depth[name] = 1 + max((depth[parent] for parent in parents[name]), default=0)
    used = [name for name in (*graph.leaves(), *order) if name in parents or users[name]]
    columns: list[list[Spot]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in used:
        kind = "input" if name not in parents else "operation"
        value = example.written(name) or ""
        columns[depth[name]].append(Spot(name, text.name(name), latex.name(name), text.number(value), kind))  # type: ignore[arg-type]  # the two kinds above
    wires = tuple(Wire(parent, name) for name in order for parent in parents[name])
    return Diagram(tuple(tuple(column) for column in columns if column), wires, title)
