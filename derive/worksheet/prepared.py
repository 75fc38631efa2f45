"""Text whose fixed parts are made once: whatever differs from sheet to sheet is a slot.

A text is made twice by the machinery of the pages, with numbers that stand for others: tokens, which are digits, so
that every rule about numbers (their width, their brackets) sees a number.  No digit of a token is the same both times,
so the places where the two texts differ are the slots and nothing else is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count, product, repeat

FIRST, SECOND = "12346789", "67891234"
_OTHER = str.maketrans(FIRST, SECOND)


class Tokens:
    """Hands out a pair of tokens for each key; no token begins with another one."""

    def __init__(self) -> None:
        self._pairs: dict[Hashable, tuple[str, str]] = {}
        self._taken: set[str] = set()
        self._fresh = {width: product(FIRST, repeat=width) for width in range(1, 40)}

    def pair(self, key: Hashable, width: int = 5) -> tuple[str, str]:
        """The tokens of a key, `width` digits long (more where all of these are taken)."""
        if key not in self._pairs:
            token = self._new(max(3, min(width, 30)))
            self._taken.add(token)
            self._pairs[key] = (token, token.translate(_OTHER))
        return self._pairs[key]

    def _new(self, width: int) -> str:
        for longer in count(width):
            for digits in self._fresh[longer]:
                token = "".join(reversed(digits))
                if not any(token.startswith(other) or other.startswith(token) for other in self._taken):
                    return token
        raise AssertionError

    def keys(self) -> dict[str, Hashable]:
        """The key of each first token."""
        return {first: key for key, (first, _) in self._pairs.items()}


@dataclass(frozen=True, slots=True)
class Prepared:
    """Fixed text with slots: fixed[0] slot[0] fixed[1] slot[1] … fixed[-1]."""

    fixed: tuple[str, ...]
    slots: tuple[Hashable, ...]

    def fill(self, texts: Callable[[Hashable], Sequence[str]], count: int) -> list[str]:
        """The text of every row; `texts` gives the texts of a slot, one for each row."""
        pieces: list[Iterable[str]] = [repeat(self.fixed[0], count)]
        for slot, fixed in zip(self.slots, self.fixed[1:], strict=True):
            pieces += [texts(slot), repeat(fixed, count)]
        return list(map("".join, zip(*pieces, strict=True)))


def prepare(render: Callable[[int], str], tokens: Tokens) -> Prepared:
    """The text that `render` makes, with the first tokens for 0 and the second ones for 1."""
    first, second = render(0), render(1)
    if len(first) != len(second):
        raise AssertionError("the two texts do not differ in tokens only")
    keys = tokens.keys()
    by_start: dict[str, list[str]] = {}
    for token in keys:
        by_start.setdefault(token[:3], []).append(token)
    fixed, slots, start, place = [], [], 0, 0
    while (place := _difference(first, second, place)) >= 0:
        token = next(
            (token for token in by_start.get(first[place : place + 3], ()) if first.startswith(token, place)), ""
        )
        if not token or not second.startswith(token.translate(_OTHER), place):
            raise AssertionError(f"no token at {first[max(0, place - 40) : place + 20]!r}")
        fixed.append(first[start:place])
        slots.append(keys[token])
        start = place = place + len(token)
    return Prepared((*fixed, first[start:]), tuple(slots))


def _difference(first: str, second: str, start: int) -> int:
    """The first place from `start` on where the texts differ, -1 where there is none; in steps, as texts are long."""
    while start < len(first):
        if first[start : start + 256] == second[start : start + 256]:
            start += 256
            continue
        return next(place for place in range(start, start + 256) if first[place] != second[place])
    return -1
