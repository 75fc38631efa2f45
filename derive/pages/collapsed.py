"""A stack of linear layers shown as one: the product of its matrices, entry by entry and in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from derive.derivation.collapse import MOST_PARAMETERS, MOST_TERMS, collapse, misfit
from derive.derivation.matrices import Matrix, NetworkMatrices, grid
from derive.derivation.network import NetworkGraph
from derive.derivation.stacks import Stack, need_stacks, stacks
from derive.formula.expression import Expr, Name, Negative, Number, add, multiply
from derive.formula.printing import write_lines
from derive.numbers.rounding import round_exact, show
from derive.pages.blocks import Block, Equation, Row, equations, figure, heading, paragraph
from derive.pages.equations import Equations
from derive.pages.matrices import Form
from derive.pages.matrix_pen import MatrixPen
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.worked import WorkedExample


def collapse_page(example: WorkedExample, writer: Writer, width: int, line_width: int, language: str) -> list[Block]:
    """The collapse alone, as a page; raises DeriveError where no layers collapse."""
    graph = example.graph
    prose = Prose(writer, language)
    assert isinstance(graph, NetworkGraph)
    need_stacks(NetworkMatrices(example.derivation, graph))
    pen = MatrixPen(example, writer, Equations(example, writer, width, line_width), line_width, several=True)
    sizes = "-".join(str(size) for size in graph.network.sizes())
    found = [heading(1, writer.escape(prose.translated(example.problem.title)))]
    found += [paragraph(writer.escape(prose.translated(text))) for text in example.problem.prose.values()]
    found.append(figure(prose.say("figure", "network", sizes=sizes)))
    shown = example.problem.notation != "matrix"
    outputs = list(scalar_forms(graph, writer, width)) if shown else []
    return [*found, *collapse_blocks(example, pen, prose, writer, outputs)]


def collapse_blocks(
    example: WorkedExample, pen: MatrixPen, prose: Prose, writer: Writer, outputs: Sequence[Block] = ()
) -> Iterator[Block]:
    """Each stack of linear layers as one layer, after the `outputs` written out; nothing where there is none."""
    graph = example.graph
    assert isinstance(graph, NetworkGraph)
    matrices = NetworkMatrices(example.derivation, graph)
    found = stacks(matrices)
    if found:
        yield heading(2, prose.say("headings", "collapse"))
    if outputs:
        yield paragraph(prose.say("rules", "collapse"))
        yield from outputs
    for stack in found:
        yield from _Collapse(example, pen, prose, writer, matrices, stack).blocks(bool(outputs))
    if any(stack.layers == matrices.layers for stack in found) and graph.is_linear:
        yield from misfit_blocks(graph, pen.equations, prose, writer)


def scalar_collapse(
    network: NetworkGraph, equations_: Equations, prose: Prose, writer: Writer, width: int
) -> Iterator[Block]:
    """The linear function of each output, and the proof that it misses the samples, under a heading of their own."""
    if not collapse(network):
        return
    yield heading(2, prose.say("headings", "collapse"))
    yield paragraph(prose.say("rules", "collapse"))
    yield from scalar_forms(network, writer, width)
    yield from misfit_blocks(network, equations_, prose, writer)


def scalar_forms(network: NetworkGraph, writer: Writer, width: int) -> Iterator[Block]:
    """Each output layer by layer, and multiplied out."""
    for one in collapse(network):
        rows = [
            Row("=" if place == 0 else "", text)
            for form in (one.composed, one.collapsed)
            for place, text in enumerate(write_lines(form, writer.style, writer.name, width))
        ]
        yield equations(Equation(writer.name(one.output), tuple(rows)))


def misfit_blocks(network: NetworkGraph, equations_: Equations, prose: Prose, writer: Writer) -> Iterator[Block]:
    """Why no linear function passes through all samples; nothing where one does."""
    wrong = misfit(network)
    if wrong is None:
        return
    constants = [Number(value) for value in wrong.multipliers]
    neuron = network.network.layers[-1].neurons[network.network.targets.index(wrong.target)]
    left = equations_.plain(_combination(wrong.multipliers, [Name(f"out_{neuron}[{k}]") for k in network.samples]))
    right = equations_.plain(_combination(wrong.multipliers, [Number(value) for value in wrong.targets]))
    rest = writer.constant(Number(wrong.rest))
    unequal = {"latex": r"\ne 0", "unicode": "≠ 0", "ascii": "!= 0"}[writer.style]
    yield paragraph(
        prose.say(
            "rules",
            "no_fit",
            n=len(constants),
            multipliers=writer.listed(writer.inline(writer.constant(number)) for number in constants),
            left=writer.inline(f"{left} = 0"),
            right=writer.inline(f"{right} = {rest} {unequal}"),
        )
    )


def _combination(multipliers: Sequence[Fraction], terms: Sequence[Expr]) -> Expr:
    """Σ multiplier · term, with minus signs for negative multipliers."""
    signed = []
    for multiplier, term in zip(multipliers, terms, strict=True):
        size = abs(multiplier)
        product = term if size == 1 else multiply(Number(size), term)
        if multiplier:
            signed.append(Negative(product) if multiplier < 0 else product)
    return add(*signed)


class _Collapse:
    def __init__(
        self, example: WorkedExample, pen: MatrixPen, prose: Prose, writer: Writer, matrices: NetworkMatrices,
        stack: Stack,
    ) -> None:  # fmt: skip
        self._example, self._pen, self._prose, self._writer = example, pen, prose, writer
        self._matrices, self._stack = matrices, stack

    def blocks(self, outputs: bool) -> Iterator[Block]:
        stack, pen, symbols = self._stack, self._pen, self._pen.symbols
        whole = (stack.first, stack.last) == (1, len(self._matrices.layers))
        words = {"first": stack.first, "last": stack.last, "n": len(stack.layers), "whole": whole, "outputs": outputs}
        yield paragraph(self._prose.say("matrix", "collapse", **words))
        forms = [self._nested()]
        multiplied = self._multiplied()
        if multiplied != forms[0]:
            forms.append(multiplied)
        linear = self._matrices.layer(stack.last).activation.name == "linear"
        left = symbols.letter("Y", stack.last) if linear else symbols.pre(stack.last)
        biased = any(self._matrices.has_bias(number) for number in stack.layers)
        forms.append(pen.affine(symbols.feeds(stack.first), "W", "B" if biased else None, Number(Fraction(1), "1")))
        yield pen.display(left, *forms)
        yield from self._entries("W", self._weights_product(stack.first), stack.weights, self._numbers())
        if biased:
            yield from self._entries("B", self._bias_form(), stack.biases, self._bias_numbers())

    # --- the formula -----------------------------------------------------------------------------------------------

    def _nested(self) -> Form:
        """(X W1 + B1) W2 + B2"""
        pen, symbols, stack = self._pen, self._pen.symbols, self._stack
        text = symbols.feeds(stack.first)
        for number in stack.layers:
            text = f"{text} {pen.sign('@')} {symbols.letter('W', number)}" + self._plus_bias(number)
            if number != stack.last and self._matrices.has_bias(number):
                text = pen.in_brackets(text)
        return pen.form(text)

    def _multiplied(self) -> Form:
        """X (W1 W2) + (B1 W2 + B2)"""
        pen, symbols, stack = self._pen, self._pen.symbols, self._stack
        text = f"{symbols.feeds(stack.first)} {pen.sign('@')} {pen.in_brackets(self._weights_text(stack.first))}"
        bias = self._bias_text()
        if bias:
            text += f" + {pen.in_brackets(bias) if ' ' in bias else bias}"
        return pen.form(text)

    def _plus_bias(self, number: int) -> str:
        if not self._matrices.has_bias(number):
            return ""
        return f" + {self._bias_of(number)}"

    def _bias_of(self, number: int) -> str:
        constant = self._matrices.layer(number).bias_input
        bias = self._pen.symbols.letter("B", number)
        if constant.value == 1:
            return bias
        text = self._writer.constant(constant)
        return f"{self._pen.times(self._pen.in_brackets(text) if constant.value < 0 else text)} {bias}"

    def _weights_text(self, first: int) -> str:
        letters = (self._pen.symbols.letter("W", number) for number in range(first, self._stack.last + 1))
        return f" {self._pen.sign('@')} ".join(letters)

    def _weights_product(self, first: int) -> Form:
        return self._pen.form(self._weights_text(first))

    def _bias_text(self) -> str:
        """B1 W2 W3 + B2 W3 + B3"""
        at = self._pen.sign("@")
        parts = []
        for number in self._stack.layers:
            if self._matrices.has_bias(number):
                following = self._weights_text(number + 1)
                parts.append(f"{self._bias_of(number)} {at} {following}" if following else self._bias_of(number))
        return " + ".join(parts)

    def _bias_form(self) -> Form:
        return self._pen.form(self._bias_text())

    # --- the entries -----------------------------------------------------------------------------------------------

    def _entries(self, symbol: str, named: Form, entries: Matrix | None, numbers: Matrix | None) -> Iterator[Block]:
        pen, samples = self._pen, self._matrices.network.samples
        key = "collapse_weights" if symbol == "W" else "collapse_bias"
        yield paragraph(self._prose.say("matrix", key, samples=samples))
        forms = [named]
        if symbol == "W":
            factors = [self._matrices.weights(number) for number in self._stack.layers]
            forms.append(pen.product(*(pen.names(factor) for factor in factors)))
        if entries is not None:
            forms.append(pen.form(pen.names(entries)))
        if numbers is not None:
            if symbol == "W":
                forms.append(pen.product(*(pen.numbers(factor) for factor in factors)))
            forms.append(pen.form(pen.numbers(numbers), relation="≈" if self._is_rounded(numbers) else "="))
        yield pen.display(symbol, *forms)
        if entries is None:
            yield paragraph(self._prose.say("matrix", "collapse_large", weights=MOST_PARAMETERS, terms=MOST_TERMS))

    def _numbers(self) -> Matrix | None:
        rows = self._stack.weight_numbers
        return None if rows is None else self._shown(rows)

    def _bias_numbers(self) -> Matrix | None:
        row = self._stack.bias_numbers
        return None if row is None else self._shown((row,))

    def _shown(self, rows: Sequence[Sequence[Fraction]]) -> Matrix:
        rounding = self._example.problem.rounding
        return grid([[Number(value, show(value, rounding)) for value in row] for row in rows])

    def _is_rounded(self, matrix: Matrix) -> bool:
        rounding = self._example.problem.rounding
        values = [entry.value for row in matrix.entries() for entry in row if isinstance(entry, Number)]
        return any(round_exact(value, rounding) != value for value in values)
