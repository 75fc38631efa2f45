"""The students of a class, from a CSV file."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from pathlib import Path

from derive.errors import DeriveError

WHOLE = ("student", "name", "full name")
FIRST = ("first name", "firstname", "given name", "first", "vorname")
LAST = ("last name", "lastname", "surname", "family name", "last", "nachname", "familienname")
LONGEST = 200
MOST_BYTES = 20_000_000
LONGEST_STEM = 90
"""Bytes of a name in that of a file; systems allow 255 for all of it."""

_LETTERS = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "ŋ": "n",
    "ŧ": "t", "ə": "e", "ɓ": "b", "ɗ": "d", "ƙ": "k",
}  # fmt: skip
"""Latin letters that are no letter with a mark."""


def read_roster(path: str) -> tuple[str, ...]:
    """The names in the order of the file; raises DeriveError.

    The file has a column "student" or "name", or two such as "first name" and "last name" (a "name" beside a first name
    is the last name), or a single column without a heading; commas, semicolons or tabs stand between columns.
    """
    rows = _rows(path, _text(path))
    if not rows:
        raise DeriveError(f"{path}: no students; accepted: a CSV file with a column student")
    header = [cell.strip().casefold() for cell in rows[0]]
    columns = _columns(header)
    if columns is None and max(map(len, rows)) > 1:
        found = ", ".join(f'"{cell.strip()}"' for cell in rows[0])
        raise DeriveError(f'{path}: line 1: the columns {found}; accepted: a column "student" or "name"')
    body = rows if columns is None else rows[1:]
    names = [" ".join(" ".join(row[place] for place in columns or (0,) if place < len(row)).split()) for row in body]
    return _checked(path, [name for name in names if name])


def _text(path: str) -> str:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise DeriveError(f"{path}: cannot be read: {error.strerror or error}; accepted: a CSV file") from None
    if len(content) > MOST_BYTES:
        raise DeriveError(f"{path}: a file of more than {MOST_BYTES // 1_000_000} MB; accepted: a list of students")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DeriveError(f"{path}: line {line}: not UTF-8; accepted: the file saved as CSV UTF-8") from None


def _rows(path: str, text: str) -> list[list[str]]:
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise DeriveError(f"{path}: not CSV: {error}; accepted: a CSV file with a column student") from None
    return [row for row in rows if any(cell.strip() for cell in row)]


def _columns(header: list[str]) -> tuple[int, ...] | None:
    """The columns that a name is made of; None where no heading says so."""
    first = next((header.index(word) for word in FIRST if word in header), None)
    last = next((header.index(word) for word in LAST if word in header), None)
    if first is not None and last is None and "name" in header and not {"student", "full name"} & set(header):
        last = header.index("name")
    else:
        for word in WHOLE:
            if word in header:
                return (header.index(word),)
    found = tuple(place for place in (first, last) if place is not None)
    return found or None


def _checked(path: str, names: list[str]) -> tuple[str, ...]:
    if not names:
        raise DeriveError(f"{path}: no students; accepted: a CSV file with a column student")
    for name in names:
        if len(name) > LONGEST or any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
            raise DeriveError(f"{path}: {name[:60]!r} is no name; accepted: at most {LONGEST} visible characters")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DeriveError(
            f'{path}: "{twice[0]}" stands there twice; accepted: names that differ, for example with a number'
        )
    return tuple(names)


def file_stem(student: str, variant: str) -> str:
    """A file name for a sheet: the name, Latin letters in plain ones, and the id, which no other sheet has."""
    words = re.sub("-+", "-", "".join(map(_in_file_names, unicodedata.normalize("NFC", student)))).strip("-")
    while len(words.encode()) > LONGEST_STEM:
        words = words[:-1].rstrip("-")
    return f"{words}-{variant}" if words else variant


def _in_file_names(char: str) -> str:
    """Small letters and digits; letters of other scripts stay, whatever else becomes a hyphen."""
    plain = _LETTERS.get(char.lower()) or unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    if plain:
        return re.sub("[^a-z0-9]+", "-", plain.lower())
    return char.lower() if char.isalnum() or unicodedata.category(char) in ("Mn", "Mc") else "-"
