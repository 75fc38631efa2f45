"""The quantities of a problem at one choice of its given numbers, each by its definition, in any arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Generic, TypeVar

from derive.check.domains import Leaves
from derive.check.moments import Moments
from derive.derivation.chain_rule import split_derivative
from derive.derivation.evaluator import Evaluator, Numbers
from derive.formula.expression import Expr, children, names_in
from derive.numbers.exact import Arithmetic, Interval, NotEnoughDigits, Real, Undefined
from derive.worked import WorkedExample

MOST_NAMES = 4000
MOST_NODES = 40_000
"""A formula that hangs on more is not compared by numbers: 50 ms are soon over."""

T = TypeVar("T")


class TooLarge(Exception):
    """The comparison would take too long; says why, by the key of a sentence."""


class World:
    """The definitions of a problem whose given parameters are those after `start` updates."""

    def __init__(self, example: WorkedExample, start: int = 0) -> None:
        self.example = example
        self.leaves = Leaves(example, start)
        self.moments = Moments(example.derivation, start)
        self._parts: dict[str, tuple[str, ...]] = {}
        self._nodes: dict[str, int] = {}
        self._whole = lru_cache(maxsize=64)(lambda names: self._in_order(names, lambda _: False))

    def definition(self, name: str) -> Expr | None:
        """What a quantity is; None for what is given."""
        if name == "eta" or name in self.example.problem.given:
            return None
        return self.moments.definition(name)

    def is_forward(self, name: str) -> bool:
        """Whether a name is a step of the forward pass."""
        base, step = self.moments.split(name)
        is_step = split_derivative(base) is None and not (step and self.example.derivation.is_carried(base))
        return is_step and self.definition(name) is not None

    def parts(self, name: str) -> tuple[str, ...]:
        """The names in a definition, each once."""
        if name not in self._parts:
            definition = self.definition(name)
            self._parts[name] = () if definition is None else tuple(dict.fromkeys(names_in(definition)))
            self._nodes[name] = 0 if definition is None else size(definition)
        return self._parts[name]

    def needed(self, names: Iterable[str], *, atoms: Callable[[str], bool] | None = None) -> tuple[str, ...]:
        """All quantities that these hang on and they themselves, each behind what it hangs on.

        Those that are `atoms` are not looked into.  Raises TooLarge.
        """
        asked = tuple(dict.fromkeys(names))
        return self._whole(asked) if atoms is None else self._in_order(asked, atoms)

    def _in_order(self, names: tuple[str, ...], atoms: Callable[[str], bool]) -> tuple[str, ...]:
        order: dict[str, None] = {}
        opened: set[str] = set()
        nodes = 0
        stack = list(names)
        while stack:
            name = stack[-1]
            if name in order or name in opened:
                stack.pop()
                order.setdefault(name)
                continue
            opened.add(name)
            if atoms(name):
                continue
            stack.extend(part for part in self.parts(name) if part not in order)
            nodes += self._nodes[name]
            if len(opened) > MOST_NAMES or nodes > MOST_NODES:
                raise TooLarge("too-many")
        return tuple(order)


def size(expr: Expr) -> int:
    """How many nodes a tree has."""
    count, stack = 0, [expr]
    while stack:
        count += 1
        stack.extend(children(stack.pop()))
    return count


class Point(Generic[T]):
    """Values of quantities; a quantity that has none there is undefined, and so is what hangs on it.

    given        the number of each leaf; raises Undefined where there is none
    definitions  what takes the place of a quantity's own definition
    """

    def __init__(
        self,
        world: World,
        numbers: Numbers[T],
        given: Callable[[str], T],
        *,
        atoms: Callable[[str], bool] = lambda _: False,
        evaluator: type[Evaluator[T]] = Evaluator,
    ) -> None:
        self._world = world
        self._numbers = numbers
        self._given = given
        self._atoms = atoms
        self._evaluator = evaluator
        self._found: dict[str, T | None] = {}

    def fill(self, names: Iterable[str]) -> None:
        """Evaluate quantities, each after what it hangs on."""
        for name in names:
            if name not in self._found:
                self._found[name] = self._evaluated(name)

    def _evaluated(self, name: str) -> T | None:
        definition = None if self._atoms(name) else self._world.definition(name)
        try:
            return self._given(name) if definition is None else self.value(definition)
        except Undefined:
            return None

    def known(self, name: str) -> T:
        """The value of a quantity that has been filled; raises Undefined."""
        value = self._found[name]
        if value is None:
            raise Undefined(name)
        return value

    def value(self, expr: Expr) -> T:
        """The value of a tree in quantities that have been filled; raises Undefined."""
        try:
            return self._evaluator(self._numbers, self.known).value(expr)
        except (NotEnoughDigits, ArithmeticError, ValueError) as error:
            raise Undefined(str(error)) from error

    def changed(self, definitions: Mapping[str, Expr], order: Iterable[str], affected: Collection[str]) -> Point[T]:
        """The same point with other definitions, only what hangs on them evaluated again."""
        other = Point(self._world, self._numbers, self._given, evaluator=self._evaluator)
        other._found = {name: value for name, value in self._found.items() if name not in affected}
        for name in order:
            if name in other._found:
                continue
            try:
                definition = definitions.get(name) or self._world.definition(name)
                other._found[name] = other._given(name) if definition is None else other.value(definition)
            except Undefined:
                other._found[name] = None
        return other


class Strict(Evaluator[Real]):
    """A product in which every factor must have a value: 0·(1/0) has none."""

    def _product(self, factors: tuple[Expr, ...]) -> Real:
        total = self.value(factors[0])
        for factor in factors[1:]:
            total = self._numbers.multiply(total, self.value(factor))
        return total


class Sample(Point[Real]):
    """A point in enclosures, with what was seen at each quantity."""

    def __init__(self, world: World, digits: int, given: Callable[[str], Real], *, own: bool = False) -> None:
        self.watch = Watched(digits)
        super().__init__(world, self.watch, given)
        self.own = own
        self.sides: dict[str, tuple[int, ...]] = {}
        self.faint: set[str] = set()

    def answer(self, expr: Expr) -> Real:
        """The value of what somebody wrote; raises Undefined.  What was seen on the way is in `watch`."""
        self.watch.start()
        try:
            return (Evaluator if self.own else Strict)(self.watch, self.known).value(expr)
        except (NotEnoughDigits, ArithmeticError, ValueError) as error:
            raise Undefined(str(error)) from error

    def shows(self, names: Iterable[str]) -> bool:
        """Whether nothing was too small to be seen, in the answer and in these quantities."""
        return not self.watch.faint and self.faint.isdisjoint(names)

    def _evaluated(self, name: str) -> Real | None:
        self.watch.start()
        value = super()._evaluated(name)
        self.sides[name] = tuple(self.watch.sides)
        if self.watch.faint:
            self.faint.add(name)
        return value


class Watched(Arithmetic):
    """Enclosures that also say what they saw on the way.

    faint  something was added, or a function taken, that is too small to be seen in the result: numbers that agree
           there prove little
    sides  on which side of each kink the arguments were
    """

    def __init__(self, digits: int) -> None:
        super().__init__(digits)
        self.start()

    def start(self) -> None:
        self.faint = False
        self.sides: list[int] = []

    def constant(self, value: Fraction) -> Real:
        return value

    def add(self, a: Real, b: Real) -> Real:
        if a != 0 and b != 0:
            far = _magnitude(a) - _magnitude(b)
            self.faint |= abs(far) > _FAINT
        return super().add(a, b)

    def power(self, base: Real, exponent: Real) -> Real:
        self._look(exponent)
        return super().power(base, exponent)

    def function(self, name: str, args: object) -> Real:
        assert isinstance(args, list)
        for arg in args:
            self._look(arg)
        if name in ("max", "min"):
            self.sides.extend(self._side(args[0], other) for other in args[1:])
        elif name == "abs":
            self.sides.append(self._side(args[0], Fraction(0)))
        elif name == "erf" and _magnitude(args[0]) >= 1:
            self.faint = True
        return super().function(name, args)

    def compare(self, a: Real, b: Real) -> int:
        sign = super().compare(a, b)
        self.sides.append(sign)
        return sign

    def _side(self, a: Real, b: Real) -> int:
        try:
            return super().compare(a, b)
        except NotEnoughDigits:
            return 0

    def _look(self, value: Real) -> None:
        self.faint |= value != 0 and _magnitude(value) < -_FAINT


_FAINT = 20


def _magnitude(value: Real) -> int:
    """The power of ten of the larger bound; far below every other for zero."""
    if isinstance(value, Interval):
        size = max(value.lo.copy_abs(), value.hi.copy_abs())
        return size.adjusted() if size and size.is_finite() else -(10**9) if not size else 10**9
    if not value:
        return -(10**9)
    bits = value.numerator.bit_length() - value.denominator.bit_length()
    return round(bits * math.log10(2))
