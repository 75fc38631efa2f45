"""Verdicts for reading, on standard output: a page each for a few students, else the report on the class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from derive.check.gradebook import Verdicts
from derive.reports.class_report import Tally, class_blocks
from derive.reports.look import Format, Style, page, style
from derive.reports.student import StudentPages
from derive.worked import WorkedExample

FEW = 4
"""So many students are shown one by one; more of them as a class."""


@dataclass(slots=True)
class Reading:
    """Collects what is shown at the end; a `Stream`."""

    format: Format
    example_of: Callable[[str], WorkedExample]
    title: str
    tally: Tally
    ascii: bool = False
    width: int = 80
    language: str = "en"
    few: list[Verdicts] = field(default_factory=list)

    def add(self, verdicts: Verdicts) -> str:
        self.tally.add(verdicts)
        if self.tally.students <= FEW:
            self.few.append(verdicts)
        return ""

    def finish(self) -> str:
        look = style(
            self.format, self.example_of(""), ascii=self.ascii, width=self.width, language=self.language
        )
        if self.tally.students > FEW:
            return page(class_blocks(self.tally, look, self.title), look)
        return "\n".join(self._pages(look))

    def _pages(self, look: Style) -> Iterator[str]:
        for verdicts in self.few:
            pages = StudentPages(self.example_of(verdicts[0].variant), look)
            yield page(pages.blocks(verdicts, derived=len(self.few) == 1), look)

