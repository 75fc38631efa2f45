"""The ids of variants: QJNM-2026-0042K is place 42 of the order that seed 2026 gives to the problem QJNM.

The first part comes from the problem's fingerprint, the last letter checks all that stands before it.  Letters are in
capitals and without I, L, O, U and Z; small letters, I, L and O are read as they look.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from derive.errors import DeriveError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXY"
_PLACES = {letter: place for place, letter in enumerate(ALPHABET)}
MOST_SEED = 2**32 - 1
_LOOKS_LIKE = str.maketrans("ILO", "110")
_ID = re.compile(rf"([{ALPHABET}]{{4}})-(\d{{1,10}})-(\d{{4,18}})([{ALPHABET}])", re.ASCII)


@dataclass(frozen=True, slots=True)
class VariantId:
    """Which problem, which seed, which place in the order."""

    problem: str
    seed: int
    place: int

    def __str__(self) -> str:
        text = f"{self.problem}-{self.seed}-{self.place:04d}"
        return text + _check(text)


def tag(fingerprint: str) -> str:
    """The four letters that stand for a problem, from the first 20 bits of its fingerprint (in hexadecimal)."""
    number = int(fingerprint[:5], 16)
    return "".join(ALPHABET[number // len(ALPHABET) ** power % len(ALPHABET)] for power in (3, 2, 1, 0))


def read_id(text: str) -> VariantId:
    """The id that somebody typed; raises DeriveError for one with a slip in it."""
    found = _ID.fullmatch(text.strip().upper().translate(_LOOKS_LIKE))
    if not found:
        raise DeriveError(
            f'"{text}" is no id of a sheet; accepted: an id as the sheets have it, such as QJNM-2026-0042K'
        )
    made = VariantId(found[1], int(found[2]), int(found[3]))
    if str(made) != found[0]:
        raise DeriveError(
            f'"{text}" has a slip in it: its last letter does not fit the rest; accepted: the id of a sheet'
        )
    return made


def ids(problem: str, seed: int, places: Iterable[int]) -> list[str]:
    """The ids of many places as texts."""
    start = f"{problem}-{seed}-"
    before, found = _total(start, 0), []
    for place in places:
        digits = f"{place:04d}"
        found.append(f"{start}{digits}{ALPHABET[_total(digits, before)]}")
    return found


def _check(text: str) -> str:
    """One letter, which changes whenever one character changes or two neighbours are exchanged.

    The characters are digits to the base 3, a primitive root modulo the prime 31, and the letter is what they make.
    """
    return ALPHABET[_total(text, 0)]


def _total(text: str, total: int) -> int:
    for char in text:
        if char != "-":
            total = (total * 3 + _PLACES[char]) % 31
    return total
