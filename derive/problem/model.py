"""What is asked: a problem as values, read from a file by `derive.problem.file` or built in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Protocol

from derive.catalogue.activations import Activation
from derive.catalogue.losses import Loss
from derive.catalogue.recipes import Recipe
from derive.formula.expression import ONE, Expr, Number
from derive.numbers.rounding import Rounding

Notation = Literal["net-out", "z-a", "matrix"]
Reduction = Literal["mean", "sum"]

MANY_WEIGHTS = 1000
"""With a layer of more weights than this a network names them by place, W1[300,17], and not by number, w2193."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The names of a layer's weights, made when asked for.

    `names` holds a row per neuron, None where there is no connection; without it the names are numbered neuron by
    neuron from `first`, or, in a network with a large layer, by place.  Neurons and sources are counted from 0 here,
    from 1 in names.
    """

    layer: int
    fan_in: int
    neurons: int
    first: int = 1
    names: tuple[tuple[str | None, ...], ...] | None = None
    by_place: bool = False

    def name(self, neuron: int, source: int) -> str | None:
        if self.names is not None:
            return self.names[neuron][source]
        if self.by_place:
            return f"W{self.layer}[{source + 1},{neuron + 1}]"
        return f"w{self.first + neuron * self.fan_in + source}"

    def __iter__(self) -> Iterator[str]:
        """Every name once for each connection, neuron by neuron."""
        for neuron in range(self.neurons):
            for source in range(self.fan_in):
                name = self.name(neuron, source)
                if name is not None:
                    yield name


@dataclass(frozen=True, slots=True)
class Layer:
    """One dense layer.

    biases      a name per neuron, None where there is none; a repeated name is one shared parameter
    bias_input  the constant that the bias is multiplied by (1, or -1 for thresholds)
    trained     (parameter of the activation, its name in the network) for those that are trained: ("alpha", "alpha1")
    pieces      each neuron takes the largest of so many outputs of the layer before it (maxout), and has no weights
    """

    neurons: tuple[str, ...]
    activation: Activation
    weights: Weights
    biases: tuple[str | None, ...]
    bias_input: Number = ONE
    trained: tuple[tuple[str, str], ...] = ()
    pieces: int = 0

    def parameters(self) -> Iterator[str]:
        """Weights, biases and trained parameters of the activation, one for each use."""
        yield from self.weights
        yield from (bias for bias in self.biases if bias)
        yield from (name for _, name in self.trained)


@dataclass(frozen=True, slots=True)
class Penalty:
    """An L2 penalty on the weights: strength/2 · Σw² with `half`, else strength · Σw²; biases are left out."""

    strength: Number
    half: bool = True


class Body(Protocol):
    """What a problem file of one kind says; each kind has a class of its own."""

    kind: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Network:
    """The structure: no numbers except those of activations and penalty.

    targets   a name per output neuron; empty for a forward pass only
    samples   1 for one sample (names carry no [k]), else the size of the batch
    """

    kind: ClassVar[str] = "network"

    inputs: tuple[str, ...]
    layers: tuple[Layer, ...]
    targets: tuple[str, ...]
    loss: Loss
    samples: int = 1
    reduction: Reduction = "mean"
    penalty: Penalty | None = None

    def sizes(self) -> tuple[int, ...]:
        return (len(self.inputs), *(len(layer.neurons) for layer in self.layers))

    def weight_names(self) -> tuple[str, ...]:
        """Each weight once, in the order of its first use."""
        return tuple(dict.fromkeys(name for layer in self.layers for name in layer.weights))

    def bias_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for layer in self.layers for name in layer.biases if name is not None))

    def parameters(self) -> tuple[str, ...]:
        """Weights, biases and trained parameters of activations, layer by layer, each once."""
        return tuple(dict.fromkeys(name for layer in self.layers for name in layer.parameters()))

    def parameter_count(self) -> int:
        """How many parameters there are, without making the names of large layers."""
        large = sum(layer.weights.fan_in * layer.weights.neurons for layer in self.layers if layer.weights.by_place)
        named = {name for layer in self.layers if not layer.weights.by_place for name in layer.weights}
        return large + len(named) + len(self.bias_names()) + sum(len(layer.trained) for layer in self.layers)


@dataclass(frozen=True, slots=True)
class Definitions:
    """An expression file: each definition is one node, in the order of the file.

    output   what is differentiated; empty: nothing
    """

    kind: ClassVar[str] = "expression"

    output: str
    define: tuple[tuple[str, Expr], ...]
    leaves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """Every parameter that is not frozen changes, all at once, `steps` times."""

    learning_rate: Number
    recipe: Recipe = field(default_factory=Recipe)
    steps: int = 1
    frozen: tuple[str, ...] = ()

    @property
    def optimizer(self) -> str:
        return self.recipe.row.name


@dataclass(frozen=True, slots=True)
class Vary:
    """How one group or parameter varies over a class: values from … to in steps, or a choice."""

    choices: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A whole problem; `given` holds every number by canonical name, a name without one stays a symbol.

    Batches: the inputs and targets of sample k are given as "x1[k]" and "y[k]", k counted from 1.
    """

    title: str
    body: Body
    given: Mapping[str, Number] = field(default_factory=dict)
    rounding: Rounding = field(default_factory=Rounding)
    notation: Notation = "net-out"
    update: Update | None = None
    ask: tuple[str, ...] = ()
    vary: Mapping[str, Vary] = field(default_factory=dict)
    prose: Mapping[str, str] = field(default_factory=dict)
    source: str = ""

    @property
    def kind(self) -> str:
        return self.body.kind

    def with_rounding(self, rounding: Rounding) -> Problem:
        return replace(self, rounding=rounding)

    def with_notation(self, notation: Notation) -> Problem:
        return replace(self, notation=notation)
