"""The same steps as `network` and `optimizers`, for the usual networks, with nothing allocated on the way.

- All parameters, gradients and states are flat vectors that start at a cache line; every result has its place (`out=`).
- Inputs that are mostly 0, as the pixels of digits: the columns are put in the order of how often they are not 0.
  Those that never are have gradients 0 and are left out.  Of the others a batch needs only those up to the last one
  that it has, and the rest of ∂E/∂W of the first layer is 0 without a product.
- Adam in nine passes: its moments are kept without the factors 1 − β, and relative to a scale that grows by 1/√β₂
  with each update.  The gradients get that scale for nothing, in the small δ of the last layer; the mean of
  squares needs no decay then.
- Moments of inputs that are no longer seen shrink until they are denormal, which is many times slower; they are set
  to 0 before that.

The results differ from those of the plain step by rounding alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from derive.mlp.arrays import Targets, scale_of
from derive.mlp.network import Network
from derive.mlp.optimizers import Optimizer

if TYPE_CHECKING:
    from derive.mlp.estimator import MLP

Array = NDArray[Any]

LINE = 64
"""Bytes of a cache line."""
EVERY = 128
"""Updates between two cleanings of the moments."""
CLEANED = 1e6
"""Moments under so many times the smallest normal number are set to 0; 0.9¹²⁸ is 1.4 millionths."""
SPARSE = 0.9
"""Columns are left out where a batch needs less than this share of them."""


def aligned(size: int, dtype: Any) -> Array:
    """Zeros that start at a cache line."""
    itemsize = np.dtype(dtype).itemsize
    raw = np.zeros(size * itemsize + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + size * itemsize].view(dtype)


# --- activations in place: f(z), and δ ← δ·f' from the outputs -------------------------------------------------------


def _sigmoid(z: Array) -> None:
    np.negative(z, out=z)
    np.minimum(z, 88, out=z)
    np.exp(z, out=z)
    np.add(z, 1, out=z)
    np.reciprocal(z, out=z)


def _sigmoid_slope(delta: Array, a: Array, space: Array) -> None:
    np.subtract(1, a, out=space)
    np.multiply(space, a, out=space)
    np.multiply(delta, space, out=delta)


def _tanh_slope(delta: Array, a: Array, space: Array) -> None:
    np.multiply(a, a, out=space)
    np.subtract(1, space, out=space)
    np.multiply(delta, space, out=delta)


def _relu_slope(delta: Array, a: Array, space: Array) -> None:
    np.sign(a, out=space)
    np.multiply(delta, space, out=delta)


def _softmax(z: Array) -> None:
    np.subtract(z, np.maximum.reduce(z, axis=1, keepdims=True), out=z)
    np.exp(z, out=z)
    np.divide(z, np.add.reduce(z, axis=1, keepdims=True), out=z)


InPlace = Callable[[Array], Array | None]
Slope = Callable[[Array, Array, Array], None]
HIDDEN: Mapping[str, tuple[InPlace, Slope]] = {
    "relu": (lambda z: np.maximum(z, 0, out=z), _relu_slope),
    "sigmoid": (_sigmoid, _sigmoid_slope),
    "tanh": (lambda z: np.tanh(z, out=z), _tanh_slope),
}
OUTPUTS: Mapping[tuple[str, str], tuple[InPlace, Slope | None, float]] = {
    ("softmax", "cross-entropy"): (_softmax, None, 1.0),
    ("sigmoid", "half-squared-error"): (_sigmoid, _sigmoid_slope, 1.0),
    ("sigmoid", "squared-error"): (_sigmoid, _sigmoid_slope, 2.0),
    ("tanh", "half-squared-error"): (HIDDEN["tanh"][0], _tanh_slope, 1.0),
    ("tanh", "squared-error"): (HIDDEN["tanh"][0], _tanh_slope, 2.0),
}
"""(output, loss): f, f', and c where ∂E/∂net is c·(o − t), times f' where there is one."""


# --- columns ---------------------------------------------------------------------------------------------------------


class Columns:
    """The columns of the inputs by how often they are not 0, and how many of them each sample needs."""

    def __init__(self, x: Array, batch: int) -> None:
        often = np.count_nonzero(x, axis=0)
        self.order: NDArray[np.intp] | None = None
        if often.max(initial=0) == 0 or (1 - (1 - often / len(x)) ** batch).mean() > SPARSE:
            self.x, self.kept = x, int(x.shape[1])
            return
        self.order = np.argsort(-often, kind="stable")[: np.count_nonzero(often)]
        self.kept = len(self.order)
        self.x = np.empty((len(x), self.kept), x.dtype)
        self.needed = np.empty(len(x), np.int32)
        for start in range(0, len(x), 1024):
            part = self.x[start : start + 1024]
            np.take(x[start : start + 1024], self.order, axis=1, out=part, mode="clip")
            self.needed[start : start + 1024] = self.kept - (part[:, ::-1] != 0).argmax(1)

    def width(self, chosen: Array) -> int:
        """How many columns a batch needs, as a multiple of a cache line."""
        if self.order is None:
            return self.kept
        most = int(self.needed.take(chosen).max())
        return min(self.kept, -(-most // 16) * 16)


# --- vectors ---------------------------------------------------------------------------------------------------------


class Vectors:
    """Flat vectors with the first layer's weights at the end, so that what a batch changes comes first.

    The model's own vectors have them first, in the order of the inputs.
    """

    def __init__(self, network: Network, order: NDArray[np.intp] | None) -> None:
        self.first = network.layers[0].weights.shape
        self.order = order
        self.split = network.layers[0].weights.size
        self.rest = network.parameters.size - self.split
        self.start = -(-self.rest // 16) * 16
        self.rows = self.first[0] if order is None else len(order)
        self.size = self.start + self.rows * self.first[1]
        self.dtype = network.parameters.dtype
        self.w, self.g = aligned(self.size, self.dtype), aligned(self.size, self.dtype)
        self.layers = self._views(self.w, network)
        self.slopes = self._views(self.g, network)

    def _views(self, flat: Array, network: Network) -> list[tuple[Array, Array]]:
        """(weights, biases) of every layer."""
        found, at = [], 0
        for place, layer in enumerate(network.layers):
            weights: Array
            if place:
                weights = flat[at : at + layer.weights.size].reshape(layer.weights.shape)
                at += layer.weights.size
            else:
                weights = flat[self.start :].reshape(self.rows, self.first[1])
            found.append((weights, flat[at : at + layer.biases.size]))
            at += layer.biases.size
        return found

    def take(self, model: Array, flat: Array) -> None:
        """From a vector of the model."""
        flat[: self.rest] = model[self.split :]
        matrix = model[: self.split].reshape(self.first)
        flat[self.start :] = (matrix if self.order is None else matrix[self.order]).ravel()

    def give(self, flat: Array, model: Array) -> None:
        """Back to a vector of the model; what belongs to columns that are left out stays."""
        model[self.split :] = flat[: self.rest]
        matrix = model[: self.split].reshape(self.first)
        matrix[slice(None) if self.order is None else self.order] = flat[self.start :].reshape(self.rows, -1)


# --- updates ---------------------------------------------------------------------------------------------------------


class Update(Protocol):
    """An optimizer on `Vectors`: `scale` is the factor that the gradients of the next `step` must have."""

    scale: float

    def begin(self) -> None: ...

    def step(self, changed: int) -> None:
        """One update; the gradients from `changed` on count as 0.  Their vector ends as scratch space."""
        ...

    def end(self) -> None: ...


class Descent:
    """w ← w − rate·g, with the rate as the gradients' factor."""

    def __init__(self, optimizer: Optimizer, vectors: Vectors) -> None:
        self.optimizer, self.vectors = optimizer, vectors
        self.scale = 0.0

    def begin(self) -> None:
        self._prepare()

    def _prepare(self) -> None:
        settings, rate = self.optimizer.settings, self.optimizer.learning_rate
        self.scale = settings.schedule(rate, self.optimizer.step_number + 1)

    def step(self, changed: int) -> None:
        w = self.vectors.w[:changed]
        np.subtract(w, self.vectors.g[:changed], out=w)
        self.optimizer.step_number += 1
        self._prepare()

    def end(self) -> None:
        pass


class Adam:
    """Adam and AdamW without decay; with q the scale, m' = q·m/(1 − β₁) and v' = q²·v/(1 − β₂)."""

    def __init__(self, optimizer: Optimizer, vectors: Vectors) -> None:
        self.optimizer, self.vectors, settings = optimizer, vectors, optimizer.settings
        self.m, self.v = aligned(vectors.size, vectors.dtype), aligned(vectors.size, vectors.dtype)
        self.beta1, self.beta2, self.epsilon = settings["beta1"], settings["beta2"], settings["epsilon"]
        self.growth = 1 / math.sqrt(self.beta2)
        self.least = float(np.finfo(vectors.dtype).tiny) * CLEANED
        self.scale = self.growth

    def begin(self) -> None:
        states = self.optimizer.states
        self.vectors.take(states["m"], self.m)
        self.vectors.take(states["v"], self.v)
        np.divide(self.m, 1 - self.beta1, out=self.m)
        np.divide(self.v, 1 - self.beta2, out=self.v)
        self.scale = self.growth

    def step(self, changed: int) -> None:
        optimizer, m, v, w, space = self.optimizer, self.m, self.v, self.vectors.w, self.vectors.g
        optimizer.step_number += 1
        root = math.sqrt((1 - self.beta2) / (1 - self.beta2**optimizer.step_number))
        factor = optimizer.rate() * (1 - self.beta1) / (1 - self.beta1**optimizer.step_number) / root
        g, m_changed, v_changed = space[:changed], m[:changed], v[:changed]
        np.multiply(m, self.beta1 * self.growth, m)
        np.add(m_changed, g, m_changed)
        np.multiply(g, g, g)
        np.add(v_changed, g, v_changed)
        np.sqrt(v, space)
        np.add(space, self.epsilon * self.scale / root, space)
        np.divide(m, space, space)
        np.multiply(space, factor, space)
        np.subtract(w, space, w)
        self.scale *= self.growth
        if optimizer.step_number % EVERY == 0:
            self._clean()

    def _clean(self) -> None:
        """Start the scale anew, and set to 0 what would be denormal before the next cleaning."""
        back = self.growth / self.scale
        np.multiply(self.m, back, out=self.m)
        np.multiply(self.v, back * back, out=self.v)
        self.scale = self.growth
        for moment in (self.m, self.v):
            np.abs(moment, out=self.vectors.g)
            moment[self.vectors.g < self.least] = 0

    def end(self) -> None:
        back = self.growth / self.scale
        np.multiply(self.m, (1 - self.beta1) * back, out=self.m)
        np.multiply(self.v, (1 - self.beta2) * back * back, out=self.v)
        self.vectors.give(self.m, self.optimizer.states["m"])
        self.vectors.give(self.v, self.optimizer.states["v"])


def _is_plain(optimizer: Optimizer) -> bool:
    settings = optimizer.settings
    return not (settings.clip or settings.is_("maximize") or settings["weight_decay"])


def _is_usual_adam(optimizer: Optimizer) -> bool:
    """With a divisor that no cleaned moment can change, and a scale that stays small between two cleanings."""
    settings = optimizer.settings
    usual = settings.is_("bias_correction") and settings.is_("epsilon_place", "outside")
    return usual and settings["epsilon"] >= 1e-12 and settings["beta2"] >= 0.9


UPDATES: Mapping[str, tuple[type[Descent | Adam], Callable[[Optimizer], bool]]] = {
    "sgd": (Descent, lambda _: True),
    "adam": (Adam, _is_usual_adam),
    "adamw": (Adam, _is_usual_adam),
}


# --- steps -----------------------------------------------------------------------------------------------------------


class Buffers:
    """The places of all that a batch of one size needs."""

    def __init__(self, size: int, x: Array, kept: int, network: Network) -> None:
        dtype = network.parameters.dtype
        self.raw = np.empty((size, kept), x.dtype)
        self._flat = aligned(size * kept, dtype)
        self._size, self._of = size, dict[int, Array]()
        self.outs, self.deltas, self.spaces = (
            [aligned(size * shape.neurons, dtype).reshape(size, -1) for shape in network.shapes] for _ in range(3)
        )
        self.ones = np.ones(size, dtype)
        self.t = np.empty((size, network.shapes[-1].neurons), dtype)
        self.at = np.arange(size) * network.shapes[-1].neurons

    def x(self, width: int) -> Array:
        """The inputs of a batch, so many columns without a gap."""
        if width not in self._of:
            self._of[width] = self._flat[: self._size * width].reshape(self._size, width)
        return self._of[width]


class FastStepper:
    """Mini-batch steps of a network that `can_step` accepts.  The model's own vectors are up to date after an epoch."""

    def __init__(self, model: MLP, x: Array, wanted: Targets) -> None:
        network = model.network_
        self.model, self.network, self.wanted = model, network, wanted
        self.columns = Columns(x, model.batch_size)
        self.vectors = Vectors(network, self.columns.order)
        update, _ = UPDATES[model.optimizer_.settings.name]
        self.update: Update = update(model.optimizer_, self.vectors)
        self.hidden = [HIDDEN[shape.activation.name] for shape in network.shapes[:-1]]
        self.output, self.slope, self.factor = OUTPUTS[network.shapes[-1].activation.name, network.loss.name]
        self.scale = scale_of(x, model.scale)
        self.is_entropy = self.slope is None
        self.codes = self._codes()
        self.buffers: dict[int, Buffers] = {}

    def _codes(self) -> Array:
        """The targets of each class, a row each; of given targets all rows."""
        if self.wanted.labels is None:
            assert self.wanted.values is not None
            return self.wanted.values
        return np.eye(self.wanted.outputs, dtype=self.vectors.dtype)

    def begin(self, order: Array) -> None:
        self.order = order
        self.rows = order if self.wanted.labels is None else self.wanted.labels[order]
        self.seen = np.zeros(len(order), self.vectors.dtype)
        self.vectors.take(self.network.parameters, self.vectors.w)
        self.update.begin()

    def step(self, start: int, stop: int) -> None:
        buffers = self.buffers.get(stop - start) or self._buffers(stop - start)
        width, x = self._gather(buffers, self.order[start:stop])
        self._forward(buffers, x, width)
        self._targets(buffers, start, stop)
        self._backward(buffers, x, width)
        self.update.step(self.vectors.start + width * self.vectors.first[1])
        if stop == len(self.order):
            self._end()

    def _buffers(self, size: int) -> Buffers:
        self.buffers[size] = Buffers(size, self.columns.x, self.columns.kept, self.network)
        return self.buffers[size]

    def _gather(self, buffers: Buffers, chosen: Array) -> tuple[int, Array]:
        self.columns.x.take(chosen, axis=0, out=buffers.raw, mode="clip")
        width = self.columns.width(chosen)
        x = buffers.x(width)
        np.copyto(x, buffers.raw if width == self.columns.kept else buffers.raw[:, :width])
        return width, x

    def _forward(self, buffers: Buffers, x: Array, width: int) -> None:
        a, last = x, len(self.vectors.layers) - 1
        for place, (weights, biases) in enumerate(self.vectors.layers):
            out = buffers.outs[place]
            np.dot(a, weights if place else weights[:width], out=out)
            if not place and self.scale != 1:
                np.multiply(out, self.scale, out=out)
            np.add(out, biases, out=out)
            (self.hidden[place][0] if place < last else self.output)(out)
            a = out

    def _targets(self, buffers: Buffers, start: int, stop: int) -> None:
        """The share of the batch in the loss, and ∂E/∂net of the last layer with the scale of the update."""
        out, delta, space = buffers.outs[-1], buffers.deltas[-1], buffers.spaces[-1]
        rows = self.rows[start:stop]
        self.codes.take(rows, axis=0, out=buffers.t, mode="clip")
        np.subtract(out, buffers.t, out=delta)
        if self.is_entropy:
            out.ravel().take(buffers.at + rows, out=self.seen[start:stop], mode="clip")
        else:
            np.multiply(delta, delta, out=space)
            np.add.reduce(space, axis=1, out=self.seen[start:stop])
        if self.slope:
            self.slope(delta, out, space)
        share = 1 / (stop - start) if self.network.reduction == "mean" else 1.0
        np.multiply(delta, self.factor * share * self.update.scale, out=delta)

    def _backward(self, buffers: Buffers, x: Array, width: int) -> None:
        for place in reversed(range(len(self.vectors.layers))):
            delta, (weights, biases) = buffers.deltas[place], self.vectors.slopes[place]
            np.dot(buffers.ones, delta, out=biases)
            if place:
                before, a = buffers.deltas[place - 1], buffers.outs[place - 1]
                np.dot(a.T, delta, out=weights)
                np.dot(delta, self.vectors.layers[place][0].T, out=before)
                self.hidden[place - 1][1](before, a, buffers.spaces[place - 1])
            else:
                if self.scale != 1:
                    np.multiply(delta, self.scale, out=delta)
                np.dot(x.T, delta, out=weights[:width])

    def _end(self) -> None:
        self.vectors.give(self.vectors.w, self.network.parameters)
        self.update.end()

    def mean_loss(self, done: int) -> float:
        """From what `seen` keeps of each sample: the probability of its class, or the sum of its squared errors."""
        seen = self.seen[:done].astype(np.float64)
        if not done:
            return 0.0
        if self.is_entropy:
            return float(-np.log(np.maximum(seen, np.finfo(self.vectors.dtype).tiny)).mean())
        return float(seen.mean() * self.factor / 2)


def can_step(model: MLP, wanted: Targets) -> bool:
    """Whether the network, its loss, its optimizer and its targets are among those that have a fast step."""
    network, optimizer = model.network_, model.optimizer_
    names = [shape.activation.name for shape in network.shapes]
    _, is_usual = UPDATES.get(optimizer.settings.name, (None, lambda _: False))
    return (
        all(name in HIDDEN for name in names[:-1])
        and (names[-1], network.loss.name) in OUTPUTS
        and network.loss.row.over != "mean"
        and all(layer.biases.size == layer.weights.shape[1] for layer in network.layers)
        and not network.l2
        and not model.dropout
        and _is_plain(optimizer)
        and is_usual(optimizer)
        and (wanted.values is None or network.loss.name != "cross-entropy")
    )
