"""Moodle XML: a question for each sheet, with a field for each quantity, or a question for each quantity."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from derive.worksheet.questions import Question, problems_of
from derive.worksheet.templates import render

if TYPE_CHECKING:
    from derive.worksheet.formats import Content
    from derive.worksheet.plan import Style

TEMPLATE = "sheet.moodle.jinja"
_ACTIVE = {char: f"&#{ord(char)};" for char in "{}\\$[]@"}
_CONTROL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape(text: str) -> str:
    """Text that Moodle shows as it stands: no markup, no answer field, no formula, no link to a file."""
    plain = html.escape(_CONTROL.sub("", " ".join(text.split())))
    return "".join(_ACTIVE.get(char, char) for char in plain)


def math(latex: str) -> str:
    """A formula in a line of text."""
    return rf"\({html.escape(latex, quote=False)}\)"


def embedded(svg: str) -> str:
    return b64encode(svg.encode()).decode("ascii")


def head(style: Style) -> str:
    return _rendered(style, part="head")


def tail(style: Style) -> str:
    return _rendered(style, part="tail")


def line(style: Style, latex: str) -> str:
    """A worked line, from its LaTeX."""
    return _rendered(style, part="line", text=html.escape(latex, quote=False)).strip("\n")


def body(style: Style, content: Content) -> str:
    """The questions of one sheet, with the category that they go into."""
    asked = [question for part in content.questions for question in part]
    words: dict[str, Any] = {
        "variant": content.variant,
        "figure": content.figures,
        "mark": content.mark,
        "by_number": {str(question.number): question for question in asked},
    }
    title = content.blocks[0].text.replace("/", "//")
    parts = [_rendered(style, part="category", title=title, **words)]
    if style.moodle == "cloze":
        blocks = [block for block in content.blocks if block.kind != "ruled"]
        worked = [line for lines in content.worked for line in lines]
        parts.append(_rendered(style, part="cloze", blocks=blocks, lines=worked, **words))
    else:
        parts += _numerical(style, content, words)
    return "".join(parts)


def _numerical(style: Style, content: Content, words: dict[str, Any]) -> Iterator[str]:
    masthead = content.blocks[0]
    for place, (given, lines) in enumerate(problems_of(content.blocks)):
        blocks = [masthead, *given, *lines]
        for question in content.questions[place]:
            yield _question(style, question, blocks, place, words)


def _question(style: Style, question: Question, blocks: list[Any], place: int, words: dict[str, Any]) -> str:
    name = escape(question.name)
    return _rendered(style, part="numerical", q=question, name=name, blocks=blocks, places=[place], **words)


def _rendered(style: Style, **words: Any) -> str:
    return render(TEMPLATE, style.templates, {"math": math, **words})
