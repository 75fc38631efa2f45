"""Files of answers as rows of cells: encodings, delimiters, quotes, and what spreadsheets leave behind."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from derive.check.phrases import Why
from derive.errors import DeriveError

LONGEST_LINE = 20_000_000
LONGEST_QUOTED = 20
"""A quoted cell goes on over at most so many lines."""

MOST_NOTES = 1000
IN_MEMORY = 8_000_000
DELIMITERS = ",;\t|"
_BLOCK = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT = {
    b"PK\x03\x04": "a spreadsheet or another packed file",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"%PDF": "a PDF",
}
_ACCEPTED = "CSV (as a spreadsheet program saves it), TOML or JSON"


@dataclass(slots=True)
class Notes:
    """What a person should know about a file, each thing once, with the number of times that it was met."""

    met: dict[str, int] = field(default_factory=dict)
    more: int = 0

    def add(self, message: str) -> None:
        if message in self.met or len(self.met) < MOST_NOTES:
            self.met[message] = self.met.get(message, 0) + 1
        else:
            self.more += 1

    def lines(self, most: int = 20) -> Iterator[str]:
        """The messages, the first `most` of them."""
        for message, count in list(self.met.items())[:most]:
            yield message if count == 1 else f"{message} ({count} times)"
        if len(self.met) > most:
            yield f"… and {len(self.met) - most + self.more} more messages"


class Source:
    """A file of answers or standard input, that can be read several times; raises DeriveError when it cannot be."""

    def __init__(self, name: str) -> None:
        self.name = "standard input" if name == "-" else name
        self.suffix = "" if name == "-" else Path(name).suffix.lower()
        self._path = Path(name)
        self._copy: IO[bytes] | None = None
        if name == "-":
            self._keep(sys.stdin.buffer)
        elif not self._path.exists():
            raise DeriveError(f"{name}: there is no such file; accepted: a file of answers, or -")
        elif self._path.is_dir():
            raise DeriveError(f"{name}: found a folder; accepted: a file of answers, or -")
        elif not self._path.is_file():
            with self._path.open("rb") as pipe:
                self._keep(pipe)

    def _keep(self, stream: IO[bytes]) -> None:
        self._copy = _copied(stream)
        weakref.finalize(self, self._copy.close)

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """The bytes from the start."""
        if self._copy is not None:
            self._copy.seek(0)
            yield self._copy
            return
        try:
            with self._path.open("rb") as file:
                yield file
        except OSError as error:
            raise DeriveError(f"{self.name}: cannot be read: {error.strerror or error}") from None

    def content(self, most: int) -> bytes | None:
        """All of it; None where it is more than `most` bytes."""
        with self.opened() as file:
            found = file.read(most + 1)
        return found if len(found) <= most else None

    def digest(self) -> str:
        """What stands for the content: equal for equal bytes."""
        found = hashlib.sha256()
        with self.opened() as file:
            while block := file.read(_BLOCK):
                found.update(block)
        return found.hexdigest()

    def encoding(self, notes: Notes) -> str:
        """The encoding of the text; raises DeriveError for what is no text."""
        with self.opened() as file:
            head = file.read(4096)
        for mark, what in _NO_TEXT.items():
            if head.startswith(mark):
                raise DeriveError(f"{self.name}: found {what}; accepted: {_ACCEPTED}")
        if not head.strip():
            raise DeriveError(f"{self.name}: found an empty file; accepted: {_ACCEPTED}")
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                return encoding
        if without_mark := _utf_16(head):
            notes.add(f"{self.name}: read as UTF-16")
            return without_mark
        place = self._first_wrong_byte()
        if place is None:
            return "utf-8"
        notes.add(f"{self.name}: read as Windows-1252, since line {place} is not UTF-8")
        return "cp1252"

    def _first_wrong_byte(self) -> int | None:
        """The line of the first byte that is not UTF-8."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        line = 1
        with self.opened() as file:
            while True:
                block = file.read(_BLOCK)
                try:
                    decoder.decode(block, final=not block)
                except UnicodeDecodeError as error:
                    return line + error.object.count(b"\n", 0, error.start)
                if not block:
                    return None
                line += block.count(b"\n")


def _copied(stream: IO[bytes]) -> IO[bytes]:
    """What a stream has, in memory where it is little, else in a file without a name."""
    head = stream.read(IN_MEMORY)
    if len(head) < IN_MEMORY:
        return io.BytesIO(head)
    copy = tempfile.TemporaryFile()  # noqa: SIM115  # closed with its Source
    copy.write(head)
    shutil.copyfileobj(stream, copy)
    return copy


def _utf_16(head: bytes) -> str:
    """The byte order of UTF-16 without a mark: every other byte of Latin text is zero."""
    if len(head) < 4 or head.count(0) * 3 < len(head):
        return ""
    return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row, the line where it begins, and why it cannot be used (None: it can)."""

    line: int
    cells: list[str]
    fault: Why | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A source with its encoding, delimiter and number of columns (0: unknown); `rows` reads it from the start."""

    source: Source
    encoding: str
    delimiter: str = ","
    width: int = 0

    def rows(self) -> Iterator[Row]:
        """Every row that is not empty."""
        with self.source.opened() as file:
            yield from _rows(numbered_lines(file, self.encoding), self.delimiter, self.width)


def first_lines(source: Source, encoding: str, most: int = 30) -> list[str]:
    """The first lines that are not empty."""
    found: list[str] = []
    with source.opened() as file:
        for _, text in numbered_lines(file, encoding):
            if text.strip(DELIMITERS + " \r\n\ufeff"):
                found.append(text.rstrip("\n"))
            if len(found) == most:
                break
    return found


def announced_delimiter(line: str) -> str:
    """The delimiter of the line "sep=;" that Excel writes; empty where it is no such line."""
    plain = line.strip().strip('"').lower()
    return plain[4] if plain.startswith("sep=") and len(plain) == 5 else ""


def cells_of(line: str, delimiter: str) -> list[str]:
    """The cells of one line; a quote that is never closed is a character like others."""
    if '"' not in line:
        return line.split(delimiter)
    return _quoted(line, delimiter) or line.split(delimiter)


def numbered_lines(file: IO[bytes], encoding: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; of a line that is too long the first part."""
    errors = "surrogateescape" if encoding == "cp1252" else "replace"
    text = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline=None)
    number = 0
    try:
        while line := text.readline(LONGEST_LINE):
            number += 1
            whole = line
            while len(whole) == LONGEST_LINE and not whole.endswith("\n"):
                whole = text.readline(LONGEST_LINE)
            if errors != "replace" and not line.isascii():
                line = _latin(line)
            yield number, line
    finally:
        text.detach()


def _latin(line: str) -> str:
    """The few bytes that Windows-1252 leaves undefined, as Latin-1 has them."""
    return "".join(chr(ord(char) - 0xDC00) if 0xDC80 <= ord(char) <= 0xDCFF else char for char in line)


def _rows(lines: Iterator[tuple[int, str]], delimiter: str, width: int) -> Iterator[Row]:
    waiting: list[tuple[int, str]] = []
    while True:
        number, line = waiting.pop(0) if waiting else next(lines, (0, ""))
        if not number:
            return
        if number == 1 and announced_delimiter(line):
            continue
        fault = Why("line") if len(line) >= LONGEST_LINE else None
        line = line.rstrip("\n")
        if '"' not in line:
            cells = line.split(delimiter)
        else:
            cells = _quoted(line, delimiter) or []
            cells = cells or _several_lines(line, lines, waiting, delimiter, width) or line.split(delimiter)
        if fault or any(cell and not cell.isspace() for cell in cells):
            yield Row(number, cells, fault)


def _several_lines(
    first: str, lines: Iterator[tuple[int, str]], waiting: list[tuple[int, str]], delimiter: str, width: int
) -> list[str] | None:
    """The cells of a row whose quoted cell goes on below; None where the quote is never closed in its place.

    A line that is a row by itself ends the attempt: a stray quote must not swallow other students.
    """
    whole = first
    for taken in range(LONGEST_QUOTED):
        if taken == len(waiting):
            following = next(lines, None)
            if following is None:
                return None
            waiting.append(following)
        line = waiting[taken][1].rstrip("\n")
        if 1 < width <= line.count(delimiter) + 1:
            return None
        whole += "\n" + line
        if '"' in line and (cells := _quoted(whole, delimiter)):
            del waiting[: taken + 1]
            return cells
    return None


def _quoted(text: str, delimiter: str) -> list[str] | None:
    """The cells of a row with quotes; None where the quotes do not fit together."""
    before = csv.field_size_limit(LONGEST_LINE * 2)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=True))
    except (csv.Error, StopIteration):
        return None
    finally:
        csv.field_size_limit(before)
