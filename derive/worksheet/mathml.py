"""Formulas of the pages as MathML, by math-core: one file shows them without a script."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from derive.errors import DeriveError
from derive.formula.languages import LANGUAGES
from derive.pages.prose import templates_folder

BLANK = "\ue000"
"""Stands in a formula for what is to be filled in."""

_BLANK_BOX = '<mspace width="0.3em"></mspace><mspace class="blank" width="8em" height="0.9em" depth="0.2em"></mspace>'
_COMMA = re.compile(r'<mn>([0-9]+)</mn><mo rspace="0">,</mo><mn>([0-9]+)</mn>')
_SCIENTIFIC = re.compile(r"(-?[0-9.]+)e([-+]?)0*([0-9]+)")


@cache
def font() -> str:
    """The font of the formulas, to stand inside a page."""
    data = (templates_folder() / "sheets" / "sheet-math.woff2").read_bytes()
    return f"data:font/woff2;base64,{base64.b64encode(data).decode()}"


@cache
def _converter() -> Callable[..., str]:
    try:
        import math_core
    except ImportError:
        raise DeriveError('HTML needs math-core: pip install "derive-nn[html]"') from None
    converter: Any = math_core.LatexToMathML(fancy_error=False)
    convert: Callable[..., str] = converter.convert_with_local_state
    return convert


def _refusal() -> type[Exception]:
    import math_core

    refusal: type[Exception] = math_core.LatexError
    return refusal


@lru_cache(maxsize=1 << 14)
def mathml(latex: str, display: bool = False) -> str:
    """The formula as a <math> element; raises DeriveError without math-core."""
    convert = _converter()
    try:
        found = convert(latex, displaystyle=display)
    except _refusal() as error:
        raise DeriveError(f'HTML: the formula "{latex}" has no translation: {error}') from None
    return _COMMA.sub(r"<mn>\1,\2</mn>", found).replace(f"<mi>{BLANK}</mi>", _BLANK_BOX)


def number(text: str, language: str) -> str:
    """A number to stand in the place of another one, inside <mn>…</mn>."""
    text = text.replace(".", LANGUAGES[language].decimal)
    scientific = _SCIENTIFIC.fullmatch(text.replace(",", "."))
    if scientific:
        mantissa, sign, exponent = scientific.groups()
        power = sign.strip("+") + exponent
        times = f"</mn><mo>⋅</mo><msup><mn>10</mn><mn>{power}</mn></msup><mn>"
        text = mantissa.replace(".", LANGUAGES[language].decimal) + times
    return text.replace("-", "−")
