"""IDX files: what is read, and every way in which a file is refused."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import DeriveError
from derive.mlp.idx import Expected, read_idx
from digits import idx

ARRAY = np.random.default_rng(1).integers(0, 256, (5, 4, 3), np.uint8)
WHOLE = idx(ARRAY)
IMAGES = Expected("images", "the images", (5, 4, 3), hashlib.sha256(WHOLE).hexdigest())
LABELS = Expected("labels", "the labels", (5,))
OTHER = Expected("other-images", "other images", (2, 4, 3))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_plain_and_packed(pack: Callable[[bytes], bytes], name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(pack(WHOLE))
    assert np.array_equal(read_idx(path, IMAGES), ARRAY)


def changed(place: int, value: int) -> bytes:
    return WHOLE[:place] + bytes((value,)) + WHOLE[place + 1 :]


BROKEN = {
    "empty": (b"", "0 bytes, less than a header"),
    "a word": (b"ab", "2 bytes, less than a header"),
    "a page": (b"<html>not found</html>", "no IDX file: it begins with 3c 68 74 6d"),
    "first byte": (changed(0, 1), "no IDX file"),
    "second byte": (changed(1, 1), "no IDX file"),
    "floats": (changed(2, 13), "data of type 13 (floats)"),
    "no type": (changed(2, 7), "data of type 7 (no type of IDX)"),
    "no dimension": (changed(3, 0), "0 dimensions"),
    "many dimensions": (changed(3, 200), "200 dimensions"),
    "another number of dimensions": (changed(3, 2), "unsigned bytes, 5 × 4"),
    "header cut short": (WHOLE[:11], "a header that ends after 11 bytes"),
    "more images": (changed(7, 6), "unsigned bytes, 6 × 4 × 3"),
    "huge": (changed(4, 255), "unsigned bytes, 4278190085 × 4 × 3"),
    "other size": (changed(11, 5), "unsigned bytes, 5 × 5 × 3"),
    "cut short": (WHOLE[:-1], "59 bytes of data where the header promises 60: it is cut short"),
    "no data": (WHOLE[:16], "0 bytes of data where the header promises 60"),
    "something behind": (WHOLE + b"\0", "more than the 60 bytes of data"),
    "twice": (WHOLE + WHOLE, "more than the 60 bytes of data"),
    "one bit": (WHOLE[:-1] + bytes((WHOLE[-1] ^ 1,)), "the right size, and other content (SHA-256"),
    "labels": (idx(ARRAY[:, 0, 0]), "unsigned bytes, 5, the size of labels (are two files swapped?)"),
    "of the other set": (idx(ARRAY[:2]), "2 × 4 × 3, the size of other-images (are two files swapped?)"),
}


@pytest.mark.parametrize(("content", "found"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_refused(content: bytes, found: str, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(pack(content))
    with pytest.raises(DeriveError) as caught:
        read_idx(path, IMAGES, (LABELS, OTHER, IMAGES))
    assert found in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert "accepted: the images: unsigned bytes, 5 × 4 × 3, 76 bytes unpacked, SHA-256" in str(caught.value)


PACKED = gzip.compress(WHOLE)
DAMAGED = {
    "cut short": (PACKED[:-9], "it ends too early"),
    "nothing but the mark": (PACKED[:2], "it ends too early"),
    "checksum": (PACKED[:-8] + bytes((PACKED[-8] ^ 1,)) + PACKED[-7:], "it does not unpack (CRC check failed"),
    "length": (PACKED[:-1] + b"\7", "it does not unpack (Incorrect length"),
    "another method": (PACKED[:2] + b"\7" + PACKED[3:], "it does not unpack (Unknown compression method"),
    "garbage": (PACKED[:10] + b"\xff" * 40, "it does not unpack (Error -3"),
}


@pytest.mark.parametrize(("content", "found"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_packing(content: bytes, found: str, tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(DeriveError, match="a damaged gzip file") as caught:
        read_idx(path, IMAGES)
    assert found in str(caught.value)


@given(st.data())
def test_a_changed_byte_never_passes(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(PACKED) - 1))
    value = data.draw(st.integers(0, 255))
    packed = data.draw(st.booleans())
    source = PACKED if packed else WHOLE
    place %= len(source)
    path = tmp_path_factory.mktemp("idx") / "images"
    path.write_bytes(source[:place] + bytes((value,)) + source[place + 1 :])
    try:
        assert np.array_equal(read_idx(path, IMAGES), ARRAY)  # a byte of the gzip header that says nothing
    except DeriveError:
        assert source[place] != value


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "none", IMAGES)
