"""A mistake made in every one of very many updates: the run of them, in plain binary arithmetic."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from derive.catalogue.activations import BY_FUNCTION
from derive.check.keys import Names
from derive.derivation.evaluator import HOLDS, formula
from derive.errors import DeriveError
from derive.formula.expression import (
    Call,
    Cases,
    Condition,
    Expr,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Series,
    Sum,
    children,
    names_in,
    replace_names,
)
from derive.numbers.exact import Undefined

MOST_WORKED_OUT = 800_000
"""A run of more definitions, counted over all its updates, is not worked out."""

Env = dict[str, float]
Computed = Callable[[Env], float]

_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "exp": math.exp, "ln": math.log, "sqrt": math.sqrt, "abs": abs, "max": max, "min": min,
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "tanh": math.tanh,
}  # fmt: skip


def after_run(names: Names, places: Sequence[tuple[str, int]], instead: Mapping[str, Expr]) -> list[float]:
    """Quantities after so many updates, with other definitions in each of them; empty where that cannot be.

    places   each the canonical name and the number of updates before it
    instead  the definitions that take the place of a quantity's own
    """
    try:
        run = _Run(names, instead)
        steps = sorted({step for _, step in places})
        if steps[-1] * run.size > MOST_WORKED_OUT:
            return []
        found: dict[tuple[str, int], float] = {}
        for step in steps:
            run.go_on(step)
            found |= {(name, step): run.value(name) for name, at in places if at == step}
    except (KeyError, DeriveError, Undefined, ArithmeticError, ValueError):
        return []
    return [found[place] for place in places]


class _Run:
    """The parameters, moved on update by update."""

    def __init__(self, names: Names, instead: Mapping[str, Expr]) -> None:
        self._derivation, self._instead = names.example.derivation, instead
        remembered = self._derivation.remembered()
        given = names.example.values
        self._env = {name: value for name in given.given if (value := given.double(name)) is not None}
        self._known = frozenset(self._env)
        self._carried = [(name, f"{name}_new") for name in remembered]
        self._steps = self._order([new for _, new in self._carried])
        self._step = 0
        self.size = len(self._steps)

    def go_on(self, step: int) -> None:
        """Up to that many updates."""
        steps, carried, env = self._steps, self._carried, self._env
        while self._step < step:
            for name, compute in steps:
                env[name] = compute(env)
            for name, new in carried:
                env[name] = env[new]
            self._step += 1

    def value(self, name: str) -> float:
        """The quantity, with the parameters as they are."""
        env = dict(self._env)
        for each, compute in self._order([name]):
            env[each] = compute(env)
        return env[name]

    def _order(self, wanted: Sequence[str]) -> list[tuple[str, Computed]]:
        """What has to be worked out, one after the other; raises KeyError where something has no number."""
        done: dict[str, Expr | None] = {}
        stack = [(name, False) for name in reversed(wanted)]
        while stack:
            name, ready = stack.pop()
            if ready or name in done:
                done.setdefault(name, self._definition(name))
                continue
            stack.append((name, True))
            definition = self._definition(name)
            stack += [(part, False) for part in names_in(definition) if part not in done] if definition else ()
        return [(name, _computed(tree)) for name, tree in done.items() if tree is not None]

    def _definition(self, name: str) -> Expr | None:
        if name in self._instead:
            return self._instead[name]
        if name in self._known:
            return None
        definition = self._derivation.quantity(name).definition
        if definition is None:
            raise KeyError(name)
        return definition


def _computed(expr: Expr) -> Computed:
    """What computes a tree; raises KeyError for a function that has no table row."""
    match expr:
        case Name(name):
            return operator.itemgetter(name)
        case Number(value):
            constant = float(value)
            return lambda _: constant
        case Call(function, args) if (row := BY_FUNCTION.get(function)) is not None:
            names = ("z", *(name for name, _ in row.parameters))
            body = formula(row.numeric or row.formula, names)
            return _computed(replace_names(body, dict(zip(names, args, strict=True))))
        case Cases(pieces, otherwise):
            tests = [(_test(test), _computed(value)) for value, test in pieces]
            last = _computed(otherwise)
            return lambda env: next((value for holds, value in tests if holds(env)), last)(env)
    parts = [_computed(part) for part in children(expr)]
    return _folded(expr, parts)


def _folded(expr: Expr, parts: Sequence[Computed]) -> Computed:
    first, second = parts[0], parts[-1]
    match expr:
        case Negative():
            return lambda env: -first(env)
        case Quotient():
            return lambda env: first(env) / second(env)
        case Power():
            return lambda env: first(env) ** second(env)
        case Sum() | Series():
            if len(parts) == 2:
                return lambda env: first(env) + second(env)
            return lambda env: math.fsum(part(env) for part in parts)
        case Product():
            if len(parts) == 2:
                return lambda env: first(env) * second(env)
            return lambda env: reduce(operator.mul, [part(env) for part in parts])
        case Call(function):
            apply = _FUNCTIONS[function]
            return lambda env: apply(*(part(env) for part in parts))
    raise KeyError(type(expr).__name__)


def _test(test: Condition) -> Callable[[Env], bool]:
    left, right, holds = _computed(test.left), _computed(test.right), HOLDS[test.relation]

    def found(env: Env) -> bool:
        one, other = left(env), right(env)
        return holds((one > other) - (one < other))

    return found
