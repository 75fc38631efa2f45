"""The page of a loss: its formula, its derivative, the numbers, what cancels, the gradient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from derive.calculus.rules import by_rules
from derive.derivation.chain_rule import derivative_name, split_derivative
from derive.derivation.loss import LossGraph
from derive.derivation.steps import Line, Step
from derive.derivation.steps import line as line_of
from derive.formula.expression import Expr, names_in, number
from derive.formula.grammar import write
from derive.formula.symbols import symbol
from derive.pages.blocks import Block, Equation, bullets, equations, figure, heading, paragraph, table
from derive.pages.conventions import activation_sentences, conventions, loss_sentence
from derive.pages.equations import Equations
from derive.pages.loss_lessons import MOST_WRITTEN_OUT, cancellation, loss_slope, written_out
from derive.pages.loss_plot import has_picture
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.problem.loss import LossSetting
from derive.worked import WorkedExample


class LossPage:
    """Builds the blocks; for the widths see `Equations`."""

    def __init__(
        self, example: WorkedExample, writer: Writer, width: int, line_width: int, language: str = "en"
    ) -> None:
        graph = example.graph
        assert isinstance(graph, LossGraph)
        self._example = example
        self._graph = graph
        self._setting: LossSetting = graph.setting
        self._writer = writer
        self._width = width
        self._prose = Prose(writer, language)
        self._equations = Equations(example, writer, width, line_width)
        self._marked = False

    def blocks(self) -> list[Block]:
        """The whole page."""
        problem = self._example.problem
        body = list(self._body())
        found = [heading(1, self._writer.escape(self._prose.translated(problem.title)))]
        found += [paragraph(self._writer.escape(self._prose.translated(text))) for text in problem.prose.values()]
        if not self._example.options.only and has_picture(self._example):
            found.append(figure(self._caption()))
        if rows := list(self._given()):
            found += [self._heading("given"), table(("", ""), rows)]
        return [*found, self._heading("conventions"), bullets(*self._conventions()), *body]

    def _body(self) -> Iterator[Block]:
        if self._example.options.only:
            steps = [step for section in self._example.sections for step in section.steps]
            yield self._heading("selected")
            yield from self._lines(steps)
            return
        yield self._heading("loss")
        yield from self._lines([self._step(name) for name in self._graph.forward()])
        if self._example.options.forward:
            return
        yield from self._derivative()
        if self._setting.activation is not None:
            yield from self._activation()
        is_said = self._setting.loss.whole and self._setting.activation is None and not self._example.has_numbers()
        if not is_said:
            yield self._heading("loss_gradient")
            yield from self._gradient()
        yield from self._summary()

    def _caption(self) -> str:
        """What the picture shows, in plain text."""
        setting = self._setting
        name = symbol(setting.names(setting.given_letter, setting.suffixes()[0])[0], "unicode")
        words = {"title": setting.loss.title, "outputs": setting.outputs, "given": self._example.has_numbers()}
        return self._prose.say("loss", "figure", name=name, **words)

    def _heading(self, key: str) -> Block:
        return heading(2, self._prose.say("headings", key))

    def _say(self, key: str, **words: object) -> Block:
        return paragraph(self._prose.say("loss", key, **words))

    # --- given and conventions -------------------------------------------------------------------------------------

    def _given(self) -> Iterator[tuple[str, ...]]:
        given = self._example.problem.given
        kinds = {self._setting.given_letter: "logits" if self._setting.activation else "predictions", "t": "targets"}
        for place, suffix in enumerate(self._setting.suffixes(), 1):
            for letter, key in kinds.items():
                names = [name for name in self._setting.names(letter, suffix) if name in given]
                if names:
                    sample = place if suffix else 0
                    yield self._prose.say("loss", key, sample=sample), self._writer.listed(map(self._assigned, names))

    def _assigned(self, name: str) -> str:
        text = self._writer.number(self._example.problem.given[name].written)
        return self._writer.inline(f"{self._writer.name(name)} = {text}")

    def _conventions(self) -> list[str]:
        setting, loss, say = self._setting, self._setting.loss, self._prose.say
        found = [loss_sentence(loss, setting.outputs, self._prose, self._writer)]
        if setting.activation is not None:
            found += list(activation_sentences(setting.activation, self._prose, self._writer, "o"))
        if setting.samples > 1:
            found.append(say("conventions", setting.reduction, samples=setting.samples))
        if setting.by_label:
            found.append(say("loss", "labels"))
        if loss.targets == "signs":
            found.append(say("loss", "signs"))
        row = setting.activation
        cancels = row is not None and row.vector and self._cancels(self._graph.leaves()[0])
        if loss.targets == "sum-to-one" or cancels:
            found.append(say("conventions", "distribution"))
        found += [say("loss", f"kink_{loss.name}")] if loss.name in KINKED else []
        found += conventions(self._example, self._prose, self._writer)
        return [*found, say("conventions", "mark")] if self._marked else found

    # --- lines -----------------------------------------------------------------------------------------------------

    def _step(self, name: str) -> Step:
        quantity = self._example.derivation.quantity(name)
        return Step(quantity.rule, name, (line_of(quantity),))

    def _lines(self, steps: Iterable[Step]) -> Iterator[Block]:
        found = [self._equation(line) for step in steps for line in _flat(step)]
        if found:
            yield equations(*found)

    def _equation(self, line: Line) -> Equation:
        found = self._equations.equation(line)
        self._marked = self._marked or found.marked
        return found

    # --- the derivative of the loss --------------------------------------------------------------------------------

    def _derivative(self) -> Iterator[Block]:
        loss, outputs = self._setting.loss, self._setting.outputs
        yield self._heading("loss_slope")
        if not loss.whole:
            yield self._say("by_rules", several=outputs > 1)
            yield equations(loss_slope(loss, outputs, self._writer, self._width))
            return
        yield self._say("by_rules_whole", several=outputs > 1)
        suffix = self._setting.suffixes()[0]
        top = f"E{suffix}"
        lines = [self._differentiated(top, out) for out in self._setting.names("o", suffix)[:MOST_WRITTEN_OUT]]
        yield equations(*(self._equations.equation(line, numbers=False) for line in lines))

    def _differentiated(self, top: str, bottom: str) -> Line:
        """∂/∂o (definition) = rule by rule = textbook."""
        definition = self._example.derivation.quantity(top).definition
        slope = self._example.derivation.quantity(derivative_name(top, bottom)).definition
        assert definition is not None
        assert slope is not None
        forms = tuple(dict.fromkeys((by_rules(definition, bottom), slope)))
        is_long = len(write(definition)) > self._width - 12
        return Line(derivative_name(top, bottom), forms, None if is_long else (definition, bottom))

    # --- the activation before it ----------------------------------------------------------------------------------

    def _activation(self) -> Iterator[Block]:
        row, suffix = self._setting.activation, self._setting.suffixes()[0]
        assert row is not None
        outputs, nets = self._setting.names("o", suffix), self._setting.names("z", suffix)
        yield self._heading("loss_activation")
        yield self._say("jacobian" if row.vector else "slope", title=row.title)
        pairs = [(outputs[0], net) for net in nets[:2]] if row.vector else [(outputs[0], nets[0])]
        found = [self._equations.equation(self._differentiated(*pair), numbers=False) for pair in pairs]
        yield equations(*found)
        if self._cancels(nets[0]):
            yield from self._cancellation(suffix, nets[0])

    def _cancels(self, net: str) -> bool:
        return self._example.options.cancel and self._graph.cancellation(net) is not None

    def _cancellation(self, suffix: str, net: str) -> Iterator[Block]:
        setting = self._setting
        yield self._heading("loss_cancellation")
        yield from cancellation(setting.loss, setting.outputs, self._prose, self._writer, self._width)
        is_long = setting.outputs > MOST_WRITTEN_OUT or setting.loss.cancelled != "o - t"
        if is_long or setting.loss.over == "mean":
            return
        yield self._say("written_out", net=self._writer.quantity(net))
        forms = written_out(self._graph.terms(suffix), 1, net)
        line = Line(derivative_name(f"E{suffix}", net), tuple(dict.fromkeys(forms)))
        yield equations(self._equation(line))

    # --- the gradient ----------------------------------------------------------------------------------------------

    def _gradient(self) -> Iterator[Block]:
        seen: set[str] = set()
        for suffix in self._setting.suffixes():
            names = self._setting.names(self._setting.given_letter, suffix)
            if suffix and self._setting.samples > 1:
                yield self._say("sample", k=suffix.strip("[]"))
            yield equations(*(self._equation(line) for name in names for line in self._slope_lines(name, seen)))

    def _slope_lines(self, name: str, seen: set[str]) -> Iterator[Line]:
        """The factors of a gradient that were not there before, then the gradient."""
        quantity = self._example.derivation.quantity(derivative_name("E", name))
        if quantity.rule == "cancellation":
            yield Line(quantity.name, (quantity.definition,) if quantity.definition is not None else ())
            return
        yield from self._factors(quantity.name, seen)

    def _factors(self, name: str, seen: set[str]) -> Iterator[Line]:
        quantity = self._example.derivation.quantity(name)
        definition = quantity.definition
        assert definition is not None
        if quantity.rule == "local-derivative":
            if quantity.node is not None and quantity.node.rule == "total":
                return
            yield Line(name, (definition,))
            return
        for part in _slopes_in((*quantity.forms, definition)):
            if part not in seen:
                seen.add(part)
                yield from self._factors(part, seen)
        yield Line(name, tuple(dict.fromkeys((*quantity.forms, definition))))

    # --- all together ----------------------------------------------------------------------------------------------

    def _summary(self) -> Iterator[Block]:
        """Outputs, targets, parts and slopes, a row each."""
        if not self._example.has_numbers():
            return
        setting, example = self._setting, self._example
        parts = self._graph.has_parts
        header = ["", *(["z"] if setting.activation else []), "o", "t", *(["E_o"] if parts else []), ""]
        header[-1] = derivative_name("E", setting.given_letter)
        names = ["k" if not setting.samples > 1 else "", *header[1:]]
        yield self._heading("loss_summary")
        rows = []
        for suffix in setting.suffixes():
            for k in range(1, setting.outputs + 1):
                cells = [f"{letter}{k}{suffix}" for letter in (["z", "o", "t"] if setting.activation else ["o", "t"])]
                cells += [f"E_o{k}{suffix}"] if parts else []
                cells.append(derivative_name("E", f"{setting.given_letter}{k}{suffix}"))
                rows.append((self._index(k, suffix), *(self._cell(name) for name in cells)))
        shown = [self._writer.quantity(name) if name else "" for name in names[1:]]
        first = self._prose.say("loss", "place", several=setting.samples > 1)
        yield table((first, *shown), rows)
        values = example.values
        text, exact = values.shown("E"), values.exact("E")
        if text is not None:
            is_exact = exact is not None and number(text).value == exact
            sign = "=" if is_exact else {"latex": r"\approx", "unicode": "≈", "ascii": "~"}[self._writer.style]
            formula = f"{self._writer.name('E')} {sign} {self._writer.number(text)}"
            yield self._say("total", formula=self._writer.inline(formula))

    def _index(self, k: int, suffix: str) -> str:
        return f"{suffix.strip('[]')}, {k}" if suffix else str(k)

    def _cell(self, name: str) -> str:
        text = self._example.written(name)
        return self._writer.inline(self._writer.number(text)) if text is not None else ""


KINKED = frozenset({"mean-absolute-error", "mean-absolute-percentage-error", "hinge", "categorical-hinge",
                    "multiclass-hinge"})  # fmt: skip
"""Losses with a kink: the page says which slope is taken there."""


def _flat(step: Step) -> Iterator[Line]:
    for inner in step.steps:
        yield from _flat(inner)
    yield from step.lines


def _slopes_in(forms: Iterable[Expr]) -> list[str]:
    names = (name for form in forms for name in names_in(form))
    return [name for name in dict.fromkeys(names) if split_derivative(name)]
