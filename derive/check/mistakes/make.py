"""Every mistake that could change what is asked, made from the derivation by rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from derive.check.mistakes import (
    activations,
    chain,
    conventions,
    forward,
    local,
    losses,
    other_rules,
    paths,
    perceptrons,
    sequential,
    softmax,
    totals,
    updates,
    whole,
)
from derive.check.mistakes.scene import Every, Scene, Slip
from derive.check.mistakes.sentences import Sentences
from derive.check.mistakes.table import CONVENTIONS, HABITS, ROWS
from derive.check.model import Mutant
from derive.derivation.chain_rule import Quantity
from derive.derivation.graph import split_sample
from derive.derivation.perceptron import PerceptronGraph
from derive.derivation.unrolled import UnrolledGraph
from derive.formula.expression import Expr, Name, Product, multiply, names_in, replace_names
from derive.worked import WorkedExample

MOST_MUTANTS = 12_000
"""So many mistakes are tried at most, the nearest to what is asked first."""

MOST_TOGETHER = 400
"""A mistake in more places than these is not made throughout."""

RARE = 5
"""A slip of at most this likelihood is made in every sample of a large batch, not in one of them."""

MOST_BY_SAMPLE = 250
"""Behind what is asked are so many quantities at most where every slip is tried in each sample alone."""

Way = Callable[[Scene, Quantity], Iterator[Slip]]


def _definition(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """A named definition: of a perceptron, of an optimizer written out, of an activation at a point, or typed."""
    if isinstance(scene.graph, PerceptronGraph):
        yield from perceptrons.perceptron(scene, quantity)
    elif isinstance(scene.graph, UnrolledGraph):
        yield from updates.update(scene, quantity)
    elif quantity.node is not None and quantity.node.activation is not None:
        row = quantity.node.activation
        at_point = softmax.jacobian_at_point if row.name == "softmax" else activations.point_slope
        yield from at_point(scene, quantity)
    else:
        yield from activations.general(scene, quantity)


def _weighted_sum(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    yield from forward.weighted_sum(scene, quantity)
    yield from perceptrons.sums(scene, quantity)


def _activation(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    row = quantity.node.activation if quantity.node else None
    yield from (softmax.softmax if row is not None and row.vector else activations.activation)(scene, quantity)


BY_RULE: Mapping[str, Way] = {
    "weighted-sum": _weighted_sum,
    "activation": _activation,
    "softmax": softmax.softmax,
    "loss": losses.loss,
    "loss-part": losses.loss,
    "total": totals.total,
    "penalty": totals.penalty,
    "definition": _definition,
    "local-derivative": local.local,
    "chain": chain.chain,
    "sum-over-paths": paths.paths,
    "cancellation": local.cancellation,
    "update": updates.update,
}
"""What can go wrong in a quantity, by the rule that it was derived by."""


def mutants(example: WorkedExample, quantities: Sequence[str], language: str = "en") -> list[Mutant]:
    """Every mistake that could change one of the quantities (canonical names, "w5@2" after updates).

    In a fixed order, with messages in that language.  Of equal exchanged definitions the likeliest slip and the
    likeliest convention are kept.
    Exchanged definitions never come back to themselves.
    """
    scene = Scene(example, quantities)
    sentences = Sentences(language)
    kept: dict[tuple[frozenset[tuple[str, Expr]], bool], Mutant] = {}
    for slip in _all(scene):
        inlined = _through_aliases(scene, slip.definitions)
        definitions = {name: tree for name, tree in inlined.items() if tree != scene.definition(name)}
        if not definitions or not scene.is_sound(definitions):
            continue
        key = frozenset(definitions.items())
        likelihood, convention = ROWS[slip.id].likelihood, slip.convention or slip.id in CONVENTIONS
        as_convention, known = kept.get((key, True)), kept.get((key, convention))
        if as_convention is not None and as_convention.id == slip.id:
            continue
        if known is not None and known.likelihood >= likelihood:
            continue
        message = sentences.say(slip)
        kept[key, convention] = Mutant(slip.id, message, slip.step, definitions, likelihood, convention)
        if len(kept) >= MOST_MUTANTS:
            break
    return list(kept.values())


def _all(scene: Scene) -> Iterator[Slip]:
    """First other conventions and what is done throughout, then place by place, the nearest to the question first."""
    for way in (*whole.WHOLE, *sequential.WAYS, conventions.of_loss, other_rules.conventions):
        yield from _changing(scene, way(scene))
    alone: list[Slip] = []
    together: dict[object, dict[str, Slip]] = {}
    for quantity in scene.quantities.values():
        way_of = BY_RULE.get(quantity.rule)
        if way_of is None:
            continue
        for slip in _changing(scene, way_of(scene, quantity)):
            if not _is_held_back(scene, slip):
                alone.append(slip)
            for key in _groups(scene, quantity, slip):
                together.setdefault(key, {}).setdefault(slip.step, slip)
    for group in together.values():
        slips = list(group.values())
        if 1 < len(slips) <= MOST_TOGETHER:
            yield _merged(sorted(slips, key=lambda slip: scene.rank(slip.step)))
        elif _is_held_back(scene, slips[0]):
            alone += slips
    yield from alone


def _changing(scene: Scene, slips: Iterable[Slip]) -> Iterator[Slip]:
    """Those that change something."""
    for slip in slips:
        changed = {name: tree for name, tree in slip.definitions.items() if tree != scene.definition(name)}
        if len(changed) == len(slip.definitions):
            yield slip
        elif changed:
            yield Slip(slip.id, slip.step, changed, slip.words, slip.kind, slip.convention)


def _groups(scene: Scene, quantity: Quantity, slip: Slip) -> Iterator[object]:
    """What a slip may be made together with: the same in every sample, in the layer, everywhere."""
    if slip.kind == "":
        if split_sample(slip.step)[1]:
            yield slip.id, tuple(map(_unsampled, slip.words.values())), _unsampled(slip.step)
        return
    kind = (slip.id, slip.kind, quantity.rule)
    yield kind
    if isinstance(slip.kind, Every):
        yield slip.id, slip.kind.what
    if quantity.node is not None and quantity.node.layer:
        yield (*kind, quantity.node.layer)
    if split_sample(slip.step)[1]:
        yield (*kind, _unsampled(slip.step))


def _unsampled(name: str) -> str:
    """A name or a part of a formula without its samples."""
    return "".join(piece.rpartition("[")[0] if "[" in piece else piece for piece in name.split("]"))


def _is_held_back(scene: Scene, slip: Slip) -> bool:
    """Whether a slip is tried throughout only, where there are several places: a habit, or rare and of one sample."""
    if slip.id in HABITS:
        return slip.kind != ""
    batch = scene.network is not None and scene.network.samples > 1 and len(scene.quantities) > MOST_BY_SAMPLE
    return batch and ROWS[slip.id].likelihood <= RARE and bool(split_sample(slip.step)[1])


def _merged(slips: list[Slip]) -> Slip:
    """The same slip at several places, told of the one that is computed first."""
    definitions = {name: tree for slip in slips for name, tree in slip.definitions.items()}
    first, others = slips[0], [slip.step for slip in slips[1:]]
    words = {**first.words, "elsewhere": ", ".join(others[:3]) + (", …" if len(others) > 3 else "")}
    return Slip(first.id, first.step, definitions, words, "", all(slip.convention for slip in slips))


# --- quantities that are others by another name ----------------------------------------------------------------------


def _through_aliases(scene: Scene, definitions: Mapping[str, Expr]) -> dict[str, Expr]:
    """Exchanges of what is only another quantity's name (∂net/∂out is a weight) made where that name is used.

    Such a quantity has no computation of its own, so that everything that carries it on is exchanged instead.
    """
    renamed = {name: tree for name, tree in definitions.items() if _is_alias(scene, name)}
    if not renamed:
        return dict(definitions)
    own = {name: tree for name, tree in definitions.items() if name not in renamed}
    waiting = list(renamed)
    touched: list[str] = []
    for name in waiting:
        for user in scene.users(name):
            if _is_alias(scene, user):
                if user not in renamed:
                    renamed[user] = renamed[name]
                    waiting.append(user)
            elif user not in touched:
                touched.append(user)
    for user in touched:
        tree = own.get(user) or scene.definition(user)
        if tree is not None:
            inlined = replace_names(tree, renamed)
            own[user] = multiply(*inlined.factors) if isinstance(inlined, Product) else inlined
    for name, tree in renamed.items():
        if name in scene.asked:
            own |= _at_its_source(scene, name, tree)
    return own


def _is_alias(scene: Scene, name: str) -> bool:
    return isinstance(scene.definition(name), Name)


def _at_its_source(scene: Scene, name: str, tree: Expr) -> dict[str, Expr]:
    """The exchange for an alias that is asked: in the quantity that it names, where that is computed."""
    source = scene.definition(name)
    while isinstance(source, Name) and isinstance(inner := scene.definition(source.name), Name):
        source = inner
    if not isinstance(source, Name) or (definition := scene.definition(source.name)) is None:
        return {}
    return {source.name: replace_names(tree, {source.name: definition}) if source.name in set(names_in(tree)) else tree}
