"""The page of kind = "optimizer": the rule, its conventions, the first updates in full, and all of them in a table."""

from __future__ import annotations

from collections.abc import Iterator

from derive.calculus.rules import by_rules
from derive.derivation.steps import Line, Step
from derive.derivation.steps import line as line_of
from derive.derivation.unrolled import UnrolledGraph
from derive.formula.expression import Expr
from derive.formula.printing import write
from derive.pages.blocks import Block, Equation, bullets, equations, figure, heading, paragraph, table
from derive.pages.conventions import conventions
from derive.pages.equations import RELATIONS, Equations
from derive.pages.optimizer_picture import has_picture
from derive.pages.prose import Prose
from derive.pages.update_rule import definitions, libraries, sentences, spoken
from derive.pages.wide import in_pieces
from derive.pages.writers import Writer
from derive.problem.rule import GRADIENT, PARAMETER, RATE
from derive.worked import WorkedExample

WRITTEN_OUT = 3
"""So many updates are written out line by line; the table holds all of them."""

ALL_STEPS = 25
"""So many updates are listed one by one; of more the first twenty and the last."""


class OptimizerPage:
    """Builds the blocks; for the widths see `Equations`."""

    def __init__(
        self, example: WorkedExample, writer: Writer, width: int, line_width: int, language: str = "en"
    ) -> None:
        graph = example.graph
        assert isinstance(graph, UnrolledGraph)
        self._example = example
        self._graph = graph
        self._run = graph.run
        self._rule = graph.rule
        self._writer = writer
        self._width = width
        self._prose = Prose(writer, language)
        self._equations = Equations(example, writer, width, line_width)
        self._marked = False

    def blocks(self) -> list[Block]:
        """The whole page, or the quantities that were asked for."""
        problem = self._example.problem
        body = list(self._selected() if self._example.options.only else self._updates())
        found = [heading(1, self._writer.escape(self._prose.translated(problem.title)))]
        found += [paragraph(self._writer.escape(self._prose.translated(text))) for text in problem.prose.values()]
        if has_picture(self._example):
            found.append(figure(self._say("picture", objective=self._run.objective is not None)))
        found += [self._heading("given"), table(("", ""), list(self._given()))]
        if not self._example.options.only:
            found += list(self._about_the_rule())
        return [*found, *body]

    def _say(self, key: str, /, **words: object) -> str:
        return self._prose.say("optimizer", key, **words)

    def _heading(self, key: str, level: int = 2, **words: object) -> Block:
        return heading(level, self._say(key, **words))

    # --- given -----------------------------------------------------------------------------------------------------

    def _given(self) -> Iterator[tuple[str, str]]:
        run, rule = self._run, self._rule
        yield self._say("parameters"), self._writer.listed(self._assigned(name) for name in run.parameters)
        yield self._say("rate"), self._assigned("eta_0" if RATE in rule.shared else RATE)
        hypers = [name for name in rule.numbers if name != "eta_0"]
        if hypers:
            yield self._say("hypers"), self._writer.listed(map(self._assigned, hypers))
        if run.objective is not None:
            formula = f"{self._writer.name('E')} = {self._written(run.objective)}"
            yield self._say("objective"), self._writer.inline(formula)
            return
        for name in run.parameters:
            shown = [self._assigned(f"{GRADIENT}_{name}@{step}") for step in range(1, min(run.steps, ALL_STEPS) + 1)]
            yield self._say("gradients", name=self._writer.quantity(name)), self._writer.listed(shown)

    def _assigned(self, name: str) -> str:
        text = self._writer.number(self._example.problem.given[name].written)
        return self._writer.inline(f"{self._writer.name(name)} = {text}")

    def _written(self, expr: Expr) -> str:
        return write(expr, self._writer.style, self._writer.name, self._writer.constant)

    # --- the rule --------------------------------------------------------------------------------------------------

    def _about_the_rule(self) -> Iterator[Block]:
        rule = self._rule
        yield self._heading("rule")
        about = self._prose.translated(rule.recipe.row.about)
        yield paragraph(spoken(about, self._writer) + " " + self._say("one_update"))
        slopes = [f"{GRADIENT}_{name}" for name in self._run.parameters]
        yield definitions(rule, slopes, self._writer, self._width)
        yield self._heading("conventions")
        known = [self._say("index", parameter=self._run.parameters[0], several=self._run.steps > 1)]
        known += list(sentences(rule, self._prose, self._writer))
        known += conventions(self._example, self._prose, self._writer)
        if self._marked:
            known.append(self._prose.say("conventions", "mark"))
        yield bullets(*known)
        yield from libraries(rule, self._prose, self._writer)
        if self._run.objective is not None:
            yield self._heading("gradient")
            yield equations(*(self._slope(name, slope) for name, slope in self._graph.slopes.items()))

    def _slope(self, name: str, slope: Expr) -> Equation:
        """∂E/∂w = ∂/∂w (w²) = 2·w"""
        assert self._run.objective is not None
        forms = tuple(dict.fromkeys((by_rules(self._run.objective, name), slope)))
        line = Line(f"dE/d{name}", forms, (self._run.objective, name))
        return self._equations.equation(line, numbers=False)

    # --- the updates -----------------------------------------------------------------------------------------------

    def _selected(self) -> Iterator[Block]:
        steps = [step for section in self._example.sections for step in section.steps]
        yield heading(2, self._prose.say("headings", "selected"))
        yield equations(*(self._equation(line) for step in steps for line in _flat(step)))

    def _updates(self) -> Iterator[Block]:
        written = min(self._run.steps, WRITTEN_OUT)
        for step in range(1, written + 1):
            yield self._heading("update", step=step)
            yield equations(*(self._equation(self._line(name)) for name in self._graph.computed(step)))
        if self._run.steps > 1:
            yield self._heading("table")
            if self._run.steps > written:
                yield paragraph(self._say("likewise"))
            yield from self._tables()
        yield self._heading("result")
        yield paragraph(self._result())

    def _line(self, name: str) -> Line:
        return line_of(self._example.derivation.quantity(name))

    def _equation(self, line: Line) -> Equation:
        found = self._equations.equation(line)
        self._marked = self._marked or found.marked
        return found

    def _tables(self) -> Iterator[Block]:
        """Every update; for each parameter a table of its own where one would be too wide."""
        shared = [each.target for each in self._rule.assignments if each.shared]
        own = [each.target for each in self._rule.assignments if not each.shared and each.target != PARAMETER]
        columns = {name: [f"{GRADIENT}_{name}", *(f"{target}_{name}" for target in own), name] for name in self._names}
        loss = ["E"] if self._run.objective is not None else []
        together = [*shared, *(column for each in columns.values() for column in each), *loss]
        pieces = [together]
        if len(self._fitting(together)) > 1:
            own_loss = [] if shared else loss
            pieces = [*([[*shared, *loss]] if shared else []), *([*each, *own_loss] for each in columns.values())]
        yield from (self._table(piece) for group in pieces for piece in self._fitting(group))

    @property
    def _names(self) -> tuple[str, ...]:
        return self._run.parameters

    def _fitting(self, columns: list[str]) -> list[list[str]]:
        """The columns in pieces that fit a page."""
        shown = [[self._text(f"{name}@{step}") for step in (1, self._run.steps)] for name in columns]
        return in_pieces(columns, shown)

    def _table(self, columns: list[str]) -> Block:
        last = self._run.steps
        steps: list[int | None] = list(range(last + 1)) if last <= ALL_STEPS else [*range(21), None, last]
        header = (self._say("step"), *(self._writer.quantity(name) for name in columns))
        return table(header, [self._row(step, columns) for step in steps])

    def _row(self, step: int | None, columns: list[str]) -> tuple[str, ...]:
        if step is None:
            return ("…",) * (len(columns) + 1)
        return str(step), *(self._cell(f"{name}@{step}" if step else name) for name in columns)

    def _cell(self, name: str) -> str:
        text = self._text(name)
        return self._writer.inline(self._writer.number(text)) if text is not None else ""

    def _text(self, name: str) -> str | None:
        """The number of a quantity; None where there is none of that name."""
        try:
            self._graph.node(name)
        except KeyError:
            return None
        return self._example.written(name)

    def _result(self) -> str:
        changes = [self._change(name) for name in self._names]
        if self._run.objective is not None:
            changes.append(self._change("E"))
        return self._say("went", changes=self._writer.listed(changes), steps=self._run.steps)

    def _change(self, name: str) -> str:
        after = f"{name}@{self._run.steps}"
        numbers = (self._writer.inline(self._sided(each)) for each in (name, after))
        return self._say("change", **dict(zip(("before", "after"), numbers, strict=True)))

    def _sided(self, name: str) -> str:
        sign = RELATIONS["≈" if self._example.is_rounded(name) else "="][self._writer.style]
        return f"{self._writer.name(name)} {sign} {self._writer.number(self._example.written(name) or '')}"


def _flat(step: Step) -> Iterator[Line]:
    """The lines of what a step needs, then its own."""
    for inner in step.steps:
        yield from _flat(inner)
    yield from step.lines
