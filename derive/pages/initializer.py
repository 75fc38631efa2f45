"""The page of an initializer: the argument for its variance, a seeded experiment; for a constant why it cannot work."""

from __future__ import annotations

from collections.abc import Iterator

from derive.calculus.moments import Halves, squared_sum, truncated_deviation, uniform_variance
from derive.derivation.initializer import Argument, argument, written_variance
from derive.derivation.steps import Line
from derive.derivation.symmetry import TEXT, pairs
from derive.formula.expression import Expr, Name, multiply
from derive.formula.grammar import read
from derive.formula.languages import named
from derive.numbers.rounding import Rounding
from derive.pages.blocks import Block, Equation, Row, bullets, equations, heading, paragraph, table
from derive.pages.equations import Equations
from derive.pages.prose import Prose
from derive.pages.trials import trials
from derive.pages.writers import Writer
from derive.problem.initializer import Initialization
from derive.worked import WorkedExample

SYMBOLS = {
    "fan_in": (r"n_{\mathrm{in}}", "n_in", "n_in"),
    "fan_out": (r"n_{\mathrm{out}}", "n_out", "n_out"),
    "variance": (r"\mathrm{Var}(w)", "Var(w)", "Var(w)"),
    "v": (r"\mathrm{Var}(w)", "Var(w)", "Var(w)"),
    "m": (r"\mathrm{E}[x^2]", "E[x²]", "E[x^2]"),
    "forward_factor": (
        r"\frac{\mathrm{E}[x_{\mathrm{new}}^2]}{\mathrm{E}[x^2]}", "E[x_new²]/E[x²]", "E[x_new^2]/E[x^2]"
    ),
    "backward_factor": (
        r"\frac{\mathrm{E}[\delta_{\mathrm{below}}^2]}{\mathrm{E}[\delta^2]}",
        "E[δ_below²]/E[δ²]", "E[delta_below^2]/E[delta^2]",
    ),
}  # fmt: skip
STYLES = ("latex", "unicode", "ascii")


class Symbols(Writer):
    """A writer that knows the symbols of the variance argument."""

    __slots__ = ()

    def name(self, name: str) -> str:
        known = SYMBOLS.get(name)
        return named(known[STYLES.index(self.style)] if known else super().name(name), self.language)


class InitializerPage:
    """Builds the blocks of one page; for the widths see `Equations`."""

    def __init__(self, example: WorkedExample, writer: Writer, width: int, line_width: int, language: str) -> None:
        assert isinstance(example.problem.body, Initialization)
        self._example = example
        self._body = example.problem.body
        self._row = self._body.initializer
        self._writer = Symbols(writer.style, writer.notation, writer.inline, writer.escape, writer.language)
        self._widths = (width, line_width)
        self._prose = Prose(self._writer, language)
        self._equations = Equations(example, self._writer, width, line_width)

    def blocks(self) -> list[Block]:
        problem = self._example.problem
        found = [heading(1, self._writer.escape(self._prose.translated(problem.title)))]
        found += [paragraph(self._writer.escape(self._prose.translated(text))) for text in problem.prose.values()]
        parts = self._constant() if self._row.distribution == "constant" else self._random()
        return [*found, *self._libraries(), *parts]

    # --- words and lines -------------------------------------------------------------------------------------------

    def _say(self, key: str, **words: object) -> Block:
        return paragraph(self._prose.say("initializer", key, **words))

    def _heading(self, key: str, **words: object) -> Block:
        return heading(2, self._prose.say("initializer", f"heading_{key}", **words))

    def _math(self, latex: str, text: str, ascii: str = "") -> str:
        return {"latex": latex, "unicode": text}.get(self._writer.style, ascii or text)

    def _chain(self, left: str, *rights: str) -> Block:
        rows = tuple(Row("=", right) for right in rights)
        return equations(Equation(left, rows if sum(map(len, rights)) > 60 else (Row("=", " = ".join(rights)),)))

    def _plain(self, expr: Expr) -> str:
        return self._equations.plain(expr)

    def _line(self, name: str) -> Equation:
        return self._equations.equation(Line(name, (self._definition(name),)))

    def _definition(self, name: str) -> Expr:
        definition = self._example.graph.node(name).definition
        assert definition is not None
        return definition

    def _libraries(self) -> Iterator[Block]:
        told, escape = self._prose.translated, self._writer.escape
        calls = [escape(f"{library}: {told(call)}") for library, call in self._row.libraries]
        yield self._say("about_" + self._row.distribution)
        yield bullets(*calls, self._prose.say("initializer", "source", source=escape(told(self._row.source))))

    # --- random weights --------------------------------------------------------------------------------------------

    def _random(self) -> Iterator[Block]:
        found = argument(self._row)
        yield self._heading("rule")
        yield self._say("rule_" + self._row.condition)
        names = [name for name in ("variance", "deviation", "limit") if self._is_defined(name)]
        yield equations(*(self._line(name) for name in names))
        yield from self._weighted_sum()
        yield from self._activation(found)
        yield from self._conditions(found)
        if self._row.distribution == "uniform":
            yield from self._limit()
        else:
            yield from self._truncated()
        yield self._heading("layer")
        yield self._say("layer", fan_in=self._body.fan_in, fan_out=self._body.fan_out)
        yield equations(self._line("forward_factor"), self._line("backward_factor"))
        yield from trials(self._body, self._prose, self._writer)

    def _is_defined(self, name: str) -> bool:
        return name in set(self._example.graph.forward())

    def _weighted_sum(self) -> Iterator[Block]:
        """E[net²] = n_in·Var(w)·E[x²], from the square of a sum of two."""
        yield self._heading("sum")
        yield self._say("assumptions")
        square = squared_sum(2)
        yield self._say("square")
        header = tuple(self._prose.say("initializer", key) for key in ("term", "expectation", "because"))
        rows = []
        for term, expectation in square.terms:
            key = "because_square" if expectation != read("0") else "because_mixed"
            cells = [self._writer.inline(self._plain(part)) for part in (term, expectation)]
            rows.append((*cells, self._prose.say("initializer", key)))
        yield table(header, rows)
        yield self._say("together")
        net = self._math(r"\mathrm{E}[\mathrm{net}^2]", "E[net²]", "E[net^2]")
        yield self._chain(net, self._plain(square.total))
        yield self._say("general")
        variance = self._math(r"\mathrm{Var}(\mathrm{net})", "Var(net)")
        yield self._chain(variance, net, self._plain(multiply(Name("fan_in"), Name("v"), Name("m"))))

    def _activation(self, found: Argument) -> Iterator[Block]:
        row = found.activation
        yield self._heading("kept", title=row.title, straight=row.name == "linear")
        if row.name == "linear":
            yield self._say("kept_linear")
            return
        yield self._say("kept", title=row.title)
        yield self._halves(self._math(row.latex, row.text, row.function), found.forward)
        yield self._say("kept_slope")
        yield self._halves(self._math(f"{row.latex}'", f"{row.text}'", f"{row.function}'"), found.backward)

    def _halves(self, function: str, moment: Halves) -> Block:
        """E[function²] = ∫ below 0 + ∫ above 0 = their sum."""
        squared = self._math(f"{function}(z)^2", f"{function}(z)²", f"{function}(z)^2")
        inside = self._math(rf"{squared}\,\varphi(z)\,dz", f"{squared} φ(z) dz", f"{squared} phi(z) dz")
        whole = self._math(
            rf"\int_{{-\infty}}^{{0}} {inside} + \int_{{0}}^{{\infty}} {inside}",
            f"∫(−∞…0) {inside} + ∫(0…∞) {inside}",
            f"integral(-inf..0) {inside} + integral(0..inf) {inside}",
        )
        halves = f"{self._plain(moment.below)} + {self._plain(moment.above)}"
        rows = tuple(Row("=", text) for text in (whole, halves, self._plain(moment.total)))
        return equations(Equation(self._math(rf"\mathrm{{E}}[{squared}]", f"E[{squared}]"), rows))

    def _conditions(self, found: Argument) -> Iterator[Block]:
        share = found.backward.total
        yield self._heading("forward")
        yield self._say("forward")
        forward = self._plain(multiply(share, Name("fan_in"), Name("variance")))
        variance = self._writer.name("variance")
        yield equations(Equation(forward, (Row("=", "1"),)), self._solution(variance, found.keeps_forward))
        yield self._heading("backward")
        yield self._say("backward")
        backward = self._plain(multiply(share, Name("fan_out"), Name("variance")))
        yield equations(Equation(backward, (Row("=", "1"),)), self._solution(variance, found.keeps_backward))
        if self._row.condition == "compromise":
            yield self._heading("compromise")
            yield self._say("compromise")
            yield equations(self._solution(variance, found.compromise))
        chosen = self._writer.inline(self._plain(written_variance(self._row)))
        yield self._say("chosen_" + self._row.condition, variance=chosen)

    def _solution(self, left: str, solution: Expr) -> Equation:
        return Equation(left, (Row("=", self._plain(solution)),))

    def _limit(self) -> Iterator[Block]:
        yield self._heading("limit")
        yield self._say("limit")
        integral = self._math(
            r"\int_{-a}^{a} x^2 \cdot \frac{1}{2a}\,dx", "∫(−a…a) x²/(2a) dx", "integral(-a..a) x^2/(2*a) dx"
        )
        variance = self._writer.name("variance")
        yield self._chain(variance, integral, self._plain(uniform_variance()))
        yield self._say("limit_solved")
        yield self._chain("a", self._plain(read("sqrt(3*variance)")))

    def _truncated(self) -> Iterator[Block]:
        if not any("truncated" in call for _, call in self._row.libraries):
            return
        yield self._heading("truncated")
        yield self._say("truncated")
        deviation = self._math(r"\sigma_{\pm 2}", "σ(±2)", "sigma(+-2)")
        shown = self._example.values.shown_of(truncated_deviation()) or ""
        about = self._math(r"\approx", "≈", "~")
        rows = (Row("=", self._plain(truncated_deviation())), Row(about, self._writer.number(shown)))
        yield equations(Equation(deviation, rows))

    # --- constants -------------------------------------------------------------------------------------------------

    def _constant(self) -> Iterator[Block]:
        from derive.problem.file import loads

        value = self._example.shown("weight")
        assert value is not None
        given = self._example.exact("weight")
        assert given is not None
        text = str(float(given)) if given.denominator != 1 else str(given)
        other = WorkedExample(loads(TEXT.replace("{c}", text)))
        yield self._heading("rule")
        yield self._chain("w", self._writer.number(text))
        yield self._heading("symmetry")
        yield self._say("symmetry")
        names = {"w3": "w1", "w4": "w2", "w6": "w5"}
        yield bullets(*(self._equal(second, first) for second, first in names.items()))
        yield from self._pairs(other)
        yield self._say("induction")
        yield self._heading("one_neuron")
        yield self._say("one_neuron")
        both, one = (self._plain(read(text)) for text in ("w5*out_h1 + w6*out_h2 + b2", "2*w5*out_h1 + b2"))
        yield self._chain(self._writer.name("net_o1"), both, one)
        yield self._heading("numbers")
        yield self._say("numbers", value=self._writer.number(text))
        yield self._updates(other)
        yield self._say("stuck" if not given else "moves")
        yield self._say("remedy")

    def _equal(self, second: str, first: str) -> str:
        return self._writer.inline(f"{self._writer.name(second)} = {self._writer.name(first)}")

    def _pairs(self, other: WorkedExample) -> Iterator[Block]:
        keys = {"net_h1": "pair_net", "dE/dw5": "pair_out", "dE/dout_h1": "pair_delta", "dE/dw1": "pair_weights",
                "w1_new": "pair_update"}  # fmt: skip
        lines: list[Equation] = []
        for pair in pairs(other.derivation):
            assert pair.equal
            if pair.first in keys and lines:
                yield equations(*lines)
                lines = []
            if pair.first in keys:
                yield self._say(keys[pair.first])
            rows = [self._plain(pair.right), self._plain(pair.renamed), self._writer.name(pair.first)]
            lines.append(Equation(self._writer.name(pair.second), tuple(Row("=", row) for row in dict.fromkeys(rows))))
        yield equations(*lines)

    def _updates(self, other: WorkedExample) -> Block:
        names = (*(f"w{k}" for k in range(1, 7)), "b1", "b2")
        header = (self._prose.say("initializer", "parameter"),
                  *(self._prose.say("initializer", "after", n=step) for step in range(3)))  # fmt: skip
        rounding = Rounding(decimals=6)
        example = WorkedExample(other.problem.with_rounding(rounding))
        rows = [
            (self._writer.quantity(name), *(self._cell(example.shown(f"{name}@{step}")) for step in range(3)))
            for name in names
        ]
        loss = (self._writer.quantity("E"), *(self._cell(example.shown(f"E@{step}")) for step in range(3)))
        return table(header, [*rows, loss])

    def _cell(self, text: str | None) -> str:
        return self._writer.number(text or "")
