"""What varies in a problem, how many variants there are, and the numbers of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from derive.derivation.graph import split_sample
from derive.errors import DeriveError
from derive.formula.expression import Number
from derive.problem.model import Problem, Vary
from derive.worksheet.ids import VariantId, ids, read_id, tag
from derive.worksheet.kinds import check, check_kind, groups, on_sheet, with_digits
from derive.worksheet.source import Source, joint_fingerprint
from derive.worksheet.stream import Stream, stream_key

Picks = NDArray[np.intp]

MOST_WHOLE = 2**63 - 1
"""Numbers of variants beyond this are no 64-bit integers."""

ETA = "eta"
"""The learning rate, which is given beside the named numbers."""


@dataclass(frozen=True, slots=True)
class Varied:
    """One given number that varies: the problem that it belongs to (counted from 0), its name, its choices."""

    part: int
    name: str
    choices: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Space:
    """Every variant of one sheet, which may hold several problems.

    varied   in the order of the files; a variant is a number below `size`, its digits (the first varied number has
             the highest) are the positions of the choices
    """

    sources: tuple[Source, ...]
    problems: tuple[Problem, ...]
    varied: tuple[Varied, ...]
    fingerprint: str

    @property
    def size(self) -> int:
        return prod(len(entry.choices) for entry in self.varied)

    def stream(self, seed: int) -> Stream:
        return Stream(stream_key(self.fingerprint, seed), self.size)

    def choices(self, part: int) -> dict[str, tuple[Number, ...]]:
        """The numbers that each varied name of a problem may stand for."""
        return {entry.name: entry.choices for entry in self.varied if entry.part == part}

    def picks(self, variant: int) -> tuple[int, ...]:
        """Which choice each varied number takes in a variant, 0 <= variant < size."""
        found = []
        for entry in reversed(self.varied):
            variant, pick = divmod(variant, len(entry.choices))
            found.append(pick)
        return tuple(reversed(found))

    def picks_of(self, variants: Sequence[int]) -> Picks:
        """`picks` of many variants, a row for each."""
        if self.size > MOST_WHOLE:
            return np.array([self.picks(variant) for variant in variants], dtype=np.intp).reshape(len(variants), -1)
        rest = np.array(variants, dtype=np.int64)
        found = np.empty((len(variants), len(self.varied)), dtype=np.intp)
        for column, entry in reversed(list(enumerate(self.varied))):
            rest, found[:, column] = np.divmod(rest, len(entry.choices))
        return found

    def drawn(self, seed: int, places: Iterable[int]) -> Picks:
        """The picks of the variants at these places of the order of a seed."""
        return self.picks_of(self.stream(seed).over(places))

    def ids_at(self, seed: int, places: Iterable[int]) -> list[str]:
        return ids(tag(self.fingerprint), seed, places)

    def id_at(self, seed: int, place: int) -> VariantId:
        return VariantId(tag(self.fingerprint), seed, place)

    def place_of(self, text: str) -> VariantId:
        """The id that somebody typed, if it is one of these problems; raises DeriveError."""
        found = read_id(text)
        if found.problem != tag(self.fingerprint):
            raise DeriveError(
                f"{found} belongs to another problem, or the numbers of {self._names()} were changed since; accepted: "
                f"ids that begin with {tag(self.fingerprint)}"
            )
        if found.place >= self.size:
            raise DeriveError(f"{found}: there are {self.size} variants; accepted: the id of a sheet")
        return found

    def _names(self) -> str:
        return ", ".join(source.name for source in self.sources)

    def problem(self, part: int, picks: Sequence[int]) -> Problem:
        """One problem of the sheet with the numbers of a variant."""
        chosen = {
            entry.name: entry.choices[pick]
            for entry, pick in zip(self.varied, picks, strict=True)
            if entry.part == part
        }
        problem = self.problems[part]
        update = problem.update
        if update and ETA in chosen:
            update = replace(update, learning_rate=chosen.pop(ETA))
        return replace(problem, given={**problem.given, **chosen}, update=update, vary={})


def space_of(sources: Sequence[Source]) -> Space:
    """The variants of a sheet; raises DeriveError for a problem that cannot be varied."""
    problems: list[Problem] = []
    varied: list[Varied] = []
    for part, source in enumerate(sources):
        problem = on_sheet(source.problem())
        check_kind(source.name, problem)
        own = tuple(_varied(part, problem))
        choices = {entry.name: entry.choices for entry in own}
        check(source.name, problem, choices)
        said = {"decimals", "significant"} & source.data().get("rounding", {}).keys()
        problems.append(with_digits(problem, choices, said=bool(said)))
        varied += own
    fingerprint = joint_fingerprint([source.fingerprint() for source in sources])
    return Space(tuple(sources), tuple(problems), tuple(varied), fingerprint)


def _varied(part: int, problem: Problem) -> Iterator[Varied]:
    """In the order in which the numbers are given; a rule for one number takes the place of one for its group."""
    of = groups(problem)
    names = [*problem.given, *([ETA] if problem.update else [])]
    for name in names:
        rule = _rule(problem, name, of.get(name, ""))
        if rule is not None:
            yield Varied(part, name, tuple(dict.fromkeys(rule.choices)))


def _rule(problem: Problem, name: str, group: str) -> Vary | None:
    return problem.vary.get(name) or problem.vary.get(_head(name)) or problem.vary.get(group)


def _head(name: str) -> str:
    return split_sample(name)[0]
