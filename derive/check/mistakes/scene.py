"""Where mistakes can happen: the quantities behind what is asked, and what stands beside each of them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from derive.derivation.chain_rule import Quantity, split_derivative
from derive.derivation.graph import sample_suffix, split_sample
from derive.derivation.network import TRAINED, NetworkGraph
from derive.errors import DeriveError
from derive.formula.expression import Expr, Name, Number, Product, Series, Sum, children
from derive.numbers.exact import Undefined
from derive.problem.model import Network
from derive.worked import WorkedExample

MOST_QUANTITIES = 1500
"""Behind what is asked so many quantities are looked at, the nearest first."""

NEAR = 4
"""Among so many neighbours each one is tried; among more the next and the one before."""

_NUMBERED = re.compile(r"(.*?)([0-9]+)((?:\[[0-9]+\]|@[0-9]+)?)$")
_AFTER = re.compile(r"(.+)@([0-9]+)$")


@dataclass(frozen=True, slots=True)
class Slip:
    """A mistake before its sentence: what is exchanged, what fills the sentence.

    kind   the way in which it is made: slips of the same id and kind may be made throughout; "" is never merged
    """

    id: str
    step: str
    definitions: Mapping[str, Expr]
    words: Mapping[str, str] = field(default_factory=dict)
    kind: Hashable = ""
    convention: bool = False


@dataclass(frozen=True, slots=True)
class Every:
    """The kind of a slip that is made in each update of one state, and of all states."""

    state: Hashable
    what: Hashable


def slip(mistake: str, quantity: Quantity | str, definition: Expr, kind: Hashable = "", /, **words: str) -> Slip:
    """A slip that exchanges the definition of one quantity."""
    name = quantity if isinstance(quantity, str) else quantity.name
    return Slip(mistake, name, {name: definition}, words, kind)


def parts(expr: Expr) -> list[str]:
    """Every name in a tree; of a long sum those of its first and its last term."""
    found: list[str] = []
    stack = [expr]
    while stack:
        part = stack.pop()
        kind = type(part)
        if kind is Name:
            found.append(part.name)  # type: ignore[union-attr]  # the line above says so; this runs 100,000 times
        elif kind is Series:
            stack += [part.term(part.count), part.term(1)]  # type: ignore[union-attr]
        elif kind is Sum:
            stack.extend(part.terms[::-1])  # type: ignore[union-attr]
        elif kind is Product:
            stack.extend(part.factors[::-1])  # type: ignore[union-attr]
        elif kind is not Number:
            stack.extend(children(part)[::-1])
    return found


def base_and_step(name: str) -> tuple[str, int]:
    """("E", 2) for "E@2"; step 0 where there is none."""
    found = _AFTER.match(name)
    return (found[1], int(found[2])) if found else (name, 0)


class Scene:
    """A worked example with everything behind the asked quantities."""

    def __init__(self, example: WorkedExample, asked: Sequence[str]) -> None:
        self.example = example
        self.derivation = example.derivation
        self.graph = example.graph
        self.asked = tuple(dict.fromkeys(asked))
        self._known: dict[str, Quantity | None] = {}
        self._ranks: dict[str, int] = {}
        self._values: dict[str, float | None] = {}
        self._beside: dict[str, tuple[str, ...]] = {}
        self._parts: dict[str, frozenset[str]] = {}
        self._seen_trees: dict[int, tuple[Expr, str, bool]] = {}
        self.quantities = self._behind()

    @cached_property
    def network(self) -> Network | None:
        return self.graph.network if isinstance(self.graph, NetworkGraph) else None

    @cached_property
    def plain_descent(self) -> bool:
        """Whether parameters are updated by w - eta*g and nothing else."""
        return self.derivation.updates_anything() and self.derivation.updates.rule.is_plain

    # --- what is there -------------------------------------------------------------------------------------------

    def quantity(self, name: str) -> Quantity | None:
        """The quantity of that name; None where there is none, or where it is nothing but 0."""
        if name not in self._known:
            self._known[name] = self._found(name)
        return self._known[name]

    def _found(self, name: str) -> Quantity | None:
        try:
            quantity = self.derivation.quantity(name)
        except (KeyError, DeriveError):
            return None
        return None if quantity.rule == "zero" else quantity

    def is_node(self, name: str) -> bool:
        try:
            self.graph.node(name)
        except KeyError:
            return False
        return True

    def definition(self, name: str) -> Expr | None:
        quantity = self.quantity(name)
        return quantity.definition if quantity else None

    def _behind(self) -> dict[str, Quantity]:
        """The defined quantities behind what is asked, the nearest first."""
        found: dict[str, Quantity] = {}
        queue = list(dict.fromkeys(start for name in self.asked for start in self._starts(name)))
        seen = set(queue)
        for name in queue:
            quantity = self.quantity(name)
            if quantity is None or quantity.definition is None:
                continue
            found[name] = quantity
            if len(found) >= MOST_QUANTITIES:
                break
            for part in parts(quantity.definition):
                if part not in seen:
                    seen.add(part)
                    queue.append(part)
        return found

    @cached_property
    def _users(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, quantity in self.quantities.items():
            for part in dict.fromkeys(parts(quantity.definition)) if quantity.definition is not None else ():
                found.setdefault(part, []).append(name)
        return found

    def users(self, name: str) -> list[str]:
        """What has the quantity in its definition, of everything behind what is asked."""
        return self._users.get(name, [])

    def _starts(self, name: str) -> Iterator[str]:
        base, step = self.asked_after(name)
        if not step:
            yield name
            return
        if self.derivation.is_carried(base):
            yield f"{base}_new"
        else:
            yield base
        yield from (f"{each}_new" for each in self.derivation.updated()[:MOST_QUANTITIES])

    def asked_after(self, name: str) -> tuple[str, int]:
        """("E", 1) for "E@1" and for E_new, step 0 for what is a quantity by itself, such as w5_new."""
        if self.quantity(name) is not None:
            return name, 0
        base, step = base_and_step(name)
        return (name.removesuffix("_new"), 1) if not step and name.endswith("_new") else (base, step)

    def value(self, name: str) -> float | None:
        """The number of a quantity before any update; None where it has none."""
        if name not in self._values:
            try:
                self._values[name] = self.example.values.double(name)
            except (KeyError, DeriveError, Undefined):
                self._values[name] = None
        return self._values[name]

    def is_negative(self, name: str) -> bool:
        value = self.value(name)
        return value is not None and value < 0

    # --- what stands beside --------------------------------------------------------------------------------------

    def beside(self, name: str) -> tuple[str, ...]:
        """The same thing of a neighbour: out_h2 for out_h1, x2 for x1, y1 for y2; no weights."""
        if name not in self._beside:
            self._beside[name] = tuple(self._neighbours(name))
        return self._beside[name]

    def _neighbours(self, name: str) -> Iterator[str]:
        if self.network is None:
            yield from self._same_stem(name)
            return
        head, sample = split_sample(name)
        for prefix in ("net_", "out_", "delta_", "E_", ""):
            stem = head.removeprefix(prefix)
            row = self._rows.get(stem) if head.startswith(prefix) else None
            if row is not None:
                yield from (f"{prefix}{other}{sample_suffix(sample)}" for other in near(row, row.index(stem)))
                return

    @cached_property
    def _rows(self) -> dict[str, tuple[str, ...]]:
        """Every neuron, input and target with the row that it stands in."""
        assert self.network is not None
        rows = (self.network.inputs, self.network.targets, *(layer.neurons for layer in self.network.layers))
        return {name: row for row in rows for name in row}

    def _same_stem(self, name: str) -> Iterator[str]:
        """x2 for x1, by the number at the end, where there is such a quantity."""
        found = _NUMBERED.match(name)
        if not found or split_derivative(name):
            return
        number = int(found[2])
        for other in (number + 1, number - 1):
            candidate = f"{found[1]}{other}{found[3]}"
            if other > 0 and self.quantity(candidate) is not None:
                yield candidate

    @cached_property
    def weights(self) -> tuple[str, ...]:
        """Every weight in the order of its number; none of a network with large layers."""
        network = self.network
        if network is None or any(layer.weights.by_place for layer in network.layers):
            return ()
        return network.weight_names()

    @cached_property
    def _weight_places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.weights)}

    def next_weights(self, name: str) -> tuple[str, ...]:
        """The weights with the number before and after."""
        place = self._weight_places.get(name)
        if place is None:
            return ()
        return tuple(self.weights[other] for other in (place + 1, place - 1) if 0 <= other < len(self.weights))

    def next_biases(self, name: str) -> tuple[str, ...]:
        """The biases with the number before and after."""
        names = self.network.bias_names() if self.network is not None else ()
        place = names.index(name) if name in names else None
        if place is None:
            return ()
        return tuple(names[other] for other in (place + 1, place - 1) if 0 <= other < len(names))

    def place_of(self, weight: str) -> tuple[int, int, int] | None:
        """(layer, neuron, source) of the first use of a weight or bias, all from 1; source 0 is the bias."""
        if self.network is None or not isinstance(self.graph, NetworkGraph):
            return None
        try:
            uses = self.graph.uses(weight)
        except KeyError:
            return None
        return next((use for use in uses if use[2] != TRAINED), None)

    def weight_at(self, layer: int, neuron: int, source: int) -> str | None:
        """The weight of a connection, all from 1; None where there is none."""
        if self.network is None or not 1 <= layer <= len(self.network.layers):
            return None
        weights = self.network.layers[layer - 1].weights
        if not (1 <= neuron <= weights.neurons and 1 <= source <= weights.fan_in):
            return None
        return weights.name(neuron - 1, source - 1)

    def weights_into(self, output: str) -> tuple[str, ...]:
        """The first weights into a hidden neuron."""
        layer, position = self._neuron(output)
        found = (self.weight_at(layer, position, source) for source in (1, 2)) if layer else ()
        return tuple(name for name in found if name)

    def of_layers_beside(self, output: str) -> tuple[str, ...]:
        """The first outputs of the layers behind and before, of the same sample."""
        layer, _ = self._neuron(output)
        network, suffix = self.network, sample_suffix(split_sample(output)[1])
        if network is None or not layer:
            return ()
        beside = (other for other in (layer + 1, layer - 1) if 1 <= other <= len(network.layers))
        return tuple(f"out_{name}{suffix}" for other in beside for name in network.layers[other - 1].neurons[:2])

    def _neuron(self, output: str) -> tuple[int, int]:
        """(layer, position) of an output, both from 1; zeros where it is none."""
        quantity = self.quantity(output) if self.network is not None and output.startswith("out_") else None
        node = quantity.node if quantity is not None else None
        return (node.layer, node.position) if node is not None else (0, 0)

    @cached_property
    def outputs(self) -> frozenset[str]:
        """The net inputs of the last layer."""
        last = self.network.layers[-1].neurons if self.network is not None else ()
        samples = range(1, self.network.samples + 1) if self.network is not None else ()
        return frozenset(f"net_{name}{suffix}" for name in last for suffix in ("", *map(sample_suffix, samples)))

    @cached_property
    def is_mean(self) -> bool:
        """Whether the loss is the mean over several samples."""
        return self.network is not None and self.network.samples > 1 and self.network.reduction == "mean"

    # --- order ---------------------------------------------------------------------------------------------------

    def rank(self, name: str) -> int:
        """A number above that of everything in the definition, so that what has a lower one can be used."""
        if name not in self._ranks:
            self._rank(name)
        return self._ranks[name]

    def _rank(self, name: str) -> None:
        stack = [(name, self._unranked(name))]
        entered = {name}
        while stack:
            current, waiting = stack[-1]
            following = next((part for part in waiting if part not in self._ranks and part not in entered), None)
            if following is None:
                self._ranks[current] = len(self._ranks)
                stack.pop()
            else:
                entered.add(following)
                stack.append((following, self._unranked(following)))

    def _unranked(self, name: str) -> Iterator[str]:
        definition = self.definition(name)
        return iter(()) if definition is None else iter(parts(definition))

    def is_sound(self, definitions: Mapping[str, Expr]) -> bool:
        """Whether the exchanged definitions never come back to themselves."""
        ahead = not all(self._looks_back(name, tree) for name, tree in definitions.items())
        return not (ahead and self._circular(definitions))

    def _looks_back(self, name: str, tree: Expr) -> bool:
        """Whether a tree holds only what is computed before `name` in any case."""
        known = self._seen_trees.get(id(tree))
        if known is not None and known[0] is tree and known[1] == name:
            return known[2]
        own = self._own_parts(name)
        found = all(part in own or self.rank(part) < self.rank(name) for part in parts(tree))
        self._seen_trees[id(tree)] = (tree, name, found)
        return found

    def _own_parts(self, name: str) -> frozenset[str]:
        if name not in self._parts:
            definition = self.definition(name)
            self._parts[name] = frozenset(parts(definition)) if definition is not None else frozenset()
        return self._parts[name]

    def _circular(self, definitions: Mapping[str, Expr]) -> bool:
        state: dict[str, bool] = {}
        for start in definitions:
            stack: list[tuple[str, Iterator[str]]] = [(start, iter(parts(definitions[start])))]
            if state.setdefault(start, True) is False:
                continue
            while stack:
                current, waiting = stack[-1]
                following = next(waiting, None)
                if following is None:
                    state[current] = False
                    stack.pop()
                elif state.get(following):
                    return True
                elif following not in state:
                    state[following] = True
                    inside = parts(definitions[following]) if following in definitions else self._own_parts(following)
                    stack.append((following, iter(inside)))
        return False


def near(row: Sequence[str], place: int) -> Iterator[str]:
    """The others in a short row; in a long one the next and the one before."""
    if len(row) <= NEAR:
        yield from (other for position, other in enumerate(row) if position != place)
    else:
        yield from (row[other] for other in (place + 1, place - 1) if 0 <= other < len(row))
