"""Slips of the chain rule: factors, δ, and what stands for a local derivative of a weighted sum."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from derive.check.mistakes.scene import Scene, Slip, slip
from derive.check.mistakes.trees import exchanged, factors_of, has_series, negated, text, without
from derive.derivation.chain_rule import Quantity, derivative_name, split_derivative
from derive.formula.expression import (
    Expr,
    Name,
    Number,
    Product,
    Quotient,
    add,
    multiply,
    names_in,
)

MOST_FACTORS = 8
MOST_INPUTS = 4


def chain(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in a product of derivatives."""
    definition = quantity.definition
    if definition is None or has_series(definition):
        return
    factors = factors_of(definition)
    yield from sign(scene, quantity)
    if 1 < len(factors) <= MOST_FACTORS:
        yield from _product(quantity, factors)
    for place, factor in enumerate(factors):
        for mistake, wrong, used in instead(scene, factor):
            changed = multiply(*exchanged(factors, place, wrong))
            yield slip(mistake, quantity, changed, "", **words(scene, factor, used))
    yield from _beside(scene, quantity, factors)
    yield from _with_delta(scene, quantity, factors[-1])


def words(scene: Scene, factor: Expr, used: str) -> dict[str, str]:
    """What the sentences of a wrong factor may need."""
    words = {"right": text(factor), "used": used, "output": used, "factor": used}
    pair = split_derivative(factor.name) if isinstance(factor, Name) else None
    quantity = scene.quantity(pair[0]) if pair else None
    node = quantity.node if quantity else None
    return words | ({"activation": node.activation.title} if node and node.activation else {})


def _with_delta(scene: Scene, quantity: Quantity, last: Expr) -> Iterator[Slip]:
    """A gradient as the sum of δ and what comes in, or with the δ of the neuron beside."""
    pair = split_derivative(quantity.name)
    local = split_derivative(last.name) if isinstance(last, Name) else None
    source = scene.definition(last.name) if isinstance(last, Name) else None
    if pair is None or local is None or not isinstance(source, Name) or scene.place_of(pair[1]) is None:
        return
    delta = derivative_name(pair[0], local[0])
    if scene.quantity(delta) is None:
        return
    summed = (Name(delta), source)
    yield slip("sum-for-product", quantity, add(*summed), "", part=text(Product(summed)))
    loss = scene.graph.root or ""
    if local[0] in scene.outputs:
        yield slip("loss-for-delta", quantity, multiply(Name(loss), source), "", right=delta, used=loss)
    for other in scene.beside(local[0]):
        wrong = derivative_name(pair[0], other)
        if scene.quantity(wrong) is not None:
            yield slip("wrong-delta", quantity, multiply(Name(wrong), source), "", right=delta, used=wrong)


def sign(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    assert quantity.definition is not None
    mistake = "sign-lost" if scene.is_negative(quantity.name) else "sign-turned"
    yield slip(mistake, quantity, negated(quantity.definition), "", part=quantity.name)


def _product(quantity: Quantity, factors: tuple[Expr, ...]) -> Iterator[Slip]:
    yield from factors_left_out(quantity, factors)
    for place, factor in enumerate(factors):
        yield slip("factor-used-twice", quantity, multiply(*factors, factor), "", factor=text(factor))
        divided = Quotient(multiply(*without(factors, place)), factor)
        yield slip("division-for-product", quantity, divided, "", factor=text(factor))
    yield slip("sum-for-product", quantity, add(*factors), "", part=text(Product(factors)))
    for place in range(2, len(factors)):
        inside = (multiply(*factors[: place - 1]), factors[place - 1])
        summed = multiply(add(*inside), *factors[place:])
        yield slip("sum-for-product", quantity, summed, "", part=text(Product(inside)))
    for count in (1, 2):
        if len(factors) > count + 2:
            last = multiply(*factors[-count:])
            yield slip("upstream-left-out", quantity, last, "", factor=text(last))
    if len(factors) > 2:
        for one, two in combinations(range(len(factors)), 2):
            kept = [factor for place, factor in enumerate(factors) if place not in (one, two)]
            yield slip("two-factors-left-out", quantity, multiply(*kept), "",
                       factor=text(factors[one]), other=text(factors[two]))  # fmt: skip


def instead(scene: Scene, factor: Expr) -> Iterator[tuple[str, Expr, str]]:
    """What somebody may write for a factor: the id, the wrong factor, what it is."""
    pair = split_derivative(factor.name) if isinstance(factor, Name) else None
    if pair is None or not isinstance(factor, Name):
        return
    top, bottom = pair
    if top == scene.graph.root and bottom.startswith("out_") and factor.name in scene.asked:
        yield "loss-for-slope", Name(top), top
    for other in scene.beside(bottom) if bottom.startswith(("net_", "out_")) else ():
        sibling = _next(scene, top, bottom, other)
        if sibling is not None and top.startswith("net_") and bottom.startswith("out_"):
            yield "wrong-weight", sibling, text(scene.definition(sibling.name) or sibling)
        elif sibling is not None:
            yield ("wrong-delta" if top == scene.graph.root else "wrong-factor"), sibling, sibling.name
    if top.startswith("net_"):
        yield from instead_of_source(scene, factor, top, bottom)
    elif top.startswith("out_") and bottom.startswith("net_"):
        yield from _instead_of_slope(scene, factor, top)
    elif top == scene.graph.root and bottom.startswith("net_"):
        yield from without_slope(scene, top, bottom)


def _instead_of_slope(scene: Scene, factor: Name, output: str) -> Iterator[tuple[str, Expr, str]]:
    """What somebody may write for σ′: that of another layer; where σ′ was asked for, the output itself."""
    if isinstance(scene.definition(factor.name), Number | None):
        return
    if factor.name in scene.asked:
        yield "output-for-slope", Name(output), output
    for other in scene.of_layers_beside(output):
        slope = derivative_name(other, f"net_{other.removeprefix('out_')}")
        if not isinstance(scene.definition(slope), Number | None):
            yield "slope-of-another-layer", Name(slope), slope


def without_slope(scene: Scene, root: str, net: str) -> Iterator[tuple[str, Expr, str]]:
    """∂E/∂out for a δ that was asked for."""
    output = f"out_{net.removeprefix('net_')}"
    slope, before = derivative_name(output, net), derivative_name(root, output)
    known = scene.quantity(slope) is not None and scene.quantity(before) is not None
    if known and {f"delta_{net.removeprefix('net_')}", derivative_name(root, net)} & set(scene.asked):
        yield "factor-left-out", Name(before), slope


def _next(scene: Scene, top: str, bottom: str, other: str) -> Name | None:
    """The same factor of a neighbour: ∂out_h2/∂net_h2 for ∂out_h1/∂net_h1, ∂net_o1/∂out_h2 for ∂net_o1/∂out_h1."""
    if top.startswith("out_") and bottom.startswith("net_"):
        top = f"out_{other.removeprefix('net_')}"
    name = derivative_name(top, other)
    return Name(name) if scene.quantity(name) is not None else None


def instead_of_source(scene: Scene, factor: Name, top: str, bottom: str) -> Iterator[tuple[str, Expr, str]]:
    """Another input or hidden output for ∂net/∂w, another weight for ∂net/∂out."""
    definition = scene.definition(factor.name)
    if not isinstance(definition, Name):
        return
    source = definition.name
    if scene.place_of(bottom) is not None:
        for other in scene.beside(source):
            yield "wrong-input", Name(other), other
        if source.startswith("out_"):
            net = f"net_{source.removeprefix('out_')}"
            yield "net-for-output", Name(net), net
            behind = scene.definition(net)
            names = dict.fromkeys(names_in(behind)) if behind is not None else ()
            fed = [name for name in names if scene.definition(name) is None and scene.place_of(name) is None]
            yield from (("wrong-input", Name(name), name) for name in fed[:MOST_INPUTS])
        yield "weight-for-input", Name(bottom), bottom
        own = f"out_{top.removeprefix('net_')}"
        if own != source:
            yield "wrong-input", Name(own), own
    else:
        for other in scene.next_weights(source):
            yield "wrong-weight", Name(other), other
        place = scene.place_of(source)
        for other in scene.weights_into(bottom):
            yield "wrong-weight", Name(other), other
        transposed = scene.weight_at(place[0], place[2], place[1]) if place else None
        if transposed and transposed != source:
            yield "transposed-weights", Name(transposed), transposed
        yield "output-for-weight", Name(bottom), bottom


def _beside(scene: Scene, quantity: Quantity, factors: tuple[Expr, ...]) -> Iterator[Slip]:
    """Another path altogether: everything of the first hidden neuron replaced by that of the second."""
    pair = split_derivative(quantity.name)
    if pair is None or scene.place_of(pair[1]) is None:
        return
    for other in scene.next_weights(pair[1]):
        wrong = scene.definition(derivative_name(pair[0], other))
        if wrong is not None:
            yield slip("gradient-of-another-weight", quantity, wrong, "", right=pair[1], used=other)


def factors_left_out(quantity: Quantity, factors: tuple[Expr, ...]) -> Iterator[Slip]:
    for place, factor in enumerate(factors):
        if len(factors) > 1:
            yield slip("factor-left-out", quantity, multiply(*without(factors, place)), "", factor=text(factor))
