"""The verdict on an answer that is a formula: right, wrong with an example of its own, or for a person to decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import islice, product
from typing import Literal

from derive.check.counterexample import counterexample
from derive.check.equality import Bench, Comparison, Outcome, bench_of, decided
from derive.check.field import repeats
from derive.check.formula_mistakes import trials_of
from derive.check.model import Formula, Mistake, Mutant
from derive.check.points import TooLarge
from derive.derivation.chain_rule import split_derivative
from derive.derivation.evaluator import Evaluator
from derive.formula.expression import Call, Cases, Expr, Name, Negative, Number, Quotient, children, names_in, rebuild
from derive.formula.grammar import write
from derive.numbers.exact import Interval, NotEnoughDigits, Real, Undefined, bounds, compare
from derive.worked import WorkedExample

Status = Literal["correct", "wrong", "undecided"]

MOST_READINGS = 32
"""So many ways are tried to say which given quantities the numbers of an answer stand for."""
WIDEST = Fraction(1, 20)
"""Rounded numbers in a formula must leave its value known to this share, or they say too little."""

_READ_FOR_MISTAKES = 8
_STRUCTURAL = frozenset((Fraction(0), Fraction(1), Fraction(2), Fraction(1, 2)))
_KINKED = frozenset(("abs", "max", "min"))
_FEWEST_DIGITS = 3


@dataclass(frozen=True, slots=True)
class FormulaVerdict:
    """What is said of a formula.

    note     one sentence: where it differs, or what it is right for; empty for what is simply right
    mistake  what reproduces a wrong formula
    how      how it was found right: "proved", "compared" at many points, or by the "numbers" of the problem
    """

    status: Status
    note: str = ""
    mistake: Mistake | None = None
    how: Literal["proved", "compared", "numbers", ""] = ""


def judge_formula(
    example: WorkedExample, quantity: str, formula: Formula, mutants: Sequence[Mutant] = ()
) -> FormulaVerdict:
    """The verdict on the formula that somebody wrote for a quantity.

    Right is what equals the definition for all given numbers, whatever intermediate results it names; or for this
    problem's, where these are written in it.  What was asked for, under whatever name, is no answer to itself.  The
    same formula gets the same verdict every time.  Raises UnknownQuantity for a quantity that the problem lacks.
    """
    asked = example.find(quantity)
    derivation = example.derivation
    if asked.step > 1 or (asked.step and not derivation.is_carried(asked.name)):
        return FormulaVerdict("undecided", f"formulas for {asked} are not compared")
    name = f"{asked.name}_new" if asked.step else asked.name
    bench = bench_of(example)
    if bench.world.definition(name) is None:
        return FormulaVerdict("undecided", f"{name} is given, so there is no formula for it")
    try:
        return _Judgement(bench, name, formula).verdict(mutants)
    except TooLarge as error:
        return FormulaVerdict("undecided", str(error))
    except KeyError as error:
        return FormulaVerdict("undecided", f"{error.args[0]} is no quantity of this problem")


class _Judgement:
    """One formula before the bench."""

    def __init__(self, bench: Bench, asked: str, formula: Formula) -> None:
        self.bench = bench
        self.asked = asked
        self.expr = formula.expr
        self.text = write(formula.expr)
        self.names = tuple(dict.fromkeys(names_in(self.expr)))
        for name in self.names:
            bench.world.definition(name)

    def verdict(self, mutants: Sequence[Mutant]) -> FormulaVerdict:
        if self.asked in self.names and repeats(self.bench.world, self.expr, self.asked, self.text):
            return FormulaVerdict("wrong", f"it repeats {self.asked}, which was asked for")
        found = self.bench.compare(self.expr, self.asked, self.text)
        if found.outcome == "equal":
            return self._equal(found)
        if found.outcome == "unknown":
            return FormulaVerdict("undecided", found.reason)
        return self._for_these_numbers() or self._wrong(found, mutants)

    # --- equal ---------------------------------------------------------------------------------------------------

    def _equal(self, found: Comparison) -> FormulaVerdict:
        if circle := self._circle():
            return FormulaVerdict("undecided", circle, how=found.how)
        if found.how == "compared" and self._at_own() == "different":
            return FormulaVerdict("undecided", "it is right but for single points, and the problem is one of them")
        return FormulaVerdict("correct", how=found.how)

    def _circle(self) -> str:
        """Why a formula that is equal is no answer all the same."""
        world = self.bench.world
        bottom = (split_derivative(self.asked) or ("", ""))[1]
        if isinstance(self.expr, Name) and bottom and (split_derivative(self.expr.name) or ("", ""))[1] == bottom:
            return f"it is equal, but {self.expr.name} is the same derivative under another name"
        for name in self.names:
            if self.asked in world.needed((name,)):
                return f"it is equal, but {name} hangs on {self.asked} itself"
        return ""

    # --- right for the numbers of the problem ---------------------------------------------------------------------

    def _for_these_numbers(self) -> FormulaVerdict | None:
        own = self._at_own()
        if own != "different" and (labels := self._labels()) is not None:
            return labels
        if own == "equal":
            for reading in self._readings():
                if self.bench.agreement(reading, self.asked).outcome == "equal":
                    return FormulaVerdict("correct", "right for the numbers of this problem", how="numbers")
            if self._vanishes():
                return FormulaVerdict("undecided", f"{self.asked} is 0 here, which says little about a formula")
            if self._has_numbers() and not _chooses(self.expr):
                return FormulaVerdict("correct", "right for the numbers of this problem", how="numbers")
            return FormulaVerdict("undecided", "right for the numbers of this problem, but not for others")
        if self._fits_roughly():
            note = "right for the numbers of this problem, as far as rounded numbers tell"
            return FormulaVerdict("correct", note, how="numbers")
        return None

    def _labels(self) -> FormulaVerdict | None:
        """Right where the targets are the labels of the problem: -ln(o3) for the third class."""
        labels = self.bench.world.leaves.labels()
        if not labels or self.bench.agreement(self.expr, self.asked, labels).outcome != "equal":
            return None
        if circle := self._circle():
            return FormulaVerdict("undecided", circle)
        if any(name in labels for name in self.names):
            return FormulaVerdict("undecided", "right for the targets of this problem, but not for others")
        return FormulaVerdict("correct", "right for the targets of this problem", how="numbers")

    def _readings(self) -> Iterator[Expr]:
        """The formula with the numbers in it read as given quantities that have them."""
        leaves, world = self.bench.world.leaves, self.bench.world
        holders: dict[Fraction, list[Expr]] = {}
        for name in world.needed((self.asked,)):
            value = leaves.own(name) if world.definition(name) is None else None
            if value is not None:
                holders.setdefault(value, []).append(Name(name))
                holders.setdefault(-value, []).append(Negative(Name(name)))
        written = [value for value in dict.fromkeys(_numbers(self.expr)) if value in holders]
        choices = [[*holders[value][:4], None] for value in written]
        for count, choice in enumerate(product(*choices)):
            if count == MOST_READINGS or not any(choice):
                return
            meant = dict(zip(written, choice, strict=True))
            yield _exchanged(self.expr, partial(_holder, meant))

    def _at_own(self) -> Outcome:
        """How the formula compares at the problem's own numbers; "unknown" where it has none."""
        own = self.bench.own
        names = self.bench.world.needed((*self.names, self.asked))
        own.fill(names)
        try:
            outcome = decided(own.answer(self.expr), own.known(self.asked))
        except Undefined:
            return "unknown"
        return outcome if outcome == "different" or own.shows(names) else "unknown"

    def _vanishes(self) -> bool:
        return self.bench.own.known(self.asked) == 0

    def _has_numbers(self) -> bool:
        return any(value not in _STRUCTURAL for value in _numbers(self.expr))

    def _fits_roughly(self) -> bool:
        """Whether the formula reaches the right number when the rounded numbers in it are what they may stand for."""
        rounded: dict[str, Real] = {}

        def enclosed(number: Number) -> Expr | None:
            unit = _last_place(number)
            if unit is None or number.value in self.bench.given_numbers:
                return None
            name = f"#{len(rounded)}"
            watch = self.bench.own.watch
            low, high = (watch.interval(number.value + sign * unit) for sign in (-1, 1))
            rounded[name] = Interval(low.lo, high.hi)
            return Name(name)

        expr = _exchanged(self.expr, enclosed)
        if not rounded:
            return False
        own = self.bench.own
        try:
            own.fill(self.bench.world.needed((*self.names, self.asked)))
            expected = own.known(self.asked)
            lookup = rounded | {name: own.known(name) for name in self.names}
            yours = Evaluator[Real](own.watch, lookup.__getitem__).value(expr)
            compare(yours, expected)
        except NotEnoughDigits:
            lo, hi = bounds(yours)
            return _narrow(lo, hi, expected)
        except (Undefined, ArithmeticError):
            return False
        return False

    # --- wrong -----------------------------------------------------------------------------------------------------

    def _wrong(self, found: Comparison, mutants: Sequence[Mutant]) -> FormulaVerdict:
        mistake = self._mistake(mutants)
        if found.at is None:
            return FormulaVerdict("wrong", f"it has no value where {self.asked} has one", mistake)
        return FormulaVerdict("wrong", counterexample(self.bench, self.expr, self.asked, found.at), mistake)

    def _mistake(self, mutants: Sequence[Mutant]) -> Mistake | None:
        """The mistake in the formula as it stands, with its numbers read as given quantities, or by its value alone."""
        trials = trials_of(self.bench)
        for reading in (self.expr, *islice(self._readings(), _READ_FOR_MISTAKES)):
            if mistake := trials.mistake(reading, self.asked, mutants, own=False):
                return mistake
        return trials.mistake(self.expr, self.asked, mutants, own=True) if self._has_numbers() else None


def _numbers(expr: Expr) -> Iterator[Fraction]:
    """The numbers written in a formula, fractions of numbers as one, exponents left out."""
    stack = [expr]
    while stack:
        part = stack.pop()
        if isinstance(part, Number):
            yield part.value
        elif isinstance(part, Quotient) and isinstance(part.top, Number) and isinstance(part.bottom, Number):
            yield part.top.value / part.bottom.value if part.bottom.value else Fraction(0)
        else:
            stack.extend(reversed(children(part)))


def _chooses(expr: Expr) -> bool:
    """Whether a formula takes different ways for different numbers."""
    if isinstance(expr, Cases) or (isinstance(expr, Call) and expr.function in _KINKED):
        return True
    return any(map(_chooses, children(expr)))


def _holder(meant: Mapping[Fraction, Expr | None], number: Number) -> Expr | None:
    return meant.get(number.value)


def _exchanged(expr: Expr, meant: Callable[[Number], Expr | None]) -> Expr:
    """The formula with numbers exchanged for what `meant` says, left where it says None."""
    if isinstance(expr, Number):
        return meant(expr) or expr
    return rebuild(expr, lambda part: _exchanged(part, meant))


def _last_place(number: Number) -> Fraction | None:
    """One unit in the last place of a decimal of three digits or more; None for any other number."""
    digits = number.written.lower()
    if "." not in digits or "e" in digits or len(digits.replace(".", "").lstrip("0")) < _FEWEST_DIGITS:
        return None
    return Fraction(1, 10 ** len(digits.partition(".")[2]))


def _narrow(lo: Fraction | Decimal, hi: Fraction | Decimal, expected: Real) -> bool:
    """Whether what is left open is little beside the right number."""
    try:
        low, high = float(lo), float(hi)
        right = abs(float(bounds(expected)[0]))
    except (OverflowError, ValueError):
        return False
    return high - low <= float(WIDEST) * right
