"""Which page and which picture each kind of problem has: a new kind is a row in each table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from derive.pages.blocks import Block
from derive.pages.page import Page
from derive.pages.verification import verification
from derive.pages.writers import Writer, writer
from derive.worked import WorkedExample


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a page is built with: the writer, the widths of `Equations`, the language of the prose."""

    writer: Writer
    width: int
    line_width: int
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of a page, drawn when asked for: a standalone SVG, a tikzpicture."""

    svg: Callable[[], str]
    tikz: Callable[[], str]


def _network_page(example: WorkedExample, sheet: Sheet) -> list[Block]:
    options = example.options
    if options.collapse:
        from derive.pages.collapsed import collapse_page

        return collapse_page(example, sheet.writer, sheet.width, sheet.line_width, sheet.language)
    if example.problem.notation != "matrix" or options.only or options.paths:
        return _graph_page(example, sheet)
    from derive.pages.matrix import MatrixPage

    return MatrixPage(example, sheet.writer, sheet.width, sheet.line_width, sheet.language).blocks()


def _graph_page(example: WorkedExample, sheet: Sheet) -> list[Block]:
    return Page(example, sheet.writer, sheet.width, sheet.line_width, sheet.language).blocks()


def _loss_page(example: WorkedExample, sheet: Sheet) -> list[Block]:
    from derive.pages.loss import LossPage

    return LossPage(example, sheet.writer, sheet.width, sheet.line_width, sheet.language).blocks()


def _loss_picture(example: WorkedExample, title: str, language: str) -> Picture | None:
    from derive.figures.plot import pgfplots, svg
    from derive.pages.loss_plot import plot_of

    plot = plot_of(example, title)
    if plot is None:
        return None
    drawn = replace(plot, language=language)
    return Picture(lambda: svg(drawn), lambda: pgfplots(drawn))


def _graph_picture(example: WorkedExample, title: str, language: str) -> Picture:
    from derive.figures import svg, tikz
    from derive.pages.diagrams import diagram

    ways = [writer(way, "dollar", example.problem.notation, language=language) for way in ("text", "latex")]
    drawn = diagram(example, ways[0], ways[1], title)
    return Picture(lambda: svg(drawn), lambda: tikz(drawn))


def _activation_page(example: WorkedExample, sheet: Sheet) -> list[Block]:
    from derive.pages.activation import ActivationPage

    return ActivationPage(example, sheet.writer, sheet.width, sheet.line_width, sheet.language).blocks()


def _activation_picture(example: WorkedExample, title: str, language: str) -> Picture | None:
    from derive.figures.plot import pgfplots, svg
    from derive.pages.activation_plot import plot_of

    drawn = replace(plot_of(example, title), language=language)
    return Picture(lambda: svg(drawn), lambda: pgfplots(drawn))


def _perceptron_page(example: WorkedExample, sheet: Sheet) -> list[Block]:
    from derive.pages.perceptron import PerceptronPage

    return PerceptronPage(example, sheet.writer, sheet.width, sheet.line_width, sheet.language).blocks()


def _perceptron_picture(example: WorkedExample, title: str, language: str) -> Picture | None:
    from derive.figures.plane import svg, tikz
    from derive.pages.perceptron_picture import plane

    points = plane(example, title)
    if points is None:
        return None
    drawn = replace(points, language=language)
    return Picture(lambda: svg(drawn), lambda: tikz(drawn))


def _training_page(example: WorkedExample, sheet: Sheet) -> list[Block]:
    from derive.pages.training import TrainingPage

    return TrainingPage(example, sheet.writer, sheet.width, sheet.line_width, sheet.language).blocks()


def _initializer_page(example: WorkedExample, sheet: Sheet) -> list[Block]:
    from derive.pages.initializer import InitializerPage

    return InitializerPage(example, sheet.writer, sheet.width, sheet.line_width, sheet.language).blocks()


def _optimizer_page(example: WorkedExample, sheet: Sheet) -> list[Block]:
    from derive.pages.optimizer import OptimizerPage

    return OptimizerPage(example, sheet.writer, sheet.width, sheet.line_width, sheet.language).blocks()


def _optimizer_picture(example: WorkedExample, title: str, language: str) -> Picture | None:
    from derive.figures.plot import pgfplots, svg
    from derive.pages.optimizer_picture import plot_of

    plot = plot_of(example, title)
    if plot is None:
        return None
    drawn = replace(plot, language=language)
    return Picture(lambda: svg(drawn), lambda: pgfplots(drawn))


PAGES: dict[str, Callable[[WorkedExample, Sheet], list[Block]]] = {
    "network": _network_page, "expression": _graph_page, "activation": _activation_page, "loss": _loss_page,
    "perceptron": _perceptron_page, "training": _training_page, "initializer": _initializer_page,
    "optimizer": _optimizer_page,
}  # fmt: skip
PICTURES: dict[str, Callable[[WorkedExample, str, str], Picture | None]] = {
    "network": _graph_picture,
    "expression": _graph_picture,
    "activation": _activation_picture,
    "loss": _loss_picture,
    "perceptron": _perceptron_picture,
    "optimizer": _optimizer_picture,
}


def blocks_of(example: WorkedExample, sheet: Sheet) -> list[Block]:
    """The blocks of the page, the first of them its title, the last one what came of checking it."""
    found = PAGES[example.problem.kind](example, sheet)
    return [*found, verification(example, sheet.writer, sheet.language)]


def picture_of(example: WorkedExample, title: str, language: str = "en") -> Picture | None:
    """The picture of the page under that accessible title; None for a kind without one."""
    make = PICTURES.get(example.problem.kind)
    return make(example, title, language) if make else None
