"""Which functions and names a formula may use, and under which spellings."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Set
from dataclasses import dataclass

from derive.catalogue.activations import ROWS
from derive.errors import nearest
from derive.formula.expression import Number
from derive.formula.tokens import GREEK

Names = Callable[[str], bool] | Collection[str]


@dataclass(frozen=True, slots=True)
class Signature:
    """How many arguments a function takes (`most` None: any number); `defaults` fill the last ones."""

    least: int
    most: int | None
    defaults: tuple[Number, ...] = ()

    def __str__(self) -> str:
        if self.most is None:
            return f"{self.least} or more arguments"
        if self.most == self.least:
            return f"{self.least} argument" + "s" * (self.least > 1)
        return f"{self.least} to {self.most} arguments"


FUNCTIONS: Mapping[str, Signature] = {
    **dict.fromkeys(("exp", "ln", "sqrt", "abs", "sin", "cos", "erf"), Signature(1, 1)),
    **dict.fromkeys(("max", "min"), Signature(2, None)),
    **{
        row.function: Signature(1, 1 + len(row.parameters), tuple(value for _, value in row.parameters))
        for row in ROWS
        if not row.vector
    },
}
_ALIASES = {"log": "ln", **{row.text: row.function for row in ROWS if not row.vector}}

_INDEXED_LETTER = re.compile(r"(?<![^\W\d_])(d?[^\W\d_])_(?=[0-9])")
_LETTERS = re.compile(r"[^\W\d_]+")
_OTHER_ALPHABET = {**GREEK, **{letter: word for word, letter in GREEK.items()}}


class Vocabulary:
    """The functions and names that a text may use."""

    def __init__(self, functions: Collection[str], names: Names | None, latex: bool) -> None:
        self.functions = frozenset(functions)
        self.latex = latex
        self.any_name = names is None
        self.listed: Collection[str] = () if names is None or callable(names) else names
        self._knows = names if callable(names) else self._set_of(self.listed).__contains__

    @staticmethod
    def _set_of(names: Collection[str]) -> Collection[str]:
        return names if isinstance(names, Set | Mapping) else frozenset(names)

    def function(self, word: str) -> str | None:
        canonical = word if word in self.functions else _ALIASES.get(word, word)
        return canonical if canonical in self.functions else None

    def name(self, word: str) -> str | None:
        """The canonical name for a word: w5 for w_5 where only that is known, alpha for α; None when unknown."""
        spelt = _spellings(word, self.latex)
        return next(spelt) if self.any_name else next(filter(self._knows, spelt), None)

    def is_listed(self, word: str) -> bool:
        return not self.any_name and self.name(word) is not None

    def suggestion(self, word: str) -> str:
        few = self.listed if len(self.listed) <= 1000 else ()
        return nearest(word, (*few, *sorted(self.functions)))

    def accepted_names(self) -> str:
        if 0 < len(self.listed) <= 12:
            return "the names " + ", ".join(self.listed)
        return "a known name"

    def accepted_functions(self) -> str:
        return "the functions " + ", ".join(sorted(self.functions)) if self.functions else "no functions"


def _spellings(word: str, latex: bool) -> Iterator[str]:
    """As meant first: w_{5} is w5 in LaTeX, w_5 is w_5 elsewhere; then in the other alphabet (δ_o1, delta_o1)."""
    joined = _INDEXED_LETTER.sub(r"\1", word)
    order = (joined, word) if latex else (word, joined)
    yield from order
    for spelling in order:
        yield _LETTERS.sub(lambda match: _OTHER_ALPHABET.get(match.group(), match.group()), spelling)
