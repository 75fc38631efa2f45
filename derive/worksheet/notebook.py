"""Jupyter notebooks: the sheet in cells of Markdown, a cell of Python for each answer, and one that saves them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from derive.pages.blocks import Block
from derive.worksheet.templates import render, sentence

if TYPE_CHECKING:
    from derive.worksheet.formats import Content
    from derive.worksheet.plan import Style

PAGE, CELLS = "sheet.md.jinja", "sheet.ipynb.jinja"
NOTES = {"begin": "notebook_student", "answer": "notebook_answer", "save": "notebook_save"}
"""What is said to the student in a cell of Python."""
HEAD = '{"cells": [\n'
TAIL = """
],
 "metadata": {
  "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
  "language_info": {"name": "python"}
 },
 "nbformat": 4,
 "nbformat_minor": 5
}
"""

Cell = dict[str, Any]


def encoded(text: str) -> str:
    """Text inside a string of JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def quoted(text: str) -> str:
    """Text inside a string of Python, inside a string of JSON."""
    return encoded(encoded(text))


def body(style: Style, content: Content) -> str:
    """The cells of a sheet or a key."""
    style = replace(style, dialect="dollar")
    cells = list(_sheet(style, content) if content.kind == "sheet" else _key(style, content))
    named = [
        {"cell_type": kind, "id": f"{content.variant}-{content.kind}-{place}", "metadata": {}, **rest}
        for place, (kind, rest) in enumerate(cells)
    ]
    return ",\n".join(json.dumps(cell, ensure_ascii=False, indent=1) for cell in named)


def _sheet(style: Style, content: Content) -> Iterator[tuple[str, Cell]]:
    """What is given, the questions with a cell each, and the saving of the answers."""
    waiting: list[Block] = []
    part = 0
    named = False
    for block in content.blocks:
        if block.kind == "ruled":
            continue
        if block.kind != "questions":
            waiting.append(block)
            continue
        yield _text(style, content, waiting)
        waiting = []
        if not named:
            named = True
            yield _code(_said(style, "begin", student=content.quoted))
        yield _code(_said(style, "start", answers=_answers(content, part)))
        for question in content.questions[part]:
            yield _markdown(_said(style, "question", q=question))
            yield _code(_said(style, "answer", q=question, answers=_answers(content, part)))
        part += 1
    if waiting:
        yield _text(style, content, waiting)
    for place in range(part):
        words = {"answers": _answers(content, place), "file": _file(content, place), "variant": content.variant}
        yield _code(_said(style, "save", **words))


def _key(style: Style, content: Content) -> Iterator[tuple[str, Cell]]:
    """The page, then the answers for somebody who wants to compute with them."""
    yield _text(style, content, content.blocks)
    for part, questions in enumerate(content.questions):
        yield _code(_said(style, "key", questions=questions, answers=_answers(content, part)))


def _answers(content: Content, part: int) -> str:
    return "answers" if len(content.questions) == 1 else f"answers_{part + 1}"


def _file(content: Content, part: int) -> str:
    several = f"-{part + 1}" if len(content.questions) > 1 else ""
    return f"answers-{content.variant}{several}.csv"


def _text(style: Style, content: Content, blocks: Iterable[Block]) -> tuple[str, Cell]:
    """A cell of Markdown, with the pictures in it."""
    blocks = tuple(blocks)
    links = [f"attachment:figure-{place + 1}.svg" if drawn else "" for place, drawn in enumerate(content.figures)]
    words = {"blocks": blocks, "figure": links, "variant": content.variant, "kind": content.kind}
    fixed = {"part": "body", "dialect": "dollar", "language": style.language}
    kind, cell = _markdown(render(PAGE, style.templates, {**fixed, **words}))
    shown = [block.level for block in blocks if block.kind == "figure" and content.figures[block.level]]
    if shown:
        pictures = {f"figure-{place + 1}.svg": {"image/svg+xml": content.figures[place]} for place in shown}
        cell = {"attachments": pictures, **cell}
    return kind, cell


def _said(style: Style, part: str, **words: Any) -> str:
    fixed = {"part": part, "language": style.language}
    if part in NOTES:
        fixed["note"] = sentence(style.templates, style.language, "worksheet", NOTES[part], file=words.get("file", ""))
    return render(CELLS, style.templates, {**fixed, **words}).strip("\n")


def _markdown(text: str) -> tuple[str, Cell]:
    return "markdown", {"source": text.strip("\n")}


def _code(text: str) -> tuple[str, Cell]:
    return "code", {"execution_count": None, "outputs": [], "source": text}
