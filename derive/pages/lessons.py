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
from derive.pages.blocks import Block, Equation, Row, equations
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.worked import WorkedExample


def slopes(example: WorkedExample, graph: NetworkGraph, prose: Prose, writer: Writer, width: int) -> Iterator[Block]:
    """The derivative of each activation in use, derived from its formula."""
    rows = dict.fromkeys(layer.activation for layer in graph.network.layers)
    lessons = [_slope(row, writer, width) for row in rows if row.name != "linear" and not row.vector]
    if lessons:
        yield equations(*lessons)
    for row in rows:
        if row.vector and (general := _general_slopes(row, writer.style)):
            yield equations(*(_chain(texts) for texts in general))
    yield from _cancellation(example, graph, prose, writer, width)


def _general_slopes(row: Activation, style: Style) -> tuple[tuple[str, ...], ...]:
    from derive.pages.activation_vector import general_slopes

    return general_slopes(row, style)


def _slope(row: Activation, writer: Writer, width: int) -> Equation:
    """f'(z) = d/dz formula = by the rules = simplified = in terms of a."""
    bound: dict[str, Expr] = {key: value for key, value in row.parameters if key not in row.trained}
    names = {"z", "a", *dict(row.parameters)}
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
        lines = write_lines(form, writer.style, writer.name, width, writer.constant)
        if lines[0] not in texts:
            texts.append(lines[0])
            out += [Row("=" if place == 0 else "", line) for place, line in enumerate(lines)]
    if row.derivative and "a" in set(names_in(textbook(row))):
        out[-1] = Row(out[-1].relation, out[-1].right + _where(symbol, writer))
    return Equation(left, tuple(out))


def _where(symbol: str, writer: Writer) -> str:
    return rf" \quad \text{{with }} a = {symbol}" if writer.style == "latex" else f"   with a = {symbol}"


def _operator(formula: Expr, writer: Writer) -> str:
    inside = write(formula, writer.style, writer.name, writer.constant)
    return rf"\frac{{d}}{{dz}} \left({inside}\right)" if writer.style == "latex" else f"d/dz ({inside})"


def _chain(texts: tuple[str, ...]) -> Equation:
    return Equation(texts[0], tuple(Row("=", text) for text in texts[1:]))


def _cancellation(
    example: WorkedExample, graph: NetworkGraph, prose: Prose, writer: Writer, width: int
) -> Iterator[Block]:
    last = graph.network.layers[-1]
    neuron = last.neurons[0] + ("[1]" if graph.network.samples > 1 else "")
    if graph.root is None or not example.options.cancel or graph.cancellation(f"net_{neuron}") is None:
        return
    from derive.pages.loss_lessons import cancellation

    yield from cancellation(graph.network.loss, len(last.neurons), prose, writer, width, {"o": "a"})
