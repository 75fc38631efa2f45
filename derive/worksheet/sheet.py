"""What a sheet and its key contain, as blocks: what is given, what is asked, what it comes to.

Kinds of blocks beside those of the pages (`derive.pages.blocks`):

    masthead    text is the title, rows are (label, value) pairs; what has no value is filled in by hand: level 1 says
                that the last of them are the points, a short number
    questions   rows are (number, formula, points); points may be empty
    answers     rows are (number, formula, value)
    line        text stands for a worked line, which is a block of its own in its format
    ruled       level lines to write on
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from derive.pages.blocks import Block, Equation, figure, heading, paragraph
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.worksheet.introduction import agreed, given
from derive.worksheet.kinds import is_exact
from derive.worksheet.plan import Plan
from derive.worksheet.skeleton import Skeleton
from derive.worksheet.templates import own_prose

Kind = Literal["sheet", "key"]


@dataclass(frozen=True, slots=True)
class Names:
    """What stands for whatever differs from sheet to sheet.

    variant, student   texts
    shown              the text of an answer by (part, quantity)
    lines              the texts that stand for worked lines, by part
    """

    variant: str
    student: str
    shown: Callable[[int, str], str]
    lines: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """One problem of the sheet, ready to be written; the writer has its notation.

    line  makes the text of a formula that stands alone
    """

    skeleton: Skeleton
    writer: Writer
    asked: tuple[str, ...]
    line: Callable[[Equation], str]


def blocks(plan: Plan, parts: tuple[Part, ...], names: Names, kind: Kind) -> list[Block]:
    """A whole sheet, or a whole key."""
    prose = prose_of(plan, parts[0].writer)
    found = [_masthead(plan, parts, names, kind, prose)]
    first = 1
    for index, part in enumerate(parts):
        if len(parts) > 1:
            title = part.writer.escape(prose.translated(plan.title(index)))
            found.append(heading(2, prose.say("worksheet", "problem", n=index + 1, title=title)))
        made = _sheet_part if kind == "sheet" else _key_part
        found += made(plan, index, part, names, first)
        first += len(part.asked)
    return found


def prose_of(plan: Plan, writer: Writer) -> Prose:
    """The sentences of a sheet: those of the lecturer in the place of the usual ones."""
    return Prose(writer, plan.style.language, own_prose(plan.style.templates, plan.style.language))


def _masthead(plan: Plan, parts: tuple[Part, ...], names: Names, kind: Kind, prose: Prose) -> Block:
    writer = parts[0].writer
    escape = writer.escape
    single = escape(prose.translated(plan.title(0)))
    title = single if len(parts) == 1 else prose.say("worksheet", "title")
    if kind == "key":
        title = prose.say("worksheet", "key", title=title)
    rows = [
        (prose.say("worksheet", "course"), escape(plan.head("course"))),
        (prose.say("worksheet", "date"), escape(plan.head("date"))),
        (prose.say("worksheet", "variant"), names.variant),
        (prose.say("worksheet", "name"), names.student),
    ]
    total = sum(plan.points(index, name) for index, part in enumerate(parts) for name in part.asked)
    if total and kind == "sheet" and plan.style.level != "full":
        rows.append((prose.say("worksheet", "points", total=total), ""))
    shown = tuple(row for place, row in enumerate(rows) if row[1] or place == 4 or (place == 3 and kind == "sheet"))
    return Block("masthead", level=int(len(rows) == 5), text=title, rows=shown)


def _sheet_part(plan: Plan, index: int, part: Part, names: Names, first: int) -> Iterator[Block]:
    """Given, questions, and as much of the way as the level shows."""
    prose = prose_of(plan, part.writer)
    level = plan.style.level
    yield from (paragraph(part.writer.escape(prose.translated(text))) for text in plan.context(index))
    yield replace(figure(prose.say("worksheet", "figure")), level=index)
    yield from given(part.skeleton, prose, part.writer)
    exact = is_exact(plan.space.problems[index], plan.space.choices(index))
    yield from agreed(part.skeleton, part.asked, prose, part.writer, part.line, exact=exact)
    yield heading(2, prose.say("worksheet", f"{level}_heading"))
    yield paragraph(prose.say("worksheet", "exact_task" if exact and level == "bare" else f"{level}_task"))
    if level != "full":
        yield _questions(plan, index, part, first)
    if level == "full" and not exact:
        yield paragraph(prose.say("conventions", "mark"))
    if level != "bare":
        yield from (Block("line", text=text) for text in names.lines[index])
    if plan.style.lines and level == "bare":
        yield Block("ruled", level=plan.style.lines)


def _questions(plan: Plan, index: int, part: Part, first: int) -> Block:
    prose = prose_of(plan, part.writer)
    rows = []
    for number, name in enumerate(part.asked, first):
        points = plan.points(index, name)
        text = prose.say("worksheet", "point", n=points) if points > 1 else ""
        rows.append((str(number), part.writer.name(name), text))
    return Block("questions", rows=tuple(rows))


def _key_part(plan: Plan, index: int, part: Part, names: Names, first: int) -> Iterator[Block]:
    prose = prose_of(plan, part.writer)
    rows = tuple(
        (str(number), part.writer.name(name), names.shown(index, name)) for number, name in enumerate(part.asked, first)
    )
    yield heading(2 if index == 0 else 3, prose.say("worksheet", "answers"))
    yield Block("answers", rows=rows)
    if plan.style.level != "full":
        yield from given(part.skeleton, prose, part.writer)
        yield heading(2, prose.say("worksheet", "worked"))
        if not is_exact(plan.space.problems[index], plan.space.choices(index)):
            yield paragraph(prose.say("conventions", "mark"))
        yield from (Block("line", text=text) for text in names.lines[index])
