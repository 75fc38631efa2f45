"""The graph of an activation at points: f(0.5) and f'(0.5), f1(1,2,3) and df1/dz2(1,2,3); any point when asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from derive.calculus.symbolic import partial, textbook
from derive.catalogue.activations import Activation
from derive.derivation.graph import Node
from derive.formula.expression import Call, Expr, Name, Number, names_in, replace_names
from derive.formula.grammar import read
from derive.problem.points import ActivationPoints, Point

MOST_WRITTEN = 20

_DIGITS = r"-?(?:[0-9]{1,60}\.?[0-9]{0,60}|\.[0-9]{1,60})(?:[eE][+-]?[0-9]{1,3})?"
_SYMBOL = re.compile(r"f[0-9]*'?|df[0-9]*/dz[0-9]*")
_NAME = re.compile(rf"({_SYMBOL.pattern})\(({_DIGITS}(?:,{_DIGITS})*)\)")


class PointsGraph:
    """Values and slopes of one activation; every node is defined by numbers and by f at the same point."""

    def __init__(self, body: ActivationPoints) -> None:
        self.row = body.activation
        self.points = body.points
        self._listed = {tuple(value.value for value in point): point for point in body.points}
        self._made: dict[str, Node] = {}

    @property
    def root(self) -> str | None:
        return None

    @property
    def all_lead_to_root(self) -> bool:
        return False

    def node(self, name: str) -> Node:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name)
        return made

    def _make(self, name: str) -> Node:
        found = _NAME.fullmatch(name)
        if found is None:
            raise KeyError(name)
        symbol, texts = found[1], found[2].split(",")
        values = tuple(Fraction(text) for text in texts)
        return self._at(symbol, self._listed.get(values) or tuple(map(Number, values, texts)))

    def _at(self, symbol: str, point: Sequence[Expr]) -> Node:
        definition = _vector(self.row, symbol, point) if self.row.vector else _scalar(self.row, symbol, point)
        if definition is None:
            raise KeyError(point_name(symbol, point))
        return Node(point_name(symbol, point), "definition" if "d" in symbol or "'" in symbol else "activation",
                    definition, activation=self.row)  # fmt: skip

    def parents(self, name: str) -> tuple[str, ...]:
        definition = self.node(name).definition
        return tuple(dict.fromkeys(names_in(definition))) if definition is not None else ()

    def children(self, name: str) -> tuple[str, ...]:
        return ()

    def cancellation(self, name: str) -> tuple[str, Expr] | None:
        return None

    def general_fork(self, name: str) -> Expr | None:
        return None

    def forward(self) -> Iterator[str]:
        for point in self.points:
            yield from point_names(self.row, point)

    def leaves(self) -> tuple[str, ...]:
        return ()


class NamedPointsGraph(PointsGraph):
    """The same at points that go by names, with their numbers given: f(z1) and f'(z1), f1(z) and df1/dz2(z)."""

    def __init__(self, body: ActivationPoints) -> None:
        super().__init__(body)
        self._names = body.names()
        self._leaves = body.leaves

    def _make(self, name: str) -> Node:
        if name in self._leaves:
            return Node(name, "given")
        symbol, _, inside = name.partition("(")
        label = inside.removesuffix(")")
        if label == inside or label not in self._names or not _SYMBOL.fullmatch(symbol):
            raise KeyError(name)
        point = tuple(map(Name, self._names[label]))
        made = self._at(symbol, point)
        outputs = {point_name(f, point): Name(f"{f}({label})") for f in value_symbols(self.row, len(point))}
        assert made.definition is not None
        return replace(made, name=name, definition=replace_names(made.definition, outputs))

    def parents(self, name: str) -> tuple[str, ...]:
        return tuple(part for part in super().parents(name) if part not in self._leaves)

    def forward(self) -> Iterator[str]:
        for label, names in self._names.items():
            symbols = (*value_symbols(self.row, len(names)), *slope_symbols(self.row, len(names)))
            yield from (f"{symbol}({label})" for symbol in symbols)

    def leaves(self) -> tuple[str, ...]:
        return self._leaves


def point_name(symbol: str, point: Sequence[Expr]) -> str:
    """f'(0.5), df1/dz2(1,2,3)"""
    return f"{symbol}({','.join(_text(value) for value in point)})"


def _text(value: Expr) -> str:
    """A name, or the digits as written; 1e-300 where there are too many."""
    if isinstance(value, Name):
        return value.name
    assert isinstance(value, Number)
    written = value.written or str(value.value)
    if len(written) <= MOST_WRITTEN:
        return written
    return str(Decimal(written).normalize()).lower().replace("e+", "e")


def point_names(row: Activation, point: Point) -> Iterator[str]:
    """The values at a point, then the slopes."""
    for symbol in (*value_symbols(row, len(point)), *slope_symbols(row, len(point))):
        yield point_name(symbol, point)


def value_symbols(row: Activation, entries: int) -> tuple[str, ...]:
    if row.vector is None or row.vector.single:
        return ("f",)
    return tuple(f"f{i}" for i in range(1, entries + 1))


def slope_symbols(row: Activation, entries: int) -> tuple[str, ...]:
    """f', or every dfi/dzj, a row after the other."""
    if row.vector is None:
        return ("f'",)
    return tuple(f"d{f}/dz{j}" for f in value_symbols(row, entries) for j in range(1, entries + 1))


def _scalar(row: Activation, symbol: str, point: Sequence[Expr]) -> Expr | None:
    if len(point) != 1 or symbol not in ("f", "f'", "df/dz"):
        return None
    if symbol == "f":
        return at_point(row, point[0])
    names: dict[str, Expr] = {"z": point[0], "a": Name(point_name("f", point)), **dict(row.parameters)}
    return replace_names(textbook(row), names)


def at_point(row: Activation, z: Expr) -> Expr:
    """f(z): a call of the row, or what somebody typed."""
    if row.name == "custom":
        return replace_names(read(row.formula, names={"z"}), {"z": z})
    return Call(row.function, (z, *(value for _, value in row.parameters)))


def _vector(row: Activation, symbol: str, point: Sequence[Expr]) -> Expr | None:
    assert row.vector is not None
    if symbol.endswith("'"):
        return None
    over, _, under = symbol.partition("/dz")
    i, j = (int(text) if text else 1 for text in (over.lstrip("df"), under))
    outputs = 1 if row.vector.single else len(point)
    if len(point) < 2 or not (1 <= i <= outputs and 1 <= j <= len(point)):
        return None
    if not symbol.startswith("d"):
        return row.vector.output(i - 1, point)
    if row.vector.slope:
        outs = [Name(point_name(f, point)) for f in value_symbols(row, len(point))]
        return row.vector.slope(i - 1, j - 1, outs)
    nets = [Name(f"z{k}") for k in range(1, len(point) + 1)]
    slope = partial(row.vector.output(i - 1, nets), f"z{j}")
    return replace_names(slope, {net.name: value for net, value in zip(nets, point, strict=True)})
