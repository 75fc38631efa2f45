"""The numbers of a worksheet, read from what each format makes of it."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

from derive.worksheet.plan import Plan, Style
from derive.worksheet.press import Entry, Made, Press
from derive.worksheet.source import Source
from renderers import need_pdftotext

RELU = """
inputs = [0.5, -0.3]
targets = [1]
[[layers]]
neurons = 2
activation = "relu"
weights = [[0.4, 0.6], [-0.2, 0.1]]
bias = [0.1, -0.1]
[[layers]]
neurons = 1
activation = "sigmoid"
weights = [[0.7, -0.5]]
[update]
learning_rate = 0.1
[rounding]
decimals = 6
[vary]
weights = { from = -0.9, to = 0.9, step = 0.1 }
inputs = { choose = [0.2, 0.5, -0.3] }
"""

_NUMBER = re.compile(r"[-−]?[0-9]+[.,][0-9]+")


def plan(format: str, *texts: str, **words: object) -> Plan:
    sources = tuple(Source(f"problem {place}", text, {}) for place, text in enumerate(texts or (RELU,)))
    return Plan(sources, seed=7, allow=("dead", "mistake", "zero"), style=Style(format, **words))  # type: ignore[arg-type]


def made(of: Plan, *students: str) -> list[Made]:
    """The sheets of these students, or of three without a name."""
    entries = [Entry(place, name) for place, name in enumerate(students or ("", "", ""))]
    return Press(of, named=bool(students)).make(entries)


def document(of: Plan, body: str) -> str:
    form = Press(of).format
    return form.head(of.style) + body + form.tail(of.style)


def numbers(text: str) -> Counter[str]:
    """Every number with a decimal mark, with the minus sign before it, however it is spaced."""
    text = re.sub(r"([-−])\s*", "-", text.replace("{,}", ","))
    return Counter(found.replace(",", ".").replace("−", "-") for found in _NUMBER.findall(text))


class _Text(HTMLParser):
    """The text that a reader sees; pictures apart."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.hidden += tag in ("style", "svg", "title")
        if tag in ("math", "mtd", "td", "li", "p", "mfrac", "msup", "span"):
            self.shown.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("style", "svg", "title")
        if tag in ("math", "mtd", "td", "li", "p", "mrow", "msup", "span"):
            self.shown.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.shown.append(", " if data == "," else data)


def html_text(page: str) -> str:
    reader = _Text()
    reader.feed(page)
    reader.close()
    return "".join(reader.shown)


def pdf_text(pdf: bytes, folder: Path) -> str:
    need_pdftotext()
    path = folder / "page.pdf"
    path.write_bytes(pdf)
    run = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True, timeout=60)
    return run.stdout.decode()


def pdf_pages(pdf: bytes, folder: Path) -> list[str]:
    """The text of each page."""
    return pdf_text(pdf, folder).rstrip("\f").split("\f")
