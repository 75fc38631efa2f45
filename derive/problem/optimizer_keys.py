"""The keys of an optimizer, its schedule and its clipping: a table made from the rows of the catalogue."""

from __future__ import annotations

from derive.catalogue.optimizers import OPTIMIZERS, OTHER_OPTIMIZERS, ROWS, Choice
from derive.catalogue.recipes import CLIP_EPSILON, CLIP_NORM, CLIP_VALUE, SCHEDULES
from derive.problem.shape import Key, Shape, either, flag, number, table, whole, word

LIBRARIES = tuple(dict.fromkeys(library.key for row in ROWS for library in row.libraries))
_NAME = word(tuple(OPTIMIZERS), also=OTHER_OPTIMIZERS, what="optimizer")
_SCHEDULE_NAME = word(tuple(SCHEDULES), what="schedule")
_MOST_UPDATES = 1_000_000


def _options(choices: list[Choice]) -> Shape[bool] | Shape[str]:
    if choices[0].is_flag:
        return flag()
    return word(tuple(dict.fromkeys(option for choice in choices for option, _ in choice.options)), what="option")


def _keys_of_rows() -> dict[str, Key]:
    hypers = {hyper.key: hyper for row in ROWS for hyper in row.all_hypers()}
    keys = {key: Key(number("a number from 0", least=0), hyper.about) for key, hyper in hypers.items()}
    choices: dict[str, list[Choice]] = {}
    for row in ROWS:
        for choice in row.all_choices():
            choices.setdefault(choice.key, []).append(choice)
    return keys | {key: Key(_options(found), found[0].about) for key, found in choices.items()}


OPTIMIZER = either(
    _NAME,
    table(
        {
            "name": Key(_NAME, "The optimizer.", required=True),
            "library": Key(word(LIBRARIES, what="library"), "The library or paper whose settings are taken."),
            **_keys_of_rows(),
        }
    ),
    accepted=f'{_NAME.accepted}, or a table such as {{name = "adam", beta1 = 0.9}}',
)

SCHEDULE = either(
    _SCHEDULE_NAME,
    table(
        {
            "name": Key(_SCHEDULE_NAME, "How the rate changes.", required=True),
            "factor": Key(number("a number above 0", above=0), "What the rate is multiplied by, or how fast it falls."),
            "every": Key(whole(1, _MOST_UPDATES), "How many updates pass between two changes (default 1)."),
            "over": Key(whole(1, _MOST_UPDATES), "After how many updates the end is reached (cosine)."),
            "least": Key(number("a number from 0", least=0), "The rate at the end (cosine; default 0)."),
        }
    ),
    accepted=f'{_SCHEDULE_NAME.accepted}, or a table such as {{name = "step", every = 10, factor = 0.5}}',
)

OPTIMIZER_KEYS = {
    "optimizer": Key(OPTIMIZER, "The rule of the update (default sgd: gradient descent)."),
    "schedule": Key(SCHEDULE, "How the learning rate changes from update to update (default constant)."),
    "clip_norm": Key(number("a number above 0", above=0), CLIP_NORM.about),
    "clip_epsilon": Key(number("a number from 0", least=0), CLIP_EPSILON.about),
    "clip_value": Key(number("a number above 0", above=0), CLIP_VALUE.about),
}
"""Of [update] in a network, and of kind = "optimizer"."""
