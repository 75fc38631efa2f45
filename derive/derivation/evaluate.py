"""Numbers for a derivation: exact while they can be, correctly rounded where they are shown.

Every quantity is evaluated from its own definition.  Values that are not rational are enclosures; where an enclosure
does not decide a digit, the same definitions are evaluated again with twice the digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cache
from typing import TypeVar

from derive.derivation.chain_rule import Derivation
from derive.derivation.evaluator import Evaluator
from derive.derivation.long_run import Run
from derive.errors import DeriveError
from derive.formula.expression import Condition, Expr, is_plain, names_in
from derive.numbers.exact import Arithmetic, Interval, NotEnoughDigits, Real, Undefined
from derive.numbers.rounding import Rounding, nearest_double, show_real

PRECISIONS = (40, 80, 160, 320, 640, 1280)
"""Digits carried, until a digit is decided; a value that agrees with a tie to the last of these is the tie."""

MOST_PLACES = 4000
"""Numbers beyond this power of ten are refused."""

ENCLOSED_STEPS = 20
"""So many updates are enclosed rigorously; after them the parameters are carried with 50 digits."""

T = TypeVar("T")


class Symbolic(Exception):
    """The value hangs on a name without a number."""


class _Missing(Exception):
    """The value hangs on a name that has not been evaluated yet."""

    def __init__(self, name: str) -> None:
        self.name = name


class Enclosed(Arithmetic):
    """Rationals while they are exact, enclosures of so many digits otherwise."""

    def constant(self, value: Fraction) -> Real:
        return value


@cache
def _enclosed(digits: int) -> Enclosed:
    return Enclosed(digits)


class Values:
    """The value of every quantity of a derivation, each evaluated when asked for.

    given      numbers by name; a name without one makes whatever hangs on it symbolic (None)
    previous   the values before an update: then parameters and states take their updated value from there
    step       how many updates have been made
    """

    def __init__(
        self,
        derivation: Derivation,
        given: Mapping[str, Real],
        rounding: Rounding,
        previous: Values | None = None,
        step: int = 0,
    ) -> None:
        self.derivation = derivation
        self.given = given
        self.rounding = rounding
        self.step = step
        self._previous = previous
        self._found: dict[int, dict[str, Real | None]] = {digits: {} for digits in PRECISIONS}
        self._shown: dict[str, str | None] = {}

    # --- what is asked -------------------------------------------------------------------------------------------

    def exact(self, name: str) -> Fraction | None:
        """The value as a rational, where it is one."""
        value = self._decided(name, lambda real: real)
        return value if isinstance(value, Fraction) else None

    def double(self, name: str) -> float | None:
        """The double nearest to the true value; None when the quantity is symbolic."""
        return self._decided(name, nearest_double)

    def shown(self, name: str) -> str | None:
        """The digits of a page, correctly rounded; None when the quantity is symbolic."""
        if name not in self._shown:
            self._shown[name] = self._decided(name, lambda real: show_real(real, self.rounding))
        return self._shown[name]

    def real(self, name: str, digits: int = PRECISIONS[0]) -> Real | None:
        """The value enclosed with so many digits carried; None when symbolic; may raise NotEnoughDigits."""
        found = self._found[digits]
        if name not in found:
            self._fill(name, digits)
        return found[name]

    def exact_result(self, name: str) -> Fraction | None:
        """What the definition gives before it is rounded to be carried on, where that is a rational."""
        if self.rounding.carry == "full" or self._is_given(name):
            return self.exact(name)
        definition = self.derivation.quantity(name).definition
        if self.real(name) is None or definition is None:
            return None
        for digits in PRECISIONS:
            try:
                value = Evaluator(_enclosed(digits), self._lookup(PRECISIONS[0])).value(definition)
            except NotEnoughDigits:
                continue
            return value if isinstance(value, Fraction) else None
        return None

    def shown_of(self, expr: Expr) -> str | None:
        """The displayed value of an expression in quantities; None when it is symbolic."""
        for digits in PRECISIONS:
            try:
                for name in names_in(expr):
                    if self.real(name, digits) is None:
                        return None
                text = show_real(Evaluator(_enclosed(digits), self._lookup(digits)).value(expr), self.rounding)
            except NotEnoughDigits:
                continue
            if text is not None:
                return text
        return None

    def holds(self, test: Condition) -> bool:
        """Whether a condition on quantities with numbers holds."""
        for digits in PRECISIONS:
            try:
                for name in (*names_in(test.left), *names_in(test.right)):
                    self.real(name, digits)
                return Evaluator(_enclosed(digits), self._lookup(digits)).holds(test)
            except NotEnoughDigits:
                continue
        return False

    def recomputed(self, name: str, operands: Mapping[str, Real]) -> str | None:
        """The digits that the definition gives with other operands, as somebody does who works from a page."""
        definition = self.derivation.quantity(name).definition
        if definition is None:
            return None
        for digits in PRECISIONS:
            try:
                value = Evaluator(_enclosed(digits), operands.__getitem__).value(definition)
            except NotEnoughDigits:
                continue
            except Undefined:
                return None
            text = show_real(value, self.rounding)
            if text is not None:
                return text
        return None

    # --- how it is found -----------------------------------------------------------------------------------------

    def _decided(self, name: str, ask: Callable[[Real], T | None]) -> T | None:
        """`ask` of ever closer enclosures until it answers; the last enclosure's middle decides what never does."""
        value: Real | None = None
        for digits in PRECISIONS:
            try:
                value = self.real(name, digits)
            except NotEnoughDigits:
                continue
            if value is None:
                return None
            _refuse_giant(name, value)
            answer = ask(value)
            if answer is not None:
                return answer
        if value is None:
            raise DeriveError(f"{name} cannot be computed: {PRECISIONS[-1]} digits do not separate it from zero")
        return ask(_nearby(value))

    def _fill(self, name: str, digits: int) -> None:
        """Evaluate what `name` hangs on, deepest first, without recursion: chains may be long.

        The first part that is missing comes alone: where it is symbolic, the others are not needed.
        """
        found = self._found[digits]
        tried: set[str] = set()
        stack = [name]
        while stack:
            current = stack[-1]
            if current in found:
                stack.pop()
                continue
            try:
                found[current] = self._evaluated(current, digits)
            except _Missing as missing:
                stack.extend([missing.name] if current not in tried else self._missing(current, found))
                tried.add(current)

    def _missing(self, name: str, found: Mapping[str, Real | None]) -> list[str]:
        return [part for part in self._needs(name) if part not in found]

    def _needs(self, name: str) -> Iterator[str]:
        if name == "eta" or self._is_given(name):
            return iter(())
        definition = self.derivation.quantity(name).definition
        return iter(()) if definition is None else names_in(definition)

    def _is_given(self, name: str) -> bool:
        return name in self.given or self.derivation.quantity(name).definition is None

    def _evaluated(self, name: str, digits: int) -> Real | None:
        if self._previous and self.derivation.is_carried(name):
            return self._previous.real(f"{name}_new", digits)
        if name in self.given or name == "eta":
            return self.given.get(name)
        definition = self.derivation.quantity(name).definition
        if definition is None:
            known = self.derivation.known(name, self.step)
            return known.value if known else None
        if self.rounding.carry == "displayed" and not is_plain(definition):
            return self._carried(name, definition)
        try:
            return Evaluator(_enclosed(digits), self._lookup(digits)).value(definition)
        except Symbolic:
            return None
        except Undefined as error:
            raise Undefined(f"{name}: {error}") from error

    def _lookup(self, digits: int) -> Callable[[str], Real]:
        found = self._found[digits]

        def lookup(name: str) -> Real:
            if name not in found:
                if not self._is_given(name):
                    raise _Missing(name)
                found[name] = self._evaluated(name, digits)
            value = found[name]
            if value is None:
                raise Symbolic(name)
            return value

        return lookup

    def _carried(self, name: str, definition: Expr) -> Fraction | None:
        """The displayed number itself, which is the one carried on."""
        for digits in PRECISIONS:
            try:
                value = Evaluator(_enclosed(digits), self._lookup(PRECISIONS[0])).value(definition)
            except Symbolic:
                return None
            except NotEnoughDigits:
                continue
            except Undefined as error:
                raise Undefined(f"{name}: {error}, with the displayed numbers carried on; show more digits") from error
            text = show_real(value, self.rounding)
            if text is not None:
                return Fraction(text)
        raise DeriveError(f"{name}: its digits cannot be decided")

    # --- updates -------------------------------------------------------------------------------------------------

    def after(self, steps: int) -> Values:
        """The values with the parameters after so many updates."""
        values = self
        for _ in range(min(steps, ENCLOSED_STEPS)):
            values = values._next
        if steps <= ENCLOSED_STEPS:
            return values
        return values._run(steps - ENCLOSED_STEPS)

    @property
    def _next(self) -> Values:
        if not hasattr(self, "_after"):
            self._after = Values(self.derivation, self.given, self.rounding, previous=self, step=self.step + 1)
        return self._after

    def _run(self, steps: int) -> Values:
        """All but the last update are carried as numbers; the last is one of definitions, so all of it can be asked."""
        last = self.step + steps - 1
        if self.rounding.carry == "displayed":
            values = self
            while values.step < last:
                given = {**self.given, **values._updated()}
                values = Values(self.derivation, given, self.rounding, step=values.step + 1)
            return values._next
        run = self.run()
        while run.step < last:
            run.update()
        settled = {name: run.value(name) for name in self.derivation.remembered()}
        given = {**self.given, **{name: Interval(value, value) for name, value in settled.items()}}
        return Values(self.derivation, given, self.rounding, step=last)._next

    def run(self, instead: Mapping[str, Expr] | None = None, digits: int = 50) -> Run:
        """A run of updates from here, with other definitions in the place of some."""
        return Run(self.derivation, self._state(), self.step, instead=instead, digits=digits)

    def _updated(self) -> dict[str, Real]:
        new = {name: self.real(f"{name}_new") for name in self.derivation.remembered()}
        return {name: value for name, value in new.items() if value is not None}

    def _state(self) -> dict[str, Real]:
        """Every given number, the current parameters and states."""
        current = {name: self.real(name) for name in self.derivation.remembered()}
        return {**self.given, **{name: value for name, value in current.items() if value is not None}}


def _refuse_giant(name: str, value: Real) -> None:
    """A number of ten thousand digits helps nobody, and an infinite enclosure never closes."""
    if isinstance(value, Interval):
        size = max(value.lo.copy_abs(), value.hi.copy_abs())
        if size.is_infinite() or size.adjusted() > MOST_PLACES:
            raise DeriveError(
                f"{name} is too large to show, beyond 10^{MOST_PLACES}; accepted: smaller numbers, a smaller learning "
                "rate or fewer updates"
            )


def _nearby(value: Real) -> Fraction:
    """The short decimal that an undecidable enclosure agrees with to more than a thousand digits."""
    if isinstance(value, Fraction):
        return value
    middle = (Fraction(value.lo) + Fraction(value.hi)) / 2
    return middle.limit_denominator(10**60)
