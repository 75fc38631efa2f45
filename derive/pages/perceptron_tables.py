"""The tables of a perceptron: its points, and a row for every presentation, an epoch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from derive.derivation.perceptron import PerceptronGraph
from derive.derivation.steps import few
from derive.formula.printing import seen_width
from derive.numbers.rounding import round_exact, show
from derive.pages.blocks import Block, heading, paragraph, table
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.worked import WorkedExample

WIDEST = 76
"""About how many characters a row of a table has room for."""

ALL_EPOCHS, ALL_ROWS = 12, 120
FIRST_EPOCHS = 3
EPOCH_ROWS, FIRST_ROWS, LAST_ROWS = 24, 10, 2
OVERVIEW_ROWS = 14


def cell(value: object, writer: Writer) -> str:
    """A whole number, or a number as text, as a cell of a table."""
    return writer.inline(writer.number(str(value)))


@dataclass(frozen=True, slots=True)
class _Column:
    """`width` is about how many characters its widest cell has."""

    head: str
    width: int
    cell: Callable[[int], str]


class Tables:
    """Builds the tables of one perceptron in one way of writing."""

    def __init__(self, example: WorkedExample, graph: PerceptronGraph, prose: Prose, writer: Writer) -> None:
        self._example = example
        self._run = graph.run
        self._graph = graph
        self._shape = graph.perceptron
        self._prose = prose
        self._writer = writer

    def _say(self, key: str, /, **words: object) -> str:
        return self._prose.say("perceptron", key, **words)

    def number(self, value: Fraction) -> str:
        """A number of the run, rounded as the page says."""
        return cell(show(value, self._example.problem.rounding), self._writer)

    def exact(self) -> bool:
        """Whether the first rows are shown without a rounding, and so are all others of a run on decimals."""
        rounding = self._example.problem.rounding
        shown = range(1, min(self._run.presentations, ALL_ROWS) + 1)
        values = (value for i in shown for value in (self._run.presentation(i).net, *self._run.weights(i)))
        return all(round_exact(value, rounding) == value for value in values)

    def change(self, name: str) -> str:
        """Δw of a weight."""
        mark = {"latex": r"\Delta ", "unicode": "Δ"}.get(self._writer.style, "Delta ")
        return mark + self._writer.name(name)

    # --- points --------------------------------------------------------------------------------------------------

    def points(self, most: int) -> Block:
        """A row for each point; of many the first ones and the last."""
        shape, given = self._shape, self._example.problem.given
        columns = few((*shape.inputs, *((shape.target,) if shape.target else ())), False)
        header = (self._say("point"), *(self._writer.quantity(name) for name in columns))
        rows = [
            (str(point), *(cell(given[shape.of_point(name, point)].written, self._writer) for name in columns))
            for point in _first(range(1, shape.samples + 1), most)
        ]
        if shape.samples > most:
            rows.insert(len(rows) - 1, ("…",) * len(header))
        return table(header, rows)

    def decisions(self) -> Block:
        """Sum and output of every point."""
        names = ("net", "out")
        header = (self._say("point"), *(self._writer.quantity(name) for name in names))
        shown = _first(range(1, self._shape.samples + 1), ALL_ROWS)
        found = [self._run.presentation(place) for place in shown]
        rows: list[tuple[str, ...]] = [
            (str(one.point), self.number(one.net), cell(one.out, self._writer)) for one in found
        ]
        return table(header, rows)

    # --- presentations -------------------------------------------------------------------------------------------

    def epochs(self) -> Iterator[Block]:
        """The tables of the epochs, and an overview of all of them where there are several."""
        last = self._last_needed()
        shown = self._shown(last)
        if self._shape.order == "restart":
            yield self._table([i for epoch in shown for i in self._run.of_epoch(epoch)], scans=True)
        else:
            for epoch in shown:
                yield heading(3, self._say("epoch", n=epoch))
                yield from self._epoch(epoch)
        yield from self._left_out(shown, last)
        if self._run.epochs > 1 and self._shape.order == "cycle":
            yield heading(3, self._say("overview"))
            yield self._overview(last)

    def _last_needed(self) -> int:
        """The last epoch that is not a repetition of an earlier one."""
        cycle = self._run.cycle
        return min(self._run.epochs, cycle.first + cycle.period - 1) if cycle else self._run.epochs

    def _shown(self, last: int) -> list[int]:
        rows = self._run.of_epoch(last).stop - 1
        many = last > (2 * ALL_EPOCHS if self._shape.order == "restart" else ALL_EPOCHS) or rows > ALL_ROWS
        if not many or self._example.options.whole:
            return list(range(1, last + 1))
        return [*range(1, min(FIRST_EPOCHS, last - 1) + 1), last]

    def _left_out(self, shown: Sequence[int], last: int) -> Iterator[Block]:
        gaps = [(before + 1, after - 1) for before, after in pairwise(shown) if after > before + 1]
        for first, end in gaps:
            yield paragraph(self._say("left_out_epochs" if end > first else "left_out_epoch", first=first, last=end))
        if last < self._run.epochs:
            yield paragraph(self._say("repeats", n=last + 1))

    def _epoch(self, epoch: int) -> Iterator[Block]:
        places = list(self._run.of_epoch(epoch))
        if len(places) <= EPOCH_ROWS or self._example.options.whole:
            yield self._table(places)
            return
        yield self._table([*places[:FIRST_ROWS], 0, *places[-LAST_ROWS:]])
        yield paragraph(self._say("left_out_rows", n=len(places) - FIRST_ROWS - LAST_ROWS))

    def _table(self, places: Sequence[int], *, scans: bool = False) -> Block:
        """A row for each presentation, 0 standing for a gap; the columns that there is room for."""
        real = [place for place in places if place]
        columns = self._fitting(real, scans)
        header = tuple(column.head for column in columns)
        rows = [tuple(column.cell(place) for column in columns) if place else ("…",) * len(columns) for place in places]
        return table(header, rows)

    def _fitting(self, places: Sequence[int], scans: bool) -> list[_Column]:
        shape = self._shape
        count = range(len(shape.parameters))
        few_count = few(count, False)
        choices = ((shape.inputs, count, count), (shape.inputs, (), count), ((), (), count), ((), (), few_count))
        found: list[_Column] = []
        for inputs, changes, weights in choices:
            found = [*self._fixed(places, scans, inputs), *self._moving(places, changes, weights)]
            if sum(column.width + 2 for column in found) <= WIDEST:
                break
        return found

    def _fixed(self, places: Sequence[int], scans: bool, inputs: Sequence[str]) -> Iterator[_Column]:
        run, shape, given = self._run, self._shape, self._example.problem.given
        assert shape.target is not None
        if scans:
            epochs = {place: epoch for epoch in range(1, run.epochs + 1) for place in run.of_epoch(epoch)}
            yield _Column(self._say("scan"), 4, lambda place: str(epochs[place]))
        yield _Column(self._say("presentation"), 3, str)
        yield _Column(self._say("point"), 5, lambda place: str(run.point(place)))
        for name in (*inputs, shape.target):
            texts = {place: given[self._graph.input(name, place).name].written for place in places}
            yield self._column(self._writer.name(name), texts)
        nets = {place: show(run.presentation(place).net, self._example.problem.rounding) for place in places}
        yield self._column(self._writer.name("net"), nets)
        yield self._column(self._writer.name("out"), {place: str(run.presentation(place).out) for place in places})
        if shape.update == "label":
            yes = self._say("yes")
            marks = {place: yes if run.presentation(place).mistake else "" for place in places}
            yield _Column(self._say("mistake"), 7, lambda place: marks[place])
            return
        errors = {place: str(self._target(place) - run.presentation(place).out) for place in places}
        yield _Column(self._say("error"), 5, lambda place: cell(errors[place], self._writer))

    def _moving(self, places: Sequence[int], changes: Sequence[int], weights: Sequence[int]) -> Iterator[_Column]:
        run, rounding, names = self._run, self._example.problem.rounding, self._shape.parameters
        for index in changes:
            moved = {place: run.weights(place)[index] - run.weights(place - 1)[index] for place in places}
            yield self._column(
                self.change(names[index]), {place: show(step, rounding) for place, step in moved.items()}
            )
        for index in weights:
            after = {place: show(run.weights(place)[index], rounding) for place in places}
            yield self._column(self._writer.name(names[index]), after)

    def _column(self, symbol: str, texts: dict[int, str]) -> _Column:
        width = max(seen_width(symbol, self._writer.style), *(len(text) for text in texts.values()))
        return _Column(self._writer.inline(symbol), width, lambda place: cell(texts[place], self._writer))

    def _target(self, place: int) -> int:
        assert self._shape.target is not None
        return int(self._example.problem.given[self._graph.input(self._shape.target, place).name].value)

    def _overview(self, last: int) -> Block:
        indices = few(range(len(self._shape.parameters)), False)
        names = [self._writer.quantity(self._shape.parameters[index]) for index in indices]
        header = (self._say("epoch_column"), self._say("mistakes"), *names)
        rows: list[tuple[str, ...]] = []
        for epoch in _first(range(1, last + 1), OVERVIEW_ROWS):
            after = self._run.weights(self._run.of_epoch(epoch).stop - 1)
            mistakes = str(self._run.mistakes(epoch))
            rows.append((str(epoch), mistakes, *(self.number(after[index]) for index in indices)))
        if last > OVERVIEW_ROWS:
            rows.insert(len(rows) - 1, ("…",) * len(header))
        return table(header, rows)


def _first(places: range, most: int) -> list[int]:
    """All of them, or so many of the first with the last."""
    return list(places) if len(places) <= most else [*places[: most - 1], places[-1]]
