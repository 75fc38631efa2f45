"""The update of a page in matrix notation: W − η ∂E/∂W for each matrix of parameters, and the loss after it."""

from __future__ import annotations

from collections.abc import Iterator

from derive.derivation.chain_rule import derivative_name
from derive.derivation.matrices import Matrix, NetworkMatrices, by_entry
from derive.derivation.network import NetworkGraph
from derive.derivation.steps import line
from derive.formula.expression import Expr, Name, multiply, subtract
from derive.pages.blocks import Block, equations, heading, paragraph
from derive.pages.matrices import Form
from derive.pages.matrix_pen import MatrixPen, named
from derive.pages.prose import Prose
from derive.pages.summary import MOST_UPDATED, loss_change
from derive.pages.writers import Writer


class MatrixUpdate:
    """Every matrix of parameters after one update, and what that does to the loss."""

    def __init__(
        self, pen: MatrixPen, matrices: NetworkMatrices, graph: NetworkGraph, prose: Prose, writer: Writer
    ) -> None:
        self._pen, self._matrices, self._graph = pen, matrices, graph
        self._prose, self._writer = prose, writer
        self._example, self._derivation = pen.example, pen.example.derivation

    def blocks(self) -> Iterator[Block]:
        matrices, letter = self._matrices, self._pen.symbols.letter
        if self._example.problem.update is None or not self._derivation.updates_anything():
            return
        yield heading(2, self._prose.say("headings", "update"))
        first = matrices.weights(1)
        yield paragraph(self._say("update", plain=self._is_plain(first, matrices.renewed(first))))
        for number in matrices.layers:
            yield from self._updated(letter("W", number), matrices.weights(number))
            if matrices.has_bias(number):
                yield from self._updated(letter("B", number), matrices.bias_row(number))
        yield from self._others()
        if self._example.has_numbers() and matrices.network.parameter_count() <= MOST_UPDATED:
            yield heading(2, self._prose.say("headings", "result"))
            names = list(self._derivation.updated())
            yield from loss_change(self._example, self._graph, names, self._prose, self._writer)

    def _say(self, key: str, **words: object) -> str:
        return self._prose.say("matrix", key, **words)

    def _updated(self, symbol: str, parameters: Matrix) -> Iterator[Block]:
        pen, matrices = self._pen, self._matrices
        if not matrices.updates(parameters):
            yield paragraph(self._say("frozen", what=self._writer.inline(symbol)))
            return
        new = matrices.renewed(parameters)
        is_plain, has_numbers = self._is_plain(parameters, new), pen.has_numbers(new)
        forms = list(self._steps(symbol, parameters, has_numbers)) if is_plain else []
        forms.append(pen.result(new) if has_numbers else pen.form(pen.names(new)))
        mark = is_plain and has_numbers and pen.strays(new, by_entry(self._stepped, parameters, new))
        yield pen.display(pen.symbols.renewed(symbol), *forms, mark=mark)
        if not matrices.all_updated(parameters):
            yield paragraph(self._say("partly_frozen"))

    def _steps(self, symbol: str, parameters: Matrix, has_numbers: bool) -> Iterator[Form]:
        """W − η ∂E/∂W, and the same in numbers."""
        pen, update = self._pen, self._example.problem.update
        assert update is not None
        yield pen.difference(symbol, pen.times(self._writer.name("eta")), pen.symbols.slope(symbol))
        if has_numbers:
            step = self._matrices.step(parameters)
            rate = pen.times(self._writer.number(update.learning_rate.written))
            yield pen.difference(pen.numbers(parameters), rate, pen.numbers(step), pen.relation(step))

    def _is_plain(self, parameters: Matrix, new: Matrix) -> bool:
        """Whether the step is η times the gradient, and no other rule."""
        pairs = zip(self._pen.shown_entries(parameters), self._pen.shown_entries(new), strict=True)
        changed = [(named(old), named(after)) for old, after in pairs if old != after]
        return all(
            self._derivation.quantity(after).definition
            == subtract(Name(old), multiply(Name("eta"), Name(derivative_name("E", old))))
            for old, after in changed
        )

    def _stepped(self, old: Expr, new: Expr) -> Expr:
        definition = self._derivation.quantity(named(new)).definition if old != new else None
        return old if definition is None else definition

    def _others(self) -> Iterator[Block]:
        """Parameters that stand in no matrix."""
        network = self._matrices.network
        if network.parameter_count() > MOST_UPDATED:
            return
        known = {*network.weight_names(), *network.bias_names()}
        for name in self._derivation.updated():
            if name not in known:
                found = (derivative_name("E", name), f"{name}_new")
                yield equations(*(self._pen.line(line(self._derivation.quantity(one))) for one in found))
