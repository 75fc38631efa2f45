"""Batches that were interrupted go on: what is done is kept in a file until everything is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from derive.check.gradebook import Verdicts, from_data
from derive.errors import DeriveError

NAME = ".unfinished.jsonl"


class Progress:
    """The students that are done, a line each behind a first line that says of which input.

    `done` has (student, variant) of each, in their order.  Used in a `with` statement; raises DeriveError where the
    file cannot be written.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._path = folder / NAME
        if folder.exists() and not folder.is_dir():
            raise DeriveError(f"{folder}: found a file; accepted: a folder, made where there is none")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._kept, self.done = _kept(self._path, key)
            if not self._kept:
                first = _first_line(key)
                self._path.write_bytes(first)
                self._kept = len(first)
            self._file = self._path.open("r+b")
        except OSError as error:
            raise DeriveError(f"{folder}: cannot be written: {error.strerror or error}") from None

    def __enter__(self) -> Progress:
        self._file.seek(self._kept)
        self._file.truncate()
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def students(self) -> Iterator[Verdicts]:
        """The verdicts of the students that were done before."""
        with self._path.open("rb") as file:
            next(file)
            for _ in self.done:
                yield [from_data(entry) for entry in json.loads(next(file))]

    def add(self, verdicts: Sequence[str]) -> None:
        """This student is done: the verdicts, each as JSON on one line."""
        self._file.write(f"[{', '.join(verdicts)}]\n".encode())
        self._file.flush()

    def forget(self) -> None:
        """Everything is done: there is nothing to go on with."""
        self._path.unlink(missing_ok=True)


def _kept(path: Path, key: str) -> tuple[int, dict[tuple[str, str], None]]:
    """How many bytes of the file belong to this input and are whole lines, and who is done."""
    done: dict[tuple[str, str], None] = {}
    if not path.is_file():
        return 0, done
    with path.open("rb") as file:
        first = file.readline()
        if first != _first_line(key):
            return 0, done
        kept = len(first)
        for line in file:
            if not line.endswith(b"\n"):
                break
            try:
                entry = from_data(json.loads(line)[0])
            except (ValueError, LookupError, TypeError, AttributeError):
                break
            done[entry.student, entry.variant] = None
            kept += len(line)
    return kept, done


def _first_line(key: str) -> bytes:
    return json.dumps({"key": key}).encode() + b"\n"
