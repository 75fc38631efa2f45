"""The conventions in force on a page, each as one sentence."""

from __future__ import annotations

from collections.abc import Iterator

from derive.catalogue.activations import BY_FUNCTION, Activation
from derive.catalogue.losses import Loss
from derive.derivation.chain_rule import derivative_name
from derive.derivation.network import NetworkGraph
from derive.formula.expression import Call, Expr, Name, children
from derive.formula.grammar import read
from derive.formula.printing import write
from derive.pages.index_notation import IndexNotation
from derive.pages.prose import Prose
from derive.pages.update_rule import in_a_network
from derive.pages.writers import Writer
from derive.problem.model import Definitions
from derive.worked import WorkedExample


def conventions(example: WorkedExample, prose: Prose, writer: Writer) -> list[str]:
    """What a reader must know to get the same numbers."""
    graph = example.graph
    if isinstance(graph, NetworkGraph):
        found = list(_network(example, graph, prose, writer))
    else:
        found = list(_expression(example.problem.body, prose, writer))
    return [*found, *_update(example, prose, writer), *_numbers(example, prose)]


def _expression(body: object, prose: Prose, writer: Writer) -> Iterator[str]:
    """What the functions of an expression mean, and their slopes where they have a kink."""
    if not isinstance(body, Definitions):
        return
    called = dict.fromkeys(call for _, definition in body.define for call in _functions(definition))
    for row in (BY_FUNCTION[name] for name in called if name in BY_FUNCTION):
        yield from activation_sentences(row, prose, writer)
    yield from (prose.say("conventions", name) for name in ("max", "min", "abs") if name in called)
    if "ln" in called or "log" in called:
        yield prose.say("conventions", "logarithm")


def _functions(expr: Expr) -> Iterator[str]:
    if isinstance(expr, Call):
        yield expr.function
    for part in children(expr):
        yield from _functions(part)


def _network(example: WorkedExample, graph: NetworkGraph, prose: Prose, writer: Writer) -> Iterator[str]:
    network = graph.network
    for row in dict.fromkeys(layer.activation for layer in network.layers):
        yield from activation_sentences(row, prose, writer)
    for number, layer in enumerate(network.layers, 1):
        if layer.bias_input.value != 1 and any(layer.biases):
            value = writer.inline(writer.constant(layer.bias_input))
            yield prose.say("conventions", "bias_input", layer=number, value=value)
    if any(layer.weights.by_place for layer in network.layers):
        yield prose.say("conventions", "place")
        if not example.options.whole:
            yield prose.say("conventions", "left_out")
    if not graph.root or example.options.forward:
        return
    yield loss_sentence(network.loss, len(network.layers[-1].neurons), prose, writer)
    if network.samples > 1:
        yield prose.say("conventions", network.reduction, samples=network.samples)
    if network.penalty:
        definition = graph.node("E_l2").definition
        assert definition is not None
        text = f"{writer.name('E_l2')} = {write(definition, writer.style, writer.name, writer.constant)}"
        yield prose.say("conventions", "penalty", formula=writer.inline(text))
    neuron = network.layers[-1].neurons[0]
    net = f"net_{neuron}" + ("[1]" if network.samples > 1 else "")
    yield prose.say(
        "conventions",
        "delta",
        delta=writer.quantity(net.replace("net_", "delta_", 1)),
        derivative=writer.quantity(derivative_name("E", net)),
    )
    symbolic = not any(target in graph.given for target in (network.targets[0], f"{network.targets[0]}[1]"))
    if symbolic and network.layers[-1].activation.vector and example.options.cancel and graph.cancellation(net):
        yield prose.say("conventions", "distribution")


def _formula(text: str, names: dict[str, str], writer: Writer) -> str:
    known = {"z": "z", "a": "a", **names}
    return write(read(text, names=set(known)), writer.style, lambda name: known.get(name, name), writer.constant)


def activation_sentences(row: Activation, prose: Prose, writer: Writer, letter: str = "a") -> Iterator[str]:
    """What an activation computes and its slope at a kink; `letter` stands for an output of a vector activation."""
    if row.vector:
        from derive.pages.activation_vector import definition_of

        symbol = definition_of(row, writer.style, letter)
        yield prose.say("conventions", "activation", title=row.title, formula=writer.inline(symbol))
        return
    if row.name == "linear":
        return
    names = {name: writer.constant(value) for name, value in row.parameters}
    names |= {name: writer.name(name) for name in row.trained}
    short = write(Call(row.function, (Name("z"),)), writer.style, str) if row.name != "custom" else "f(z)"
    formula = f"{short} = {_formula(row.formula, names, writer)}"
    yield prose.say("conventions", "activation", title=row.title, formula=writer.inline(formula))
    for kink in row.kinks:
        slope = _formula(kink.derivative, names, writer)
        yield prose.say("conventions", "kink", title=row.title, at=_formula(kink.at, names, writer), slope=slope)


def loss_sentence(loss: Loss, outputs: int, prose: Prose, writer: Writer) -> str:
    """The loss of one sample over its outputs, with its factor."""
    formula, factor = IndexNotation(loss, outputs, writer).formula()
    shown = writer.inline(factor) if factor else ""
    sentence = prose.say(
        "conventions", "loss", title=loss.title, formula=writer.inline(f"E = {formula}"), factor=shown
    )
    return sentence + (" " + prose.say("conventions", "logarithm") if "ln(" in loss.part + loss.whole else "")


def _update(example: WorkedExample, prose: Prose, writer: Writer) -> Iterator[str]:
    update = example.problem.update
    if update is None or example.options.forward:
        return
    if not example.derivation.updates_anything():
        yield prose.say("conventions", "frozen_all")
        return
    yield prose.say("conventions", "update")
    yield from in_a_network(example, prose, writer)
    if update.frozen:
        yield prose.say("conventions", "frozen", names=", ".join(writer.quantity(name) for name in update.frozen))


def _numbers(example: WorkedExample, prose: Prose) -> Iterator[str]:
    if not example.has_numbers():
        return
    rounding = example.problem.rounding
    key, n = ("significant", rounding.significant) if rounding.significant else ("decimals", rounding.decimals)
    digits = prose.say("conventions", key, n=n)
    yield prose.say("conventions", rounding.carry, digits=digits, mode=prose.say("conventions", rounding.mode))
    if rounding.carry == "full":
        yield prose.say("conventions", "approximately")
