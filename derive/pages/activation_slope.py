"""The derivative of an activation, a rule at a time."""

from __future__ import annotations

from collections.abc import Iterator

from derive.calculus.intervals import by_intervals
from derive.calculus.stepwise import Stage, stages
from derive.calculus.symbolic import activation_derivative, textbook
from derive.formula.expression import Cases, Expr, Name, children, names_in, replace_names
from derive.formula.printing import seen_width
from derive.formula.printing import write as print_formula
from derive.pages.activation_parts import Lesson
from derive.pages.blocks import Block, Equation, Row, equations
from derive.pages.writers import Writer
from derive.problem.points import kink_values

MOST_ROWS = 7
NARROWER = 14
"""Roots and functions are wider in print than their letters let expect."""


def derivative(lesson: Lesson) -> Iterator[Block]:
    """From (formula)' to the textbook form, each row with the rules that it takes."""
    row = lesson.row
    rows: list[Row] = []
    plain = by_intervals(lesson.formula, kink_values(row)) if not row.parameters else lesson.formula
    if plain != lesson.formula:
        _add(rows, lesson, Name("#0"), "", Stage((), Name("#0"), {"#0": lesson.formula}))
    for stage in stages(plain, "z"):
        _add(rows, lesson, stage.form, _label(lesson, stage), stage)
    found = activation_derivative(row)
    if not _has_inner_cases(found) and all(
        seen_width(text, lesson.writer.style) <= lesson.width for text in lesson.lines(found, lesson.width)
    ):
        _add(rows, lesson, found, lesson.prose.say("activation", "tidied"))
    form = textbook(row)
    uses_output = "a" in set(names_in(form))
    if uses_output and not isinstance(lesson.formula, Cases):
        _add(rows, lesson, replace_names(form, {"a": lesson.formula}), "")
    output = f"a = {lesson.function()}" if uses_output else ""
    _add(rows, lesson, form, lesson.prose.say("activation", "with") if uses_output else "", formula=output)
    yield lesson.say("proved" if row.derivative else "derived")
    left = lesson.function(prime="'")
    yield equations(*(Equation(left, tuple(part)) for part in _parted(_without_repeats(rows))))


def _parted(rows: list[Row]) -> list[list[Row]]:
    """The rows in parts of a height that a printed page holds."""
    parts: list[list[Row]] = [[]]
    for row in rows:
        if len(parts[-1]) >= MOST_ROWS and row.relation:
            parts.append([])
        parts[-1].append(row)
    return parts


def _add(
    rows: list[Row], lesson: Lesson, form: Expr, label: str, stage: Stage | None = None, formula: str = ""
) -> None:
    pending = stage.pending if stage else {}

    def leaf(name: str) -> str:
        return _primed(lesson, pending[name]) if name in pending else lesson.name(name)

    # A label stands behind the last line; one that does not fit has a line of its own.
    width = lesson.width - NARROWER if lesson.writer.style == "latex" else lesson.width
    lines = lesson.lines(form, width, leaf)
    if any(row.relation and row.right.startswith(lines[0]) for row in rows[-len(lines) :]) and not label:
        return
    mark = _note(label, lesson.writer, formula)
    is_tall = r"\begin{cases}" in lines[-1]
    if mark and (is_tall or seen_width(lines[-1] + mark, lesson.writer.style) <= lesson.width):
        lines[-1] += mark
    elif mark:
        lines.append(mark.strip())
    rows += [Row("=" if place == 0 else "", line) for place, line in enumerate(lines)]


def _primed(lesson: Lesson, part: Expr) -> str:
    inside = print_formula(part, lesson.writer.style, lesson.name, lesson.writer.constant)
    if lesson.writer.style != "latex":
        return f"({inside})'"
    tall = any(word in inside for word in (r"\frac", r"\begin", r"\left", "^"))
    return rf"\left({inside}\right)'" if tall else f"({inside})'"


def _note(label: str, writer: Writer, formula: str = "") -> str:
    """What stands behind a row: words, and a formula after them."""
    if not label:
        return ""
    gap = " " if formula else ""
    return rf" \qquad \text{{{label}{gap}}}{formula}" if writer.style == "latex" else f"   [{label}{gap}{formula}]"


def _label(lesson: Lesson, stage: Stage) -> str:
    return ", ".join(lesson.prose.say("activation", f"rule_{rule}") for rule in stage.rules)


def _without_repeats(rows: list[Row]) -> list[Row]:
    """Without rows that print the same formula as the row before."""
    kept: list[Row] = []
    for row in rows:
        same = kept and row.relation and kept[-1].relation and _bare(row) == _bare(kept[-1])
        if same:
            kept[-1] = max(kept[-1], row, key=lambda one: len(one.right))
        else:
            kept.append(row)
    return kept


def _bare(row: Row) -> str:
    return row.right.partition(r" \qquad \text")[0].partition("   [")[0]


def _has_inner_cases(expr: Expr) -> bool:
    """Whether there are cases that are not the outermost part."""
    return any(isinstance(part, Cases) or _has_inner_cases(part) for part in children(expr))
