"""Reading IDX files, the format of MNIST: every header is checked and every byte accounted for.

The header is 0, 0, a byte for the type (8: unsigned bytes), a byte for the number of dimensions, and four bytes, most
significant first, for each dimension; the data follow.  A file may be packed with gzip.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from derive.errors import DeriveError

GZIP = b"\x1f\x8b"
UNSIGNED_BYTES = 8
TYPES = {8: "unsigned bytes", 9: "signed bytes", 11: "shorts", 12: "integers", 13: "floats", 14: "doubles"}
MOST_DIMENSIONS = 4
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Expected:
    """What a file must be: its plain name, what is in it, its dimensions, SHA-256 of its unpacked content if known."""

    name: str
    content: str
    shape: tuple[int, ...]
    sha256: str = ""

    @property
    def size(self) -> int:
        """Bytes of the whole unpacked file."""
        return 4 + 4 * len(self.shape) + math.prod(self.shape)

    def __str__(self) -> str:
        return f"{self.content}: unsigned bytes, {by(self.shape)}, {self.size} bytes unpacked"


def by(shape: tuple[int, ...]) -> str:
    """60000 × 28 × 28."""
    return " × ".join(map(str, shape))


def read_idx(path: Path, expected: Expected, others: tuple[Expected, ...] = ()) -> NDArray[np.uint8]:
    """The data with the dimensions of `expected`, from a plain or a gzip file.

    `others` are files that it may have been mistaken for; they are recognised in the message.  Raises DeriveError.
    """
    with path.open("rb") as packed:
        is_packed = packed.read(2) == GZIP
        packed.seek(0)
        # GzipFile reads and seeks like a file, and is not declared to be one
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=packed)) if is_packed else packed
        try:
            return _Reading(path, expected, others).read(stream)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            found = "it ends too early" if isinstance(error, EOFError) else f"it does not unpack ({error})"
            raise DeriveError(f"{path}: a damaged gzip file: {found}; accepted: {expected}") from error


@dataclass(frozen=True, slots=True)
class _Reading:
    path: Path
    expected: Expected
    others: tuple[Expected, ...]

    def read(self, stream: IO[bytes]) -> NDArray[np.uint8]:
        start = stream.read(4)
        shape = self._shape(start, stream)
        data = np.empty(math.prod(shape), np.uint8)
        hashed = hashlib.sha256(start + b"".join(size.to_bytes(4, "big") for size in shape))
        filled = 0
        while filled < data.size:
            part = stream.read(min(_CHUNK, data.size - filled))
            if not part:
                raise self._refused(f"{filled} bytes of data where the header promises {data.size}: it is cut short")
            hashed.update(part)
            data[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
            filled += len(part)
        if stream.read(1):
            raise self._refused(f"more than the {data.size} bytes of data that the header promises")
        self._check_hash(hashed.hexdigest())
        return data.reshape(shape)

    def _shape(self, start: bytes, stream: IO[bytes]) -> tuple[int, ...]:
        """The dimensions, once the header is what is expected."""
        if len(start) < 4:
            raise self._refused(f"{len(start)} bytes, less than a header")
        if start[:2] != b"\0\0":
            raise self._refused(f"no IDX file: it begins with {start.hex(' ')}")
        kind, dimensions = start[2], start[3]
        if kind != UNSIGNED_BYTES:
            raise self._refused(f"data of type {kind} ({TYPES.get(kind, 'no type of IDX')})")
        if not 1 <= dimensions <= MOST_DIMENSIONS:
            raise self._refused(f"{dimensions} dimensions")
        written = stream.read(4 * dimensions)
        if len(written) < 4 * dimensions:
            raise self._refused(f"a header that ends after {4 + len(written)} bytes: it is cut short")
        shape = tuple(int.from_bytes(written[at : at + 4], "big") for at in range(0, len(written), 4))
        if shape != self.expected.shape:
            raise self._refused(f"unsigned bytes, {by(shape)}{self._mistaken(shape)}")
        return shape

    def _mistaken(self, shape: tuple[int, ...]) -> str:
        """Which other file this may be."""
        match = next((other for other in self.others if other.shape == shape), None)
        return f", the size of {match.name} (are two files swapped?)" if match else ""

    def _check_hash(self, found: str) -> None:
        if not self.expected.sha256 or found == self.expected.sha256:
            return
        raise self._refused(
            f"the right size, and other content (SHA-256 {found[:12]}…): it is damaged, or of another data set"
        )

    def _refused(self, found: str) -> DeriveError:
        known = f", SHA-256 {self.expected.sha256[:12]}…" if self.expected.sha256 else ""
        return DeriveError(f"{self.path}: found {found}; accepted: {self.expected}{known}")
