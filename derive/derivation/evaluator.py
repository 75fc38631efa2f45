"""The value of a tree, in any arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Generic, Protocol, TypeVar

from derive.catalogue.activations import BY_FUNCTION
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
)
from derive.formula.grammar import read

T = TypeVar("T")


class Numbers(Protocol[T]):
    """The arithmetic that a tree is evaluated in."""

    def constant(self, value: Fraction) -> T: ...
    def add(self, a: T, b: T) -> T: ...
    def negate(self, value: T) -> T: ...
    def multiply(self, a: T, b: T) -> T: ...
    def divide(self, a: T, b: T) -> T: ...
    def power(self, base: T, exponent: T) -> T: ...
    def function(self, name: str, args: list[T]) -> T: ...
    def softmax(self, own: T, others: list[T]) -> T: ...
    def compare(self, a: T, b: T) -> int: ...


@cache
def formula(text: str, names: tuple[str, ...]) -> Expr:
    """A formula of the catalogue."""
    return read(text, names=set(names))


HOLDS: dict[str, Callable[[int], bool]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
    "==": lambda sign: sign == 0,
}


class Evaluator(Generic[T]):
    """One walk over a tree in one arithmetic; `lookup` gives the value of a name."""

    def __init__(self, numbers: Numbers[T], lookup: Callable[[str], T]) -> None:
        self._numbers = numbers
        self._lookup = lookup

    def value(self, expr: Expr) -> T:
        """The value; raises Undefined, or what `lookup` raises."""
        numbers = self._numbers
        match expr:
            case Name(name):
                return self._lookup(name)
            case Number(value):
                return numbers.constant(value)
            case Product(factors):
                return self._product(factors)
            case Sum() | Series():
                terms = iter(expr.terms) if isinstance(expr, Sum) else map(expr.term, range(1, expr.count + 1))
                total = self.value(next(terms))
                for term in terms:
                    total = numbers.add(total, self.value(term))
                return total
            case Negative(arg):
                return numbers.negate(self.value(arg))
            case Quotient(top, bottom):
                nets = exponents(top, bottom)
                if nets:
                    return numbers.softmax(self.value(nets[0]), [self.value(net) for net in nets[1:]])
                return numbers.divide(self.value(top), self.value(bottom))
            case Power(base, exponent):
                return numbers.power(self.value(base), self.value(exponent))
            case Call(function, args):
                return self._call(function, args)
            case Cases(pieces, otherwise):
                return self.value(next((value for value, test in pieces if self.holds(test)), otherwise))

    def _product(self, factors: tuple[Expr, ...]) -> T:
        """An exact zero decides the product before a factor is asked that may be undefined (0 · ln 0)."""
        total = self.value(factors[0])
        for factor in factors[1:]:
            if isinstance(total, Fraction) and not total:
                return total
            total = self._numbers.multiply(total, self.value(factor))
        return total

    def holds(self, test: Condition) -> bool:
        return HOLDS[test.relation](self._numbers.compare(self.value(test.left), self.value(test.right)))

    def _call(self, function: str, args: tuple[Expr, ...]) -> T:
        values = [self.value(arg) for arg in args]
        row = BY_FUNCTION.get(function)
        if row is None:
            return self._numbers.function(function, values)
        names = ("z", *(name for name, _ in row.parameters))
        bound = dict(zip(names, values, strict=True))
        return Evaluator(self._numbers, bound.__getitem__).value(formula(row.numeric or row.formula, names))


def exponents(top: Expr, bottom: Expr) -> tuple[Expr, ...]:
    """(own, others…) for exp(own) / (exp(own) + exp(…) + …), evaluated by differences: equal ones give exactly 1/n."""
    if not (isinstance(top, Call) and top.function == "exp" and isinstance(bottom, Sum) and top in bottom.terms):
        return ()
    others = list(bottom.terms)
    others.remove(top)
    inside = [term.args[0] for term in others if isinstance(term, Call) and term.function == "exp"]
    return (top.args[0], *inside) if len(inside) == len(others) else ()
