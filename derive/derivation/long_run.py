"""Long runs of updates, in plain decimal arithmetic: each definition becomes a function once, and is called each time.

The operations are those of `derive.derivation.evaluator`, in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import reduce

from derive.catalogue.activations import BY_FUNCTION
from derive.derivation.chain_rule import Derivation
from derive.derivation.evaluator import HOLDS, exponents, formula
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
)
from derive.numbers.exact import Arithmetic, Interval, Real, Undefined

MOST_EXPONENT = 1_000_000
"""Whole exponents below are powers; of larger ones the logarithm is taken."""

Computed = Callable[[], Decimal]


class Decimals:
    """Plain decimal arithmetic of 50 digits, for long runs of updates."""

    def __init__(self, digits: int = 50) -> None:
        self._context = Context(prec=digits, rounding=ROUND_HALF_EVEN, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
        self._enclosing = Arithmetic(digits)
        self._constants: dict[Fraction, Decimal] = {}

    def constant(self, value: Fraction) -> Decimal:
        found = self._constants.get(value)
        if found is None:
            found = self._context.divide(Decimal(value.numerator), Decimal(value.denominator))
            self._constants[value] = found
        return found

    def add(self, a: Decimal, b: Decimal) -> Decimal:
        return self._context.add(a, b)

    def negate(self, value: Decimal) -> Decimal:
        return value.copy_negate()

    def multiply(self, a: Decimal, b: Decimal) -> Decimal:
        return self._context.multiply(a, b)

    def divide(self, a: Decimal, b: Decimal) -> Decimal:
        if not b:
            raise Undefined("division by zero")
        return self._context.divide(a, b)

    def power(self, base: Decimal, exponent: Decimal) -> Decimal:
        whole = exponent == exponent.to_integral_value()
        if whole and 0 < exponent < MOST_EXPONENT:
            return self._context.power(base, exponent)
        exact = Fraction(exponent) if whole and abs(exponent) < 400 else None
        return self.middle(self._enclosing.power(Interval(base, base), exact or Interval(exponent, exponent)))

    def function(self, name: str, args: list[Decimal]) -> Decimal:
        if name == "exp":
            return self._context.exp(args[0])
        if name == "sqrt" and args[0] >= 0:
            return self._context.sqrt(args[0])
        if name in ("max", "min"):
            return max(args) if name == "max" else min(args)
        return self.middle(self._enclosing.function(name, [Interval(arg, arg) for arg in args]))

    def softmax(self, own: Decimal, others: list[Decimal]) -> Decimal:
        total = Decimal(1)
        for other in others:
            total = self.add(total, self._context.exp(self._context.subtract(other, own)))
        return self._context.divide(Decimal(1), total)

    def compare(self, a: Decimal, b: Decimal) -> int:
        return int(a.compare(b))

    def middle(self, value: Real) -> Decimal:
        """One number for an enclosure."""
        if isinstance(value, Fraction):
            return self.constant(value)
        return self._context.divide(self._context.add(value.lo, value.hi), Decimal(2))


class Run:
    """The values of a derivation at given numbers, which `update` moves one step on.

    instead   definitions that take the place of a quantity's own
    digits    so many are carried
    """

    def __init__(
        self,
        derivation: Derivation,
        given: Mapping[str, Real],
        step: int = 0,
        *,
        instead: Mapping[str, Expr] | None = None,
        digits: int = 50,
    ) -> None:
        self.step = step
        self._derivation = derivation
        self._instead = instead or {}
        self._numbers = Decimals(digits)
        self._given = {name: self._numbers.middle(value) for name, value in given.items()}
        self._found = dict(self._given)
        self._compiled: dict[str, Computed] = {}
        self._remembered = derivation.remembered()

    @property
    def size(self) -> int:
        """How many definitions have been worked out so far: about what an update costs."""
        return len(self._compiled)

    def value(self, name: str) -> Decimal:
        """The value of a quantity; raises Undefined."""
        if name not in self._found:
            if name not in self._compiled:
                self._compiled[name] = self._computed(name)
            self._found[name] = self._compiled[name]()
        return self._found[name]

    def _computed(self, name: str) -> Computed:
        definition = self._instead.get(name, self._derivation.quantity(name).definition)
        return self._known(name) if definition is None else self._function(definition, self._reader)

    def _known(self, name: str) -> Computed:
        """A number or a counter of the update rule."""

        def read() -> Decimal:
            known = self._derivation.known(name, self.step)
            assert known is not None
            return self._numbers.constant(known.value)

        return read

    def update(self) -> None:
        """Every parameter at once, and every state, takes its new value."""
        self._given |= {name: self.value(f"{name}_new") for name in self._remembered}
        self.step += 1
        self._found.clear()
        self._found.update(self._given)

    # --- from trees to functions -------------------------------------------------------------------------------

    def _reader(self, name: str) -> Computed:
        known, value = self._found.get, self.value

        def read() -> Decimal:
            found = known(name)
            return value(name) if found is None else found

        return read

    def _function(self, expr: Expr, reader: Callable[[str], Computed]) -> Computed:
        """What computes a tree; `reader` gives what reads a name."""
        numbers = self._numbers
        match expr:
            case Name(name):
                return reader(name)
            case Number(value):
                constant = numbers.constant(value)
                return lambda: constant
            case Sum() | Series():
                return _folded(numbers.add, [self._function(term, reader) for term in children(expr)])
            case Product(factors):
                return _folded(numbers.multiply, [self._function(factor, reader) for factor in factors])
            case Cases():
                return self._cases(expr, reader)
            case Call(name, args) if name in BY_FUNCTION:
                return self._activation(name, [self._function(arg, reader) for arg in args])
            case Quotient(top, bottom) if nets := exponents(top, bottom):
                own, *others = (self._function(net, reader) for net in nets)
                return lambda: numbers.softmax(own(), [other() for other in others])
        parts = [self._function(part, reader) for part in children(expr)]
        match expr:
            case Negative():
                return lambda: numbers.negate(parts[0]())
            case Quotient():
                return lambda: numbers.divide(parts[0](), parts[1]())
            case Power():
                return lambda: numbers.power(parts[0](), parts[1]())
            case Call(name):
                return lambda: numbers.function(name, [part() for part in parts])

    def _cases(self, expr: Cases, reader: Callable[[str], Computed]) -> Computed:
        pieces = [(self._function(value, reader), self._test(test, reader)) for value, test in expr.pieces]
        otherwise = self._function(expr.otherwise, reader)
        return lambda: next((value for value, holds in pieces if holds()), otherwise)()

    def _test(self, test: Condition, reader: Callable[[str], Computed]) -> Callable[[], bool]:
        left, right, holds = self._function(test.left, reader), self._function(test.right, reader), HOLDS[test.relation]
        return lambda: holds(self._numbers.compare(left(), right()))

    def _activation(self, name: str, args: list[Computed]) -> Computed:
        row = BY_FUNCTION[name]
        names = ("z", *(name for name, _ in row.parameters))
        bound: dict[str, Decimal] = {}
        body = self._function(formula(row.numeric or row.formula, names), lambda name: lambda: bound[name])

        def compute() -> Decimal:
            values = [arg() for arg in args]
            bound.update(zip(names, values, strict=True))
            return body()

        return compute


def _folded(operation: Callable[[Decimal, Decimal], Decimal], parts: list[Computed]) -> Computed:
    if len(parts) == 2:
        first, second = parts
        return lambda: operation(first(), second())
    return lambda: reduce(operation, [part() for part in parts])
