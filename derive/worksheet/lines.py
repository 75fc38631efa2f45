"""The worked lines of many variants: each way that a line can look is written once by the pages and then filled."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from derive.derivation.perceptron import PerceptronGraph
from derive.derivation.steps import Line, Step, Walk, line
from derive.formula.expression import Cases, Expr, is_plain, names_in
from derive.formula.grammar import write
from derive.pages.blocks import Equation, Row
from derive.pages.equations import Equations
from derive.pages.languages import said_equation
from derive.pages.writers import Writer
from derive.worked import WorkedExample
from derive.worksheet.later import LaterExample, in_order
from derive.worksheet.prepared import Prepared, Tokens, prepare
from derive.worksheet.presentations import by_presentation
from derive.worksheet.skeleton import Seen, Skeleton
from derive.worksheet.values import Table, is_choice, needed, source_of, whole

WIDTH, LINE_WIDTH = 76, 72
MOST_FORMS = 5000

Kind = str | tuple[str, int]
"""The text of a number that decides how a line looks, or the sign and the width of one that fills a slot."""

Look = tuple[tuple[Kind, ...], bool, bool, bool, int]
"""Of a line: its numbers, whether operands and result are rounded, whether it is marked, which piece of it holds."""


def worked_lines(example: WorkedExample, asked: tuple[str, ...], table: Table) -> tuple[Line, ...]:
    """Everything that leads to the asked quantities: the forward pass, then what it takes to derive each of them."""
    derivation, graph = example.derivation, example.graph
    if isinstance(example, LaterExample):
        behind = (name for name in needed(asked, table) if not table.is_given(name))
        return tuple(line(derivation.quantity(name)) for name in in_order(behind, example))
    if isinstance(graph, PerceptronGraph):
        return tuple(line(derivation.quantity(name)) for name in by_presentation(needed(asked, table), table))
    parts = set(needed(asked, table))
    forward = [name for name in graph.forward() if name in parts]
    found = {name: line(derivation.quantity(name)) for name in forward}
    walk = Walk(derivation)
    for name in asked:
        if name not in found and not table.is_given(name):
            for step in _flat(walk.step(name)):
                found.setdefault(step.target, step.lines[0])
    return tuple(found.values())


def _flat(step: Step) -> list[Step]:
    """The factors of a step before the step itself."""
    return [*(inner for part in step.steps for inner in _flat(part)), step]


@dataclass(frozen=True, slots=True)
class Operand:
    """A name in a line and the quantity whose number stands for it.

    literal    its number is one of a few that decide how the line looks
    constant   what is written for a quantity that is defined as a constant
    """

    name: str
    source: str
    literal: bool = False
    constant: str = ""


class LineWriter:
    """Writes one line for every variant of a table; `finish` turns an equation into the text of a format.

    The writer is one for LaTeX or ASCII: Unicode writes the digits of an exponent with other characters.
    """

    def __init__(
        self,
        example: WorkedExample,
        line: Line,
        writer: Writer,
        table: Table,
        finish: Callable[[Equation], str],
        number: Callable[[str], str] | None = None,
    ) -> None:
        self._example = example
        self._line = line
        self._writer = writer
        self._finish = finish
        self._number = number
        self._forms: dict[Look, Prepared] = {}
        last = line.forms[-1]
        names = dict.fromkeys((line.target, *names_in(last)))
        self._operands = tuple(_operand(name, table) for name in names if _has_number(name, table))
        self._last = last

    def texts(self, table: Table) -> list[str]:
        """The line of each variant."""
        groups = _grouped(self._looks(table), table.count)
        found = [""] * table.count
        for look, rows in groups.items():
            form = self._form((look[:-4], *look[-4:]))
            filled = form.fill(lambda slot, rows=rows: self._numbers(table, slot, rows), len(rows))  # type: ignore[misc]
            if len(groups) == 1:
                return filled
            for row, text in zip(rows, filled, strict=True):
                found[row] = text
        return found

    def _form(self, look: Look) -> Prepared:
        form = self._forms.get(look)
        if form is None:
            form = self._forms[look] = self._prepared(look)
            if len(self._forms) > MOST_FORMS:
                self._forms.clear()
        return form

    def _numbers(self, table: Table, slot: Hashable, rows: Sequence[int]) -> list[str]:
        texts = table.absolute(str(slot))
        chosen = texts if len(rows) == table.count else [texts[row] for row in rows]
        return chosen if self._number is None else list(map(self._number, chosen))

    def blank(self, blank: str) -> str:
        """The line with its formula, and a blank for its numbers."""
        equations = Equations(Skeleton(self._example, {}), self._writer, WIDTH, LINE_WIDTH)
        equation = equations.equation(self._line, numbers=False)
        return self._said(Equation(equation.left, (*equation.rows, Row("=", blank))))

    def _said(self, equation: Equation) -> str:
        return self._finish(said_equation(equation, self._writer.language, self._writer.style))

    def _looks(self, table: Table) -> list[list[Any]]:
        """The parts of a look, a column each: the kinds of the operands, then four of the line."""
        kinds = [_kinds(table, operand) for operand in self._operands]
        others = [operand for operand in self._operands if operand.name != self._line.target]
        rounded = [~table.exactly(operand.source) for operand in others if not (operand.constant or operand.literal)]
        own = _operand(self._line.target, table)
        never = bool(own.constant) or table.is_given(own.source)
        result = [False] if never else _listed(~table.exactly(self._line.target))
        marked = _listed(~table.reproducible(self._line.target))
        some = _listed(np.any(rounded, axis=0)) if rounded else [False]
        return [*kinds, some, result, marked, _pieces(self._last, table)]

    def _prepared(self, look: Look) -> Prepared:
        kinds, operands_rounded, rounded, marked, piece = look
        tokens = Tokens()

        def render(which: int) -> str:
            texts = {}
            for operand, kind in zip(self._operands, kinds, strict=True):
                if isinstance(kind, str):
                    texts[operand.name] = kind
                else:
                    texts[operand.name] = kind[0] + tokens.pair(operand.source, kind[1])[which]
            flags = dict.fromkeys(texts, operands_rounded) | {self._line.target: rounded}
            return self._written(Seen(texts, flags, marked, piece))

        return prepare(render, tokens)

    def _written(self, seen: Seen) -> str:
        skeleton = Skeleton(self._example, {})
        skeleton.seen = seen
        if isinstance(self._last, Cases):
            skeleton.pieces = tuple(test for _, test in self._last.pieces)
        equation = Equations(skeleton, self._writer, WIDTH, LINE_WIDTH).equation(self._line)
        return self._said(replace(equation, marked=equation.marked and seen.marked))


def _operand(name: str, table: Table) -> Operand:
    source = source_of(name, table)
    definition = None if table.is_given(source) else table.derivation.quantity(source).definition
    if definition is not None and is_plain(definition):
        return Operand(name, source, constant=write(definition))
    return Operand(name, source, literal=is_choice(source, table))


def _has_number(name: str, table: Table) -> bool:
    try:
        return table.is_given(name) or table.derivation.quantity(name).definition is not None
    except KeyError:
        return False


def _kinds(table: Table, operand: Operand) -> list[Kind]:
    """(sign, width) of a number that fills a slot; the text itself of one that decides how the line looks.

    One for all variants where they are alike.
    """
    if operand.constant:
        return [operand.constant]
    texts = table.texts(operand.source)
    if operand.literal:
        return [whole(text) for text in texts]
    widths = set(map(len, texts))
    if len(widths) == 1 and table.absolute(operand.source) is texts and not _is_odd(texts, table):
        return [("", widths.pop())]
    return [
        text if "e" in text or "/" in text else ("-", len(text) - 1) if text[0] == "-" else ("", len(text))
        for text in texts
    ]


def _is_odd(texts: list[str], table: Table) -> bool:
    """Whether there may be a power of ten or a fraction among the numbers."""
    return (
        table.rounding.decimals is None or any("/" in text or "e" in text for text in texts[:1]) or len(texts[0]) > 30
    )


def _grouped(columns: list[list[Any]], count: int) -> dict[tuple[Any, ...], Sequence[int]]:
    """The rows that are alike in all columns; a column of one entry is the same in every row."""
    varying = [place for place, column in enumerate(columns) if len(column) > 1]
    look = [column[0] for column in columns]
    if not varying:
        return {tuple(look): range(count)}
    groups: dict[tuple[Any, ...], list[int]] = {}
    for row, key in enumerate(zip(*(columns[place] for place in varying), strict=True)):
        groups.setdefault(key, []).append(row)
    found: dict[tuple[Any, ...], Sequence[int]] = {}
    for key, rows in groups.items():
        for place, value in zip(varying, key, strict=True):
            look[place] = value
        found[tuple(look)] = rows
    return found


def _listed(values: np.ndarray[tuple[int], np.dtype[Any]]) -> list[Any]:
    """One entry where all are alike."""
    return values.tolist() if (values != values[0]).any() else values[:1].tolist()


def _pieces(definition: Expr, table: Table) -> list[int]:
    """Which piece holds, for each variant; as many as there are for `otherwise`."""
    return _listed(table.piece(definition)) if isinstance(definition, Cases) else [0]
