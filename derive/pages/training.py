"""The page of kind = "training": batches, iterations and the last short batch."""

from __future__ import annotations

from collections.abc import Iterator

from derive.derivation.steps import Line
from derive.formula.expression import Name, Quotient
from derive.formula.printing import write
from derive.pages.blocks import Block, Equation, Row, equations, heading, paragraph, table
from derive.pages.equations import RELATIONS, Equations
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.problem.training import Training
from derive.worked import WorkedExample

BRACKETS = {
    "up": {"latex": (r"\left\lceil ", r" \right\rceil"), "unicode": ("⌈", "⌉"), "ascii": ("ceil(", ")")},
    "down": {"latex": (r"\left\lfloor ", r" \right\rfloor"), "unicode": ("⌊", "⌋"), "ascii": ("floor(", ")")},
}


class TrainingPage:
    """Builds the blocks of one calculation in one way of writing."""

    def __init__(
        self, example: WorkedExample, writer: Writer, width: int, line_width: int, language: str = "en"
    ) -> None:
        assert isinstance(example.problem.body, Training)
        self._example = example
        self._training = example.problem.body
        self._writer = writer
        self._prose = Prose(writer, language)
        self._equations = Equations(example, writer, width, line_width)

    def blocks(self) -> list[Block]:
        """The whole page, or the quantities that were asked for."""
        problem = self._example.problem
        found = [heading(1, self._writer.escape(self._prose.translated(problem.title)))]
        if self._example.options.only:
            steps = [step for section in self._example.sections for step in section.steps]
            return [*found, equations(*(self._equations.equation(line) for step in steps for line in step.lines))]
        found += [paragraph(self._writer.escape(self._prose.translated(text))) for text in problem.prose.values()]
        return [*found, *self._body()]

    def _say(self, key: str, /, **words: object) -> str:
        return self._prose.say("training", key, **words)

    def _body(self) -> Iterator[Block]:
        given = self._example.problem.given
        yield heading(2, self._say("given"))
        names = ("samples", "batch", "epochs")
        yield table(("", ""), [(self._say(name), self._assigned(name, given[name].written)) for name in names])
        yield paragraph(self._say("about"))
        yield heading(2, self._say("batches"))
        yield from self._batches()
        yield heading(2, self._say("iterations"))
        yield paragraph(self._say("every_epoch"))
        yield equations(self._line("iterations"))
        yield heading(2, self._say("result"))
        yield table(("", ""), list(self._results()))

    def _assigned(self, name: str, text: str) -> str:
        return self._writer.inline(f"{self._writer.name(name)} = {self._writer.number(text)}")

    def _batches(self) -> Iterator[Block]:
        rest = self._number("rest")
        key = "even" if rest == "0" else "dropped" if self._training.drop_last else "uneven"
        yield paragraph(self._say(key, rest=rest))
        if rest == "0":
            yield equations(self._line("batches"))
            return
        yield equations(self._rounded())

    def _number(self, name: str) -> str:
        exact = self._example.exact(name)
        assert exact is not None
        return self._writer.number(str(exact))

    def _line(self, name: str) -> Equation:
        definition = self._example.graph.node(name).definition
        assert definition is not None
        return self._equations.equation(Line(name, (definition,)))

    def _rounded(self) -> Equation:
        """The line ⌈samples/batch⌉ = ⌈1050/100⌉ = 11."""
        style = self._writer.style
        left, right = BRACKETS["down" if self._training.drop_last else "up"][style]
        ratio = Quotient(Name("samples"), Name("batch"))
        texts = [
            write(ratio, style, self._writer.name, self._writer.constant),
            write(ratio, style, lambda name: self._example.problem.given[name].written, self._writer.constant),
        ]
        sign = RELATIONS["="][style]
        rows = [Row(sign, f"{left}{text}{right}") for text in texts]
        return Equation(self._writer.name("batches"), (*rows, Row(sign, self._number("batches"))))

    def _results(self) -> Iterator[tuple[str, ...]]:
        yield self._say("batches_row"), self._number("batches")
        if self._training.drop_last:
            yield self._say("left_row"), self._number("rest")
        else:
            yield self._say("last_row"), self._number("last")
        yield self._say("iterations_row"), self._number("iterations")
