"""Reading problem files: TOML text in, a `Problem` out, or every mistake of the file at once."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from derive.errors import Mistake, ProblemError, nearest
from derive.numbers.rounding import DEFAULT_DECIMALS, Rounding
from derive.problem.keys import BY_KIND, COMMON, KINDS, schema_of
from derive.problem.model import Definitions, Problem
from derive.problem.network import read_network, title_of
from derive.problem.shape import Report, Table, quote, read_keys, shown, suggestion
from derive.problem.vary import read_vary

MOST_BYTES = 5_000_000
BUNDLED = Path(__file__).parents[1] / "problems"

_LONG_DOTTED_KEY = re.compile(r"""(?:\.[ \t]*(?:[\w-]{1,400}|"[^"\n]{0,400}"|'[^'\n]{0,400}')[ \t]*){64}""")
_TOML_PLACE = re.compile(r"(.*?) \(at (line \d+, column \d+|end of document)\)", re.DOTALL)
_TOML = 'TOML: lines such as loss = "squared-error", tables such as [update], texts in quotes'


def load(source: str | Path) -> Problem:
    """The problem in a file; raises ProblemError with every mistake, and for a file that cannot be read."""
    return loads(_file_text(source), str(source))


def _file_text(source: str | Path) -> str:
    path = Path(source)
    try:
        with path.open("rb") as file:
            content = _limited(file, str(source))
    except IsADirectoryError:
        raise _unusable(source, "a folder", "a problem file (TOML)") from None
    except FileNotFoundError:
        hint = nearest(path.stem, _bundled_names())
        raise _unusable(source, f"there is no such file{hint}", f"a path, -, or one of {_listed()}") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _unusable(source, f"the file cannot be read: {reason}", "a problem file (TOML)") from None
    return _decoded(content, str(source))


def loads(text: str, source: str = "-") -> Problem:
    """The problem in a text; raises ProblemError with every mistake."""
    return from_dict(mapping_of(text, source), source)


def from_dict(data: Mapping[str, Any], source: str = "") -> Problem:
    """The problem in a mapping shaped like the file; floats stand for their shortest decimals (0.1 is 1/10)."""
    report = Report()
    problem = _problem(data, report)
    if problem is None:
        raise ProblemError(source or "problem", _in_file_order(report, data))
    return replace(problem, source=source)


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of problem files."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A problem file of derive",
        "type": "object",
        "allOf": [_schema_if(kind) for kind in KINDS if kind != "network"],
        "if": {"properties": {"kind": {"enum": [kind for kind in KINDS if kind != "network"]}}, "required": ["kind"]},
        "else": {"$ref": "#/$defs/network"},
        "$defs": {kind: _schema_of_kind(kind) for kind in KINDS},
    }


def _schema_if(kind: str) -> dict[str, Any]:
    return {
        "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
        "then": {"$ref": f"#/$defs/{kind}"},
    }


def _schema_of_kind(kind: str) -> dict[str, Any]:
    whole = schema_of(kind)
    return {**whole, "properties": {**whole["properties"], "kind": {"const": kind}}}


def new(kind: str = "network") -> str:
    """A commented problem file to start from; raises ProblemError for a kind that there is none of."""
    if kind not in KINDS:
        found = f"no problem file to start from for the kind {quote(kind)}{suggestion(kind, KINDS)}"
        raise _unusable("new", found, ", ".join(KINDS))
    return (BUNDLED / "new" / f"{kind}.toml").read_text(encoding="utf-8")


# -- bundled problems


@lru_cache(maxsize=1)
def bundled() -> tuple[tuple[str, str, str], ...]:
    """The name, title and topic of every problem that comes with the package, in alphabetical order of names."""
    found = []
    for name in _bundled_names():
        data = tomllib.loads((BUNDLED / f"{name}.toml").read_text(encoding="utf-8"))
        found.append((name, str(data["title"]), str(data["topic"])))
    return tuple(found)


@lru_cache(maxsize=1)
def _bundled_names() -> tuple[str, ...]:
    return tuple(sorted(path.name.removesuffix(".toml") for path in BUNDLED.glob("*.toml")))


def _listed() -> str:
    return ", ".join(_bundled_names())


def find(name: str) -> Problem:
    """The problem that a bundled name, a path, or - (standard input) stands for."""
    return loads(text_of(name), name)


def text_of(name: str) -> str:
    """The text of the file that a bundled name, a path, or - stands for; raises ProblemError."""
    if name == "-":
        return _decoded(_limited(sys.stdin.buffer, "-"), "-")
    return _file_text(BUNDLED / f"{name}.toml" if name in _bundled_names() else name)


# -- from bytes to a mapping


def _unusable(source: object, found: str, accepted: str, place: str = "") -> ProblemError:
    return ProblemError(str(source), (Mistake(place, found, accepted),))


def _too_large(source: str) -> ProblemError:
    return _unusable(source, f"a file of more than {MOST_BYTES // 1_000_000} MB", "a smaller problem file")


def _limited(file: IO[bytes], source: str) -> bytes:
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _too_large(source)
    return content


def _decoded(content: bytes, source: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _unusable(source, "a text in UTF-16", "the same text saved as UTF-8")
    if b"\0" in content:
        raise _unusable(source, "a binary file (it contains NUL bytes)", "a problem file (TOML) in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{content[error.start]:02x}, which is not UTF-8"
        raise _unusable(source, found, "a text saved as UTF-8", f"line {line}") from None


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"the number {quote(text)} is too large or too small to be used") from None


def mapping_of(text: str, source: str = "-") -> dict[str, Any]:
    """The mapping that a TOML text is, numbers as they were written; raises ProblemError."""
    if len(text) > MOST_BYTES:
        raise _too_large(source)
    if _LONG_DOTTED_KEY.search(text):
        raise _unusable(source, "a key of more than 64 parts", "keys such as update.learning_rate")
    try:
        return tomllib.loads(text, parse_float=_decimal)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.fullmatch(str(error))
        message = place[1] if place else str(error)
        raise _unusable(source, f"not TOML: {message}", _TOML, place[2] if place else "") from None
    except RecursionError:
        raise _unusable(source, "brackets that are nested too deeply", _TOML) from None
    except ValueError as error:
        long_number = "digits" in str(error)
        found = "a whole number of thousands of digits" if long_number else str(error)
        raise _unusable(source, found, "numbers of at most 60 digits") from None


def _in_file_order(report: Report, data: object) -> list[Mistake]:
    ranks: dict[int, dict[str, int]] = {}
    ordered = sorted(dict.fromkeys(report.mistakes), key=lambda mistake: _position(mistake.place, data, ranks))
    return [*ordered, *([Mistake("", f"{report.more} more mistakes", "none")] if report.more else [])]


def _position(place: str, data: Any, ranks: dict[int, dict[str, int]]) -> tuple[int, ...]:
    """Where a key path stands in the file: what is missing comes last in its table."""
    position: list[int] = []
    for step in re.findall(r"[^.\[\]]+", place):
        if isinstance(data, Mapping):
            if id(data) not in ranks:
                ranks[id(data)] = {str(key): i for i, key in enumerate(data)}
            position.append(ranks[id(data)].get(step, len(data)))
            data = data.get(step)
        elif isinstance(data, (list, tuple)) and step.isdecimal() and 0 < int(step) <= len(data):
            position.append(int(step))
            data = data[int(step) - 1]
        else:
            break
    return tuple(position)


# -- from a mapping to a problem


def _problem(data: object, report: Report) -> Problem | None:
    if not isinstance(data, Mapping):
        report.add("", shown(data), "a table, as a problem file has it")
        return None
    kind = data.get("kind", "network")
    if not isinstance(kind, str) or kind not in BY_KIND:
        read_keys(COMMON, {key: value for key, value in data.items() if key in COMMON}, "", report)
        return None
    fields = read_keys(BY_KIND[kind], data, "", report)
    return READERS[kind](fields, report)


def _network(fields: Table, report: Report) -> Problem | None:
    parts = read_network(fields, report)
    network = parts.network if parts else None
    vary = read_vary(fields, network, parts.given if parts else {}, report)
    rounding = _rounding(fields, report)
    if parts is None or network is None or report.mistakes:
        return None
    return Problem(
        title=fields.get("title") or title_of(network),
        body=network,
        given=parts.given,
        rounding=rounding,
        notation=fields.get("notation", "net-out"),
        update=parts.update,
        ask=fields.get("ask", ()),
        vary=vary,
        prose=_prose(fields),
    )


def _expression(fields: Table, report: Report) -> Problem | None:
    from derive.problem.expression import read_expression

    parts = read_expression(fields, report)
    definitions = parts.definitions if parts else None
    vary = read_vary(fields, definitions, parts.given if parts else {}, report)
    rounding = _rounding(fields, report)
    if parts is None or report.mistakes:
        return None
    return Problem(
        title=fields.get("title") or f"The expression {parts.definitions.output}",
        body=parts.definitions,
        given=parts.given,
        rounding=rounding,
        ask=fields.get("ask", ()),
        vary=vary,
        prose=_prose(fields),
    )


def _activation(fields: Table, report: Report) -> Problem | None:
    from derive.problem.points import read_points, title_of_points

    body = read_points(fields, report)
    vary = read_vary(fields, body, {}, report)
    rounding = _rounding(fields, report)
    if body is None or report.mistakes:
        return None
    title = fields.get("title") or title_of_points(body)
    return Problem(title, body, rounding=rounding, ask=fields.get("ask", ()), vary=vary, prose=_prose(fields))


def _loss(fields: Table, report: Report) -> Problem | None:
    from derive.problem.loss import read_loss_problem

    problem = read_loss_problem(fields, report)
    varied = Definitions("E", (), tuple(problem.given)) if problem else None
    vary = read_vary(fields, varied, {}, report)
    rounding = _rounding(fields, report)
    if problem is None or report.mistakes:
        return None
    return replace(problem, rounding=rounding, ask=fields.get("ask", ()), vary=vary, prose=_prose(fields))


def _perceptron(fields: Table, report: Report) -> Problem | None:
    from derive.problem.perceptron import read_perceptron

    parts = read_perceptron(fields, report)
    body = parts.perceptron if parts else None
    vary = read_vary(fields, body, parts.given if parts else {}, report)
    rounding = _rounding(fields, report)
    if parts is None or report.mistakes:
        return None
    if rounding.decimals == DEFAULT_DECIMALS and parts.decimals is not None and not _rounds(fields):
        rounding = replace(rounding, decimals=parts.decimals)
    return Problem(
        title=fields.get("title") or "A perceptron",
        body=parts.perceptron,
        given=parts.given,
        rounding=rounding,
        ask=fields.get("ask", ()),
        vary=vary,
        prose=_prose(fields),
    )


def _training(fields: Table, report: Report) -> Problem | None:
    from derive.problem.training import read_training

    parts = read_training(fields, report)
    varied = Definitions("iterations", (), parts[0].leaves) if parts else None
    vary = read_vary(fields, varied, {}, report)
    rounding = _rounding(fields, report)
    if parts is None or report.mistakes:
        return None
    return Problem(
        title=fields.get("title") or "Epochs, batches and iterations",
        body=parts[0],
        given=parts[1],
        rounding=rounding if _rounds(fields) else replace(rounding, decimals=0),
        ask=fields.get("ask", ()),
        vary=vary,
        prose=_prose(fields),
    )


def _optimizer(fields: Table, report: Report) -> Problem | None:
    from derive.problem.optimizer import read_run, title_of_run

    parts = read_run(fields, report)
    varied = Definitions("", (), tuple(parts[1])) if parts else None
    vary = read_vary(fields, varied, {}, report)
    rounding = _rounding(fields, report)
    if parts is None or report.mistakes:
        return None
    return Problem(
        title=fields.get("title") or title_of_run(parts[0]),
        body=parts[0],
        given=parts[1],
        rounding=rounding,
        ask=fields.get("ask", ()),
        vary=vary,
        prose=_prose(fields),
    )


def _initializer(fields: Table, report: Report) -> Problem | None:
    from derive.problem.initializer import read_initialization

    body = read_initialization(fields, report)
    rounding = _rounding(fields, report)
    if body is None or report.mistakes:
        return None
    return Problem(
        title=fields.get("title") or f"Initial weights: {body.initializer.title}",
        body=body,
        given=body.given(),
        rounding=rounding if _rounds(fields) else replace(rounding, decimals=None, significant=4),
        ask=fields.get("ask", ()),
        prose=_prose(fields),
    )


def _rounds(fields: Table) -> bool:
    """Whether the file says how many digits are shown."""
    table: Table = fields.get("rounding", Table({}))
    return "decimals" in table or "significant" in table


# A kind is loaded when a file of that kind is read: the page of a network is printed before the others are.
READERS: dict[str, Callable[[Table, Report], Problem | None]] = {
    "network": _network, "expression": _expression, "activation": _activation, "loss": _loss,
    "perceptron": _perceptron, "training": _training, "optimizer": _optimizer,
    "initializer": _initializer,
}  # fmt: skip


def _prose(fields: Table) -> dict[str, str]:
    return dict(fields.get("prose", Table({})).values)


def _rounding(fields: Table, report: Report) -> Rounding:
    table: Table = fields.get("rounding", Table({}))
    if "decimals" in table and "significant" in table:
        report.add("rounding.significant", "significant beside decimals", "one of the two")
        return Rounding()
    if table.wrong:
        return Rounding()
    return Rounding(**table.values)
