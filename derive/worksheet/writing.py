"""The files of a run: what is missing is made and written, everything else is left alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import lru_cache
from hashlib import sha256

from derive.errors import DeriveError
from derive.worksheet.folder import Folder, Replacing
from derive.worksheet.formats import FORMATS
from derive.worksheet.manifest import Earlier, Manifest
from derive.worksheet.plan import PLATFORMS, Plan, Style
from derive.worksheet.press import Entry, Made, figure_name
from derive.worksheet.report import NAME, report
from derive.worksheet.roster import file_stem

PIECE = 20
"""So many sheets are written at a time."""

Progress = Callable[[int], None]
Files = Mapping[str, bytes]


# --- which files there are -----------------------------------------------------------------------------------------


def whole(plan: Plan, made: Made) -> dict[str, bytes]:
    """The files of a single sheet, by name."""
    form = FORMATS[plan.style.format]
    head, tail = _frame(plan.style)
    sheet = made.sheet
    if made.key and plan.style.key == "interleaved":
        sheet += form.between + made.key
    files = {f"figures/{name}": text.encode() for name, text in made.figures.items()}
    name, *keys = names_of(plan, made.student, made.variant)
    files[name] = form.bytes_of(head + sheet + tail)
    for name in keys:
        files[name] = form.bytes_of(head + made.key.replace("](figures/", "](../figures/") + tail)
    return files


@lru_cache(maxsize=8)
def _frame(style: Style) -> tuple[str, str]:
    """What stands before and behind every sheet."""
    form = FORMATS[style.format]
    return form.head(style), form.tail(style)


def names_of(plan: Plan, student: str, variant: str) -> list[str]:
    """The file of a sheet, and that of its key where it has one of its own."""
    last = file_stem(student, variant) + FORMATS[plan.style.format].suffix
    return [last, f"keys/{last}"] if _keys_apart(plan) else [last]


def bundle_names(plan: Plan) -> list[str]:
    """sheets.md, and keys.md where keys stand apart."""
    suffix = FORMATS[plan.style.format].suffix
    return [f"{stem}{suffix}" for stem in (("sheets", "keys") if _keys_apart(plan) else ("sheets",))]


def _keys_apart(plan: Plan) -> bool:
    return plan.style.has_keys and plan.style.key == "separate"


def beside(plan: Plan, entries: Sequence[Entry]) -> dict[str, bytes]:
    """What lies beside the sheets: the answer sheets, and with an export what the platform accepts otherwise."""
    return answer_sheets(plan, entries) | report(plan, entries)


def _names_beside(plan: Plan) -> list[str]:
    return [*_answer_names(plan), *([NAME] if plan.style.format in PLATFORMS else [])]


def _answer_names(plan: Plan) -> list[str]:
    return ["answers.csv"] if len(plan.asked) == 1 else [f"answers-{part + 1}.csv" for part in range(len(plan.asked))]


def answer_sheets(plan: Plan, entries: Sequence[Entry]) -> dict[str, bytes]:
    """A CSV file for each problem, with a row for each student and a column for each quantity, to be filled in."""
    found = {}
    ids = plan.space.ids_at(plan.seed, (entry.place for entry in entries))
    for name, asked in zip(_answer_names(plan), plan.asked, strict=True):
        file = io.StringIO()
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("student", "variant", *asked))
        blanks = [""] * len(asked)
        rows.writerows(
            (entry.student or variant, variant, *blanks) for variant, entry in zip(ids, entries, strict=True)
        )
        found[name] = file.getvalue().encode()
    return found


class Bundles:
    """One document with all sheets, and one with all keys; `write` takes the bytes of those that are wanted."""

    def __init__(self, plan: Plan, write: Mapping[str, Callable[[bytes], object]]) -> None:
        self._plan, self._out = plan, write
        self._form = FORMATS[plan.style.format]
        self._between = ""
        self._whole: dict[str, list[str]] = {name: [] for name in write}
        for name in write:
            self._write(name, self._form.bundle[0] + _frame(plan.style)[0])

    def _write(self, name: str, text: str) -> None:
        """What is compiled is kept until it is whole."""
        if self._form.compiled:
            self._whole[name].append(text)
        else:
            self._out[name](text.encode())

    def add(self, batch: Sequence[Made]) -> None:
        """Some more sheets with their keys."""
        for first in range(0, len(batch), PIECE):
            self._add(batch[first : first + PIECE])

    def _add(self, batch: Sequence[Made]) -> None:
        between = self._form.between
        bodies = [[made.sheet for made in batch], [made.key for made in batch]]
        if self._plan.style.key == "interleaved":
            bodies[0] = [sheet + between + key if key else sheet for sheet, key in zip(*bodies, strict=True)]
        for name, texts in zip(bundle_names(self._plan), bodies, strict=False):
            if name in self._out:
                self._write(name, self._between + between.join(texts))
        self._between = between

    def close(self) -> None:
        for name, write in self._out.items():
            self._write(name, _frame(self._plan.style)[1] + self._form.bundle[1])
            if self._form.compiled:
                write(self._form.compiled("".join(self._whole[name])))


# --- writing them --------------------------------------------------------------------------------------------------


class Writer:
    """Writes what is missing of a run, and keeps the hash of everything in its manifest."""

    def __init__(self, plan: Plan, folder: Folder, manifest: Manifest, before: Earlier | None) -> None:
        self._plan, self._folder, self._manifest = plan, folder, manifest
        self._fresh = before is None
        self._before = before or Earlier()
        self._same = self._before.complete and len(self._before.entries) == len(manifest.entries)
        self._compiled = FORMATS[plan.style.format].compiled is not None
        self._new = 0

    def write(
        self,
        sheets: Callable[[Sequence[Entry]], Iterator[list[Made]]],
        files: Callable[[Sequence[Entry]], Iterator[list[dict[str, bytes]]]],
        progress: Progress | None,
    ) -> int:
        """How many files were written; `sheets` and `files` make those of some entries, a batch at a time."""
        self._write_beside()
        made = self._bundled(sheets) if self._plan.style.bundle else self._separate(files)
        for done in made:
            if progress:
                progress(done)
        return self._new

    def _write_beside(self) -> None:
        names = _names_beside(self._plan)
        if self._same and all(map(self._is_known, names)):
            return
        for name, content in beside(self._plan, self._manifest.entries).items():
            self._file(name, content, replace=True)

    def _separate(self, files: Callable[[Sequence[Entry]], Iterator[list[dict[str, bytes]]]]) -> Iterator[int]:
        entries = self._unfinished(lambda entry, variant: names_of(self._plan, entry.student, variant))
        yield len(self._manifest.entries) - len(entries)
        for batch in files(entries):
            for some in batch:
                for name, content in some.items():
                    self._file(name, content)
            yield len(batch)

    def _bundled(self, sheets: Callable[[Sequence[Entry]], Iterator[list[Made]]]) -> Iterator[int]:
        missing = [name for name in bundle_names(self._plan) if not (self._same and self._is_known(name))]
        for name in missing:
            self._refuse_stranger(name)
        entries = self._manifest.entries if missing else self._unfinished(lambda _entry, _variant: [])
        yield len(self._manifest.entries) - len(entries)
        with ExitStack() as stack:
            open_ = {name: _Hashed(stack.enter_context(self._folder.open(name))) for name in missing}
            bundles = Bundles(self._plan, {name: file.write for name, file in open_.items()})
            for batch in sheets(entries):
                bundles.add(batch)
                for made in batch:
                    for name, text in made.figures.items():
                        self._file(f"figures/{name}", text.encode())
                yield len(batch)
            bundles.close()
        self._new += len(open_)
        self._manifest.hashes.update((name, file.digest()) for name, file in open_.items())

    # --- what is there -------------------------------------------------------------------------------------------

    def _unfinished(self, names: Callable[[Entry, str], list[str]]) -> list[Entry]:
        """The entries of which a file is missing; `names` are those that each has beside its figures."""
        found = []
        for entry, variant in zip(self._manifest.entries, self._manifest.ids, strict=True):
            figures = [f"figures/{figure_name(variant, part)}" for part in range(len(self._plan.examples))]
            listed = [name for name in figures if name in self._before.hashes]
            promised = [*names(entry, variant), *listed]
            if not all(map(self._is_known, promised)) or not (promised or self._same):
                found.append(entry)
        return found

    def _is_known(self, name: str) -> bool:
        """Whether a file is there of which the hash is known; then the manifest has it.

        A file that takes long to make and is there from a run that was stopped is whole, as files are put in their
        places whole: it is taken as it is.
        """
        if name not in self._folder.present:
            return False
        digest = self._before.hashes.get(name)
        if digest is None and self._compiled and not (self._fresh or self._before.complete or self._plan.style.bundle):
            digest = sha256(self._folder.read(name)).hexdigest()
        if digest is None:
            return False
        self._manifest.hashes[name] = digest
        return True

    def _refuse_stranger(self, name: str) -> None:
        if self._fresh and name in self._folder.present:
            raise DeriveError(
                f"{self._folder.path / name}: is there already and no sheet of a run; accepted: an empty folder"
            )

    def _file(self, name: str, content: bytes, *, replace: bool = False) -> None:
        """Write a file that is not there; `replace` writes one again that has become longer."""
        self._manifest.hashes[name] = sha256(content).hexdigest()
        if name in self._folder.present:
            self._refuse_stranger(name)
            if not replace or self._folder.read(name) == content:
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
