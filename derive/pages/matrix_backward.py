"""The backward pass of a page in matrix notation: one entry as a chain, then the whole matrix."""

from __future__ import annotations

from collections.abc import Iterator

from derive.derivation.chain_rule import derivative_name
from derive.derivation.matrices import Matrix, NetworkMatrices, by_entry
from derive.derivation.network import NetworkGraph
from derive.derivation.steps import Line, line
from derive.formula.expression import Expr, Name, add, multiply, subtract
from derive.pages.blocks import Block, equations, heading, paragraph
from derive.pages.lessons import slopes
from derive.pages.matrices import Form
from derive.pages.matrix_pen import MatrixPen, named
from derive.pages.prose import Prose
from derive.pages.writers import Writer


class Backward:
    """From the last layer to the first: δ, ∂E/∂W, ∂E/∂B and what goes on to the layer before."""

    def __init__(
        self, pen: MatrixPen, matrices: NetworkMatrices, graph: NetworkGraph, prose: Prose, writer: Writer
    ) -> None:
        self._pen, self._matrices, self._graph = pen, matrices, graph
        self._prose, self._writer = prose, writer
        self._example = pen.example
        self._derivation = pen.example.derivation
        self._symbols = pen.symbols
        self._last = len(graph.network.layers)
        self._samples = list(graph.samples)

    def blocks(self) -> Iterator[Block]:
        lessons = list(slopes(self._example, self._graph, self._prose, self._writer, self._pen.line_width))
        if lessons:
            yield heading(2, self._prose.say("headings", "slopes"))
            yield from lessons
        yield heading(2, self._prose.say("headings", "backward"))
        words = {"delta": self._symbols.delta(self._last), "pre": self._symbols.pre(self._last)}
        yield paragraph(self._say("chain", **{key: self._writer.inline(text) for key, text in words.items()}))
        for number in range(self._last, 0, -1):
            if self._last > 1:
                yield heading(3, self._layer_title(number))
            yield from self._delta(number)
            yield from self._weights(number)
            if self._matrices.has_bias(number):
                yield from self._biases(number)
        yield paragraph(self._say("inputs"))
        yield self._fed(1)

    def _layer_title(self, number: int) -> str:
        last = number == self._last
        return self._prose.say("headings", "layer", layer=number, layers=self._last, last=last, sample=0)

    def _say(self, key: str, **words: object) -> str:
        return self._prose.say("matrix", key, **words)

    def _inline(self, symbol: str) -> str:
        return self._writer.inline(symbol)

    def _entry_line(self, name: str) -> Block:
        return equations(self._pen.line(line(self._derivation.quantity(name))))

    # --- δ ---------------------------------------------------------------------------------------------------------

    def _delta(self, number: int) -> Iterator[Block]:
        if number == self._last and self._cancels():
            yield from self._cancelled()
            return
        yield from self._slope_of_out(number)
        layer, delta = self._matrices.layer(number), self._matrices.delta(number)
        out = self._symbols.slope(self._symbols.letter("Y", number))
        if layer.activation.vector:
            yield paragraph(self._say("delta_rows"))
            yield self._entry_line(named(delta.entry(1, 1)))
            yield from self._alike(self._symbols.delta(number), None, delta)
        elif layer.activation.name == "linear":
            yield paragraph(self._say("delta_linear", delta=self._inline(self._symbols.delta(number))))
            yield from self._alike(self._symbols.delta(number), self._pen.form(out), delta)
        else:
            yield from self._by_slopes(number, out)

    def _by_slopes(self, number: int, out: str) -> Iterator[Block]:
        """δ = ∂E/∂Y ⊙ f′(pre-activation)"""
        pen, matrices, symbols = self._pen, self._matrices, self._symbols
        factors, slope = matrices.slope(matrices.out(number)), matrices.activation_slopes(number)
        delta, layer = matrices.delta(number), matrices.layer(number)
        applied = symbols.function(layer, symbols.pre(number), prime=True)
        yield paragraph(self._say("activation_slope"))
        yield self._entry_line(named(slope.entry(1, 1)))
        if pen.has_numbers(slope):
            yield pen.display(applied, pen.result(slope), mark=pen.irreproducible(slope))
        yield paragraph(self._say("delta_entry", delta=self._inline(symbols.delta(number))))
        yield self._entry_line(named(delta.entry(1, 1)))
        forms = [pen.form(out, "⊙", applied)]
        products = by_entry(multiply, factors, slope)
        if pen.has_numbers(delta):
            numbers = (pen.numbers(factors), "⊙", pen.numbers(slope))
            forms += [pen.form(*numbers, relation=pen.relation(factors, slope)), pen.result(delta)]
        else:
            forms += [pen.form(pen.names(matrices.named_delta(number)))]
        mark = pen.has_numbers(delta) and pen.strays(delta, products)
        yield pen.display(symbols.delta(number), *forms, mark=mark)

    def _cancels(self) -> bool:
        """Whether output activation and loss cancel in every sample."""
        net = f"net_{self._matrices.layer(self._last).neurons[0]}"
        names = [net + (f"[{sample}]" if sample else "") for sample in self._samples]
        return all(self._derivation.quantity(derivative_name("E", name)).rule == "cancellation" for name in names)

    def _cancelled(self) -> Iterator[Block]:
        """δ = (Y − T)/n"""
        pen, matrices, symbols, network = self._pen, self._matrices, self._symbols, self._matrices.network
        delta, out, targets = matrices.delta(self._last), matrices.out(self._last), matrices.targets()
        yield paragraph(self._say("cancelled", n=network.samples, mean=network.reduction == "mean"))
        yield self._entry_line(named(delta.entry(1, 1)))
        whole = by_entry(self._definition, delta)
        difference = by_entry(subtract, out, targets)
        plain = network.loss.cancelled == "o - t" if hasattr(network.loss, "cancelled") else True
        forms: list[Form] = []
        if plain:
            y = symbols.letter("Y", self._last)
            n = network.samples if network.reduction == "mean" else 1
            share = {"latex": rf"\frac{{1}}{{{n}}}"}.get(self._writer.style, f"1/{n}")
            forms.append(pen.form(y, "-", "T") if n == 1 else pen.form(pen.bracketed(share, y, "-", "T")))
            factor = "" if n == 1 else pen.times(share)
            if pen.has_numbers(delta):
                parts = (pen.numbers(out), "-", pen.numbers(targets)) if n == 1 else (pen.substituted(difference),)
                forms.append(pen.form(*parts, relation=pen.relation(out), factor=factor))
        else:
            forms.append(pen.form(pen.names(whole)))
        mark = False
        if pen.has_numbers(delta):
            forms.append(pen.result(delta))
            mark = pen.strays(delta, whole)
        else:
            forms.append(pen.form(pen.names(whole)))
        yield paragraph(self._say("entries_alike"))
        yield pen.display(symbols.delta(self._last), *forms, mark=mark)

    def _definition(self, entry: Expr) -> Expr:
        definition = self._derivation.quantity(named(entry)).definition
        assert definition is not None
        return definition

    def _alike(self, left: str, form: Form | None, matrix: Matrix) -> Iterator[Block]:
        """The whole matrix after one of its entries."""
        forms = [form] if form else []
        numbers = self._pen.has_numbers(matrix)
        forms.append(self._pen.result(matrix) if numbers else self._pen.form(self._pen.names(matrix)))
        yield self._pen.display(left, *forms)

    # --- ∂E/∂Y -----------------------------------------------------------------------------------------------------

    def _slope_of_out(self, number: int) -> Iterator[Block]:
        out = self._matrices.out(number)
        slope = self._matrices.slope(out)
        y = self._symbols.letter("Y", number)
        if number == self._last:
            yield paragraph(self._say("loss_slope", out=self._inline(y)))
            yield self._entry_line(named(slope.entry(1, 1)))
            yield paragraph(self._say("entries_alike"))
            yield from self._alike(self._symbols.slope(y), None, slope)
            return
        following = number + 1
        yield paragraph(self._say("fed", out=self._inline(y)))
        yield self._entry_line(named(slope.entry(1, 1)))
        words = {
            "delta": self._inline(self._symbols.delta(following)),
            "wt": self._inline(self._symbols.transposed(self._symbols.letter("W", following))),
        }
        yield paragraph(self._say("fed_product", **words))
        yield self._fed(following)

    def _fed(self, number: int) -> Block:
        """∂E/∂(what feeds the layer) = δ @ Wᵀ"""
        pen, matrices, symbols = self._pen, self._matrices, self._symbols
        delta, weights = matrices.delta(number), matrices.weights(number).transposed
        feeds, sums = matrices.slope(matrices.feeds(number)), matrices.feed_sums(number)
        named = pen.form(symbols.delta(number), "@", symbols.transposed(symbols.letter("W", number)))
        forms = [named, pen.form(pen.names(matrices.named_delta(number)), "@", pen.names(weights))]
        forms.append(pen.form(pen.names(sums)))
        mark = False
        if pen.has_numbers(feeds):
            numbers = (pen.numbers(delta), "@", pen.numbers(weights))
            forms += [pen.form(*numbers, relation=pen.relation(delta, weights)), pen.result(feeds)]
            mark = pen.strays(feeds, sums)
        return pen.display(symbols.slope(symbols.feeds(number)), *forms, mark=mark)

    # --- gradients -------------------------------------------------------------------------------------------------

    def _weights(self, number: int) -> Iterator[Block]:
        pen, matrices, symbols = self._pen, self._matrices, self._symbols
        w, delta = symbols.letter("W", number), symbols.delta(number)
        turned = symbols.transposed(symbols.feeds(number))
        yield from self._weight_entry(number, w, turned, delta)
        feeds, products = matrices.feeds(number).transposed, matrices.weight_products(number)
        places, deltas = matrices.weight_places(number), matrices.delta(number)
        forms = [pen.form(turned, "@", delta)]
        forms.append(pen.form(pen.names(feeds), "@", pen.names(matrices.named_delta(number))))
        forms.append(pen.form(pen.names(products)))
        mark = False
        if pen.has_numbers(places):
            numbers = (pen.numbers(feeds), "@", pen.numbers(deltas))
            forms += [pen.form(*numbers, relation=pen.relation(feeds, deltas)), pen.result(places)]
            mark = pen.strays(places, products)
        above = self._writer.name(matrices.data_loss)
        yield pen.display(symbols.slope(w, above), *forms, mark=mark)
        if matrices.has_gap(number):
            yield paragraph(self._say("gap", w=self._inline(w)))
        yield from self._shared(number, weights=True)
        if matrices.network.penalty:
            yield from self._penalised(number)

    def _weight_entry(self, number: int, w: str, turned: str, delta: str) -> Iterator[Block]:
        """One weight: its chain, which is a row times a column."""
        matrices = self._matrices
        found = self._single_weight(number)
        shape = self._shape(matrices.weights(number))
        words = {
            "w": self._inline(w), "ft": self._inline(turned), "delta": self._inline(delta), "shape": shape,
            "left": self._shape(matrices.feeds(number).transposed), "right": self._shape(matrices.delta(number)),
        }  # fmt: skip
        if found is None:
            yield paragraph(self._say("weight_general", **words))
            return
        row, column = found
        name = named(matrices.weights(number).entry(row, column))
        yield paragraph(self._say("weight", row=row, column=column, samples=len(self._samples), **words))
        long: list[Expr] = []
        short: list[Expr] = []
        for sample in range(1, len(self._samples) + 1):
            net = named(matrices.net(number).entry(sample, column))
            slope = derivative_name("E", net)
            long.append(multiply(Name(slope), Name(derivative_name(net, name))))
            fed = matrices.feeds(number).entry(sample, row)
            short.append(multiply(matrices.named_delta(number).entry(sample, column), fed))
        above = matrices.data_loss
        forms = tuple(dict.fromkeys((add(*long), add(*short))))
        yield equations(self._pen.line(Line(derivative_name(above, name), forms)))
        yield paragraph(self._say("weight_product", row=row, column=column, **words))

    def _single_weight(self, number: int) -> tuple[int, int] | None:
        """The place of the first weight that stands in one place only."""
        matrix = self._matrices.weights(number)
        shared = set(self._matrices.shared(number))
        places = ((i, j) for i in range(1, matrix.rows + 1) for j in range(1, matrix.columns + 1))
        named = ((place, matrix.entry(*place)) for place in places)
        return next((place for place, entry in named if isinstance(entry, Name) and entry.name not in shared), None)

    def _shape(self, matrix: Matrix) -> str:
        return self._inline(self._pen.shape(matrix))

    def _biases(self, number: int) -> Iterator[Block]:
        pen, matrices, symbols = self._pen, self._matrices, self._symbols
        constant = matrices.layer(number).bias_input
        shown = self._inline(self._writer.constant(constant)) if constant.value != 1 else ""
        yield paragraph(self._say("bias", delta=self._inline(symbols.delta(number)), constant=shown))
        sums, places = matrices.bias_sums(number), matrices.bias_places(number)
        forms = [pen.form(pen.names(sums))]
        mark = False
        if pen.has_numbers(places):
            forms.append(pen.result(places))
            mark = pen.strays(places, sums)
        yield pen.display(symbols.slope(symbols.letter("B", number)), *forms, mark=mark)
        yield from self._shared(number, weights=False)

    def _shared(self, number: int, weights: bool) -> Iterator[Block]:
        """The gradients of parameters that stand in several places, each once, in the layer where they stand first."""
        kind = set(self._matrices.network.weight_names() if weights else self._matrices.network.bias_names())
        for name in self._matrices.shared(number):
            uses = self._graph.uses(name)
            if name in kind and min(layer for layer, _, _ in uses) == number:
                yield paragraph(self._say("shared", name=self._writer.quantity(name), n=len(uses)))
                yield self._entry_line(derivative_name("E", name))

    def _penalised(self, number: int) -> Iterator[Block]:
        pen, matrices, symbols = self._pen, self._matrices, self._symbols
        weights, penalty = matrices.weights(number), matrices.network.penalty
        assert penalty is not None
        yield paragraph(self._say("penalty"))
        w = symbols.letter("W", number)
        factor = pen.times(self._writer.constant(matrices.penalty_factor()))
        named = pen.form(symbols.slope(w, self._writer.name(matrices.data_loss)))
        named = Form(named.relation, (*named.terms, pen.term("+", w, factor)))
        slope = matrices.slope(weights)
        forms = [named]
        if pen.has_numbers(slope):
            forms.append(pen.result(slope))
        yield pen.display(symbols.slope(w), *forms)
