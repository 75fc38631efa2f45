"""The numbers of those whose sheets are judged together: the same for all, or for each their own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from derive.check.precision import Floats
from derive.check.program import Program
from derive.errors import DeriveError
from derive.numbers.exact import NotEnoughDigits
from derive.numbers.rounding import Rounding, show_real
from derive.worked import WorkedExample

FEWEST_SHOWN = 5
"""The right number is shown with so many significant digits at least ..."""
MOST_SHOWN = 30  # ... and with so many decimals at most.
MOST_OF_DOUBLE = 12
"""So many digits of a double are digits of the true value, where no tie is near."""
_NEAR_TIE = 1e-3


@dataclass(frozen=True, slots=True)
class Own:
    """The numbers of sheets that differ in what is given and in nothing else.

    truth     the true values of every key of the program, an array over the sheets; NaN where there is none
    texts     what the page of each sheet shows for each quantity that is asked for
    examples  the worked example of a sheet by its place: exact, and slow
    full      whether the full value is carried on
    """

    program: Program
    truth: Mapping[str, Floats]
    texts: Mapping[str, Sequence[str]]
    examples: Callable[[int], WorkedExample]
    full: bool

    def some(self, places: Sequence[int]) -> Own:
        """The numbers of these sheets."""
        chosen = np.array(places, dtype=np.intp)
        return Own(
            self.program,
            {key: values[chosen] for key, values in self.truth.items()},
            {name: [texts[place] for place in places] for name, texts in self.texts.items()},
            lambda column: self.examples(places[column]),
            self.full,
        )

    def value(self, key: str, column: int) -> float | None:
        value = float(self.truth[key][column])
        return None if np.isnan(value) else value

    def shown(self, quantity: str, column: int, places: int) -> str:
        """What the page of the sheet shows, or more places of it."""
        text, value = self.texts[quantity][column], self.value(self.program.asked[quantity], column)
        if not text or "e" in text:
            return text
        places = _places(value, places, full=self.full)
        if places <= len(text.partition(".")[2]):
            return text
        size = abs(value or 0.0) * 10.0**places
        if size < 10.0**MOST_OF_DOUBLE and abs(size - math.floor(size) - 0.5) > _NEAR_TIE:
            return f"{value:.{places}f}"
        return shown(self.examples(column), self.program.names.place(self.program.asked[quantity]), text, places)

    def example(self, column: int) -> WorkedExample:
        return self.examples(column)


def of_examples(program: Program, examples: Sequence[WorkedExample]) -> Own:
    """The numbers of a few variants, one by one."""

    def true(example: WorkedExample, key: str) -> float:
        return double(example, *program.names.place(key))

    truth = {key: np.array([true(example, key) for example in examples]) for key in program.nodes}
    texts = {quantity: [written(example, quantity) for example in examples] for quantity in program.asked}
    full = all(example.problem.rounding.carry == "full" for example in examples)
    return Own(program, truth, texts, examples.__getitem__, full)


def double(example: WorkedExample, name: str, step: int) -> float:
    """The true value after so many updates; NaN where there is none."""
    try:
        found = example.values_after(step).double(name)
    except DeriveError:
        found = None
    return math.nan if found is None else found


class Alike:
    """The numbers of sheets of one and the same problem."""

    def __init__(self, example: WorkedExample, program: Program) -> None:
        self._example, self._program = example, program
        self._texts: dict[tuple[str, int], str] = {}

    def value(self, key: str, _: int) -> float | None:
        return self._program.truth[key]

    def shown(self, quantity: str, _: int, places: int) -> str:
        """What the page shows, or more places of it."""
        if (quantity, places) not in self._texts:
            self._texts[quantity, places] = self._found(quantity, places)
        return self._texts[quantity, places]

    def _found(self, quantity: str, places: int) -> str:
        text = written(self._example, quantity)
        if not text or "e" in text:
            return text
        key = self._program.asked[quantity]
        places = _places(self._program.truth[key], places, full=self._example.problem.rounding.carry == "full")
        return shown(self._example, self._program.names.place(key), text, places)

    def example(self, _: int) -> WorkedExample:
        return self._example


def written(example: WorkedExample, quantity: str) -> str:
    """What the page shows; "" where that is no number."""
    try:
        return example.shown(quantity) or ""
    except (DeriveError, NotEnoughDigits):
        return ""


def shown(example: WorkedExample, place: tuple[str, int], text: str, places: int) -> str:
    """The text of the page, or the true value with more places."""
    name, step = place
    try:
        true = example.values_after(step).real(name)
    except (DeriveError, NotEnoughDigits):
        return ""
    if true is None or places <= len(text.partition(".")[2]):
        return text
    return show_real(true, Rounding(decimals=places)) or text


def _places(value: float | None, places: int, *, full: bool) -> int:
    """So many places as asked for, and enough of them to tell the number from 0."""
    if full and value:
        places = max(places, FEWEST_SHOWN - 1 - math.floor(math.log10(abs(value))))
    return min(places, MOST_SHOWN)
