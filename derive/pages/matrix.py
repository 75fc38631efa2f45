"""The page of a network in matrix notation: X, W, B and Y = f(X @ W + B), forward, backward, update."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from derive.derivation.matrices import Matrix, NetworkMatrices
from derive.derivation.network import NetworkGraph
from derive.derivation.steps import few, line
from derive.errors import DeriveError
from derive.formula.expression import Name
from derive.pages.blocks import Block, bullets, equations, figure, heading, paragraph, table
from derive.pages.collapsed import collapse_blocks
from derive.pages.conventions import conventions
from derive.pages.equations import Equations
from derive.pages.given import shapes_table
from derive.pages.matrices import MOST, Form
from derive.pages.matrix_backward import Backward
from derive.pages.matrix_pen import MatrixPen
from derive.pages.matrix_update import MatrixUpdate
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.worked import WorkedExample

FEW_COLUMNS = 4
"""So many neurons of a layer are shown one by one before their columns are put together."""


class MatrixPage:
    """Builds the blocks of one network in matrix notation; for the widths see `Equations`."""

    def __init__(
        self, example: WorkedExample, writer: Writer, width: int, line_width: int, language: str = "en"
    ) -> None:
        graph = example.graph
        assert isinstance(graph, NetworkGraph)
        check_products(graph)
        self._example, self._graph, self._writer = example, graph, writer
        self._network = graph.network
        self._prose = Prose(writer, language)
        scalar = Equations(example, writer, width, line_width)
        self._pen = MatrixPen(example, writer, scalar, line_width, several=len(graph.network.layers) > 1)
        self._matrices = NetworkMatrices(example.derivation, graph)
        parts = (self._pen, self._matrices, graph, self._prose, writer)
        self._gradients, self._update = Backward(*parts), MatrixUpdate(*parts)

    def blocks(self) -> list[Block]:
        """The whole page."""
        backward = self._graph.root is not None and not self._example.options.forward
        body = [*self._forward(), *(self._loss() if self._graph.root else ())]
        body += self._gradients.blocks() if backward else ()
        body += collapse_blocks(self._example, self._pen, self._prose, self._writer)
        body += self._update.blocks() if backward else ()
        problem = self._example.problem
        sizes = "-".join(str(size) for size in self._network.sizes())
        found = [heading(1, self._writer.escape(self._prose.translated(problem.title)))]
        found += [paragraph(self._writer.escape(self._prose.translated(text))) for text in problem.prose.values()]
        found.append(figure(self._prose.say("figure", "network", sizes=sizes)))
        return [*found, *self._given(backward), *self._shapes(), *self._conventions(backward), *body]

    def _heading(self, level: int, key: str, **words: object) -> Block:
        return heading(level, self._prose.say("headings", key, **words))

    def _say(self, key: str, **words: object) -> str:
        return self._prose.say("matrix", key, **words)

    def _inline(self, letter: str, layer: int = 0) -> str:
        return self._writer.inline(self._pen.symbols.letter(letter, layer))

    # --- what is given -------------------------------------------------------------------------------------------

    def _given(self, backward: bool) -> Iterator[Block]:
        pen, matrices = self._pen, self._matrices
        yield self._heading(2, "given")
        yield pen.given("X", matrices.inputs())
        if self._network.targets:
            yield pen.given("T", matrices.targets())
        for number in matrices.layers:
            yield pen.given(pen.symbols.letter("W", number), matrices.weights(number))
            if matrices.has_bias(number):
                yield pen.given(pen.symbols.letter("B", number), matrices.biases(number))
        update = self._example.problem.update
        if update and backward:
            rate = f"{self._writer.name('eta')} = {self._writer.number(update.learning_rate.written)}"
            yield table(("", ""), [(self._prose.say("given", "learning_rate"), self._writer.inline(rate))])

    def _shapes(self) -> Iterator[Block]:
        yield self._heading(2, "shapes")
        yield shapes_table(self._graph, self._writer)
        biased = next((number for number in self._matrices.layers if self._matrices.has_bias(number)), 0)
        yield paragraph(self._say("layout", w=self._inline("W", 1), b=self._inline("B", biased) if biased else ""))

    def _conventions(self, backward: bool) -> Iterator[Block]:
        known = [self._say("signs", backward=backward)]
        if any(size > MOST[0] for size in (*self._network.sizes(), self._network.samples)):
            known.append(self._say("elided"))
        known += conventions(self._example, self._prose, self._writer)
        if self._pen.marked:
            full = self._example.problem.rounding.carry == "full"
            known.append(self._prose.say("conventions", "mark") if full else self._say("mark_displayed"))
        if self._graph.root:
            known.append(self._entry_words())
        yield self._heading(2, "conventions")
        yield bullets(*known)

    def _entry_words(self) -> str:
        """How to see the scalar chain of an entry, with a weight of the first layer as the example."""
        weights = self._matrices.weights(1)
        places = ((i, j) for i in range(weights.rows, 0, -1) for j in range(1, weights.columns + 1))
        row, column = next(place for place in places if isinstance(weights.entry(*place), Name))
        name = PurePath(self._example.problem.source).name
        source = name if re.fullmatch(r"[\w.]+[\w.-]{0,40}", name) else "PROBLEM"
        command = self._writer.code(f'derive gradient {source} "dE/dW1[{row},{column}]"')
        return self._say("entry", command=command, w=self._inline("W", 1), row=row, column=column)

    # --- forward -------------------------------------------------------------------------------------------------

    def _forward(self) -> Iterator[Block]:
        yield self._heading(2, "forward")
        layers = self._matrices.layers
        apart = next((n for n in layers if 1 < len(self._matrices.layer(n).neurons) <= FEW_COLUMNS), 0)
        for number in layers:
            if len(layers) > 1:
                yield self._heading(3, "layer", layer=number, layers=len(layers), last=number == layers[-1], sample=0)
            if number == apart:
                yield from self._columns(number)
            yield from self._layer(number)

    def _columns(self, number: int) -> Iterator[Block]:
        """Each neuron of a layer as a product of its own, then their columns side by side."""
        pen, matrices, symbols = self._pen, self._matrices, self._pen.symbols
        layer, biased = matrices.layer(number), matrices.has_bias(number)
        yield paragraph(self._say("columns"))
        for place, name in enumerate(layer.neurons, 1):
            bias = symbols.neuron("B", name) if biased else None
            named = pen.affine(symbols.feeds(number), symbols.neuron("W", name), bias, layer.bias_input)
            column = pen.names(matrices.biases(number).column(place)) if biased else None
            weights = pen.names(matrices.weights(number).column(place))
            factors = pen.affine(pen.names(matrices.feeds(number)), weights, column, layer.bias_input)
            sums = pen.form(pen.names(matrices.sums(number).column(place)))
            yield pen.display(symbols.neuron("Y", name, "pre"), named, factors, sums)
        yield paragraph(self._say("together", w=self._inline("W", number), b=biased))
        for letter in ("W", "B") if biased else ("W",):
            parts = [symbols.neuron(letter, name) for name in layer.neurons]
            whole = matrices.weights(number) if letter == "W" else matrices.biases(number)
            yield pen.display(symbols.letter(letter, number), pen.row_of(parts), pen.form(pen.names(whole)))

    def _layer(self, number: int) -> Iterator[Block]:
        pen, matrices = self._pen, self._matrices
        pre, net, constant = pen.symbols.pre(number), matrices.net(number), matrices.layer(number).bias_input
        yield paragraph(self._say("forward", pre=self._writer.inline(pre), of=self._inline("Y", number)))
        biased = matrices.has_bias(number)
        parts = [matrices.feeds(number), matrices.weights(number), *([matrices.biases(number)] if biased else [])]
        bias = pen.symbols.letter("B", number) if biased else None
        forms = [pen.affine(pen.symbols.feeds(number), pen.symbols.letter("W", number), bias, constant)]
        names = [pen.names(part) for part in parts]
        forms += [pen.affine(names[0], names[1], names[2] if biased else None, constant)]
        forms += [pen.form(pen.names(matrices.sums(number)))]
        marked = False
        if pen.has_numbers(net):
            numbers = [pen.numbers(part) for part in parts]
            relation = pen.relation(*parts)
            forms += [pen.affine(numbers[0], numbers[1], numbers[2] if biased else None, constant, relation)]
            forms += [pen.result(net)]
            marked = pen.strays(net, matrices.sums(number))
        yield pen.display(pre, *forms, mark=marked)
        yield paragraph(self._say("output"))
        yield self._out(number)

    def _out(self, number: int) -> Block:
        pen, layer = self._pen, self._matrices.layer(number)
        out, pre = self._matrices.out(number), pen.symbols.pre(number)
        applied = pre if layer.activation.name == "linear" else pen.symbols.function(layer, pre)
        return self._named(pen.symbols.letter("Y", number), pen.form(applied), out)

    def _named(self, left: str, form: Form, matrix: Matrix) -> Block:
        """Left = form = the names of the entries = their numbers."""
        pen = self._pen
        forms = [form, pen.form(pen.names(matrix))]
        marked = pen.has_numbers(matrix) and pen.irreproducible(matrix)
        if pen.has_numbers(matrix):
            forms.append(pen.result(matrix))
        return pen.display(left, *forms, mark=marked)

    # --- the loss ------------------------------------------------------------------------------------------------

    def _loss(self) -> Iterator[Block]:
        """Line by line for one sample; in a batch a column with the loss of each sample first."""
        pen, derivation = self._pen, self._example.derivation
        several = len(self._network.layers[-1].neurons) > 1
        yield self._heading(2, "loss")
        yield paragraph(self._prose.say("rules", "loss", several=several))
        sample = 1 if self._network.samples > 1 else 0
        yield equations(*(pen.line(line(derivation.quantity(name))) for name in self._sample_losses(sample)))
        if not sample:
            return
        losses = self._matrices.losses()
        yield paragraph(self._say("losses"))
        forms = [pen.form(pen.names(losses))]
        if pen.has_numbers(losses):
            forms.append(pen.result(losses))
        yield pen.display(pen.symbols.losses(), *forms)
        yield equations(*(pen.line(line(derivation.quantity(name))) for name in self._totals()))

    def _sample_losses(self, sample: int) -> Sequence[str]:
        """The parts of the loss of a sample and the loss itself; of one sample the whole loss."""
        outputs = len(self._network.layers[-1].neurons)
        parts = dict.fromkeys(self._graph.part_name(position, sample) for position in range(1, outputs + 1))
        whole = [f"E[{sample}]"] if sample else self._totals()
        names = few([name for name in parts if name not in whole], self._example.options.whole)
        return [*names, *whole]

    def _totals(self) -> list[str]:
        return ["E_data", "E_l2", "E"] if self._network.penalty else ["E"]



def check_products(graph: NetworkGraph) -> None:
    """Raises DeriveError for a layer that is not f(X @ W + B) with one W."""
    for number, layer in enumerate(graph.network.layers, 1):
        if getattr(layer.activation.vector, "single", False):
            raise DeriveError(
                f'layers[{number}]: the activation "{layer.activation.name}" takes several weighted sums for each '
                'neuron and cannot be written as one matrix product; accepted: notation = "net-out" or "z-a"'
            )
