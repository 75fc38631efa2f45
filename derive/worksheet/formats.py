"""The formats of the sheets, a row each: a new format is a row and, where it is a page, a template."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from derive.errors import DeriveError
from derive.formula.languages import decimals, inline_in
from derive.pages.blocks import Block, Equation
from derive.pages.kinds import picture_of
from derive.pages.render import LAST_LATIN
from derive.pages.writers import Writer, escape_markdown, escape_tex, writer
from derive.worksheet import mathml, moodle, notebook, pdf, qti, typst_math
from derive.worksheet.plan import Style
from derive.worksheet.questions import Question
from derive.worksheet.skeleton import Skeleton
from derive.worksheet.templates import render, sentence

SCALE = 0.75
"""Of a picture on paper, to its size on a screen."""


@dataclass(frozen=True, slots=True)
class Content:
    """One sheet or key, with tokens for what differs from sheet to sheet.

    figures   what stands for the picture of each part; an empty text where there is none
    given     what stands for each given number, by part and name
    answers   what stands for each answer, by part and quantity; empty on a sheet
    questions, worked  of each part, and all of its worked lines; for exports only
    mark      what the mark of a line means whose printed numbers give another last digit; for exports only
    quoted    the student inside a string of a program; for exports only
    """

    kind: str
    variant: str
    student: str
    blocks: tuple[Block, ...]
    figures: tuple[str, ...]
    given: tuple[Mapping[str, str], ...]
    answers: tuple[Mapping[str, str], ...]
    asked: tuple[tuple[str, ...], ...]
    questions: tuple[tuple[Question, ...], ...] = ()
    worked: tuple[tuple[str, ...], ...] = ()
    mark: str = ""
    quoted: str = ""


def _same(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Export:
    """What is different about sheets that a program reads.

    graded    the answers are in it: there are no keys
    embed     the text that stands for a picture, from its SVG; without it pictures are files
    encode    a formula or a number that is put into a sheet
    quote     the name of a student inside a string of a program
    """

    graded: bool
    embed: Callable[[str], str] | None = None
    encode: Callable[[str], str] = _same
    quote: Callable[[str], str] = _same


@dataclass(frozen=True, slots=True)
class SheetFormat:
    """How sheets are written in one format.

    body      a sheet or a key; a file is head + body + tail, a bundle head + bodies, put together by between, + tail
    bundle    what a bundle begins and ends with, where it is no longer what a single file is
    line      a worked line, or its formula with a blank where there are no numbers
    writer    for names and numbers in formulas, by style and notation
    figure    the picture of a problem under its title; with `linked` it is an SVG file of its own, in figures/
    drawn     a number in a figure, in a language
    blank     what is to be filled in, at the end of a formula
    escape    makes the name of a student harmless
    number    a number that is put in the place of another one in a formula; without it the number of the writer
    compiled  the bytes of a whole document; without it they are its text
    export    for what a program reads: notebooks, learning platforms
    parts     packages whose version the bytes hang on
    """

    name: str
    suffix: str
    writer: Callable[[Style, str], Writer]
    head: Callable[[Style], str]
    body: Callable[[Style, Content], str]
    tail: Callable[[Style], str]
    between: str
    bundle: tuple[str, str]
    line: Callable[[Style, Equation], str]
    figure: Callable[[Style, Skeleton, str], str]
    drawn: Callable[[str, str], str]
    linked: bool
    escape: Callable[[str], str]
    blank: str
    number: Callable[[str, str], str] | None = None
    compiled: Callable[[str], bytes] | None = None
    export: Export | None = None
    parts: tuple[str, ...] = ()

    def bytes_of(self, text: str) -> bytes:
        """A whole document as its file has it."""
        return self.compiled(text) if self.compiled else text.encode()


def part(name: str, key: str) -> Callable[[Style], str]:
    """A fixed part of a template: its head or its tail."""

    def fixed(style: Style) -> str:
        title = sentence(style.templates, style.language, "worksheet", "title")
        return _rendered(name, style, part=key, title=title).lstrip("\n")

    return fixed


def page(name: str) -> Callable[[Style, Content], str]:
    """A sheet put into a template."""

    def body(style: Style, content: Content) -> str:
        words = {"blocks": content.blocks, "figure": content.figures, "variant": content.variant}
        return _rendered(name, style, part="body", kind=content.kind, **words).strip("\n") + "\n"

    return body


def equation(name: str) -> Callable[[Style, Equation], str]:
    """A worked line put into a template."""
    return lambda style, e: _rendered(name, style, part="line", e=e).strip("\n")


def _rendered(name: str, style: Style, **words: Any) -> str:
    """A template with what every part of it may use: the language, and what makes formulas of its format."""
    fixed = {"dialect": style.dialect, "language": style.language, **FORMULAS.get(name, {})}
    return render(name, style.templates, {**fixed, **words})


def as_latex(e: Equation) -> str:
    """An equation as LaTeX, one line or aligned."""
    mark = r" \quad \dagger" if e.marked else ""
    if len(e.rows) == 1:
        return f"{e.left} {e.rows[0].relation} {e.rows[0].right}{mark}"
    lefts = [e.left, *[""] * (len(e.rows) - 1)]
    rows = [f"{left} &{row.relation or chr(92) + 'quad'} {row.right}" for left, row in zip(lefts, e.rows, strict=True)]
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + mark + "\n\\end{aligned}"


def _svg(style: Style, example: Skeleton, title: str) -> str:
    picture = picture_of(example, title, style.language)
    return picture.svg() if picture else ""


def _svg_inside(style: Style, example: Skeleton, title: str) -> str:
    """The picture as an element of a page."""
    return re.sub(r"^<\?xml[^>]*>\s*", "", _on_paper(_svg(style, example, title)))


def _on_paper(drawn: str) -> str:
    """The picture as large as it is printed beside 11-point text."""
    size = re.compile(r'(?<= )(width|height)="([0-9.]+)"')
    return size.sub(lambda found: f'{found[1]}="{float(found[2]) * SCALE:.0f}"', drawn, count=2)


def _svg_string(style: Style, example: Skeleton, title: str) -> str:
    """The picture as a string of Typst."""
    drawn = _on_paper(_svg(style, example, title))
    return typst_math.text_string(drawn) if drawn else ""


def _tikz(style: Style, example: Skeleton, title: str) -> str:
    picture = picture_of(example, title, style.language)
    return picture.tikz().rstrip("\n") if picture else ""


def _drawn_text(text: str, language: str) -> str:
    return decimals(text, language, "unicode").replace("-", "−")


def _drawn_latex(text: str, language: str) -> str:
    return decimals(text, language, "latex")


def _in_latex(style: Style, notation: str) -> Writer:
    return writer("latex", "dollar", notation, language=style.language)


def _in_html(style: Style, notation: str) -> Writer:
    inline = inline_in(style.language, "latex", mathml.mathml)
    return Writer("latex", notation, inline, html.escape, style.language)


def _in_moodle(style: Style, notation: str) -> Writer:
    return Writer("latex", notation, inline_in(style.language, "latex", moodle.math), moodle.escape, style.language)


def _dollar_line(style: Style, e: Equation) -> str:
    return equation(MARKDOWN)(replace(style, dialect="dollar"), e)


def _in_typst(style: Style, notation: str) -> Writer:
    inline = inline_in(style.language, "latex", lambda latex: f"${typst_math.typst(latex)}$")
    return Writer("latex", notation, inline, typst_math.escape, style.language)


def _as_json(style: Style, content: Content) -> str:  # noqa: ARG001  # JSON has one style
    data: dict[str, object] = {"variant": content.variant}
    if content.student:
        data["student"] = content.student
    data["problems"] = [
        {"given": dict(given), "ask": list(asked), **({"answers": dict(answers)} if answers else {})}
        for given, asked, answers in zip(content.given, content.asked, content.answers, strict=True)
    ]
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _tex_name(text: str) -> str:
    """A name for LaTeX; raises DeriveError where its fonts do not have a letter."""
    foreign = next((char for char in text if ord(char) > LAST_LATIN), None)
    if foreign is not None:
        raise DeriveError(
            f'LaTeX: its fonts do not have the "{foreign}" of "{text}"; accepted: Latin letters, or HTML or Markdown'
        )
    return escape_tex(text)


def _plain_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


MARKDOWN, LATEX, HTML, TYPST = "sheet.md.jinja", "sheet.tex.jinja", "sheet.html.jinja", "sheet.typ.jinja"
FORMULAS: dict[str, dict[str, Any]] = {
    HTML: {
        "math": mathml.mathml, "equation": lambda e: mathml.mathml(as_latex(e), True), "font": mathml.font,
        "escape": html.escape,
    },
    TYPST: {
        "math": lambda latex: f"${typst_math.typst(latex)}$", "formula": typst_math.typst,
        "equation": lambda e: typst_math.typst(as_latex(e)),
    },
}  # fmt: skip
FORMATS: dict[str, SheetFormat] = {
    row.name: row
    for row in (
        SheetFormat(
            "markdown", ".md",
            lambda style, notation: writer("markdown", style.dialect, notation, language=style.language),
            lambda _: "", page(MARKDOWN), lambda _: "",
            '\n---\n\n<div style="page-break-after: always"></div>\n\n', ("", ""),
            equation(MARKDOWN), _svg, _drawn_text, True, escape_markdown, r"\rule{8em}{1px}",
        ),
        SheetFormat(
            "latex", ".tex", _in_latex, part(LATEX, "head"), page(LATEX), part(LATEX, "tail"), "\n", ("", ""),
            equation(LATEX), _tikz, _drawn_latex, False, _tex_name, r"\rule{3cm}{26214sp}",
        ),
        SheetFormat(
            "html", ".html", _in_html, part(HTML, "head"), page(HTML), part(HTML, "tail"), "\n", ("", ""),
            equation(HTML), _svg_inside, _drawn_text, False, html.escape, mathml.BLANK, mathml.number,
            parts=("math-core",),
        ),
        SheetFormat(
            "pdf-typst", ".pdf", _in_typst, part(TYPST, "head"), page(TYPST), part(TYPST, "tail"), "\n", ("", ""),
            equation(TYPST), _svg_string, _drawn_text, False, typst_math.escape, typst_math.BLANK, typst_math.number,
            pdf.by_typst, parts=("typst",),
        ),
        SheetFormat(
            "pdf-latexmk", ".pdf", _in_latex, part(LATEX, "head"), page(LATEX), part(LATEX, "tail"), "\n", ("", ""),
            equation(LATEX), _tikz, _drawn_latex, False, _tex_name, r"\rule{3cm}{26214sp}", None, pdf.by_latexmk,
        ),
        SheetFormat(
            "notebook", ".ipynb",
            lambda style, notation: writer("markdown", "dollar", notation, language=style.language),
            lambda _: notebook.HEAD, notebook.body, lambda _: notebook.TAIL, ",\n", ("", ""),
            _dollar_line, _svg, _drawn_text, False, lambda text: notebook.encoded(escape_markdown(text)),
            r"\rule{8em}{1px}",
            export=Export(False, moodle.embedded, notebook.encoded, notebook.quoted),
        ),
        SheetFormat(
            "moodle", ".xml", _in_moodle, moodle.head, moodle.body, moodle.tail, "", ("", ""),
            lambda style, e: moodle.line(style, as_latex(e)), _svg, _drawn_text, False, moodle.escape,
            r"\rule{8em}{1px}", export=Export(True, moodle.embedded),
        ),
        SheetFormat(
            "qti", ".zip",
            lambda style, notation: writer("markdown", "dollar", notation, language=style.language),
            lambda _: qti.HEAD, qti.body, lambda _: qti.TAIL, ",\n", ("", ""),
            lambda _, e: qti.line(as_latex(e)), _svg, _drawn_text, False,
            lambda text: notebook.encoded(escape_markdown(text)), r"\rule{8em}{1px}", compiled=qti.archive,
            export=Export(True, moodle.embedded, notebook.encoded, notebook.encoded), parts=("text2qti",),
        ),
        SheetFormat(
            "json", ".json", lambda _, notation: writer("text", "dollar", notation, ascii=True),
            lambda _: "", _as_json, lambda _: "", ",\n", ("[\n", "]\n"),
            lambda _style, _e: "", lambda _style, _example, _title: "", lambda text, _: text, False, _plain_json, "",
        ),
    )
}  # fmt: skip
