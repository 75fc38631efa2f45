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
    return _VALUE[type(plan)](plan, env)


def _times(plan: Times, env: Values) -> Floats:
    return reduce(np.multiply, [value(atom.plan, env) for atom in plan.atoms])


def _share(plan: Share, env: Values) -> Floats:
    mine = value(plan.own, env)
    others = (np.exp(value(other, env) - mine) for other in plan.others)
    return 1 / (1 + reduce(np.add, others, np.zeros((1, 1))))


def _choice(plan: Choice, env: Values) -> Floats:
    found = value(plan.otherwise, env)
    for piece, test in reversed(plan.pieces):
        found = np.where(_holds(test, env), value(piece, env), found)
    return found


def _sum(terms: list[Floats]) -> Floats:
    """Zero where nothing but the noise of binary fractions is left."""
    total = reduce(np.add, terms)
    size = reduce(np.maximum, (abs(term) for term in terms))
    return np.where(abs(total) < 1e-14 * np.minimum(size, 1e290), 0.0, total)


def is_direct(plan: Applied) -> bool:
    """Whether a function is evaluated as it is, not by a formula."""
    return plan.function in RISING and len(plan.args) == 1


def _applied(plan: Applied, env: Values) -> Floats:
    if is_direct(plan):
        return RISING[plan.function](value(plan.args[0], env))
    if plan.direct is not None:
        return value(plan.direct, env)
    if plan.function not in _FUNCTIONS:
        return np.array([[np.nan]])
    return _FUNCTIONS[plan.function]([value(arg, env) for arg in plan.args])


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

_VALUE: dict[type, Callable[..., Floats]] = {
    Reference: lambda plan, env: env[plan.key],
    Constant: lambda plan, _: np.array([[plan.value]]),
    Times: _times,
    Total: lambda plan, env: _sum([value(term, env) for term in plan.terms]),
    Minus: lambda plan, env: -value(plan.arg, env),
    Ratio: lambda plan, env: value(plan.top, env) / value(plan.bottom, env),
    Raised: lambda plan, env: np.power(value(plan.base, env), value(plan.exponent, env)),
    Applied: _applied,
    Share: _share,
    Choice: _choice,
}
