"""The conventions in force on a page, each as one sentence."""

from __future__ import annotations

from collections.abc import Iterator

from derive.catalogue.activations import Activation
from derive.derivation.chain_rule import derivative_name
from derive.derivation.network import NetworkGraph, tidy
from derive.formula.expression import Call, Expr, Name, Product, Quotient, Series, replace_names
from derive.formula.grammar import read
from derive.formula.printing import write
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.problem.model import Network
from derive.worked import WorkedExample


def conventions(example: WorkedExample, prose: Prose, writer: Writer) -> list[str]:
    """What a reader must know to get the same numbers."""
    graph = example.graph
    found = list(_network(example, graph, prose, writer)) if isinstance(graph, NetworkGraph) else []
    return [*found, *_update(example, prose, writer), *_numbers(example, prose)]


def _network(example: WorkedExample, graph: NetworkGraph, prose: Prose, writer: Writer) -> Iterator[str]:
    network = graph.network
    for row in dict.fromkeys(layer.activation for layer in network.layers):
        yield from _activation(row, prose, writer)
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
    yield _loss(network, prose, writer)
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
    if network.loss.cancels == "softmax" == network.layers[-1].activation.function and example.options.cancel:
        yield prose.say("conventions", "distribution")


def _formula(text: str, names: dict[str, str], writer: Writer) -> str:
    known = {"z": "z", "a": "a", **names}
    return write(read(text, names=set(known)), writer.style, lambda name: known.get(name, name), writer.constant)


def _activation(row: Activation, prose: Prose, writer: Writer) -> Iterator[str]:
    if row.vector:
        symbol = "a_i = e^{z_i} / \\sum_j e^{z_j}" if writer.style == "latex" else "a_i = e^z_i / Σ_j e^z_j"
        if writer.style == "ascii":
            symbol = "a_i = exp(z_i) / sum_j exp(z_j)"
        yield prose.say("conventions", "activation", title=row.title, formula=writer.inline(symbol))
        return
    if row.name == "linear":
        return
    names = {name: writer.constant(value) for name, value in row.parameters}
    short = write(Call(row.function, (Name("z"),)), writer.style, str) if row.name != "custom" else "f(z)"
    formula = f"{short} = {_formula(row.formula, names, writer)}"
    yield prose.say("conventions", "activation", title=row.title, formula=writer.inline(formula))
    for kink in row.kinks:
        slope = _formula(kink.derivative, names, writer)
        yield prose.say("conventions", "kink", title=row.title, at=_formula(kink.at, names, writer), slope=slope)


def _loss(network: Network, prose: Prose, writer: Writer) -> str:
    """The loss of one sample over its outputs k, with its factor in front."""
    outputs = len(network.layers[-1].neurons)
    names: dict[str, Expr] = {"n": read(str(outputs))}
    part = tidy(replace_names(read(network.loss.part, names={"t", "o", "n"}), names))
    factor, rest = _split(part)
    letters = {"t": "t", "o": "o"} if outputs == 1 else {"t": _indexed("t", writer), "o": _indexed("o", writer)}
    body: Expr = rest if outputs == 1 else Series("k", outputs, rest, lambda _: rest)
    whole = Product((factor, body)) if factor else body
    text = write(whole, writer.style, lambda name: letters.get(name, name), writer.constant)
    shown = writer.inline(write(factor, writer.style, str, writer.constant)) if factor else ""
    sentence = prose.say(
        "conventions", "loss", title=network.loss.title, formula=writer.inline(f"E = {text}"), factor=shown
    )
    if "ln" in network.loss.part:
        sentence += " " + prose.say("conventions", "logarithm")
    return sentence


def _indexed(letter: str, writer: Writer) -> str:
    return f"{letter}_{{k}}" if writer.style == "latex" else f"{letter}_k"


def _split(part: Expr) -> tuple[Expr | None, Expr]:
    """The constant factor of a loss and the rest."""
    if isinstance(part, Product) and isinstance(part.factors[0], Quotient):
        rest = part.factors[1:]
        return part.factors[0], rest[0] if len(rest) == 1 else Product(rest)
    return None, part


def _update(example: WorkedExample, prose: Prose, writer: Writer) -> Iterator[str]:
    update = example.problem.update
    if update is None or example.options.forward:
        return
    if not example.derivation.updates_anything():
        yield prose.say("conventions", "frozen_all")
        return
    yield prose.say("conventions", "update")
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
