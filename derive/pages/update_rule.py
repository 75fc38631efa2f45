"""An update rule in words and formulas: its definitions, its conventions, and which library takes which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation

from derive.catalogue.optimizers import OPTIMIZERS, Choice, Library
from derive.catalogue.recipes import holds
from derive.derivation.updating import sum_of_squares
from derive.formula.expression import Expr, Name, names_in, replace_names
from derive.formula.grammar import read
from derive.formula.printing import write, write_lines
from derive.pages.blocks import Block, Equation, Row, bullets, equations, paragraph, table
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.problem.rule import NEW, TOTAL, UpdateRule
from derive.worked import WorkedExample

ARROWS = {"latex": r"\leftarrow", "unicode": "←", "ascii": "<-"}
SMALL = 4
"""From so many places on, a power of ten is written as one in a table."""

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_FORMULA = re.compile("`([^`]+)`")


def spoken(text: str, writer: Writer) -> str:
    """A sentence of the catalogue with its formulas, which stand between backquotes, written out."""
    pieces = _FORMULA.split(text)
    return "".join(
        writer.inline(_written(read(piece), writer)) if place % 2 else _escaped(piece, writer)
        for place, piece in enumerate(pieces)
    )


def _escaped(text: str, writer: Writer) -> str:
    """The words between two formulas, with the spaces at their ends."""
    before, after = (" " * (text != stripped) for stripped in (text.lstrip(), text.rstrip()))
    return f"{before}{writer.escape(text)}{after}" if text.strip() else text


def _written(expr: Expr, writer: Writer) -> str:
    return write(expr, writer.style, writer.name, writer.constant)


def _current(definition: Expr, slopes: list[str]) -> Expr:
    """A definition in which every name means its newest value."""
    names: dict[str, Expr] = {name: Name(name.removesuffix(NEW)) for name in names_in(definition)}
    return replace_names(definition, names | {TOTAL: sum_of_squares(slopes)})


def definitions(rule: UpdateRule, slopes: list[str], writer: Writer, width: int) -> Block:
    """The whole rule, a line for each definition; `slopes` are the gradients that a norm is taken of."""
    lines = []
    for each in rule.assignments:
        written = write_lines(_current(each.definition, slopes), writer.style, writer.name, width, writer.constant)
        rows = tuple(Row(ARROWS[writer.style] if place == 0 else "", text) for place, text in enumerate(written))
        lines.append(Equation(writer.name(each.target), rows))
    return equations(*lines)


def in_one_line(rule: UpdateRule, writer: Writer) -> str:
    """The definitions of the rule one after the other, for a line of prose."""
    own = [each for each in rule.assignments if TOTAL not in set(names_in(each.definition))]
    found = []
    for each in own:
        right = _written(_current(each.definition, []), writer)
        found.append(writer.inline(f"{writer.name(each.target)} {ARROWS[writer.style]} {right}"))
    return writer.listed(found)


# --- conventions ---------------------------------------------------------------------------------------------------


def sentences(rule: UpdateRule, prose: Prose, writer: Writer) -> Iterator[str]:
    """What a reader must know besides the definitions."""
    recipe = rule.recipe
    starts = [f"{writer.name(state)} = {writer.constant(start)}" for state, start in rule.starts.items()]
    if starts:
        yield prose.say("optimizer", "starts", states=writer.listed(map(writer.inline, starts)))
    if "t" in rule.counters:
        yield prose.say("optimizer", "counter")
    for choice in recipe.row.choices:
        if _matters(choice, rule):
            options = dict(choice.options)
            yield prose.say(
                "optimizer",
                "choice",
                about=spoken(prose.translated(choice.about).removesuffix("."), writer),
                meaning=spoken(prose.translated(options[recipe.option(choice.key)]), writer),
            )
    if recipe.value("weight_decay").value:
        yield prose.say("optimizer", f"decay_{recipe.option('decay')}")
    if recipe.option("maximize") == "true":
        yield prose.say("optimizer", "maximize")
    if recipe.clip:
        yield prose.say("optimizer", f"clip_{recipe.clip}")
    if recipe.is_scheduled():
        every = recipe.period()
        yield prose.say("optimizer", "schedule", title=recipe.schedule.title, libraries=recipe.schedule.libraries)
        if "k" in rule.counters:
            yield prose.say("optimizer", "drops", every=every)


def _matters(choice: Choice, rule: UpdateRule) -> bool:
    """Whether another option would give other definitions, everything else being equal."""
    settings = rule.recipe.settings()
    found = {
        tuple(line for line in rule.recipe.row.lines if holds(line.when, settings | {choice.key: option}))
        for option, _ in choice.options
    }
    return len(found) > 1


# --- libraries -----------------------------------------------------------------------------------------------------


def libraries(rule: UpdateRule, prose: Prose, writer: Writer) -> Iterator[Block]:
    """A row for this problem and one for each library or paper, with the settings in which they differ; their notes."""
    row = rule.recipe.row
    keys = list(dict.fromkeys(key for library in row.libraries for key, _ in library.settings))
    if not rule.recipe.value("weight_decay").value and keys == ["decay"]:
        if names := same_as(rule):
            yield paragraph(prose.say("optimizer", "same_as", names=_named(names, prose, writer)))
        return
    hypers = {hyper.key: hyper for hyper in row.all_hypers()}
    defaults = {choice.key: choice.default for choice in row.all_choices()}
    header = [writer.quantity(hypers[key].symbol) if key in hypers else writer.escape(key) for key in keys]
    rows = [(prose.say("optimizer", "here"), *(_cell(_here(rule, key), writer) for key in keys))]
    for library in row.libraries:
        given = dict(library.settings)
        known = defaults | {key: hyper.default.written for key, hyper in hypers.items()} | {"decay": ""}
        cells = (_cell(_plain(given[key]) if key in given else known[key], writer) for key in keys)
        rows.append((_named([library.name], prose, writer), *cells))
    yield paragraph(prose.say("optimizer", "libraries"))
    yield table((prose.say("optimizer", "library"), *header), rows)
    notes = [(library.name, library.note) for library in row.libraries if library.note]
    if notes:
        words = (
            {"name": _named([name], prose, writer), "note": spoken(prose.translated(note), writer)}
            for name, note in notes
        )
        yield bullets(*(prose.say("optimizer", "note", **each) for each in words))


def _named(names: Iterable[str], prose: Prose, writer: Writer) -> str:
    """Libraries and papers in the language."""
    return ", ".join(writer.escape(prose.translated(name)) for name in names)


def _here(rule: UpdateRule, key: str) -> str:
    """The setting of this problem; how weight decays is none where none does."""
    recipe = rule.recipe
    if key == "decay" and not recipe.value("weight_decay").value:
        return ""
    options = {choice.key for choice in recipe.row.all_choices()}
    return recipe.option(key) if key in options else recipe.value(key).written


def _plain(text: str) -> str:
    """A number of the catalogue as this package writes numbers: 1e-7 as 0.0000001."""
    try:
        return format(Decimal(text), "f")
    except InvalidOperation:
        return text


def _cell(text: str, writer: Writer) -> str:
    if not text[:1].isdigit():
        return writer.escape(text)
    size = -Decimal(text).adjusted() if Decimal(text) else 0
    if size < SMALL or Decimal(text) != Decimal(1).scaleb(-size):
        return writer.inline(writer.number(text))
    raised = str(size).translate(_RAISED)
    return writer.math(f"10^{{-{size}}}", f"10⁻{raised}", f"1e-{size}")


def same_as(rule: UpdateRule) -> list[str]:
    """The libraries and papers whose conventions (not numbers) are those of this rule."""
    return [library.name for library in rule.recipe.row.libraries if _agrees(library, rule)]


def _agrees(library: Library, rule: UpdateRule) -> bool:
    row = OPTIMIZERS[rule.recipe.row.name]
    defaults = {choice.key: choice.default for choice in row.choices}
    theirs = defaults | {key: text for key, text in library.settings if key in defaults}
    return all(rule.recipe.option(key) == option for key, option in theirs.items())


def in_a_network(example: WorkedExample, prose: Prose, writer: Writer) -> Iterator[str]:
    """The rule of an [update] that is more than a step against the gradient, its conventions, and whose they are."""
    rule = example.derivation.updates.rule
    if rule.is_plain:
        return
    row = rule.recipe.row
    yield prose.say("optimizer", "network", title=row.title, formulas=in_one_line(rule, writer))
    yield from sentences(rule, prose, writer)
    if names := same_as(rule):
        yield prose.say("optimizer", "same_as", names=_named(names, prose, writer))
    keys = {choice.key for choice in row.choices}
    for library in row.libraries:
        settings = [f"{key} = {text}" for key, text in library.settings if key in keys]
        if settings and not _agrees(library, rule):
            words = {"name": _named([library.name], prose, writer), "settings": writer.escape(", ".join(settings))}
            yield prose.say("optimizer", "other", **words)
