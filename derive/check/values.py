"""The full value of a plan, as arrays: nothing is rounded, nothing is enclosed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import numpy as np

from derive.check.enclosure import RISING
from derive.check.plan import (
    Applied,
    Choice,
    Constant,
    Minus,
    Plan,
    Raised,
    Ratio,
    Reference,
    Share,
    Test,
    Times,
    Total,
)
from derive.check.precision import Flags, Floats
from derive.formula.expression import Relation

Values = Mapping[str, Floats]


def value(plan: Plan, env: Values) -> Floats:
    """The value with numbers from `env`; NaN where there is none."""
    match plan:
        case Reference(key):
            return env[key]
        case Constant(number):
            return np.array([[number]])
        case Times(atoms):
            return reduce(np.multiply, (value(atom.plan, env) for atom in atoms))
        case Total(terms):
            return _sum([value(term, env) for term in terms])
        case Minus(arg):
            return -value(arg, env)
        case Ratio(top, bottom):
            return value(top, env) / value(bottom, env)
        case Raised(base, exponent):
            return np.power(value(base, env), value(exponent, env))
        case Applied(function, args, direct):
            return _applied(function, [value(arg, env) for arg in args], direct, env)
        case Share(own, others):
            mine = value(own, env)
            return 1 / (1 + reduce(np.add, (np.exp(value(other, env) - mine) for other in others), np.zeros((1, 1))))
        case Choice(pieces, otherwise):
            found = value(otherwise, env)
            for piece, test in reversed(pieces):
                found = np.where(_holds(test, env), value(piece, env), found)
            return found


def _sum(terms: list[Floats]) -> Floats:
    """Zero where nothing but the noise of binary fractions is left."""
    total = reduce(np.add, terms)
    size = reduce(np.maximum, (abs(term) for term in terms))
    return np.where(abs(total) < 1e-14 * np.minimum(size, 1e290), 0.0, total)


def _applied(function: str, args: list[Floats], direct: Plan | None, env: Values) -> Floats:
    if function in RISING and len(args) == 1:
        return RISING[function](args[0])
    if direct is not None:
        return value(direct, env)
    return _FUNCTIONS[function](args) if function in _FUNCTIONS else np.array([[np.nan]])


_FUNCTIONS: dict[str, Callable[[list[Floats]], Floats]] = {
    "pi": lambda _: np.array([[np.pi]]),
    "sin": lambda args: np.sin(args[0]),
    "cos": lambda args: np.cos(args[0]),
    "abs": lambda args: abs(args[0]),
    "max": lambda args: reduce(np.maximum, args),
    "min": lambda args: reduce(np.minimum, args),
}


def _holds(test: Test, env: Values) -> Flags:
    holds: Flags = _RELATIONS[test.relation](value(test.left, env), value(test.right, env))
    return holds


_RELATIONS: dict[Relation, Callable[[Floats, Floats], Flags]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
}
