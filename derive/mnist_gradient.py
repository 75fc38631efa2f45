"""One gradient of a trained network on one image: the worked example, and two other ways to the same number.

The problem is built in memory.  Its given numbers stay in the arrays that they come from and are read when asked for:
a weight, a bias or an input is the shortest decimal that tells its float32 from the next, in the derivation, on the
page and in the two other ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from derive.catalogue.activations import ACTIVATIONS
from derive.catalogue.losses import LOSSES
from derive.derivation.chain_rule import derivative_name
from derive.derivation.evaluate import PRECISIONS, Enclosed, Values
from derive.errors import DeriveError
from derive.formula.expression import Number, number
from derive.mlp import network as numeric
from derive.mlp.arrays import BYTE, rows
from derive.mlp.mnist import CLASSES, SIDE, Split
from derive.mlp.model import Model
from derive.numbers.exact import Real
from derive.numbers.rounding import Rounding
from derive.problem.model import Layer, Network, Problem, Weights
from derive.worked import Options, WorkedExample

Array = NDArray[Any]

DIGITS = 6
"""Significant digits of a page unless other ones are asked for."""

STEP = Fraction(1, 10**12)
"""How far the difference quotient goes to either side."""

QUOTIENT_DIGITS = PRECISIONS[0]
"""Digits that its two losses are carried with."""

TOLERANCE = 1e-6
"""Numbers that differ by more, relative to the larger one, disagree."""

PLAIN = ("linear", "relu", "leaky-relu", "relu6")
"""Activations that make decimals of decimals."""

_EXACT = Context(prec=2000, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class Image:
    """One image of MNIST: 784 grey values, its label, its set, its number there counted from 1."""

    pixels: NDArray[np.uint8]
    label: int
    split: Split
    number: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parameter stands, counted from 1; source 0 is the bias."""

    name: str
    layer: int
    neuron: int
    source: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """The same gradient three times: from the derivation, from backpropagation in NumPy, as a central difference."""

    derived: float
    backpropagated: float
    quotient: float

    def disagreement(self, which: Literal["backpropagated", "quotient"]) -> float:
        """The relative difference from the derived number; 0 where both are 0."""
        other = getattr(self, which)
        largest = max(abs(self.derived), abs(other))
        return abs(self.derived - other) / largest if largest else 0.0

    def largest_disagreement(self) -> float:
        return max(self.disagreement("backpropagated"), self.disagreement("quotient"))


def decimal(value: Any) -> str:
    """The shortest decimal that tells this float32 from the next: "0.034057617"."""
    return np.format_float_positional(np.float32(value) + np.float32(0), unique=True, trim="-")  # no −0


def _index(place: str) -> int:
    """The place in an array, from 0, of what names count from 1; raises ValueError."""
    found = int(place) - 1
    if not place.isdecimal() or found < 0:
        raise ValueError(place)
    return found


class Arrays(Mapping[str, Number]):
    """The given numbers of the problem by name, read from the arrays of the network and of the image."""

    def __init__(self, model: Model, image: Image) -> None:
        self._weights, self._biases = model.weights, model.biases
        self._inputs = rows(image.pixels, BYTE, np.float32)
        self._label, self._other = image.label, -1 if LOSSES[model.loss].targets == "signs" else 0
        self._made: dict[str, Number] = {}

    @property
    def inputs(self) -> Array:
        """What the network takes, float32 within 0 … 1."""
        return self._inputs

    def __getitem__(self, name: str) -> Number:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name)
        return made

    def _make(self, name: str) -> Number:
        try:
            return number(self._written(name))
        except (ValueError, IndexError):
            raise KeyError(name) from None

    def _written(self, name: str) -> str:
        kind, place = name[:1], name[1:]
        if kind == "x":
            return decimal(self._inputs[_index(place)])
        if kind == "y" and _index(place) < CLASSES:
            return str(1 if _index(place) == self._label else self._other)
        layer, _, inside = place.removesuffix("]").partition("[")
        if kind == "W":
            source, _, neuron = inside.partition(",")
            return decimal(self._weights[_index(layer)][_index(source), _index(neuron)])
        if kind == "B":
            return decimal(self._biases[_index(layer)][_index(inside)])
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield from (f"x{i}" for i in range(1, len(self._inputs) + 1))
        yield from (f"y{k}" for k in range(1, CLASSES + 1))
        for layer, weights in enumerate(self._weights, 1):
            fan_in, neurons = weights.shape
            yield from (f"W{layer}[{i},{j}]" for j in range(1, neurons + 1) for i in range(1, fan_in + 1))
            yield from (f"B{layer}[{j}]" for j in range(1, neurons + 1))

    def __len__(self) -> int:
        arrays = (*self._weights, *self._biases)
        return len(self._inputs) + CLASSES + sum(array.size for array in arrays)


class Known(Mapping[str, Real]):
    """What the values start from: the given numbers, and net inputs of hidden layers that are sums of decimals.

    Those are the first layer's, and those above outputs of PLAIN activations; they are added exactly, in one go.
    `exact` gives the value of an output.
    """

    def __init__(self, given: Arrays, model: Model, network: Network, exact: Callable[[str], Fraction | None]) -> None:
        self._given, self._model, self._network, self._exact = given, model, network, exact
        depth = len(network.layers) - 1 if network.layers[0].activation.name in PLAIN else 1
        layers = list(enumerate(network.layers[: min(depth, len(network.layers) - 1)]))
        self._places = {
            f"net_{name}": (layer, place) for layer, found in layers for place, name in enumerate(found.neurons)
        }
        self._sources: dict[int, list[tuple[int, Decimal]]] = {}
        self._made: dict[tuple[int, int], Fraction] = {}

    def __getitem__(self, name: str) -> Real:
        place = self._places.get(name)
        return self._given[name].value if place is None else self._net(*place)

    def _net(self, layer: int, neuron: int) -> Fraction:
        found = self._made.get((layer, neuron))
        if found is None:
            found = self._made[layer, neuron] = self._added(layer, neuron)
        return found

    def _added(self, layer: int, neuron: int) -> Fraction:
        column = self._model.weights[layer][:, neuron]
        total = Decimal(decimal(self._model.biases[layer][neuron]))
        for place, value in self._nonzero(layer):
            total = _EXACT.fma(Decimal(decimal(column[place])), value, total)
        return Fraction(total)

    def _nonzero(self, layer: int) -> list[tuple[int, Decimal]]:
        """What feeds a layer, without zeros: most pixels are dark, and half of the neurons silent."""
        found = self._sources.get(layer)
        if found is None:
            found = self._sources[layer] = [(place, value) for place, value in enumerate(self._feeds(layer)) if value]
        return found

    def _feeds(self, layer: int) -> Iterator[Decimal]:
        if layer == 0:
            yield from (Decimal(decimal(value)) for value in self._given.inputs)
            return
        for name in self._network.layers[layer - 1].neurons:
            value = self._exact(f"out_{name}")
            assert value is not None
            yield _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))

    def __contains__(self, name: object) -> bool:
        return name in self._places or (isinstance(name, str) and self._given.get(name) is not None)

    def __iter__(self) -> Iterator[str]:
        yield from self._given
        yield from self._places

    def __len__(self) -> int:
        return len(self._given) + len(self._places)


class ImageExample(WorkedExample):
    """The derivation of one gradient of a trained network on one image."""

    def __init__(self, model: Model, image: Image, weight: str) -> None:
        self.model, self.image = model, image
        self.given = Arrays(model, image)
        title = f"One gradient of a {'-'.join(map(str, model.sizes))} network"
        problem = Problem(title, network_of(model), self.given, Rounding(significant=DIGITS))
        super().__init__(problem, Options(whole=True))
        self.place = self._place(weight)

    @cached_property
    def values(self) -> Values:
        known = Known(self.given, self.model, self.network, lambda name: self.values.exact(name))
        return Values(self.derivation, known, self.problem.rounding)

    @property
    def network(self) -> Network:
        assert isinstance(self.problem.body, Network)
        return self.problem.body

    @property
    def target(self) -> str:
        """The quantity that the example is about: dE/dW1[300,17]."""
        return derivative_name("E", self.place.name)

    def _place(self, weight: str) -> Place:
        """The weight or bias of that name, or of that gradient."""
        name = weight.strip().removeprefix("dE/d").removeprefix("∂E/∂").replace(" ", "")
        kind, _, rest = name.partition("[")
        numbers = rest.removesuffix("]").split(",")
        wanted = {"W": 2, "B": 1}.get(kind[:1].upper(), 0)
        if rest.endswith("]") and kind[1:].isdigit() and len(numbers) == wanted and all(map(str.isdigit, numbers)):
            layer, source, neuron = int(kind[1:]), int(numbers[0]) if wanted == 2 else 0, int(numbers[-1])
            if self._is_there(layer, source, neuron, bias=wanted == 1):
                index = f"{source},{neuron}" if wanted == 2 else f"{neuron}"
                return Place(f"{kind[0].upper()}{layer}[{index}]", layer, neuron, source)
        shapes = enumerate((weights.shape for weights in self.model.weights), 1)
        ranges = (f"W{layer}[1…{fan_in},1…{neurons}]" for layer, (fan_in, neurons) in shapes)
        raise DeriveError(
            f'"{weight}" is no parameter of this network; accepted: {", ".join(ranges)}, from source to neuron, '
            "and B1[…] and so on for a bias"
        )

    def _is_there(self, layer: int, source: int, neuron: int, *, bias: bool) -> bool:
        if not 1 <= layer <= len(self.model.weights):
            return False
        fan_in, neurons = self.model.weights[layer - 1].shape
        return 1 <= neuron <= neurons and (bias or 1 <= source <= fan_in)


def network_of(model: Model) -> Network:
    """The structure of the network, with weights named by place."""
    layers, sizes = [], model.sizes
    for index, (fan_in, neurons) in enumerate(pairwise(sizes), 1):
        last = index == len(sizes) - 1
        stem = "o" if last else "h" if len(sizes) == 3 else f"h{index}_"
        layers.append(
            Layer(
                tuple(f"{stem}{j}" for j in range(1, neurons + 1)),
                ACTIVATIONS[model.output if last else model.activation],
                Weights(index, fan_in, neurons, by_place=True),
                tuple(f"B{index}[{j}]" for j in range(1, neurons + 1)),
            )
        )
    inputs = tuple(f"x{i}" for i in range(1, sizes[0] + 1))
    return Network(inputs, tuple(layers), tuple(f"y{k}" for k in range(1, sizes[-1] + 1)), LOSSES[model.loss])


# -- the same number in two other ways


def three_ways(example: ImageExample) -> Numbers:
    """The derived number, backpropagation in NumPy in double precision, and a central difference."""
    derived = example.value(example.target)
    if derived is None:
        raise DeriveError(f"{example.target} has no value")
    opinion = _Opinion(example)
    return Numbers(derived, opinion.backpropagated(), quotient(example))


class _Opinion:
    """The network in NumPy, with the decimals of the page as doubles."""

    def __init__(self, example: ImageExample) -> None:
        model, place = example.model, example.place
        shapes = [numeric.Shape(len(layer.neurons), layer.activation) for layer in example.network.layers]
        self.network = numeric.Network(model.sizes[0], shapes, example.network.loss)
        self.x = _doubles(example.given.inputs)[None, :]
        sources: Array = self.x[0] != 0  # weights from black pixels change nothing, and their text takes time
        for layer, weights, biases in zip(self.network.layers, model.weights, model.biases, strict=True):
            layer.weights[sources], layer.biases[:] = _doubles(weights[sources]), _doubles(biases)
            sources = np.ones(weights.shape[1], bool)
        self.t = np.array([[float(example.given[f"y{k}"].value) for k in range(1, CLASSES + 1)]])
        slopes = self.network.slopes[place.layer - 1]
        self.index = (place.source - 1, place.neuron - 1) if place.source else (place.neuron - 1,)
        self.slope = slopes.weights if place.source else slopes.biases

    def backpropagated(self) -> float:
        self.network.backward(self.x, self.t, self.network.forward(self.x))
        return float(self.slope[self.index])


class Shifted(Mapping[str, Real]):
    """What the values start from when one parameter is changed: whatever does not hang on it keeps its value.

    In a hidden layer that is fully above, one term of each net input changes: the old value and the difference of that
    term are added.
    """

    def __init__(self, example: ImageExample, shift: Fraction) -> None:
        self._example, self._shift = example, shift
        self._base = example.values
        self._arithmetic = Enclosed(QUOTIENT_DIGITS)
        network, place = example.network, example.place
        layers = list(enumerate(network.layers, 1))
        self._same = {
            f"{kind}_{name}"
            for layer, found in layers[: place.layer]
            for position, name in enumerate(found.neurons, 1)
            for kind in ("net", "out")
            if not found.activation.vector and (layer, position) != (place.layer, place.neuron)
        }
        self._out = f"out_{network.layers[place.layer - 1].neurons[place.neuron - 1]}"
        self._above: dict[str, str] = {}
        if place.layer < len(layers) - 1:
            names = enumerate(network.layers[place.layer].neurons, 1)
            self._above = {f"net_{name}": f"W{place.layer + 1}[{place.neuron},{k}]" for k, name in names}
        self.after = Values(example.derivation, self, example.problem.rounding)

    def __getitem__(self, name: str) -> Real:
        if name == self._example.place.name:
            return self._example.given[name].value + self._shift
        if name in self._same:
            return self._old(name)
        if name in self._above:
            return self._with_another_term(name, self._example.given[self._above[name]].value)
        return self._example.given[name].value

    def _old(self, name: str) -> Real:
        return _number(self._base, name)

    def _with_another_term(self, net: str, weight: Fraction) -> Real:
        numbers = self._arithmetic
        difference = numbers.add(_number(self.after, self._out), numbers.negate(self._old(self._out)))
        return numbers.add(self._old(net), numbers.multiply(weight, difference))

    def __contains__(self, name: object) -> bool:
        return name in self._same or name in self._above or name in self._example.given

    def __iter__(self) -> Iterator[str]:
        yield from self._example.given
        yield from self._same
        yield from self._above

    def __len__(self) -> int:
        return len(self._example.given) + len(self._same) + len(self._above)


def quotient(example: ImageExample) -> float:
    """(E(w + h) − E(w − h))/2h, the losses worked out to QUOTIENT_DIGITS digits, so that nothing is lost in them."""
    above, below = (_middle(_number(Shifted(example, shift).after, "E")) for shift in (STEP, -STEP))
    return float((above - below) / (2 * STEP))


def _number(values: Values, name: str) -> Real:
    found = values.real(name, QUOTIENT_DIGITS)
    assert found is not None
    return found


def _middle(value: Real) -> Fraction:
    return value if isinstance(value, Fraction) else (Fraction(value.lo) + Fraction(value.hi)) / 2


def _doubles(values: Array) -> Array:
    """The double nearest to the shortest decimal of each float32."""
    return values.astype(np.float32).astype("U32").astype(np.float64)


def row_and_column(pixel: int) -> tuple[int, int]:
    """Where a pixel lies in its image, all counted from 1."""
    return (pixel - 1) // SIDE + 1, (pixel - 1) % SIDE + 1
