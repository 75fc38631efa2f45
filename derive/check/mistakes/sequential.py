"""Gradients computed while parameters are being updated: one parameter after the other, or sample by sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from derive.check.mistakes.scene import Scene, Slip
from derive.check.mistakes.trees import terms_of
from derive.derivation.chain_rule import derivative_name
from derive.formula.expression import (
    ZERO,
    Expr,
    Name,
    Negative,
    Sum,
    children,
    multiply,
    names_in,
    number,
    rebuild,
)

MOST_PARAMETERS = 12
MOST_PARTS = 1200
"""A gradient of more parts, written out, is not worked out again by hand."""


Sized = tuple[Expr, int]
"""A formula and how many parts it has."""


class TooLong(Exception):
    """A gradient that is too long when it is written out."""


def one_after_the_other(scene: Scene) -> Iterator[Slip]:
    """Each gradient taken where the parameters before it are updated already, in two orders."""
    network, root = scene.network, scene.graph.root
    if network is None or root is None or not scene.plain_descent:
        return
    names = [name for name in network.parameters() if scene.derivation.is_updated(name)]
    biases = set(network.bias_names())
    if not 2 <= len(names) <= MOST_PARAMETERS:
        return
    biases_first = [*(name for name in names if name in biases), *(name for name in names if name not in biases)]
    for order in dict.fromkeys((tuple(names), tuple(biases_first))):
        definitions = _definitions(scene, root, order)
        if definitions:
            words = {"weight": order[0], "used": f"{order[0]}_new"}
            yield Slip("updated-one-after-the-other", next(iter(definitions)), definitions, words, "", True)


def _definitions(scene: Scene, root: str, order: Sequence[str]) -> dict[str, Expr]:
    """The gradients as they come out; none where one of them is too long."""
    found: dict[str, Expr] = {}
    for place, name in enumerate(order[1:], 1):
        gradient = derivative_name(root, name)
        if gradient not in scene.quantities:
            continue
        try:
            updated = {before: (Name(f"{before}_new"), 1) for before in order[:place]}
            written = _WrittenOut(scene, updated).of(gradient)
        except TooLong:
            return {}
        if written != scene.definition(gradient):
            found[gradient] = written
    return found


def after_each_sample(scene: Scene) -> Iterator[Slip]:
    """A batch taken as single samples: an update after each, where there is one update for all of them."""
    network, root = scene.network, scene.graph.root
    if network is None or root is None or not scene.plain_descent or network.samples < 2 or len(network.layers) > 1:
        return
    names = [name for name in network.parameters() if scene.derivation.is_updated(name)]
    terms = {name: terms_of(scene.definition(derivative_name(root, name)) or ZERO) for name in names}
    if len(names) > MOST_PARAMETERS or any(len(each) != network.samples for each in terms.values()):
        return
    now: dict[str, Sized] = {name: (Name(name), 1) for name in names}
    times = number(network.samples if scene.is_mean else 1)
    try:
        for sample in range(network.samples):
            written = _WrittenOut(scene, now)
            steps = {name: written.tree(terms[name][sample]) for name in names}
            now = {name: (Sum((now[name][0], Negative(multiply(Name("eta"), times, step)))), now[name][1] + size + 4)
                   for name, (step, size) in steps.items()}  # fmt: skip
    except TooLong:
        return
    definitions = {f"{name}_new": tree for name, (tree, _) in now.items() if f"{name}_new" in scene.quantities}
    if definitions:
        words = {"count": str(network.samples)}
        yield Slip("updated-after-each-sample", next(iter(definitions)), definitions, words, "", True)


class _WrittenOut:
    """Quantities with everything written out that hangs on renamed parameters."""

    def __init__(self, scene: Scene, instead: Mapping[str, Sized]) -> None:
        self._scene = scene
        self._known = dict(instead)

    def of(self, name: str) -> Expr:
        """The quantity as a formula; raises TooLong."""
        return self._named(name)[0]

    def tree(self, expr: Expr) -> Sized:
        """A formula with what is known written out, and its size; raises TooLong."""
        return self._filled(expr, {part: self._named(part) for part in dict.fromkeys(names_in(expr))})

    def _named(self, name: str) -> Sized:
        if name not in self._known:
            definition = self._scene.definition(name)
            if definition is None:
                self._known[name] = Name(name), 1
            else:
                inside = {part: self._named(part) for part in dict.fromkeys(names_in(definition))}
                same = all(tree == Name(part) for part, (tree, _) in inside.items())
                self._known[name] = (Name(name), 1) if same else self._filled(definition, inside)
        return self._known[name]

    def _filled(self, definition: Expr, inside: Mapping[str, Sized]) -> Sized:
        size = _size(definition) + sum(inside[part][1] for part in names_in(definition))
        if size > MOST_PARTS:
            raise TooLong

        def put(part: Expr) -> Expr:
            return inside[part.name][0] if isinstance(part, Name) else rebuild(part, put)

        return put(definition), size


def _size(expr: Expr) -> int:
    return 1 + sum(map(_size, children(expr)))


WAYS = (one_after_the_other, after_each_sample)
