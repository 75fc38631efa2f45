"""The random stream of the worksheets: fixed for good, the same on every machine.

The variants of a problem are counted 0 … size − 1.  A seed puts them into an order that looks random: `at(place)` is
the variant at a place of that order, and no variant stands at two places.  The order is made of SHA-256 alone.

How it is made.  With a = ⌈√size⌉ and b = ⌈size/a⌉ a number n < a·b is written as (left, right) = divmod(n, b).  Six
rounds follow, i = 0 … 5.  A round of even i adds H(i, right) to left modulo a, one of odd i adds H(i, left) to right
modulo b, where H(i, x) is SHA-256 of the key (32 bytes), i (1 byte) and x (big-endian, as many bytes as it needs, at
least 1), read as a big-endian number.  The result is left·b + right; where it is not below `size`, the six rounds are
applied again.  The key is SHA-256 of "derive worksheet 1", the problem's fingerprint and the seed in decimal digits,
the three joined by line feeds, in UTF-8.

A Feistel network over numbers instead of bits, with cycle walking: J. Black, P. Rogaway, Ciphers with arbitrary finite
domains, CT-RSA 2002.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from math import isqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

ROUNDS = 6


def stream_key(fingerprint: str, seed: int) -> bytes:
    return sha256(f"derive worksheet 1\n{fingerprint}\n{seed}".encode()).digest()


@dataclass(frozen=True, slots=True)
class Stream:
    """The order in which the variants 0 … size − 1 are drawn; size is at least 1."""

    key: bytes
    size: int

    def at(self, place: int) -> int:
        """The variant at a place, 0 <= place < size."""
        return self.over((place,))[0]

    def over(self, places: Iterable[int]) -> list[int]:
        """The variants at these places, each 0 <= place < size."""
        size, started = self.size, _started(self.key)
        a = isqrt(size - 1) + 1
        b = -(-size // a)
        found = []
        for place in places:
            if not 0 <= place < size:
                raise ValueError(f"place: found {place}; accepted: 0 to {size - 1}")
            number = size
            left, right = divmod(place, b)
            while number >= size:
                for even, odd in started:
                    copy = even.copy()
                    copy.update(right.to_bytes((right.bit_length() + 7) // 8 or 1, "big"))
                    left = (left + int.from_bytes(copy.digest(), "big")) % a
                    copy = odd.copy()
                    copy.update(left.to_bytes((left.bit_length() + 7) // 8 or 1, "big"))
                    right = (right + int.from_bytes(copy.digest(), "big")) % b
                number = left * b + right
            found.append(number)
        return found


@lru_cache(maxsize=16)
def _started(key: bytes) -> tuple[tuple[Hash, Hash], ...]:
    """The hashes of the rounds, two by two, which have seen the key and the number of their round."""
    return tuple((sha256(key + bytes((i,))), sha256(key + bytes((i + 1,)))) for i in range(0, ROUNDS, 2))
