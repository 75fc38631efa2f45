"""Answers as TOML, JSON or JSON lines: names of quantities and what was written, digit for digit.

One student is {"dE/dw5": "0.0822", …}, the answers in a table of their own where there is more to say.  A class is a
list of such objects, an object of them by student, or one a line; each may also be {"student", "quantity", "answer"}.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from derive.check.headers import Role, role_of, surest
from derive.check.phrases import Why
from derive.check.tables import Notes, Source, first_lines, numbered_lines
from derive.check.written import shortened, unseen
from derive.errors import DeriveError

MOST_BYTES = 20_000_000

Key = tuple[str, str]
"""A student and the variant."""

Entry = tuple[str, str, int, Why | None]
"""A quantity as it is called in the file, the answer, its line (0: none), and why it cannot be used (None: it can).

An entry without a quantity stands for all that are expected.
"""

Record = tuple[Key, list[Entry]]
Records = Callable[[], Iterator[Record]]
"""The entries of students, from the start at every call; those of one student need not stand together."""

_ONE = '{"dE/dw5": "0.0822", …}'
_MANY = '[{"student": "…", "dE/dw5": "0.0822", …}, …]'
_NESTED = "a text or a number for each quantity"
_LINES = (".jsonl", ".ndjson")
_FORMS: Mapping[str, str] = {
    ".toml": "toml", ".json": "json", **dict.fromkeys(_LINES, "lines"), ".csv": "table", ".tsv": "table"
}  # fmt: skip
_JSON = re.compile(r"\s*(\{|\[\s*[\]{])")
_CLASS = ("students", "class", "sheets")
_INSIDE = ("answers", "numbers")


class _Object(list[tuple[str, Any]]):
    """The names and values of a JSON object, a name that is there twice included."""


def read_keyed(source: Source, notes: Notes) -> Records | None:
    """The answers of a TOML or JSON file, of one student or of a class; None for a file that is neither.

    Raises DeriveError for a file that is meant as one of them and cannot be read.
    """
    said = _FORMS.get(source.suffix, "")
    if said == "table":
        return None
    if said == "lines" or (said != "toml" and _is_lines(source)):
        return partial(_of_lines, source, source.encoding(notes))
    content = source.content(MOST_BYTES)
    if content is None:
        if said:
            most = f"{MOST_BYTES // 1_000_000} MB"
            raise DeriveError(f"{source.name}: found more than {most}; accepted: CSV or JSON lines of any size")
        return None
    if not said and not _may_be_keyed(content):
        return None
    text = content.decode(source.encoding(notes), "replace").removeprefix("\ufeff")
    is_json = said == "json" or (not said and _JSON.match(text) is not None)
    data = _json(text, source.name) if is_json else _toml(text, source.name, certain=said == "toml")
    if data is None:
        return None
    records = list(_students(data, source))
    return lambda: iter(records)


def _may_be_keyed(content: bytes) -> bool:
    head = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    return head[:1] in (b"{", b"[") or (b"=" in head and not head.lower().startswith((b"sep=", b'"sep=')))


# --- text -------------------------------------------------------------------------------------------------------------


def _loaded(text: str) -> Any:
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_Object)


def _json(text: str, place: str) -> Any:
    try:
        return _loaded(text)
    except ValueError as error:
        raise DeriveError(f"{place}: not JSON: {error}; accepted: {_ONE} or {_MANY}") from None
    except RecursionError:
        raise DeriveError(f"{place}: found brackets that are nested too deeply; accepted: names and answers") from None


def _toml(text: str, place: str, *, certain: bool) -> Any:
    try:
        return tomllib.loads(text, parse_float=lambda written: written.replace("_", ""))
    except (ValueError, RecursionError) as error:
        if not certain:
            return None
        raise DeriveError(
            f'{place}: not TOML: {error}; accepted: lines such as "dE/dw5" = "0.0822", the name in quotes'
        ) from None


# --- lines of JSON ----------------------------------------------------------------------------------------------------


def _is_lines(source: Source) -> bool:
    """Whether the first line is an object by itself, and another begins below it."""
    lines = first_lines(source, source.encoding(Notes()), 2)
    if len(lines) < 2 or not all(line.lstrip("\ufeff ").startswith("{") for line in lines):
        return False
    return _line(lines[0]) is not None


def _line(text: str) -> _Object | None:
    try:
        found = _loaded(text.strip().removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, _Object) else None


def _of_lines(source: Source, encoding: str) -> Iterator[Record]:
    with source.opened() as file:
        for number, text in numbered_lines(file, encoding):
            if not text.strip(" \t\r\n\ufeff"):
                continue
            nobody = f"(no name, line {number})"
            found = _line(text)
            yield _record(found, nobody, number) if found is not None else _unusable(nobody, number, text)


def _unusable(nobody: str, line: int, text: str) -> Record:
    return (nobody, ""), [("", shortened(text.strip())[:80], line, Why("no-object"))]


# --- objects ----------------------------------------------------------------------------------------------------------


def _students(data: Any, source: Source) -> Iterator[Record]:
    """The students of a file; raises DeriveError for one that holds no answers in any of the forms."""
    own = Path(source.name).stem if source.suffix else "(no name)"
    top = _pairs(data)
    if top is None:
        yield from _of_list(data, source.name)
        return
    held = next(((name, value) for name, value in top if name.lower() in _CLASS and _is_class(value)), None)
    if held:
        of_class = _pairs(held[1])
        yield from _of_list(held[1], source.name) if of_class is None else _by_student(of_class)
    elif _are_students(top):
        yield from _by_student(top)
    else:
        yield _only_one(top, own, source.name)


def _pairs(value: Any) -> list[tuple[str, Any]] | None:
    """The names and values of an object or a table."""
    if isinstance(value, _Object):
        return value
    return [(str(name), part) for name, part in value.items()] if isinstance(value, Mapping) else None


def _are_students(top: list[tuple[str, Any]]) -> bool:
    """Whether every name has answers below it, or nothing."""
    if any(name in _INSIDE for name, _ in top):
        return False
    values = [value for _, value in top if value is not None]
    return bool(values) and all(map(_is_class, values))


def _is_class(value: Any) -> bool:
    """An object, or a list of objects."""
    if _pairs(value) is not None:
        return True
    return isinstance(value, list) and bool(value) and all(_pairs(part) is not None for part in value)


def _of_list(items: Any, place: str) -> Iterator[Record]:
    if not isinstance(items, list) or not any(_pairs(item) is not None for item in items):
        found = ("a list without objects" if items else "an empty list") if isinstance(items, list) else "one value"
        raise DeriveError(f"{place}: found {found}; accepted: {_ONE} or {_MANY}")
    for number, item in enumerate(items, 1):
        nobody = f"(no name, entry {number})"
        pairs = _pairs(item)
        yield _record(pairs, nobody) if pairs is not None else _unusable(nobody, 0, _text(item))


def _by_student(students: list[tuple[str, Any]]) -> Iterator[Record]:
    """The students of {"Ada": {"dE/dw5": "0.0822"}, …}; the answers of one may be a list of rows."""
    for name, value in students:
        student = unseen(name) or "(no name)"
        if value is None:
            yield (student, ""), []
        elif not _is_class(value):
            yield _unusable(student, 0, _text(value))
        else:
            for pairs in (_pairs(part) or [] for part in ([value] if _pairs(value) is not None else value)):
                (_, variant), entries = _record(pairs, student)
                yield (student, variant), entries


def _only_one(top: list[tuple[str, Any]], own: str, place: str) -> Record:
    """The one student of a file, which is named after them where it does not say who it is."""
    inside = next((pairs for name, value in top if name in _INSIDE and (pairs := _pairs(value)) is not None), [])
    for name, value in [pair for pair in top if pair[0] not in _INSIDE or not inside] + inside:
        if _is_nested(value) and not (name in _INSIDE and _is_class(value)):
            raise DeriveError(f'{place}: "{shortened(name)[:80]}" holds a list or a table; accepted: {_NESTED}')
    return _record(top, own)


def _is_nested(value: Any) -> bool:
    return isinstance(value, (Mapping, list))


def _record(pairs: list[tuple[str, Any]], nobody: str, line: int = 0) -> Record:
    """The student, the variant and the entries of an object."""
    of_role: dict[Role, str] = {}
    for name, value in pairs:
        if (role := role_of(name)) and not _is_nested(value) and surest(name, role, of_role.get(role)):
            of_role[role] = name
    values = dict(pairs)
    student, variant = (unseen(_text(values.get(of_role.get(role, "")))) for role in ("student", "variant"))
    key = (student or nobody, variant)
    if "quantity" in of_role and "answer" in of_role:
        return key, [(_text(values[of_role["quantity"]]), _text(values[of_role["answer"]]), line, None)]
    entries: list[Entry] = []
    for name, value in pairs:
        inside = _is_nested(value) and name in _INSIDE
        if inside and (of_table := _pairs(value)) is not None:
            entries.extend(_entry(part, answer, line) for part, answer in of_table)
        elif inside and _is_class(value):
            entries.extend(entry for row in value for entry in _record(_pairs(row) or [], "", line)[1])
        elif role_of(name) not in ("student", "variant") and name != "title":
            entries.append(_entry(name, value, line))
    return key, entries


def _entry(name: str, value: Any, line: int) -> Entry:
    return name, _text(value), line, Why("nested") if _is_nested(value) else None


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if _is_nested(value) else str(value)
