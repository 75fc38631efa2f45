"""A network calculated again, number by number, and again with one number nudged: what changes is found layer by layer.

It works from the structure of the network alone and knows no derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from derive.catalogue.activations import Activation
from derive.formula.grammar import read
from derive.problem.model import Layer, Network
from derive.verify.arithmetic import Arithmetic
from derive.verify.formulas import evaluated
from derive.verify.functions import VECTORS
from derive.verify.plain_loss import PlainLoss

BIAS, TRAINED = -1, -2
"""Sources of a use: the constant of the bias, and the activation itself."""

Changed = dict[int, Any]
"""New numbers by position."""


def activated(row: Activation, nets: Sequence[Any], parameters: Mapping[str, Any], arithmetic: Arithmetic) -> list[Any]:
    """The outputs of neurons with these net inputs."""
    functions = arithmetic.functions
    if row.vector:
        return VECTORS[row.name](functions, nets)
    if row.name == "custom":
        formula = read(row.formula, names={"z"})
        return [evaluated(formula, {"z": net}.__getitem__, arithmetic) for net in nets]
    function = arithmetic.scalars[row.name]
    return [function(functions, net, parameters) for net in nets]


class PlainLayer:
    """The weights of one layer as numbers: rows of (source, name, number), counted from 0."""

    def __init__(self, layer: Layer, lookup: Callable[[str], Any], arithmetic: Arithmetic) -> None:
        self.layer = layer
        self.arithmetic = arithmetic
        weights = layer.weights
        self.rows = [
            [
                (source, name, lookup(name))
                for source in range(weights.fan_in)
                if (name := weights.name(neuron, source)) is not None
            ]
            for neuron in range(weights.neurons if not layer.pieces else 0)
        ]
        self.constant = arithmetic.number(layer.bias_input.value)
        self.biases = [lookup(bias) * self.constant if bias else 0 for bias in layer.biases]
        self.parameters = {key: arithmetic.number(value.value) for key, value in layer.activation.parameters}
        self.parameters |= {key: lookup(name) for key, name in layer.trained}

    @cached_property
    def by_source(self) -> dict[int, list[tuple[int, Any]]]:
        """Which neurons each source feeds, and by what weight."""
        found: dict[int, list[tuple[int, Any]]] = {}
        for neuron, row in enumerate(self.rows):
            for source, _, weight in row:
                found.setdefault(source, []).append((neuron, weight))
        return found

    def uses(self) -> Iterator[tuple[str, int, int]]:
        """(parameter, neuron, source) of every connection, bias and trained parameter."""
        for neuron, row in enumerate(self.rows):
            yield from ((name, neuron, source) for source, name, _ in row)
            if bias := self.layer.biases[neuron]:
                yield bias, neuron, BIAS
        yield from ((name, 0, TRAINED) for _, name in self.layer.trained)

    def nets(self, signals: Sequence[Any]) -> list[Any]:
        if pieces := self.layer.pieces:
            return [max(signals[k * pieces : (k + 1) * pieces]) for k in range(len(self.layer.neurons))]
        return [
            sum((weight * signals[source] for source, _, weight in row), bias)
            for row, bias in zip(self.rows, self.biases, strict=True)
        ]

    def outs(self, nets: Sequence[Any], nudge: Any = 0) -> list[Any]:
        if self.layer.pieces:
            return list(nets)
        parameters = self.parameters
        if self.layer.trained:
            parameters = parameters | {key: parameters[key] + nudge for key, _ in self.layer.trained}
        return activated(self.layer.activation, nets, parameters, self.arithmetic)

    def nets_changed(self, signals: Sequence[Any], nets: Sequence[Any], changed: Changed) -> Changed:
        """The net inputs that change with some signals."""
        found: Changed = {}
        if pieces := self.layer.pieces:
            now = [changed.get(place, signal) for place, signal in enumerate(signals)]
            return {k: max(now[k * pieces : (k + 1) * pieces]) for k in {place // pieces for place in changed}}
        for source, value in changed.items():
            step = value - signals[source]
            for neuron, weight in self.by_source.get(source, ()):
                found[neuron] = found.get(neuron, nets[neuron]) + weight * step
        return found

    def outs_changed(self, nets: Sequence[Any], changed: Changed, nudge: Any = 0) -> Changed:
        """The outputs that change with some net inputs, or with a trained parameter."""
        if not changed and not nudge:
            return {}
        now = [changed.get(place, net) for place, net in enumerate(nets)]
        if nudge or (changed and self.layer.activation.vector and not self.layer.pieces):
            return dict(enumerate(self.outs(now, nudge)))
        places = list(changed)
        return dict(zip(places, self.outs([now[place] for place in places]), strict=True))


class PlainNetwork:
    """A program (see `derive.verify.program`) for a network.

    lookup   the number of a parameter, an input or a target
    """

    def __init__(self, network: Network, lookup: Callable[[str], Any], arithmetic: Arithmetic) -> None:
        self.arithmetic = arithmetic
        self.network = network
        self._lookup = lookup
        self._layers = [PlainLayer(layer, lookup, arithmetic) for layer in network.layers]
        self._suffixes = [f"[{k}]" for k in range(1, network.samples + 1)] if network.samples > 1 else [""]
        self._loss = PlainLoss(network, arithmetic) if network.targets else None
        self._signals: list[list[list[Any]]] = []
        self._values: dict[str, Any] = {}
        for suffix in self._suffixes:
            self._forward(suffix)
        if self._loss:
            self._values |= self._loss.totals(self._values, self._penalty(None, 0))

    def _forward(self, suffix: str) -> None:
        """Every number of one sample; `_signals` keeps inputs, nets and outs as lists."""
        lists = [[self._lookup(name + suffix) for name in self.network.inputs]]
        for plain in self._layers:
            nets = plain.nets(lists[-1])
            lists += [nets, plain.outs(nets)]
            neurons = plain.layer.neurons
            self._values |= {f"net_{name}{suffix}": net for name, net in zip(neurons, nets, strict=True)}
            self._values |= {f"out_{name}{suffix}": out for name, out in zip(neurons, lists[-1], strict=True)}
        self._signals.append(lists)
        if self._loss:
            targets = [self._lookup(name + suffix) for name in self.network.targets]
            self._values |= self._loss.of_sample(targets, lists[-1], suffix)

    def value(self, name: str) -> Any:
        return self._values[name] if name in self._values else self._lookup(name)

    @cached_property
    def _uses(self) -> dict[str, list[tuple[int, int, int]]]:
        found: dict[str, list[tuple[int, int, int]]] = {}
        for index, plain in enumerate(self._layers):
            for name, neuron, source in plain.uses():
                found.setdefault(name, []).append((index, neuron, source))
        return found

    def _penalty(self, name: str | None, amount: Any) -> Any:
        """Σw² over the weights, each once."""
        if not self.network.penalty:
            return 0
        weights = {weight: value for plain in self._layers for row in plain.rows for _, weight, value in row}
        if name in weights:
            weights[name] = weights[name] + amount
        return sum(value * value for value in weights.values())

    # --- with one number nudged ----------------------------------------------------------------------------------

    def nudged(self, name: str, amount: Any) -> Mapping[str, Any]:
        changed: dict[str, Any] = {name: self.value(name) + amount}
        for place, suffix in enumerate(self._suffixes):
            self._again(place, suffix, name, amount, changed)
        if self._loss:
            everything = _Layered(changed, self._values)
            changed |= self._loss.totals(everything, self._penalty(name, amount), nudge=(name, amount))
        return changed

    def _again(self, place: int, suffix: str, name: str, amount: Any, changed: dict[str, Any]) -> None:
        """Add to `changed` what one sample has anew."""
        lists = self._signals[place]
        now: Changed = {
            k: lists[0][k] + amount for k, source in enumerate(self.network.inputs) if source + suffix == name
        }
        for index, plain in enumerate(self._layers):
            signals, nets, outs = lists[2 * index], lists[2 * index + 1], lists[2 * index + 2]
            nets_now, trained = plain.nets_changed(signals, nets, now), 0
            for layer, neuron, source in self._uses.get(name, ()):
                if layer == index and source == TRAINED:
                    trained = amount
                elif layer == index:
                    feeds = plain.constant if source == BIAS else now.get(source, signals[source])
                    nets_now[neuron] = nets_now.get(neuron, nets[neuron]) + amount * feeds
            neurons = plain.layer.neurons
            _nudge(nets_now, nets, neurons, "net", suffix, name, amount)
            now = plain.outs_changed(nets, nets_now, trained)
            _nudge(now, outs, neurons, "out", suffix, name, amount)
            changed |= {f"net_{neurons[k]}{suffix}": value for k, value in nets_now.items()}
            changed |= {f"out_{neurons[k]}{suffix}": value for k, value in now.items()}
        if not self._loss:
            return
        targets = [self._lookup(target + suffix) for target in self.network.targets]
        targets = [changed.get(target + suffix, at) for target, at in zip(self.network.targets, targets, strict=True)]
        last = [now.get(k, out) for k, out in enumerate(lists[-1])]
        changed |= self._loss.of_sample(targets, last, suffix, nudge=(name, amount))


def _nudge(
    changed: Changed, values: Sequence[Any], neurons: Sequence[str], kind: str, suffix: str, name: str, amount: Any
) -> None:
    """The nudge itself, where a node of this layer is what is nudged."""
    if name.startswith(f"{kind}_"):
        for k, neuron in enumerate(neurons):
            if f"{kind}_{neuron}{suffix}" == name:
                changed[k] = changed.get(k, values[k]) + amount


class _Layered(Mapping[str, Any]):
    """Some numbers in front of others."""

    def __init__(self, front: Mapping[str, Any], back: Mapping[str, Any]) -> None:
        self._front, self._back = front, back

    def __getitem__(self, name: str) -> Any:
        return self._front[name] if name in self._front else self._back[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._back, **self._front})

    def __len__(self) -> int:
        return len({**self._back, **self._front})
