from __future__ import annotations

import hashlib
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import DeriveError
from derive.worksheet.ids import ALPHABET, VariantId, read_id, tag
from derive.worksheet.stream import Stream, stream_key

STORED = {
    ("00" * 32, 0, 1): [0],
    ("00" * 32, 0, 10): [3, 6, 4, 8, 7, 9],
    ("ab" * 32, 2026, 1000): [49, 776, 95, 184, 89, 936],
    ("ab" * 32, 2026, 17**6 * 19**2): [3976719876, 4589536151, 396153907, 6752786198, 6424502442, 7467700829],
    ("12" * 32, 7, 10**40): [
        6388797762126288223712147542016151206712,
        9704770627037316240188067209675264753486,
        500952862655029426857669272299570159043,
    ],
}
"""For good: with other numbers here no sheet that was ever printed could be made again."""


@pytest.mark.parametrize(("fingerprint", "seed", "size"), STORED)
def test_the_stream_is_the_stored_one(fingerprint: str, seed: int, size: int) -> None:
    stream = Stream(stream_key(fingerprint, seed), size)
    wanted = STORED[fingerprint, seed, size]
    assert [stream.at(place) for place in range(len(wanted))] == wanted


def _by_the_description(fingerprint: str, seed: int, size: int, place: int) -> int:
    """The docstring of the module, done a second time and without looking."""
    key = hashlib.sha256("\n".join(("derive worksheet 1", fingerprint, str(seed))).encode("utf-8")).digest()
    a = math.ceil(math.sqrt(size))
    b = math.ceil(size / a)

    def h(i: int, x: int) -> int:
        text = f"{x:x}"
        number = bytes.fromhex(text.zfill(len(text) + len(text) % 2))
        return int(hashlib.sha256(key + bytes([i]) + number).hexdigest(), 16)

    n = place
    while True:
        left, right = n // b, n % b
        for i in range(6):
            if i % 2 == 0:
                left = (left + h(i, right)) % a
            else:
                right = (right + h(i, left)) % b
        n = left * b + right
        if n < size:
            return n


@given(st.integers(1, 10**6), st.integers(0, 2**32 - 1), st.data())
def test_the_stream_is_the_described_one(size: int, seed: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, size - 1))
    assert Stream(stream_key("c0de", seed), size).at(place) == _by_the_description("c0de", seed, size, place)


@given(st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_no_variant_stands_at_two_places(size: int, seed: int) -> None:
    stream = Stream(stream_key("c0de", seed), size)
    assert sorted(map(stream.at, range(size))) == list(range(size))


def test_every_variant_is_as_likely_as_any_other() -> None:
    """Chi-squared over seeds, 19 degrees of freedom; 43.8 is passed by chance once in a thousand times."""
    found = Counter(Stream(stream_key("c0de", seed), 20).at(3) for seed in range(2000))
    assert sum((found[value] - 100) ** 2 / 100 for value in range(20)) < 43.8


def test_a_place_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="accepted: 0 to 9"):
        Stream(stream_key("c0de", 1), 10).at(10)


ids = st.builds(VariantId, st.text(ALPHABET, min_size=4, max_size=4), st.integers(0, 2**32 - 1), st.integers(0, 10**9))


@given(ids)
def test_an_id_is_read_back_however_it_is_typed(made: VariantId) -> None:
    assert read_id(str(made)) == made
    assert read_id(f"  {str(made).lower()} ") == made


@given(ids, st.data())
def test_a_slip_in_an_id_is_noticed(made: VariantId, data: st.DataObject) -> None:
    text = str(made)
    place = data.draw(st.integers(0, len(text) - 1).filter(lambda at: text[at] != "-"))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda char: char != text[place]))
    with pytest.raises(DeriveError):
        read_id(text[:place] + other + text[place + 1 :])


@given(ids, st.data())
def test_two_neighbours_exchanged_are_noticed(made: VariantId, data: st.DataObject) -> None:
    text = str(made)
    swaps = [at for at in range(len(text) - 1) if text[at] != text[at + 1] and "-" not in text[at : at + 2]]
    if swaps:
        at = data.draw(st.sampled_from(swaps))
        with pytest.raises(DeriveError):
            read_id(text[:at] + text[at + 1] + text[at] + text[at + 2 :])


def test_an_id_looks_as_it_is_documented() -> None:
    made = str(VariantId(tag("ab" * 32), 2026, 42))
    assert made == "QJNM-2026-0042K"
    assert read_id("qjnm-2o26-oo42k") == VariantId("QJNM", 2026, 42)


NO_IDS = ("", "-", "QJNM", "QJNM-2026", "QJNM-2026-42", "QJNM-x-0042K", "../../etc", "٤٤٤٤-1-00001")


@pytest.mark.parametrize("text", NO_IDS)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(DeriveError, match="accepted"):
        read_id(text)
