"""The page of a perceptron: the rule, every presentation in tables, two of them line by line, and the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from derive.derivation.perceptron import PerceptronGraph
from derive.derivation.steps import Line
from derive.formula.expression import Cases, Expr, Name, multiply, replace_names, subtract
from derive.formula.printing import write_lines
from derive.pages.blocks import Block, Equation, Row, bullets, equations, figure, heading, paragraph, table
from derive.pages.equations import RELATIONS, Equations
from derive.pages.perceptron_tables import Tables, cell
from derive.pages.perceptron_verdict import Verdict
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.worked import WorkedExample

SEARCHED = 300
"""Among so many presentations the ones that are worked line by line are looked for."""

WORKED_DECISIONS = 6
MOST_POINTS = 40


class PerceptronPage:
    """Builds the blocks of one perceptron in one way of writing."""

    def __init__(
        self,
        example: WorkedExample,
        writer: Writer,
        width: int,
        line_width: int,
        language: str = "en",
        prose: Prose | None = None,
    ) -> None:
        assert isinstance(example.graph, PerceptronGraph)
        self._example = example
        self._graph = example.graph
        self._shape = example.graph.perceptron
        self._writer = writer
        self._width = width
        self._prose = prose or Prose(writer, language)
        self._equations = Equations(example, writer, width, line_width)
        self._tables = Tables(example, self._graph, self._prose, writer)
        self._marked = False

    def blocks(self) -> list[Block]:
        """The whole page, or the quantities that were asked for."""
        problem = self._example.problem
        found = [heading(1, self._writer.escape(self._prose.translated(problem.title)))]
        if self._example.options.only:
            return [*found, *self._asked()]
        found += [paragraph(self._writer.escape(self._prose.translated(text))) for text in problem.prose.values()]
        if len(self._shape.inputs) <= 2:
            found.append(figure(self._say("picture", line=self._graph.run.converged)))
        found += [heading(2, self._say("given")), *self.given()]
        body = list(self._training() if self._shape.target else self._decisions())
        rule = self.rule(exact=self._tables.exact())
        return [*found, heading(2, self._say("rule")), *rule, *body]

    def _say(self, key: str, /, **words: object) -> str:
        return self._prose.say("perceptron", key, **words)

    def _math(self, expr: Expr) -> str:
        return self._writer.inline(self._equations.plain(expr))

    # --- given and rule ------------------------------------------------------------------------------------------

    def given(self) -> list[Block]:
        """The weights to start from and the points."""
        return [self._given(), self._tables.points(MOST_POINTS)]

    def _given(self) -> Block:
        given, shape = self._example.problem.given, self._shape
        assigned = [
            self._writer.inline(f"{self._writer.name(name)} = {self._writer.number(given[name].written)}")
            for name in shape.parameters
        ]
        rows: list[tuple[str, ...]] = [
            (self._say("weights" if shape.target else "weights_only"), self._writer.listed(assigned)),
        ]
        if shape.target:
            rate = f"{self._writer.name('eta')} = {self._writer.number(given['eta'].written)}"
            rows.append((self._say("learning_rate"), self._writer.inline(rate)))
        return table(("", ""), rows)

    def rule(self, *, exact: bool) -> Iterator[Block]:
        """What is computed at each point, and the conventions; `exact` says that no number is rounded."""
        shape, target = self._shape, self._shape.target
        general: dict[str, Expr] = {"net[1]": Name("net"), "out[1]": Name("out")}
        general |= {name: Name(self._stem(name)) for name in self._example.problem.given}
        yield paragraph(self._say("sum", bias=shape.bias))
        definitions = [(left, self._graph.node(f"{left}[1]").definition) for left in ("net", "out")]
        yield equations(
            *(
                self._formula(self._writer.name(left), replace_names(expr, general))
                for left, expr in definitions
                if expr
            )
        )
        if target:
            error = Name(target) if shape.update == "label" else subtract(Name(target), Name("out"))
            feeding: list[Expr] = [*map(Name, shape.inputs), shape.bias_input]
            steps = zip(shape.parameters, feeding, strict=False)
            yield paragraph(self._say("learn_label" if shape.update == "label" else "learn"))
            yield equations(
                *(
                    self._formula(self._tables.change(name), multiply(Name("eta"), error, feeds))
                    for name, feeds in steps
                )
            )
            yield paragraph(self._say("learn_new_label" if shape.update == "label" else "learn_new"))
        yield bullets(*self._conventions(exact))

    def _stem(self, name: str) -> str:
        return name.partition("[")[0]

    def _formula(self, left: str, expr: Expr) -> Equation:
        lines = write_lines(expr, self._writer.style, self._writer.name, self._width, self._writer.constant)
        sign = RELATIONS["="][self._writer.style]
        return Equation(left, tuple(Row("" if place else sign, text) for place, text in enumerate(lines)))

    def _conventions(self, exact: bool) -> Iterator[str]:
        shape = self._shape
        zero = shape.at_zero
        if zero is None:
            yield self._say("at_zero_mistake")
        else:
            yield self._say("at_zero", value=cell(zero, self._writer))
        if shape.bias is None:
            yield self._say("no_bias")
        elif shape.bias_input.value != 1:
            yield self._say("bias_input", value=self._writer.inline(self._writer.constant(shape.bias_input)))
        if shape.target:
            yield from self._learning(shape.target)
        yield self._digits(exact)

    def _learning(self, target: str) -> Iterator[str]:
        shape = self._shape
        label = self._math(multiply(Name("eta"), Name(target), Name("x")))
        formula = self._math(multiply(Name("eta"), subtract(Name(target), Name("out")), Name("x")))
        if shape.labels[0] == -1:
            yield self._say(shape.update, formula=formula, label=label, signs=True)
        yield self._say(shape.order)
        yield self._say(
            "names",
            weight=self._indexed(shape.weights[0], "i"),
            net=self._indexed("net", "i"),
            out=self._indexed("out", "i"),
            input=self._indexed(shape.inputs[0], "k"),
            several=shape.samples > 1,
        )

    def _indexed(self, name: str, index: str) -> str:
        """A quantity with a letter for the number of its presentation or point."""
        shown = self._writer.name(name)
        return self._writer.inline(f"{shown}^{{({index})}}" if self._writer.style == "latex" else f"{shown}[{index}]")

    def _digits(self, exact: bool) -> str:
        rounding = self._example.problem.rounding
        key, n = ("significant", rounding.significant) if rounding.significant else ("decimals", rounding.decimals)
        words = {"digits": self._prose.say("conventions", key, n=n)}
        words["mode"] = self._prose.say("conventions", rounding.mode)
        if rounding.carry == "displayed":
            return self._say("displayed", **words)
        return self._say("every") if exact else self._say("full", **words)

    # --- presentations -------------------------------------------------------------------------------------------

    def _training(self) -> Iterator[Block]:
        wrong, right = self._chosen()
        for place, key in ((wrong, "mistake_heading"), (right, "right_heading")):
            if place:
                yield heading(2, self._say(key))
                yield from self._worked(place)
        if self._marked:
            yield paragraph(self._prose.say("conventions", "mark"))
        yield heading(2, self._say("epochs_heading"))
        yield from self._tables.epochs()
        yield heading(2, self._say("verdict"))
        yield from Verdict(self._example, self._graph, self._prose, self._writer, self._width).blocks()

    def _chosen(self) -> tuple[int, int]:
        """The first presentation with a mistake (rather one that changes an input's weight) and the first without."""
        run = self._graph.run
        places = range(1, min(run.presentations, SEARCHED) + 1)
        wrong = [place for place in places if run.presentation(place).mistake]
        moving = (
            place for place in wrong if any(run.weights(place)[i] != run.weights(place - 1)[i] for i in self._own)
        )
        right = (place for place in places if not run.presentation(place).mistake)
        return next(moving, wrong[0] if wrong else 0), next(right, 0)

    @property
    def _own(self) -> range:
        return range(len(self._shape.weights))

    def _worked(self, place: int) -> Iterator[Block]:
        shape, found = self._shape, self._graph.run.presentation(place)
        assert shape.target is not None
        target = self._graph.input(shape.target, place).name
        written = self._writer.inline(self._writer.number(self._example.problem.given[target].written))
        yield paragraph(self._say("worked", i=place, k=found.point, target=written))
        yield equations(self._equation(f"net[{place}]"), self._equation(f"out[{place}]"))
        if not found.mistake:
            yield paragraph(self._say("right"))
            return
        error = self._error(target, place) if shape.update == "difference" else ""
        yield paragraph(self._say("wrong", out=cell(found.out, self._writer), target=written, error=error))
        yield equations(*(self._equation(f"{name}[{place}]") for name in shape.parameters))

    def _error(self, target: str, place: int) -> str:
        """Y − ŷ = 0 − 1 = −1"""
        difference = subtract(Name(target), Name(f"out[{place}]"))
        wanted = self._example.problem.given[target].value
        value = self._writer.number(str(wanted - self._graph.run.presentation(place).out))
        numbers = " ".join(self._equations.substituted(difference))
        return self._writer.inline(f"{self._equations.plain(difference)} = {numbers} = {value}")

    def _equation(self, name: str) -> Equation:
        definition = self._graph.node(name).definition
        assert definition is not None
        if isinstance(definition, Cases) and not name.startswith("out["):
            definition = definition.pieces[0][0]  # a label update is shown on a mistake only
        found = self._equations.equation(Line(name, (definition,)))
        self._marked = self._marked or found.marked
        return found

    def _decisions(self) -> Iterator[Block]:
        several = self._shape.samples > 1
        yield heading(2, self._say("decisions", several=several))
        for place in range(1, min(self._shape.samples, WORKED_DECISIONS) + 1):
            if several:
                yield paragraph(self._say("decision", k=place))
            yield equations(self._equation(f"net[{place}]"), self._equation(f"out[{place}]"))
        if self._shape.samples > WORKED_DECISIONS:
            yield self._tables.decisions()

    # --- single quantities ---------------------------------------------------------------------------------------

    def _asked(self) -> Iterator[Block]:
        """Each quantity that was asked for with its line."""
        for section in self._example.sections:
            for step in section.steps:
                yield heading(3, self._writer.quantity(step.target))
                yield equations(*(self._equations.equation(line) for line in step.lines))
