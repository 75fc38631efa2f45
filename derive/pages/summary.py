"""What an update changes: each parameter before and after, and the loss."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.derivation.chain_rule import derivative_name
from derive.derivation.network import NetworkGraph
from derive.derivation.steps import LARGE, shown_parameters
from derive.pages.blocks import Block, paragraph, table
from derive.pages.prose import Prose
from derive.pages.wide import in_pieces
from derive.pages.writers import Writer
from derive.worked import WorkedExample

MOST_UPDATED = 5000
"""The loss after an update needs the gradient of every parameter; of larger networks it is not shown."""

ALL_STEPS = 12
"""So many updates are listed one by one; of more the first ten and the last."""


def summary(example: WorkedExample, graph: NetworkGraph, prose: Prose, writer: Writer) -> Iterator[Block]:
    """The table of old and new parameters, and the loss before and after the updates."""
    update = example.problem.update
    if update is None or not example.has_numbers():
        return
    whole = example.options.whole or graph.network.parameter_count() <= LARGE
    layers = range(1, len(graph.network.layers) + 1)
    names = list(dict.fromkeys(n for number in layers for n in shown_parameters(graph.network, number, whole=whole)))
    biases = set(graph.network.bias_names())
    names.sort(key=lambda name: name in biases)
    header = tuple(prose.say("table", key) for key in ("parameter", "old", "gradient", "new"))
    yield table(header, [_row(example, name, prose, writer) for name in names])
    yield from loss_change(example, graph, names, prose, writer)


def loss_change(
    example: WorkedExample, graph: NetworkGraph, names: list[str], prose: Prose, writer: Writer
) -> Iterator[Block]:
    """The parameters of these names after each of several updates, and the loss before and after."""
    update = example.problem.update
    assert update is not None
    if update.steps > 1 and graph.network.parameter_count() <= MOST_UPDATED:
        updated = [name for name in names if example.derivation.is_updated(name)]
        yield from (_steps(example, piece, prose, writer) for piece in _pieces(example, [*updated, "E"]))
        yield from _states(example, updated, prose, writer)
    if graph.network.parameter_count() > MOST_UPDATED:
        return
    before, after = (_loss(example, step, writer) for step in (0, update.steps))
    yield paragraph(prose.say("table", "loss_fell", before=before, after=after, steps=update.steps))


def _row(example: WorkedExample, name: str, prose: Prose, writer: Writer) -> tuple[str, ...]:
    old = _number(example.written(name), writer)
    if not example.derivation.is_updated(name):
        return writer.quantity(name), old, "", prose.say("table", "frozen")
    gradient = example.written(derivative_name("E", name))
    return writer.quantity(name), old, _number(gradient, writer), _number(example.shown(f"{name}_new"), writer)


def _number(text: str | None, writer: Writer) -> str:
    return writer.inline(writer.number(text)) if text is not None else ""


def _loss(example: WorkedExample, step: int, writer: Writer) -> str:
    values = example.values_after(step)
    shown = values.shown("E") or ""
    exact = values.exact("E")
    relation = "=" if exact is not None and exact == Fraction(shown) else ""
    name = writer.name(f"E@{step}") if step > 1 else writer.name("E_new") if step else writer.name("E")
    sign = relation or {"latex": r"\approx", "unicode": "≈", "ascii": "~"}[writer.style]
    return writer.inline(f"{name} {sign} {writer.number(shown)}")


def _states(example: WorkedExample, parameters: list[str], prose: Prose, writer: Writer) -> Iterator[Block]:
    """What the update rule carries: a table for each state, and one for what all parameters share."""
    updates = example.derivation.updates
    tables = [list(updates.of_all()), *(list(updates.of_each(state, parameters)) for state in updates.rule.starts)]
    tables = [names for names in tables if names]
    if tables:
        yield paragraph(prose.say("optimizer", "states"))
        yield from (_steps(example, piece, prose, writer) for names in tables for piece in _pieces(example, names))


def _pieces(example: WorkedExample, names: list[str]) -> list[list[str]]:
    """The columns of a table of updates, in pieces that fit a page."""
    assert example.problem.update is not None
    texts = [[example.values_after(step).shown(name) for step in (1, example.problem.update.steps)] for name in names]
    return in_pieces(names, texts)


def _steps(example: WorkedExample, names: list[str], prose: Prose, writer: Writer) -> Block:
    """The quantities of these names after each update."""
    assert example.problem.update is not None
    last = example.problem.update.steps
    steps: list[int | None] = list(range(last + 1)) if last <= ALL_STEPS else [*range(11), None, last]
    header = (prose.say("table", "after"), *(writer.quantity(name) for name in names))
    return table(header, [_step_row(example, step, names, writer) for step in steps])


def _before(example: WorkedExample, name: str) -> str | None:
    """The number before the first update; none for what an update computes on its way, such as a scheduled rate."""
    derivation = example.derivation
    on_its_way = derivation.is_carried(name) and name not in derivation.remembered()
    return None if on_its_way else example.written(name)


def _step_row(example: WorkedExample, step: int | None, names: list[str], writer: Writer) -> tuple[str, ...]:
    if step is None:
        return ("…",) * (len(names) + 1)
    values = example.values_after(step)
    cells = [_before(example, name) if step == 0 else values.shown(name) for name in names]
    return str(step), *(_number(cell, writer) for cell in cells)
