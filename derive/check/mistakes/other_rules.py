"""An update as another library has it: each convention that the catalogue leaves open, chosen the other way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from derive.catalogue.recipes import Recipe
from derive.check.mistakes.scene import Scene, Slip
from derive.derivation.chain_rule import derivative_name
from derive.derivation.unrolled import UnrolledGraph
from derive.derivation.updating import Updates
from derive.errors import DeriveError
from derive.formula.expression import ZERO, Expr, names_in, replace_names
from derive.problem.rule import UpdateRule

_IDS = {
    "form": ("momentum-convention", True), "epsilon_place": ("epsilon-place", True),
    "decay": ("decay-convention", True),
    "bias_correction": ("bias-correction-left-out", False), "maximize": ("ascent-for-descent", False),
    "centered": ("centred-convention", True), "rate_place": ("momentum-convention", True),
    "maximum_of": ("maximum-convention", True), "momentum_schedule": ("momentum-convention", True),
}  # fmt: skip


def conventions(scene: Scene) -> Iterator[Slip]:
    """The whole rule as another library has it."""
    rule = scene.graph.rule if isinstance(scene.graph, UnrolledGraph) else None
    if rule is None and scene.derivation.updates_anything():
        rule = scene.derivation.updates.rule
    if rule is None:
        return
    for choice in rule.recipe.row.all_choices():
        for option, meaning in choice.options:
            if option == rule.recipe.option(choice.key):
                continue
            other = replace(rule.recipe, options=(*(o for o in rule.recipe.options if o[0] != choice.key),
                                                  (choice.key, option)))  # fmt: skip
            definitions = _under(scene, rule, other)
            mistake, convention = _IDS[choice.key]
            if definitions:
                first = next(reversed(definitions))
                yield Slip(mistake, first, definitions, {"part": meaning, "divisor": "1 - beta^t"}, "", convention)


def _under(scene: Scene, rule: UpdateRule, recipe: Recipe) -> dict[str, Expr]:
    """The definitions behind what is asked that another choice changes; none where it needs a name of its own."""
    try:
        return dict(_definitions(scene, UpdateRule(recipe, rule.rate)))
    except (DeriveError, KeyError):
        return {}


def _definitions(scene: Scene, rule: UpdateRule) -> Iterator[tuple[str, Expr]]:
    """Each definition of an update behind what is asked, where this rule has another one."""
    of = _unrolled(scene.graph, rule) if isinstance(scene.graph, UnrolledGraph) else _updating(scene, rule)
    for name, quantity in scene.quantities.items():
        definition = of(name) if quantity.rule in ("update", "definition") else None
        if definition is not None:
            definition = _in_known_names(scene, of, definition)
            if definition != quantity.definition:
                yield name, definition


def _in_known_names(scene: Scene, of: Callable[[str], Expr | None], definition: Expr) -> Expr:
    """A definition with what only the other rule names written out; raises KeyError where that has no definition."""
    inside: dict[str, Expr] = {}
    for name in set(names_in(definition)):
        if scene.quantity(name) is None:
            inner = of(name)
            if inner is None:
                raise KeyError(name)
            inside[name] = _in_known_names(scene, of, inner)
    return replace_names(definition, inside) if inside else definition


def _unrolled(graph: UnrolledGraph, rule: UpdateRule) -> Callable[[str], Expr | None]:
    given = dict.fromkeys(graph.leaves(), ZERO)
    other = UnrolledGraph(replace(graph.run, recipe=rule.recipe), given, carried=False)
    defined = set(other.forward())
    return lambda name: other.node(name).definition if name in defined else None


def _updating(scene: Scene, rule: UpdateRule) -> Callable[[str], Expr | None]:
    derivation, root = scene.derivation, scene.graph.root or ""
    updates = Updates(
        rule, lambda name: derivative_name(root, name), derivation.is_updated, scene.is_node, derivation.updated
    )
    return lambda name: updates.definition(name.removesuffix("_new"))
