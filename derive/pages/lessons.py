"""Why the slopes of a page are what they are: each activation's derivative, and what cancels against the loss."""

from __future__ import annotations

from collections.abc import Iterator

from derive.calculus.rules import by_rules
from derive.calculus.symbolic import activation_derivative, textbook
from derive.catalogue.activations import Activation
from derive.derivation.network import NetworkGraph
from derive.formula.expression import Call, Expr, Name, names_in, replace_names
from derive.formula.grammar import read
from derive.formula.printing import write, write_lines
from derive.formula.symbols import Style
from derive.pages.blocks import Block, Equation, Row, equations, paragraph
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.worked import WorkedExample


def slopes(example: WorkedExample, graph: NetworkGraph, prose: Prose, writer: Writer, width: int) -> Iterator[Block]:
    """The derivative of each activation in use, derived from its formula."""
    rows = dict.fromkeys(layer.activation for layer in graph.network.layers)
    lessons = [_slope(row, writer, width) for row in rows if row.name != "linear" and not row.vector]
    if lessons:
        yield equations(*lessons)
    if any(row.vector for row in rows):
        yield from _softmax(writer)
    yield from _cancellation(example, graph, prose, writer)


def _slope(row: Activation, writer: Writer, width: int) -> Equation:
    """f'(z) = d/dz formula = by the rules = simplified = in terms of a."""
    bound: dict[str, Expr] = dict(row.parameters)
    names = {"z", "a", *bound}
    formula = replace_names(read(row.formula, names=names), bound)
    derived = replace_names(activation_derivative(row), bound)
    forms = [by_rules(formula, "z"), derived, replace_names(textbook(row), bound)]
    symbol = write(Call(row.function, (Name("z"),)), writer.style, str) if row.name != "custom" else "f(z)"
    short = {"latex": row.latex, "unicode": row.text}.get(writer.style, row.function)
    left = f"{short}'(z)"
    first = _operator(formula, writer)
    texts = [first]
    out: list[Row] = [Row("=", first)]
    for form in forms:
        lines = write_lines(form, writer.style, lambda name: name, width, writer.constant)
        if lines[0] not in texts:
            texts.append(lines[0])
            out += [Row("=" if place == 0 else "", line) for place, line in enumerate(lines)]
    if row.derivative and "a" in set(names_in(textbook(row))):
        out[-1] = Row(out[-1].relation, out[-1].right + _where(symbol, writer))
    return Equation(left, tuple(out))


def _where(symbol: str, writer: Writer) -> str:
    return rf" \quad \text{{with }} a = {symbol}" if writer.style == "latex" else f"   with a = {symbol}"


def _operator(formula: Expr, writer: Writer) -> str:
    inside = write(formula, writer.style, str, writer.constant)
    return rf"\frac{{d}}{{dz}} \left({inside}\right)" if writer.style == "latex" else f"d/dz ({inside})"


SOFTMAX: dict[Style, tuple[tuple[str, ...], ...]] = {
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
}  # fmt: skip
CANCEL: dict[str, dict[Style, tuple[str, ...]]] = {
    "binary-cross-entropy": {
        "latex": (
            r"\frac{\partial E}{\partial z}", r"\frac{a - t}{a \cdot (1 - a)} \cdot a \cdot (1 - a)", "a - t",
        ),
        "unicode": ("∂E/∂z", "(a − t)/(a·(1 − a)) · a·(1 − a)", "a − t"),
        "ascii": ("dE/dz", "(a - t)/(a*(1 - a)) * a*(1 - a)", "a - t"),
    },
    "cross-entropy": {
        "latex": (
            r"\frac{\partial E}{\partial z_k}",
            r"\sum_i \left(-\frac{t_i}{a_i}\right) \frac{\partial a_i}{\partial z_k}",
            r"-t_k \cdot (1 - a_k) + \sum_{i \ne k} t_i \cdot a_k", r"a_k \sum_i t_i - t_k", "a_k - t_k",
        ),
        "unicode": (
            "∂E/∂z_k", "Σ_i (−t_i/a_i)·∂a_i/∂z_k", "−t_k·(1 − a_k) + Σ_{i≠k} t_i·a_k", "a_k·Σ_i t_i − t_k", "a_k − t_k",
        ),
        "ascii": (
            "dE/dz_k", "sum_i (-t_i/a_i)*da_i/dz_k", "-t_k*(1 - a_k) + sum_{i!=k} t_i*a_k",
            "a_k*sum_i t_i - t_k", "a_k - t_k",
        ),
    },
}  # fmt: skip


def _softmax(writer: Writer) -> Iterator[Block]:
    yield equations(*(_chain(texts) for texts in SOFTMAX[writer.style]))


def _chain(texts: tuple[str, ...]) -> Equation:
    return Equation(texts[0], tuple(Row("=", text) for text in texts[1:]))


def _cancellation(example: WorkedExample, graph: NetworkGraph, prose: Prose, writer: Writer) -> Iterator[Block]:
    last = graph.network.layers[-1]
    neuron = last.neurons[0] + ("[1]" if graph.network.samples > 1 else "")
    if graph.root is None or not example.options.cancel or graph.cancellation(f"net_{neuron}") is None:
        return
    key = "cancel_ce" if last.activation.vector else "cancel_bce"
    yield paragraph(prose.say("rules", key))
    yield equations(_chain(CANCEL[graph.network.loss.name][writer.style]))
