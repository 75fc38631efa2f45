"""A problem on the NumPy network of `derive.mlp`: its forward pass, its backpropagation, its optimizer.

A shared parameter stands in several places and gets the sum of their gradients; a missing connection is a weight of 0
whose gradient nobody asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.catalogue.activations import Activation as Row
from derive.catalogue.numeric import evaluated
from derive.formula.grammar import read
from derive.mlp.losses import Loss
from derive.mlp.network import Network, Pass, Shape
from derive.mlp.optimizers import Optimizer
from derive.problem import model
from derive.verify.numpy_updates import updated

Array = NDArray[Any]
Numbers = dict[str, float]


class Typed:
    """An activation that somebody typed; its slope is a central quotient, extrapolated twice."""

    trained: tuple[str, ...] = ()
    pieces = 1

    def __init__(self, row: Row) -> None:
        self._formula = read(row.formula, names={"z"})
        self.parameters: dict[str, float] = {}

    def value(self, z: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.broadcast_to(evaluated(self._formula, {"z": z}), z.shape).astype(np.float64)

    def backward(self, z: Array, _: Array, da: Array) -> Array:
        quotients = [(self.value(z + h) - self.value(z - h)) / (2 * h) for h in (4e-3, 2e-3, 1e-3)]
        once = [(4 * near - far) / 3 for far, near in pairwise(quotients)]
        return np.asarray(da * (16 * once[1] - once[0]) / 15)


class Recorded:
    """An activation of the network that remembers ∂E/∂a and ∂E/∂z."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.trained, self.parameters, self.pieces = inner.trained, inner.parameters, inner.pieces
        self.by_output: Array | None = None
        self.by_net: Array | None = None

    def value(self, z: Array) -> Array:
        return np.asarray(self.inner.value(z))

    def backward(self, z: Array, a: Array, da: Array) -> Array:
        self.by_output, self.by_net = da, np.asarray(self.inner.backward(z, a, da))
        return self.by_net

    def trained_gradient(self, z: Array, da: Array) -> float:
        return float(self.inner.trained_gradient(z, da))


class NumpyNetwork:
    """Every number of a network after each update, by name; `given` has all parameters, inputs and targets."""

    def __init__(self, problem: model.Problem, given: Mapping[str, float]) -> None:
        assert isinstance(problem.body, model.Network)
        self.problem, self.network = problem, problem.body
        self._parameters = {name: given[name] for name in self.network.parameters()}
        self._names = _suffixed(self.network)
        self._x = np.array([[given[name] for name in row] for row in self._names.inputs], dtype=np.float64)
        self._t = np.array([[given[name] for name in row] for row in self._names.targets], dtype=np.float64)
        self._dense = _merged(self.network.layers)
        shapes = [Shape(len(last.neurons), _known(last.activation)) for _, last in self._dense]
        self._net = Network(len(self.network.inputs), shapes, self.network.loss, reduction=self.network.reduction)
        for place, (_, last) in enumerate(self._dense):
            inner = Typed(last.activation) if last.activation.name == "custom" else self._net.activations[place]
            self._net.activations[place] = Recorded(inner)  # type: ignore[call-overload]  # it quacks alike
        if self._net.loss.takes_nets and self.network.layers[-1].activation.name == "custom":
            self._net.loss = Loss(self.network.loss, "custom")

    # --- names and places --------------------------------------------------------------------------------------------

    def _places(self) -> Iterator[tuple[str, Array, Array, Any, float]]:
        """(name, array, its gradient, index, factor) of every place where a parameter stands."""
        for place, (sums, last) in enumerate(self._dense):
            here, slopes, weights = self._net.layers[place], self._net.slopes[place], sums.weights
            constant = float(sums.bias_input.value)
            for neuron in range(weights.neurons):
                for source in range(weights.fan_in):
                    if name := weights.name(neuron, source):
                        yield name, here.weights, slopes.weights, (source, neuron), 1.0
                if bias := sums.biases[neuron]:
                    yield bias, here.biases, slopes.biases, neuron, constant
            yield from ((name, here.trained, slopes.trained, k, 1.0) for k, (_, name) in enumerate(last.trained))

    def _load(self, parameters: Mapping[str, float]) -> None:
        self._net.parameters[:] = 0
        for name, array, _, index, factor in self._places():
            array[index] = parameters[name] * factor

    # --- one pass ----------------------------------------------------------------------------------------------------

    def numbers(self) -> Numbers:
        """Net inputs, outputs, losses and, with targets, every gradient, with the parameters as they are loaded."""
        passes = self._net.forward(self._x)
        found: Numbers = {}
        for (sums, last), now in zip(self._dense, passes, strict=True):
            found |= dict(self._of_layer(sums, last, now))
        if self.network.targets:
            found |= self._losses(passes)
            found |= self._gradients(passes)
        return found

    def _of_layer(self, sums: model.Layer, last: model.Layer, now: Pass) -> Iterator[tuple[str, float]]:
        for k, suffix in enumerate(self._names.suffixes):
            yield from _row("net", sums.neurons, suffix, now.net[k])
            if sums is not last:
                yield from _row("out", sums.neurons, suffix, now.net[k])
                yield from _row("net", last.neurons, suffix, now.out[k])
            yield from _row("out", last.neurons, suffix, now.out[k])

    def _losses(self, passes: list[Pass]) -> Numbers:
        samples = self._net.losses(self._t, passes)
        data = float(samples.mean() if self.network.reduction == "mean" else samples.sum())
        found = {f"E{suffix}": float(value) for suffix, value in zip(self._names.suffixes, samples, strict=True)}
        if self.network.penalty:
            penalty = self._strength() * sum(self._parameters[name] ** 2 for name in self.network.weight_names())
            return found | {"E_data": data, "E_l2": penalty, "E": data + penalty}
        return found | {"E": data}

    def _strength(self) -> float:
        penalty = self.network.penalty
        return float(penalty.strength.value) / (2 if penalty.half else 1) if penalty else 0.0

    def _gradients(self, passes: list[Pass]) -> Numbers:
        by_input = self._net.backward(self._x, self._t, passes)
        found: Numbers = {}
        for name, _, slopes, index, factor in self._places():
            found[f"dE/d{name}"] = found.get(f"dE/d{name}", 0.0) + float(slopes[index]) * factor
        for name in self.network.weight_names():
            found[f"dE/d{name}"] += 2 * self._strength() * self._parameters[name]
        for k, suffix in enumerate(self._names.suffixes):
            found |= {f"dE/d{name}": float(v) for name, v in zip(self._names.inputs[k], by_input[k], strict=True)}
            for place, (sums, last) in enumerate(self._dense):
                by_out, by_net = self._deltas(place, passes)
                found |= dict(_row("dE/dnet", sums.neurons, suffix, by_net[k]))
                found |= dict(_row("dE/dout", last.neurons, suffix, by_out[k]))
                if sums is not last:
                    found |= dict(_row("dE/dout", sums.neurons, suffix, by_net[k]))
                    found |= dict(_row("dE/dnet", last.neurons, suffix, by_out[k]))
                else:
                    found |= dict(self._slopes(place, last, k, suffix, passes[place]))
        return found

    def _deltas(self, place: int, passes: list[Pass]) -> tuple[Array, Array]:
        """∂E/∂out and ∂E/∂net of a layer."""
        recorded: Any = self._net.activations[place]
        if place < len(self._dense) - 1 or not self._net.loss.takes_nets:
            return recorded.by_output, recorded.by_net
        share = 1 / len(self._x) if self.network.reduction == "mean" else 1.0
        last = passes[-1]
        by_out = Loss(self.network.loss, "").slope(self._t, last.out, last.net)
        return by_out * share, self._net.loss.slope(self._t, last.out, last.net) * share

    def _slopes(
        self, place: int, layer: model.Layer, sample: int, suffix: str, now: Pass
    ) -> Iterator[tuple[str, float]]:
        """∂out/∂net of one layer and sample."""
        recorded: Any = self._net.activations[place]
        for i, top in enumerate(layer.neurons):
            one = np.zeros((1, len(layer.neurons)))
            one[0, i] = 1
            row = recorded.inner.backward(now.net[sample : sample + 1], now.out[sample : sample + 1], one)[0]
            bottoms = range(len(layer.neurons)) if layer.activation.vector else (i,)
            yield from ((f"dout_{top}{suffix}/dnet_{layer.neurons[j]}{suffix}", float(row[j])) for j in bottoms)

    # --- after updates -----------------------------------------------------------------------------------------------

    def after(self, steps: int) -> Iterator[Numbers]:
        """The numbers before any update, after the first, the second, …"""
        self._load(self._parameters)
        yield self.numbers()
        update = self.problem.update
        if update is None:
            return
        names = [name for name in self._parameters if name not in update.frozen]
        optimizer = Optimizer(update.recipe, float(update.learning_rate.value))
        vector = np.array([self._parameters[name] for name in names])
        optimizer.begin(vector)
        for _ in range(steps):
            slopes = self.numbers()
            carried = updated(optimizer, names, vector, np.array([slopes[f"dE/d{name}"] for name in names]))
            self._parameters |= dict(zip(names, vector.tolist(), strict=True))
            self._load(self._parameters)
            yield {**self._parameters, **carried, **self.numbers()}


class _Names:
    def __init__(self, suffixes: list[str], network: model.Network) -> None:
        self.suffixes = suffixes
        self.inputs = [[name + suffix for name in network.inputs] for suffix in suffixes]
        self.targets = [[name + suffix for name in network.targets] for suffix in suffixes]


def _suffixed(network: model.Network) -> _Names:
    return _Names([f"[{k}]" for k in range(1, network.samples + 1)] if network.samples > 1 else [""], network)


def _merged(layers: tuple[model.Layer, ...]) -> list[tuple[model.Layer, model.Layer]]:
    """(weighted sums, activation) of each layer: two of the problem's layers for maxout, else one twice."""
    found: list[tuple[model.Layer, model.Layer]] = []
    for layer in layers:
        if layer.pieces:
            found[-1] = (found[-1][0], layer)
        else:
            found.append((layer, layer))
    return found


def _known(row: Row) -> Row:
    """The row itself; of a typed activation linear, which holds its place."""
    from derive.catalogue.activations import ACTIVATIONS

    return ACTIVATIONS["linear"] if row.name == "custom" else row


def _row(kind: str, neurons: tuple[str, ...], suffix: str, values: Array) -> Iterator[tuple[str, float]]:
    return ((f"{kind}_{name}{suffix}", float(value)) for name, value in zip(neurons, values, strict=True))
