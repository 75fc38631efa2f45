"""From a worked example to standard output or files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from derive.commands.request import Request

if TYPE_CHECKING:
    from pathlib import Path

    from derive.pages.render import Look
    from derive.worked import WorkedExample

SYMBOLS = "∂δησ·×−≈≤Σ√²⁺½"
NARROWEST, USUAL_WIDTH, WIDEST = 40, 80, 120


def deliver(example: WorkedExample, request: Request) -> None:
    """Write the page of the example as the request asks; everything is made before anything is written."""
    from derive.files import write_together

    path = request.path
    if path is None:
        text = _content(example, request, "embed")
        print_text(text) if request.chosen_format == "text" else print_bytes(text.encode())
        return
    figure = _figure(example, path, request.language) if request.chosen_format == "markdown" else {}
    page = _content(example, request, next((drawn.name for drawn in figure), "embed"))
    write_together({path: page.encode(), **figure})


def _figure(example: WorkedExample, path: Path, language: str) -> dict[Path, bytes]:
    """The figure beside a Markdown file; none beside /dev/stdout or a pipe."""
    from derive.pages.render import figure_svg

    if path.exists() and not path.is_file():
        return {}
    picture = figure_svg(example, language)
    return {path.with_suffix(".svg"): picture.encode()} if picture else {}


def _content(example: WorkedExample, request: Request, figure: str) -> str:
    if request.chosen_format == "json":
        return as_json(example.json())
    return example.page(look_of(request, figure))


def look_of(request: Request, figure: str) -> Look:
    """How the page of a request looks; `figure` is "embed" or the name of the file beside it."""
    from derive.pages.render import Look

    return Look(
        format=request.chosen_format,  # type: ignore[arg-type]  # one of FORMATS
        dialect=request.dialect or "github",  # type: ignore[arg-type]  # one of the choices of --dialect
        fragment=request.fragment,
        language=request.language,
        ascii=_ascii(request),
        width=_width(request),
        figure=figure,
    )


def as_json(data: Any) -> str:
    import json

    return json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _ascii(request: Request) -> bool:
    if request.ascii is not None or request.path:
        return bool(request.ascii)
    return is_ascii_only()


def is_ascii_only() -> bool:
    """Whether standard output cannot take ∂ and δ."""
    try:
        SYMBOLS.encode(_encoding())
    except UnicodeEncodeError:
        return True
    return False


def _width(request: Request) -> int:
    return USUAL_WIDTH if request.path else terminal_width()


def terminal_width() -> int:
    """How many characters fit on a line of standard output."""
    if not sys.stdout.isatty():
        return USUAL_WIDTH
    import shutil

    return max(NARROWEST, min(shutil.get_terminal_size((USUAL_WIDTH, 24)).columns, WIDEST))


def _encoding() -> str:
    return sys.stdout.encoding or "utf-8"


def print_text(text: str) -> None:
    """Text for a terminal; what its encoding lacks is printed as ?."""
    print_bytes(text.encode(_encoding(), "replace"))


def print_bytes(content: bytes) -> None:
    """A file for standard output: UTF-8 and line ends as they are, whatever the terminal uses."""
    click.echo(content, nl=False)
