"""The graph of a dense network, for one sample or a batch: its nodes are made when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

from derive.calculus.loss_terms import LossTerms
from derive.catalogue.losses import Loss
from derive.derivation.graph import SERIES_FROM, Node, sample_suffix, split_sample
from derive.formula.expression import (
    ONE,
    TWO,
    Call,
    Expr,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Series,
    add,
    multiply,
    names_in,
    number,
    rebuild,
    replace_names,
)
from derive.formula.grammar import read
from derive.problem.model import Layer, Network

TRAINED = -1
"""The source of a use of a parameter in an activation."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a name of a network stands: what it is, its layer (0 = inputs), its position, its sample."""

    kind: Literal["input", "target", "net", "out", "part", "sample-loss", "data", "penalty", "loss", "parameter"]
    layer: int = 0
    position: int = 0
    sample: int = 0


class NetworkGraph:
    """The graph of a dense network, for one sample or a batch."""

    def __init__(self, network: Network, given: Mapping[str, Number] | None = None) -> None:
        self.network = network
        self.given = given or {}
        self._neurons = {
            name: (number, position)
            for number, layer in enumerate(network.layers, 1)
            for position, name in enumerate(layer.neurons, 1)
        }
        self._inputs = {name: position for position, name in enumerate(network.inputs, 1)}
        self._targets = {name: position for position, name in enumerate(network.targets, 1)}
        self._places: dict[str, _Place] = {}
        self._made: dict[str, Node] = {}
        self._children: dict[str, tuple[str, ...]] = {}

    # --- the shape of the loss ---------------------------------------------------------------------------------

    @property
    def root(self) -> str | None:
        return "E" if self.network.targets else None

    @property
    def all_lead_to_root(self) -> bool:
        return True

    @property
    def is_linear(self) -> bool:
        """Whether every layer is linear, so that all of them amount to one."""
        return all(layer.activation.name == "linear" for layer in self.network.layers)

    @property
    def samples(self) -> Sequence[int]:
        """0 alone for one sample, else 1 … n."""
        return range(1, self.network.samples + 1) if self.network.samples > 1 else (0,)

    @cached_property
    def _data_name(self) -> str:
        """The loss without the penalty."""
        return "E_data" if self.network.penalty else "E"

    def _sample_loss(self, sample: int) -> str:
        return f"E[{sample}]" if sample else self._data_name

    @property
    def _has_parts(self) -> bool:
        """Whether the loss of a sample is the sum of named parts, one for each output."""
        return len(self.network.layers[-1].neurons) > 1 and not self.network.loss.whole

    def part_name(self, position: int, sample: int) -> str:
        """What one output contributes: E_o1, or the loss of the sample itself when there is one output."""
        outputs = self.network.layers[-1].neurons
        if not self._has_parts:
            return self._sample_loss(sample)
        return f"E_{outputs[position - 1]}{sample_suffix(sample)}"

    # --- names -------------------------------------------------------------------------------------------------

    def _place(self, name: str) -> _Place:
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = self._found(name)
        return place

    def _found(self, name: str) -> _Place:
        if name in self._uses:
            return _Place("parameter")
        head, sample = split_sample(name)
        if sample and (sample not in self.samples):
            raise KeyError(name)
        if head in self._inputs:
            return _Place("input", 0, self._inputs[head], sample)
        if head in self._targets:
            return _Place("target", len(self.network.layers), self._targets[head], sample)
        for prefix, kind in (("net_", "net"), ("out_", "out")):
            neuron = head.removeprefix(prefix) if head.startswith(prefix) else ""
            if neuron in self._neurons:
                layer, position = self._neurons[neuron]
                return _Place(kind, layer, position, sample)  # type: ignore[arg-type]  # the two literals above
        if self.root and (loss := self._loss_place(head, sample)):
            return loss
        raise KeyError(name)

    def _loss_place(self, head: str, sample: int) -> _Place | None:
        outputs = self.network.layers[-1].neurons
        if head.startswith("E_") and self._has_parts and head[2:] in outputs:
            return _Place("part", len(self.network.layers), outputs.index(head[2:]) + 1, sample)
        batch = self.network.samples > 1
        if head == "E" and sample:
            return _Place("sample-loss", sample=sample)
        if head == "E":
            single = not batch and not self.network.penalty
            return _Place("sample-loss" if single else "loss" if self.network.penalty else "data")
        if head == "E_data" and self.network.penalty:
            return _Place("data" if batch else "sample-loss")
        if head == "E_l2" and self.network.penalty:
            return _Place("penalty")
        return None

    @cached_property
    def _uses(self) -> _Uses:
        return _Uses(self.network)

    def uses(self, parameter: str) -> tuple[tuple[int, int, int], ...]:
        """(layer, position of the neuron, source) of each use, all counted from 1.

        Source 0 is the bias, `TRAINED` the activation.
        """
        return self._uses[parameter]

    def layer_of(self, name: str) -> Layer:
        return self.network.layers[self._place(name).layer - 1]

    # --- nodes -------------------------------------------------------------------------------------------------

    def node(self, name: str) -> Node:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name, self._place(name))
        return made

    def _make(self, name: str, place: _Place) -> Node:
        match place.kind:
            case "net":
                return self._weighted_sum(name, place)
            case "out":
                return self._out(name, place)
            case "part":
                return self._part(name, "loss-part", place)
            case "sample-loss":
                return self._loss_of_sample(name, place)
            case "data":
                return Node(name, "total", self._over_samples())
            case "penalty":
                return Node(name, "penalty", self._penalty())
            case "loss":
                return Node(name, "total", add(Name("E_data"), Name("E_l2")))
            case _:
                parameter = place.kind == "parameter"
                return Node(name, "given", None, place.layer, place.position, place.sample, parameter=parameter)

    def source_name(self, layer: int, source: int, sample: int) -> str:
        """The name of what feeds `layer` from its position `source`, both counted from 1."""
        if layer == 1:
            return self.network.inputs[source - 1] + sample_suffix(sample)
        return f"out_{self.network.layers[layer - 2].neurons[source - 1]}{sample_suffix(sample)}"

    def _weighted_sum(self, name: str, place: _Place) -> Node:
        layer = self.network.layers[place.layer - 1]
        if layer.pieces:
            return self._largest(name, place, layer.pieces)
        general = self._general_source(place.layer, place.sample)
        terms = self._terms(place)
        where = (place.layer, place.position, place.sample)
        if layer.weights.fan_in < SERIES_FROM or not general or layer.weights.names is not None:
            sources = range(1, layer.weights.fan_in + 1)
            return Node(name, "weighted-sum", add(*(terms(source) for source in sources), terms(0)), *where)
        weight = Name(f"W{place.layer}[i,{place.position}]")
        series = Series("i", layer.weights.fan_in, Product((weight, Name(general))), terms)

        def terms_with(part: str) -> Expr:
            return add(*(terms(source) for source in self._sources_of(part, place)))

        return Node(name, "weighted-sum", add(series, terms(0)), *where, terms_with=terms_with)

    def _largest(self, name: str, place: _Place, pieces: int) -> Node:
        """The net input of a maxout neuron: the largest of its own pieces."""
        sources = (self.source_name(place.layer, source, place.sample) for source in self._pieces_of(place, pieces))
        largest = Call("max", tuple(Name(source) for source in sources))
        return Node(name, "definition", largest, place.layer, place.position, place.sample)

    @staticmethod
    def _pieces_of(place: _Place, pieces: int) -> range:
        return range((place.position - 1) * pieces + 1, place.position * pieces + 1)

    def _terms(self, place: _Place) -> Callable[[int], Expr]:
        """The term of each source of a neuron; of source 0 the bias; zero where there is no connection."""
        layer = self.network.layers[place.layer - 1]
        neuron = place.position - 1

        def term(source: int) -> Expr:
            if source == 0:
                bias = layer.biases[neuron]
                return multiply(Name(bias), layer.bias_input) if bias else number(0)
            name = layer.weights.name(neuron, source - 1)
            feeds = self.source_name(place.layer, source, place.sample)
            return Product((Name(name), Name(feeds))) if name else number(0)

        return term

    def _sources_of(self, part: str, place: _Place) -> Iterator[int]:
        """The sources of a neuron in whose terms a weight, a bias or an output stands."""
        if (found := self._place(part)).kind == "parameter":
            here = (place.layer, place.position)
            return (source for layer, neuron, source in self.uses(part) if (layer, neuron) == here)
        feeds = found.layer == place.layer - 1 and found.sample == place.sample and found.kind in ("input", "out")
        return iter((found.position,) if feeds else ())

    def _general_source(self, layer: int, sample: int) -> str:
        """The name of the i-th source in a Σ, empty where the names have no common form."""
        prefix = self._prefixes[layer - 1]
        if not prefix:
            return ""
        return f"{prefix}[i]{sample_suffix(sample)}" if layer == 1 else f"out_{prefix}[i]{sample_suffix(sample)}"

    def general_fork(self, name: str) -> Expr | None:
        """δ of the k-th neuron of the next layer times the weight that leads there."""
        place = self._place(name)
        if place.kind != "out" or place.layer == len(self.network.layers):
            return None
        prefix = self._prefixes[place.layer + 1]
        if not prefix or self.network.layers[place.layer].weights.names is not None:
            return None
        weight = Name(f"W{place.layer + 1}[{place.position},k]")
        return Product((Name(f"delta_{prefix}[k]{sample_suffix(place.sample)}"), weight))

    @cached_property
    def _prefixes(self) -> tuple[str, ...]:
        """What the numbered names of inputs and of each layer begin with, empty where they have no common form."""
        layers = (layer.neurons for layer in self.network.layers)
        return tuple(_prefix(names) for names in (self.network.inputs, *layers))

    def _out(self, name: str, place: _Place) -> Node:
        layer = self.network.layers[place.layer - 1]
        row = layer.activation
        suffix = sample_suffix(place.sample)
        nets = [Name(f"net_{neuron}{suffix}") for neuron in layer.neurons]
        own = nets[place.position - 1]
        where = (place.layer, place.position, place.sample, row)
        if row.vector and not layer.pieces:
            outs = [Name(f"out_{neuron}{suffix}") for neuron in layer.neurons]
            slope, i = row.vector.slope, place.position - 1
            slopes = tuple((net.name, slope(i, j, outs)) for j, net in enumerate(nets)) if slope else ()
            rule: Literal["softmax", "activation"] = "softmax" if row.name == "softmax" else "activation"
            return Node(name, rule, row.vector.output(i, nets), *where, textbook=slopes)
        definition: Expr
        trained = {key: Name(own_name) for key, own_name in layer.trained}
        if row.name == "linear" or layer.pieces:
            definition = own
        elif row.name == "custom":
            definition = replace_names(_read(row.formula, ("z",)), {"z": own})
        else:
            definition = Call(row.function, (own, *(trained.get(key, value) for key, value in row.parameters)))
        names: dict[str, Expr] = {"z": own, "a": Name(name), **dict(row.parameters), **trained}
        textbook = ((own.name, _textbook(row.derivative, names)),) if row.derivative else ()
        return Node(name, "activation", definition, *where, textbook=textbook)

    def _part(self, name: str, rule: Literal["loss", "loss-part"], place: _Place) -> Node:
        terms = self._loss_terms(name, place.sample)
        textbook = loss_slopes(terms, (place.position,))
        definition = tidy(terms.part(place.position))
        return Node(name, rule, definition, place.layer, place.position, place.sample, textbook=textbook)

    def _loss_terms(self, name: str, sample: int) -> LossTerms:
        """The loss of a sample, called `name`, in its targets and outputs."""
        suffix = sample_suffix(sample)
        targets = [Name(target + suffix) for target in self.network.targets]
        outs = [Name(f"out_{neuron}{suffix}") for neuron in self.network.layers[-1].neurons]
        return LossTerms(self.network.loss, targets, outs, name)

    def _loss_of_sample(self, name: str, place: _Place) -> Node:
        outputs = self.network.layers[-1].neurons
        positions = range(1, len(outputs) + 1)
        if self.network.loss.whole:
            terms = self._loss_terms(name, place.sample)
            return Node(name, "loss", tidy(terms.whole()), 0, 0, place.sample, textbook=loss_slopes(terms, positions))
        if len(outputs) == 1:
            return self._part(name, "loss", _Place("part", len(self.network.layers), 1, place.sample))
        parts = add(*(Name(self.part_name(position, place.sample)) for position in positions))
        return Node(name, "total", multiply(loss_factor(self.network.loss, len(outputs)), parts), 0, 0, place.sample)

    def _over_samples(self) -> Expr:
        total = add(*(Name(f"E[{sample}]") for sample in self.samples))
        if self.network.reduction == "sum":
            return total
        return Product((Quotient(ONE, number(self.network.samples)), total))

    def _penalty(self) -> Expr:
        penalty = self.network.penalty
        assert penalty is not None
        squares = add(*(Power(Name(name), TWO) for name in self.network.weight_names()))
        return multiply(Quotient(penalty.strength, TWO) if penalty.half else penalty.strength, squares)

    # --- edges -------------------------------------------------------------------------------------------------

    def parents(self, name: str) -> tuple[str, ...]:
        place = self._place(name)
        layer, sample = place.layer, place.sample
        match place.kind:
            case "net":
                sources = range(1, self.network.layers[layer - 1].weights.fan_in + 1) if layer > 1 else ()
                weights = self.network.layers[layer - 1].weights
                if pieces := self.network.layers[layer - 1].pieces:
                    return tuple(self.source_name(layer, k, sample) for k in self._pieces_of(place, pieces))
                return tuple(
                    self.source_name(layer, source, sample)
                    for source in sources
                    if weights.name(place.position - 1, source - 1)
                )
            case "input" | "target" | "parameter":
                return ()
            case _:
                definition = self.node(name).definition
                assert definition is not None
                return tuple(
                    part for part in dict.fromkeys(names_in(definition)) if self.node(part).definition is not None
                )

    def children(self, name: str) -> tuple[str, ...]:
        made = self._children.get(name)
        if made is None:
            made = self._children[name] = self._users_of(name, self._place(name))
        return made

    def _users_of(self, name: str, place: _Place) -> tuple[str, ...]:
        match place.kind:
            case "input":
                return self._fed_by(1, place.position, place.sample)
            case "net":
                return self._outs_of(place)
            case "out" if place.layer < len(self.network.layers):
                return self._fed_by(place.layer + 1, place.position, place.sample)
            case "out" | "target":
                return (self.part_name(place.position, place.sample),) if self.root else ()
            case "part":
                return (self._sample_loss(place.sample),)
            case "parameter":
                return self._users(name)
            case _:
                return self._above(name, place)

    def _above(self, name: str, place: _Place) -> tuple[str, ...]:
        if name == "E":
            return ()
        return (self._data_name,) if place.sample else ("E",)

    def _fed_by(self, layer: int, source: int, sample: int) -> tuple[str, ...]:
        following = self.network.layers[layer - 1]
        if following.pieces:
            return (f"net_{following.neurons[(source - 1) // following.pieces]}{sample_suffix(sample)}",)
        return tuple(
            f"net_{neuron}{sample_suffix(sample)}"
            for index, neuron in enumerate(following.neurons)
            if following.weights.name(index, source - 1)
        )

    def _outs_of(self, place: _Place) -> tuple[str, ...]:
        layer = self.network.layers[place.layer - 1]
        suffix = sample_suffix(place.sample)
        several = layer.activation.vector is not None and not layer.pieces
        neurons = layer.neurons if several else (layer.neurons[place.position - 1],)
        return tuple(f"out_{neuron}{suffix}" for neuron in neurons)

    def _users(self, parameter: str) -> tuple[str, ...]:
        nets = [
            f"{'out' if source == TRAINED else 'net'}_{self.network.layers[layer - 1].neurons[neuron - 1]}"
            f"{sample_suffix(sample)}"
            for sample in self.samples
            for layer, neuron, source in self.uses(parameter)
        ]
        penalised = self.network.penalty and self.root and any(source > 0 for _, _, source in self.uses(parameter))
        return tuple(dict.fromkeys([*nets, "E_l2"] if penalised else nets))

    def cancellation(self, name: str) -> tuple[str, Expr] | None:
        """Sigmoid with binary cross-entropy, softmax with cross-entropy: ∂E/∂net = out − target (Bishop, PRML 4.3)."""
        place = self._place(name)
        last = self.network.layers[-1]
        fits = place.kind == "net" and place.layer == len(self.network.layers) and self.root is not None
        if not fits or self.network.loss.cancels != last.activation.function:
            return None
        if last.activation.vector and not self._targets_sum_to_one(place.sample):
            return None
        loss = self._sample_loss(place.sample)
        return loss, loss_cancelled(self._loss_terms(loss, place.sample), place.position)

    def _targets_sum_to_one(self, sample: int) -> bool:
        """Symbolic targets are taken to be a distribution; a page says so."""
        given = [self.given.get(target + sample_suffix(sample)) for target in self.network.targets]
        known = [value.value for value in given if value is not None]
        return len(known) < len(given) or sum(known) == 1

    def forward(self) -> Iterator[str]:
        for sample in self.samples:
            suffix = sample_suffix(sample)
            for layer in self.network.layers:
                yield from (f"net_{neuron}{suffix}" for neuron in layer.neurons)
                yield from (f"out_{neuron}{suffix}" for neuron in layer.neurons)
            if self.root:
                outputs = len(self.network.layers[-1].neurons)
                if self._has_parts:
                    yield from (self.part_name(position, sample) for position in range(1, outputs + 1))
                yield self._sample_loss(sample)
        if self.root and self.network.samples > 1:
            yield self._data_name
        if self.root and self.network.penalty:
            yield from ("E_l2", "E")

    def leaves(self) -> tuple[str, ...]:
        return self.network.parameters()


class _Uses:
    """Where each parameter is used; parameters of large layers are found by their name alone."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._named: dict[str, list[tuple[int, int, int]]] = {}
        for number_, layer in enumerate(network.layers, 1):
            for neuron, bias in enumerate(layer.biases, 1):
                if bias:
                    self._named.setdefault(bias, []).append((number_, neuron, 0))
                for _, trained in layer.trained:
                    self._named.setdefault(trained, []).append((number_, neuron, TRAINED))
            if layer.weights.by_place:
                continue
            for neuron in range(layer.weights.neurons):
                for source in range(layer.weights.fan_in):
                    name = layer.weights.name(neuron, source)
                    if name:
                        self._named.setdefault(name, []).append((number_, neuron + 1, source + 1))

    def __contains__(self, name: str) -> bool:
        return name in self._named or self._by_place(name) is not None

    def __getitem__(self, name: str) -> tuple[tuple[int, int, int], ...]:
        if name in self._named:
            return tuple(self._named[name])
        place = self._by_place(name)
        if place is None:
            raise KeyError(name)
        return (place,)

    def _by_place(self, name: str) -> tuple[int, int, int] | None:
        head, _, inside = name.partition("[")
        source, _, neuron = inside.removesuffix("]").partition(",")
        digits = head[1:] + source + neuron
        if not (head.startswith("W") and head[1:] and source and neuron and digits.isascii() and digits.isdigit()):
            return None
        place = (int(head[1:]), int(neuron), int(source))
        if not 1 <= place[0] <= len(self._network.layers):
            return None
        weights = self._network.layers[place[0] - 1].weights
        inside_grid = 1 <= place[1] <= weights.neurons and 1 <= place[2] <= weights.fan_in
        return place if weights.by_place and inside_grid else None


def _prefix(names: Sequence[str]) -> str:
    prefix = names[0].removesuffix("1")
    return prefix if all(name == f"{prefix}{place}" for place, name in enumerate(names, 1)) else ""


def loss_slopes(terms: LossTerms, positions: Iterable[int]) -> tuple[tuple[str, Expr], ...]:
    """∂E/∂o for each of these outputs in textbook form, none where the table has none."""
    found = ((terms.outputs[position - 1], terms.slope(position)) for position in positions)
    return tuple((out.name, tidy(slope)) for out, slope in found if isinstance(out, Name) and slope is not None)


def loss_factor(loss: Loss, outputs: int) -> Expr:
    """What the sum of the parts is multiplied by."""
    return Quotient(ONE, number(outputs)) if loss.over == "mean" and outputs > 1 else ONE


def loss_cancelled(terms: LossTerms, position: int) -> Expr:
    """∂E/∂z where output activation and loss cancel."""
    slope = tidy(terms.of(terms.loss.cancelled, position))
    return multiply(loss_factor(terms.loss, len(terms.outputs)), slope)


def _textbook(text: str, names: Mapping[str, Expr]) -> Expr:
    """A formula of the catalogue in the names of a node."""
    return tidy(replace_names(_read(text, tuple(names)), names))


@cache
def _read(text: str, names: tuple[str, ...]) -> Expr:
    return read(text, names=set(names))


def tidy(expr: Expr) -> Expr:
    """The tree without factors of one, quotients by one and first powers, as a person would write it."""
    expr = rebuild(expr, tidy)
    match expr:
        case Product(factors):
            return multiply(*factors)
        case Quotient(top, Number(value)) if value == 1:
            return top
        case Quotient(Number(top_value), Number(value)) if value and top_value % value == 0:
            return number(top_value / value)
        case Negative(Number(value)) if value == 0:
            return number(0)
        case _:
            return expr
