"""The folder of a batch: a page for each student, the class report, gradebook.csv, verdicts.jsonl."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from derive import __version__
from derive.check.gradebook import Gradebook, Verdicts, as_json_line
from derive.files import replacing, write_together
from derive.reports.class_report import Tally, chart, class_blocks
from derive.reports.look import SUFFIXES, Format, page, style
from derive.reports.progress import Progress
from derive.reports.student import StudentPages
from derive.worked import WorkedExample

LONGEST_NAME = 80
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


class Folder:
    """Writes what belongs to each student as soon as it is known, and the rest at the end.

    example_of  the worked example of a variant
    variants    whether students have variants
    """

    def __init__(
        self, folder: Path, format: Format, title: str, example_of: Callable[[str], WorkedExample], *, variants: bool,
        language: str = "en",
    ) -> None:  # fmt: skip
        self._folder = folder
        self._format = format
        self._title = title
        self._variants = variants
        self._example_of = example_of
        self._pages: dict[str, StudentPages] = {}
        self._style = style(format, example_of(""), language=language)
        self._taken: dict[str, str] = {}

    def write(self, progress: Progress, judged: Iterable[Verdicts], expected: Sequence[str]) -> Iterator[Verdicts]:
        """Everything, each student as they are passed on; students that `progress` knows are not judged again."""
        tally = Tally(expected, self._style.language)
        (self._folder / "students").mkdir(exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(progress)
            lines = stack.enter_context(replacing(self._folder / "verdicts.jsonl"))
            table = stack.enter_context(replacing(self._folder / "gradebook.csv"))
            book = Gradebook(table, expected, variants=self._variants)
            for verdicts, is_new in _both(progress, judged):
                path = self._page_of(verdicts[0].student, verdicts[0].variant)
                if is_new or not path.exists():
                    write_together({path: self._page(verdicts).encode("utf-8")})
                data = [as_json_line(verdict) for verdict in verdicts]
                if is_new:
                    progress.add(data)
                lines.writelines(f"{entry}\n" for entry in data)
                book.add(verdicts)
                tally.add(verdicts)
                yield verdicts
        self._write_report(tally)
        progress.forget()
        _clear(self._folder, SUFFIXES[self._format])

    def _write_report(self, tally: Tally) -> None:
        picture = chart(tally, self._style) if self._format != "text" else ""
        figure = "report.svg" if self._format == "markdown" else picture
        text = page(class_blocks(tally, self._style, self._title), self._style, figure)
        files = {self._folder / f"report{SUFFIXES[self._format]}": text.encode("utf-8")}
        if self._format == "markdown":
            files[self._folder / "report.svg"] = picture.encode("utf-8")
        write_together(files)

    def _page(self, verdicts: Verdicts) -> str:
        variant = verdicts[0].variant
        if variant not in self._pages:
            self._pages = {variant: StudentPages(self._example_of(variant), self._style)}
        return page(self._pages[variant].blocks(verdicts), self._style)

    def _page_of(self, student: str, variant: str) -> Path:
        """A file of one's own for each student, whatever the name is."""
        who = f"{student} {variant}".strip()
        name = file_name(who)
        if self._taken.setdefault(name.casefold(), who) != who:
            name = f"{name}-{hashlib.sha256(who.encode()).hexdigest()[:8]}"
            self._taken[name.casefold()] = who
        return self._folder / "students" / f"{name}{SUFFIXES[self._format]}"


def _clear(folder: Path, suffix: str) -> None:
    """Remove the files that runs which were killed had only begun."""
    of_batch = re.compile(r"\.(?:gradebook\.csv|verdicts\.jsonl|report\.\w+)\.\d+\.tmp")
    of_page = re.compile(rf"\..+{re.escape(suffix)}\.\d+\.tmp")
    for place, pattern in ((folder, of_batch), (folder / "students", of_page)):
        for path in place.glob(".*.tmp"):
            if pattern.fullmatch(path.name):
                path.unlink(missing_ok=True)


def key_of(*parts: object) -> str:
    """What stands for everything that a batch depends on: equal for equal input."""
    text = re.sub(r" at 0x[0-9a-f]+", "", repr((__version__, parts)))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def file_name(text: str) -> str:
    """Text as the name of a file on any system, without its suffix."""
    plain = unicodedata.normalize("NFC", text)
    name = re.sub(r"[^\w.,@+-]+", "_", plain)[:LONGEST_NAME].strip("._-, ") or "student"
    while len(name.encode("utf-8")) > 2 * LONGEST_NAME:
        name = name[:-1]
    return f"{name}_" if _RESERVED.fullmatch(name) else name


def _both(progress: Progress, judged: Iterable[Verdicts]) -> Iterator[tuple[Verdicts, bool]]:
    for verdicts in progress.students():
        yield verdicts, False
    for verdicts in judged:
        yield verdicts, True
