"""What a learning platform accepts otherwise than `derive check`, for the lecturer, beside an export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from derive.formula.languages import decimals
from derive.pages.prose import keys_of
from derive.worksheet.arrays import Flags, Floats
from derive.worksheet.good_numbers import slips_of
from derive.worksheet.honest import Mistaken, Slip, alike
from derive.worksheet.plan import PLATFORMS, Plan, Style
from derive.worksheet.templates import render, sentence
from derive.worksheet.values import Table
from derive.worksheet.windows import Platform, Window, Windows, plain

if TYPE_CHECKING:
    from derive.worksheet.press import Entry

TEMPLATE = "platform.md.jinja"
NAME = "platform.md"
BATCH = 1000
TITLES = {"moodle": "Moodle", "classic": "Canvas", "new": "Canvas"}


@dataclass
class _Quantity:
    """What is accepted beyond `derive check` of one quantity: in how many sheets, how many numbers at most."""

    name: str
    sheets: int = 0
    below: int = 0
    above: int = 0
    unbounded: int = 0


@dataclass
class _Hidden:
    """In how many sheets a mistake gives a number that both accept, and that only the platform does; the first one."""

    mistake: str
    name: str
    both: int = 0
    only: int = 0
    first: str = ""


@dataclass
class _Found:
    """What is found, with what numbers in it are said with: the sentences have {low} and the like."""

    language: str
    range: str
    unbounded: str
    example: str
    quantities: dict[tuple[int, str], _Quantity] = field(default_factory=dict)
    hidden: dict[tuple[int, str, str], _Hidden] = field(default_factory=dict)
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def number(self, text: str) -> str:
        return decimals(text, self.language, "unicode")


def report(plan: Plan, entries: Sequence[Entry]) -> dict[str, bytes]:
    """The report by the name of its file; nothing for formats that are for people."""
    if plan.style.format not in PLATFORMS:
        return {}
    platform = plan.style.platform
    found = _found(plan.style, platform)
    slips = [slips_of(example, asked) for example, asked in zip(plan.examples, plan.asked, strict=True)]
    waiting = iter(entries)
    while batch := list(islice(waiting, BATCH)):
        _add(found, plan, batch, slips, platform)
    return {NAME: _written(plan, found, platform, len(entries)).encode()}


def _found(style: Style, platform: Platform) -> _Found:
    words = {word: f"{{{word}}}" for word in ("low", "high", "sheet", "wrong", "answer")}
    say = _said(style, platform, 0, words)
    return _Found(style.language, say["from_to"], say["no_bounds"], say["for"])


def _said(style: Style, platform: Platform, sheets: int, words: Mapping[str, str]) -> dict[str, str]:
    """Every sentence of the report by its key."""
    filled = {"platform": TITLES[platform], "sheets": sheets, **words}
    return {
        key: sentence(style.templates, style.language, "platform", key, **filled)
        for key in keys_of(style.language, "platform")
    }


def _add(
    found: _Found, plan: Plan, batch: Sequence[Entry], slips: Sequence[tuple[Slip, ...]], platform: Platform
) -> None:
    space = plan.space
    places = [entry.place for entry in batch]
    picks, ids = space.drawn(plan.seed, places), space.ids_at(plan.seed, places)
    first = len(found.rows)
    for part, example in enumerate(plan.examples):
        table = Table(space, part, example, picks)
        windows = Windows(table, example, plan.asked[part])
        bounds = {name: _Bounds(table, name, windows.of(name), platform) for name in plan.asked[part]}
        for name, some in bounds.items():
            _differences(found, part, name, some.windows, ids, platform)
        _mistakes(found, part, slips[part], bounds, ids)
    order = {variant: place for place, variant in enumerate(ids)}
    found.rows[first:] = sorted(found.rows[first:], key=lambda row: order[row[0]])


class _Bounds:
    """The windows of a quantity as arrays."""

    def __init__(self, table: Table, name: str, windows: list[Window], platform: Platform) -> None:
        self.table, self.name, self.windows = table, name, windows
        self._answer, self._unit, self._least, self._most = (
            np.array([float(getattr(window, which)) for window in windows])
            for which in ("answer", "unit", "least", "most")
        )
        ends = [window.interval(platform) for window in windows]
        self._low, self._high = (np.array([float(pair[end]) for pair in ends]) for end in (0, 1))

    def accepted(self, wrong: Floats) -> tuple[Flags, Flags]:
        """Where a number, rounded as the page rounds, is one that honest rounding reaches, and one that is accepted."""
        with np.errstate(all="ignore"):
            steps = np.rint((wrong - self._answer) / self._unit)
            written = self._answer + steps * self._unit
            real = np.isfinite(wrong) & ~alike(self.table.column(self.name).value, wrong)
            honest = real & (steps >= self._least) & (steps <= self._most)
            accepted = real & (written >= self._low) & (written <= self._high)
        return honest, accepted


def _mistakes(
    found: _Found, part: int, slips: tuple[Slip, ...], bounds: Mapping[str, _Bounds], ids: list[str]
) -> None:
    """Count where the numbers of mistakes are accepted; one kind of mistake may be made at several places."""
    both: dict[tuple[str, str], Flags] = {}
    only: dict[tuple[str, str], Flags] = {}
    for slip in slips:
        mistake, mistaken = slip.name.partition(" ")[0], None
        for name, some in bounds.items():
            if not slip.changes(name):
                continue
            mistaken = mistaken or Mistaken(some.table, slip)
            with np.errstate(all="ignore"):
                wrong = np.broadcast_to(mistaken.value(name), len(ids))
            honest, accepted = some.accepted(wrong)
            if not (honest | accepted).any():
                continue
            row = found.hidden.setdefault((part, mistake, name), _Hidden(mistake, _named(part, name)))
            alone = accepted & ~honest
            if not row.first or (alone.any() and not row.only and not only[mistake, name].any()):
                place = int(np.flatnonzero(alone if alone.any() else honest)[0])
                numbers = found.number(f"{wrong[place]:.7g}"), found.number(str(some.windows[place].answer))
                row.first = found.example.format(sheet=ids[place], wrong=numbers[0], answer=numbers[1])
            both[mistake, name] = both.get((mistake, name), False) | honest
            only[mistake, name] = only.get((mistake, name), False) | alone
    for key, flags in both.items():
        row = found.hidden[part, *key]
        row.both += int(flags.sum())
        row.only += int((only[key] & ~flags).sum())


def _differences(
    found: _Found, part: int, name: str, windows: list[Window], ids: list[str], platform: Platform
) -> None:
    quantity = found.quantities.setdefault((part, name), _Quantity(_named(part, name)))
    for variant, window in zip(ids, windows, strict=True):
        below, above = window.beyond(platform)
        quantity.unbounded += not window.bounded
        if not (below or above or not window.bounded):
            continue
        quantity.sheets += 1
        quantity.below, quantity.above = max(quantity.below, below), max(quantity.above, above)
        low, high = window.interval(platform)
        number = found.number
        here = (
            found.range.format(low=number(str(window.low)), high=number(str(window.high)))
            if window.bounded
            else found.unbounded
        )
        there = found.range.format(low=number(plain(low)), high=number(plain(high)))
        found.rows.append((variant, quantity.name, number(str(window.answer)), here, there))


def _named(part: int, name: str) -> str:
    return f"{part + 1}: {name}" if part else name


def _written(plan: Plan, found: _Found, platform: Platform, sheets: int) -> str:
    decimals = [example.problem.rounding.decimals for example in plan.examples]
    words: dict[str, Any] = {
        "platform": TITLES[platform],
        "kind": platform,
        "fine": any(digits is None or digits > 4 for digits in decimals),
        "sheets": sheets,
        "quantities": [row for row in found.quantities.values() if row.sheets],
        "hidden": sorted(found.hidden.values(), key=lambda row: (-row.only, -row.both)),
        "rows": found.rows,
        "say": _said(plan.style, platform, sheets, dict.fromkeys(("low", "high", "sheet", "wrong", "answer"), "")),
    }
    return render(TEMPLATE, plan.style.templates, words)
