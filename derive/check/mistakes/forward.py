"""Slips in a weighted sum: its terms, its weights, its bias, what it takes from the layer before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from derive.check.mistakes.scene import Scene, Slip, slip
from derive.check.mistakes.trees import MOST_TERMS, exchanged, fraction, negated, renamed, terms_of, text, without
from derive.derivation.chain_rule import Quantity
from derive.derivation.graph import sample_suffix, split_sample
from derive.formula.expression import Expr, Name, Product, Quotient, add, multiply, names_in, replace_names


@dataclass(frozen=True, slots=True)
class _Parts:
    """net = Σ weight·source + bias; `bias` holds at most one term, as written."""

    pairs: tuple[tuple[Name, Name], ...]
    bias: tuple[Expr, ...]

    def products(self) -> tuple[Expr, ...]:
        return tuple(Product(pair) for pair in self.pairs)

    def with_pairs(self, pairs: Sequence[tuple[Name, Name]]) -> Expr:
        return add(*(Product(pair) for pair in pairs), *self.bias)

    def bias_name(self) -> str:
        return next(names_in(self.bias[0]), "") if self.bias else ""


def _taken_apart(definition: Expr) -> _Parts | None:
    """The parts of a weighted sum that is short enough to be worked by hand."""
    pairs: list[tuple[Name, Name]] = []
    bias: list[Expr] = []
    terms = terms_of(definition)
    if len(terms) > MOST_TERMS + 1:
        return None
    for term in terms:
        match term:
            case Product((Name() as weight, Name() as source)):
                pairs.append((weight, source))
            case _:
                bias.append(term)
    return _Parts(tuple(pairs), tuple(bias)) if pairs and len(bias) <= 1 else None


def weighted_sum(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Everything that can go wrong in one weighted sum."""
    found = _taken_apart(quantity.definition) if quantity.definition is not None else None
    if found is None:
        return
    for way in _WAYS:
        yield from way(scene, quantity, found)


def _bias(scene: Scene, quantity: Quantity, found: _Parts) -> Iterator[Slip]:
    if not found.bias:
        return
    name, term, products = found.bias_name(), found.bias[0], found.products()
    yield slip("bias-left-out", quantity, add(*products), "bias", bias=name)
    yield slip("bias-used-twice", quantity, add(*products, term, term), "bias", bias=name)
    yield slip("bias-subtracted", quantity, add(*products, negated(term)), "bias", bias=name)
    for place, (_, source) in enumerate(found.pairs):
        yield slip("bias-times-input", quantity, add(*products, multiply(term, source)), place,
                   bias=name, input=source.name)  # fmt: skip
    yield slip("bias-multiplied", quantity, multiply(add(*products), term), "bias", bias=name)
    for other in _other_biases(scene, name, quantity):
        wrong = add(*products, renamed(term, {name: other}))
        yield slip("wrong-bias", quantity, wrong, "", bias=name, used=other)


def _other_biases(scene: Scene, name: str, quantity: Quantity) -> Iterator[str]:
    """The biases with the number before and after, and those in the same place of the layers beside."""
    node, network = quantity.node, scene.network
    if network is None:
        return
    found = list(scene.next_biases(name))
    for layer in (node.layer + 1, node.layer - 1) if node is not None and node.layer else ():
        if node is not None and 1 <= layer <= len(network.layers):
            biases = [each for each in network.layers[layer - 1].biases if each]
            found += biases[min(node.position, len(biases)) - 1 :][:1]
    yield from (other for other in dict.fromkeys(found) if other != name)


def _terms(scene: Scene, quantity: Quantity, found: _Parts) -> Iterator[Slip]:
    products = found.products()
    if len(products) > 1:
        for place, product in enumerate(products):
            left = add(*without(products, place), *found.bias)
            yield slip("term-left-out", quantity, left, place, term=text(product))
        count = len(products)
        mean = add(multiply(fraction(1) if count == 1 else Quotient(fraction(1), fraction(count)), add(*products)),
                   *found.bias)  # fmt: skip
        yield slip("sum-averaged", quantity, mean, "mean")
        yield slip("product-for-sum", quantity, multiply(*products, *found.bias), "all", part=text(add(*products)))
        if found.bias:
            multiplied = add(multiply(*products), *found.bias)
            yield slip("product-for-sum", quantity, multiplied, "kept", part=text(add(*products)))
    for place, (weight, source) in enumerate(found.pairs):
        for top, bottom in ((weight, source), (source, weight)):
            divided = exchanged(products, place, Quotient(top, bottom))
            yield slip("division-for-product", quantity, add(*divided, *found.bias), "", factor=bottom.name)
    weights, sources = zip(*found.pairs, strict=True)
    yield slip("sum-for-product", quantity, add(*weights, *sources, *found.bias), "all", part=text(products[0]))
    yield slip("weights-left-out", quantity, add(*sources, *found.bias), "all")
    yield slip("inputs-left-out", quantity, add(*weights, *found.bias), "all")


def _signs(scene: Scene, quantity: Quantity, found: _Parts) -> Iterator[Slip]:
    assert quantity.definition is not None
    for name in dict.fromkeys(names_in(quantity.definition)):
        if scene.is_negative(name):
            wrong = replace_names(quantity.definition, {name: negated(Name(name))})
            yield slip("sign-lost", quantity, wrong, ("negative", split_sample(name)[0]), part=name)
    products = found.products()
    for place, pair in enumerate(found.pairs):
        if len(products) > 1 and not any(scene.is_negative(name.name) for name in pair):
            turned = add(*exchanged(products, place, negated(products[place])), *found.bias)
            yield slip("sign-turned", quantity, turned, "", part=text(products[place]))


def _sources(scene: Scene, quantity: Quantity, found: _Parts) -> Iterator[Slip]:
    """The wrong input or hidden output."""
    pairs = found.pairs
    own = {source.name for _, source in pairs}
    for place, (weight, source) in enumerate(pairs):
        for other in scene.beside(source.name):
            if other in own or len(pairs) == 1:
                changed = (*pairs[:place], (weight, Name(other)), *pairs[place + 1 :])
                yield slip("wrong-input", quantity, found.with_pairs(changed), "", right=source.name, used=other)
    yield from _of_another_layer(scene, quantity, found)
    for one in range(len(pairs)):
        for two in range(one + 1, min(len(pairs), one + 4)):
            changed_list = list(pairs)
            changed_list[one] = (pairs[one][0], pairs[two][1])
            changed_list[two] = (pairs[two][0], pairs[one][1])
            yield slip("inputs-exchanged", quantity, found.with_pairs(changed_list), (one, two),
                       one=pairs[one][1].name, two=pairs[two][1].name)  # fmt: skip


def _of_another_layer(scene: Scene, quantity: Quantity, found: _Parts) -> Iterator[Slip]:
    """The inputs of the network, or net inputs, where the outputs of the layer before belong."""
    sources = [source.name for _, source in found.pairs]
    node = quantity.node
    if scene.network is None or node is None or node.layer < 2:
        return
    suffix = sample_suffix(split_sample(quantity.name)[1])
    instead = [("inputs-for-outputs", [f"{name}{suffix}" for name in scene.network.inputs])]
    if set(sources) & set(scene.asked):
        instead.append(("net-for-output", [f"net_{name.removeprefix('out_')}" for name in sources]))
    for mistake, names in instead:
        if len(names) == len(sources) and all(name.startswith("out_") for name in sources):
            pairs = [(weight, Name(name)) for (weight, _), name in zip(found.pairs, names, strict=True)]
            yield slip(mistake, quantity, found.with_pairs(pairs), "all",
                       right=", ".join(sources), used=", ".join(names))  # fmt: skip


def _weights(scene: Scene, quantity: Quantity, found: _Parts) -> Iterator[Slip]:
    """A neighbour's weight, or all weights of the neuron beside."""
    for weight, _ in found.pairs:
        for other in scene.next_weights(weight.name):
            wrong = renamed(found.with_pairs(found.pairs), {weight.name: other})
            yield slip("wrong-weight", quantity, wrong, "", right=weight.name, used=other)
    node = quantity.node
    if scene.network is None or node is None or not node.layer:
        return
    layer = scene.network.layers[node.layer - 1]
    for neuron in (node.position + 1, node.position - 1):
        if not 1 <= neuron <= len(layer.neurons):
            continue
        names = _weights_of(scene, node.layer, neuron, found)
        if names:
            wrong = renamed(found.with_pairs(found.pairs), names)
            yield slip("weights-of-another-neuron", quantity, wrong, ("neuron", neuron - node.position),
                       neuron=layer.neurons[neuron - 1])  # fmt: skip


def _weights_of(scene: Scene, layer: int, neuron: int, found: _Parts) -> dict[str, str]:
    """For each weight of a sum the one from the same source into another neuron."""
    names: dict[str, str] = {}
    for weight, _ in found.pairs:
        place = scene.place_of(weight.name)
        other = scene.weight_at(layer, neuron, place[2]) if place else None
        if other is None:
            return {}
        names[weight.name] = other
    return names


def _samples(scene: Scene, quantity: Quantity, found: _Parts) -> Iterator[Slip]:
    """Numbers of the sample beside."""
    _, sample = split_sample(quantity.name)
    if not sample or scene.network is None:
        return
    for other in (sample + 1, sample - 1):
        if 1 <= other <= scene.network.samples:
            names = {source.name: f"{split_sample(source.name)[0]}[{other}]" for _, source in found.pairs}
            wrong = renamed(found.with_pairs(found.pairs), names)
            yield slip("wrong-sample", quantity, wrong, "", right=str(sample), used=str(other))


_WAYS: tuple[Callable[[Scene, Quantity, _Parts], Iterator[Slip]], ...] = (
    _bias, _terms, _signs, _sources, _weights, _samples,
)  # fmt: skip
