"""The bundled problems by topic, in the order in which somebody learns."""

from __future__ import annotations

from itertools import groupby

from derive.problem.file import bundled

TOPICS = (
    "neurons", "layers", "networks", "matrices", "activations", "losses", "optimizers", "initializers", "perceptron",
    "training", "expressions",
)  # fmt: skip

Row = tuple[str, str, str]


def by_topic() -> list[tuple[str, list[Row]]]:
    """(topic, (name, title, topic) of its problems by name); topics that are not in the list above come last."""
    rows = sorted(bundled(), key=lambda row: (_place(row[2]), row[2], row[0]))
    return [(topic, list(group)) for topic, group in groupby(rows, key=lambda row: row[2])]


def _place(topic: str) -> int:
    return TOPICS.index(topic) if topic in TOPICS else len(TOPICS)
