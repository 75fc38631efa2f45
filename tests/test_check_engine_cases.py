"""The numbers of published examples: those that are right are accepted, those that are wrong are not."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
from test_cases import MEANINGS, PROBLEMS, Meaning

from cases import Case, Printed, cases, folder, network, quantity
from derive.check.mistakes import mutants
from derive.check.model import Marking, Sheet, Verdict, Written
from derive.check.verdicts import judge
from derive.problem.file import from_dict
from derive.worked import WorkedExample

pytestmark = pytest.mark.skipif(folder() is None, reason="the published cases are not here")
RIGHT = ("exact", "rounded-carry")


def written(text: str, factor: Fraction = Fraction(1)) -> Written:
    """A printed number, divided by the factor that its key stands for."""
    plain = text.rstrip(".") if "..." in text else text
    digits = plain.lstrip("-").replace(".", "").lstrip("0")
    decimals = len(plain.partition(".")[2])
    if abs(factor) != 1:
        return Written(plain, Fraction(plain) / factor, decimals + 1, len(digits))
    return Written(plain, Fraction(plain) / factor, decimals, len(digits))


def groups(case: Case) -> Iterator[tuple[WorkedExample, dict[str, tuple[Printed, Written]]]]:
    """Each problem of a case, with the numbers printed for its quantities."""
    problems = PROBLEMS[case.name](case.inputs) if case.name in PROBLEMS else {"": network(case.inputs)}
    special = MEANINGS.get(case.name, {})
    found: dict[str, dict[str, tuple[Printed, Written]]] = {name: {} for name in problems}
    for printed in case.printed:
        name = quantity(printed.key)
        meaning = special.get(printed.key) or (Meaning(name) if name else None)
        if meaning is not None and meaning.name not in found[meaning.problem]:
            found[meaning.problem][meaning.name] = (printed, written(printed.text, meaning.factor))
    for name, problem in problems.items():
        yield WorkedExample(from_dict(problem)), found[name]


def judged(case: Case) -> list[tuple[Printed, Verdict]]:
    pairs = []
    for example, printed in groups(case):
        sheet = Sheet(case.name, {name: answer for name, (_, answer) in printed.items()})
        verdicts = judge(example, [sheet], list(printed), Marking(), mutants=mutants)
        pairs += [(printed[verdict.quantity][0], verdict) for verdict in verdicts]
    return pairs


KNOWN = [case for kind in ("network", "expression") for case in cases(kind) if case.name in {
    "01-mazur", "05-rgu-macleod", "09-udacity-gd-neuron", "11-victorzhou", "16-hmkcode-linear", "17-han-kamber",
    "23-rashid", "27-dsse-logistic-sign", "34-cs231n-circuits", "36-micrograd",
}]  # fmt: skip


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case.name)
def test_printed_numbers(case: Case) -> None:
    for printed, verdict in judged(case):
        said = (printed.key, verdict.answer, verdict.expected, verdict.status, verdict.accepted)
        if printed.verdict in RIGHT:
            assert verdict.status in ("correct", "rounded", "follow-through"), said
        else:
            assert verdict.status in ("wrong", "follow-through"), said
