"""What the importers of Moodle and Canvas ask of a file, as their sources have it.

Moodle: question/format/xml/format.php (import_headers, import_multianswer, import_numerical) and the syntax of fields
in question/type/multianswer/questiontype.php.  Canvas: the reader of Classic Quizzes (canvas-lms, qti_exporter,
numeric_interaction.rb) and that of New Quizzes (instructure/qti, v1: numeric_interaction.rb, within_range.rb).
"""

from __future__ import annotations

import io
import re
import zipfile
from base64 import b64decode
from decimal import Decimal
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from derive.worksheet.press import Entry, Press
from derive.worksheet.writing import Bundles, bundle_names
from worksheets import EXPRESSION, SMALL
from worksheets import plan as plan_of

pytest.importorskip("text2qti", reason="text2qti is not installed")

NAMES = ('"q" {1:NUMERICAL:=1:9} \\(x\\) @@PLUGINFILE@@/x ]]>', "<b>Ada</b> & $x$ ~ # % =", "Łukasz 李", "")
ASK = ("out_o1", "dE/dw1", "dE/dw5", "w1_new", "f")
NUMBER = r"-?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?"


@cache
def _bundle(format: str, **words: Any) -> bytes:
    """Four sheets of two problems, one of them with names that look like syntax."""
    plan = plan_of(SMALL, EXPRESSION, format=format, bundle=True, ask=ASK, **words)
    entries = [Entry(place, name) for place, name in enumerate(NAMES, 3)]
    pieces: list[bytes] = []
    bundles = Bundles(plan, dict.fromkeys(bundle_names(plan), pieces.append))
    bundles.add(Press(plan, named=True).make(entries))
    bundles.close()
    return b"".join(pieces)


# --- Moodle --------------------------------------------------------------------------------------------------------

COMMON = {"name", "questiontext", "generalfeedback", "defaultgrade", "penalty", "hidden", "idnumber"}
CHILDREN = {
    "category": {"category", "info"},
    "cloze": COMMON,
    "numerical": COMMON | {"answer", "unitgradingtype", "unitpenalty", "showunits", "unitsleft"},
}
WORDS: list[dict[str, Any]] = [
    {"moodle": kind, "level": level, "language": language}
    for kind in ("cloze", "numerical")
    for level, language in (("bare", "en"), ("scaffold", "de"))
]


@pytest.mark.parametrize("words", WORDS)
def test_moodle_finds_everything_where_it_looks(words: dict[str, Any]) -> None:
    tree = ET.fromstring(_bundle("moodle", **words))
    assert tree.tag == "quiz"
    assert {child.tag for child in tree} == {"question"}
    numbers, names = [], []
    for question in tree:
        kind = question.get("type") or ""
        assert {child.tag for child in question} <= CHILDREN[kind]
        if kind == "category":
            assert re.fullmatch(r"\$course\$/top/[^/]+", question.findtext("category/text") or "")
            continue
        name = (question.findtext("name/text") or "").strip()
        assert 0 < len(name) <= 255
        names.append(name)
        numbers.append(question.findtext("idnumber") or "")
        assert Decimal(question.findtext("penalty") or "") == 0
        for field in ("questiontext", "generalfeedback"):
            _holds_its_files(question.find(field))
        if kind == "numerical":
            _numerical(question)
        else:
            _cloze(question.findtext("questiontext/text") or "")
    assert len(set(names)) == len(names)
    assert all(0 < len(number) <= 100 for number in numbers), "a number of a question has at most 100 letters"
    assert len(set(numbers)) == len(numbers), "and is the only one of its category"


def _holds_its_files(field: ET.Element | None) -> None:
    """HTML; every link to a file has one, whose content is Base64, and every file has its link."""
    assert field is not None
    assert field.get("format") == "html"
    links = re.findall(r"@@PLUGINFILE@@/([^\"]*)", field.findtext("text") or "")
    files = {file.get("name"): file for file in field.iter("file")}
    assert sorted(links) == sorted(name or "" for name in files)
    for file in files.values():
        assert (file.get("path"), file.get("encoding")) == ("/", "base64")
        assert b64decode(file.text or "", validate=True).startswith((b"<?xml", b"<svg"))


def _numerical(question: ET.Element) -> None:
    (answer,) = question.findall("answer")
    assert answer.get("fraction") == "100"
    assert re.fullmatch(NUMBER, answer.findtext("text") or "")
    assert re.fullmatch(NUMBER, answer.findtext("tolerance") or "")
    assert Decimal(answer.findtext("tolerance") or "") > 0
    assert answer.find("feedback/text") is not None
    assert int(question.findtext("defaultgrade") or "") >= 1
    shown = [question.findtext(name) for name in ("unitgradingtype", "unitpenalty", "showunits", "unitsleft")]
    assert shown == ["0", "0", "3", "0"], "no units"


def _cloze(text: str) -> None:
    """A field begins with {, a weight and the kind; what follows it is an answer with its tolerance, and nothing."""
    starts = re.findall(r"\{[0-9]*:[A-Z_]+:", text)
    fields = re.findall(rf"\{{[1-9][0-9]*:NUMERICAL:=({NUMBER}):({NUMBER})\}}", text)
    assert len(starts) == len(fields) == len(ASK)
    assert all(Decimal(tolerance) > 0 for _, tolerance in fields)


# --- Canvas --------------------------------------------------------------------------------------------------------


@cache
def _archive(canvas: str) -> dict[str, ET.Element | bytes]:
    """The files; those of XML as trees without namespaces."""
    with zipfile.ZipFile(io.BytesIO(_bundle("qti", canvas=canvas))) as file:
        assert file.testzip() is None
        return {
            name: ET.fromstring(re.sub(rb' xmlns="[^"]*"', b"", file.read(name)))
            if name.endswith(".xml") else file.read(name)
            for name in file.namelist()
        }  # fmt: skip


def _trees(canvas: str, tag: str) -> list[ET.Element]:
    return [tree for tree in _archive(canvas).values() if isinstance(tree, ET.Element) and tree.tag == tag]


@pytest.mark.parametrize("canvas", ["classic", "new"])
def test_every_resource_of_the_archive_is_found(canvas: str) -> None:
    files = _archive(canvas)
    (manifest,) = _trees(canvas, "manifest")
    resources = {entry.get("identifier"): entry for entry in manifest.iter("resource")}
    kinds = [entry.get("type") or "" for entry in resources.values()]
    assert kinds.count("imsqti_xmlv1p2") == len(NAMES)
    assert len(resources) == len(kinds) == len(list(manifest.iter("resource")))
    for entry in resources.values():
        hrefs = [file.get("href") for file in entry.iter("file")]
        assert hrefs
        assert all(href in files for href in hrefs)
        assert entry.get("href") in (None, *hrefs)
        assert all(other.get("identifierref") in resources for other in entry.iter("dependency"))
    identifiers = {tree.find("assessment").get("ident") for tree in _trees(canvas, "questestinterop")}  # type: ignore[union-attr]
    assert {quiz.get("identifier") for quiz in _trees(canvas, "quiz")} == identifiers
    assert identifiers <= set(resources)


@pytest.mark.parametrize("canvas", ["classic", "new"])
def test_canvas_reads_a_range_from_each_question(canvas: str) -> None:
    """Both readers: two bounds and no exact number beside them; a single field for a decimal number."""
    points = {quiz.get("identifier"): quiz.findtext("points_possible") for quiz in _trees(canvas, "quiz")}
    for tree in _trees(canvas, "questestinterop"):
        total, kinds = Decimal(0), []
        for item in tree.iter("item"):
            fields = item.iter("qtimetadatafield")
            data = {field.findtext("fieldlabel"): field.findtext("fieldentry") for field in fields}
            kinds.append(data["question_type"])
            if kinds[-1] != "numerical_question":
                continue
            total += Decimal(data["points_possible"] or "")
            (field,) = item.iter("render_fib")
            (response,) = item.iter("response_str")
            assert field.get("fibtype") == "Decimal"
            (scored,) = [where for where in item.iter("respcondition") if where.find("setvar") is not None]
            score = scored.find("setvar")
            assert score is not None
            assert (score.get("varname"), score.get("action"), score.text) == ("SCORE", "Set", "100")
            bounds = list(scored.find("conditionvar") or ())
            assert [bound.tag for bound in bounds] == ["vargte", "varlte"]
            assert {bound.get("respident") for bound in bounds} == {response.get("ident")}
            assert all(re.fullmatch(r"-?\d+(\.\d+)?", bound.text or "") for bound in bounds)
            assert float(bounds[0].text or "") < float(bounds[1].text or "")
        assert kinds.count("numerical_question") == len(ASK)
        assert set(kinds) == {"text_only_question", "numerical_question"}
        assert total == Decimal(points[tree.find("assessment").get("ident")] or "")  # type: ignore[union-attr]
