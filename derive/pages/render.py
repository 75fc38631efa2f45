"""From a worked example to a page in a format: the blocks of the page, put into the template of the format."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from derive.errors import DeriveError
from derive.formula.printing import EULER
from derive.pages.blocks import Block
from derive.pages.kinds import Sheet, blocks_of, picture_of
from derive.pages.languages import said_block
from derive.pages.prose import Prose, templates_folder
from derive.pages.writers import writer
from derive.worked import WorkedExample

if TYPE_CHECKING:
    pass

Format = Literal["text", "markdown", "latex"]
Dialect = Literal["github", "dollar"]

TEMPLATES: dict[Format, str] = {"text": "page.txt.jinja", "markdown": "page.md.jinja", "latex": "page.tex.jinja"}
LAST_LATIN = 0x17F
TEX_SIGNS = "†…–—‘’“”„•€"
"""Signs beyond the Latin letters that the preamble knows."""

EQUATION_WIDTH = 76
LINE_WIDTH = 72
"""About how many characters of a formula fit to the right of an equation, and on a row, of a printed page."""


@dataclass(frozen=True, slots=True)
class Look:
    r"""How a page looks.

    dialect    of Markdown: "github" (```math and $`…`$) or "dollar" ($$ and $)
    fragment   LaTeX to \input instead of a whole document
    ascii      terminal text without Unicode
    width      characters on a line of terminal text
    figure     "embed", "none", or the name of an SVG file that a Markdown page links to
    """

    format: Format = "text"
    dialect: Dialect = "github"
    fragment: bool = False
    ascii: bool = False
    width: int = 80
    figure: str = "embed"
    language: str = "en"


def render(example: WorkedExample, look: Look) -> str:
    """The page as text that ends with a newline.

    Raises DeriveError for a LaTeX page with characters that its fonts do not have.
    """
    mark = EULER.set(not _has_e(example))
    try:
        text = _rendered(example, look)
    finally:
        EULER.reset(mark)
    if look.format == "latex":
        _check_tex(text)
    return text


def _has_e(example: WorkedExample) -> bool:
    try:
        example.graph.node("e")
    except KeyError:
        return False
    return True


def _check_tex(text: str) -> None:
    """LaTeX pages use fonts for Latin letters; Greek in names has become commands by now."""
    foreign = next((char for char in text if ord(char) > LAST_LATIN and char not in TEX_SIGNS), None)
    if foreign:
        raise DeriveError(
            f'LaTeX: found the character "{foreign}" (U+{ord(foreign):04X}), which its fonts do not have; accepted: '
            "Latin letters, and Greek ones in names; Markdown and text print every character"
        )


def _rendered(example: WorkedExample, look: Look) -> str:
    sheet = sheet_for(look, example.problem.notation)
    blocks = [said_block(block, look.language, sheet.writer.style) for block in blocks_of(example, sheet)]
    return put_together(blocks, look, _figure(example, look, blocks))


def sheet_for(look: Look, notation: str) -> Sheet:
    """What blocks are built with for a page that looks so."""
    used = writer(look.format, look.dialect, notation, ascii=look.ascii, language=look.language)
    width, line_width = (look.width - 24, look.width - 6) if look.format == "text" else (EQUATION_WIDTH, LINE_WIDTH)
    return Sheet(used, width, line_width, look.language)


def put_together(blocks: list[Block], look: Look, figure: str = "") -> str:
    """The blocks, the first of them the title, in the template of the format; `figure` stands for the picture."""
    words = {"blocks": blocks, "look": look, "figure": figure, "title": blocks[0].text}
    return _template(look.format).render(words).rstrip("\n") + "\n"


@cache
def _template(format: Format) -> Template:
    tex = (
        {}
        if format != "latex"
        else {
            "block_start_string": "<%",
            "block_end_string": "%>",
            "variable_start_string": "<<",
            "variable_end_string": ">>",
            "comment_start_string": "<#",
            "comment_end_string": "#>",
        }
    )
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(templates_folder() / "pages"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **tex,
    )
    return environment.get_template(TEMPLATES[format])


def _figure(example: WorkedExample, look: Look, blocks: list[Block]) -> str:
    """What stands for the figure: TikZ, a link, an embedded picture, or nothing."""
    if look.figure == "none" or look.format == "text":
        return ""
    title = next((block.text for block in blocks if block.kind == "figure"), "")
    if look.format == "markdown" and look.figure != "embed":
        return look.figure
    picture = picture_of(example, title, look.language)
    if picture is None:
        return ""
    if look.format == "latex":
        return picture.tikz()
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.svg().encode()).decode()}"


def figure_svg(example: WorkedExample, language: str = "en") -> str | None:
    """The picture of the problem as a standalone SVG; None for a kind without one."""
    title = Prose(writer("text", "dollar", example.problem.notation, language=language), language).translated(
        example.problem.title
    )
    picture = picture_of(example, title, language)
    return picture.svg() if picture else None
