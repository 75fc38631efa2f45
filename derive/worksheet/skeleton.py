"""A worked example whose numbers are tokens: what the pages write of it has a slot for every number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from derive.formula.expression import Condition, Number
from derive.worked import WorkedExample


@dataclass(frozen=True, slots=True)
class Seen:
    """What the writing of one line hangs on, beside the digits of its numbers.

    texts     the text that stands for each operand and for the target
    rounded   whether each of these is a rounded number
    marked    whether the printed operands do not give the printed result
    piece     which piece of a definition by cases holds, counted from 0
    """

    texts: Mapping[str, str]
    rounded: Mapping[str, bool]
    marked: bool = False
    piece: int = 0


class SkeletonValues:
    """Answers what the pages ask of values from what a line is seen to be."""

    def __init__(self, seen: Callable[[], Seen], pieces: Callable[[], tuple[Condition, ...]]) -> None:
        self._seen, self._pieces = seen, pieces

    def shown(self, name: str) -> str:
        return self._seen().texts.get(name, "1")

    def exact_result(self, name: str) -> Fraction | None:
        return None if self._seen().rounded.get(name, True) else Fraction(self._seen().texts[name])

    def holds(self, test: Condition) -> bool:
        pieces = self._pieces()
        return test in pieces and pieces.index(test) == self._seen().piece


class Skeleton(WorkedExample):
    """The worked example of any variant, with tokens for its numbers.

    `numbers` gives the token of every given number by name; `line` changes what is seen while a line is written.
    """

    def __init__(self, base: WorkedExample, numbers: Mapping[str, str]) -> None:
        problem = base.problem
        given = {name: _spelt(number, numbers.get(name)) for name, number in problem.given.items()}
        update = problem.update
        if update and "eta" in numbers:
            update = replace(update, learning_rate=_spelt(update.learning_rate, numbers["eta"]))
        super().__init__(replace(problem, given=given, update=update), base.options)
        self.seen = Seen({}, {})
        self.pieces: tuple[Condition, ...] = ()
        self.__dict__["graph"] = base.graph
        self.__dict__["derivation"] = base.derivation
        self.__dict__["values"] = SkeletonValues(lambda: self.seen, lambda: self.pieces)

    def has_numbers(self) -> bool:
        return True

    def shown(self, name: str) -> str | None:
        return self.seen.texts.get(name, "1")

    def written(self, name: str, values: Any = None) -> str | None:  # noqa: ARG002  # the skeleton has no other values
        if not self.seen.texts and name in self.problem.given:
            return self.problem.given[name].written
        return self.seen.texts.get(name)

    def is_rounded(self, name: str) -> bool:
        return self.seen.rounded.get(name, False)

    def reproducible(self, name: str) -> bool:  # noqa: ARG002  # one line is seen at a time
        return not self.seen.marked


def _spelt(number: Number, text: str | None) -> Number:
    return number if text is None else Number(number.value, text)
