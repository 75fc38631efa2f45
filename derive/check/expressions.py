"""The verdict on an answer that is a formula: right, wrong with an example of its own, or for a person to decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import islice, product
from typing import Literal

from derive.check.counterexample import counterexample
from derive.check.equality import Bench, Comparison, Outcome, bench_of, decided
from derive.check.field import repeats
from derive.check.formula_mistakes import trials_of
from derive.check.formula_numbers import chooses, exchanged, holder, is_narrow, last_place, written_numbers
from derive.check.model import Formula, Mistake, Mutant
from derive.check.moments import MOST_UPDATES, Moments
from derive.check.phrases import say
from derive.check.points import Sample, TooLarge
from derive.derivation.chain_rule import split_derivative
from derive.derivation.evaluator import Evaluator
from derive.formula.expression import Expr, Name, Negative, Number, names_in
from derive.formula.grammar import write
from derive.numbers.exact import Interval, NotEnoughDigits, Real, Undefined, bounds, compare
from derive.worked import WorkedExample

Status = Literal["correct", "wrong", "undecided"]

MOST_READINGS = 32
"""So many ways are tried to say which given quantities the numbers of an answer stand for."""

_READ_FOR_MISTAKES = 8
_STRUCTURAL = frozenset((Fraction(0), Fraction(1), Fraction(2), Fraction(1, 2)))


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
    example: WorkedExample, quantity: str, formula: Formula, mutants: Sequence[Mutant] = (), language: str = "en"
) -> FormulaVerdict:
    """The verdict on the formula that somebody wrote for a quantity.

    Right is what equals the definition for all given numbers, whatever intermediate results it names; or for this
    problem's, where these are written in it.  What was asked for, under whatever name, is no answer to itself.  The
    same formula gets the same verdict every time.  Raises UnknownQuantity for a quantity that the problem lacks.

    mutants   the mistakes that may have been made
    language  of the note
    """
    told = partial(say, "formulas")
    asked = example.find(quantity)
    moments = Moments(example.derivation)
    name = moments.joined(asked.name, asked.step)
    if bench_of(example).world.definition(name) is None:
        return FormulaVerdict("undecided", told("given", language, asked=name))
    before = asked.step - 1 if example.derivation.is_carried(asked.name) else asked.step
    named = set(names_in(formula.expr))
    try:
        if before <= 0 or not any(map(moments.is_open, named)):
            return _judged(example, name, formula, mutants, language)
        later = replace(formula, expr=moments.at(formula.expr, before))
        as_meant = _judged(example, name, later, mutants, language)
        is_said = any(moments.split(part)[1] for part in named)
        if as_meant.status == "correct" and not is_said:
            return replace(as_meant, note=as_meant.note or told("after-update", language, updates=before))
        as_written = _judged(example, name, formula, mutants, language)
        if as_written.status == "wrong" and as_meant.status == "correct":
            return FormulaVerdict("undecided", told("after-update-perhaps", language, updates=before))
    except TooLarge as error:
        return FormulaVerdict("undecided", told(str(error), language, asked=name))
    except KeyError as error:
        return FormulaVerdict("undecided", told("no-quantity", language, name=error.args[0]))
    return as_written if is_said or as_written.status == "correct" else as_meant


def _judged(
    example: WorkedExample, asked: str, formula: Formula, mutants: Sequence[Mutant], language: str
) -> FormulaVerdict:
    """The verdict on a formula whose names say after how many updates they are meant; raises TooLarge, KeyError."""
    moments = Moments(example.derivation)
    base, step = moments.split(asked)
    last = max(step - 1, 0) if example.derivation.is_carried(base) else step
    first, latest = moments.span((*names_in(formula.expr), asked))
    start = min(first, last)
    if latest - start > MOST_UPDATES:
        raise TooLarge("too-many-updates")
    expr = moments.earlier(formula.expr, start)
    name = moments.joined(base, step - start)
    return _Judgement(bench_of(example, start), name, replace(formula, expr=expr), language).verdict(mutants)


class _Judgement:
    """One formula before the bench."""

    def __init__(self, bench: Bench, asked: str, formula: Formula, language: str) -> None:
        self.bench = bench
        self.language = language
        self.asked = asked
        self.expr = formula.expr
        self.text = write(formula.expr)
        self.names = tuple(dict.fromkeys(names_in(self.expr)))
        for name in self.names:
            bench.world.definition(name)

    def _said(self, key: str, **words: str) -> str:
        said = self.bench.world.moments.said
        words |= {"name": said(words["name"])} if "name" in words else {}
        return say("formulas", key, self.language, asked=said(self.asked), **words)

    def verdict(self, mutants: Sequence[Mutant]) -> FormulaVerdict:
        if self.asked in self.names and repeats(self.bench.world, self.expr, self.asked, self.text):
            return FormulaVerdict("wrong", self._said("repeats"))
        found = self.bench.compare(self.expr, self.asked, self.text)
        if found.outcome == "equal":
            return self._equal(found)
        if found.outcome == "unknown":
            return FormulaVerdict("undecided", self._said(found.reason))
        return self._for_these_numbers() or self._wrong(found, mutants)

    # --- equal ---------------------------------------------------------------------------------------------------

    def _equal(self, found: Comparison) -> FormulaVerdict:
        if circle := self._circle():
            return FormulaVerdict("undecided", circle, how=found.how)
        if found.how == "compared" and self._at_own() == "different":
            return FormulaVerdict("undecided", self._said("single-points"))
        return FormulaVerdict("correct", how=found.how)

    def _circle(self) -> str:
        """Why a formula that is equal is no answer all the same."""
        world = self.bench.world
        bottom = (split_derivative(self.asked) or ("", ""))[1]
        if isinstance(self.expr, Name) and bottom and (split_derivative(self.expr.name) or ("", ""))[1] == bottom:
            return self._said("same-derivative", name=self.expr.name)
        for name in self.names:
            if self.asked in world.needed((name,)):
                return self._said("hangs-on", name=name)
        return ""

    # --- right for the numbers of the problem ---------------------------------------------------------------------

    def _for_these_numbers(self) -> FormulaVerdict | None:
        own = self._at_own()
        if own != "different" and (labels := self._labels()) is not None:
            return labels
        if own == "equal":
            for reading in self._readings():
                if self.bench.agreement(reading, self.asked).outcome == "equal":
                    return FormulaVerdict("correct", self._said("these-numbers"), how="numbers")
            if self._vanishes():
                return FormulaVerdict("undecided", self._said("vanishes"))
            if self._has_numbers() and not chooses(self.expr):
                return FormulaVerdict("correct", self._said("these-numbers"), how="numbers")
            return FormulaVerdict("undecided", self._said("these-numbers-only"))
        if self._fits_roughly():
            return FormulaVerdict("correct", self._said("rounded"), how="numbers")
        return None

    def _labels(self) -> FormulaVerdict | None:
        """Right where the targets are the labels of the problem: -ln(o3) for the third class."""
        labels = self.bench.world.leaves.labels()
        if not labels or self.bench.agreement(self.expr, self.asked, labels).outcome != "equal":
            return None
        if circle := self._circle():
            return FormulaVerdict("undecided", circle)
        if any(name in labels for name in self.names):
            return FormulaVerdict("undecided", self._said("these-targets-only"))
        return FormulaVerdict("correct", self._said("these-targets"), how="numbers")

    def _readings(self) -> Iterator[Expr]:
        """The formula with the numbers in it read as given quantities that have them."""
        leaves, world = self.bench.world.leaves, self.bench.world
        holders: dict[Fraction, list[Expr]] = {}
        for name in world.needed((self.asked,)):
            value = leaves.own(name) if world.definition(name) is None else None
            if value is not None:
                holders.setdefault(value, []).append(Name(name))
                holders.setdefault(-value, []).append(Negative(Name(name)))
        written = [value for value in dict.fromkeys(written_numbers(self.expr)) if value in holders]
        choices = [[*holders[value][:4], None] for value in written]
        for count, choice in enumerate(product(*choices)):
            if count == MOST_READINGS or not any(choice):
                return
            meant = dict(zip(written, choice, strict=True))
            yield exchanged(self.expr, partial(holder, meant))

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
        return any(value not in _STRUCTURAL for value in written_numbers(self.expr))

    def _fits_roughly(self) -> bool:
        """Whether the formula reaches the right number when the rounded numbers in it are what they may stand for."""
        rounded: dict[str, Real] = {}

        def enclosed(number: Number) -> Expr | None:
            unit = last_place(number)
            if unit is None or number.value in self.bench.given_numbers:
                return None
            name = f"#{len(rounded)}"
            watch = self.bench.own.watch
            low, high = (watch.interval(number.value + sign * unit) for sign in (-1, 1))
            rounded[name] = Interval(low.lo, high.hi)
            return Name(name)

        expr = exchanged(self.expr, enclosed)
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
            return is_narrow(lo, hi, expected)
        except (Undefined, ArithmeticError):
            return False
        return False

    # --- wrong -----------------------------------------------------------------------------------------------------

    def _wrong(self, found: Comparison, mutants: Sequence[Mutant]) -> FormulaVerdict:
        mistake = self._mistake(mutants)
        if found.at is None:
            return FormulaVerdict("wrong", self._said("no-value"), mistake)
        return FormulaVerdict("wrong", self._counterexample(found.at), mistake)

    def _counterexample(self, drawn: Sample) -> str:
        return counterexample(self.bench, self.expr, self.asked, drawn, self.language)

    def _mistake(self, mutants: Sequence[Mutant]) -> Mistake | None:
        """The mistake in the formula as it stands, with its numbers read as given quantities, or by its value alone."""
        trials = trials_of(self.bench)
        for reading in (self.expr, *islice(self._readings(), _READ_FOR_MISTAKES)):
            if mistake := trials.mistake(reading, self.asked, mutants, own=False):
                return mistake
        return trials.mistake(self.expr, self.asked, mutants, own=True) if self._has_numbers() else None
