"""The table of `derive verify` as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from derive.verify.table import Column, Line, Table

TITLES: dict[Column, str] = {"mlp": "MLP", "again": "40 digits", "torch": "torch"}
WORDS: dict[Column, str] = {"mlp": "the NumPy MLP", "again": "a second calculation in 40 digits", "torch": "torch"}
DIGITS = 9


def table_lines(table: Table) -> list[str]:
    """The title, a row for each quantity, and what came of it."""
    header = ("quantity", "derived", *(TITLES[column] for column in table.columns), "disagreement")
    rows = [header, *(_row(line, table.columns) for line in table.lines)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(header))]
    body = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [table.title, "", *body, "", *summary_lines(table)]


def _row(line: Line, columns: Iterable[Column]) -> tuple[str, ...]:
    cells = ("at a kink" if column == "again" and line.verdict == "at-kink" else number_text(line.numbers[column])
             for column in columns)  # fmt: skip
    return (line.name, number_text(line.derived), *cells, disagreement_text(line))


def number_text(value: float | None) -> str:
    return "-" if value is None else f"{value:.{DIGITS}g}"


def disagreement_text(line: Line) -> str:
    """0, 3e-16, or who differs."""
    apart = "0" if not line.disagreement else f"{line.disagreement:.0e}"
    if not line.wrong:
        return apart if line.derived is not None and _any(line) else "-"
    return f"{apart}  {' and '.join(TITLES[column] for column in line.wrong)} DIFFER{'S' * (len(line.wrong) == 1)}"


def _any(line: Line) -> bool:
    return any(number is not None for number in line.numbers.values())


def summary_lines(table: Table) -> list[str]:
    """What was checked, by whom, and what came of it."""
    if not table.lines or not table.columns:
        return ["Nothing here can be calculated a second time."]
    what = [f"{_count(table, column)} by {WORDS[column]}{_quotients(table, column)}" for column in table.columns]
    found = [f"{len(table.lines)} quantities; checked: {', '.join(what)}."]
    if table.stand_ins:
        found.append("The symbols were replaced by numbers.")
    if table.before_rounding:
        found.append("The page carries its displayed numbers on; these are the numbers with full precision.")
    if kinks := table.count("at-kink"):
        found.append(f"At a kink: {kinks}; a difference quotient does not say which slope to take there.")
    if "mlp" not in table.columns and table.kind not in ("network", "activation", "loss", "optimizer"):
        found.append(f"The MLP has nothing to say about the kind {table.kind}.")
    if table.torch_missing:
        found.append("torch is not installed; with it one more opinion is asked: pip install 'derive-nn[witness]'")
    if table.agrees:
        found.append(f"All agree; the largest relative disagreement is {largest_text(table.largest)}.")
    else:
        found.append(f"{len(table.wrong)} of {len(table.lines)} DISAGREE: {named(table.wrong)}.")
    return found


def named(lines: Iterable[Line]) -> str:
    names = [line.name for line in lines]
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


def largest_text(line: Line | None) -> str:
    """6e-16 (dE/dw1, MLP)"""
    if line is None or line.worst is None:
        return "0"
    return f"{line.disagreement:.0e} ({line.name}, {TITLES[line.worst]})"


def _count(table: Table, column: Column) -> int:
    return sum(line.numbers[column] is not None for line in table.lines)


def _quotients(table: Table, column: Column) -> str:
    if column != "again":
        return ""
    slopes = sum(line.is_slope and line.numbers["again"] is not None for line in table.lines)
    return f" ({slopes} of them difference quotients)" if slopes else ""
