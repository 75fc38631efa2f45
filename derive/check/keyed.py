"""The answers of one student as TOML or JSON: names of quantities and what was written, digit for digit."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from derive.check.headers import role_of
from derive.check.tables import Notes, Source
from derive.check.written import unseen
from derive.errors import DeriveError

MOST_BYTES = 5_000_000

Keyed = tuple[str, str, dict[str, str]]
"""Student, variant, and the answers by the names that the file uses."""


def read_keyed(source: Source, notes: Notes) -> Keyed | None:
    """The student, the variant and the answers of a TOML or JSON file; None for a file that is neither.

    Raises DeriveError for a file that is meant as one of them and cannot be read.
    """
    said = {".toml": "toml", ".json": "json", ".csv": "", ".tsv": ""}.get(source.suffix)
    if said == "":
        return None
    content = source.content(MOST_BYTES)
    if content is None:
        if said:
            raise DeriveError(f"{source.name}: found more than {MOST_BYTES // 1_000_000} MB; accepted: a smaller file")
        return None
    if said is None and not _may_be_keyed(content):
        return None
    text = content.decode(source.encoding(notes), "replace").removeprefix("\ufeff")
    json_text = said == "json" or (said is None and text.lstrip().startswith("{"))
    data = _json(text, source.name) if json_text else _toml(text, source.name, certain=said == "toml")
    return None if data is None else _answers(data, source)


def _may_be_keyed(content: bytes) -> bool:
    head = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    return head[:1] in (b"{", b"[") or (b"=" in head and not head.lower().startswith((b"sep=", b'"sep=')))


def _json(text: str, place: str) -> Any:
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except ValueError as error:
        raise DeriveError(f'{place}: not JSON: {error}; accepted: {{"dE/dw5": "0.0822", …}}') from None
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


def _answers(data: Any, source: Source) -> Keyed:
    if not isinstance(data, Mapping):
        raise DeriveError(f'{source.name}: found a list; accepted: {{"dE/dw5": "0.0822", …}}')
    top = {str(name): value for name, value in data.items()}
    table = next((name for name in ("answers", "numbers") if isinstance(top.get(name), Mapping)), None)
    inside = top.pop(table) if table else {}
    student = "" if source.suffix == "" else Path(source.name).stem
    variant = ""
    for name, value in (top | dict(inside)).items():
        if isinstance(value, (Mapping, list)):
            accepted = "a text or a number for each quantity"
            raise DeriveError(f'{source.name}: "{name[:80]}" holds a list or a table; accepted: {accepted}')
    for name in list(top):
        role = role_of(name)
        if role in ("student", "variant"):
            value = unseen(_text(top.pop(name)))
            student, variant = (value, variant) if role == "student" else (student, value)
    top.pop("title", None)
    written = {name: _text(value) for name, value in (top | dict(inside)).items()}
    return student or "(no name)", variant, written


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
