"""Other conventions of a loss: right if a page says so, and told apart from slips."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.check.mistakes.scene import Scene, Slip
from derive.check.mistakes.trees import factors_of, has_series, negated, scaled
from derive.derivation.chain_rule import Quantity, split_derivative
from derive.derivation.graph import split_sample
from derive.derivation.loss import LossGraph
from derive.formula.expression import ONE, Call, Expr, Negative, Quotient, Sum, children, multiply, names_in, number


def of_loss(scene: Scene) -> Iterator[Slip]:
    """½ or none, sum or mean over outputs and samples, the base of the logarithm, t − o for o − t."""
    yield from _ratios(scene)
    yield from _samples(scene)
    losses = _of_loss(scene, ("loss", "loss-part"), slopes=False)
    if any(_has_logarithm(tree) for tree in losses.values()):
        by = Quotient(ONE, Call("ln", (number(2),)))
        definitions = {name: multiply(by, tree) for name, tree in losses.items()}
        yield Slip("logarithm-to-base-2", next(iter(losses)), definitions, {"part": "ln"}, "", True)
    yield from _delta_sign(scene)


def _of_loss(scene: Scene, rules: tuple[str, ...], *, slopes: bool) -> dict[str, Expr]:
    """The definitions of nodes of these rules and, with `slopes`, those of their derivatives."""
    found = {}
    for name, quantity in scene.quantities.items():
        node = quantity.node
        own = quantity.rule in rules
        derived = slopes and (
            quantity.rule == "cancellation"
            or (quantity.rule == "local-derivative" and node is not None and node.rule in rules)
        )
        if quantity.definition is not None and (own or derived):
            found[name] = quantity.definition
    return found


def _has_logarithm(tree: Expr) -> bool:
    return (isinstance(tree, Call) and tree.function == "ln") or any(_has_logarithm(part) for part in children(tree))


_SQUARED = {"half-squared-error": Fraction(1, 2), "squared-error": Fraction(1)}


def _ratios(scene: Scene) -> Iterator[Slip]:
    found = _outputs_and_loss(scene)
    if found is None:
        return
    count, name, over = found
    mean = Fraction(1, count)
    now = mean if over == "mean" or name == "mean-squared-error" else Fraction(1)
    now *= _SQUARED.get(name, Fraction(1))
    others = [("mean-over-outputs", mean), ("sum-over-outputs", Fraction(1))]
    if name in _SQUARED or name == "mean-squared-error":
        others = [
            ("loss-without-half", Fraction(1)), ("loss-with-half", Fraction(1, 2)), ("mean-over-outputs", mean),
            ("half-mean-over-outputs", mean / 2),
        ]  # fmt: skip
    if over == "fixed" and name != "mean-squared-error":
        return
    rules = ("loss", "loss-part")
    tried = {now}
    for mistake, factor in others:
        if factor in tried:
            continue
        tried.add(factor)
        for slopes, convention in ((True, True), (False, False)):
            trees = _of_loss(scene, rules, slopes=slopes)
            if trees:
                definitions = {key: scaled(tree, factor / now) for key, tree in trees.items()}
                yield Slip(mistake, next(reversed(definitions)), definitions, {"count": str(count)}, "", convention)
        slopes_only = {key: tree for key, tree in _of_loss(scene, rules, slopes=True).items() if split_derivative(key)}
        if slopes_only:
            definitions = {key: scaled(tree, factor / now) for key, tree in slopes_only.items()}
            yield Slip(mistake, next(reversed(definitions)), definitions, {"count": str(count)})


def _outputs_and_loss(scene: Scene) -> tuple[int, str, str] | None:
    """(outputs, name of the loss, how its parts are put together)."""
    if scene.network is not None and scene.network.targets:
        loss = scene.network.loss
        return len(scene.network.layers[-1].neurons), loss.name, loss.over
    if isinstance(scene.graph, LossGraph):
        setting = scene.graph.setting
        return setting.outputs, setting.loss.name, setting.loss.over
    return None


def _samples(scene: Scene) -> Iterator[Slip]:
    """Sum for mean over the samples, or the reverse."""
    count = _sample_count(scene)
    if count < 2:
        return
    totals = {
        name: quantity.definition
        for name, quantity in scene.quantities.items()
        if quantity.rule == "total" and quantity.definition is not None and not has_series(quantity.definition)
        and any(split_sample(part)[1] for part in names_in(quantity.definition)) and not split_sample(name)[1]
    }  # fmt: skip
    is_mean = _is_mean(scene)
    by = Fraction(count) if is_mean else Fraction(1, count)
    mistake = "sum-over-samples" if is_mean else "mean-over-samples"
    slopes = {
        name: quantity.definition
        for name, quantity in scene.quantities.items()
        if quantity.definition is not None and _per_sample(quantity)
    }
    words = {"count": str(count)}
    both = {name: scaled(tree, by) for name, tree in {**totals, **slopes}.items()}
    if both:
        yield Slip(mistake, next(reversed(both)), both, words, "", True)
    for trees in (totals, slopes):
        definitions = {name: scaled(tree, by) for name, tree in trees.items()}
        if definitions and len(definitions) < len(both):
            yield Slip(mistake, next(reversed(definitions)), definitions, words)


def _per_sample(quantity: Quantity) -> bool:
    """Whether the factor 1/n of the mean over the samples stands in the definition, or would."""
    pair = split_derivative(quantity.name)
    if pair is None or pair[0] not in ("E", "E_data"):
        return False
    first = quantity.rule == "local-derivative" and quantity.node is not None and quantity.node.rule == "total"
    return bool(split_sample(pair[1])[1]) and (first or quantity.rule == "cancellation")


def _sample_count(scene: Scene) -> int:
    if scene.network is not None:
        return scene.network.samples
    return scene.graph.setting.samples if isinstance(scene.graph, LossGraph) else 1


def _is_mean(scene: Scene) -> bool:
    body = scene.network if scene.network is not None else getattr(scene.graph, "setting", None)
    return body is not None and body.reduction == "mean"


def _is_difference(slope: Expr) -> bool:
    """Whether a slope is output minus target, times something; not where it is ±1 or -t/o."""
    tree = slope.arg if isinstance(slope, Negative) else slope
    return any(isinstance(factor, Sum) for factor in factors_of(tree))


def _delta_sign(scene: Scene) -> Iterator[Slip]:
    """δ = t − o throughout, with w + ηδ… where weights are updated."""
    slopes = {
        name: negated(tree)
        for name, tree in _of_loss(scene, ("loss", "loss-part"), slopes=True).items()
        if split_derivative(name)
    }
    if not any(_is_difference(tree) for tree in slopes.values()):
        return
    updates: dict[str, Expr] = {}
    if scene.plain_descent:
        for name, quantity in scene.quantities.items():
            if quantity.rule == "update" and isinstance(quantity.definition, Sum):
                first, *rest = quantity.definition.terms
                updates[name] = Sum((first, *(negated(term) for term in rest)))
    yield Slip("delta-target-minus-output", next(reversed(slopes)), {**slopes, **updates}, {}, "", True)
