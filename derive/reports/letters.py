"""Names in Latin letters, for fonts that have no others: Дмитрий is Dmitrij, Nguyễn is Nguyên."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping

_CYRILLIC = "а a б b в v г g д d е e ё ë ж ž з z и i й j к k л l м m н n о o п p р r с s т t у u ф f х h ц c ч č ш š"
_CYRILLIC += " щ šč ъ ʺ ы y ь ' э è ю ju я ja і i ї ï є je ґ g ў u ј j љ lj њ nj ћ ć ђ đ џ dž ѓ ǵ ќ ḱ ѕ dz"
_GREEK = "α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o"


def _table(pairs: str) -> dict[str, str]:
    words = pairs.split()
    small = dict(zip(words[::2], words[1::2], strict=True))
    return small | {letter.upper(): latin.capitalize() for letter, latin in small.items()}


LATIN: Mapping[str, str] = {**_table(_CYRILLIC), "ъ": "", "Ъ": "", **_table(_GREEK)}
"""Cyrillic letters about as ISO 9 has them, Greek ones as they are spoken."""


def in_latin(name: str, is_printable: Callable[[str], bool]) -> str:
    """A name with each letter that cannot be printed in Latin letters, as far as that is known."""
    if all(map(is_printable, name)):
        return name
    name = unicodedata.normalize("NFC", name).replace("ου", "ou").replace("ού", "ou")
    return "".join(_letter(char, is_printable) for char in name)


def _letter(char: str, is_printable: Callable[[str], bool]) -> str:
    """The letter itself, what stands for it, or it with fewer marks; itself where none of these can be printed."""
    plain = char
    while not is_printable(plain):
        if plain in LATIN:
            return "".join(_letter(part, is_printable) for part in LATIN[plain])
        apart = unicodedata.normalize("NFD", plain)
        if len(apart) == 1:
            return char
        plain = unicodedata.normalize("NFC", apart[:-1])
    return plain
