"""What a problem gives: its numbers, and the shapes of its layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from derive.derivation.graph import sample_suffix
from derive.derivation.network import NetworkGraph
from derive.derivation.steps import few
from derive.pages.blocks import Block, table
from derive.pages.equations import RELATIONS
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.problem.model import Layer, Update
from derive.worked import WorkedExample

SHOWN = 40
"""So many given values of one kind are listed; what a large network gives stays in its file."""


def given_table(example: WorkedExample, prose: Prose, writer: Writer) -> Block | None:
    """Inputs, targets, weights and biases with their numbers as written; None when nothing has a number."""
    graph = example.graph
    rows: list[tuple[str, ...]] = list(
        _network(example, graph, prose, writer)
        if isinstance(graph, NetworkGraph)
        else _row(example, prose.say("given", "values"), graph.leaves(), writer)
    )
    update = example.problem.update
    if update and not example.options.forward:
        rows += _rate(example, update, prose, writer)
    if example.options.only:
        rows += _known(example, prose, writer)
    return table(("", ""), rows) if rows else None


def _rate(example: WorkedExample, update: Update, prose: Prose, writer: Writer) -> Iterator[tuple[str, str]]:
    """The learning rate, which a schedule starts from, and the hyper-parameters of the optimizer."""
    rule = example.derivation.updates.rule
    rate = "eta_0" if update.recipe.is_scheduled() else "eta"
    yield prose.say("given", "learning_rate"), _assigned(rate, update.learning_rate.written, writer)
    names = [name for name in example.derivation.updates.constants() if name != rate and name not in rule.counters]
    known = {name: example.derivation.known(name, 0) for name in names}
    if known:
        shown = (_assigned(name, number.written, writer) for name, number in known.items() if number)
        yield prose.say("optimizer", "hypers"), writer.listed(shown)


def _known(example: WorkedExample, prose: Prose, writer: Writer) -> Iterator[tuple[str, str]]:
    """The numbers of the forward pass, which single gradients start from."""
    found = []
    for name in islice(example.graph.forward(), SHOWN):
        shown = example.shown(name)
        if shown is not None:
            sign = "=" if not example.is_rounded(name) else RELATIONS["≈"][writer.style]
            found.append(writer.inline(f"{writer.name(name)} {sign} {writer.number(shown)}"))
    if found:
        yield prose.say("headings", "forward"), writer.listed(found)


def _assigned(name: str, text: str, writer: Writer) -> str:
    return writer.inline(f"{writer.name(name)} = {writer.number(text)}")


def _row(example: WorkedExample, title: str, names: Iterable[str], writer: Writer) -> Iterator[tuple[str, str]]:
    given = example.problem.given
    known = [_assigned(name, given[name].written, writer) for name in names if name in given]
    if known:
        more = [] if len(known) <= SHOWN else ["…"]
        yield title, writer.listed(known[:SHOWN] + more)


def _network(example: WorkedExample, graph: NetworkGraph, prose: Prose, writer: Writer) -> Iterator[tuple[str, str]]:
    network = graph.network
    targets = prose.say("given", "target" if len(network.targets) == 1 else "targets")
    for sample in graph.samples:
        suffix = sample_suffix(sample)
        inputs = [name + suffix for name in network.inputs]
        wanted = [name + suffix for name in network.targets]
        if sample:
            yield from _row(example, prose.say("given", "sample", sample=sample), [*inputs, *wanted], writer)
        else:
            yield from _row(example, prose.say("given", "inputs"), inputs, writer)
            yield from _row(example, targets, wanted, writer)
    for layer in network.layers:
        yield from _parameters(example, layer, prose, writer)


def _parameters(example: WorkedExample, layer: Layer, prose: Prose, writer: Writer) -> Iterator[tuple[str, str]]:
    if layer.weights.by_place and not example.options.whole:
        return
    for index in few(range(len(layer.neurons)), example.options.whole):
        names = (layer.weights.name(index, source) for source in range(layer.weights.fan_in))
        title = prose.say("given", "weights", neuron=writer.escape(layer.neurons[index]))
        yield from _row(example, title, [name for name in names if name], writer)
    biases = list(dict.fromkeys(bias for bias in layer.biases if bias))
    neurons = ", ".join(writer.escape(name) for name, bias in zip(layer.neurons, layer.biases, strict=True) if bias)
    title = prose.say("given", "bias", several=len(biases) > 1, neurons=neurons)
    yield from _row(example, title, biases, writer)
    for key, name in layer.trained:
        title = prose.say("given", "trained", parameter=writer.quantity(key), title=layer.activation.title)
        yield from _row(example, title, [name], writer)


def shapes_table(graph: NetworkGraph, writer: Writer) -> Block:
    """X, W, B and Y of each layer with their shapes: (samples × inputs) (inputs × neurons)."""
    network, samples = graph.network, graph.network.samples
    rows: list[tuple[str, ...]] = []
    feeds, width = "X", len(network.inputs)
    several = len(network.layers) > 1
    for number, layer in enumerate(network.layers, 1):
        index = str(number) if several else ""
        name = {letter: _letter(letter, index, writer) for letter in "WBY"}
        weight, bias, out = name["W"], name["B"], name["Y"]
        if layer.pieces:
            feeds, width = "Y" + index, len(layer.neurons)
            before = _letter("Y", str(number - 1), writer)
            rows.append((writer.inline(f"{out} = {_largest(before, layer, writer)}"), ""))
            continue
        neurons = len(layer.neurons)
        has_bias = any(layer.biases)
        formula = _product(_letter(feeds[0], feeds[1:], writer), weight, bias if has_bias else "", layer, writer)
        sizes = [(_letter(feeds[0], feeds[1:], writer), samples, width), (weight, width, neurons)]
        sizes += [(bias, samples, neurons)] if has_bias else []
        sizes.append((out, samples, neurons))
        times = r" \times " if writer.style == "latex" else " × " if writer.style == "unicode" else " x "
        shown = ", ".join(writer.inline(f"{what}: {rows_}{times}{columns}") for what, rows_, columns in sizes)
        rows.append((writer.inline(f"{out} = {formula}"), shown))
        feeds, width = "Y" + index, neurons
    return table(("", ""), rows)


def _largest(pieces: str, layer: Layer, writer: Writer) -> str:
    """maxout(Y1)"""
    row = layer.activation
    return f"{row.latex if writer.style == 'latex' else row.text}({pieces})"


def _letter(letter: str, index: str, writer: Writer) -> str:
    if not index:
        return letter
    return f"{letter}_{{{index}}}" if writer.style == "latex" else f"{letter}{index}"


def _product(left: str, weight: str, bias: str, layer: Layer, writer: Writer) -> str:
    """f(X W + B)"""
    at = r" \, " if writer.style == "latex" else "@"
    net = f"{left}{at}{weight}" + (f" + {bias}" if bias else "")
    if layer.activation.name == "linear":
        return net
    row = layer.activation
    function = {"latex": row.latex, "unicode": row.text}.get(writer.style, row.function)
    return f"{function}({net})"
