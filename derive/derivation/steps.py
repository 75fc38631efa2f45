"""The steps of a derivation in the order in which a person works: values only, no prose and no rounded numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from derive.calculus.rules import by_rules
from derive.catalogue.activations import BY_FUNCTION
from derive.derivation.chain_rule import Derivation, Quantity, derivative_name, split_derivative
from derive.derivation.graph import sample_suffix
from derive.derivation.network import NetworkGraph
from derive.formula.expression import Call, Expr, Series, names_in, replace_names
from derive.formula.grammar import read
from derive.problem.model import Network

T = TypeVar("T")

FEW = 8
"""A layer with more neurons, or a neuron with more inputs, is shown by its first two and its last."""

LARGE = 150
"""Networks with at most so many parameters are shown whole."""


@dataclass(frozen=True, slots=True)
class Line:
    """One chain of equalities: target = forms[0] = forms[1] = … = its number.

    differentiated   (definition, name) where the line begins as the derivative of a definition
    """

    target: str
    forms: tuple[Expr, ...]
    differentiated: tuple[Expr, str] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One quantity and how it comes about; `steps` are the factors that it needs and that were not there before."""

    rule: str
    target: str
    lines: tuple[Line, ...]
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Steps that stand under one heading; `key` says which, the rest fills its words."""

    key: str
    steps: tuple[Step, ...]
    layer: int = 0
    sample: int = 0
    left_out: int = 0


class Walk:
    """Makes steps and remembers which quantities have been derived, so that each is derived once."""

    def __init__(self, derivation: Derivation) -> None:
        self._derivation = derivation
        self._seen: set[str] = set()

    def forward(self, name: str) -> Step:
        self._seen.add(name)
        return _step(self._derivation.quantity(name))

    def step(self, name: str, *, whole: bool = True) -> Step:
        """The step of a quantity with the factors before it; with `whole` false without those of forks."""
        self._seen.add(name)
        quantity = self._derivation.quantity(name)
        return _step(quantity, tuple(self._before(quantity, whole)))

    def _before(self, quantity: Quantity, whole: bool) -> Iterator[Step]:
        for needed in _needs(quantity):
            if needed not in self._seen and (split_derivative(needed) or needed.endswith("_new")):
                yield self.step(needed, whole=whole)


def _needs(quantity: Quantity) -> Iterator[str]:
    """The derivatives in the definition, and those in the form that shows the paths."""
    if quantity.rule == "cancellation" or quantity.definition is None:
        return
    shown = quantity.forms if quantity.rule == "sum-over-paths" and quantity.forms else (quantity.definition,)
    for expr in shown:
        # A Σ is explained by its first term; the others are made alike.
        part = expr.term(1) if isinstance(expr, Series) else expr
        yield from dict.fromkeys(_underlying(name) for name in names_in(part))


def _underlying(name: str) -> str:
    """δ_o1 is the derivative dE/dnet_o1 by another name."""
    return f"dE/dnet_{name.removeprefix('delta_')}" if name.startswith("delta_") else name


def _step(quantity: Quantity, steps: tuple[Step, ...] = ()) -> Step:
    return Step(quantity.rule, quantity.name, (line(quantity),), steps)


def line(quantity: Quantity) -> Line:
    """The line of a quantity: its forms from the general to the definition."""
    assert quantity.definition is not None
    pair = split_derivative(quantity.name)
    if pair and quantity.rule == "local-derivative" and quantity.node and quantity.node.definition is not None:
        return _differentiated(quantity, quantity.node.definition, pair[1])
    forms = (*quantity.forms, quantity.definition)
    if quantity.rule == "activation" and (formula := written_out(quantity.definition)):
        forms = (*forms, formula)
    return Line(quantity.name, tuple(dict.fromkeys(forms)))


def _differentiated(quantity: Quantity, definition: Expr, wrt: str) -> Line:
    """∂/∂v (definition) = rule by rule = simplified; an activation's own derivation stands apart."""
    assert quantity.definition is not None
    assert quantity.node is not None
    if quantity.node.rule in ("activation", "softmax"):
        return Line(quantity.name, (quantity.definition,))
    ruled = (by_rules(definition, wrt),) if quantity.node.rule != "weighted-sum" else ()
    return Line(quantity.name, tuple(dict.fromkeys((*ruled, quantity.definition))), (definition, wrt))


def written_out(definition: Expr) -> Expr | None:
    """A call of an activation as its formula, in the names of the call."""
    if not isinstance(definition, Call):
        return None
    row = BY_FUNCTION.get(definition.function)
    if row is None or not row.formula:
        return None
    names = ("z", *(name for name, _ in row.parameters))
    return replace_names(read(row.formula, names=set(names)), dict(zip(names, definition.args, strict=True)))


# --- what a page shows ---------------------------------------------------------------------------------------------


def sections(derivation: Derivation, *, whole: bool = False) -> list[Section]:
    """Everything that a page of the problem shows, in order; `whole` leaves nothing out of a large network."""
    if isinstance(derivation.graph, NetworkGraph):
        return list(_network(derivation, derivation.graph, whole))
    return list(_definitions(derivation))


def selected(derivation: Derivation, names: Iterable[str]) -> list[Section]:
    """The steps of the named quantities alone, each with everything that its derivation needs."""
    walk = Walk(derivation)
    return [Section("selected", tuple(walk.step(name) for name in names))]


def forward_sections(derivation: Derivation, *, whole: bool = False) -> list[Section]:
    """The forward pass and the loss."""
    return [found for found in sections(derivation, whole=whole) if found.key in ("forward", "loss", "definitions")]


def _definitions(derivation: Derivation) -> Iterator[Section]:
    walk, graph = Walk(derivation), derivation.graph
    order = list(graph.forward())
    yield Section("definitions", tuple(walk.forward(name) for name in order))
    if graph.root is None:
        return
    behind = [name for name in [*reversed(order), *graph.leaves()] if name != graph.root]
    yield Section("gradients", tuple(walk.step(derivative_name(graph.root, name)) for name in behind))


def _network(derivation: Derivation, graph: NetworkGraph, whole: bool) -> Iterator[Section]:
    walk, network = Walk(derivation), graph.network
    whole = whole or network.parameter_count() <= LARGE
    yield from _forward(walk, graph, whole)
    if graph.root is None:
        return
    yield from _loss(walk, graph)
    for number in range(len(network.layers), 0, -1):
        yield from _backward(walk, derivation, graph, number, whole)
    layers = range(1, len(network.layers) + 1)
    shown = [name for number in layers for name in shown_parameters(network, number, whole=whole)]
    changed = [name for name in shown if derivation.is_updated(name)]
    updates = tuple(walk.forward(f"{name}_new") for name in derivation.computed(changed)) if changed else ()
    if updates:
        yield Section("update", updates, left_out=network.parameter_count() - len(shown))


def _forward(walk: Walk, graph: NetworkGraph, whole: bool) -> Iterator[Section]:
    for sample in graph.samples:
        for number, layer in enumerate(graph.network.layers, 1):
            neurons = few(layer.neurons, whole)
            suffix = sample_suffix(sample)
            steps = [walk.forward(f"{kind}_{neuron}{suffix}") for neuron in neurons for kind in ("net", "out")]
            yield Section("forward", tuple(steps), number, sample, len(layer.neurons) - len(neurons))


def _loss(walk: Walk, graph: NetworkGraph) -> Iterator[Section]:
    names = [name for name in graph.forward() if graph.node(name).rule in ("loss", "loss-part", "total", "penalty")]
    yield Section("loss", tuple(walk.forward(name) for name in names))


def _backward(walk: Walk, derivation: Derivation, graph: NetworkGraph, number: int, whole: bool) -> Iterator[Section]:
    """Neuron by neuron for one sample; in a batch first each δ of each sample, then the gradients."""
    layer = graph.network.layers[number - 1]
    neurons = few(layer.neurons, whole)
    left_out = len(layer.neurons) - len(neurons)
    parameters = _asked_parameters(derivation, graph, number, whole)
    steps: list[Step] = []
    for sample in graph.samples:
        for neuron in neurons:
            steps.append(walk.step(derivative_name("E", f"net_{neuron}{sample_suffix(sample)}")))
            if not sample:
                own = [name for name in parameters if _owner(graph, name, number) == neuron]
                steps += [walk.step(derivative_name("E", name)) for name in own]
        if sample:
            yield Section("deltas", tuple(steps), number, sample, left_out)
            steps = []
    if graph.network.samples > 1:
        steps = [walk.step(derivative_name("E", name)) for name in parameters]
    if steps:
        yield Section("backward", tuple(steps), number, 0, left_out)


def _asked_parameters(derivation: Derivation, graph: NetworkGraph, number: int, whole: bool) -> tuple[str, ...]:
    """The parameters of a layer whose gradients the page needs: the updated ones, or all where nothing is updated."""
    parameters = shown_parameters(graph.network, number, whole=whole)
    updated = tuple(name for name in parameters if derivation.is_updated(name))
    return updated if derivation.updates_anything() else parameters


def _owner(graph: NetworkGraph, parameter: str, number: int) -> str:
    """The neuron of that layer where the parameter is used last, after which its whole gradient can be formed."""
    position = max(neuron for layer, neuron, _ in graph.uses(parameter) if layer == number)
    shown = few(graph.network.layers[number - 1].neurons, False)
    name = graph.network.layers[number - 1].neurons[position - 1]
    return name if name in shown or position <= FEW else shown[-1]


def few(names: Sequence[T], whole: bool) -> Sequence[T]:
    """All of a few names; of many the first two and the last."""
    return names if whole or len(names) <= FEW else (*names[:2], names[-1])


def shown_parameters(network: Network, number: int, *, whole: bool) -> tuple[str, ...]:
    """The parameters whose first use is in that layer, neuron by neuron, weights before the bias."""
    earlier = set(_parameters(network, range(1, number), whole))
    return tuple(name for name in _parameters(network, (number,), whole) if name not in earlier)


def _parameters(network: Network, numbers: Iterable[int], whole: bool) -> Iterator[str]:
    found = []
    for number in numbers:
        layer = network.layers[number - 1]
        sources = few(range(layer.weights.fan_in), whole)
        for neuron in few(range(len(layer.neurons)), whole):
            names = [layer.weights.name(neuron, source) for source in sources]
            found += [name for name in (*names, layer.biases[neuron]) if name]
        found += [name for _, name in layer.trained]
    return iter(dict.fromkeys(found))
