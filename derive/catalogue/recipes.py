"""Learning-rate schedules and clipping, a row each, and a rule with nothing left open.

The formula of a schedule is a text of the grammar in eta_0 (the given rate), t (the number of the update, from 1), k
(how many whole runs of `every` updates lie before it) and its own numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from derive.catalogue.optimizers import SGD, UNUSED, USED, Hyper, Line, Optimizer, hyper, when
from derive.formula.expression import Number, number


@dataclass(frozen=True, slots=True)
class Schedule:
    """The rate of update t; the numbers in `required` must be given."""

    name: str
    title: str
    formula: str
    hypers: tuple[Hyper, ...]
    required: tuple[str, ...] = ()
    libraries: str = ""


_EVERY = hyper("every", "n", "1", "How many updates pass between two changes.")
SCHEDULE_ROWS = (
    Schedule("constant", "constant rate", "eta_0", ()),
    Schedule(
        "step", "step schedule", "eta_0*gamma^k",
        (hyper("factor", "gamma", "0.1", "What the rate is multiplied by."), _EVERY), ("every",),
        "PyTorch StepLR; Keras ExponentialDecay(staircase=True); optax exponential_decay(staircase=True)",
    ),
    Schedule(
        "exponential", "exponential schedule", "eta_0*gamma^((t - 1)/n)",
        (hyper("factor", "gamma", "0.9", "What the rate is multiplied by in `every` updates."), _EVERY), ("factor",),
        "Keras ExponentialDecay; optax exponential_decay; PyTorch ExponentialLR (every = 1)",
    ),
    Schedule(
        "cosine", "cosine schedule", "eta_min + 1/2*(eta_0 - eta_min)*(1 + cos(pi*min(t - 1, n)/n))",
        (
            hyper("least", "eta_min", "0", "The rate at the end."),
            hyper("over", "n", "1", "After how many updates the end is reached."),
        ),
        ("over",),
        "PyTorch CosineAnnealingLR, which rises again after the end; Keras CosineDecay; optax cosine_decay_schedule",
    ),
    Schedule(
        "inverse-time", "inverse-time schedule", "eta_0/(1 + gamma*(t - 1)/n)",
        (hyper("factor", "gamma", "0.1", "How fast the rate falls."), _EVERY), ("factor",),
        "Keras InverseTimeDecay; PyTorch Adagrad(lr_decay)",
    ),
)  # fmt: skip
SCHEDULES = {row.name: row for row in SCHEDULE_ROWS}


# --- a rule with nothing left open ---------------------------------------------------------------------------------

CLIP_NORM = hyper("clip_norm", "c", "0", "The largest norm that the gradients together may have.")
CLIP_EPSILON = hyper("clip_epsilon", "delta", "0", "Added to the norm before it divides (PyTorch: 1e-6).")
CLIP_VALUE = hyper("clip_value", "c", "0", "The largest size that each gradient may have.")

_CLIPPED_BY_VALUE = (Line("g_clip", "max(-c, min(c, g))"),)
_CLIPPED_BY_NORM = (
    Line("g_squares", "sum_of_squares", shared=True),
    Line("g_norm", "sqrt(g_squares)", shared=True),
    Line("g_factor", "1 if g_norm <= c else c/g_norm", when(clip_epsilon=UNUSED), shared=True),
    Line("g_factor", "1 if g_norm + delta <= c else c/(g_norm + delta)", when(clip_epsilon=USED), shared=True),
    Line("g_clip", "g_factor*g"),
)
_TURNED = (Line("g_up", "-g", when(maximize="true")),)
_COUPLED_DECAY = (Line("g_decay", "g + lambda*w", when(weight_decay=USED, decay="coupled")),)
GRADIENTS = ("g_clip", "g_up", "g_decay")
"""Lines that change the gradient: after each of them, g in a later line means its target."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """An optimizer with its numbers (by key) and conventions chosen.

    clip       "" (none), "norm" or "value"
    library    the library whose settings were asked for, if any
    """

    row: Optimizer = SGD
    numbers: tuple[tuple[str, Number], ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    schedule: Schedule = SCHEDULES["constant"]
    schedule_numbers: tuple[tuple[str, Number], ...] = ()
    clip: str = ""
    clip_at: Number | None = None
    clip_epsilon: Number = CLIP_EPSILON.default
    library: str = ""

    def value(self, key: str) -> Number:
        """The number of a hyper-parameter: as given, else its default."""
        given = dict(self.numbers)
        defaults = {hyper.key: hyper.default for hyper in self.row.all_hypers()}
        return given.get(key, defaults[key])

    def option(self, key: str) -> str:
        """The option taken of a convention: as given, else its default."""
        defaults = {choice.key: choice.default for choice in self.row.all_choices()}
        return dict(self.options).get(key, defaults[key])

    def settings(self) -> dict[str, str]:
        """What the conditions of the lines are compared with."""
        found = {choice.key: self.option(choice.key) for choice in self.row.all_choices()}
        found |= {hyper.key: _use(self.value(hyper.key)) for hyper in self.row.all_hypers()}
        return found | {"clip_epsilon": _use(self.clip_epsilon)}

    def lines(self) -> tuple[Line, ...]:
        """The definitions of one update, in order: clipping, decay, the rule itself."""
        clipped = {"norm": _CLIPPED_BY_NORM, "value": _CLIPPED_BY_VALUE}.get(self.clip, ())
        every = (*clipped, *_TURNED, *_COUPLED_DECAY, *self.row.lines)
        settings = self.settings()
        return tuple(line for line in every if holds(line.when, settings))

    def is_decoupled(self) -> bool:
        """Whether ηλw is taken off the parameter beside the rule."""
        return self.option("decay") == "decoupled" and self.value("weight_decay").value != 0

    def is_scheduled(self) -> bool:
        return self.schedule.name != "constant"

    def states(self) -> dict[str, Number]:
        """The states that the chosen lines carry, each with the number that it starts from."""
        targets = {line.target for line in self.lines()}
        keys = {hyper.key for hyper in self.row.hypers}
        return {
            state.name: self.value(state.start) if state.start in keys else number(state.start)
            for state in self.row.states
            if state.name in targets
        }

    def symbols(self) -> Iterator[tuple[str, Number]]:
        """Every hyper-parameter by its symbol in formulas, whether a chosen line has it or not."""
        yield from ((hyper.symbol, self.value(hyper.key)) for hyper in self.row.all_hypers())
        given = dict(self.schedule_numbers)
        yield from ((hyper.symbol, given.get(hyper.key, hyper.default)) for hyper in self.schedule.hypers)
        if self.clip_at is not None:
            yield "c", self.clip_at
            yield "delta", self.clip_epsilon

    def period(self) -> int:
        """After how many updates k of the schedule grows by one."""
        every = dict(self.schedule_numbers).get("every")
        return int(every.value) if every else 1


def _use(value: Number) -> str:
    return USED if value.value else UNUSED


def holds(when: tuple[tuple[str, str], ...], settings: Mapping[str, str]) -> bool:
    """Whether settings are among those that a line is for."""
    return all(settings[key] in allowed.split("|") for key, allowed in when)
