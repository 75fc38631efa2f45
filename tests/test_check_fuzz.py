"""Whatever is handed in, as a text or as a file: it is read or refused in words, and soon."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import attacks
import derive
from derive.check.answers import read_answers
from derive.check.expressions import FormulaVerdict, judge_formula
from derive.check.formula_text import read_formula
from derive.check.model import Blank, Formula, Written
from derive.check.model import Unreadable as NotRead
from derive.check.quantities import Quantities
from derive.check.tables import Source
from derive.check.written import AnswerReader
from derive.derivation.names import Reference
from derive.errors import DeriveError
from derive.formula.grammar import MAX_NODES, Unreadable, read, write
from derive.formula.tokens import MAX_CHARACTERS
from derive.worked import WorkedExample, quantity_names

T = TypeVar("T")

ASKED = "dE/dw5"
SOON = 1.0
"""Seconds of processor time that nothing here may take; the attack table holds the limit of 50 ms."""

PIECES = (
    "w5 w6 out_h1 out_o1 net_h1 y1 dE/dw5 delta_o1 ∂E/∂w1 dE_dw1 w5_new eta E e pi π i1 foo d "
    "0 1 2 0.5 0.0822 1e400 1e-400 .5 3. 1,5 ½ ² ⁻¹ 9**9 "
    "+ - * / ^ ** · × ÷ − = == < <= ! % ( ) [ ] { } , ; : ' \" $ \\ # & | ~ @ @1 [1] _ . … "
    "exp( ln( sqrt( sigmoid( σ( max( abs( tanh( \\frac{ \\sqrt \\cdot \\left( \\right) \\partial \\sigma \\mathrm{ "
    "if else True None lambda __class__ <b> {{ }} \u200b \u202e \u0301 \ud83d \0"
).split(" ")
PIECES_AND_SPACE = st.sampled_from([*PIECES, " ", "\n", "\t"])
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(PIECES_AND_SPACE, max_size=30).map("".join),
    st.lists(PIECES_AND_SPACE, max_size=30).map(" ".join),
    st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")),
)
MANY = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


NAMED = ("mazur-2-2-2", "adam-2-2-1", "perceptron-or", "momentum-steps", "cross-entropy-batch", "batch-2-3-2-matrix")


@cache
def loaded(name: str) -> WorkedExample:
    return derive.load(name)


def problem() -> WorkedExample:
    return loaded("mazur-2-2-2")


@cache
def quantities() -> Quantities:
    return Quantities(problem())


@cache
def right() -> tuple[str, ...]:
    """Formulas of this problem as they are written."""
    definitions = (problem().derivation.quantity(name).definition for name in quantity_names(problem()))
    return tuple(write(definition) for definition in definitions if definition is not None)


def tried(call: Callable[[], T]) -> T | DeriveError:
    """What a call gives, or how it refuses."""
    try:
        return call()
    except DeriveError as error:
        return error


@contextmanager
def soon() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < SOON


@MANY
@given(TEXTS)
@example("((((((((((")
@example("1e400**1e400")
@example("\\frac{d}{")
@example("d/d d/d")
def test_the_grammar_reads_or_refuses(text: str) -> None:
    with soon():
        expr = tried(lambda: read(text))
        if isinstance(expr, Unreadable):
            assert 1 <= expr.column <= len(text) + 1
            assert str(expr).isprintable()
        else:
            assert not isinstance(expr, DeriveError)
            assert read(write(expr)) == expr


@MANY
@given(TEXTS)
@example("dE/dw5 =")
@example("$")
@example("=")
@example("d")
@example("∂/∂")
def test_a_formula_is_read_and_judged_or_refused(text: str) -> None:
    with soon():
        formula = tried(lambda: read_formula(text, problem(), ASKED))
        if isinstance(formula, Unreadable):
            assert 1 <= formula.column <= len(text) + 1
            return
        assert isinstance(formula, Formula)
        verdict = judge_formula(problem(), ASKED, formula)
        assert verdict == judge_formula(problem(), ASKED, formula)
        assert isinstance(verdict, FormulaVerdict)
        assert len(verdict.note) < 400


@MANY
@given(TEXTS, st.booleans())
def test_an_answer_is_read(text: str, comma: bool) -> None:
    reader = AnswerReader(quantities().find, quantities().formula, comma)
    with soon():
        answer = reader.read(text, ASKED)
    assert isinstance(answer, Written | Formula | Blank | NotRead)
    assert answer.text.isprintable()
    if isinstance(answer, Written):
        assert answer.value.denominator > 0


@MANY
@given(st.integers(0, 10**9))
def test_a_right_formula_with_a_slip_of_the_pen_is_judged(seed: int) -> None:
    """A few characters of a right formula exchanged: no crash, and the same verdict once it is written in order."""
    rng = random.Random(seed)
    letters = list(rng.choice(right()))
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(letters) + 1)
        piece = rng.choice((*PIECES, "", "", *letters))
        letters[place : place + rng.randint(0, 2)] = [piece]
    text = "".join(letters)
    with soon():
        try:
            formula = read_formula(text, problem(), ASKED)
        except Unreadable:
            return
        verdict = judge_formula(problem(), ASKED, formula)
    again = read_formula(write(formula.expr), problem())
    assert again.expr == formula.expr
    assert judge_formula(problem(), ASKED, again) == verdict


MARKS = st.sampled_from(
    "d dE/d ∂ / _ @ [ ] , E w w5 W1 B1 net_ net_h1 out_o1 delta_ eta y1 m_w5 v_ 1 2 0 99 ² ٣ １ _new + ' _d ( )".split()
)


@MANY
@given(st.sampled_from(NAMED), st.one_of(st.text(max_size=60), st.lists(MARKS, max_size=8).map("".join)))
@example("mazur-2-2-2", "net_h1[²]")
@example("mazur-2-2-2", "dE/ddE/dw5")
@example("mazur-2-2-2", "W1[١,١]")
@example("adam-2-2-1", "dE/dm_w5")
@example("mazur-2-2-2", "d_d" * 10_000)
def test_a_name_is_a_quantity_or_refused(name: str, text: str) -> None:
    """What is found has a definition, or is given."""
    found = tried(lambda: loaded(name).find(text))
    assert len(str(found)) < 400 + len(text)
    if isinstance(found, Reference) and found.name != "eta":
        assert loaded(name).derivation.quantity(found.name).name


def test_the_longest_formulas_are_judged_soon() -> None:
    for piece in ("w5", "out_h1", "dE/dw1", "1.000001", "w5_new", "delta_h1"):
        many = min(MAX_NODES // 2 - 5, MAX_CHARACTERS // (len(piece) + 1))
        for sign in "+*-":
            with soon():
                judge_formula(problem(), ASKED, read_formula(sign.join([piece] * many), problem()))


# --- files -----------------------------------------------------------------------------------------------------------

HEADS = (
    b"student,quantity,answer\n", b"student;quantity;answer\n", b"student,dE/dw5,out_h1\n", b"", b"\xef\xbb\xbf",
    "student,quantity,answer\n".encode("utf-16"), b'{"dE/dw5": ', b'"dE/dw5" = "', b"[{", b"student\tdE/dw5\n",
)  # fmt: skip
CELLS = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [b"ada", b"dE/dw5", b"0.0822", b"0,08", b'"', b'""', b"=1+1", b",", b";", b"\t", b"\0", b"\r", b"\n"]
    ),
)
ROWS = st.lists(st.lists(CELLS, max_size=5).map(b",".join), max_size=12).map(b"\n".join)


def handed_in(content: bytes, path: Path) -> None:
    """The file is read to its end, or refused in words."""
    path.write_bytes(content)
    with soon():
        file = tried(lambda: read_answers(Source(str(path)), quantities()))
        sheets = tried(lambda: list(file.sheets())) if not isinstance(file, DeriveError) else []
    assert str(file)
    for sheet in sheets if isinstance(sheets, list) else ():
        for answer in sheet.answers.values():
            assert isinstance(answer, Written | Formula | Blank | NotRead)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(HEADS), st.one_of(st.binary(max_size=200), ROWS), st.sampled_from([".csv", ".toml", ".json", ""])
)
def test_a_file_of_anything_is_read_or_refused(tmp_path: Path, head: bytes, body: bytes, suffix: str) -> None:
    handed_in(head + body, tmp_path / f"answers{suffix}")


def test_a_file_of_attacks_has_a_verdict_for_each(tmp_path: Path) -> None:
    """Each in a cell of its own, as the answer, as the student and as the quantity."""
    texts = [text for _, text in attacks.READ if text.isprintable()]
    path = tmp_path / "answers.csv"
    quoted = ['"' + text.replace('"', '""') + '"' for text in texts]
    lines = [f"s{place},dE/dw5,{cell}\n{cell},out_h1,0.5\nx{place},{cell},1" for place, cell in enumerate(quoted)]
    path.write_bytes(("student,quantity,answer\n" + "\n".join(lines) + "\n").encode("utf-8", "surrogatepass"))
    file = read_answers(Source(str(path)), quantities())
    sheets = {sheet.student: sheet for sheet in file.sheets()}
    assert all(f"s{place}" in sheets and "dE/dw5" in sheets[f"s{place}"].answers for place in range(len(texts)))
    assert not {len(line) for line in file.notes.lines()} - set(range(1, 700))
