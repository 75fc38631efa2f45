"""The options that say how a page is written, and the problem that it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from pathlib import Path

    from derive.numbers.rounding import Carry, Mode, Rounding
    from derive.problem.model import Notation, Problem

Command = TypeVar("Command", bound=Callable[..., Any])

FORMATS = ("text", "markdown", "latex", "json")
SUFFIXES = {".txt": "text", ".md": "markdown", ".markdown": "markdown", ".tex": "latex", ".json": "json"}
STANDARD = "-"


@dataclass(frozen=True, slots=True)
class Request:
    """What the options of a page say; None where an option was not given."""

    format: str | None
    dialect: str | None
    fragment: bool
    ascii: bool | None
    decimals: int | None
    significant: int | None
    carry: Carry | None
    rounding_mode: Mode | None
    notation: Notation | None
    output: str
    language: str = "en"

    def __post_init__(self) -> None:
        fits = (
            ("--dialect", self.dialect is not None, "markdown"),
            ("--fragment", self.fragment, "latex"),
            ("--ascii" if self.ascii else "--unicode", self.ascii is not None, "text"),
        )
        if self.path and not self.format and self.path.suffix and self.path.suffix.lower() not in SUFFIXES:
            raise click.UsageError(
                f"--output: found the suffix {self.path.suffix}; accepted: {', '.join(SUFFIXES)}, or --format"
            )
        for option, is_given, wanted in fits:
            if is_given and self.chosen_format != wanted:
                raise click.UsageError(f"{option} goes with --format {wanted}, not with {self.chosen_format}")

    @property
    def path(self) -> Path | None:
        """The file to write; None for standard output."""
        from pathlib import Path

        return None if self.output == STANDARD else Path(self.output)

    @property
    def chosen_format(self) -> str:
        """The format asked for, else the one that the suffix of the output says, else text."""
        suffix = self.path.suffix.lower() if self.path else ""
        return self.format or SUFFIXES.get(suffix, "text")

    def problem(self, source: str) -> Problem:
        """The problem with the rounding and the notation that the options ask for; raises ProblemError."""
        from derive.problem.file import find

        return self.asked(find(source))

    def asked(self, problem: Problem) -> Problem:
        """A problem with the rounding and the notation that the options ask for."""
        problem = problem.with_rounding(self._rounding(problem.rounding))
        return problem.with_notation(self.notation) if self.notation else problem

    def _rounding(self, given: Rounding) -> Rounding:
        if self.decimals is not None or self.significant is not None:
            given = replace(given, decimals=self.decimals, significant=self.significant)
        return replace(given, carry=self.carry or given.carry, mode=self.rounding_mode or given.mode)


def complete_problem(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """The bundled problems, and files (first: bash forgets what comes before that item)."""
    from derive.problem.file import bundled

    names = [CompletionItem(name, help=title) for name, title, _ in bundled() if name.startswith(incomplete)]
    return [CompletionItem(incomplete, type="file"), *names]


problem_argument = click.argument("problem", shell_complete=complete_problem)

_PAGE_OPTIONS = (
    click.option("--format", type=click.Choice(FORMATS), help="Default: by the suffix of the output file, else text."),
    click.option("--dialect", type=click.Choice(("github", "dollar")), help="How Markdown writes formulas: $`…`$ and "
                 "```math for GitHub (default), or $…$ and $$…$$ for Jupyter, Pandoc and others."),
    click.option("--fragment", is_flag=True, help="LaTeX to \\input, without preamble."),
    click.option("--ascii/--unicode", default=None, help="Text in ASCII or with ∂, δ and ·; default: as the "
                 "terminal can."),
    click.option("--decimals", metavar="N", type=int, help="Show N decimals, 0 to 100."),
    click.option("--significant", metavar="N", type=int, help="Show N significant digits, 1 to 100."),
    click.option("--carry", type=click.Choice(("full", "displayed")), help="Carry on the full value, or the number "
                 "as displayed, as by hand."),
    click.option("--rounding-mode", type=click.Choice(("half-up", "half-even")), help="Where ties go."),
    click.option("--notation", type=click.Choice(("net-out", "z-a", "matrix")), help="net and out, z and a, or whole "
                 "layers as matrices."),
    click.option("-o", "--output", metavar="FILE", default=STANDARD, help="Write to FILE; - is standard output."),
)  # fmt: skip


language_option = click.option("--lang", "language", type=click.Choice(("en", "de")), default="en", help="The language "
                               "of the page; German has a decimal comma.")  # fmt: skip


def page_options(command: Command) -> Command:
    """Every option of `Request`."""
    for option in reversed(_PAGE_OPTIONS):
        command = option(command)
    return command
