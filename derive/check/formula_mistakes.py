"""Mistakes in formulas: which exchanged definition gives the same numbers, tried in doubles at a few points."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

from derive.check.equality import KEPT, Bench
from derive.check.model import Mistake, Mutant
from derive.check.points import Point, TooLarge, World
from derive.formula.expression import Expr, names_in
from derive.numbers.exact import Undefined

_PLACES = range(3)
_AGREES = 1e-9
_MOST_KEPT = 200_000


_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "exp": math.exp, "ln": math.log, "sqrt": math.sqrt, "abs": abs, "sin": math.sin, "cos": math.cos,
    "erf": math.erf, "max": max, "min": min, "pi": lambda: math.pi,
}  # fmt: skip


class Doubles:
    """Arithmetic in doubles; what is no real number, or too large, raises ArithmeticError or ValueError."""

    def constant(self, value: Fraction) -> float:
        return float(value)

    def add(self, a: float, b: float) -> float:
        return a + b

    def negate(self, value: float) -> float:
        return -value

    def multiply(self, a: float, b: float) -> float:
        return a * b

    def divide(self, a: float, b: float) -> float:
        return a / b

    def power(self, base: float, exponent: float) -> float:
        return math.pow(base, exponent)

    def function(self, name: str, args: list[float]) -> float:
        return _FUNCTIONS[name](*args)

    def softmax(self, own: float, others: list[float]) -> float:
        return 1 / (1 + math.fsum(math.exp(other - own) for other in others))

    def compare(self, a: float, b: float) -> int:
        return (a > b) - (a < b)


class Trials:
    """What the mistakes of a problem give at a few points, each worked out once."""

    def __init__(self, bench: Bench) -> None:
        self._world: World = bench.world
        self._points: dict[int, Point[float]] = {}
        self._results: dict[tuple[int, str, int], float | None] = {}
        self._kept: dict[int, Mutant] = {}
        self._affected = lru_cache(maxsize=4096)(self._find_affected)

    def mistake(self, expr: Expr, asked: str, mutants: Sequence[Mutant], *, own: bool) -> Mistake | None:
        """The likeliest mistake that the formula shows, with every other one; None where none does.

        A quantity that the formula names is the right one: a mistake hidden behind it comes in question only where
        there is no other.

        own  the formula holds numbers of the problem, so that only these count

        Raises TooLarge.
        """
        places = (-1,) if own else tuple(_PLACES)
        needed = self._world.needed((*names_in(expr), asked))
        yours = {place: self._of(expr, place, needed) for place in places}
        if None in yours.values():
            return None
        named = frozenset(names_in(expr)) - {asked}
        fitting = [mutant for mutant in mutants if self._fits(mutant, asked, yours, None)]
        open_ones = [mutant for mutant in fitting if self._fits(mutant, asked, yours, named)]
        return _mistake(sorted(open_ones or fitting, key=lambda mutant: -mutant.likelihood))

    def _fits(
        self, mutant: Mutant, asked: str, yours: Mapping[int, float | None], right: frozenset[str] | None
    ) -> bool:
        """Whether the mistake gives the same numbers; with the quantities that are `right` all the same, if any."""
        for place, value in yours.items():
            if right is None:
                theirs = self._result(mutant, asked, place)
            else:
                theirs = self._tried(mutant, asked, place, right)
            if theirs is None or value is None or not math.isclose(theirs, value, rel_tol=_AGREES):
                return False
        return True

    def _of(self, expr: Expr, place: int, needed: Iterable[str]) -> float | None:
        point = self._point(place)
        point.fill(needed)
        try:
            return point.value(expr)
        except Undefined:
            return None

    def _point(self, place: int) -> Point[float]:
        if place not in self._points:
            self._points[place] = Point(self._world, Doubles(), lambda name: self._given(name, place))
        return self._points[place]

    def _given(self, name: str, place: int) -> float:
        leaves = self._world.leaves
        value = leaves.own(name) if place < 0 else leaves.drawn(name, place)
        if value is None:
            raise Undefined(name)
        return float(value)

    def _result(self, mutant: Mutant, asked: str, place: int) -> float | None:
        key = (id(mutant), asked, place)
        if key not in self._results:
            if len(self._results) > _MOST_KEPT:
                self._results.clear()
                self._kept.clear()
            self._kept[id(mutant)] = mutant
            self._results[key] = self._tried(mutant, asked, place)
        return self._results[key]

    def _tried(self, mutant: Mutant, asked: str, place: int, right: frozenset[str] = frozenset()) -> float | None:
        """The value of what was asked under the mistake; None where the mistake does not reach it.

        right  quantities that are right all the same
        """
        affected = self._affected(asked, tuple(mutant.definitions), right)
        if not affected:
            return None
        extra = [name for definition in mutant.definitions.values() for name in names_in(definition)]
        try:
            order = self._world.needed([asked, *extra])
        except (TooLarge, KeyError):
            return None
        point = self._point(place)
        point.fill(order)
        changed = point.changed(mutant.definitions, affected, frozenset(affected))
        try:
            return changed.known(asked)
        except Undefined:
            return None

    def _find_affected(self, asked: str, exchanged: tuple[str, ...], right: frozenset[str]) -> tuple[str, ...]:
        """What hangs on the exchanged definitions, in order, where that includes what was asked."""
        reached: dict[str, None] = {}
        for name in self._world.needed((asked,)):
            touched = name in exchanged or any(part in reached for part in self._world.parts(name))
            if touched and name not in right:
                reached[name] = None
        return tuple(reached) if asked in reached else ()


def _mistake(fitting: Sequence[Mutant]) -> Mistake | None:
    distinct = {(mutant.id, mutant.message): mutant for mutant in reversed(fitting)}
    found = [
        Mistake(mutant.id, mutant.message, certain=len(distinct) == 1, step=mutant.step, convention=mutant.convention)
        for mutant in reversed(distinct.values())
    ]
    if not found:
        return None
    first, *others = found
    return Mistake(first.id, first.message, first.certain, tuple(others), first.step, first.convention)


@lru_cache(maxsize=KEPT)
def trials_of(bench: Bench) -> Trials:
    """The trials on a bench, kept as long as it is."""
    return Trials(bench)
