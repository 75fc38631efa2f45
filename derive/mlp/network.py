"""A multilayer perceptron as a textbook has it: forward pass, loss, backpropagation.

A batch is an array of one row for each sample.  Layer l takes the outputs of the layer before it, a (samples, fan_in),
and has weights W (fan_in, nets) and biases b:

    net = a·W + b        out = f(net)
    δ = ∂E/∂net          ∂E/∂W = aᵀ·δ        ∂E/∂b = Σ δ over the samples        ∂E/∂a = δ·Wᵀ

All parameters lie in one flat vector, all gradients in another; the arrays of the layers are views of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from derive.catalogue import activations, losses
from derive.mlp.activations import Activation
from derive.mlp.losses import Loss

Array = NDArray[Any]
Reduction = Literal["mean", "sum"]


@dataclass(frozen=True, slots=True)
class Shape:
    """One dense layer: its neurons, their activation, and how many biases: one each, 1 for a shared one, 0 for none."""

    neurons: int
    activation: activations.Activation
    biases: int = -1

    def arrays(self, fan_in: int) -> tuple[tuple[int, ...], ...]:
        """The shapes of weights, biases and trained parameters of the activation."""
        nets = self.neurons * Activation(self.activation).pieces
        return (fan_in, nets), (nets if self.biases < 0 else self.biases,), (len(self.activation.trained),)


@dataclass(frozen=True, slots=True)
class Arrays:
    """Weights (fan_in, nets), biases (nets, 1 or 0,) and trained parameters of the activation of one layer."""

    weights: Array
    biases: Array
    trained: Array


@dataclass(frozen=True, slots=True)
class Pass:
    """What one layer made of a batch; `kept` is what dropout left of each output, 0 or 1/(1 − rate)."""

    net: Array
    out: Array
    kept: Array | None = None


class Network:
    """Layers on so many inputs; the loss of a batch is the mean or sum of its samples' losses, and l2/2·ΣW²."""

    def __init__(
        self,
        inputs: int,
        shapes: Sequence[Shape],
        loss: losses.Loss,
        *,
        reduction: Reduction = "mean",
        l2: float = 0.0,
        dtype: Any = np.float64,
    ) -> None:
        self.inputs, self.shapes, self.reduction, self.l2 = inputs, tuple(shapes), reduction, l2
        self.activations = [Activation(shape.activation) for shape in shapes]
        self.loss = Loss(loss, shapes[-1].activation.name)
        size = sum(prod(shape) for shape in self._shapes())
        self.parameters: Array = np.zeros(size, dtype)
        self.gradient: Array = np.zeros(size, dtype)
        self.layers = list(self.views(self.parameters))
        self.slopes = list(self.views(self.gradient))
        for layer, activation in zip(self.layers, self.activations, strict=True):
            layer.trained[:] = [activation.parameters[name] for name in activation.trained]

    def _shapes(self) -> Iterator[tuple[int, ...]]:
        fan_in = self.inputs
        for shape in self.shapes:
            yield from shape.arrays(fan_in)
            fan_in = shape.neurons

    def views(self, flat: Array) -> Iterator[Arrays]:
        """The arrays of every layer as views of a flat vector: `parameters`, `gradient`, a state of an optimizer."""
        arrays, start = [], 0
        for shape in self._shapes():
            arrays.append(flat[start : start + prod(shape)].reshape(shape))
            start += prod(shape)
        return map(Arrays, arrays[0::3], arrays[1::3], arrays[2::3])

    def forward(self, x: Array, dropout: float = 0.0, generator: np.random.Generator | None = None) -> list[Pass]:
        """Net inputs and outputs of every layer.  With dropout, each output of a hidden layer is dropped at random."""
        passes: list[Pass] = []
        for layer, activation in zip(self.layers, self.activations, strict=True):
            net = x @ layer.weights
            if layer.biases.size:
                net += layer.biases
            x = self._current(layer, activation).value(net)
            kept = None
            if dropout and generator is not None and len(passes) < len(self.layers) - 1:
                kept = (generator.random(x.shape, np.float32) >= dropout) / x.dtype.type(1 - dropout)
                x = x * kept
            passes.append(Pass(net, x, kept))
        return passes

    def _current(self, layer: Arrays, activation: Activation) -> Activation:
        """The activation with the trained parameters as they are now."""
        for name, value in zip(activation.trained, layer.trained.tolist(), strict=True):
            activation.parameters[name] = value
        return activation

    def losses(self, t: Array, passes: list[Pass]) -> Array:
        """The loss of each sample, without penalty."""
        return self.loss.value(t, passes[-1].out, passes[-1].net)

    def penalty(self) -> float:
        """l2/2·ΣW²; biases and trained parameters are left out."""
        return self.l2 / 2 * sum(float((layer.weights**2).sum()) for layer in self.layers) if self.l2 else 0.0

    def backward(self, x: Array, t: Array, passes: list[Pass]) -> Array:
        """Backpropagation: fills `gradient` (and its views in `slopes`); gives ∂E/∂x, (samples, inputs)."""
        last = passes[-1]
        share = 1 / len(x) if self.reduction == "mean" else 1.0
        slope = self.loss.slope(t, last.out, last.net) * share
        for place in reversed(range(len(self.layers))):
            layer, found, now = self.layers[place], self.slopes[place], passes[place]
            activation = self._current(layer, self.activations[place])
            if now.kept is not None:
                slope = slope * now.kept
            if activation.trained:
                found.trained[:] = activation.trained_gradient(now.net, slope)
            if place < len(self.layers) - 1 or not self.loss.takes_nets:
                slope = activation.backward(now.net, now.out, slope)
            source = passes[place - 1].out if place else x
            np.dot(source.T, slope, out=found.weights)
            if found.biases.size:
                found.biases[:] = slope.sum(0) if found.biases.size == slope.shape[1] else slope.sum()
            if self.l2:
                found.weights[:] += self.l2 * layer.weights
            slope = slope @ layer.weights.T
        return slope

    def loss_of(self, x: Array, t: Array) -> float:
        """The loss of a batch."""
        found = self.losses(t, self.forward(x))
        return float(found.mean() if self.reduction == "mean" else found.sum()) + self.penalty()
