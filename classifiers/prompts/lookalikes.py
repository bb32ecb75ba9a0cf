"""Which letters pass for Latin ones, from Unicode's table of confusables (the package ``confusable-homoglyphs``)."""

import json
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

SCRIPTS: Final = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "COPTIC", "CHEROKEE", "LISU", "DESERET", "OSAGE"})
"""Scripts written with spaces and letter by letter, whose letters people borrow. Thai, Han or Arabic signs are in
Unicode's table too, but a word of them beside a Latin one is ordinary writing, not a disguise."""
# Unicode's table goes by the shape of l and I alike; readers take these for i. A weak one is taken for the letter only
# among true Latin letters: «горе» is a Russian word, not a rope.
_MENDED: Final = {"І": "i", "і": "i", "Ι": "i", "ι": "i", "ı": "i", "ɩ": "i", "Ӏ": "l", "ӏ": "l", "ɪ": "i"}
_WEAK: Final[Mapping[str, str]] = {"г": "r", "α": "a", "σ": "o", "п": "n", "ё": "e", "ε": "e", "ω": "w", "ш": "w"}
_BADGES: Final = (0x1F130, 0x1F150, 0x1F170, 0x1F1E6)


@cache
def strong() -> Mapping[str, str]:
    """Letter -> the ASCII letter (lower case) that it is mistaken for even in a word of such letters alone."""
    found = {letter: latin for letter, latin in _confusables().items() if letter not in _WEAK}
    return found | _MENDED


@cache
def badges() -> Mapping[int, str]:
    """Letters in boxes and discs, and those that flags are made of, for ``str.translate``: no compatibility form of
    Unicode's undoes them."""
    return {first + i: chr(ord("a") + i) for first in _BADGES for i in range(26)}


@cache
def weak() -> Mapping[str, str]:
    """``strong``, and what passes only among Latin letters: «к» for k, because «К» is K."""
    found = {**strong(), **_WEAK}
    for upper, latin in strong().items():
        found.setdefault(upper.lower(), latin)
    return {letter: latin for letter, latin in found.items() if len(letter) == 1 and not letter.isascii()}


@lru_cache(maxsize=4096)
def script_of(letter: str) -> str:
    """The first word of the letter's Unicode name, which for letters is their script; "" for what has no name."""
    return unicodedata.name(letter, "").partition(" ")[0]


def _confusables() -> dict[str, str]:
    text = (resources.files("confusable_homoglyphs") / "confusables.json").read_text("utf-8")
    table: Mapping[str, Any] = json.loads(text)
    found = {}
    for letter, twins in table.items():
        if len(letter) == 1 and not letter.isascii() and script_of(letter) in SCRIPTS:
            latin = [twin["c"].lower() for twin in twins if len(twin["c"]) == 1 and twin["c"].isascii()]
            latin = [one for one in latin if one.isalpha()]
            if latin:
                found[letter] = latin[0]
    return found | _small_capitals()


def _small_capitals() -> dict[str, str]:
    """``ɴ``: letters of phonetic writing that Unicode's table leaves out where capitals differ from small ones."""
    found = {}
    for place in (*range(0x0250, 0x02B0), *range(0x1D00, 0x1D26), *range(0xA730, 0xA732), 0xA7AF):
        start, _capital, letter = unicodedata.name(chr(place), "").rpartition(" SMALL CAPITAL ")
        if start == "LATIN LETTER" and len(letter) == 1:
            found[chr(place)] = letter.lower()
    return found
