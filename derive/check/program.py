"""What is asked, compiled: every quantity behind it in the order of evaluation, each with the ways to compute it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from derive.check.keys import Names
from derive.check.plan import Plan, Surroundings, plan_of, references
from derive.check.routes import Node, Routes
from derive.errors import DeriveError
from derive.formula.expression import Expr, names_in
from derive.worked import WorkedExample

__all__ = ["Names", "Node", "Program", "compiled", "exchanged"]

MOST_NODES = 1500
"""Behind what is asked so many quantities are followed, the nearest first; farther ones stand with their true value."""


@dataclass(frozen=True, slots=True)
class Program:
    """`nodes` in the order of evaluation; `asked` maps each expected quantity to its key.

    needed   the nodes that what is asked hangs on; the others occur in mistakes only
    beside   the other nodes of the same kind that are asked: w after an update beside b after it
    """

    nodes: Mapping[str, Node]
    needed: frozenset[str]
    beside: Mapping[str, tuple[str, ...]]
    asked: Mapping[str, str]
    truth: Mapping[str, float | None]
    names: Names = field(repr=False)


def compiled(example: WorkedExample, expected: Sequence[str], also: Iterable[str] = ()) -> Program:
    """The program of a problem, and of further quantities; raises UnknownQuantity for what it does not have."""
    names = Names(example)
    asked = {quantity: names.asked(quantity) for quantity in expected}
    further = _known(names, also)
    definitions = _closure(names, [*asked.values(), *further])
    routes = Routes(definitions, frozenset(asked.values()), names)
    order = _ordered(routes.parents, [*further, *asked.values()])
    nodes: dict[str, Node] = {}
    for key in order:
        nodes[key] = _evaluable(routes.node(key), nodes)
    needed = frozenset(_ordered(lambda key: nodes[key].needs, asked.values()))
    beside = _beside(names, [key for key in order if nodes[key].routes], frozenset(asked.values()))
    return Program(nodes, needed, beside, asked, {key: names.value(key) for key in order}, names)


def _beside(names: Names, keys: Sequence[str], asked: frozenset[str]) -> dict[str, tuple[str, ...]]:
    of_kind: dict[tuple[str, int], list[str]] = {}
    for key in keys:
        if key in asked:
            of_kind.setdefault(names.kind(key), []).append(key)
    found = {key: tuple(each for each in of_kind.get(names.kind(key), ()) if each != key) for key in keys}
    return {key: others for key, others in found.items() if others}


def _known(names: Names, wanted: Iterable[str]) -> list[str]:
    """Keys of the quantities that there are, updated parameters first: other quantities may use them too early."""
    found: dict[str, None] = {}
    for name in sorted(wanted, key=lambda name: (not name.endswith("_new"), name)):
        with suppress(DeriveError, KeyError):
            found[names.asked(name)] = None
    return list(found)


def _evaluable(node: Node, before: Mapping[str, Node]) -> Node:
    """The node with the routes that need only what is evaluated before it."""
    ways, late, past = (
        tuple(way for way in some if references(way) <= before.keys()) for some in (node.routes, node.late, node.past)
    )
    if not ways:
        ways, late = late, ()
    needs = frozenset().union(*map(references, (*ways, *late, *past)))
    return replace(node, routes=ways, late=late, past=past, needs=needs)


def _closure(names: Names, wanted: Iterable[str]) -> dict[str, Expr | None]:
    """The definitions of everything behind what is asked, breadth first up to a number."""
    found: dict[str, Expr | None] = {}
    level = list(dict.fromkeys(wanted))
    while level:
        below: dict[str, None] = {}
        for key in level:
            definition = names.definition(key) if len(found) < MOST_NODES else None
            found[key] = definition
            forms = [] if definition is None else list(names.forms(key))
            for expr in forms if definition is None else (definition, *forms):
                below |= dict.fromkeys(names_in(expr))
        level = [key for key in below if key not in found]
    return found


def _ordered(parents: Callable[[str], Iterable[str]], wanted: Iterable[str]) -> list[str]:
    """Depth first, parents before what hangs on them; without recursion."""
    done: dict[str, None] = {}
    entered: set[str] = set()
    stack: list[tuple[str, bool]] = [(key, False) for key in reversed(list(wanted))]
    while stack:
        key, parents_done = stack.pop()
        if parents_done:
            done[key] = None
            continue
        if key in entered:
            continue
        entered.add(key)
        stack.append((key, True))
        stack.extend((name, False) for name in parents(key) if name not in entered)
    return list(done)


def exchanged(program: Program, definitions: Mapping[str, Expr]) -> dict[str, Plan] | None:
    """The plans of exchanged definitions by key; None where one names what the program does not hold."""
    plans = {}
    plain = Surroundings(str, lambda key: program.nodes[key].definition is None, lambda _: None)
    for quantity, expr in definitions.items():
        try:
            key = program.names.asked(quantity)
            inside = program.names.in_keys(expr, quantity) if key in program.nodes else None
        except (DeriveError, KeyError):
            return None
        if inside is None or any(name not in program.nodes for name in names_in(inside)):
            return None
        plans[key] = plan_of(inside, plain)
    return plans
