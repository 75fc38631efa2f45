r"""The text of one answer becomes a number, an expression, or the reason why it is neither.

Lenient about the form (0.0822, 8.22e-2, 8.22×10⁻², w5 = 0.36, ≈ 0.36, ="0.08", 12 345.6, 3/8, 8.22 %) and strict about
the meaning: what could be two numbers is not read.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from derive.check.model import Answer, Blank, Formula, Unreadable, Written
from derive.check.phrases import Why
from derive.errors import DeriveError
from derive.formula.tokens import MAX_CHARACTERS, MAX_DIGITS, MAX_EXPONENT
from derive.formula.tokens import Unreadable as NoFormula

Find = Callable[[str], str | None]
"""The canonical name of a quantity for a spelling, None for what is no quantity."""

MOST_REMEMBERED = 50_000
SHOWN_CHARACTERS = 200
LONGEST_NUMBER = 160
LONGEST_PERSON = 200

NOTHING = frozenset(("", "-", "–", "—", "−", "/", "?", "n/a", "#n/a", "none", "null"))
_TRUTH = {"yes": 1, "true": 1, "no": 0, "false": 0}
_TRUE_OR_FALSE = frozenset(("converged",))
"""Quantities that say whether something is so."""

_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u2060\ufeff"
_SPACE = " \u00a0\u2007\u2009\u202f"
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SIGNS: dict[int, int] = {**_FULL_WIDTH, **dict.fromkeys(map(ord, "−–‐‑﹣"), ord("-")), ord("⁄"): ord("/")}
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_VULGAR = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅙": (1, 6), "⅛": (1, 8)}

_SIMPLE = re.compile(r"-?[0-9]{1,20}\.[0-9]{1,20}")
_PLAIN = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,6}))?")
_ROUNDED = re.compile(r"(?:[≈≃≅~=]|ca\.?|approx\.?|\\approx)\s*(?=[-+.,0-9])", re.IGNORECASE)
_TENS = re.compile(r"\s*(?:\*|×|·|⋅|x|X|\\times|\\cdot)\s*10\s*(?:\^|\*\*)\s*([({]?)\s*([+-]?[0-9]{1,6})\s*([)}]?)$")
_EXPONENT_RAISED = re.compile(r"10([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,6})$")
_POWER_OF_TEN = re.compile(r"([+-]?)\s*10\s*(?:\^|\*\*)\s*([({]?)\s*([+-]?[0-9]{1,6})\s*([)}]?)$")
SMALLEST_ROUNDED = 100
FEWEST_ROUNDED = 2
"""A fraction with such a denominator and so many digits is a rounded decimal that a calculator reduced; 3/8 is not."""
_FRACTION = re.compile(r"([+-]?)\s*([0-9]{1,60})\s*/\s*([0-9]{1,60})")
_NUMERAL = re.compile(rf"[+-]?[{_SPACE}]?[0-9.,{_SPACE}]*[0-9][0-9.,{_SPACE}]*(?:[eE][+-]?[0-9]{{1,6}})?")
_ASSIGNED = re.compile(r"(?<![=<>!≠]):?=(?!=)")
_COMMANDS = "frac|partial|delta|nabla|mathrm|mathbf|text|eta|sigma|prime|cdot|times|left|right|displaystyle"
_WORKING = re.compile(rf"(?:\\(?:{_COMMANDS})(?![A-Za-z])|[\w\s∂′’'+\-−*·×⋅/^()\[\]{{}},.@⁺⁻$])*")
"""What may stand in front of "=": a name, or the calculation that leads to the number."""
_ANSWER = frozenset(("answer", "ans", "result", "solution", "value"))
_DECIMAL_COMMA = re.compile(r"(?<=[0-9]),(?=[0-9])(?![^\[]*\])|(?<![\w.,]),(?=[0-9])")
_THOUSANDS = {mark: re.compile(rf"[+-]?[1-9][0-9]{{0,2}}(?:\{mark}[0-9]{{3}})+") for mark in ",."}


class _NoNumber(Exception):
    """What looked like a number and cannot be used as one; says why."""

    def __init__(self, key: str, **words: object) -> None:
        super().__init__(key)
        self.why = Why(key, words)


def harmless(text: str) -> str:
    """The text with what cannot be seen or written (controls, half characters) exchanged for a visible mark."""
    if text.isprintable():
        return text
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char.isspace() else "\ufffd"


def shortened(text: str) -> str:
    """The text as it is shown: harmless, and at most 200 characters of it."""
    return harmless(text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…")


@dataclass(slots=True)
class AnswerReader:
    """Reads the answers to one problem; equal texts are read once.

    formula        reads an expression; raises DeriveError for what is none
    decimal_comma  a comma is the decimal mark
    language       in which it is said why an answer cannot be read
    """

    find: Find
    formula: Callable[[str], Formula]
    decimal_comma: bool = False
    language: str = "en"
    _read: dict[tuple[str, str], Answer] = field(default_factory=dict)

    def read(self, text: str, quantity: str = "") -> Answer:
        """What the answer to `quantity` says; never raises."""
        key = (text, quantity if "=" in text or ":" in text or quantity in _TRUE_OR_FALSE else "")
        answer = self._read.get(key)
        if answer is None:
            answer = self._fresh(text, quantity)
            if len(self._read) >= MOST_REMEMBERED:
                self._read.clear()
            self._read[key] = answer
        return answer

    def _fresh(self, text: str, quantity: str) -> Answer:
        if _SIMPLE.fullmatch(text) and not self.decimal_comma:
            return _simple(text)
        if len(text) > MAX_CHARACTERS:
            return self.refused(shortened(text), Why("too-long", {"length": len(text), "most": MAX_CHARACTERS}))
        shown = shortened(text.strip().strip(_INVISIBLE))
        plain = _unwrapped(text)
        if plain.lower() in NOTHING:
            return Blank(shown)
        if quantity in _TRUE_OR_FALSE and plain.lower() in _TRUTH:
            return Written(shown, Fraction(_TRUTH[plain.lower()]), 0, 1)
        try:
            return self._number_or_formula(self._without_name(plain, quantity), shown)
        except _NoNumber as error:
            return self.refused(shown, error.why)
        except (DeriveError, ValueError, OverflowError, RecursionError) as error:
            return self._no_formula(plain, shown, error)

    def refused(self, shown: str, why: Why) -> Unreadable:
        """What cannot be read, as it is shown."""
        return Unreadable(shown, why.said(self.language))

    def _no_formula(self, text: str, shown: str, error: Exception) -> Unreadable:
        if not self.decimal_comma and _DECIMAL_COMMA.search(text) and "(" not in text:
            return self.refused(shown, Why("comma"))
        if isinstance(error, NoFormula):
            words = {"column": error.column, "found": error.found, "accepted": error.accepted}
            return self.refused(shown, Why("column", words))
        return Unreadable(shown, str(error)) if isinstance(error, DeriveError) else self.refused(shown, Why("neither"))

    def _without_name(self, text: str, quantity: str) -> str:
        """What follows the last "=" of w5 = 0.2 + 0.16 = 0.36; the name in front must not be another quantity's."""
        parts = _ASSIGNED.split(text)
        if len(parts) == 1 and ":" in text:
            parts = text.split(":")
            if len(parts) > 2 or not (parts[0].strip().lower() in _ANSWER or self.find(parts[0].strip())):
                raise _NoNumber("before-colon")
        if len(parts) == 1:
            return text
        if not all(_WORKING.fullmatch(part) for part in parts[:-1]):
            raise _NoNumber("before-equals")
        named = self.find(parts[0].strip())
        if named and quantity and named not in (quantity, quantity.removesuffix("_new"), quantity.partition("@")[0]):
            raise _NoNumber("another", named=named, quantity=quantity)
        last = parts[-1].strip()
        if not last:
            raise _NoNumber("nothing-follows")
        return last

    def _number_or_formula(self, text: str, shown: str) -> Answer:
        number = read_number(_ROUNDED.sub("", text, count=1) if _ROUNDED.match(text) else text, self.decimal_comma)
        if number:
            return Written(shown, *number)
        if self.decimal_comma:
            text = _DECIMAL_COMMA.sub(".", text)
        return replace(self.formula(text), text=shown)


def _simple(text: str) -> Written:
    """The number of a text that is digits, a point and digits: nearly every answer is."""
    whole, _, decimals = text.partition(".")
    digits = whole.lstrip("-") + decimals
    places = len(decimals)
    value = Fraction(int(whole + decimals), 10**places)
    return Written(text, value, places, len(digits.lstrip("0")) or places + 1)


def _unwrapped(text: str) -> str:
    r"""The answer itself: ="0.08", '0.08, $0.08$ and \(0.08\) are 0.08."""
    plain = text.strip().strip(_INVISIBLE).strip()
    if plain.startswith('="') and plain.endswith('"') and len(plain) > 2:
        plain = plain[2:-1].strip()
    elif len(plain) > 1 and plain[0] == plain[-1] == '"':
        plain = plain[1:-1].strip()
    if plain.startswith("'"):
        plain = plain[1:].strip()
    for opening, closing in (("$$", "$$"), ("$", "$"), (r"\(", r"\)")):
        if plain.startswith(opening) and plain.endswith(closing) and len(plain) > len(opening) + len(closing):
            plain = plain[len(opening) : -len(closing)].strip()
    return plain


Number = tuple[Fraction, int | None, int | None]
"""Value, decimals and significant digits (see `Written`)."""


def read_number(text: str, decimal_comma: bool) -> Number | None:
    """The number that a text is; None where it is none; raises for a number that cannot be used or is ambiguous."""
    if len(text) > LONGEST_NUMBER:
        return None
    if not text.isascii():
        text = text.translate(_SIGNS)
        if text in _VULGAR:
            return Fraction(*_VULGAR[text]), None, None
        text = _EXPONENT_RAISED.sub(lambda match: "10^" + match[1].translate(_RAISED), text)
    if found := _FRACTION.fullmatch(text):
        return _fraction(*found.groups()), *_digits_of_fraction(found[2], found[3])
    if found := _POWER_OF_TEN.match(text):
        return _value(found[1] + "1", _exponent(found[2], found[3], found[4]), 0)[0], None, None
    shift = 0
    if (found := _TENS.search(text)) and _NUMERAL.fullmatch(text[: found.start()]):
        shift, text = _exponent(found[1], found[2], found[3]), text[: found.start()]
    percent = text.endswith(("%", r"\%"))
    if percent:
        text = text.rstrip("%\\").rstrip()
    text = text.removesuffix("...").removesuffix("…")
    if not _NUMERAL.fullmatch(text):
        return None
    return _value(_digits(text, decimal_comma), shift, 2 if percent else 0)


def _exponent(opening: str, digits: str, closing: str) -> int:
    if {"(": ")", "{": "}", "": ""}[opening] != closing:
        raise _NoNumber("bracket")
    return int(digits)


def _digits_of_fraction(top: str, bottom: str) -> tuple[int, int] | tuple[None, None]:
    """Decimals and significant digits where a fraction is a decimal number in other words: 822/10000 and 411/5000."""
    is_power = re.fullmatch("10+", bottom) is not None
    value = Fraction(int(top), int(bottom))
    places = len(bottom) - 1 if is_power else _places(value.denominator)
    if places is None:
        return None, None
    significant = len(str(int(value * 10**places)).lstrip("0")) or places + 1
    if is_power or (value.denominator >= SMALLEST_ROUNDED and significant >= FEWEST_ROUNDED):
        return places, significant
    return None, None


def _places(bottom: int) -> int | None:
    """How many decimals a fraction in lowest terms has; None where they do not end."""
    twos = (bottom & -bottom).bit_length() - 1
    rest, fives = bottom >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    return max(twos, fives) if rest == 1 else None


def _fraction(sign: str, top: str, bottom: str) -> Fraction:
    if int(bottom) == 0:
        raise _NoNumber("zero")
    return Fraction(int(sign + top), int(bottom))


def _digits(text: str, decimal_comma: bool) -> str:
    """The number with a point for its decimal mark and nothing between its digits."""
    sign, text = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    mantissa, mark, exponent = text.strip(_SPACE).replace("E", "e").partition("e")
    if re.search(rf"[{_SPACE}]", mantissa):
        mantissa = _without_spaces(mantissa)
    return sign + _with_point(mantissa, decimal_comma) + mark + exponent


def _without_spaces(text: str) -> str:
    """1 234.567 89 without its spaces, where they part the digits into threes."""
    point = re.search("[.,]", text)
    whole, rest = (text[: point.start()], text[point.start() :]) if point else (text, "")
    space = rf"[{_SPACE}]"
    threes = re.fullmatch(rf"[0-9]{{1,3}}(?:{space}[0-9]{{3}})+|[0-9]*", whole)
    decimals = re.fullmatch(rf"[.,](?:[0-9]{{3}}{space})+[0-9]{{1,3}}|[.,][0-9]*|", rest)
    if not threes or not decimals:
        raise _NoNumber("spaces")
    return re.sub(space, "", text)


def _with_point(text: str, decimal_comma: bool) -> str:
    commas, points = text.count(","), text.count(".")
    if commas == 0 and points <= 1 and not (decimal_comma and points and _THOUSANDS["."].fullmatch(text)):
        return text
    own, other = (",", ".") if decimal_comma else (".", ",")
    whole, mark, decimals = text.partition(own)
    if _THOUSANDS[other].fullmatch(whole) and (mark or text.count(other) > 1) and decimals.isdecimal() == bool(mark):
        return f"{whole.replace(other, '')}.{decimals}"
    whole, mark, decimals = text.partition(other)
    if commas and points and _THOUSANDS[own].fullmatch(whole) and decimals.isdecimal() and decimal_comma:
        return f"{whole.replace(own, '')}.{decimals}"
    if decimal_comma and commas == 1 and not points:
        return text.replace(",", ".")
    if decimal_comma and points == 1 and not commas:
        raise _NoNumber("two-numbers", text=text, one=text.replace(".", ""), other=text.replace(".", ","))
    raise _NoNumber("comma" if commas and not decimal_comma else "marks")


def _value(text: str, shift: int, percent: int) -> Number:
    """The number of plain digits, times ten to the `shift`, over ten to the `percent`."""
    found = _PLAIN.fullmatch(text)
    if not found:
        raise _NoNumber("neither")
    sign, whole, decimals, written_exponent = found[1], found[2], found[3] or "", found[4]
    digits = whole + decimals
    if len(digits) > MAX_DIGITS:
        raise _NoNumber("digits", count=len(digits), most=MAX_DIGITS)
    exponent = shift + int(written_exponent or 0)
    if abs(exponent) > MAX_EXPONENT:
        raise _NoNumber("exponent", most=MAX_EXPONENT)
    places = len(decimals) - exponent + percent
    amount = int(sign + digits)
    value = Fraction(amount, 10**places) if places > 0 else Fraction(amount * 10**-places)
    significant = len(digits.lstrip("0")) or len(decimals) + 1
    return value, places, significant


def same(first: Answer, second: Answer) -> bool:
    """Whether two answers to one question say the same."""
    if isinstance(first, Written) and isinstance(second, Written):
        return first.value == second.value
    if isinstance(first, Formula) and isinstance(second, Formula):
        return first.expr == second.expr
    return type(first) is type(second) and first.text == second.text


def unseen(text: str) -> str:
    """A name of a person or a column: spaces and invisible characters around it removed, composed letters as one."""
    plain = " ".join(text.strip(_INVISIBLE).split())
    if len(plain) > LONGEST_PERSON:
        plain = f"{plain[:LONGEST_PERSON]}… ({hashlib.sha256(plain.encode('utf-8', 'replace')).hexdigest()[:12]})"
    return harmless(plain if plain.isascii() else unicodedata.normalize("NFC", plain))
