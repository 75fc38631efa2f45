"""The report on a class: how many, by quantity, where they first go wrong, which mistakes, what waits for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from derive.check.gradebook import (
    Verdicts,
    alone,
    first_error,
    is_about_digits,
    is_open,
    is_right,
    marks_of,
    written_marks,
)
from derive.check.model import Verdict
from derive.formula.symbols import symbol
from derive.pages.blocks import Block, bullets, figure, heading, paragraph, table
from derive.reports.bars import MARKS, PARTS, svg_bars, text_bar, tikz_bars
from derive.reports.look import Style

MOST_MISTAKES = 15
MOST_TO_DECIDE = 20
MUCH_CHANCE = 0.5
"""From so many mistakes expected by chance on, the report asks for more digits."""

BAR_WIDTH = 20


@dataclass(slots=True)
class Tally:
    """What is counted of a class; its size does not grow with the number of students.

    language  of the verdicts
    empty     how many students answered nothing
    parts     for each quantity how many answers fell into each part of its bar
    mistakes  how often each mistake was suggested first, by quantity and message
    unsure    for each quantity how many answers got full marks that a known mistake would have got as well
    chances   for each quantity the sum of the chances, and how many there were
    """

    expected: Sequence[str]
    language: str = "en"
    students: int = 0
    empty: int = 0
    marks: float = 0
    waiting: int = 0
    parts: dict[str, Counter[str]] = field(default_factory=dict)
    first: Counter[str] = field(default_factory=Counter)
    mistakes: Counter[tuple[str, str]] = field(default_factory=Counter)
    unnamed: Counter[str] = field(default_factory=Counter)
    unsure: Counter[str] = field(default_factory=Counter)
    chances: dict[str, tuple[float, int]] = field(default_factory=dict)
    to_decide: list[Verdict] = field(default_factory=list)

    def add(self, verdicts: Verdicts) -> None:
        """Count one student."""
        self.students += 1
        self.marks += marks_of(verdicts)
        self.empty += all(verdict.status == "blank" for verdict in verdicts)
        if wrong := first_error(verdicts):
            self.first[wrong.quantity] += 1
        for verdict in verdicts:
            self._count(verdict)

    def _count(self, verdict: Verdict) -> None:
        part = part_of(verdict)
        self.parts.setdefault(verdict.quantity, Counter())[part] += 1
        if part == "waiting":
            self.waiting += 1
            if len(self.to_decide) < MOST_TO_DECIDE:
                self.to_decide.append(verdict)
        if part == "full" and is_about_digits(verdict, self.language):
            self.unsure[verdict.quantity] += 1
        if verdict.status == "wrong":
            if verdict.mistake:
                self.mistakes[verdict.quantity, alone(verdict.mistake.message, self.language)] += 1
            else:
                self.unnamed[verdict.quantity] += 1
        if verdict.chance is not None:
            total, count = self.chances.get(verdict.quantity, (0.0, 0))
            self.chances[verdict.quantity] = (total + verdict.chance, count + 1)


def part_of(verdict: Verdict) -> str:
    """The part of the bar that a verdict belongs to."""
    if is_right(verdict):
        return "full"
    if is_open(verdict):
        return "waiting"
    return {"follow-through": "follow", "blank": "blank"}.get(verdict.status, "wrong")


def class_blocks(tally: Tally, style: Style, title: str) -> list[Block]:
    """The blocks of the report, under the title of the problem."""
    say = style.say
    answers = sum(sum(parts.values()) for parts in tally.parts.values())
    mean = written_marks(round(tally.marks / tally.students, 2)) if tally.students else "0"
    counts = say(
        "class_counts", students=tally.students, answers=answers, mean=style.number(mean), out_of=len(tally.expected),
        waiting=tally.waiting, empty=tally.empty,
    )  # fmt: skip
    found = [heading(1, say("class_title", title=style.title(title))), paragraph(counts)]
    for part in (_by_quantity, _first_errors, _mistakes, _waiting, _too_few):
        found += part(tally, style)
    return found


def _by_quantity(tally: Tally, style: Style) -> Iterator[Block]:
    say = style.say
    ascii = style.look.ascii
    with_bars = style.format == "text"
    keys = ("quantity", *(f"{column}_column" for column in ("right", "follow", "wrong", "waiting", "blank", "share")))
    rows = []
    for name in tally.expected:
        parts = tally.parts.get(name, Counter())
        total = sum(parts.values())
        share = f"{100 * parts['full'] / total:.0f} %" if total else ""
        bar = text_bar(parts, BAR_WIDTH, ascii=ascii)
        cells = [style.quantity(name), *(str(parts[part]) for part in PARTS), style.words(share)]
        rows.append((*cells, bar) if with_bars else tuple(cells))
    yield heading(2, say("by_quantity"))
    header = tuple(say(key) for key in keys)
    yield table((*header, "") if with_bars else header, rows)
    if with_bars:
        yield paragraph(say("bars_note", **MARKS[ascii]))
    yield figure(say("chart"))


def chart(tally: Tally, style: Style) -> str:
    """The bars of every quantity, as TikZ for LaTeX and else as SVG."""
    columns = {"full": "right_column", "follow": "follow_column", "wrong": "wrong_column", "waiting": "waiting_column",
               "blank": "blank_column"}  # fmt: skip
    legend = {part: style.say(key) for part, key in columns.items()}
    if style.format == "latex":
        return tikz_bars([(style.quantity(name), tally.parts.get(name, Counter())) for name in tally.expected], legend)
    rows: list[tuple[str, Mapping[str, int]]] = [
        (symbol(name, "unicode", style.pen.notation), tally.parts.get(name, Counter())) for name in tally.expected
    ]
    return svg_bars(rows, legend, style.say("chart"))


def _first_errors(tally: Tally, style: Style) -> Iterator[Block]:
    say = style.say
    yield heading(2, say("first_errors"))
    if not tally.first:
        yield paragraph(say("no_errors"))
        return
    rows: list[tuple[str, ...]] = [(style.quantity(name), str(count)) for name, count in tally.first.most_common()]
    yield table((say("quantity"), say("students_column")), rows)


def _mistakes(tally: Tally, style: Style) -> Iterator[Block]:
    say = style.say
    if not tally.mistakes and not tally.unnamed:
        return
    yield heading(2, say("mistakes"))
    quantity = style.quantity
    shown = tally.mistakes.most_common(MOST_MISTAKES)
    items = [f"{count} × {quantity(name)}: {style.sentence(message)}" for (name, message), count in shown]
    if tally.unnamed:
        names = ", ".join(f"{count} × {quantity(name)}" for name, count in tally.unnamed.most_common(MOST_MISTAKES))
        items.append(say("unnamed", names=names))
    yield bullets(*items)
    if len(tally.mistakes) > MOST_MISTAKES:
        yield paragraph(say("more_mistakes", n=len(tally.mistakes) - MOST_MISTAKES))


def _waiting(tally: Tally, style: Style) -> Iterator[Block]:
    if not tally.to_decide:
        return
    say, words, short = style.say, style.words, style.short
    yield heading(2, say("to_decide"))
    yield bullets(
        *(
            say("decide_row", student=short(verdict.student), quantity=style.quantity(verdict.quantity),
                answer=short(verdict.answer), why=words(verdict.note))
            for verdict in tally.to_decide
        )
    )  # fmt: skip
    if tally.waiting > len(tally.to_decide):
        yield paragraph(say("more_to_decide", n=tally.waiting - len(tally.to_decide)))


def _too_few(tally: Tally, style: Style) -> Iterator[Block]:
    """Where the digits that were asked for cannot tell right from wrong."""
    items = []
    for name in tally.expected:
        total, count = tally.chances.get(name, (0.0, 0))
        full = tally.parts.get(name, Counter())["full"]
        quantity = style.quantity(name)
        if tally.unsure[name]:
            items.append(style.say("unsure_row", quantity=quantity, unsure=tally.unsure[name], full=full))
        if count and total / count >= MUCH_CHANCE:
            items.append(style.say("too_few_row", quantity=quantity, chance=style.number(f"{total / count:.1f}")))
    if items:
        yield heading(2, style.say("too_few"))
        yield bullets(*items)
        yield paragraph(style.say("more_digits"))
