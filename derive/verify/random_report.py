"""What came of many random networks: how much agrees, what was covered, and a problem file for what does not."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import Any

from derive.verify.report import WORDS, largest_text, number_text
from derive.verify.table import COLUMNS, FORMAT, Column, Line, Table


@dataclass(slots=True)
class RandomReport:
    """Counts over all networks; of those that disagree the problem and its lines."""

    seed: int
    networks: int = 0
    quantities: int = 0
    kinks: int = 0
    largest: Line | None = None
    torch_missing: bool = False
    asked: dict[Column, int] = field(default_factory=dict)
    covered: dict[str, set[str]] = field(default_factory=dict)
    wrong: list[tuple[int, str, tuple[Line, ...]]] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return not self.wrong

    def add(self, place: int, text: str, table: Table) -> None:
        self.networks += 1
        self.quantities += len(table.lines)
        self.kinks += table.count("at-kink")
        if table.largest and (self.largest is None or table.largest.disagreement > self.largest.disagreement):
            self.largest = table.largest
        self.torch_missing = table.torch_missing
        for column in COLUMNS:
            asked = sum(line.numbers[column] is not None for line in table.lines)
            self.asked[column] = self.asked.get(column, 0) + asked
        self._cover(tomllib.loads(text))
        if not table.agrees:
            self.wrong.append((place, text, table.wrong))

    def _cover(self, problem: dict[str, Any]) -> None:
        named = [("activations", layer["activation"]) for layer in problem["layers"]]
        named += [("losses", problem["loss"]), ("optimizers", problem["update"]["optimizer"])]
        for what, written in named:
            name = written["name"] if isinstance(written, dict) else written
            self.covered.setdefault(what, set()).add(name)

    def last_lines(self) -> list[str]:
        """The network that disagreed last: its quantities and its problem file."""
        place, text, lines = self.wrong[-1]
        found = [f"Random network {place} of seed {self.seed} disagrees:"]
        for line in lines[:12]:
            numbers = ", ".join(f"{WORDS[column]} {number_text(line.numbers[column])}" for column in line.wrong)
            found.append(f"  {line.name}: derived {number_text(line.derived)}, {numbers}")
        found += [f"  … and {len(lines) - 12} more"] * (len(lines) > 12)
        return [*found, "This problem file shows it:", "", text]

    def summary_lines(self) -> list[str]:
        covered = ", ".join(f"{len(names)} {what}" for what, names in self.covered.items())
        asked = ", ".join(f"{self.asked[column]} by {WORDS[column]}" for column in COLUMNS if self.asked[column])
        found = [
            f"{self.networks} random networks of seed {self.seed}, with {covered}.",
            f"{self.quantities} quantities; checked: {asked}.",
        ]
        if self.kinks:
            found.append(f"At a kink: {self.kinks}; a difference quotient does not say which slope to take there.")
        if self.torch_missing:
            found.append("torch is not installed; with it one more opinion is asked: pip install 'derive-nn[witness]'")
        if self.agrees:
            found.append(f"All agree; the largest relative disagreement is {largest_text(self.largest)}.")
        else:
            places = ", ".join(str(place) for place, _, _ in self.wrong)
            found.append(f"{len(self.wrong)} of {self.networks} networks DISAGREE: {places}.")
        return found

    def as_data(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "seed": self.seed,
            "networks": self.networks,
            "quantities": self.quantities,
            "agrees": self.agrees,
            "largest_disagreement": self.largest.disagreement if self.largest else 0.0,
            "at_kinks": self.kinks,
            "checked": dict(self.asked),
            "covered": {what: sorted(names) for what, names in self.covered.items()},
            "disagree": [
                {"network": place, "problem": text, "quantities": [line.name for line in lines]}
                for place, text, lines in self.wrong
            ],
        }
