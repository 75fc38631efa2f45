"""Which quantities of a worked example are checked: everything that a page shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from derive.derivation.chain_rule import derivative_name
from derive.derivation.network import NetworkGraph
from derive.derivation.steps import LARGE, Step, selected
from derive.worked import WorkedExample

Asked = tuple[str, int]
"""A quantity by canonical name, and after how many updates."""

MOST_UPDATES = 12
"""So many updates are shown one by one."""

MOST_LISTED = 2000


def shown_quantities(example: WorkedExample) -> list[Asked]:
    """The quantities of a page, each once."""
    asked = [(found.name, found.step) for found in map(example.find, example.options.only)]
    found = (*asked, *(_split(example, name) for name in _names(example)))
    return list(dict.fromkeys(asked for asked in found if asked[1] <= MOST_UPDATES))[:MOST_LISTED]


def _split(example: WorkedExample, name: str) -> Asked:
    """("w5", 1) for w5_new, ("w5", 3) for w5@3."""
    base = name.removesuffix("_new")
    if base != name and example.derivation.is_carried(base):
        return base, 1
    head, at, step = name.partition("@")
    if at and step.isdigit() and example.problem.kind == "network":
        return head, int(step)
    return name, 0


def _names(example: WorkedExample) -> Iterator[str]:
    graph, options = example.graph, example.options
    if options.only:
        names = [name for name in map(example.shown_by, options.only) if name is not None]
        chosen = selected(example.derivation, names)
        yield from (step.target for section in chosen for step in _walk(section.steps))
        return
    if _is_large(example):
        yield from (step.target for section in example.sections for step in _walk(section.steps))
        return
    order = [name for name in graph.forward() if _is_early(example, name)]
    yield from order
    if options.forward or graph.root is None:
        return
    yield from _slopes(example, order, graph.root)
    yield from _updates(example, graph.root)


def _is_large(example: WorkedExample) -> bool:
    graph = example.graph
    if not isinstance(graph, NetworkGraph):
        return False
    return graph.network.parameter_count() * graph.network.samples > 3 * LARGE


def _is_early(example: WorkedExample, name: str) -> bool:
    """Of a long run of an optimizer, the first updates."""
    _, at, step = name.partition("@")
    return example.problem.kind != "optimizer" or not at or int(step) <= MOST_UPDATES


def _walk(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield from _walk(step.steps)
        yield step


def _slopes(example: WorkedExample, order: list[str], root: str) -> Iterator[str]:
    """Of the root by every node and leaf; of each activation and each part of the loss by what it is made of."""
    graph = example.graph
    yield from (derivative_name(root, name) for name in reversed(order) if name != root)
    yield from (derivative_name(root, name) for name in graph.leaves() if graph.children(name))
    for name in order:
        if graph.node(name).rule not in ("weighted-sum", "total", "penalty") and name != root:
            yield from (derivative_name(name, part) for part in graph.parents(name))


def _updates(example: WorkedExample, root: str) -> Iterator[str]:
    update = example.problem.update
    if update is None:
        return
    derivation = example.derivation
    changed = list(derivation.computed(derivation.updated()))
    for step in range(1, min(update.steps, MOST_UPDATES) + 1):
        yield from (f"{name}@{step}" for name in (*changed, root))
