"""What people call a quantity, read leniently: dE_dw5, ∂E/∂w5, w5+, δ_o1 … become one canonical name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from derive.derivation.chain_rule import Derivation, derivative_name, split_derivative
from derive.derivation.graph import Graph, WrittenOut, split_sample
from derive.derivation.network import NetworkGraph
from derive.errors import DeriveError, nearest

MOST_STEPS = 100_000
"""So many updates can be asked for; each takes about a millisecond in a small network."""

MOST_CHARACTERS = 200
"""A longer text is no name."""


class UnknownQuantity(DeriveError):
    """No quantity of the problem has that name."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A quantity by canonical name, `step` updates after the start (0: with the given parameters)."""

    name: str
    step: int = 0

    def __str__(self) -> str:
        return f"{self.name}@{self.step}" if self.step else self.name


_SPELLINGS = str.maketrans({"∂": "d", "δ": "delta_", "−": "-", "′": "'", "⁺": "+", "’": "'", " ": ""})
_STEP = re.compile(r"(?:@([0-9]{1,9})|_new|\+|')$")


def resolve(text: str, derivation: Derivation, *, suggest: bool = True) -> Reference:
    """The quantity that `text` means; raises UnknownQuantity with the nearest name, or at once without `suggest`."""
    if len(text) > MOST_CHARACTERS:
        raise UnknownQuantity(f"a name of {len(text):,} characters is no quantity; accepted: at most {MOST_CHARACTERS}")
    plain = re.sub(r"delta_(?=_)", "delta", text.strip().translate(_SPELLINGS)).replace("$", "").replace("\\", "")
    if exact := _unrolled(plain, derivation, suggest):
        return Reference(exact)
    found = _STEP.search(plain)
    base = plain[: found.start()] if found else plain
    step = int(found.group(1) or 1) if found and found.group(1) != "0" else 0
    if step > MOST_STEPS:
        raise UnknownQuantity(f'"{text}": found update {step}; accepted: at most {MOST_STEPS} updates')
    if step and isinstance(derivation.graph, WrittenOut):
        raise UnknownQuantity(f'"{text}" is no quantity of this problem; accepted: {base}[{step}], by presentation')
    for candidate in _candidates(base):
        name = _known(candidate, derivation)
        if name is not None:
            return Reference(name, step)
    raise _unknown(text, base, derivation, suggest)


def _unknown(text: str, base: str, derivation: Derivation, suggest: bool) -> UnknownQuantity:
    suggestion = _suggestion(base, derivation) if suggest else ""
    return UnknownQuantity(f'"{text}" is no quantity of this problem{suggestion}')


def _unrolled(name: str, derivation: Derivation, suggest: bool) -> str | None:
    """A name with its step that is a node of its own, or the first update where w_new or w' asks for that."""
    graph = derivation.graph
    if not isinstance(graph, WrittenOut) or graph.counts != "updates":
        return None
    for candidate in _candidates(_STEP.sub(lambda mark: f"@{mark.group(1) or 1}", name).removesuffix("@0")):
        candidate = graph.also.get(candidate, candidate)
        if found := _known(candidate, derivation):
            return found
    raise _unknown(name, name, derivation, suggest)


def _candidates(text: str) -> list[str]:
    """The canonical spellings that a text may stand for, the likeliest first."""
    found = [text]
    if text.startswith("d") and "/" not in text:
        found += [
            f"{text[: place.start()]}/d{text[place.end() :]}" for place in re.finditer(r"_d", text) if place.start() > 1
        ]
    return found


def _known(name: str, derivation: Derivation) -> str | None:
    pair = split_derivative(name)
    if pair is None:
        return _known_node(name, derivation)
    nodes = [node for part in pair if (node := _known_node(part, derivation)) and _is_node(node, derivation.graph)]
    return _of_one_sample(nodes[0], nodes[1], derivation.graph) if len(nodes) == 2 else None


def _of_one_sample(top: str, bottom: str, graph: Graph) -> str | None:
    """dout_o1/dnet_o1[2] is of sample 2 throughout; None where a batch has one for each sample and none is named."""
    if not isinstance(graph, NetworkGraph) or graph.network.samples == 1:
        return derivative_name(top, bottom)
    sample, names = split_sample(top)[1] or split_sample(bottom)[1], []
    for name in (top, bottom):
        if name != graph.root and not split_sample(name)[1] and _has_samples(name, graph):
            if not sample:
                return None
            name = f"{name}[{sample}]"
        names.append(name)
    return derivative_name(*names)


def _has_samples(name: str, graph: Graph) -> bool:
    """Whether a batch has the quantity once for each sample."""
    return _is_node(f"{name}[1]", graph) and graph.node(f"{name}[1]").sample == 1


def _is_node(name: str, graph: Graph) -> bool:
    try:
        graph.node(name)
    except KeyError:
        return False
    return True


def _known_node(name: str, derivation: Derivation) -> str | None:
    graph = derivation.graph
    if name.startswith("delta_") and graph.root:
        net = _known_node("net_" + name.removeprefix("delta_"), derivation)
        return derivative_name(graph.root, net) if net else None
    for spelling in (name, *_common_spellings(name, graph.root), *_other_spellings(name, graph)):
        try:
            graph.node(spelling)
        except KeyError:
            continue
        return spelling
    return name if name == "eta" or derivation.knows(name) else None


def _common_spellings(name: str, root: str | None) -> list[str]:
    """What other books call the loss, net inputs and outputs."""
    found = [root] if root and name in {"E_total", "E_tot", "L", "loss"} else []
    if name.startswith(("z_", "a_")):
        found.append({"z": "net", "a": "out"}[name[0]] + name[1:])
    return found


def _other_spellings(name: str, graph: object) -> list[str]:
    """Names that mean the same in this network: E_o1 of a single output, [1] of a single sample, W1[2,1]."""
    if not isinstance(graph, NetworkGraph):
        return []
    head, sample = split_sample(name)
    network = graph.network
    if weight := _by_place(name, graph):
        return [weight]
    found = []
    if network.samples == 1 and sample == 1:
        return [head, *_other_spellings(head, graph)]
    if len(network.layers[-1].neurons) == 1 and head == f"E_{network.layers[-1].neurons[0]}":
        found.append(graph.part_name(1, sample))
    if name.lower() != name:
        found.append(name.lower())
    return found


def _by_place(name: str, graph: NetworkGraph) -> str | None:
    """What W1[from,to], B1[neuron], X[sample,input] or Y1[sample,neuron] stands for; W and Y of a single layer."""
    found = re.fullmatch(r"([WBwbXY])([0-9]*)\[([0-9]+)(?:,([0-9]+))?\]", name)
    if not found:
        return None
    kind, layer, first, second = found.groups()
    layer = layer or ("1" if len(graph.network.layers) == 1 or kind == "X" else "0")
    if not 1 <= int(layer) <= len(graph.network.layers):
        return None
    if kind in "XY":
        return _signal(graph, 0 if kind == "X" else int(layer), int(first), int(second or 0))
    where = graph.network.layers[int(layer) - 1]
    if kind in "Bb" and second is None and 1 <= int(first) <= len(where.biases):
        return where.biases[int(first) - 1]
    if kind in "Ww" and second and 1 <= int(first) <= where.weights.fan_in and 1 <= int(second) <= len(where.neurons):
        return where.weights.name(int(second) - 1, int(first) - 1)
    return None


def _signal(graph: NetworkGraph, layer: int, sample: int, place: int) -> str | None:
    """The input or output in that row and column of X or Y."""
    names = graph.network.inputs if layer == 0 else graph.network.layers[layer - 1].neurons
    if not (1 <= place <= len(names) and 1 <= sample <= graph.network.samples):
        return None
    name = names[place - 1] if layer == 0 else f"out_{names[place - 1]}"
    return name + (f"[{sample}]" if graph.network.samples > 1 else "")


def _suggestion(text: str, derivation: Derivation) -> str:
    graph = derivation.graph
    few = not isinstance(graph, NetworkGraph) or graph.network.parameter_count() <= 2000
    if not few:
        return "; accepted: names such as net_h1, out_o1, dE/dW1[3,4], dE/dnet_h1"
    forward = list(graph.forward())
    known = [*forward, *graph.leaves()]
    if graph.root:
        known += [derivative_name(graph.root, name) for name in known if name != graph.root]
    known += [f"{name}_new" for name in derivation.updated()]
    return nearest(text, known) or f"; accepted: names such as {', '.join(known[:4])}"
