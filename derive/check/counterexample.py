"""Where a wrong formula differs from the right one, in few and plain numbers."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal

from derive.check.equality import Bench, decided
from derive.check.phrases import say
from derive.check.points import Sample
from derive.derivation.chain_rule import split_derivative
from derive.formula.expression import Expr, names_in
from derive.formula.languages import LANGUAGES, decimals
from derive.numbers.exact import Interval, Real, Undefined

_MOST_SHOWN = 5


def counterexample(bench: Bench, expr: Expr, asked: str, drawn: Sample, language: str = "en") -> str:
    """As "at out_o1 = 0.3: yours gives 0.21, the right one 0.12", at the problem's own numbers where they tell.

    drawn  a point where the two differ
    """
    names = tuple(dict.fromkeys(names_in(expr)))
    for sample in (bench.own, drawn):
        sample.fill(bench.world.needed((*names, asked)))
        try:
            yours, right = sample.answer(expr), sample.known(asked)
        except Undefined:
            continue
        if decided(yours, right) == "different" and (shown := _apart(yours, right, language)):
            differs = say("formulas", "differs", language, yours=shown[0], right=shown[1])
            return _where(bench, names, asked, sample, language) + differs
    return say("formulas", "too-far-behind", language)


def _where(bench: Bench, names: tuple[str, ...], asked: str, sample: Sample, language: str) -> str:
    """The numbers of what the formula names, and of what the right one names beyond derivatives."""
    parts = (part for part in bench.world.parts(asked) if split_derivative(part) is None)
    shown = []
    for name in dict.fromkeys((*names, *parts)):
        try:
            shown.append(f"{bench.world.moments.said(name)} = {_short(sample.known(name), 4, language)}")
        except (Undefined, KeyError):
            continue
    if not shown:
        return ""
    more = " …" if len(shown) > _MOST_SHOWN else ""
    comma = ", " if LANGUAGES[language].decimal == "." else "; "
    return say("formulas", "at", language, names=comma.join(shown[:_MOST_SHOWN]) + more)


def _apart(yours: Real, right: Real, language: str) -> tuple[str, str] | None:
    """Both numbers to as many digits as tell them apart."""
    for digits in (4, 6, 9, 12, 20):
        shown = _short(yours, digits, language), _short(right, digits, language)
        if shown[0] != shown[1]:
            return shown
    return None


def _short(value: Real, digits: int, language: str) -> str:
    """A number to so many significant digits, without zeros at its end."""
    context = Context(prec=digits, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
    if isinstance(value, Interval):
        decimal = context.plus(value.lo)
    else:
        decimal = context.divide(Decimal(value.numerator), Decimal(value.denominator))
    if not decimal:
        return "0"
    if not decimal.is_finite():
        return say("formulas", "beyond", language)
    if not -5 <= decimal.adjusted() <= 12:
        return decimals(f"{decimal.normalize(context):.{digits}g}", language, "unicode")
    text = format(decimal, "f")
    return decimals(text.rstrip("0").rstrip(".") if "." in text else text, language, "unicode")
