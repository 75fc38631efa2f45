"""A run: as many sheets as are asked for, in a folder that says of itself how it was made.

The folder can be checked (`verify`), and a run that was stopped goes on where it stopped: what is there stays.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from derive import __version__
from derive.errors import DeriveError
from derive.worksheet.folder import MANIFEST, Folder, Replacing
from derive.worksheet.formats import FORMATS
from derive.worksheet.plan import Plan, plan_from
from derive.worksheet.press import Entry, Made, Press
from derive.worksheet.report import report
from derive.worksheet.roster import file_stem
from derive.worksheet.search import Chunk, Found, look, search
from derive.worksheet.workers import Workers

BATCH = 500
"""So many sheets are made together."""
FEW = 4
"""So many documents are compiled together."""

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did: the sheets of the folder, how many files are new, what the search for variants found."""

    sheets: int
    new_files: int
    tried: int
    fit: int
    refused: Mapping[str, int]
    mistakes: Mapping[str, int]


@lru_cache(maxsize=4)
def _press(plan: str, named: bool) -> Press:
    return Press(plan_from(json.loads(plan)), named=named)


def _look(plan: str, places: tuple[int, int]) -> Chunk:
    press = _press(plan, False)
    picks = press.plan.space.drawn(press.plan.seed, range(*places))
    return look(press.plan, press.tables(picks), press.slips, places[0])


def _make(plan: str, entries: tuple[Entry, ...]) -> list[Made]:
    return _press(plan, any(entry.student for entry in entries)).make(entries)


def _make_files(plan: str, entries: tuple[Entry, ...]) -> list[dict[str, bytes]]:
    press = _press(plan, any(entry.student for entry in entries))
    return [whole(press.plan, made) for made in press.make(entries)]


def find(plan: Plan, count: int, workers: Workers, progress: Progress | None = None) -> Found:
    """The first fit variants of a plan; raises DeriveError when there are too few."""
    text = json.dumps(plan.as_data())

    def chunks(places: Iterable[tuple[int, int]]) -> Iterator[Chunk]:
        """A few chunks at a time, as the search stops when it has enough."""
        waiting = iter(places)
        while wave := list(islice(waiting, workers.wave)):
            for chunk in list(workers.map(_look, text, wave)):
                if progress:
                    progress(len(chunk.fit))
                yield chunk

    return search(plan, count, chunks)


def one(plan: Plan, entry: Entry) -> Made:
    """A single sheet."""
    return Press(plan, named=bool(entry.student)).make([entry])[0]


def whole(plan: Plan, made: Made) -> dict[str, bytes]:
    """The files of a single sheet, by name."""
    form = FORMATS[plan.style.format]
    stem = file_stem(made.student, made.variant)
    head, tail = form.head(plan.style), form.tail(plan.style)
    sheet = made.sheet
    if made.key and plan.style.key == "interleaved":
        sheet += form.between + made.key
    files = {f"figures/{name}": text.encode() for name, text in made.figures.items()}
    files[stem + form.suffix] = form.bytes_of(head + sheet + tail)
    if made.key and plan.style.key == "separate":
        key = made.key.replace("](figures/", "](../figures/")
        files[f"keys/{stem}{form.suffix}"] = form.bytes_of(head + key + tail)
    return files


# --- a folder ------------------------------------------------------------------------------------------------------


def run(
    plan: Plan,
    path: Path,
    count: int,
    students: Sequence[str] = (),
    workers: Workers | None = None,
    progress: Progress | None = None,
    searching: Progress | None = None,
) -> Done:
    """Make `count` sheets, one for each student where there are any; raises DeriveError.

    progress   told how many sheets were made; `searching` how many fit variants were found
    """
    workers = workers or Workers()
    folder = Folder(path)
    before = _before(plan, folder, count, students)
    _, search_before = before or ([], {})
    entries, found = _entries(plan, count, students, workers, before, searching)
    folder.prepare()
    manifest = _Manifest(plan, entries, found or search_before)
    if before is None or len(before[0]) < count:
        folder.write(MANIFEST, manifest.text(complete=False))
    new = _Writer(plan, folder, manifest, fresh=before is None).write(workers, progress)
    text = manifest.text(complete=True)
    if MANIFEST not in folder.present or (path / MANIFEST).read_bytes() != text:
        folder.write(MANIFEST, text)
    folder.tidy()
    searched = manifest.searched
    return Done(len(entries), new, searched["tried"], searched["fit"], searched["refused"], searched["mistakes"])


def _before(
    plan: Plan, folder: Folder, count: int, students: Sequence[str]
) -> tuple[list[Entry], Mapping[str, Any]] | None:
    """The sheets that the folder has been promised by an earlier run; refuses a folder with other sheets."""
    data = folder.manifest()
    if data is None:
        return None
    entries = entries_of(data)
    names = [entry.student for entry in entries]
    same = data["plan"] == json.loads(json.dumps(plan.as_data()))
    fits = len(entries) <= count and names == (list(students)[: len(names)] if students else [""] * len(names))
    if not same or not fits:
        raise DeriveError(
            f"{folder.path}: holds {len(entries)} other sheets (seed {data['plan'].get('seed')}); accepted: another "
            "folder, or the same command, with more students at the end of the list at most"
        )
    return entries, data["search"]


def entries_of(manifest: Mapping[str, Any]) -> list[Entry]:
    """The sheets that a manifest lists."""
    try:
        return [Entry(int(sheet["place"]), str(sheet.get("student", ""))) for sheet in manifest["sheets"]]
    except (KeyError, TypeError, ValueError) as error:
        raise DeriveError(f"the manifest is damaged ({error}); accepted: one that derive wrote") from None


def _entries(
    plan: Plan,
    count: int,
    students: Sequence[str],
    workers: Workers,
    before: tuple[list[Entry], Mapping[str, Any]] | None,
    searching: Progress | None,
) -> tuple[list[Entry], Mapping[str, Any] | None]:
    """The sheets of this run, and what the search found where there was one."""
    if before is not None and len(before[0]) == count:
        return before[0], None
    found = find(plan, count, workers, searching)
    names = list(students) or [""] * count
    entries = [Entry(place, name) for place, name in zip(found.places[:count], names, strict=True)]
    searched = {
        "tried": found.tried,
        "fit": len(found.places),
        "refused": dict(found.refused),
        "mistakes": dict(found.mistakes.most_common(10)),
    }
    return entries, searched


class _Manifest:
    """The manifest of a run: how the sheets were made, which there are, the hash of every file."""

    def __init__(self, plan: Plan, entries: Sequence[Entry], searched: Mapping[str, Any]) -> None:
        self.plan, self.entries, self.searched = plan, entries, searched
        self.hashes: dict[str, str] = {}
        self._ids = plan.space.ids_at(plan.seed, (entry.place for entry in entries))

    def add(self, name: str, digest: str) -> None:
        self.hashes[name] = digest

    def text(self, *, complete: bool) -> bytes:
        import sympy

        space = self.plan.space
        versions = {
            "derive": __version__,
            "numpy": np.__version__,
            "python": sys.version.split()[0],
            "sympy": sympy.__version__,
        } | {name: _installed(name) for name in FORMATS[self.plan.style.format].parts}
        sheets = [
            {"variant": variant, "place": entry.place} | ({"student": entry.student} if entry.student else {})
            for variant, entry in zip(self._ids, self.entries, strict=True)
        ]
        data = {
            "format": 1,
            "complete": complete,
            "versions": versions,
            "fingerprint": space.fingerprint,
            "plan": self.plan.as_data(),
            "templates": {name: sha256(text.encode()).hexdigest() for name, text in self.plan.style.templates},
            "search": self.searched,
            "sheets": sheets,
            "files": dict(sorted(self.hashes.items())) if complete else {},
        }
        return _lines_of_json(data).encode()


_json = json.JSONEncoder(ensure_ascii=False).encode


EXTRAS = {"math-core": "html", "typst": "pdf", "text2qti": "qti"}


def _installed(package: str) -> str:
    """The version of a package that a format is made with; raises DeriveError where it is missing."""
    try:
        return version(package)
    except PackageNotFoundError:
        raise DeriveError(f'this format needs {package}: pip install "derive-nn[{EXTRAS[package]}]"') from None


def _lines_of_json(data: Mapping[str, Any]) -> str:
    """JSON with a line for each sheet and for each file, as thousands of them are read by people too."""
    parts = []
    for key, value in data.items():
        text = json.dumps(value, ensure_ascii=False)
        if key == "sheets":
            text = "[\n " + ",\n ".join(map(_json, value)) + "\n]"
        elif key == "files" and value:
            text = "{\n " + ",\n ".join(f"{_json(name)}: {_json(digest)}" for name, digest in value.items()) + "\n}"
        elif key in ("plan", "versions", "search"):
            text = json.dumps(value, ensure_ascii=False, indent=1)
        parts.append(f"{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


class _Writer:
    """Writes what is missing of a run, and takes the hash of everything."""

    def __init__(self, plan: Plan, folder: Folder, manifest: _Manifest, *, fresh: bool) -> None:
        self._plan, self._folder, self._manifest, self._fresh = plan, folder, manifest, fresh
        self._new = 0

    def write(self, workers: Workers, progress: Progress | None) -> int:
        """How many files were written."""
        for name, content in beside(self._plan, self._manifest.entries).items():
            self._file(name, content, replace=True)
        plan, entries = self._plan, self._manifest.entries
        batches = (
            self._bundled(_all(plan, entries, workers))
            if plan.style.bundle
            else self._separate(_all_files(plan, entries, workers))
        )
        for done in batches:
            if progress:
                progress(done)
        return self._new

    def _separate(self, batches: Iterator[list[dict[str, bytes]]]) -> Iterator[int]:
        for batch in batches:
            for files in batch:
                for name, content in files.items():
                    self._file(name, content)
            yield len(batch)

    def _bundled(self, batches: Iterator[list[Made]]) -> Iterator[int]:
        names = bundle_names(self._plan)
        with ExitStack() as stack:
            bundles = {
                name: _Hashed(stack.enter_context(self._folder.open(name))) for name in names if self._is_missing(name)
            }
            writing = Bundles(
                self._plan, names, lambda name, content: bundles[name].write(content) if name in bundles else None
            )
            for batch in batches:
                for made in batch:
                    writing.add(made)
                    for name, text in made.figures.items():
                        self._file(f"figures/{name}", text.encode())
                yield len(batch)
            writing.close()
        for name in names:
            if name in bundles:
                self._new += 1
                self._manifest.add(name, bundles[name].digest())
            else:
                self._manifest.add(name, sha256((self._folder.path / name).read_bytes()).hexdigest())

    def _is_missing(self, name: str) -> bool:
        """Whether a bundle is to be written: a complete one of the same sheets is left alone."""
        if name not in self._folder.present:
            return True
        self._refuse_stranger(name)
        data = self._folder.manifest() or {}
        return not data.get("complete") or len(data["sheets"]) != len(self._manifest.entries)

    def _refuse_stranger(self, name: str) -> None:
        if self._fresh:
            raise DeriveError(
                f"{self._folder.path / name}: is there already and no sheet of a run; accepted: an empty folder"
            )

    def _file(self, name: str, content: bytes, *, replace: bool = False) -> None:
        """Write a file that is not there; `replace` writes one again that has become longer."""
        self._manifest.add(name, sha256(content).hexdigest())
        if name in self._folder.present:
            self._refuse_stranger(name)
            if not replace or (self._folder.path / name).read_bytes() == content:
                return
        self._folder.write(name, content)
        self._new += 1


class _Hashed:
    """A file that is written piece by piece, with its hash."""

    def __init__(self, file: Replacing) -> None:
        self._file, self._hash = file, sha256()

    def write(self, content: bytes) -> None:
        self._hash.update(content)
        self._file.write(content)

    def digest(self) -> str:
        return self._hash.hexdigest()


class Bundles:
    """One document with all sheets, and one with all keys; `write` takes each piece under its file's name."""

    def __init__(self, plan: Plan, names: Sequence[str], write: Callable[[str, bytes], object]) -> None:
        self._plan, self._names, self._out = plan, names, write
        self._form = FORMATS[plan.style.format]
        self._between = dict.fromkeys(names, "")
        self._whole: dict[str, list[str]] = {name: [] for name in names}
        for name in names:
            self._write(name, self._form.bundle[0] + self._form.head(plan.style))

    def _write(self, name: str, text: str) -> None:
        """What is compiled is kept until it is whole."""
        if self._form.compiled:
            self._whole[name].append(text)
        else:
            self._out(name, text.encode())

    def add(self, made: Made) -> None:
        bodies = [made.sheet, made.key][: len(self._names)]
        if made.key and self._plan.style.key == "interleaved":
            bodies[0] += self._form.between + made.key
        for name, body in zip(self._names, bodies, strict=True):
            self._write(name, self._between[name] + body)
            self._between[name] = self._form.between

    def close(self) -> None:
        for name in self._names:
            self._write(name, self._form.tail(self._plan.style) + self._form.bundle[1])
            if self._form.compiled:
                self._out(name, self._form.compiled("".join(self._whole[name])))


def bundle_names(plan: Plan) -> list[str]:
    """sheets.md, and keys.md where keys stand apart."""
    apart = plan.style.has_keys and plan.style.key == "separate"
    return [f"{stem}{FORMATS[plan.style.format].suffix}" for stem in (("sheets", "keys") if apart else ("sheets",))]


def _all(plan: Plan, entries: Sequence[Entry], workers: Workers) -> Iterator[list[Made]]:
    """Every sheet, a batch at a time."""
    yield from workers.map(_make, json.dumps(plan.as_data()), _batches(entries, BATCH))


def _all_files(plan: Plan, entries: Sequence[Entry], workers: Workers) -> Iterator[list[dict[str, bytes]]]:
    """The files of every sheet, a batch at a time; documents that take long to compile are shared out singly."""
    size = FEW if FORMATS[plan.style.format].compiled else BATCH
    yield from workers.map(_make_files, json.dumps(plan.as_data()), _batches(entries, size))


def _batches(entries: Sequence[Entry], size: int) -> Iterator[tuple[Entry, ...]]:
    tasks = iter(entries)
    return iter(lambda: tuple(islice(tasks, size)), ())


def beside(plan: Plan, entries: Sequence[Entry]) -> dict[str, bytes]:
    """What lies beside the sheets: the answer sheets, and with an export what the platform accepts otherwise."""
    return answer_sheets(plan, entries) | report(plan, entries)


def answer_sheets(plan: Plan, entries: Sequence[Entry]) -> dict[str, bytes]:
    """A CSV file for each problem, with a row for each student and a column for each quantity, to be filled in."""
    found = {}
    for part, asked in enumerate(plan.asked):
        file = io.StringIO()
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("student", "variant", *asked))
        blanks = [""] * len(asked)
        ids = plan.space.ids_at(plan.seed, (entry.place for entry in entries))
        for variant, entry in zip(ids, entries, strict=True):
            rows.writerow((entry.student or variant, variant, *blanks))
        name = "answers.csv" if len(plan.asked) == 1 else f"answers-{part + 1}.csv"
        found[name] = file.getvalue().encode()
    return found


# --- the check of a folder -----------------------------------------------------------------------------------------


def verify(path: Path, workers: Workers | None = None, progress: Progress | None = None) -> list[tuple[str, str]]:
    """(file, what is wrong with it) for every file that is not what its manifest says; raises DeriveError."""
    folder = Folder(path)
    data = folder.manifest()
    if data is None:
        raise DeriveError(f"{path}: no {MANIFEST} there; accepted: a folder that derive worksheet has filled")
    plan, entries = plan_from(data["plan"]), entries_of(data)
    wanted: dict[str, str] = {name: sha256(text).hexdigest() for name, text in beside(plan, entries).items()}
    hashes = {name: sha256() for name in (bundle_names(plan) if plan.style.bundle else ())}
    bundles = Bundles(plan, list(hashes), lambda name, content: hashes[name].update(content))
    workers = workers or Workers()
    for batch in _all(plan, entries, workers) if plan.style.bundle else ():
        for made in batch:
            bundles.add(made)
            wanted |= {f"figures/{name}": sha256(text.encode()).hexdigest() for name, text in made.figures.items()}
        if progress:
            progress(len(batch))
    for several in () if plan.style.bundle else _all_files(plan, entries, workers):
        wanted |= {name: sha256(content).hexdigest() for files in several for name, content in files.items()}
        if progress:
            progress(len(several))
    bundles.close()
    wanted |= {name: digest.hexdigest() for name, digest in hashes.items()}
    return list(_differences(folder, wanted, data))


def sheets_in(path: Path) -> int:
    """How many sheets a folder lists; 0 where it lists none."""
    data = Folder(path).manifest()
    return len(entries_of(data)) if data else 0


def _differences(folder: Folder, wanted: Mapping[str, str], data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not data.get("complete"):
        yield MANIFEST, "the run was stopped before its end: the same command completes it"
    for name, digest in wanted.items():
        if name not in folder.present:
            yield name, "is missing"
            continue
        here = sha256((folder.path / name).read_bytes()).hexdigest()
        if here != digest:
            changed = here != data["files"].get(name, digest)
            yield name, "was changed" if changed else "is as it was written, but would be made otherwise now"
