"""The last line of every page: what came of checking its numbers by a second calculation."""

from __future__ import annotations

from derive.pages.blocks import Block, paragraph
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.verify.checked import checked
from derive.worked import WorkedExample

MOST_NAMED = 5
"""So many quantities that disagree are named."""


def verification(example: WorkedExample, writer: Writer, language: str = "en") -> Block:
    """One sentence; a warning where anything disagrees."""
    found = checked(example)
    named = [writer.quantity(name) for name in found.wrong[:MOST_NAMED]]
    words = {
        "n": found.numbers,
        "derivatives": found.derivatives,
        "kinks": found.kinks,
        "digits": found.digits,
        "before_rounding": found.before_rounding,
        "stand_ins": found.stand_ins,
        "wrong": len(found.wrong),
        "names": ", ".join(named) + (", …" if len(found.wrong) > len(named) else ""),
    }
    key = "checked" if found.agrees and found.numbers else "nothing" if found.agrees else "warning"
    return paragraph(Prose(writer, language).say("verification", key, **words))
