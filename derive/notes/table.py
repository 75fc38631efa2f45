"""The tables of the lecture notes in the index of the gallery."""

from __future__ import annotations

from collections.abc import Iterator

from derive.derivation.chain_rule import split_derivative
from derive.formula.expression import Expr
from derive.formula.grammar import read
from derive.formula.printing import write
from derive.notes.claims import claims
from derive.notes.compare import Example, Finding, data, examples, findings, problem_of
from derive.pages.prose import Prose
from derive.pages.writers import Writer, writer


def notes_lines() -> list[str]:
    """Markdown: every number, every statement, and what the programs of the notes compute."""
    pen = writer("markdown", "github", "net-out")
    prose = Prose(pen)
    lines = [f"## {_say(prose, 'title')}", "", _say(prose, "about"), ""]
    lines += [f"### {_say(prose, 'numbers')}", "", _say(prose, "about_numbers"), ""]
    lines += _table(_header(prose, "quantity", "printed", "ours", "verdict"), _numbers(prose, pen))
    lines += [f"### {_say(prose, 'claims')}", "", _say(prose, "about_claims"), ""]
    lines += _table(_header(prose, "claim", "holds", "verdict"), _claims(pen))
    lines += [f"### {_say(prose, 'programs')}", "", _say(prose, "about_programs"), ""]
    return lines + _table(_header(prose, "quantity", "ours"), _programs(pen))


def _say(prose: Prose, key: str, **words: object) -> str:
    return prose.say("notes", key, **words)


def _header(prose: Prose, *keys: str) -> tuple[str, ...]:
    return tuple(_say(prose, f"column_{key}") for key in keys)


def _table(header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(header)} |", "|" + " --- |" * len(header)]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _numbers(prose: Prose, pen: Writer) -> Iterator[tuple[str, ...]]:
    for example in examples():
        yield f"**{pen.escape(example.title)}**", "", "", ""
        for found in findings(example):
            name = _name(found.printed.text, found.printed.formula, pen)
            ours = found.ours if found.ours == found.printed.digits else f"{found.ours} ({found.closer})"
            yield name, _number(found.printed.digits, pen), _number(ours, pen), _verdict(found, example, prose, pen)


def _name(text: str, formula: Expr | None, pen: Writer) -> str:
    if formula is None:
        return pen.quantity(text)
    return pen.inline(write(formula, pen.style, pen.name, pen.constant))


def _number(text: str, pen: Writer) -> str:
    return pen.inline(text) if text.startswith("-") else text


def _verdict(found: Finding, example: Example, prose: Prose, pen: Writer) -> str:
    if found.carried:
        digits = {number.text: number.digits for number in (*example.before, *example.numbers)}
        used = ", ".join(pen.inline(f"{pen.name(name)} = {digits[name]}") for name in found.carried)
        return f"{found.verdict}, {_say(prose, 'carried', used=used)}"
    return f"{found.verdict}. {pen.escape(found.reason)}" if found.reason else found.verdict


def _claims(pen: Writer) -> Iterator[tuple[str, ...]]:
    for claim in claims():
        reason = f". {pen.escape(claim.reason)}" if claim.reason else ""
        yield pen.escape(claim.says), pen.escape(claim.ours), f"{claim.verdict}{reason}"


def _programs(pen: Writer) -> Iterator[tuple[str, ...]]:
    for entry in data("numbers.toml")["programs"]:
        worked = problem_of(entry)
        yield f"**{pen.escape(entry['title'])}**", ""
        for name in entry["quantities"]:
            shown = worked.shown(name) or ""
            is_name = split_derivative(name) is not None or name in set(worked.graph.forward())
            yield _name(name, None if is_name else read(name), pen), _number(shown, pen)
