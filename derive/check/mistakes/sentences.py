"""The sentences of mistakes; {step} and the like are filled with names and formulas of the problem."""

from __future__ import annotations

from derive.check.mistakes.scene import Slip
from derive.check.phrases import phrases, titles
from derive.formula.languages import said

TITLED = frozenset(("activation", "used", "part"))
"""What a title of the catalogue may fill."""


def sentence(mistake: str, language: str = "en") -> str:
    """The sentence of a mistake with its placeholders; KeyError where there is none."""
    return phrases(language)["mistakes"][mistake]


class Sentences:
    """Says a slip in the names of the problem."""

    def __init__(self, language: str = "en") -> None:
        known = phrases(language)
        self._mistakes, self._added = known["mistakes"], known["added"]
        self._language, self._titles = language, titles(language)

    def say(self, slip: Slip) -> str:
        words = slip.words
        if self._language != "en":
            words = {key: self._word(key, word) for key, word in words.items()}
        told = self._mistakes[slip.id].format_map({"step": slip.step, **words})
        if elsewhere := slip.words.get("elsewhere"):
            told += self._added["elsewhere"].format(places=elsewhere)
        return told.replace("`", "")  # what the catalogue says of its conventions is Markdown

    def _word(self, key: str, word: str) -> str:
        """A title of the catalogue, or a formula, in the language."""
        title = self._titles.get(word) if key in TITLED else None
        return title or said(word, self._language, "unicode")
