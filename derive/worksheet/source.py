"""Where a sheet comes from: the text of a problem file, kept so that the sheet can be made again from it alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from derive.problem.file import from_dict, mapping_of, text_of
from derive.problem.model import Problem

WORDS = frozenset({"title", "topic", "prose", "ask", "notation", "sheet"})
"""Keys that change what is printed or asked, and no number: ids stay the same when they change."""


@dataclass(frozen=True, slots=True)
class Source:
    """A problem file as text; `rounding` takes the place of entries of its [rounding]."""

    name: str
    text: str
    rounding: Mapping[str, int | str]

    def data(self) -> dict[str, Any]:
        """The file as a mapping; raises ProblemError."""
        data = dict(mapping_of(self.text, self.name))
        if self.rounding:
            kept = dict(data.get("rounding", {}))
            if "decimals" in self.rounding or "significant" in self.rounding:
                kept = {key: kept[key] for key in kept if key not in ("decimals", "significant")}
            data["rounding"] = {**kept, **self.rounding}
        return data

    def problem(self) -> Problem:
        """The problem; raises ProblemError with every mistake of the file."""
        return from_dict(self.data(), self.name)

    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of everything in the file that can change a number."""
        data = {key: value for key, value in self.data().items() if key not in WORDS}
        return sha256(json.dumps(_plain(data), sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def read_source(name: str, rounding: Mapping[str, int | str] | None = None) -> Source:
    """The source that a bundled name, a path or - stands for; raises ProblemError."""
    return Source(name, text_of(name), rounding or {})


def joint_fingerprint(fingerprints: list[str]) -> str:
    """Of several problems on one sheet."""
    return fingerprints[0] if len(fingerprints) == 1 else sha256("\n".join(fingerprints).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Numbers as they were written, so that no float decides about a fingerprint."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, bool | str):
        return value
    if isinstance(value, Decimal):
        return {"number": format(value, "f")}
    return {"number": str(value)}
