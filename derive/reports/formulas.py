"""Formulas in a sentence: "the sign of out_o1*(1 - out_o1) was lost" has one, which is printed as one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from derive.formula.expression import Expr

_TOKENS = {
    mark: re.compile(
        r"(?P<name>(?:d[A-Za-z]\w*/d)?[A-Za-z]\w*(?:\[\d+\]|@\d+)*)(?P<called>\()?"
        rf"|(?P<plain>\d+(?:\{mark}\d+)?|[-+*/^() ])|(?P<other>.)",
        re.DOTALL,
    )
    for mark in ".,"
}
_OPERATES = re.compile(r"[*^/]|[\w)] [-+] [\w(]|\w\(")
_LONGEST = 200


def parted(
    text: str, is_known: Callable[[str], bool], read: Callable[[str], Expr | None], mark: str = "."
) -> Iterator[str | Expr]:
    """The sentence in pieces: words as they stand, and formulas of more than one quantity as trees.

    is_known  whether a word is a quantity
    read      the formula that a text with decimal points is; None where it is none
    mark      the decimal mark of the sentence
    """
    at = 0
    for start, end in _runs(text, is_known, _TOKENS[mark]):
        start, end = _trimmed(text, start, end)
        part = text[start:end]
        expr = read(part.replace(mark, ".")) if len(part) <= _LONGEST and _OPERATES.search(part) else None
        if expr is not None:
            yield text[at:start]
            yield expr
            at = end
    yield text[at:]


def _runs(text: str, is_known: Callable[[str], bool], tokens: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Where quantities, functions, numbers, signs and spaces stand together."""
    start = end = 0
    for token in tokens.finditer(text):
        name = token["name"]
        if token["plain"] or (name and (token["called"] or is_known(name))):
            end = token.end()
            continue
        if end > start:
            yield start, end
        start = end = token.end()
    if end > start:
        yield start, end


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without what does not belong to a formula: spaces, signs with nothing to join, brackets around all of it."""
    while True:
        part = text[start:end]
        first, last = start + len(part) - len(part.lstrip(" +*/^)")), start + len(part.rstrip(" -+*/^("))
        part = text[first:last]
        opened, closed = part.count("("), part.count(")")
        first += part.startswith("- ") or (part.startswith("(") and (opened > closed or _encloses(part)))
        last -= part.endswith(")") and (closed > opened or _encloses(part))
        if (first, last) == (start, end) or first >= last:
            return first, max(first, last)
        start, end = first, last


def _encloses(part: str) -> bool:
    """Whether the first bracket is closed by the last."""
    depth = 0
    for place, char in enumerate(part):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return char == ")" and place == len(part) - 1
    return False
