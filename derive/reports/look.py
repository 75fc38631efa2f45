"""How reports look in each format: the pens of the pages, and one for HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from derive.check.quantities import Quantities
from derive.check.written import harmless
from derive.pages.blocks import Block
from derive.pages.kinds import Sheet
from derive.pages.prose import Prose, templates_folder
from derive.pages.render import LAST_LATIN, TEX_SIGNS, Look, put_together, sheet_for
from derive.pages.writers import Writer, escape_tex
from derive.worked import WorkedExample

Format = Literal["text", "markdown", "latex", "html"]
SUFFIXES: dict[Format, str] = {"text": ".txt", "markdown": ".md", "latex": ".tex", "html": ".html"}
LONGEST_CELL = 36
_WORD = r"d?[A-Za-z]\w*/d[A-Za-z]\w*|[A-Za-z]+\d*_\w+|[A-Za-z]\d+"
_NAME = re.compile(rf"((?<![^\s(])(?:{_WORD})(?:\[\d+\])?(?![^\s.,;:)]))")
_FRACTION = re.compile(r"^\\frac\{(.*)\}\{(.*)\}$")


def _nothing(name: str) -> str | None:  # noqa: ARG001  # where no problem is known, no word is a quantity
    return None


@dataclass(frozen=True, slots=True)
class Style:
    """A format with what it needs: the pen, the widths of equations, the sentences."""

    format: Format
    look: Look
    sheet: Sheet
    prose: Prose
    find: Callable[[str], str | None] = _nothing

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
        pen = self.pen
        return pen.inline(_FRACTION.sub(r"\1/\2", pen.name(name)))

    def sentence(self, text: str) -> str:
        """A sentence on a problem, with the symbols of its quantities for their names."""
        pieces = _NAME.split(text)
        return "".join(self._name(piece) if at % 2 else self.words_kept(piece) for at, piece in enumerate(pieces))

    def words_kept(self, text: str) -> str:
        """Words with the spaces around them."""
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f"{' ' * bool(before)}{self.words(text)}{' ' * bool(after)}" if text.strip() else text

    def _name(self, piece: str) -> str:
        return self.quantity(piece) if self.find(piece) == piece else self.words(piece)

    def say(self, key: str, /, **words: object) -> str:
        """A sentence of the reports."""
        return self.prose.say("report", key, **words)


def style(format: Format, example: WorkedExample, *, ascii: bool = False, width: int = 80) -> Style:
    """The style of a format for one problem; `ascii` and `width` are those of terminal text."""
    notation = example.problem.notation
    look = Look(
        "text" if format == "html" else format,
        ascii=ascii,
        width=width,
    )
    sheet = sheet_for(look, notation)
    pen = sheet.writer
    if format == "html":
        pen = Writer("unicode", notation, lambda math: f"<i>{html.escape(math)}</i>", html.escape)
        sheet = replace(sheet, writer=pen)
    if format == "latex":
        pen = replace(pen, escape=_printable_tex)
        sheet = replace(sheet, writer=pen)
    return Style(format, look, sheet, Prose(pen), Quantities(example).find)


def _printable_tex(text: str) -> str:
    """TeX of a text; a letter that the fonts do not have as its code, so that one name never stops a batch."""
    signs = escape_tex(text).replace("--", "-{}-")
    return signs if signs.isascii() else "".join(map(_tex_letter, signs))


def _tex_letter(char: str) -> str:
    known = ord(char) <= LAST_LATIN or char in TEX_SIGNS
    return char if known else rf"\texttt{{U+{ord(char):04X}}}"


def page(blocks: Sequence[Block], style: Style, figure: str = "") -> str:
    """The blocks, the first of them the title, as a document that ends with a newline."""
    if style.format != "html":
        return put_together(list(blocks), style.look, figure)
    return _html().render(blocks=blocks, figure=figure, title=blocks[0].text)


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
