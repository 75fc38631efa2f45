"""What a lecturer asks for, as a value: from it alone every sheet follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from derive.derivation.chain_rule import derivative_name
from derive.derivation.names import Reference
from derive.derivation.network import NetworkGraph
from derive.derivation.perceptron import PerceptronGraph
from derive.errors import DeriveError
from derive.worked import WorkedExample
from derive.worksheet.good_numbers import NAMES
from derive.worksheet.kinds import asked_as
from derive.worksheet.later import MOST_LATER, LaterExample, last_update
from derive.worksheet.presentations import MOST_PRESENTATIONS, last, usual
from derive.worksheet.source import Source
from derive.worksheet.variants import Space, space_of
from derive.worksheet.windows import Platform

LEVELS = ("bare", "scaffold", "full")
KEYS = ("separate", "interleaved", "none")
PLATFORMS = ("moodle", "qti")
"""Formats of learning platforms: the answers are in them."""


@dataclass(frozen=True, slots=True)
class Style:
    """How the sheets look; nothing here changes a number.

    level    bare: the questions; scaffold: the chain of formulas with blanks; full: worked
    key      separate: a file, or a bundle, of its own; interleaved: behind its sheet; none
    course   printed in the head of each sheet, as `date` is
    lines    ruled lines for working, under the questions
    points   for each question, where it does not say otherwise; 0: no points are printed
    bundle   one document with all sheets instead of a file each
    language  of the sentences, with its decimal mark
    templates  (name, text) of each template, or file of sentences, that stands in the place of a built-in one
    moodle   cloze: a question for each sheet, with a field for each quantity; numerical: a question for each quantity
    canvas   classic or new: the kind of quizzes of Canvas that the sheets are for
    """

    format: str = "markdown"
    level: str = "bare"
    key: str = "separate"
    course: str = ""
    date: str = ""
    lines: int = 0
    points: int = 1
    bundle: bool = False
    dialect: str = "github"
    language: str = "en"
    templates: tuple[tuple[str, str], ...] = ()
    moodle: str = "cloze"
    canvas: str = "classic"

    def __post_init__(self) -> None:
        if self.level == "full" and self.format in (*PLATFORMS, "notebook"):
            raise DeriveError(f"--level full: a worked sheet asks nothing; accepted with --format {self.format}: bare "
                              "or scaffold")  # fmt: skip

    @property
    def platform(self) -> Platform:
        """The learning platform, where the sheets are for one."""
        return "moodle" if self.format == "moodle" else "classic" if self.canvas == "classic" else "new"

    @property
    def has_keys(self) -> bool:
        """Whether there are keys: a worked sheet is its own, and a learning platform keeps the answers itself."""
        return self.key != "none" and self.level != "full" and self.format not in PLATFORMS


@dataclass(frozen=True)
class Plan:
    """The problems of a sheet, what is asked of each, the seed, and how it looks.

    ask     quantities as they were asked for; empty: what the problem files ask for, else the usual ones
    allow   names of rules whose variants are kept
    """

    sources: tuple[Source, ...]
    seed: int = 0
    ask: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    style: Style = field(default_factory=Style)

    def __post_init__(self) -> None:
        unknown = [name for name in self.allow if name not in NAMES]
        if unknown:
            raise DeriveError(f'--allow: found "{unknown[0]}"; accepted: {", ".join(NAMES)}')

    def as_data(self) -> dict[str, Any]:
        """The plan for a manifest; `plan_from` reads it back."""
        return {
            "problems": [{"name": s.name, "text": s.text, "rounding": dict(s.rounding)} for s in self.sources],
            "seed": self.seed,
            "ask": list(self.ask),
            "allow": sorted(self.allow),
            "style": asdict(self.style),
        }

    @cached_property
    def space(self) -> Space:
        return space_of(self.sources)

    @cached_property
    def plain_examples(self) -> tuple[WorkedExample, ...]:
        """The problems as their files have them, in the names of pages and of the checker."""
        return tuple(WorkedExample(problem) for problem in self.space.problems)

    @cached_property
    def examples(self) -> tuple[WorkedExample, ...]:
        """The problems as their files have them: what is derived from them holds for every variant."""
        return tuple(
            LaterExample(example.problem)
            if isinstance(example.graph, NetworkGraph) and last_update(asked)
            else example
            for example, asked in zip(self.plain_examples, self.asked, strict=True)
        )

    @cached_property
    def asked(self) -> tuple[tuple[str, ...], ...]:
        """The canonical quantities that each problem asks for; raises DeriveError."""
        several = len(self.sources) > 1
        for name in self.ask if several else ():
            if not any(_has(example, name) for example in self.plain_examples):
                named = " or ".join(next(iter(usual_questions(example))) for example in self.plain_examples)
                raise DeriveError(f'"{name}" is a quantity of none of the problems; accepted: names such as {named}')
        own = (tuple(keys.get("ask", ())) for keys in self._sheet_keys)
        return tuple(
            _asked(example, self.ask, sheet, lenient=several)
            for example, sheet in zip(self.plain_examples, own, strict=True)
        )

    def points(self, part: int, quantity: str) -> int:
        """The points of one question: the problem file may give each quantity its own."""
        entry = self._sheet_keys[part].get("points", self.style.points)
        if isinstance(entry, Mapping):
            example = self.plain_examples[part]
            entry = {_canonical(example, name): int(value) for name, value in entry.items()}.get(
                quantity, self.style.points
            )
        return int(entry)

    @cached_property
    def _sheet_keys(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(source.data().get("sheet", {}) for source in self.sources)

    def title(self, part: int) -> str:
        """Of a problem: on sheets, where its file says so, another one than on its page."""
        return str(self._sheet_keys[part].get("title", self.space.problems[part].title))

    def context(self, part: int) -> tuple[str, ...]:
        """What stands before the numbers of a problem."""
        said = self._sheet_keys[part].get("context")
        return (str(said),) if said else tuple(self.space.problems[part].prose.values())

    def head(self, key: str) -> str:
        """The course or the date: as the lecturer says, else as the first problem file does."""
        return str(getattr(self.style, key) or next((keys[key] for keys in self._sheet_keys if key in keys), ""))


def plan_from(data: Mapping[str, Any]) -> Plan:
    """The plan that `Plan.as_data` wrote; raises DeriveError for anything else."""
    try:
        sources = tuple(Source(entry["name"], entry["text"], entry["rounding"]) for entry in data["problems"])
        own = tuple((str(name), str(text)) for name, text in data["style"].get("templates", ()))
        style = Style(**{**data["style"], "templates": own})
        return Plan(sources, int(data["seed"]), tuple(data["ask"]), tuple(data["allow"]), style)
    except (KeyError, TypeError, ValueError) as error:
        raise DeriveError(
            f"the manifest does not say how the sheets were made ({error}); accepted: one that derive wrote"
        ) from None


def _asked(
    example: WorkedExample, names: tuple[str, ...], sheet: tuple[str, ...], *, lenient: bool
) -> tuple[str, ...]:
    """With several problems a quantity is asked of those that have it; `sheet` is what the file asks on sheets."""
    found: dict[str, None] = {}
    for name in names or sheet or example.problem.ask:
        try:
            found[_canonical(example, name)] = None
        except DeriveError:
            if not (lenient and names):
                raise
    if not found:
        found = dict.fromkeys(usual_questions(example))
    return tuple(found)


def _has(example: WorkedExample, name: str) -> bool:
    try:
        return bool(_canonical(example, name))
    except DeriveError:
        return False


def _canonical(example: WorkedExample, name: str) -> str:
    _check_place(example, name)
    reference = example.find(asked_as(example.problem.body, name))
    if reference.step > MOST_LATER:
        raise DeriveError(f"{reference}: sheets ask for the first {MOST_LATER} updates; accepted: "
                          f"{reference.name}@{MOST_LATER}")  # fmt: skip
    if reference.step and not example.derivation.updates_anything():
        raise DeriveError(f"{reference}: nothing is updated; accepted: {reference.name}, or a problem with an [update]")
    found = example.shown_by(str(reference)) if not reference.step else _after(example, reference)
    if found is None:
        raise DeriveError(f'"{name}" is given; accepted: a quantity that is computed')
    return found


def _check_place(example: WorkedExample, name: str) -> None:
    """Raises DeriveError for a presentation of a perceptron after the end of its run, or too far away."""
    graph = example.graph
    if not isinstance(graph, PerceptronGraph):
        return
    there, place = graph.run.presentations, last((name,))
    most = min(there, MOST_PRESENTATIONS)
    if place > most:
        found = f"the run of the file has {there}" if place > there else f"sheets ask for the first {most}"
        raise DeriveError(f"{name}: {found} presentations; accepted: 1 to {most}")


def _after(example: WorkedExample, reference: Reference) -> str | None:
    """w5_new for w5@1, w5@2, dE/dw5@1; None for what no update changes."""
    name, step, derivation = reference.name, reference.step, example.derivation
    if derivation.is_carried(name):
        return f"{name}_new" if step == 1 else f"{name}@{step}"
    given = name == "eta" or derivation.quantity(name).definition is None
    return None if given else f"{name}@{step}"


def usual_questions(example: WorkedExample) -> list[str]:
    """Outputs, loss, gradients of what is updated and the updates; one epoch of a perceptron; all of other kinds."""
    graph, derivation = example.graph, example.derivation
    if isinstance(graph, PerceptronGraph):
        return list(usual(graph))
    if not isinstance(graph, NetworkGraph):
        forward = list(graph.forward())
        if graph.root is None:
            return forward
        behind = [name for name in graph.leaves() if graph.children(name)]
        return [*forward, *(derivative_name(graph.root, name) for name in behind)]
    last = set(graph.network.layers[-1].neurons)
    outputs = [
        name for name in graph.forward() if name.partition("[")[0].removeprefix("out_") in last and "out_" in name
    ]
    if graph.root is None:
        return outputs
    updated = derivation.updated()
    slopes = updated or graph.network.parameters()
    return [
        *outputs,
        graph.root,
        *(derivative_name(graph.root, name) for name in slopes),
        *(f"{n}_new" for n in updated),
    ]
