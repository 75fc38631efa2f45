"""Writing files so that each is either the new one, complete, or what was there before."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from derive.errors import DeriveError


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write every file or none: each beside its place first, then all renamed in the order given.

    What is no regular file (/dev/stdout, a named pipe) is written directly.  Raises DeriveError.
    """
    written: dict[Path, Path] = {}
    path = Path()
    try:
        for path, content in files.items():
            if path.is_dir():
                raise DeriveError(f"{path}: cannot be written: it is a folder; accepted: the name of a file")
            if path.exists() and not path.is_file():
                path.write_bytes(content)
                continue
            target = path.resolve()
            beside = target.with_name(f".{target.name[:200]}.{os.getpid()}.tmp")
            written[beside] = target
            beside.write_bytes(content)
        for beside, path in written.items():
            beside.replace(path)
    except OSError as error:
        raise DeriveError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        for beside in written:
            beside.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """A file to write text to, that takes the place of `path` when all of it has been written.

    Raises DeriveError where it cannot be written.
    """
    beside = path.with_name(f".{path.name[:200]}.{os.getpid()}.tmp")
    try:
        with beside.open("w", encoding="utf-8", newline="") as file:
            yield file
        beside.replace(path)
    except OSError as error:
        raise DeriveError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        beside.unlink(missing_ok=True)
