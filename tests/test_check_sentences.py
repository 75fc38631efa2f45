"""What stands in reports: formulas in sentences are printed as formulas, names in the letters that a font has."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

import derive
from derive.formula.expression import Expr
from derive.formula.grammar import write
from derive.reports.formulas import parted
from derive.reports.letters import LATIN, in_latin
from derive.reports.look import Format, Style, _printable_tex, style


@cache
def look(format: Format) -> Style:
    return style(format, derive.load("backprop-2-2-1"))


def pieces(text: str) -> list[str]:
    found = parted(text, lambda name: look("text").find(name) is not None, look("text").read)
    return [part if isinstance(part, str) else f"<{write(part)}>" for part in found]


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("the difference w5 - eta*dE/dw5 was turned", "the difference <w5 - eta*dE/dw5> was turned"),
        ("the sign of 1/2*(y - out_o1)^2 was lost.", "the sign of <1/2*(y - out_o1)^2> was lost."),
        ("the net (w1*x1) - was left", "the net (<w1*x1>) - was left"),
        ("used as 1 - out_h1: out_h1 was left out", "used as <1 - out_h1>: out_h1 was left out"),
        ("tanh(net_h1) for sigmoid(net_h1)", "<tanh(net_h1)> for <sigmoid(net_h1)>"),
        ("w5 and w6, net_h1 as it stands", "w5 and w6, net_h1 as it stands"),
        ("e - mail, out-of-date, and/or, a (b), 7 - seven", "e - mail, out-of-date, and/or, a (b), 7 - seven"),
        ("w5*out_h1*(1 - out…", "w5*out_h1*(1 - out…"),
        ("(w1*x1", "(<w1*x1>"),
        ("w1*x1)", "<w1*x1>)"),
        ("((w1*x1)) + + ", "((<w1*x1>)) + + "),
        ("", ""),
    ],
)
def test_formulas_are_found_in_sentences(text: str, marked: str) -> None:
    assert "".join(pieces(text)) == marked


@given(st.text(alphabet="wxyE15_ +-*/^()de.,:", max_size=40))
def test_nothing_of_a_sentence_is_lost(text: str) -> None:
    found: list[str | Expr] = list(parted(text, lambda name: look("text").find(name) is not None, lambda _: None))
    assert "".join(part for part in found if isinstance(part, str)) == text


@pytest.mark.parametrize(
    ("format", "printed"),
    [
        ("text", "w5 − η · ∂E/∂w5 and <"),
        ("latex", r"$w_{5} - \eta \cdot \partial E/\partial w_{5}$ and \textless{}"),
        ("html", "<i>w5 − η · ∂E/∂w5</i> and &lt;"),
        ("markdown", r"$`w_{5} - \eta \cdot \partial E/\partial w_{5}`$ and &lt;"),
    ],
)
def test_a_sentence_in_each_format(format: Format, printed: str) -> None:
    assert look(format).sentence("w5 - eta*dE/dw5 and <") == printed


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("Дмитрий Щукин", "Dmitrij Ščukin"),
        ("Ли", "Li"),
        ("Ελένη Παπαδοπούλου", "Eleni Papadopoulou"),
        ("Nguyễn Văn Ứng", "Nguyên Văn Ung"),
        ("Łukasz Żółć", "Łukasz Żółć"),
        ("山", r"\texttt{U+5C71}\allowbreak{}"),
        ("δ_o1", r"\ensuremath{\delta}\_o1"),
        ("Σ", r"\ensuremath{\Sigma}"),
        ("a_b & {c}", r"a\_b \& \{c\}"),
    ],
)
def test_names_are_printed_with_the_letters_of_the_fonts(name: str, printed: str) -> None:
    assert _printable_tex(name) == printed


@given(st.text(max_size=12))
def test_any_name_comes_out_in_letters_of_the_fonts(name: str) -> None:
    assert all(ord(char) <= 0x17F or char in "†…–—‘’“”„•€" for char in _printable_tex(name))


def test_every_letter_of_the_table_has_latin_ones_that_the_fonts_have() -> None:
    for letter in LATIN:
        assert all(ord(char) <= 0x17F for char in in_latin(letter, lambda char: ord(char) <= 0x17F)), letter
