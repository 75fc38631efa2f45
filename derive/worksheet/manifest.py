"""The manifest of a folder: how its sheets were made, which there are, the hash of every file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from derive import __version__
from derive.errors import DeriveError
from derive.worksheet.folder import Folder
from derive.worksheet.formats import FORMATS
from derive.worksheet.plan import Plan
from derive.worksheet.press import Entry

EXTRAS = {"math-core": "html", "typst": "pdf", "text2qti": "qti"}


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a folder has been promised by an earlier run.

    complete  whether that run came to its end
    hashes    of the files that it is known to have written
    """

    entries: tuple[Entry, ...] = ()
    searched: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = False
    hashes: Mapping[str, str] = field(default_factory=dict)


def earlier(plan: Plan, folder: Folder, count: int, students: Sequence[str]) -> Earlier | None:
    """What is there of these sheets; refuses a folder with other ones."""
    data = folder.manifest()
    if data is None:
        return None
    entries = entries_of(data)
    names = [entry.student for entry in entries]
    different = list(_different(data["plan"], json.loads(json.dumps(plan.as_data()))))
    if len(entries) > count:
        different.append("number of sheets")
    elif names != (list(students)[: len(names)] if students else [""] * len(names)):
        different.append("list of students")
    if different:
        raise DeriveError(
            f"{folder.path}: holds {len(entries)} other sheets (seed {data['plan'].get('seed')}), with another "
            f"{', '.join(different)}; accepted: another folder, or the same command, with more students at the end of "
            "the list at most"
        )
    return Earlier(tuple(entries), data["search"], bool(data.get("complete")), data["files"])


def _different(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """The settings of two plans that are not the same, by their names."""
    for name in dict.fromkeys((*before, *now)):
        old, new = before.get(name), now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _different(old, new)
        elif old != new:
            yield name


def entries_of(manifest: Mapping[str, Any]) -> list[Entry]:
    """The sheets that a manifest lists."""
    try:
        return [Entry(int(sheet["place"]), str(sheet.get("student", ""))) for sheet in manifest["sheets"]]
    except (KeyError, TypeError, ValueError) as error:
        raise DeriveError(f"the manifest is damaged ({error}); accepted: one that derive wrote") from None


class Manifest:
    """The manifest of a run, while its files are written."""

    def __init__(self, plan: Plan, entries: Sequence[Entry], searched: Mapping[str, Any]) -> None:
        self.plan, self.entries, self.searched = plan, entries, searched
        self.hashes: dict[str, str] = {}
        self.ids = plan.space.ids_at(plan.seed, (entry.place for entry in entries))

    def text(self, *, complete: bool) -> bytes:
        """What the file holds; all of the files are listed when the run is complete, those known before until then."""
        data = {
            "format": 1,
            "complete": complete,
            "versions": _versions(self.plan),
            "fingerprint": self.plan.space.fingerprint,
            "plan": self.plan.as_data(),
            "templates": _templates(self.plan),
            "search": self.searched,
            "sheets": _sheets(self.ids, self.entries),
            "files": dict(sorted(self.hashes.items())),
        }
        return _lines_of_json(data).encode()


def faults(plan: Plan, data: Mapping[str, Any], hashes: Mapping[str, str]) -> list[str]:
    """What a complete manifest says that does not follow from its plan and places; `hashes` are those of its files."""
    entries = entries_of(data)
    ids = plan.space.ids_at(plan.seed, (entry.place for entry in entries))
    parts: dict[str, object] = {
        "fingerprint": plan.space.fingerprint,
        "templates": _templates(plan),
        "sheets": _sheets(ids, entries),
    }
    found = [f'its entry "{key}" was changed' for key, value in parts.items() if data.get(key) != value]
    listed = data["files"]
    if set(listed) != set(hashes):
        odd = min(set(listed) ^ set(hashes))
        why = "is no file of these sheets" if odd in listed else "is not in it"
        found.append(f"its list of files was changed: {odd} {why}")
    return found


def _sheets(ids: Sequence[str], entries: Sequence[Entry]) -> list[dict[str, Any]]:
    return [
        {"variant": variant, "place": entry.place} | ({"student": entry.student} if entry.student else {})
        for variant, entry in zip(ids, entries, strict=True)
    ]


def _templates(plan: Plan) -> dict[str, str]:
    return {name: sha256(text.encode()).hexdigest() for name, text in plan.style.templates}


def _versions(plan: Plan) -> dict[str, str]:
    import sympy

    return {
        "derive": __version__,
        "numpy": np.__version__,
        "python": sys.version.split()[0],
        "sympy": sympy.__version__,
    } | {name: _installed(name) for name in FORMATS[plan.style.format].parts}


def _installed(package: str) -> str:
    """The version of a package that a format is made with; raises DeriveError where it is missing."""
    try:
        return version(package)
    except PackageNotFoundError:
        raise DeriveError(f'this format needs {package}: pip install "derive-nn[{EXTRAS[package]}]"') from None


_json = json.JSONEncoder(ensure_ascii=False).encode


def _lines_of_json(data: Mapping[str, Any]) -> str:
    """JSON with a line for each sheet and for each file, as thousands of them are read by people too."""
    parts = []
    for key, value in data.items():
        if key == "sheets":
            text = "[\n " + ",\n ".join(map(_json, value)) + "\n]"
        elif key == "files" and value:
            text = "{\n " + ",\n ".join(f"{_json(name)}: {_json(digest)}" for name, digest in value.items()) + "\n}"
        elif key in ("plan", "versions", "search"):
            text = json.dumps(value, ensure_ascii=False, indent=1)
        else:
            text = _json(value)
        parts.append(f"{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
