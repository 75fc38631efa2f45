"""kind = "expression": definitions in the order in which they can be worked out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from derive.formula.expression import Expr, Number, names_in
from derive.formula.grammar import Unreadable, read
from derive.problem.model import Definitions
from derive.problem.shape import Report, Table, join, quote, suggestion


@dataclass(frozen=True, slots=True)
class ExpressionParts:
    definitions: Definitions
    given: dict[str, Number]


def read_expression(fields: Table, report: Report) -> ExpressionParts | None:
    """The definitions, or None when anything was reported."""
    given: Table = fields.get("given", Table({}))
    define: Table = fields.get("define", Table({}))
    symbols: tuple[str, ...] = fields.get("symbols", ())
    written = (*define.values, *define.wrong)
    leaves = _leaves(given, symbols, written, report)
    unsure = "given" in fields.wrong or "symbols" in fields.wrong
    trees = _trees(define, None if unsure else {*leaves, *written, *given.wrong}, report)
    output = fields.get("output") or (list(define.values)[-1] if define.values else "")
    if "output" in fields.values and define.values and output not in written:
        report.add("output", f"no definition of {quote(output)}{suggestion(output, written)}", ", ".join(define.values))
    order = _order(trees)
    for cycle in _cycles(trees, order):
        found = f"a definition that needs itself: {' -> '.join(cycle)}"
        report.add(join("define", cycle[0]), found, "definitions that end at given names")
    if report.mistakes:
        return None
    definitions = Definitions(output, tuple((name, trees[name]) for name in order), leaves)
    return ExpressionParts(definitions, dict(given.values))


def _leaves(given: Table, symbols: tuple[str, ...], defined: Collection[str], report: Report) -> tuple[str, ...]:
    leaves: dict[str, str] = {}
    names = [(name, join("given", name)) for name in given.values]
    names += [(name, f"symbols[{i}]") for i, name in enumerate(symbols, 1)]
    for name, place in names:
        other = join("define", name) if name in defined else leaves.get(name)
        if other:
            report.add(place, f"the name {quote(name)}, which {other} has too", "a different name for each quantity")
        leaves.setdefault(name, place)
    return tuple(leaves)


def _trees(define: Table, known: set[str] | None, report: Report) -> dict[str, Expr]:
    trees = {}
    for name, text in define.values.items():
        tree = _tree(text, known, join("define", name), report)
        if tree is not None:
            trees[name] = tree
    return trees


def _tree(text: str, known: set[str] | None, place: str, report: Report) -> Expr | None:
    try:
        return read(text, names=known)
    except Unreadable as error:
        unknown = _unknown_names(text, known)
        if not unknown:
            report.add(place, f"{quote(text)}, column {error.column}: {error.found}", error.accepted)
        for name in unknown:
            found = f"unknown name {quote(name)} in {quote(text)}{report.suggestion(name, known or ())}"
            report.add(place, found, "names of given, symbols and define: " + ", ".join(sorted(known or ())[:20]))
        return None


def _unknown_names(text: str, known: set[str] | None) -> tuple[str, ...]:
    """Every unknown name of a formula that would be readable otherwise."""
    try:
        names = dict.fromkeys(names_in(read(text)))
    except Unreadable:
        return ()
    return tuple(name for name in names if name not in (known or ()))


def _order(trees: Mapping[str, Expr]) -> list[str]:
    """The definitions so that each comes after what it needs; the order of the file where that is possible."""
    needs = {name: {part for part in names_in(tree) if part in trees} for name, tree in trees.items()}
    waiting, done, order = list(trees), set[str](), list[str]()
    while waiting:
        ready = next((name for name in waiting if needs[name] <= done), None)
        if ready is None:
            return order
        waiting.remove(ready)
        done.add(ready)
        order.append(ready)
    return order


def _cycles(trees: Mapping[str, Expr], order: Collection[str]) -> Iterable[tuple[str, ...]]:
    """Each circle among the definitions that could not be ordered, once."""
    left = {name: list(names_in(tree)) for name, tree in trees.items() if name not in set(order)}
    seen: set[str] = set()
    for start in left:
        path: list[str] = []
        name = start
        while name not in seen and name not in path:
            path.append(name)
            name = next(part for part in left[name] if part in left)
        if name in path:
            yield (*path[path.index(name) :], name)
        seen.update(path)
