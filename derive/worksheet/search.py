"""Finding variants that are fit for a class, in the order of the seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat

import numpy as np

from derive.errors import DeriveError
from derive.worksheet.good_numbers import RULES, Fitness, Rule, hidden_mistakes
from derive.worksheet.honest import Slip
from derive.worksheet.plan import Plan
from derive.worksheet.values import Table

CHUNKS = (64, 256, 1024, 4096)
"""So many variants are looked at together, more and more of them: the result does not hang on it."""

PATIENCE = 5000
"""So many variants are tried before a low rate of acceptance ends the search."""

LOWEST = 1 / 200
"""With a lower rate of acceptance the numbers do not suit the rules."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What the rules say of variants that follow each other: which places are fit, how many each rule refuses."""

    fit: tuple[int, ...]
    tried: int
    refused: Mapping[str, int]
    mistakes: Mapping[str, int]


@dataclass
class Found:
    """The places of fit variants, perhaps more than are needed; how many were tried, what refused the others."""

    places: list[int] = field(default_factory=list)
    tried: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    mistakes: Counter[str] = field(default_factory=Counter)

    def add(self, chunk: Chunk) -> None:
        self.places += chunk.fit
        self.tried += chunk.tried
        self.refused.update(chunk.refused)
        self.mistakes.update(chunk.mistakes)

    def rate(self) -> float:
        return len(self.places) / self.tried if self.tried else 0.0


def search(plan: Plan, count: int, run: Callable[[Iterable[tuple[int, int]]], Iterator[Chunk]]) -> Found:
    """The first `count` fit variants; `run` looks at chunks (first place, one past the last), in their order.

    Raises DeriveError when there are too few, or the rules refuse nearly all.
    """
    size = plan.space.size
    if count > size:
        raise DeriveError(f"{count} sheets: there are {size} variants; accepted: at most {size}, or a wider [vary]")
    found = Found()
    for chunk in run(_chunks(size)):
        found.add(chunk)
        if len(found.places) >= count:
            return found
        if found.tried >= PATIENCE and found.rate() < LOWEST:
            raise DeriveError(_too_few(count, found, "accepted of those tried"))
    raise DeriveError(_too_few(count, found, "fit of all that exist"))


def _chunks(size: int) -> Iterator[tuple[int, int]]:
    first = 0
    for length in chain(CHUNKS, repeat(CHUNKS[-1])):
        if first >= size:
            return
        yield first, min(first + length, size)
        first += length


def look(plan: Plan, tables: tuple[Table, ...], slips: tuple[tuple[Slip, ...], ...], first: int) -> Chunk:
    """What the rules say of the variants of these tables, which stand at the places from `first` on."""
    count = tables[0].count
    bad = np.zeros(count, dtype=bool)
    refused: Counter[str] = Counter()
    mistakes: Counter[str] = Counter()
    rules = [rule for rule in RULES if rule.name not in plan.allow]
    for part, table in enumerate(tables):
        fitness = Fitness(table, plan.asked[part], slips[part])
        for rule in rules:
            flags = _flags(rule, fitness, mistakes)
            refused[rule.name] += int((flags & ~bad).sum())
            bad |= flags
    return Chunk(tuple((np.flatnonzero(~bad) + first).tolist()), count, +refused, +mistakes)


def _flags(rule: Rule, fitness: Fitness, mistakes: Counter[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if rule.name != "mistake":
        return rule.refuses(fitness)
    flags = fitness.none()
    for name, here in hidden_mistakes(fitness).items():
        mistakes[name] += int(here.sum())
        flags |= here
    return flags


def _too_few(count: int, found: Found, words: str) -> str:
    lines = [f"{count} sheets: {len(found.places)} of {found.tried} variants are {words}; refused were"]
    lines += [
        f"  {found.refused[rule.name]} because {rule.words}: try {rule.advice}, or --allow {rule.name}"
        for rule in RULES
        if found.refused[rule.name]
    ]
    lines += [f"    the mistake {name} hides in {number}" for name, number in found.mistakes.most_common(3)]
    return "\n".join(lines)
