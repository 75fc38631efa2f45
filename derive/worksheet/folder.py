"""The folder of a run: which files there are, each written whole or not at all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from derive.errors import DeriveError

MANIFEST = "manifest.json"
FOLDERS = ("", "keys", "figures")
_PARTS = {"plan": dict, "search": dict, "sheets": list, "files": dict}
_BINARY = getattr(os, "O_BINARY", 0)
_LEFT_BEHIND = re.compile(r"\.derive-\d+-.*\.tmp")


class Folder:
    """A folder that sheets are written to; `present` are the files that were there at the start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._root = str(path)
        self._process = os.getpid()
        self._made: set[str] = set()
        self.present = frozenset(self._files()) if path.is_dir() else frozenset()

    def _files(self) -> Iterator[str]:
        for folder in FOLDERS:
            try:
                with os.scandir(self.path / folder) as entries:
                    yield from (f"{folder}/{entry.name}".lstrip("/") for entry in entries if entry.is_file())
            except FileNotFoundError:
                continue

    def prepare(self) -> None:
        """Make the folder, and clear away what a run that was stopped has left behind."""
        with _told(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            for name in self.present:
                if _LEFT_BEHIND.fullmatch(name.rpartition("/")[2]):
                    (self.path / name).unlink(missing_ok=True)

    def read(self, name: str) -> bytes:
        """A file that is there; raises DeriveError."""
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise DeriveError(f"{self.path / name}: cannot be read: {error.strerror or error}") from None

    def write(self, name: str, content: bytes) -> None:
        """One file, in the place of an older one; raises DeriveError.

        There are thousands of them, so this asks the system for no more than it has to.
        """
        path, beside = self._names(name)
        try:
            file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o666)
            try:
                _write_all(file, content)
            finally:
                os.close(file)
            os.replace(beside, path)  # noqa: PTH105
        except BaseException as error:
            Path(beside).unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise _cannot(path, error) from error
            raise

    def open(self, name: str) -> Replacing:
        """A file to be written piece by piece, which stands in its place when it is closed and complete."""
        return Replacing(*self._names(name))

    def _names(self, name: str) -> tuple[str, str]:
        """Where a file stands, and where it is written; its folder is made with the first file."""
        folder, slash, last = name.rpartition("/")
        if folder not in self._made:
            path = self.path / folder
            with _told(path):
                path.mkdir(exist_ok=True)
            self._made.add(folder)
        return f"{self._root}/{name}", f"{self._root}/{folder}{slash}.derive-{self._process}-{last}.tmp"

    def manifest(self) -> Mapping[str, Any] | None:
        """What the folder says of itself; None where there is no manifest; raises DeriveError for a broken one."""
        path = self.path / MANIFEST
        if MANIFEST not in self.present:
            return None
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DeriveError(f"{path}: cannot be read: {error}; accepted: the manifest that derive wrote") from None
        if not isinstance(data, dict) or data.get("format") != 1:
            raise DeriveError(f"{path}: no manifest of sheets; accepted: the manifest that derive wrote")
        for key, kind in _PARTS.items():
            if not isinstance(data.get(key), kind):
                raise DeriveError(f'{path}: damaged: "{key}" is missing; accepted: the manifest that derive wrote')
        return data


class Replacing:
    """Writes beside a file and takes its place at the end; whatever goes wrong, no half file stays."""

    def __init__(self, path: str, beside: str) -> None:
        self._path, self._beside = path, beside

    def __enter__(self) -> Replacing:
        with _told(self._path):
            self._file = open(self._beside, "wb")  # noqa: PTH123  # closed in __exit__; Path.open is slower
        return self

    def write(self, content: bytes) -> None:
        with _told(self._path):
            self._file.write(content)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            with _told(self._path):
                self._file.close()
                if kind is None:
                    os.replace(self._beside, self._path)  # noqa: PTH105  # thousands of files
                    self._beside = ""
        finally:
            if self._beside:
                Path(self._beside).unlink(missing_ok=True)


class _told:  # noqa: N801  # reads as a word: with _told(path)
    """What the system says of a path, as an error for the user."""

    def __init__(self, path: Path | str) -> None:
        self._path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise _cannot(self._path, error) from error


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for what a document is made of, which is removed; raises DeriveError where it cannot be written."""
    try:
        with TemporaryDirectory(prefix="derive-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except OSError as error:
        raise DeriveError(
            f"{gettempdir()}: cannot be written: {error.strerror or error}; accepted: room there, or TMPDIR=FOLDER"
        ) from error


def _cannot(path: Path | str, error: OSError) -> DeriveError:
    return DeriveError(
        f"{path}: cannot be written: {error.strerror or error}; complete files were kept, and the same command goes "
        "on where it stopped"
    )


def _write_all(file: int, content: bytes) -> None:
    """A disk that is nearly full takes a part of what it is given."""
    written = os.write(file, content)
    while written < len(content):
        written += os.write(file, content[written:])
