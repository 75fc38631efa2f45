"""The lesson of an activation of several net inputs: its outputs, and its Jacobian for i = j and i ≠ j."""

from __future__ import annotations

from collections.abc import Iterator

from derive.calculus.stepwise import stages
from derive.calculus.symbolic import equal, partial
from derive.catalogue.activations import Activation
from derive.derivation.network import tidy
from derive.formula.expression import ONE, Expr, Name, add, replace_names
from derive.formula.printing import write as print_formula
from derive.formula.printing import write_lines
from derive.formula.symbols import Style, symbol
from derive.pages.blocks import Block, Equation, Row, equations, paragraph
from derive.pages.prose import Prose
from derive.pages.writers import Writer

MOST_WRITTEN_OUT = 3
"""With more net inputs the derivation is written out for three."""

GENERAL: dict[str, dict[Style, tuple[tuple[str, ...], ...]]] = {
    "softmax": {
        "latex": (
            (
                r"\frac{\partial a_i}{\partial z_i}",
                r"\frac{e^{z_i} \sum_j e^{z_j} - e^{z_i} e^{z_i}}{\left(\sum_j e^{z_j}\right)^2}",
                r"a_i \cdot (1 - a_i)",
            ),
            (
                r"\frac{\partial a_i}{\partial z_k}",
                r"\frac{0 - e^{z_i} e^{z_k}}{\left(\sum_j e^{z_j}\right)^2}",
                r"-a_i \cdot a_k \quad \text{for } k \ne i",
            ),
        ),
        "unicode": (
            ("∂a_i/∂z_i", "(e^z_i·S − e^z_i·e^z_i)/S²   with S = Σ_j e^z_j", "a_i·(1 − a_i)"),
            ("∂a_i/∂z_k", "(0 − e^z_i·e^z_k)/S²", "−a_i·a_k   for k ≠ i"),
        ),
        "ascii": (
            ("da_i/dz_i", "(exp(z_i)*S - exp(z_i)*exp(z_i))/S^2   with S = sum_j exp(z_j)", "a_i*(1 - a_i)"),
            ("da_i/dz_k", "(0 - exp(z_i)*exp(z_k))/S^2", "-a_i*a_k   for k != i"),
        ),
    },
    "log-softmax": {
        "latex": (
            (r"\frac{\partial a_i}{\partial z_i}", r"1 - \frac{e^{z_i}}{\sum_j e^{z_j}}", r"1 - e^{a_i}"),
            (
                r"\frac{\partial a_i}{\partial z_k}", r"-\frac{e^{z_k}}{\sum_j e^{z_j}}",
                r"-e^{a_k} \quad \text{for } k \ne i",
            ),
        ),
        "unicode": (
            ("∂a_i/∂z_i", "1 − e^z_i/S   with S = Σ_j e^z_j", "1 − e^a_i"),
            ("∂a_i/∂z_k", "−e^z_k/S", "−e^a_k   for k ≠ i"),
        ),
        "ascii": (
            ("da_i/dz_i", "1 - exp(z_i)/S   with S = sum_j exp(z_j)", "1 - exp(a_i)"),
            ("da_i/dz_k", "-exp(z_k)/S", "-exp(a_k)   for k != i"),
        ),
    },
}  # fmt: skip
DEFINITIONS: dict[str, dict[Style, str]] = {
    "softmax": {
        "latex": r"\frac{e^{z_i}}{\sum_j e^{z_j}}", "unicode": "e^z_i / Σ_j e^z_j",
        "ascii": "exp(z_i) / sum_j exp(z_j)",
    },
    "log-softmax": {
        "latex": r"z_i - \ln\left(\sum_j e^{z_j}\right)", "unicode": "z_i − ln(Σ_j e^z_j)",
        "ascii": "z_i - ln(sum_j exp(z_j))",
    },
    "maxout": {"latex": r"\max_j z_j", "unicode": "max_j z_j", "ascii": "max_j z_j"},
}  # fmt: skip


def definition_of(row: Activation, style: Style, letter: str = "a") -> str:
    """a_i = e^z_i / Σ_j e^z_j; for a row without such a text its first output of three."""
    single = row.vector is not None and row.vector.single
    left = letter if single else f"{letter}_i"
    if row.name in DEFINITIONS:
        return f"{left} = {DEFINITIONS[row.name][style]}"
    assert row.vector is not None
    nets = [Name(f"z{j}") for j in (1, 2, 3)]
    left = symbol(letter if single else f"{letter}1", style)
    return f"{left} = {print_formula(row.vector.output(0, nets), style, lambda name: symbol(name, style))}"


def general_slopes(row: Activation, style: Style) -> tuple[tuple[str, ...], ...]:
    """The lines for i = k and i ≠ k; none for a row that has no such texts."""
    return GENERAL.get(row.name, {}).get(style, ())


class VectorLesson:
    """Definition, Jacobian and properties of a vector activation with so many net inputs."""

    def __init__(self, row: Activation, writer: Writer, prose: Prose, width: int, entries: int) -> None:
        assert row.vector is not None
        self._row, self._vector = row, row.vector
        self._writer, self._prose, self._width = writer, prose, width
        self._nets = [Name(f"z{j}") for j in range(1, min(entries, MOST_WRITTEN_OUT) + 1)]
        outputs = 1 if self._vector.single else len(self._nets)
        self._outs = [Name("a" if self._vector.single else f"a{i}") for i in range(1, outputs + 1)]

    def _name(self, name: str) -> str:
        return symbol(name, self._writer.style)

    def _text(self, expr: Expr) -> str:
        return print_formula(expr, self._writer.style, self._name, self._writer.constant)

    def definition(self) -> Iterator[Block]:
        """In general, then written out."""
        left, _, right = definition_of(self._row, self._writer.style).partition(" = ")
        yield equations(Equation(left, (Row("=", right),)))
        yield paragraph(self._prose.say("activation", "written_out", n=len(self._nets)))
        yield equations(
            *(
                Equation(self._name(out.name), (Row("=", self._text(self._vector.output(i, self._nets))),))
                for i, out in enumerate(self._outs)
            )
        )

    def derivative(self) -> Iterator[Block]:
        """∂a1/∂z1 and ∂a1/∂z2 a rule at a time, then the general entries."""
        yield paragraph(self._prose.say("activation", "all_depend", single=self._vector.single))
        for j, key in ((0, "own_net"), (1, "other_net")):
            if not self._vector.single:
                yield paragraph(self._prose.say("activation", key))
            yield equations(self._slope(j))
        general = general_slopes(self._row, self._writer.style)
        if general:
            yield paragraph(self._prose.say("activation", "in_general"))
            yield equations(*(Equation(texts[0], tuple(Row("=", text) for text in texts[1:])) for texts in general))

    def _slope(self, j: int) -> Equation:
        definition, net = self._vector.output(0, self._nets), self._nets[j].name
        rows: list[Row] = []
        for stage in stages(definition, net):

            def leaf(name: str, pending: dict[str, Expr] = stage.pending) -> str:
                return self._pending(pending[name], net) if name in pending else self._name(name)

            label = ", ".join(self._prose.say("activation", f"rule_{rule}") for rule in stage.rules)
            self._add(rows, stage.form, label, leaf)
        self._add(rows, partial(definition, net), self._prose.say("activation", "tidied"), self._name)
        if self._vector.slope:
            self._add(rows, tidy(self._vector.slope(0, j, self._outs)), "", self._name)
        return Equation(symbol(f"d{self._outs[0].name}/d{net}", self._writer.style), tuple(rows))

    def _pending(self, part: Expr, net: str) -> str:
        inside = self._text(part)
        if self._writer.style == "latex":
            return rf"\frac{{\partial}}{{\partial {self._name(net)}}}\left({inside}\right)"
        d = "∂" if self._writer.style == "unicode" else "d"
        return f"[{d}/{d}{self._name(net)} ({inside})]"

    def _add(self, rows: list[Row], form: Expr, label: str, leaf: object) -> None:
        lines = write_lines(form, self._writer.style, leaf, self._width, self._writer.constant)  # type: ignore[arg-type]  # a function of a name
        bare = rows[-1].right.partition(r" \qquad \text")[0].partition("   [")[0] if rows else ""
        if lines == [bare]:
            return
        if label:
            mark = rf" \qquad \text{{{label}}}" if self._writer.style == "latex" else f"   [{label}]"
            lines[-1] += mark
        rows += [Row("=" if place == 0 else "", line) for place, line in enumerate(lines)]

    def properties(self) -> Iterator[Block]:
        """What SymPy proves of the outputs: whether they sum to 1, and what the same number added to all does."""
        outputs = [self._vector.output(i, self._nets) for i in range(len(self._outs))]
        if not self._vector.single and equal(add(*outputs), ONE):
            yield paragraph(self._prose.say("activation", "sums_to_one"))
        moved = {net.name: add(net, Name("c")) for net in self._nets}
        shifted = [replace_names(output, moved) for output in outputs]
        if all(equal(new, old) for new, old in zip(shifted, outputs, strict=True)):
            yield paragraph(self._prose.say("activation", "shift_nothing"))
        elif all(equal(new, add(old, Name("c"))) for new, old in zip(shifted, outputs, strict=True)):
            yield paragraph(self._prose.say("activation", "shift_same"))
        if self._prose.has("activation_properties", self._row.name):
            yield paragraph(self._prose.say("activation_properties", self._row.name))
