"""QTI for Canvas: a quiz for each sheet, written by the package text2qti; all quizzes of a class in one file.

text2qti takes its identifiers from the texts of the questions, and Canvas takes questions with the same identifier for
one: so each question says which sheet it is of.

Three things of text2qti are not used.  It writes numbers with four decimals and refuses those below 0.0001: the bounds
that Canvas is to accept are put in afterwards.  Its manifest has the date of the day, and its ZIP file the time: both
are fixed here, so that the same sheets are the same bytes.
"""

from __future__ import annotations

import io
import json
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from derive.errors import DeriveError
from derive.pages.blocks import Block
from derive.worksheet.folder import scratch
from derive.worksheet.questions import Question, problems_of
from derive.worksheet.templates import render, sentence

if TYPE_CHECKING:
    from derive.worksheet.formats import Content
    from derive.worksheet.plan import Style

PAGE, QUIZ = "sheet.md.jinja", "sheet.qti.jinja"
HEAD, TAIL = "[\n", "\n]\n"
DATE = "2000-01-01"
_PICTURE = re.compile(r"^( *!\[[^\n]*\]\()@FIGURES@/", re.MULTILINE)
"""The place of a picture; nobody's words begin a line so, as their brackets are escaped."""
_RESOURCE = re.compile(r"    <resource .*?</resource>\n", re.DOTALL)


def line(latex: str) -> str:
    """A worked line, from its LaTeX: in one piece, as Canvas knows no paragraphs of formulas."""
    return f"${' '.join(latex.split())}$"


def body(style: Style, content: Content) -> str:
    """A quiz as JSON, with what text2qti reads in it."""
    sections = []
    for place, (given, lines) in enumerate(problems_of(content.blocks)):
        blocks = [*([_filled(content.blocks[0])] if place == 0 else []), *given, *lines]
        sections.append((_text(style, content, blocks).lstrip(), content.questions[place]))
    title = sentence(style.templates, style.language, "headings", "given")
    words = {"sections": sections, "variant": content.variant, "language": style.language, "given": title}
    quiz = {
        "variant": content.variant,
        "title": f"{_plain(content.blocks[0].text)} · {content.variant}",
        "student": content.quoted,
        "text": render(QUIZ, style.templates, words),
        "bounds": [[question.low, question.high] for question in _asked(content)],
        "figures": {f"{place + 1}.svg": drawn for place, drawn in enumerate(content.figures) if drawn},
    }
    return json.dumps(quiz, ensure_ascii=False, indent=1)


def _filled(masthead: Block) -> Block:
    """Without what is filled in by hand."""
    return replace(masthead, level=0, rows=tuple(row for row in masthead.rows if row[1]))


def _asked(content: Content) -> Iterator[Question]:
    for part in content.questions:
        yield from part


def _plain(text: str) -> str:
    """A title without the marks of Markdown: text2qti takes it as it stands."""
    import html

    return html.unescape(re.sub(r"\\(.)", r"\1", text))


def _text(style: Style, content: Content, blocks: Sequence[Block]) -> str:
    """The page up to its questions, indented as text2qti wants it; pictures lie in a folder that it is told later."""
    name = f"@FIGURES@/{content.variant}"
    links = [f"{name}-{place + 1}.svg" if drawn else "" for place, drawn in enumerate(content.figures)]
    words = {"blocks": blocks, "figure": links, "variant": content.variant, "kind": content.kind}
    fixed = {"part": "body", "dialect": "dollar", "language": style.language}
    text = render(PAGE, style.templates, {**fixed, **words})
    return "\n".join(f"    {row}".rstrip() for row in f"{text.strip()}\n\n{content.mark}".split("\n"))


# --- the file ------------------------------------------------------------------------------------------------------


def archive(text: str) -> bytes:
    """The ZIP file of quizzes; raises DeriveError where text2qti is missing."""
    stream = io.BytesIO()
    with scratch() as folder, ZipFile(stream, "w", ZIP_STORED) as file:
        resources, first = [], ""
        for quiz in json.loads(text):
            files = _quiz(quiz, folder)
            manifest = files.pop("imsmanifest.xml").decode()
            first = first or manifest
            resources += _RESOURCE.findall(manifest)
            for name, content in files.items():
                _add(file, name, content)
        _add(file, "imsmanifest.xml", _manifest(first, resources).encode())
    return stream.getvalue()


def _manifest(first: str, resources: Sequence[str]) -> str:
    """The manifest of the first quiz with the resources of all of them."""
    start = first.index("<resources>\n") + len("<resources>\n")
    return first[:start] + "".join(_told_apart(resources)) + first[first.index("  </resources>") :]


def _told_apart(resources: Sequence[str]) -> Iterator[str]:
    """Each resource once; two pictures that are alike have one identifier from text2qti, the second gets another."""
    known: Counter[str] = Counter()
    for resource in dict.fromkeys(resources):
        identifier = resource.partition('identifier="')[2].partition('"')[0]
        known[identifier] += 1
        count = known[identifier]
        yield resource if count == 1 else resource.replace(f'"{identifier}"', f'"{identifier}_{count}"', 1)


def _add(file: ZipFile, name: str, content: bytes) -> None:
    info = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.external_attr = 0o644 << 16
    file.writestr(info, content)


def _quiz(data: Mapping[str, Any], folder: Path) -> dict[str, bytes]:
    """The files of one quiz by name."""
    text2qti = _text2qti()
    for name, drawn in data["figures"].items():
        (folder / f"{data['variant']}-{name}").write_bytes(b64decode(drawn))
    title = " · ".join(filter(None, (data["title"], data["student"])))
    pages = _PICTURE.sub(lambda found: f"{found[1]}{folder.as_posix()}/", data["text"])
    text = f"Quiz title: {title}\n\n{pages}"
    config = text2qti.config.Config()
    try:
        quiz = text2qti.quiz.Quiz(text, config=config)
    except text2qti.err.Text2qtiError as error:
        raise DeriveError(f"{data['variant']}: text2qti: {error}; accepted: another format") from None
    bounds = iter(data["bounds"])
    for question in quiz.questions_and_delims:
        if getattr(question, "type", None) == "numerical_question":
            question.numerical_min_html_xml, question.numerical_max_html_xml = next(bounds)
    return _files(text2qti, quiz)


def _files(text2qti: Any, quiz: Any) -> dict[str, bytes]:
    made = text2qti.qti.QTI(quiz)
    name = made.assessment_identifier
    manifest = text2qti.xml_imsmanifest.imsmanifest(
        manifest_identifier=made.manifest_identifier, assessment_identifier=name,
        dependency_identifier=made.dependency_identifier, images=quiz.images, date=DATE,
    )  # fmt: skip
    files = {
        "imsmanifest.xml": manifest.encode(),
        f"{name}/assessment_meta.xml": made.assessment_meta.encode(),
        f"{name}/{name}.xml": made.assessment.encode(),
    }
    return files | {image.qti_zip_path: image.data for image in quiz.images.values()}


def _text2qti() -> Any:
    try:
        import text2qti.config
        import text2qti.err
        import text2qti.qti
        import text2qti.quiz
        import text2qti.xml_imsmanifest
    except ImportError:
        raise DeriveError('--format qti needs text2qti: pip install "derive-nn[qti]"') from None
    return text2qti
