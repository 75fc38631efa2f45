"""The gallery: every bundled problem as Markdown with its figure and as LaTeX, the catalogue, and an index of them.

The index ends with the numbers of the lecture notes beside those of the package.
"""

from __future__ import annotations

from pathlib import Path

from derive.notes.table import notes_lines
from derive.pages.catalogue import catalogue
from derive.pages.render import Look, figure_svg
from derive.pages.writers import escape_markdown
from derive.problem.file import bundled, find
from derive.problem.topics import by_topic
from derive.worked import WorkedExample

INDEX = "README.md"
CATALOGUE = "catalogue.md"
SUFFIXES = frozenset((".md", ".svg", ".tex"))


def pages() -> dict[str, bytes]:
    """The content of every file of the gallery by name; the same bytes every time."""
    texts = {INDEX: _index(), CATALOGUE: catalogue()}
    for name, _, _ in bundled():
        texts |= _pages(name)
    return {name: text.encode() for name, text in texts.items()}


def differences(folder: Path) -> dict[str, str]:
    """What is wrong with a folder that should hold the gallery, by file name: missing, out of date, not part of it."""
    wanted = pages()
    found = {path.name: path for path in folder.glob("*") if path.suffix in SUFFIXES}
    wrong = {name: "missing" for name in wanted if name not in found}
    wrong |= {name: "out of date" for name in wanted if name in found and found[name].read_bytes() != wanted[name]}
    wrong |= {name: "belongs to no bundled problem" for name in found if name not in wanted}
    return dict(sorted(wrong.items()))


def _pages(name: str) -> dict[str, str]:
    example = WorkedExample(find(name))
    picture = figure_svg(example)
    figure = f"{name}.svg" if picture else "none"
    return {
        f"{name}.md": example.page(Look("markdown", dialect="github", figure=figure)),
        f"{name}.tex": example.page(Look("latex")),
        **({figure: picture} if picture else {}),
    }


def _index() -> str:
    lines = ["# Worked examples", "", "One page for each bundled problem, written by `derive gallery`. "]
    lines[-1] += f"[The catalogue]({CATALOGUE}) lists every activation, loss, optimizer and initializer."
    lines.append("")
    for topic, group in by_topic():
        lines += [f"## {topic.capitalize()}", ""]
        lines += [f"- [{escape_markdown(title)}]({name}.md) ([LaTeX]({name}.tex))" for name, title, _ in group]
        lines.append("")
    return "\n".join([*lines, *notes_lines()])
