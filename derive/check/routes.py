"""The ways to compute a quantity: from the asked quantities nearest to it, as it is defined, in the other forms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from derive.check.forms import other_forms, rate_first
from derive.check.keys import Names
from derive.check.plan import Plan, Surroundings, plan_of
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
    is_plain,
    names_in,
    rebuild,
)

MOST_PATHS = 3


@dataclass(frozen=True, slots=True)
class Node:
    """A quantity; `definition` in keys, None for what is given (or too far away to follow).

    routes   ways in which it may be computed: from the nearest asked quantities first
    late     further ways, past an asked quantity that most would have used
    past     ways past the answers that somebody wrote, which nobody takes who got these wrong
    simple   the definition as it stands, nothing looked through
    needs    what the routes are computed from
    """

    key: str
    definition: Expr | None
    routes: tuple[Plan, ...] = ()
    simple: Plan | None = None
    needs: frozenset[str] = frozenset()
    late: tuple[Plan, ...] = ()
    past: tuple[Plan, ...] = ()


class Routes:
    """The ways to compute each node."""

    def __init__(self, definitions: Mapping[str, Expr | None], asked: frozenset[str], names: Names) -> None:
        self._definitions = definitions
        self._asked = asked
        self._names = names
        self._around = Surroundings(str, self._is_certain, self._nearly)
        self._finely = Surroundings(str, self._is_certain, self._inner)
        self._plain = Surroundings(str, self._is_certain, lambda _: None)
        self._near: dict[str, Expr | None] = {}
        parts = {key: Counter(_texts(self._flat(Name(key), every=True))) for key in sorted(asked)}
        self._composites = {key: found for key, found in parts.items() if found.total() > 1}

    def node(self, key: str) -> Node:
        definition = self._definitions[key]
        if definition is None:
            return Node(key, None)
        ways = [self._nearest(key, definition) or definition, definition, *self._ways(key, definition)]
        nearest = dict.fromkeys(plan_of(way, self._around) for way in ways)
        further = dict.fromkeys(plan_of(way, self._finely) for way in ways[1:])
        others = [plan_of(way, self._around) for way in self._others(key, definition)]
        past = [plan_of(way, self._around) for way in self._past(definition)]
        simple = plan_of(definition, self._plain)
        if key in self._asked:
            is_first = any(way not in nearest for way in further) or self._nearest(key, definition) is not None
            routes = tuple(nearest)[:1] if is_first else tuple(nearest)
        else:
            routes = tuple(dict.fromkeys((*nearest, *further, *others, *past)))
        late = tuple(way for way in dict.fromkeys((*nearest, *further, *others)) if way not in routes)
        known = {*routes, *late}
        return Node(key, definition, routes, simple, late=late, past=tuple(way for way in past if way not in known))

    def parents(self, key: str) -> Iterator[str]:
        """What has to be evaluated first."""
        definition = self._definitions[key]
        if definition is not None:
            yield from names_in(definition)
            for form in (*self._usable_forms(key), *self._others(key, definition), *self._past(definition)):
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

    def _others(self, key: str, definition: Expr) -> Iterator[Expr]:
        """The forms of the field."""
        for form in other_forms(definition, self._definitions.get):
            if all(name in self._definitions for name in names_in(form)) and not self._is_behind(key, form):
                yield form

    def _past(self, definition: Expr) -> Iterator[Expr]:
        """Past what is asked for: the rate taken first, slopes opened, a product for each path."""
        if (found := rate_first(definition, self._definitions.get)) is not None:
            yield found
        if isinstance(definition, Product):
            opened = Product(tuple(part for factor in definition.factors for part in self._slope(factor)))
            if len(opened.factors) > len(definition.factors):
                yield opened
            if (paths := self._by_paths(definition, every=True)) is not None:
                yield paths

    def _slope(self, factor: Expr) -> tuple[Expr, ...]:
        """The factors of a local derivative that is asked for: out and 1 − out."""
        inner = self._definitions.get(factor.name) if isinstance(factor, Name) and factor.name in self._asked else None
        if not isinstance(inner, Product) or len(set(names_in(inner))) > 1:
            return (factor,)
        return inner.factors

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
        """Whether one of two products is the more basic: is behind the other, or as long but shorter to write."""
        if self._is_behind(key, Name(name)):
            return False
        mine, other = self._composites.get(key), self._composites[name]
        if mine == other and not self._is_behind(name, Name(key)):
            return (self._size(name), name) < (self._size(key), key)
        return True

    def _size(self, key: str) -> int:
        definition = self._definitions[key]
        return 0 if definition is None else len(set(names_in(definition)))

    def _by_paths(self, definition: Product, *, every: bool = False) -> Expr | None:
        """One product for each path where a factor is a sum over a few of them; with `every` an asked one too."""
        flat = self._flat(definition, every=False)
        look = self._definitions.get if every else self._inner
        for place, factor in enumerate(flat):
            inner = look(factor.name) if isinstance(factor, Name) else None
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
