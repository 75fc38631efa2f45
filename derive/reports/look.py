"""How reports look in each format: the pens of the pages, and one for HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Literal

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from derive.check.quantities import Quantities
from derive.check.written import harmless
from derive.errors import DeriveError
from derive.formula.expression import Expr
from derive.formula.languages import LANGUAGES, decimals, inline_in
from derive.formula.printing import write
from derive.pages.blocks import Block
from derive.pages.kinds import Sheet
from derive.pages.prose import Prose, templates_folder
from derive.pages.render import LAST_LATIN, TEX_SIGNS, Look, put_together, sheet_for
from derive.pages.writers import Writer, escape_tex
from derive.reports.formulas import parted
from derive.reports.letters import in_latin
from derive.worked import WorkedExample

Format = Literal["text", "markdown", "latex", "html"]
SUFFIXES: dict[Format, str] = {"text": ".txt", "markdown": ".md", "latex": ".tex", "html": ".html"}
LONGEST_CELL = 36
_SHORTEST_NAME = 3
_WORD = r"d?[A-Za-z]\w*/d[A-Za-z]\w*|[A-Za-z]+\d*_\w+|[A-Za-z]\d+|E"
_NAME = re.compile(rf"((?<![^\s(])(?:{_WORD})(?:\[\d+\])?(?![^\s.,;:)]))")
_FRACTION = re.compile(r"^\\frac\{(.*)\}\{(.*)\}$")


def _nothing(name: str) -> None:  # noqa: ARG001  # where no problem is known, no word is a quantity
    return None


@dataclass(frozen=True, slots=True)
class Style:
    """A format with what it needs: the pen, the widths of equations, the sentences."""

    format: Format
    look: Look
    sheet: Sheet
    prose: Prose
    find: Callable[[str], str | None] = _nothing
    read: Callable[[str], Expr | None] = _nothing

    @property
    def language(self) -> str:
        return self.look.language

    @property
    def pen(self) -> Writer:
        return self.sheet.writer

    def words(self, text: str) -> str:
        """A stranger's words, harmless in this format."""
        return self.pen.escape(harmless(text))

    def short(self, text: str) -> str:
        """A stranger's words cut to the width of a cell."""
        text = " ".join(harmless(text).split())
        return self.words(text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…")

    def quantity(self, name: str) -> str:
        """The symbol of a quantity in a line or a cell: a derivative on one line, so that rows do not touch."""
        return self.pen.inline(self._flat(name))

    def _flat(self, name: str) -> str:
        return _FRACTION.sub(r"\1/\2", self.pen.name(name))

    def title(self, text: str) -> str:
        """The title of a problem; that of a bundled one in the language."""
        return self.words(self.prose.translated(text))

    def number(self, text: str) -> str:
        """A number of the page, with the decimal mark of the language."""
        return self.words(decimals(text, self.language, "unicode"))

    def sentence(self, text: str) -> str:
        """A sentence on a problem, with the symbols of its quantities for their names, and its formulas as formulas."""
        parts = parted(text, lambda name: self.find(name) is not None, self.read, LANGUAGES[self.language].decimal)
        return "".join(self._named(part) if isinstance(part, str) else self._formula(part) for part in parts)

    def note(self, text: str) -> str:
        """A remark as a sentence of its own."""
        first = text.partition(" ")[0]
        if first.isalpha() and first.islower() and self.find(first) is None:
            text = text[0].upper() + text[1:]
        return self.sentence(text if not text or text.endswith((".", "!", "?", "…")) else f"{text}.")

    def _formula(self, expr: Expr) -> str:
        pen = self.pen
        return pen.inline(write(expr, pen.style, self._flat, pen.constant))

    def _named(self, text: str) -> str:
        pieces = _NAME.split(text)
        return "".join(self._name(piece) if at % 2 else self.words_kept(piece) for at, piece in enumerate(pieces))

    def words_kept(self, text: str) -> str:
        """Words with the spaces around them."""
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f"{' ' * bool(before)}{self.words(text.strip())}{' ' * bool(after)}" if text.strip() else text

    def _name(self, piece: str) -> str:
        return self.quantity(piece) if self.find(piece) == piece else self.words(piece)

    def say(self, key: str, /, **words: object) -> str:
        """A sentence of the reports."""
        return self.prose.say("report", key, **words)


def style(
    format: Format, example: WorkedExample, *, ascii: bool = False, width: int = 80, language: str = "en"
) -> Style:
    """The style of a format for one problem; `ascii` and `width` are those of terminal text."""
    notation = example.problem.notation
    look = Look(
        "text" if format == "html" else format,
        ascii=ascii,
        width=width,
        language=language,
    )
    sheet = sheet_for(look, notation)
    pen = sheet.writer
    if format == "html":
        pen = Writer("unicode", notation, _html_in(language), html.escape, language)
        sheet = replace(sheet, writer=pen)
    if format == "latex":
        pen = replace(pen, escape=_printable_tex)
        sheet = replace(sheet, writer=pen)
    quantities = Quantities(example)
    return Style(format, look, sheet, Prose(pen, language), quantities.find, partial(_read, quantities))


def _read(quantities: Quantities, text: str) -> Expr | None:
    try:
        return quantities.formula(text).expr
    except DeriveError:
        return None


def _html_in(language: str) -> Callable[[str], str]:
    return inline_in(language, "unicode", lambda math: f"<i>{html.escape(math)}</i>")


def _printable_tex(text: str) -> str:
    """TeX of a text; a letter that the fonts do not have in Latin letters or as its code: no name stops a batch."""
    if text.isascii():
        return _tex_signs(text)
    words = (word if _is_formula(word) else in_latin(word, _is_in_fonts) for word in re.split("( )", text))
    return "".join(map(_tex_letter, _tex_signs("".join(words))))


def _tex_signs(text: str) -> str:
    return escape_tex(text).replace("--", "-{}-")


def _is_formula(word: str) -> bool:
    """Whether a word of Greek letters may be one of a formula, δ_o1 or Σ, and no name."""
    if not re.search("[\u0370-\u03ff∂]", word):
        return False
    return sum(map(str.isalpha, word)) < _SHORTEST_NAME or re.search(r"[=_^*/\d]", word) is not None


def _is_in_fonts(char: str) -> bool:
    return ord(char) <= LAST_LATIN or char in TEX_SIGNS


def _tex_letter(char: str) -> str:
    return char if _is_in_fonts(char) else rf"\texttt{{U+{ord(char):04X}}}\allowbreak{{}}"


def page(blocks: Sequence[Block], style: Style, figure: str = "") -> str:
    """The blocks, the first of them the title, as a document that ends with a newline."""
    if style.format != "html":
        return put_together(list(blocks), style.look, figure)
    return _html().render(blocks=blocks, figure=figure, title=blocks[0].text, language=style.language)


@cache
def _html() -> Template:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(templates_folder() / "reports"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html.jinja")
