"""The page of an activation: what it is, its derivative a rule at a time, its values, what it does to a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from derive.catalogue.activations import Activation
from derive.derivation.points import PointsGraph, point_name, point_names, slope_symbols, value_symbols
from derive.derivation.steps import Line, line
from derive.formula.expression import Call, Number
from derive.formula.symbols import symbol
from derive.numbers.rounding import Rounding, show
from derive.pages.activation_centre import centre
from derive.pages.activation_parts import Lesson, kinks, limits
from derive.pages.activation_slope import derivative
from derive.pages.activation_vector import VectorLesson
from derive.pages.blocks import Block, Equation, Row, bullets, equations, figure, heading, paragraph, table
from derive.pages.conventions import conventions
from derive.pages.equations import RELATIONS, Equations
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.problem.points import Point
from derive.worked import WorkedExample

LONG = 12
"""A constant of more characters, as SELU has them, is shown with five decimals where it stands in a formula."""
WORKED = 4
"""So many points are worked out line by line; of more the three in the middle."""


@dataclass(frozen=True, slots=True)
class PointWriter(Writer):
    """Writes f(0.5) with the symbol of the activation, σ(0.5); f1(1,2,3) as the output a1."""

    row: Activation | None = None

    def constant(self, constant: Number) -> str:
        """A constant as written; of a long one the first decimals."""
        if len(constant.written) <= LONG or Fraction(constant.written).denominator == 1:
            return Writer.constant(self, constant)
        return self.number(show(constant.value, Rounding()))

    def name(self, name: str) -> str:
        """The symbol of a value or of a slope."""
        row = self.row
        if row is None or not name.endswith(")"):
            return symbol(name, self.style, self.notation)
        if row.vector:
            head = name.partition("(")[0].replace("f", "a")
            return symbol(head, self.style)
        short = {"latex": row.latex, "unicode": row.text}.get(self.style, row.function)
        return short + symbol(name, self.style).removeprefix("f")


class ActivationPage:
    """Builds the blocks; for the widths see `Equations`."""

    def __init__(
        self, example: WorkedExample, writer: Writer, width: int, line_width: int, language: str = "en"
    ) -> None:
        graph = example.graph
        assert isinstance(graph, PointsGraph)
        self._example = example
        self._row = graph.row
        self._points = graph.points
        self._writer = PointWriter(
            writer.style, writer.notation, writer.inline, writer.escape, writer.language, graph.row
        )
        self._width = width
        self._prose = Prose(self._writer, language)
        self._equations = Equations(example, self._writer, width, line_width)
        self._marked = False

    def blocks(self) -> list[Block]:
        """The whole page."""
        problem = self._example.problem
        body = list(self._selected() if self._example.options.only else self._body())
        found = [heading(1, self._writer.escape(self._prose.translated(problem.title)))]
        found += [paragraph(self._writer.escape(self._prose.translated(text))) for text in problem.prose.values()]
        if not self._example.options.only:
            found.append(figure(self._prose.say("activation", "figure", title=self._row.title)))
        known = conventions(self._example, self._prose, self._writer)
        if self._marked:
            known.append(self._prose.say("conventions", "mark"))
        return [*found, *body, self._heading("conventions", "headings"), bullets(*known)]

    def _heading(self, key: str, group: str = "activation") -> Block:
        return heading(2, self._prose.say(group, key))

    def _selected(self) -> Iterator[Block]:
        for section in self._example.sections:
            for step in section.steps:
                yield equations(*(self._equation(part) for part in step.lines))

    def _body(self) -> Iterator[Block]:
        if self._row.vector:
            lesson = VectorLesson(self._row, self._writer, self._prose, self._width, len(self._points[0]))
            yield self._heading("definition")
            yield from self._note()
            yield from lesson.definition()
            yield self._heading("derivative")
            yield from lesson.derivative()
            for point in self._points:
                yield from self._vector_values(point)
            yield self._heading("properties")
            yield from lesson.properties()
            return
        parts = Lesson(self._example, self._row, self._writer, self._prose, self._width)
        yield self._heading("definition")
        yield from self._definition(parts)
        yield from self._note()
        yield self._heading("derivative")
        yield from derivative(parts)
        if self._row.kinks:
            yield self._heading("kinks")
            yield from kinks(parts)
        yield self._heading("values")
        yield from self._values()
        yield self._heading("limits")
        yield from limits(parts)
        yield self._heading("centre")
        yield from centre(parts)

    def _note(self) -> Iterator[Block]:
        if self._prose.has("activation_notes", self._row.name):
            yield paragraph(self._prose.say("activation_notes", self._row.name))

    def _definition(self, parts: Lesson) -> Iterator[Block]:
        yield equations(Equation(parts.function(), (Row("=", parts.text(parts.formula)),)))
        if self._row.parameters:
            shown = [
                self._writer.inline(f"{symbol(key, self._writer.style)} = {Writer.constant(self._writer, value)}")
                for key, value in self._row.parameters
            ]
            key = "trained" if self._row.trained else "parameters"
            yield paragraph(self._prose.say("activation", key, names=self._writer.listed(shown)))

    # --- values ------------------------------------------------------------------------------------------------------

    def _values(self) -> Iterator[Block]:
        header = ("z", *(self._symbol(prime) for prime in ("", "'")))
        rows = [
            (self._writer.inline(self._writer.constant(point[0])), *map(self._shown, point_names(self._row, point)))
            for point in self._points
        ]
        yield table(tuple(self._writer.inline(cell) for cell in header), rows)
        count = len(self._points)
        middle = self._points[count // 2 - 1 : count // 2 + 2]
        for point in self._points if count <= WORKED else middle:
            yield equations(*(self._worked(name) for name in point_names(self._row, point)))

    def _symbol(self, prime: str) -> str:
        short = {"latex": self._row.latex, "unicode": self._row.text}.get(self._writer.style, self._row.function)
        return f"{short}{prime}(z)"

    def _number(self, text: str) -> str:
        return self._writer.inline(self._writer.number(text))

    def _shown(self, name: str) -> str:
        return self._number(self._example.shown(name) or "")

    def _worked(self, name: str) -> Equation:
        """f(0.5) = its formula = its number."""
        found = line(self._example.derivation.quantity(name))
        forms = [form for form in found.forms if not (isinstance(form, Call) and form.function == self._row.function)]
        return self._equation(Line(found.target, tuple(forms)) if forms else found)

    def _equation(self, found: Line) -> Equation:
        made = self._equations.equation(found)
        self._marked = self._marked or made.marked
        return made

    def _vector_values(self, point: Point) -> Iterator[Block]:
        style = self._writer.style
        values = self._writer.listed(self._writer.constant(value) for value in point)
        vector = rf"z = \left({values}\right)" if style == "latex" else f"z = ({values})"
        yield heading(2, self._prose.say("activation", "values_at", point=self._writer.inline(vector)))
        outputs = [point_name(f, point) for f in value_symbols(self._row, len(point))]
        yield equations(*(self._worked(name) for name in outputs))
        if len(outputs) > 1 and self._row.name == "softmax":
            yield equations(self._total(outputs))
        yield paragraph(self._prose.say("activation", "jacobian"))
        yield self._jacobian(point)
        slopes = [point_name(f, point) for f in slope_symbols(self._row, len(point))]
        yield paragraph(self._prose.say("activation", "for_example"))
        yield equations(*(self._worked(name) for name in slopes[:2]))

    def _total(self, names: list[str]) -> Equation:
        left = " + ".join(self._writer.name(name) for name in names)
        numbers = " + ".join(self._writer.number(self._example.shown(name) or "") for name in names)
        return Equation(left, (Row(RELATIONS["≈"][self._writer.style], numbers), Row("=", "1")))

    def _jacobian(self, point: Point) -> Block:
        """A row for each output, a column for each net input."""
        entries = range(1, len(point) + 1)
        columns = [self._writer.inline(symbol(f"z{j}", self._writer.style)) for j in entries]
        rows = []
        for f in value_symbols(self._row, len(point)):
            label = self._writer.inline(self._writer.name(point_name(f, point)))
            cells = (self._shown(point_name(f"d{f}/dz{j}", point)) for j in entries)
            rows.append((label, *cells))
        return table(("", *columns), rows)
