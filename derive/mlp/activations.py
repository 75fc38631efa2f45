"""The activations in NumPy, each with its derivative written by hand: no formula of the catalogue is compiled here.

Only names, parameters and default values come from the catalogue.  Every function keeps the dtype of its argument,
gives no warning and stays finite where the limit is finite; at a kink the derivative is what the catalogue states.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.catalogue.activations import Activation as Row

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Scalar:
    """f(z) and f'(z) from z and the parameters by name; `trained` is ∂f/∂alpha from z."""

    value: Callable[..., Array]
    slope: Callable[..., Array]
    trained: Callable[[Array], Array] | None = None


@dataclass(frozen=True, slots=True)
class Vector:
    """An activation of a whole row of net inputs: its outputs, and ∂E/∂z from outputs a and ∂E/∂a."""

    value: Callable[[Array], Array]
    backward: Callable[[Array, Array], Array]


def choose(test: Array, yes: Any, no: Any, like: Array) -> Array:
    """`yes` where the test holds, else `no`, in the dtype of `like`."""
    kind = like.dtype.type
    return np.asarray(np.where(test, kind(yes) if np.isscalar(yes) else yes, kind(no) if np.isscalar(no) else no))


def inside(z: Array, low: float, high: float, slope: float = 1.0) -> Array:
    """`slope` between two kinks, 0 on them and outside."""
    return choose((z > low) & (z < high), slope, 0.0, z)


def largest_power(z: Array) -> float:
    """The largest x whose exp(x) is finite in the dtype, rounded down."""
    return math.floor(math.log(float(np.finfo(z.dtype).max)))


def sigmoid(z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(np.minimum(-z, largest_power(z)))))


def sigmoid_slope(z: Array) -> Array:
    small = np.exp(-np.abs(z))
    return np.asarray(small / (1 + small) ** 2)


def bounded(z: Array) -> Array:
    """Z where a smooth activation still bends; beyond, the limit is reached in doubles."""
    return np.clip(z, -1000, 1000)


def tanh_slope(z: Array) -> Array:
    """1 − tanh² z as 4 e^(−2|z|)/(1 + e^(−2|z|))², which keeps its digits where tanh z is nearly 1."""
    small = np.exp(-2 * np.abs(z))
    return np.asarray(4 * small / (1 + small) ** 2)


def softplus(z: Array) -> Array:
    return np.asarray(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))


_COMPLEMENT = np.frompyfunc(math.erfc, 1, 1)


def normal(z: Array) -> Array:
    """Φ(z), the distribution function of the standard normal distribution."""
    return np.asarray(_COMPLEMENT(z * (-1 / math.sqrt(2))), dtype=z.dtype) / 2


def _gelu(z: Array) -> Array:
    low = np.maximum(z, -1000)
    return np.asarray(low * normal(low))


def _gelu_slope(z: Array) -> Array:
    u = bounded(z)
    return np.asarray(normal(u) + u * np.exp(-u * u / 2) / math.sqrt(2 * math.pi))


_ROOT = math.sqrt(2 / math.pi)


def _gelu_inner(z: Array) -> Array:
    return np.asarray(2 * _ROOT * (z + 0.044715 * z * z * z))


def _gelu_tanh_slope(z: Array) -> Array:
    u = bounded(z)
    inner = _gelu_inner(u)
    return np.asarray(sigmoid(inner) + u * sigmoid_slope(inner) * (2 * _ROOT * (1 + 0.134145 * u * u)))


def _silu(z: Array) -> Array:
    low = np.maximum(z, -1000)
    return np.asarray(low * sigmoid(low))


def _mish(z: Array) -> Array:
    low = np.maximum(z, -1000)
    return np.asarray(low * np.tanh(softplus(low)))


def _mish_slope(z: Array) -> Array:
    u = bounded(z)
    inner = softplus(u)
    return np.asarray(np.tanh(inner) + u * tanh_slope(inner) * sigmoid(u))


def _squareplus(z: Array, b: float) -> Array:
    """(z + √(z² + b))/2, for negative z as b/2/(√(z² + b) − z), where nothing cancels."""
    whole = np.abs(z) + np.sqrt(z * z + b)
    return choose(z > 0, whole / 2, b / 2 / whole, z)


def _squareplus_slope(z: Array, b: float) -> Array:
    root = np.sqrt(z * z + b)
    rest = b / root / (2 * (np.abs(z) + root))
    return choose(z > 0, 1 - rest, rest, z)


def _tanh_shrink(z: Array) -> Array:
    """Z − tanh z; near 0, where that cancels, its series."""
    u = np.clip(z, -0.25, 0.25)
    square = u * u
    series = np.zeros_like(u)
    for factor in reversed((1 / 3, -2 / 15, 17 / 315, -62 / 2835, 1382 / 155925, -21844 / 6081075, 929569 / 638512875)):
        series = series * square + factor
    return choose(np.abs(z) < 0.25, series * square * u, z - np.tanh(z), z)


def _leaky(z: Array, alpha: float) -> Array:
    return choose(z > 0, z, alpha * z, z)


def _leaky_slope(z: Array, alpha: float) -> Array:
    return choose(z > 0, 1.0, alpha, z)


def _elu(z: Array, alpha: float, scale: float = 1.0) -> Array:
    return choose(z > 0, scale * z, (scale * alpha) * np.expm1(np.minimum(z, 0)), z)


def _elu_slope(z: Array, alpha: float, scale: float = 1.0) -> Array:
    return choose(z > 0, scale, (scale * alpha) * np.exp(np.minimum(z, 0)), z)


SCALARS: Mapping[str, Scalar] = {
    "linear": Scalar(np.copy, np.ones_like),
    "step": Scalar(
        lambda z, at_zero: choose(z > 0, 1.0, choose(z == 0, at_zero, 0.0, z), z), lambda z, **_: np.zeros_like(z)
    ),
    "sigmoid": Scalar(sigmoid, sigmoid_slope),
    "tanh": Scalar(np.tanh, tanh_slope),
    "relu": Scalar(lambda z: np.maximum(z, 0), lambda z: choose(z > 0, 1.0, 0.0, z)),
    "leaky-relu": Scalar(_leaky, _leaky_slope),
    "parametric-relu": Scalar(_leaky, _leaky_slope, trained=lambda z: np.minimum(z, 0)),
    "thresholded-relu": Scalar(
        lambda z, theta: choose(z > theta, z, 0.0, z), lambda z, theta: choose(z > theta, 1.0, 0.0, z)
    ),
    "relu6": Scalar(lambda z: np.clip(z, 0, 6), lambda z: inside(z, 0, 6)),
    "elu": Scalar(_elu, _elu_slope),
    "selu": Scalar(_elu, _elu_slope),
    "celu": Scalar(
        lambda z, alpha: choose(z > 0, z, alpha * np.expm1(np.minimum(z, 0) / alpha), z),
        lambda z, alpha: np.exp(np.minimum(z, 0) / alpha),
    ),
    "softplus": Scalar(softplus, sigmoid),
    "softsign": Scalar(lambda z: z / (1 + np.abs(z)), lambda z: 1 / (1 + np.abs(z)) ** 2),
    "hard-sigmoid": Scalar(lambda z: np.clip(z / 6 + 0.5, 0, 1), lambda z: inside(z, -3, 3, 1 / 6)),
    "hard-sigmoid-keras2": Scalar(lambda z: np.clip(0.2 * z + 0.5, 0, 1), lambda z: inside(z, -2.5, 2.5, 0.2)),
    "hard-tanh": Scalar(lambda z: np.clip(z, -1, 1), lambda z: inside(z, -1, 1)),
    "silu": Scalar(_silu, lambda z: sigmoid(z) + bounded(z) * sigmoid_slope(z)),
    "hard-silu": Scalar(
        lambda z: np.maximum(z, -3) * np.clip(z / 6 + 0.5, 0, 1),
        lambda z: choose(z <= -3, 0.0, choose(z < 3, z / 3 + 0.5, 1.0, z), z),
    ),
    "gelu": Scalar(_gelu, _gelu_slope),
    "gelu-tanh": Scalar(lambda z: np.maximum(z, -1000) * sigmoid(_gelu_inner(bounded(z))), _gelu_tanh_slope),
    "mish": Scalar(_mish, _mish_slope),
    "log-sigmoid": Scalar(lambda z: -softplus(-z), lambda z: sigmoid(-z)),
    "squareplus": Scalar(_squareplus, _squareplus_slope),
    "tanh-shrink": Scalar(_tanh_shrink, lambda z: np.tanh(z) ** 2),
}


def softmax(z: Array) -> Array:
    powers = np.exp(z - z.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def log_softmax(z: Array) -> Array:
    below = z - z.max(-1, keepdims=True)
    return np.asarray(below - np.log(np.exp(below).sum(-1, keepdims=True)))


VECTORS: Mapping[str, Vector] = {
    "softmax": Vector(softmax, lambda a, da: a * (da - (a * da).sum(-1, keepdims=True))),
    "log-softmax": Vector(log_softmax, lambda a, da: da - np.exp(a) * da.sum(-1, keepdims=True)),
}
"""Maxout is the third: it has several net inputs for each output, see `Activation`."""


class Activation:
    """One layer's activation: a row of the catalogue with its parameters, as functions of whole batches.

    z has the shape (samples, net inputs), a and ∂E/∂a the shape (samples, outputs).  Of maxout, neuron k has the net
    inputs k·pieces to (k + 1)·pieces − 1; of several equally large ones the first is taken.
    """

    def __init__(self, row: Row) -> None:
        self.name = row.name
        self.parameters = {name: float(number.value) for name, number in row.parameters}
        self.pieces = int(self.parameters["pieces"]) if row.name == "maxout" else 1
        self.trained = row.trained
        self._scalar = SCALARS.get(row.name)
        self._vector = VECTORS.get(row.name)

    def value(self, z: Array) -> Array:
        if self._scalar:
            return self._scalar.value(z, **self.parameters)
        if self._vector:
            return self._vector.value(z)
        return np.asarray(self._grouped(z).max(-1))

    def backward(self, z: Array, a: Array, da: Array) -> Array:
        """∂E/∂z from ∂E/∂a."""
        if self._scalar:
            return np.asarray(da * self._scalar.slope(z, **self.parameters))
        if self._vector:
            return self._vector.backward(a, da)
        groups = self._grouped(z)
        slopes = np.zeros_like(groups)
        np.put_along_axis(slopes, groups.argmax(-1)[..., None], da[..., None], -1)
        return slopes.reshape(z.shape)

    def trained_gradient(self, z: Array, da: Array) -> float:
        """∂E/∂alpha, added up over the neurons and samples of the layer, which share alpha."""
        assert self._scalar is not None
        assert self._scalar.trained is not None
        return float((da * self._scalar.trained(z)).sum())

    def _grouped(self, z: Array) -> Array:
        return z.reshape(*z.shape[:-1], -1, self.pieces)
