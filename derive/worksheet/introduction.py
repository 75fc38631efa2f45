"""What a sheet says before its questions: the numbers that are given, the rule, the conventions in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from derive.derivation.network import NetworkGraph
from derive.pages.blocks import Block, Equation, bullets, heading, table
from derive.pages.conventions import activation_sentences, conventions
from derive.pages.given import given_table
from derive.pages.languages import said_equation
from derive.pages.perceptron import PerceptronPage
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.problem.points import ActivationPoints
from derive.worksheet.later import last_update
from derive.worksheet.skeleton import Skeleton

WIDTH, LINE_WIDTH = 76, 72


def given(example: Skeleton, prose: Prose, writer: Writer) -> Iterator[Block]:
    """The numbers of the sheet under their heading; nothing where there are none."""
    if example.problem.kind == "perceptron":
        yield heading(2, prose.say("headings", "given"))
        yield from _perceptron(example, prose, writer).given()
        return
    found = given_table(example, prose, writer)
    if found and isinstance(example.problem.body, ActivationPoints):
        yield heading(2, prose.say("headings", "given"))
        yield table(found.header, [(prose.say("worksheet", "at"), *row[1:]) for row in found.rows])
    elif found:
        yield from (heading(2, prose.say("headings", "given")), table(found.header, list(found.rows)))


def agreed(
    example: Skeleton,
    asked: tuple[str, ...],
    prose: Prose,
    writer: Writer,
    line: Callable[[Equation], str],
    *,
    exact: bool,
) -> Iterator[Block]:
    """The conventions; of a perceptron its rule comes first.

    exact  no number of the sheet is rounded
    """
    if example.problem.kind != "perceptron":
        known = [*_points(example.problem.body, prose, writer), *conventions(example, prose, writer)]
        known += _later(example, asked, prose, writer)
        yield from (heading(2, prose.say("headings", "conventions")), bullets(*known))
        return
    yield heading(2, prose.say("perceptron", "rule"))
    for block in _perceptron(example, prose, writer).rule(exact=exact):
        if block.kind == "equations":
            told = (said_equation(equation, writer.language, writer.style) for equation in block.equations)
            yield from (Block("line", text=line(equation)) for equation in told)
        elif block.kind == "bullets" and any(name.startswith("error[") for name in asked):
            error = writer.name("error[1]").replace("1", "i")
            yield bullets(*block.items, prose.say("worksheet", "errors", error=writer.inline(error)))
        else:
            yield block


def _perceptron(example: Skeleton, prose: Prose, writer: Writer) -> PerceptronPage:
    return PerceptronPage(example, writer, WIDTH, LINE_WIDTH, prose=prose)


def _points(body: object, prose: Prose, writer: Writer) -> Iterator[str]:
    """What f and, of a function of vectors, z stand for."""
    if not isinstance(body, ActivationPoints):
        return
    row = body.activation
    yield from activation_sentences(row, prose, writer, letter="f")
    if row.vector is None:
        if row.name != "custom":
            yield prose.say("worksheet", "function", title=row.title)
        return
    for label, names in body.names().items():
        parts = ", ".join(map(writer.name, names))
        yield prose.say("worksheet", "vector", vector=writer.inline(f"{writer.name(label)} = ({parts})"))


def _later(example: Skeleton, asked: tuple[str, ...], prose: Prose, writer: Writer) -> Iterator[str]:
    """What w5 with a number in brackets stands for, where something is asked after later updates."""
    if not isinstance(example.graph, NetworkGraph) or not last_update(asked):
        return
    name = example.derivation.updated()[0]
    marks = (writer.quantity(f"{name}@2"), writer.quantity(f"{name}_new"), writer.quantity("E@1"))
    yield prose.say("worksheet", "later", second=marks[0], first=marks[1], loss=marks[2])
