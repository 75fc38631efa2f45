"""Slips in an update: descent, moving averages, bias correction, the root and its epsilon.

A general slip in a formula gets its proper name by what it touches: a left out `eta` is the learning rate.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from derive.check.mistakes.optimizers import every, state
from derive.check.mistakes.scene import Scene, Slip, base_and_step, slip
from derive.check.mistakes.trees import HALF, factors_of, negated, renamed, scaled, terms_of, text, variants
from derive.derivation.chain_rule import Quantity, derivative_name, split_derivative
from derive.derivation.unrolled import UnrolledGraph
from derive.formula.expression import (
    TWO,
    Call,
    Expr,
    Name,
    Negative,
    Product,
    Sum,
    add,
    children,
    multiply,
    names_in,
    number,
    rebuild,
    replace_names,
)

_RATE = re.compile(r"(?:eta|alpha)(?:_new|_[a-z]+|@[0-9]+)*$")
_GRADIENT = re.compile(r"(?:dE?[^/]*/d.+|g_.+)$")
_EPSILON = re.compile(r"epsilon(?:_[a-z]+)?$")
_BETAS = re.compile(r"(beta)([12])(.*)")

Rename = tuple[str, str, Callable[[Scene, str], bool], str]


def _is_rate(scene: Scene, part: str) -> bool:
    return bool(_RATE.match(part))


def _is_gradient(scene: Scene, part: str) -> bool:
    return bool(_GRADIENT.match(part.strip("()")))


def _is_epsilon(scene: Scene, part: str) -> bool:
    return bool(_EPSILON.match(part))


def _is_correction(scene: Scene, part: str) -> bool:
    return part.startswith("1 - beta") and "^" in part


def _is_kept(scene: Scene, part: str) -> bool:
    return part.startswith("1 - ") and "^" not in part


def _is_old(scene: Scene, part: str) -> bool:
    """Whether a part is a parameter or state alone."""
    return part.isidentifier() or ("@" in part and "*" not in part)


def _always(scene: Scene, part: str) -> bool:
    return True


_NAMES: tuple[Rename, ...] = (
    ("factor-left-out", "factor", _is_rate, "rate-left-out"),
    ("division-for-product", "factor", _is_rate, "rate-divides"),
    ("factor-left-out", "factor", _is_kept, "one-minus-beta-left-out"),
    ("factor-left-out", "factor", _is_gradient, "gradient-left-out"),
    ("term-left-out", "term", _is_epsilon, "epsilon-left-out"),
    ("divisor-left-out", "divisor", _is_correction, "bias-correction-left-out"),
    ("product-for-division", "part", _always, "product-for-division"),
    ("power-left-out", "part", lambda scene, part: part.startswith("beta"), "power-of-beta-left-out"),
    ("power-left-out", "part", lambda scene, part: _is_gradient(scene, part.split("^")[0]), "square-left-out"),
)  # fmt: skip


def update(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Everything that can go wrong in one definition of an update."""
    definition = quantity.definition
    if definition is None:
        return
    target = _target(quantity.name)
    moves = len(terms_of(definition)) if _is_step(scene, quantity, definition) else 0
    for mistake, wrong, words in variants(definition):
        name, kind = _named(scene, mistake, words)
        if moves and _goes_back(definition, wrong):
            name = "ascent-for-descent"
        if moves == 2 and wrong in terms_of(definition):
            continue
        unrolled = every(target, name, *words.values()) if isinstance(scene.graph, UnrolledGraph) else ""
        yield slip(name, quantity, wrong, unrolled or (kind and (target, kind)), **words, parameter=target)
    if _is_step(scene, quantity, definition):
        yield from _step(scene, quantity, definition, target)
    yield from _rate(quantity, definition)
    yield from _gradients(scene, quantity, definition)
    yield from _averages(quantity, definition, target)
    yield from _states(scene, quantity, definition)
    yield from _epsilon(quantity, definition)
    yield from state(scene, quantity, target)


def _named(scene: Scene, mistake: str, words: Mapping[str, str]) -> tuple[str, str]:
    """The proper id of a general slip, and its kind: everybody makes these throughout."""
    for general, word, fits, proper in _NAMES:
        if mistake == general and fits(scene, words.get(word, "")):
            return proper, proper
    return mistake, ""


def _target(name: str) -> str:
    """w5 for w5_new and w5@2, m for m_w5_new."""
    return base_and_step(name.removesuffix("_new"))[0]


def _is_step(scene: Scene, quantity: Quantity, definition: Expr) -> bool:
    """Whether a definition is the old parameter plus or minus something."""
    terms = terms_of(definition)
    return len(terms) > 1 and isinstance(terms[0], Name) and _target(terms[0].name) == _target(quantity.name)


def _goes_back(definition: Expr, wrong: Expr) -> bool:
    """Whether one of the steps, and nothing else, has the other sign."""
    terms, others = terms_of(definition)[1:], terms_of(wrong)[1:]
    turned = [(term, other) for term, other in zip(terms, others, strict=False) if term != other]
    same = len(terms) == len(others) and terms_of(definition)[0] == terms_of(wrong)[0]
    return same and len(turned) == 1 and negated(turned[0][0]) == turned[0][1]


def _step(scene: Scene, quantity: Quantity, definition: Expr, target: str) -> Iterator[Slip]:
    """Slips in w - step."""
    old, moves = terms_of(definition)[0], terms_of(definition)[1:]
    words = {"parameter": target}
    if len(moves) == 1 and isinstance(moves[0], Negative):
        yield slip("old-weight-left-out", quantity, moves[0].arg, "all", **words)
        yield slip("old-weight-left-out", quantity, moves[0], "all", **words)
    elif moves:
        yield slip("old-weight-left-out", quantity, add(*moves), "all", **words)
    if len(moves) == 1 and isinstance(moves[0], Negative):
        yield from _another_place(quantity, old, moves[0].arg, target)
    yield slip("not-updated", quantity, old, "all", **words)
    yield slip("step-times-old-weight", quantity, add(old, *(multiply(old, move) for move in moves)), "all", **words)
    for name in dict.fromkeys(names_in(definition)):
        if _is_gradient(scene, name):
            yield slip("gradient-for-update", quantity, Name(name), "all", gradient=name, **words)
            for mistake, times in (("tenfold-step", Fraction(10)), ("tenth-of-step", Fraction(1, 10))):
                slipped = replace_names(definition, {name: scaled(Name(name), times)})
                yield slip(mistake, quantity, slipped, "", gradient=name)
    for other in (*scene.next_weights(target), *scene.next_biases(target)):
        wrong = renamed(definition, {target: other})
        yield slip("wrong-weight", quantity, wrong, "", right=target, used=other)


def _another_place(quantity: Quantity, old: Expr, step: Expr, target: str) -> Iterator[Slip]:
    """Brackets where none belong in w - eta*g, the learning rate at w, twice or half the step."""
    words = {"parameter": target, "part": text(step)}
    yield slip("two-too-many", quantity, Sum((old, Negative(multiply(TWO, step)))), "all", **words)
    yield slip("half-too-many", quantity, Sum((old, Negative(multiply(HALF, step)))), "all", **words)
    factors = factors_of(step)
    if not (len(factors) > 1 and isinstance(factors[0], Name) and _RATE.match(factors[0].name)):
        return
    rate, rest = factors[0], multiply(*factors[1:])
    bracketed = (multiply(Sum((old, Negative(rate))), rest), multiply(rate, Sum((old, Negative(rest)))))
    for way, wrong in enumerate(bracketed):
        yield slip("brackets-put", quantity, wrong, way, formula=text(wrong), **words)
    moved = Sum((multiply(rate, old), Negative(rest)))
    yield slip("rate-at-the-weight", quantity, moved, "all", rate=rate.name, **words)


def _rate(quantity: Quantity, definition: Expr) -> Iterator[Slip]:
    for name in dict.fromkeys(names_in(definition)):
        if _RATE.match(name):
            squared = replace_names(definition, {name: Product((Name(name), Name(name)))})
            yield slip("rate-used-twice", quantity, squared, "all", rate=name)
            if list(names_in(definition)).count(name) > 1:
                without = replace_names(definition, {name: number(1)})
                words = {"factor": name, "parameter": _target(quantity.name)}
                yield slip("rate-left-out", quantity, without, "throughout", **words)
            negative = replace_names(definition, {name: Negative(Name(name))})
            yield slip("ascent-for-descent", quantity, negative, "all", part=name)


def _gradients(scene: Scene, quantity: Quantity, definition: Expr) -> Iterator[Slip]:
    """The gradient of another parameter or of another update."""
    for name in dict.fromkeys(names_in(definition)):
        if not _is_gradient(scene, name):
            continue
        pair = split_derivative(name)
        beside = (*scene.next_weights(pair[1]), *scene.next_biases(pair[1])) if pair else ()
        for other in beside:
            used = derivative_name(pair[0], other) if pair else ""
            yield slip("gradient-of-another-weight", quantity, renamed(definition, {name: used}), "",
                       right=name, used=used)  # fmt: skip
        base, step = base_and_step(name)
        for place in dict.fromkeys((1, step - 1, step + 1)) if step else ():
            used = f"{base}@{place}"
            if place not in (0, step) and scene.quantity(used) is not None:
                kind = "first" if place == 1 else "before" if place < step else ""
                yield slip("gradient-of-another-update", quantity, renamed(definition, {name: used}), kind,
                           right=name, used=used)  # fmt: skip


def _averages(quantity: Quantity, definition: Expr, target: str) -> Iterator[Slip]:
    """β·old + (1 − β)·new with the shares exchanged; β1 and β2 exchanged."""
    terms = terms_of(definition)
    if len(terms) == 2 and all(isinstance(term, Product) and len(term.factors) == 2 for term in terms):
        (kept, old), (rest, new) = (factors_of(term) for term in terms)
        if isinstance(rest, Sum) and kept in set(_deep(rest)):
            turned = Sum((Product((rest, old)), Product((kept, new))))
            yield slip("shares-exchanged", quantity, turned, every(target, "shares"), part=text(kept))
    found = {name: _BETAS.match(name) for name in dict.fromkeys(names_in(definition))}
    names = {name: f"{match[1]}{3 - int(match[2])}{match[3]}" for name, match in found.items() if match}
    if names:
        used = next(iter(names.values()))
        yield slip("betas-exchanged", quantity, renamed(definition, names), "all", right=next(iter(names)), used=used)


def _deep(expr: Expr) -> Iterator[Expr]:
    yield expr
    for part in children(expr):
        yield from _deep(part)


def _states(scene: Scene, quantity: Quantity, definition: Expr) -> Iterator[Slip]:
    """What was carried on from the wrong update: the old state, or the one that everything began with."""
    for name in dict.fromkeys(names_in(definition)):
        base, step = base_and_step(name)
        if name.endswith("_new") and name != quantity.name:
            old = name.removesuffix("_new")
            kind = every("", "new", name)
            yield slip("old-state-used", quantity, renamed(definition, {name: old}), kind, right=name, used=old)
        if not step or _is_gradient(scene, name):
            continue
        for used in dict.fromkeys((base, f"{base}@{step - 1}" if step > 1 else base)):
            if scene.quantity(used) is not None:
                kind = every(base, "start" if used == base else "before", "own" * (_target(quantity.name) == base))
                yield slip("old-state-used", quantity, renamed(definition, {name: used}), kind, right=name, used=used)


def _epsilon(quantity: Quantity, definition: Expr) -> Iterator[Slip]:
    """√v + ε against √(v + ε)."""
    moved = _moved(definition)
    if moved != definition:
        yield replace(slip("epsilon-place", quantity, moved, "all"), convention=True)
    plain = _without_root(definition)
    if plain != definition:
        yield slip("root-left-out", quantity, plain, "root", part=text(definition))


def _moved(expr: Expr) -> Expr:
    match expr:
        case Sum((Call("sqrt", (inside,)), Name(name))) if _EPSILON.match(name):
            return Call("sqrt", (Sum((inside, Name(name))),))
        case Call("sqrt", (Sum((inside, Name(name))),)) if _EPSILON.match(name):
            return Sum((Call("sqrt", (inside,)), Name(name)))
        case _:
            return rebuild(expr, _moved)


def _without_root(expr: Expr) -> Expr:
    return expr.args[0] if isinstance(expr, Call) and expr.function == "sqrt" else rebuild(expr, _without_root)
