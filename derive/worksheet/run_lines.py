"""The line of what only a whole run of a perceptron says: the weights after each epoch, then the number of epochs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from derive.derivation.perceptron_run import Run
from derive.numbers.rounding import show
from derive.pages.blocks import Equation, Row
from derive.pages.equations import RELATIONS
from derive.pages.writers import Writer
from derive.problem.perceptron import Perceptron
from derive.worksheet.values import Table


class RunWriter:
    """Writes it for every variant; `finish` turns an equation into the text of a format."""

    def __init__(self, name: str, writer: Writer, finish: Callable[[Equation], str]) -> None:
        self._name, self._writer, self._finish = name, writer, finish
        self._sign = RELATIONS["="][writer.style]

    def blank(self, blank: str) -> str:
        """A blank for its number."""
        return self._finish(Equation(self._writer.name(self._name), (Row("=", blank),)))

    def texts(self, table: Table) -> list[str]:
        """The line of each variant."""
        body = table.problem.body
        assert isinstance(body, Perceptron)
        found = []
        for picks, number in zip(table.picks.tolist(), table.texts(self._name), strict=True):
            rows = [Row(self._sign, number)]
            if self._name == "epochs":
                run = Run(table.space.problem(table.part, picks), body)
                rows += [Row("", text) for text in self._epochs(run, body, table)]
            found.append(self._finish(Equation(self._writer.name(self._name), tuple(rows))))
        return found

    def _epochs(self, run: Run, body: Perceptron, table: Table) -> Iterator[str]:
        """The weights after the last presentation of each epoch."""
        for epoch in range(1, run.epochs + 1):
            place = run.of_epoch(epoch)[-1]
            pairs = zip(body.parameters, run.weights(place), strict=True)
            yield ", ".join(
                f"{self._writer.name(f'{name}[{place}]')} {self._sign} "
                f"{self._writer.number(show(value, table.rounding))}"
                for name, value in pairs
            )
