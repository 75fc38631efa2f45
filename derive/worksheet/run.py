"""A run: as many sheets as are asked for, in a folder that says of itself how it was made.

The folder can be checked (`verify`), and a run that was stopped goes on where it stopped: what is there stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from derive.errors import DeriveError
from derive.worksheet.folder import MANIFEST, Folder
from derive.worksheet.formats import FORMATS
from derive.worksheet.manifest import Earlier, Manifest, earlier, entries_of, faults
from derive.worksheet.plan import Plan, plan_from
from derive.worksheet.press import Entry, Made, Press
from derive.worksheet.search import Chunk, Found, look, search
from derive.worksheet.workers import Workers
from derive.worksheet.writing import Bundles, Progress, Writer, beside, bundle_names, whole

BATCH = 500
"""So many sheets are made together; a quarter of them where several processes share the work."""
FEW = 4
"""So many documents are compiled together."""


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
def _plan(text: str) -> Plan:
    """A plan as it is sent to workers: one in a process, as deriving and compiling its problems takes long."""
    return plan_from(json.loads(text))


@lru_cache(maxsize=4)
def _press(plan: str, named: bool) -> Press:
    return Press(_plan(plan), named=named)


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
    folder, plan = Folder(path), _plan(json.dumps(plan.as_data()))
    for student in students:
        FORMATS[plan.style.format].escape(student)
    before = earlier(plan, folder, count, students)
    entries, found = _entries(plan, count, students, workers, before, searching)
    manifest = Manifest(plan, entries, found or (before.searched if before else {}))
    folder.prepare()
    finished = before is not None and before.complete and len(before.entries) == count
    if before is None or len(before.entries) < count:
        manifest.hashes.update(before.hashes if before else {})
        folder.write(MANIFEST, manifest.text(complete=False))
    new = Writer(plan, folder, manifest, before).write(
        lambda some: _all(plan, some, workers), lambda some: _all_files(plan, some, workers), progress
    )
    if new or not finished:
        text = manifest.text(complete=True)
        if MANIFEST not in folder.present or folder.read(MANIFEST) != text:
            folder.write(MANIFEST, text)
    searched = manifest.searched
    return Done(len(entries), new, searched["tried"], searched["fit"], searched["refused"], searched["mistakes"])


def _entries(
    plan: Plan,
    count: int,
    students: Sequence[str],
    workers: Workers,
    before: Earlier | None,
    searching: Progress | None,
) -> tuple[Sequence[Entry], Mapping[str, Any] | None]:
    """The sheets of this run, and what the search found where there was one."""
    if before is not None and len(before.entries) == count:
        return before.entries, None
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


def _all(plan: Plan, entries: Sequence[Entry], workers: Workers) -> Iterator[list[Made]]:
    """Every sheet, a batch at a time."""
    yield from workers.map(_make, json.dumps(plan.as_data()), _batches(entries, _batch(workers)))


def _all_files(plan: Plan, entries: Sequence[Entry], workers: Workers) -> Iterator[list[dict[str, bytes]]]:
    """The files of every sheet, a batch at a time; documents that take long to compile are shared out singly."""
    size = FEW if FORMATS[plan.style.format].compiled else _batch(workers)
    yield from workers.map(_make_files, json.dumps(plan.as_data()), _batches(entries, size))


def _batch(workers: Workers) -> int:
    return BATCH if workers.alone else max(1, BATCH // 4)


def _batches(entries: Sequence[Entry], size: int) -> Iterator[tuple[Entry, ...]]:
    tasks = iter(entries)
    return iter(lambda: tuple(islice(tasks, size)), ())


# --- the check of a folder -----------------------------------------------------------------------------------------


def verify(path: Path, workers: Workers | None = None, progress: Progress | None = None) -> list[tuple[str, str]]:
    """(file, what is wrong with it) for every file that is not what its manifest says; raises DeriveError."""
    folder = Folder(path)
    data = folder.manifest()
    if data is None:
        raise DeriveError(f"{path}: no {MANIFEST} there; accepted: a folder that derive worksheet has filled")
    plan, entries = _plan(json.dumps(plan_from(data["plan"]).as_data())), entries_of(data)
    wanted = {name: sha256(content).hexdigest() for name, content in beside(plan, entries).items()}
    made = _hashes_of_bundles if plan.style.bundle else _hashes_of_files
    for hashes, sheets in made(plan, entries, workers or Workers()):
        wanted |= hashes
        if progress:
            progress(sheets)
    return list(_differences(folder, plan, wanted, data))


Hashes = Iterator[tuple[Mapping[str, str], int]]
"""Of some more files by name, with the number of sheets that are finished."""


def _hashes_of_files(plan: Plan, entries: Sequence[Entry], workers: Workers) -> Hashes:
    for several in _all_files(plan, entries, workers):
        found = {name: sha256(content).hexdigest() for files in several for name, content in files.items()}
        yield found, len(several)


def _hashes_of_bundles(plan: Plan, entries: Sequence[Entry], workers: Workers) -> Hashes:
    digests = {name: sha256() for name in bundle_names(plan)}
    bundles = Bundles(plan, {name: digest.update for name, digest in digests.items()})
    for batch in _all(plan, entries, workers):
        bundles.add(batch)
        figures = {name: text for made in batch for name, text in made.figures.items()}
        yield {f"figures/{name}": sha256(text.encode()).hexdigest() for name, text in figures.items()}, len(batch)
    bundles.close()
    yield {name: digest.hexdigest() for name, digest in digests.items()}, 0


def sheets_in(path: Path) -> int:
    """How many sheets a folder lists; 0 where it lists none."""
    data = Folder(path).manifest()
    return len(entries_of(data)) if data else 0


def _differences(
    folder: Folder, plan: Plan, wanted: Mapping[str, str], data: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """What is wrong with the files, and where a complete run is listed otherwise than it was made."""
    files = data["files"]
    if data.get("complete"):
        yield from ((MANIFEST, fault) for fault in faults(plan, data, wanted))
    else:
        yield MANIFEST, "the run was stopped before its end: the same command completes it"
    for name, digest in wanted.items():
        if name not in folder.present:
            yield name, "is missing"
            continue
        here = sha256(folder.read(name)).hexdigest()
        if here != digest:
            changed = here != files.get(name, digest)
            yield name, "was changed" if changed else "is as it was written, but would be made otherwise now"
        elif name in files and files[name] != digest:
            yield MANIFEST, f"its hash of {name} was changed"
