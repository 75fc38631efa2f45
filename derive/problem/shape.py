"""What a key may hold, described once: how it is read, how it is refused and its JSON Schema come from one table.

A `Shape` reads a value that TOML (or JSON) gave.  What it refuses goes to the `Report` with its place, and reading goes
on, so that a file with five mistakes shows five.  A shape returns None exactly when it reported something itself,
except that a table returns what is good in it and names its wrong keys.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Generic, TypeVar

from derive.errors import Mistake, nearest
from derive.formula.expression import Number

T = TypeVar("T")
Schema = Mapping[str, Any]

MOST_DIGITS = 60
LARGEST_EXPONENT = 300
LONGEST_NAME = 40
MOST_MISTAKES = 1000
MOST_SUGGESTIONS = 50
NAME_REMEDY = 'a name of letters, digits and "_" that begins with a letter, for example hours_studied'
NAME_PATTERN = r"[^\s0-9_!-/:-@\[-`{-~][^\s!-/:-@\[-^`{-~]*"
BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")


@dataclass(slots=True)
class Report:
    """The mistakes found so far; of a flood of them the first thousand are kept, and `more` counts the rest."""

    mistakes: list[Mistake] = field(default_factory=list)
    more: int = 0

    def add(self, place: str, found: str, accepted: str) -> None:
        if len(self.mistakes) < MOST_MISTAKES:
            self.mistakes.append(Mistake(place, found, accepted))
        else:
            self.more += 1

    def suggestion(self, word: str, known: Iterable[str]) -> str:
        """The nearest known word, looked for only while there are few mistakes: it takes time."""
        return suggestion(word, known) if len(self.mistakes) < MOST_SUGGESTIONS else ""


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """One kind of value.

    accepted  the words that follow "accepted:" in a message
    schema    the JSON Schema of the value
    takes     whether a value is of the type that this shape is about (not yet whether it is right)
    read      the value as the package holds it; reports at a place and returns None when it is wrong
    """

    accepted: str
    schema: Schema
    takes: Callable[[object], bool]
    read: Callable[[object, str, Report], T | None]


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a table: what it holds, whether it must be there, and a sentence about it for the JSON Schema."""

    shape: Shape[Any]
    about: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """What was read of a table: `values` by key, and the keys whose values were refused."""

    values: Mapping[str, Any]
    wrong: frozenset[str] = frozenset()

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def __contains__(self, key: str) -> bool:
        """Whether the key was written, rightly or wrongly."""
        return key in self.values or key in self.wrong


@dataclass(frozen=True, slots=True)
class Grid(Generic[T]):
    """A list of rows; `flat` when it was written as one plain list, which is then the only row."""

    rows: tuple[tuple[T, ...], ...]
    flat: bool


def join(place: str, key: str) -> str:
    step = key if re.fullmatch(r"[\w-]+", key) else quote(key)
    return f"{place}.{step}" if place else step


def quote(text: str) -> str:
    """The text in quotes for a message: shortened, and with nothing in it that a terminal would obey."""
    short = text if len(text) <= 60 else text[:57] + "…"
    return '"' + "".join(_visible(char) for char in short) + '"'


def _visible(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")


def shown(value: object) -> str:
    """What was found, in words."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"the number {value}" if value.bit_length() < 200 else "a number of more than 60 digits"
        case float() | Decimal() | Fraction():
            text = str(value)
            return f"the number {text}" if len(text) <= 80 else f"a number of {len(text)} characters"
        case str():
            return f"the text {quote(value)}" if value else "an empty text"
        case list() | tuple():
            return f"a list of {len(value)}" if value else "an empty list"
        case Mapping():
            return "a table" if value else "an empty table"
        case _:
            return f"a {type(value).__name__}"


def in_words(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def suggestion(word: str, known: Iterable[str], also: Mapping[str, str] | None = None) -> str:
    """' (did you mean "relu"?)' for "ReLU", "leaky_relu" or a misspelt word; `also` maps other people's names."""
    known = tuple(known)
    plain = {_plain(name): name for name in known} | {_plain(name): right for name, right in (also or {}).items()}
    same = plain.get(_plain(word))
    return f' (did you mean "{same}"?)' if same else nearest(word[:100].lower(), known) or nearest(word[:100], known)


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "", word).casefold()


def is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal, Fraction)) and not isinstance(value, bool)


def exact(value: object) -> Number | str:
    """The number exactly as written, or why it cannot be used."""
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        return _exact_decimal(value)
    if isinstance(value, int) and value.bit_length() > 1000:
        return "a number beyond 1e300"
    if isinstance(value, (int, Fraction)):
        number = Fraction(value)
        if max(number.numerator.bit_length(), number.denominator.bit_length()) > 1000:
            return "a fraction of more than 300 digits"
        written = str(value) if number.denominator == 1 else ""
        if len(written.strip("-").rstrip("0")) > MOST_DIGITS:
            return f"a number of {len(written)} digits"
        return Number(number, written)
    return shown(value)


def _exact_decimal(value: Decimal) -> Number | str:
    if not value.is_finite():
        return shown(value)
    _, digits, exponent = value.as_tuple()
    if len(digits) > MOST_DIGITS:
        return f"a number of {len(digits)} digits"
    outside = not -LARGEST_EXPONENT <= (int(exponent) if value.is_zero() else value.adjusted()) < LARGEST_EXPONENT
    if outside:
        return f"{shown(value)}, too large or too small to be used"
    if value.is_zero():
        value = value.copy_abs() if int(exponent) <= 0 else Decimal(0)
    return Number(Fraction(value), format(value, "f"))


def number(
    accepted: str = "a number", *, above: int | None = None, least: int | None = None, nonzero: bool = False
) -> Shape[Number]:
    """A finite number between 1e-300 and 1e300 in size (or 0) with at most 60 digits, kept exactly as written."""
    limits = f"{accepted} of at most {MOST_DIGITS} digits, smaller than 1e{LARGEST_EXPONENT}; no NaN, no infinity"

    def read(value: object, place: str, report: Report) -> Number | None:
        found = exact(value) if is_number(value) else shown(value)
        if isinstance(found, str):
            report.add(place, found, limits if is_number(value) else accepted)
            return None
        too_low = (above is not None and found.value <= above) or (least is not None and found.value < least)
        if too_low or (nonzero and found.value == 0):
            report.add(place, shown(value), accepted)
            return None
        return found

    schema: dict[str, Any] = {"type": "number"}
    if above is not None:
        schema["exclusiveMinimum"] = above
    if least is not None:
        schema["minimum"] = least
    if nonzero:
        schema["not"] = {"const": 0}
    return Shape(accepted, schema, is_number, read)


def whole(least: int, most: int) -> Shape[int]:
    accepted = f"a whole number from {least} to {most}"

    def read(value: object, place: str, report: Report) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        report.add(place, shown(value), accepted)
        return None

    return Shape(accepted, {"type": "integer", "minimum": least, "maximum": most}, is_number, read)


def flag() -> Shape[bool]:
    def read(value: object, place: str, report: Report) -> bool | None:
        if isinstance(value, bool):
            return value
        report.add(place, shown(value), "true or false")
        return None

    return Shape("true or false", {"type": "boolean"}, lambda value: isinstance(value, bool), read)


def is_text(value: object) -> bool:
    return isinstance(value, str)


def checked_text(accepted: str, schema: Schema, why_not: Callable[[str], str | tuple[str, str] | None]) -> Shape[str]:
    """A text for which `why_not` gives nothing; else what was found, or a pair of that and what is accepted."""

    def read(value: object, place: str, report: Report) -> str | None:
        reason = why_not(value) if isinstance(value, str) else shown(value)
        if reason is None:
            return str(value)
        found, remedy = reason if isinstance(reason, tuple) else (reason, accepted)
        report.add(place, found, remedy)
        return None

    return Shape(accepted, {"type": "string", **schema}, is_text, read)


def text(most: int, *, lines: bool = False) -> Shape[str]:
    """Anything printable; with `lines`, line breaks and tabs too."""
    accepted = f"a text of at most {most} characters without control characters"

    def why_not(value: str) -> str | None:
        if len(value) > most:
            return f"a text of {len(value)} characters"
        for char in value:
            if _controls(char) and not (lines and char in "\n\t"):
                return f"the text {quote(value)} with the control character U+{ord(char):04X}"
        return None

    return checked_text(accepted, {"maxLength": most}, why_not)


def _controls(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs"} or char in BIDIRECTIONAL


def word(
    known: Sequence[str], *, later: Collection[str] = (), also: Mapping[str, str] | None = None, what: str = "word"
) -> Shape[str]:
    """One of the known words; `later` are words of the format that this version has nothing for."""
    accepted = in_words(known)

    def why_not(value: str) -> str | None:
        if value in known:
            return None
        if value in later:
            return f'"{value}" is not available in this version'
        return f"unknown {what} {quote(value)}{suggestion(value, known, also)}"

    return checked_text(accepted, {"enum": list(known)}, why_not)


def name_fault(value: str, *, digits: bool, reserved: Collection[str] = ()) -> str | None:
    """What is wrong with a name; with `digits`, one of digits only ("4") is a name too."""
    if len(value) > LONGEST_NAME:
        return f"a name of {len(value)} characters (at most {LONGEST_NAME})"
    letters = value[:1].isalpha() and all(char.isalpha() or char in "0123456789_" for char in value)
    if not letters and not (digits and re.fullmatch("[0-9]+", value)):
        return f"the name {quote(value)}" if value else "an empty name"
    if value in reserved:
        return f"the name {quote(value)}, which is the name of a function"
    return None


def name(*, digits: bool = False, empty: bool = False, reserved: Collection[str] = ()) -> Shape[str]:
    """A name; with `empty`, "" is accepted too (there is nothing at that place)."""
    accepted = NAME_REMEDY + (', or digits only, for example "4"' if digits else "") + (', or ""' if empty else "")
    choices = [NAME_PATTERN, *(["[0-9]+"] if digits else []), *([""] if empty else [])]
    schema = {"pattern": f"^({'|'.join(choices)})$", "maxLength": LONGEST_NAME}

    def why_not(value: str) -> str | None:
        return None if empty and not value else name_fault(value, digits=digits, reserved=reserved)

    return checked_text(accepted, schema, why_not)


def is_list(value: object) -> bool:
    return isinstance(value, (list, tuple))


def list_of(item: Shape[T], accepted: str, *, least: int = 0, most: int = 10_000) -> Shape[tuple[T, ...]]:
    def read(value: object, place: str, report: Report) -> tuple[T, ...] | None:
        if not isinstance(value, (list, tuple)) or not least <= len(value) <= most:
            limit = f", at most {most} entries" if isinstance(value, (list, tuple)) and len(value) > most else ""
            report.add(place, shown(value), accepted + limit)
            return None
        items = [item.read(entry, f"{place}[{i}]", report) for i, entry in enumerate(value, 1)]
        right = tuple(entry for entry in items if entry is not None)
        return right if len(right) == len(items) else None

    schema = {"type": "array", "items": item.schema, "minItems": least, "maxItems": most}
    return Shape(accepted, schema, is_list, read)


def grid_of(item: Shape[T], accepted: str) -> Shape[Grid[T]]:
    """A plain list, or a list of rows; neither may be empty."""
    row = list_of(item, f"a row of {accepted}", least=1, most=100_000)

    def read(value: object, place: str, report: Report) -> Grid[T] | None:
        if isinstance(value, (list, tuple)) and any(is_list(entry) for entry in value):
            rows = [row.read(entry, f"{place}[{i}]", report) for i, entry in enumerate(value, 1)]
            right = tuple(entry for entry in rows if entry is not None)
            return Grid(right, flat=False) if len(right) == len(rows) else None
        flat = list_of(item, f"a list of {accepted}, or a list of rows", least=1, most=100_000)
        entries = flat.read(value, place, report)
        return None if entries is None else Grid((entries,), flat=True)

    rows_schema = {"type": "array", "items": row.schema, "minItems": 1}
    return Shape(f"a list of {accepted}, or a list of rows", {"anyOf": [row.schema, rows_schema]}, is_list, read)


def either(*shapes: Shape[Any], accepted: str = "") -> Shape[Any]:
    """The first shape that takes values of the type found."""
    words = accepted or "; or ".join(shape.accepted for shape in shapes)

    def read(value: object, place: str, report: Report) -> Any:
        for shape in shapes:
            if shape.takes(value):
                return shape.read(value, place, report)
        report.add(place, shown(value), words)
        return None

    schema = {"anyOf": [shape.schema for shape in shapes]}
    return Shape(words, schema, lambda value: any(shape.takes(value) for shape in shapes), read)


def is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def table(keys: Mapping[str, Key], accepted: str = "") -> Shape[Table]:
    """A table with these keys and no others."""
    words = accepted or f"a table with the keys {', '.join(keys)}"

    def read(value: object, place: str, report: Report) -> Table | None:
        if not isinstance(value, Mapping):
            report.add(place, shown(value), words)
            return None
        return read_keys(keys, value, place, report)

    schema = {
        "type": "object",
        "properties": {key: {"description": entry.about, **entry.shape.schema} for key, entry in keys.items()},
        "required": [key for key, entry in keys.items() if entry.required],
        "additionalProperties": False,
    }
    return Shape(words, schema, is_table, read)


def read_keys(keys: Mapping[str, Key], value: Mapping[Any, object], place: str, report: Report) -> Table:
    values, wrong = {}, set()
    for key, held in value.items():
        if key not in keys:
            report.add(
                join(place, str(key)), f"unknown key{report.suggestion(str(key), keys)}", f"the keys {', '.join(keys)}"
            )
            continue
        read = keys[key].shape.read(held, join(place, key), report)
        if read is None:
            wrong.add(key)
        else:
            values[key] = read
    for key, entry in keys.items():
        if entry.required and key not in value:
            report.add(join(place, key), "missing", entry.shape.accepted)
            wrong.add(key)
    return Table(values, frozenset(wrong))


def entries_of(key: Shape[str], item: Shape[Any], accepted: str, *, least: int = 0, most: int = 1000) -> Shape[Table]:
    """A table whose keys are free names."""

    def read(value: object, place: str, report: Report) -> Table | None:
        if not isinstance(value, Mapping) or not least <= len(value) <= most:
            too_many = isinstance(value, Mapping) and len(value) > most
            report.add(place, shown(value), f"{accepted}, at most {most} entries" if too_many else accepted)
            return None
        values, wrong = {}, set()
        for entry, held in value.items():
            named = key.read(entry, join(place, str(entry)), report)
            found = item.read(held, join(place, str(entry)), report)
            if named is None or found is None:
                wrong.add(str(entry))
            else:
                values[named] = found
        return Table(values, frozenset(wrong))

    schema = {
        "type": "object",
        "propertyNames": key.schema,
        "additionalProperties": item.schema,
        "minProperties": least,
        "maxProperties": most,
    }
    return Shape(accepted, schema, is_table, read)
