"""What somebody does throughout: weights updated too early or transposed, the wrong number of updates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from derive.check.mistakes.scene import Scene, Slip, base_and_step, parts, slip
from derive.check.mistakes.trees import renamed
from derive.derivation.chain_rule import Quantity, derivative_name, split_derivative
from derive.derivation.unrolled import UnrolledGraph
from derive.formula.expression import (
    Expr,
    Name,
    Negative,
    Sum,
    add,
    multiply,
    number,
)
from derive.problem.model import Layer

# --- the updated weight used too early -------------------------------------------------------------------------------


_WAY_BACK = ("local-derivative", "sum-over-paths", "chain")


def updated_early(scene: Scene) -> Iterator[Slip]:
    """A weight that the backward pass multiplies by, taken after its update."""
    if isinstance(scene.graph, UnrolledGraph):
        yield from _one_after_the_other(scene, scene.graph)
        return
    found: dict[str, dict[str, Expr]] = {}
    for name, quantity in scene.quantities.items():
        for weight in _multiplied_by(scene, quantity):
            assert quantity.definition is not None
            found.setdefault(weight, {})[name] = renamed(quantity.definition, {weight: f"{weight}_new"})
    for weight, definitions in found.items():
        words = {"weight": weight, "used": f"{weight}_new"}
        yield Slip("updated-weight-used-early", next(iter(definitions)), definitions, words, "")
    everything = [name for name, quantity in scene.quantities.items() if any(_multiplied_by(scene, quantity))]
    definitions = {name: _all_new(scene, scene.quantities[name]) for name in everything}
    if definitions:
        first = next(iter(found))
        words = {"weight": first, "used": f"{first}_new"}
        yield Slip("updated-weight-used-early", everything[-1], definitions, words, "", True)


def _multiplied_by(scene: Scene, quantity: Quantity) -> Iterator[str]:
    """The updated weights in a factor of the way back, those of their own gradient aside."""
    pair = split_derivative(quantity.name)
    if pair is None or quantity.definition is None or quantity.rule not in _WAY_BACK:
        return
    node = quantity.node
    if scene.derivation.is_updated(pair[1]) or (node and node.rule not in ("weighted-sum", "definition")):
        return
    for name in dict.fromkeys(parts(quantity.definition)):
        if scene.derivation.is_updated(name):
            yield name


def _all_new(scene: Scene, quantity: Quantity) -> Expr:
    assert quantity.definition is not None
    return renamed(quantity.definition, {weight: f"{weight}_new" for weight in _multiplied_by(scene, quantity)})


def _one_after_the_other(scene: Scene, graph: UnrolledGraph) -> Iterator[Slip]:
    """Of several parameters the second gradient taken where the first is updated already."""
    order = graph.run.parameters
    definitions: dict[str, Expr] = {}
    for name, quantity in scene.quantities.items():
        base, step = base_and_step(name)
        parameter = base.removeprefix("g_")
        if base == parameter or parameter not in order or quantity.definition is None:
            continue
        before = order[: order.index(parameter)]
        names = {other if step == 1 else f"{other}@{step - 1}": f"{other}@{step}" for other in before}
        changed = renamed(quantity.definition, names)
        if changed != quantity.definition:
            definitions[name] = changed
    if definitions:
        words = {"weight": order[0], "used": f"{order[0]}@1"}
        yield Slip("updated-weight-used-early", next(reversed(definitions)), definitions, words, "", True)


# --- transposed weights ----------------------------------------------------------------------------------------------


def transposed(scene: Scene) -> Iterator[Slip]:
    """Weights read by source unit instead of by neuron: forward, on the way back, and as a way to number them."""
    network = scene.network
    if network is None or not scene.weights:
        return
    everywhere: dict[str, Expr] = {}
    several = 0
    for number_, layer in enumerate(network.layers, 1):
        names = _by_source(layer)
        if not names:
            continue
        forward = dict(_renamed_in(scene, names, ("weighted-sum",)))
        back = dict(_renamed_in(scene, names, ("local-derivative", "sum-over-paths")))
        one = next(name for name, other in names.items() if name != other)
        words = {"right": one, "used": names[one], "layer": str(number_)}
        for definitions in (forward, back, {**forward, **back}):
            if definitions:
                yield Slip("transposed-weights", next(reversed(definitions)), definitions, words)
        numbered = {**forward, **back, **dict(_gradients(scene, names))}
        if numbered:
            several += 1
            everywhere |= numbered
            yield Slip("weights-numbered-by-source", next(reversed(numbered)), numbered, words, "", True)
    if several > 1:
        yield Slip("weights-numbered-by-source", next(reversed(everywhere)), everywhere, words, "", True)


def _by_source(layer: Layer) -> dict[str, str]:
    """For each weight the name that its connection has when weights are numbered source by source."""
    names = [name for row in range(layer.weights.neurons) for name in _row(layer, row)]
    if None in names or len(set(names)) < len(names) or layer.pieces:
        return {}
    fan_in, neurons = layer.weights.fan_in, layer.weights.neurons
    found = {
        str(names[neuron * fan_in + source]): str(names[source * neurons + neuron])
        for neuron in range(neurons)
        for source in range(fan_in)
    }
    return found if any(name != other for name, other in found.items()) else {}


def _row(layer: Layer, neuron: int) -> list[str | None]:
    return [layer.weights.name(neuron, source) for source in range(layer.weights.fan_in)]


def _renamed_in(scene: Scene, names: Mapping[str, str], rules: tuple[str, ...]) -> Iterator[tuple[str, Expr]]:
    for name, quantity in scene.quantities.items():
        definition = quantity.definition
        pair = split_derivative(name)
        if quantity.rule not in rules or definition is None or (pair and pair[1] in names):
            continue
        if quantity.node is not None and quantity.node.rule != "weighted-sum":
            continue
        changed = renamed(definition, names)
        if changed != definition:
            yield name, changed


def _gradients(scene: Scene, names: Mapping[str, str]) -> Iterator[tuple[str, Expr]]:
    """The gradient of the connection that the name stands for then."""
    root = scene.graph.root
    for connection, name in names.items():
        gradient = derivative_name(root or "", name)
        definition = scene.definition(derivative_name(root or "", connection))
        if root and connection != name and gradient in scene.quantities and definition is not None:
            yield gradient, definition


# --- what was asked after updates ------------------------------------------------------------------------------------


def after_updates(scene: Scene) -> Iterator[Slip]:
    """The wrong number of updates, gradients that were not computed again, a layer that was left as it was."""
    later = False
    for name in scene.asked:
        base, step = scene.asked_after(name)
        if not step:
            continue
        later, name = True, f"{base}@{step}"
        if step == 1:
            yield from _frozen(scene, name, base)
        earlier = Name(f"{base}@{step - 1}") if step > 1 else Name(base)
        words = {"base": base, "count": str(step)}
        if step > 1 or not scene.derivation.is_carried(base):
            yield slip("before-the-update" if step == 1 else "one-update-too-few", name, earlier, "", **words)
        yield slip("one-update-too-many", name, Name(f"{base}@{step + 1}"), "", **words)
        if step > 2:
            yield slip("before-the-update", name, Name(base), "", **words)
        if step > 1 and scene.plain_descent and scene.derivation.is_updated(base):
            moved = multiply(number(step), Name("eta"), Name(derivative_name(scene.graph.root or "", base)))
            yield slip("gradient-not-computed-again", name, Sum((Name(base), Negative(moved))), "", **words)
    if later:
        yield from _left_as_it_was(scene)


def _frozen(scene: Scene, name: str, base: str) -> Iterator[Slip]:
    """A parameter that is kept as it is, updated all the same."""
    network, root = scene.network, scene.graph.root
    if network is None or root is None or not scene.plain_descent or scene.derivation.is_carried(base):
        return
    if base in network.parameters():
        moved = multiply(Name("eta"), Name(derivative_name(root, base)))
        yield slip("frozen-parameter-updated", name, Sum((Name(base), Negative(moved))), "", parameter=base)


def _left_as_it_was(scene: Scene) -> Iterator[Slip]:
    """Layers, or the biases, that were not updated."""
    if scene.network is None:
        return
    layers = [(str(place), tuple(layer.parameters())) for place, layer in enumerate(scene.network.layers, 1)]
    for layer, names in [*(layers if len(layers) > 1 else ()), ("", scene.network.bias_names())]:
        kept: dict[str, Expr] = {f"{name}_new": Name(name) for name in names if f"{name}_new" in scene.quantities}
        if kept:
            mistake = "layer-not-updated" if layer else "biases-not-updated"
            yield Slip(mistake, next(iter(kept)), kept, {"layer": layer})


def penalised_biases(scene: Scene) -> Iterator[Slip]:
    """The L2 penalty in the gradients of the biases as well."""
    network, root = scene.network, scene.graph.root
    if network is None or network.penalty is None or root is None:
        return
    two = number(1 if network.penalty.half else 2)
    definitions: dict[str, Expr] = {}
    for bias in network.bias_names():
        gradient = derivative_name(root, bias)
        definition = scene.quantities[gradient].definition if gradient in scene.quantities else None
        if definition is not None:
            definitions[gradient] = add(definition, multiply(two, network.penalty.strength, Name(bias)))
    for name, tree in definitions.items() if len(definitions) > 1 else ():
        yield slip("penalty-on-biases", name, tree)
    if definitions:
        yield Slip("penalty-on-biases", next(iter(definitions)), definitions)


WHOLE = (updated_early, transposed, after_updates, penalised_biases)
"""In this order they are tried."""
