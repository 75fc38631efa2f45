"""What is asked, compiled: every quantity behind it in the order of evaluation, each with the ways to compute it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from derive.check.plan import Plan, Surroundings, plan_of, references
from derive.errors import DeriveError
from derive.formula.expression import (
    ONE,
    Call,
    Expr,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Series,
    Sum,
    children,
    is_plain,
    names_in,
    rebuild,
    replace_names,
)
from derive.numbers.exact import Real
from derive.worked import WorkedExample

MOST_NODES = 1500
"""Behind what is asked so many quantities are followed, the nearest first; farther ones stand with their true value."""

MOST_STEPS = 12
"""So many updates are followed; what is asked after more stands with its true value."""

MOST_TERMS = 40
"""A sum of more terms is not followed: with so many roundings its digits tell nothing apart."""

MOST_PATHS = 3


@dataclass(frozen=True, slots=True)
class Node:
    """A quantity; `definition` in keys, None for what is given (or too far away to follow).

    routes   ways in which it may be computed: from the nearest asked quantities first
    late     further ways, past an asked quantity that most would have used
    simple   the definition as it stands, nothing looked through
    needs    what the routes are computed from
    """

    key: str
    definition: Expr | None
    routes: tuple[Plan, ...] = ()
    simple: Plan | None = None
    needs: frozenset[str] = frozenset()
    late: tuple[Plan, ...] = ()


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


class Names:
    """The keys of a problem: one for quantities that are each other's alias, `w5@2` after two updates."""

    def __init__(self, example: WorkedExample) -> None:
        self.example = example
        self._places: dict[str, tuple[str, int]] = {}
        self._found: dict[tuple[str, int], str] = {}

    def asked(self, name: str) -> str:
        """The key of what is called so; raises UnknownQuantity."""
        found = self.example.find(name)
        return self.key(found.name, found.step)

    def key(self, name: str, step: int = 0) -> str:
        """The key of a canonical name in a definition of that step."""
        if (name, step) in self._found:
            return self._found[name, step]
        place = self._place(name, step)
        seen = {place}
        while isinstance(inner := self._definition(*place), Name):
            place = self._place(inner.name, place[1])
            if place in seen:
                break
            seen.add(place)
        key = f"{place[0]}@{place[1]}" if place[1] else place[0]
        self._places[key] = place
        self._found[name, step] = key
        return key

    def _place(self, name: str, step: int) -> tuple[str, int]:
        derivation = self.example.derivation
        base, mark, at = name.rpartition("@")
        if mark and at.isascii() and at.isdigit() and not self._is_quantity(name):
            name, step = base, int(at)
        if step and derivation.is_carried(name):
            return f"{name}_new", step - 1
        return (name, 0) if name == "eta" or self.is_constant(name) else (name, step)

    def _is_quantity(self, name: str) -> bool:
        try:
            self.example.derivation.quantity(name)
        except KeyError:
            return False
        return True

    def is_constant(self, name: str) -> bool:
        """Whether a name means the same number after every update."""
        derivation = self.example.derivation
        given = self.example.values.given
        return name in given and not derivation.is_carried(name) and not derivation.knows(name)

    def _definition(self, name: str, step: int) -> Expr | None:
        if name == "eta" or step > MOST_STEPS or (name in self.example.values.given and not step):
            return None
        if name in self.example.values.given and self.is_constant(name):
            return None
        return self.example.derivation.quantity(name).definition

    def place(self, key: str) -> tuple[str, int]:
        """The canonical name behind a key, and the number of updates before it."""
        return self._places[key]

    def kind(self, key: str) -> tuple[str, int]:
        """The rule of a quantity and the update that it is of."""
        name, step = self._places[key]
        return self.example.derivation.quantity(name).rule, step

    def definition(self, key: str) -> Expr | None:
        """The definition in keys; None for what is given, after too many updates, or a sum of too many terms."""
        name, step = self._places[key]
        return self._in_keys(self._definition(name, step), step)

    def forms(self, key: str) -> Iterator[Expr]:
        """Further ways to write the definition."""
        name, step = self._places[key]
        for form in self.example.derivation.quantity(name).forms:
            inside = self._in_keys(form, step)
            if inside is not None:
                yield inside

    def in_keys(self, expr: Expr, quantity: str) -> Expr:
        """A tree that somebody wrote for the definition of a quantity, in keys; raises KeyError for unknown names.

        Its names are of the update that the quantity is of; for one that says so ("E@2"), of that before all updates.
        """
        step = 0 if "@" in quantity else self._places[self.asked(quantity)][1]
        return replace_names(expr, {name: Name(self.key(name, step)) for name in set(names_in(expr))})

    def _in_keys(self, expr: Expr | None, step: int) -> Expr | None:
        if expr is None or _is_long(expr):
            return None
        return replace_names(expr, {name: Name(self.key(name, step)) for name in set(names_in(expr))})

    def value(self, key: str) -> float | None:
        """The double nearest to the true value; None where it is symbolic or too large."""
        name, step = self._places[key]
        try:
            return self.example.values_after(step).double(name)
        except DeriveError:
            return None

    def real(self, key: str) -> Real | None:
        """The true value, exact or enclosed."""
        name, step = self._places[key]
        return self.example.values_after(step).real(name)


def _is_long(expr: Expr) -> bool:
    if isinstance(expr, Series) and expr.count > MOST_TERMS:
        return True
    return any(_is_long(part) for part in children(expr)) if not isinstance(expr, Name | Number) else False


def compiled(example: WorkedExample, expected: Sequence[str], also: Iterable[str] = ()) -> Program:
    """The program of a problem, and of further quantities; raises UnknownQuantity for what it does not have."""
    names = Names(example)
    asked = {quantity: names.asked(quantity) for quantity in expected}
    further = _known(names, also)
    definitions = _closure(names, [*asked.values(), *further])
    routes = _Routes(definitions, frozenset(asked.values()), names)
    needed = frozenset(_ordered(routes.parents, asked.values()))
    order = _ordered(routes.parents, [*further, *asked.values()])
    nodes: dict[str, Node] = {}
    for key in order:
        nodes[key] = _evaluable(routes.node(key), nodes)
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
    ways, late = (tuple(way for way in some if references(way) <= before.keys()) for some in (node.routes, node.late))
    if not ways:
        ways, late = late, ()
    return replace(node, routes=ways, late=late, needs=frozenset().union(*map(references, (*ways, *late))))


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


class _Routes:
    """The ways to compute each node."""

    def __init__(self, definitions: Mapping[str, Expr | None], asked: frozenset[str], names: Names) -> None:
        self._definitions = definitions
        self._asked = asked
        self._names = names
        self._around = Surroundings(str, self._is_certain, self._nearly)
        self._finely = Surroundings(str, self._is_certain, self._inner)
        self._plain = Surroundings(str, self._is_certain, lambda _: None)
        self._near: dict[str, Expr | None] = {}
        parts = {key: Counter(_texts(self._flat(Name(key), every=True))) for key in asked}
        self._composites = {key: found for key, found in parts.items() if found.total() > 1}

    def node(self, key: str) -> Node:
        definition = self._definitions[key]
        if definition is None:
            return Node(key, None)
        ways = [self._nearest(key, definition) or definition, definition, *self._ways(key, definition)]
        nearest = dict.fromkeys(plan_of(way, self._around) for way in ways)
        further = dict.fromkeys(plan_of(way, self._finely) for way in ways[1:])
        late = tuple(way for way in further if way not in nearest)
        simple = plan_of(definition, self._plain)
        if key in self._asked and (late or self._nearest(key, definition) is not None):
            first, *more = nearest
            return Node(key, definition, (first,), simple, late=(*more, *late))
        return Node(key, definition, (*nearest, *late), simple)

    def parents(self, key: str) -> Iterator[str]:
        """What has to be evaluated first."""
        definition = self._definitions[key]
        if definition is not None:
            yield from names_in(definition)
            for form in self._usable_forms(key):
                yield from names_in(form)
            if nearest := self._nearest(key, definition):
                yield from names_in(nearest)

    def _is_certain(self, key: str) -> bool:
        return self._definitions.get(key) is None

    def _inner(self, key: str) -> Expr | None:
        return None if key in self._asked else self._definitions.get(key)

    def _nearly(self, key: str) -> Expr | None:
        """What an unasked quantity is in terms of the asked ones nearest to it."""
        inner = self._inner(key)
        return None if inner is None else self._nearest(key, inner) or inner

    def _ways(self, key: str, definition: Expr) -> Iterator[Expr]:
        yield from self._usable_forms(key)
        if isinstance(definition, Product) and (paths := self._by_paths(definition)) is not None:
            yield paths

    def _usable_forms(self, key: str) -> Iterator[Expr]:
        for form in self._names.forms(key):
            if all(name in self._definitions for name in names_in(form)) and not self._is_behind(key, form):
                yield form

    def _is_behind(self, key: str, form: Expr) -> bool:
        """Whether evaluating the form needs the node itself, or what has no place before it."""
        stack, seen = list(names_in(form)), set[str]()
        while stack:
            name = stack.pop()
            if name == key:
                return True
            if name not in seen:
                seen.add(name)
                inside = self._definitions.get(name)
                stack.extend(names_in(inside) if inside is not None else ())
        return False

    def _flat(self, expr: Expr, *, every: bool) -> list[Expr]:
        """The factors of a product; products behind names are looked into, with `every` those of asked ones too."""
        match expr:
            case Product(factors):
                return [part for factor in factors for part in self._flat(factor, every=every)]
            case Negative(arg):
                return [Negative(ONE), *self._flat(arg, every=every)]
            case Power(base, Number(value)) if value in (2, 3):
                return self._flat(base, every=every) * int(value)
            case Name(name):
                inner = self._definitions.get(name) if every else self._inner(name)
                if isinstance(inner, Product | Negative | Name):
                    return self._flat(inner, every=every)
                if inner is not None and inner != ONE and is_plain(inner):
                    return [inner]
                return [] if inner == ONE else [expr]
        return [expr]

    def _nearest(self, key: str, definition: Expr) -> Expr | None:
        if key not in self._near:
            self._near[key] = self._by_composites(key, definition) if isinstance(definition, Product) else None
        return self._near[key]

    def _by_composites(self, key: str, definition: Product) -> Expr | None:
        """The product with asked quantities in it for as many of its factors as they stand for."""
        left = self._flat(definition, every=True)
        count = Counter(_texts(left))
        chosen: list[Expr] = []
        for name, parts in sorted(self._composites.items(), key=lambda item: -item[1].total()):
            if name != key and parts <= count and self._comes_before(name, key):
                chosen.append(Name(name))
                count -= parts
                left = _without(left, parts)
        if len(chosen) == 1 and not left:
            return chosen[0]
        return Product((*chosen, *left)) if chosen else None

    def _comes_before(self, name: str, key: str) -> bool:
        """Whether one of two products is the more basic: has fewer factors, or is as many but shorter to write."""
        mine, other = self._composites.get(key), self._composites[name]
        if mine == other:
            return (self._size(name), name) < (self._size(key), key)
        return not self._is_behind(key, Name(name))

    def _size(self, key: str) -> int:
        definition = self._definitions[key]
        return 0 if definition is None else len(set(names_in(definition)))

    def _by_paths(self, definition: Product) -> Expr | None:
        """One product for each path where a factor is a sum over a few of them."""
        flat = self._flat(definition, every=False)
        for place, factor in enumerate(flat):
            inner = self._inner(factor.name) if isinstance(factor, Name) else None
            if isinstance(inner, Sum) and len(inner.terms) <= MOST_PATHS and not any(map(is_plain, inner.terms)):
                others = (*flat[:place], *flat[place + 1 :])
                return Sum(tuple(Product((term, *others)) for term in inner.terms)) if others else None
        return None


def _texts(factors: Iterable[Expr]) -> Iterator[Expr]:
    return (_unwritten(factor) for factor in factors)


def _unwritten(expr: Expr) -> Expr:
    return Number(expr.value) if isinstance(expr, Number) else rebuild(expr, _unwritten) if not isinstance(
        expr, Name | Series | Call
    ) else expr


def _without(factors: list[Expr], parts: Counter[Expr]) -> list[Expr]:
    left, remaining = [], Counter(parts)
    for factor in factors:
        plain = _unwritten(factor)
        if remaining[plain] > 0:
            remaining[plain] -= 1
        else:
            left.append(factor)
    return left


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
