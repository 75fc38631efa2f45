"""The templates of the sheets: those that come with derive, and a lecturer's own in their place.

A template is somebody's file: it runs in a sandbox that reaches nothing but what it is given, sees no file outside its
folder, and stops when it takes too long.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from jinja2 import FunctionLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from derive.errors import DeriveError
from derive.pages.prose import Prose, templates_folder
from derive.pages.writers import writer

Own = tuple[tuple[str, str], ...]
"""(name, text) of each template of a lecturer: it is kept in the plan, so the sheets can be made again without it."""

MOST_STEPS = 1_000_000
MOST_SIZE = 500_000
MOST_TEXT = 20_000_000
MOST_TEMPLATES = 50
FILTERS = (
    "capitalize default e escape first int last length list lower max min reverse sort string title trim unique upper"
).split()
TEXT_METHODS = frozenset(
    "capitalize endswith lower lstrip removeprefix removesuffix rstrip split startswith strip title upper".split()
)

_TEX_DELIMITERS = {
    "block_start_string": "<%", "block_end_string": "%>", "variable_start_string": "<<", "variable_end_string": ">>",
    "comment_start_string": "<#", "comment_end_string": "#>",
}  # fmt: skip
_REFUSED = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
_NAME = re.compile(r"[\w.-]+\.(?:jinja|toml)")


class _Sandbox(ImmutableSandboxedEnvironment):
    """Loops come to an end, and no text grows beyond measure."""

    intercepted_binops = frozenset(("+", "*", "**", "%"))
    steps = 0

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            loop.iter = _filtered(loop.iter, "counted")
        return _Concatenations().visit(tree)  # type: ignore[no-any-return]  # it gives back what it visits

    def counted(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise SecurityError(f"more than {MOST_STEPS:,} steps of loops")
            yield item

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        sizes = [abs(value) if isinstance(value, int | float) else len(value) for value in (left, right)]
        size = sizes[0] * sizes[1] if operator == "*" else sum(sizes)
        if operator == "**" or (operator == "%" and isinstance(left, str)) or size > MOST_SIZE:
            raise SecurityError(f"{operator} with something so large")
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> None:  # noqa: ARG002  # no text is formatted: a width may be huge
        return None

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, str):
            return attr in TEXT_METHODS
        return super().is_safe_attribute(obj, attr, value)


class _Concatenations(NodeTransformer):
    """a ~ b becomes (a, b) | joined."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802  # the name that Jinja looks for
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "joined")


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _joined(parts: Iterable[Any], between: str = "") -> str:
    """The parts in a row."""
    texts = [str(part) for part in parts]
    if sum(map(len, texts)) + len(texts) * len(between) > MOST_TEXT:
        raise SecurityError("a text so long")
    return between.join(texts)


def _replaced(text: str, old: str, new: str) -> str:
    text, old, new = str(text), str(old), str(new)
    if len(text) + text.count(old) * len(new) > MOST_TEXT:
        raise SecurityError("a text so long")
    return text.replace(old, new)


def read_own(folder: Path) -> Own:
    """The templates of a folder, read once; raises DeriveError."""
    known = {path.name for path in (templates_folder() / "sheets").glob("*.jinja")}
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in (".jinja", ".toml") and path.is_file())
        found = tuple((path.name, path.read_text(encoding="utf-8")) for path in paths[: MOST_TEMPLATES + 1])
    except (OSError, UnicodeDecodeError) as error:
        raise DeriveError(f"--templates {folder}: cannot be read: {error}; accepted: a folder of templates") from None
    if len(found) > MOST_TEMPLATES or any(len(text) > MOST_SIZE or not _NAME.fullmatch(name) for name, text in found):
        raise DeriveError(f"--templates {folder}: accepted: at most {MOST_TEMPLATES} templates of at most 500 kB")
    if not any(name in known or name in PROSE.values() for name, _ in found):
        raise DeriveError(
            f"--templates {folder}: holds no template; accepted: {', '.join(sorted((*known, *PROSE.values())))}"
        )
    for name, text in found:
        if name in PROSE.values():
            _prose_of(name, text)
        else:
            _template(name, found)
    return found


PROSE = {"en": "en.toml", "de": "de.toml"}


def own_prose(own: Own, language: str) -> Mapping[str, Mapping[str, str]]:
    """The sentences that a lecturer says otherwise, by group and key."""
    text = dict(own).get(PROSE[language])
    return _prose_of(PROSE[language], text) if text is not None else {}


def sentence(own: Own, language: str, group: str, key: str, /, **words: object) -> str:
    """A sentence outside the blocks of a sheet, in the lecturer's words or in the usual ones."""
    return Prose(writer("latex", "dollar", "net-out", language=language), language, own_prose(own, language)).say(
        group, key, **words
    )


@lru_cache(maxsize=8)
def _prose_of(name: str, text: str) -> Mapping[str, Mapping[str, str]]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeriveError(f"{name}: {error}; accepted: TOML as in templates/prose/{name}") from None
    known = tomllib.loads((templates_folder() / "prose" / name).read_text(encoding="utf-8"))
    for group, entries in data.items():
        if group not in known or not isinstance(entries, dict):
            raise DeriveError(f"{name}: found the group [{group}]; accepted: {', '.join(known)}")
        for key, value in entries.items():
            if not isinstance(value, str) or (key not in known[group] and group != "titles"):
                raise DeriveError(f"{name}: found {group}.{key}; accepted: texts for {', '.join(known[group])}")
    return data


def copy_templates(folder: Path) -> list[str]:
    """Write the built-in templates into a folder, to start from; raises DeriveError where one is there already."""
    sources = sorted((templates_folder() / "sheets").glob("*.jinja"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = next((path.name for path in sources if (folder / path.name).exists()), None)
        if there:
            raise DeriveError(f"{folder / there}: is there already; accepted: a folder without templates")
        for path in sources:
            (folder / path.name).write_bytes(path.read_bytes())
    except OSError as error:
        raise DeriveError(f"{folder}: cannot be written: {error.strerror or error}") from None
    return [path.name for path in sources]


def render(name: str, own: Own, words: Mapping[str, Any]) -> str:
    """A template filled in; raises DeriveError with its file and line."""
    template = _template(name, own)
    environment = template.environment
    assert isinstance(environment, _Sandbox)
    environment.steps = 0
    try:
        return template.render(words)
    except DeriveError:
        raise
    except _REFUSED as error:
        raise _told(name, own, error) from None


@lru_cache(maxsize=64)
def _template(name: str, own: Own) -> Template:
    try:
        return _environment(own, ".tex." in name).get_template(name)
    except TemplateError as error:
        raise _told(name, own, error) from None


@lru_cache(maxsize=8)
def _environment(own: Own, tex: bool) -> _Sandbox:
    texts = dict(own)

    def load(name: str) -> tuple[str, str, None] | None:
        text = texts.get(name)
        text = _built_in().get(name) if text is None else text
        return None if text is None else (text, name, None)

    environment = _Sandbox(
        loader=FunctionLoader(load),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **(_TEX_DELIMITERS if tex else {}),
    )
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    environment.filters |= {"counted": environment.counted, "joined": _joined, "join": _joined, "replace": _replaced}
    environment.globals = {name: environment.globals[name] for name in ("range", "namespace")}
    return environment


@cache
def _built_in() -> Mapping[str, str]:
    paths = (templates_folder() / "sheets").glob("*.jinja")
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def _told(name: str, own: Own, error: Exception) -> DeriveError:
    """What went wrong, with the file and the line of the template."""
    names = {name, *dict(own)}
    if isinstance(error, TemplateSyntaxError):
        place, line = error.filename or error.name or name, error.lineno
    else:
        place, line = _line(error.__traceback__, names, name)
    why = "is not there" if type(error).__name__ == "TemplateNotFound" else error
    return DeriveError(f"{place}:{line}: {why}; accepted: a template as --copy-templates writes them")


def _line(trace: TracebackType | None, names: set[str], name: str) -> tuple[str, int]:
    """The last line of a template that ran."""
    found = (name, 1)
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file in names:
            found = (file, trace.tb_lineno)
        trace = trace.tb_next
    return found
