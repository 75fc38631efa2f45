"""A formula of the grammar as a number, for a witness: a walk of its own over the tree."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from derive.catalogue.activations import BY_FUNCTION
from derive.formula.expression import (
    Call,
    Cases,
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
)
from derive.verify.arithmetic import Arithmetic

Lookup = Callable[[str], Any]

_CALLS: Mapping[str, Callable[..., Any]] = {
    "exp": lambda f, z: f.exp(z), "ln": lambda f, z: f.log(z), "log": lambda f, z: f.log(z),
    "sqrt": lambda f, z: f.sqrt(z), "abs": lambda _, z: abs(z), "sin": lambda f, z: f.sin(z),
    "cos": lambda f, z: f.cos(z), "erf": lambda f, z: f.erf(z), "pi": lambda f: +f.pi,
    "max": lambda _, *args: max(args), "min": lambda _, *args: min(args),
}  # fmt: skip
_RELATIONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
}  # fmt: skip


def evaluated(expr: Expr, lookup: Lookup, arithmetic: Arithmetic) -> Any:
    """The value of a tree; raises one of `FAILURES` outside of its domain, KeyError for a name without a number."""

    def walk(part: Expr) -> Any:
        match part:
            case Name(name):
                return lookup(name)
            case Number(value):
                return arithmetic.number(value)
            case Sum() | Series():
                return sum(map(walk, children(part)))
            case Product(factors):
                return _product(factors, walk)
            case Negative(arg):
                return -walk(arg)
            case Quotient(top, bottom):
                return walk(top) / walk(bottom)
            case Power(base, exponent):
                return _power(walk(base), walk(exponent))
            case Cases(pieces, otherwise):
                return walk(next((value for value, test in pieces if holds(test)), otherwise))
            case Call(function, args):
                return _call(function, [walk(arg) for arg in args], arithmetic)

    def holds(test: Any) -> bool:
        return _RELATIONS[test.relation](walk(test.left), walk(test.right))

    return walk(expr)


def _product(factors: tuple[Expr, ...], walk: Callable[[Expr], Any]) -> Any:
    """A factor of 0 that is written as a number decides: 0 · ln 0 is 0."""
    if any(isinstance(factor, Number) and not factor.value for factor in factors):
        return 0.0
    return reduce(operator.mul, map(walk, factors))


def _power(base: Any, exponent: Any) -> Any:
    whole = int(exponent) if exponent == int(exponent) else exponent
    if base < 0 and whole is exponent:
        raise ValueError("a root of a negative number")
    return base**whole


def _call(function: str, args: list[Any], arithmetic: Arithmetic) -> Any:
    known = _CALLS.get(function)
    if known:
        return known(arithmetic.functions, *args)
    row = BY_FUNCTION[function]
    parameters = {key: value for (key, _), value in zip(row.parameters, args[1:], strict=True)}
    return arithmetic.scalars[row.name](arithmetic.functions, args[0], parameters)
