"""Folding: one spelling for what reads the same, and for each letter the place in the original it came from."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from classifiers.prompts.lookalikes import badges, script_of, strong, weak

LETTER, DIGIT, UNSPACED, HANGUL, PICTURE, SYMBOL, POINT, SPACE = "adckes. "
"""Kinds of signs: a letter of a script written with spaces; a digit; a letter of one written without; a Hangul
syllable; an emoji; a sign that stands in for a letter (``$``); other punctuation; white space."""
WORDS: Final = LETTER + DIGIT + UNSPACED + HANGUL
STAND_INS: Final = {"@": "a", "$": "s", "€": "e", "£": "l", "!": "i", "|": "i", "+": "t"}
_UNSPACED: Final = frozenset(
    {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "BOPOMOFO", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"}
)
_STRIPPED: Final = frozenset({"LATIN", "GREEK", "COMBINING"})
# Invisible or without a sound of their own: variation selectors, Hangul fillers, the grapheme joiner, Arabic's tatweel,
# Mongolian selectors. Other invisible signs are found by their category.
_DROPPED: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0\u0640\u2800\u20dd\u20e3"
)
_VOWEL_POINTS: Final = ("HEBREW POINT", "HEBREW ACCENT", "ARABIC FATHA", "ARABIC DAMMA", "ARABIC KASRA", "ARABIC S")
_PLAIN: Final = re.compile(r"[ -~\t\n\r]*")


class _Kinds(dict[int, str]):
    """Code point -> kind, found once."""

    def __missing__(self, point: int) -> str:
        sign = chr(point)
        self[point] = kind = _kind(sign)
        return kind


def _kind(sign: str) -> str:
    category = unicodedata.category(sign)
    if category[0] in "LM":
        script = script_of(sign)
        return UNSPACED if script in _UNSPACED else HANGUL if script == "HANGUL" else LETTER
    if category[0] == "N":
        return DIGIT
    if sign in STAND_INS:
        return SYMBOL
    if category == "So":
        return PICTURE
    return SPACE if category[0] in "ZC" else POINT


KINDS: Final = _Kinds()


@dataclass(frozen=True)
class Folding:
    """``signs[i]`` was made of ``original[starts[i]:ends[i]]``. It passes for the ASCII letter ``latin[i]`` (itself,
    where for none); ``sure[i]`` unless that holds only among Latin letters."""

    signs: str
    latin: str
    sure: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]

    @cached_property
    def kinds(self) -> str:
        """One letter a sign."""
        return self.signs.translate(KINDS)


def fold(text: str) -> Folding:
    """Compatibility forms, case, accents and invisible signs made one; never fails, and folding twice changes nothing
    more."""
    if _PLAIN.fullmatch(text):
        size, signs = len(text), text.lower()
        return Folding(signs, signs, bytes(size), range(size), range(1, size + 1))
    signs_: list[str] = []
    latin: list[str] = []
    sure: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end, cluster in _clusters(text):
        twin = weak().get(cluster, "")
        for sign in _plain(cluster):
            signs_.append(sign)
            latin.append(twin or weak().get(sign, sign))
            sure.append(cluster in strong() or sign in strong())
            starts.append(start)
            ends.append(end)
    return Folding("".join(signs_), "".join(latin), sure, starts, ends)


def _clusters(text: str) -> Iterator[tuple[int, int, str]]:
    """A sign and the marks that belong to it, without what nobody sees: start, end, and the signs."""
    cluster: list[str] = []
    start = end = 0
    for place, sign in enumerate(text):
        if _invisible(sign):
            continue
        if cluster and not _continues(sign):
            yield start, end, "".join(cluster)
            cluster = []
        if not cluster:
            start = place
        cluster.append(sign)
        end = place + 1
    if cluster:
        yield start, end, "".join(cluster)


def _continues(sign: str) -> bool:
    """Combining marks, the vowels and finals of Hangul in pieces, and the voicing marks of half-width katakana."""
    if sign < "\u0300":
        return False
    return unicodedata.category(sign)[0] == "M" or "\u1160" <= sign <= "\u11ff" or sign in "\uff9e\uff9f"


def _plain(cluster: str) -> str:
    if cluster.isascii():
        return cluster.lower()
    for _time in range(4):  # what folds may compose, and what composes fold
        plainer = "".join(sign for sign in _plainer(cluster) if not _invisible(sign) and not _mute(sign))
        if plainer == cluster:
            break
        cluster = plainer
    return cluster


def _plainer(cluster: str) -> str:
    known = cluster.translate(badges())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", known).casefold())
    return unicodedata.normalize("NFC", "".join(part for letter in folded for part in _unaccented(letter)))


def _unaccented(letter: str) -> str:
    """Latin and Greek letters without their marks; «й» and ``が`` are letters of their own."""
    parts = unicodedata.normalize("NFKD", letter)
    return parts[0] if len(parts) > 1 and script_of(parts[0]) in _STRIPPED else letter


def _invisible(sign: str) -> bool:
    if sign < "\x7f":
        return sign < " " and not sign.isspace()
    if sign in _DROPPED or "\ufe00" <= sign <= "\ufe0f" or "\U0001f3fb" <= sign <= "\U0001f3ff":
        return True
    return unicodedata.category(sign) in {"Cf", "Cs", "Cc", "Cn", "Co"} and not sign.isspace()


def _mute(mark: str) -> bool:
    """A mark that composed with nothing, or that writing may leave out."""
    if unicodedata.category(mark) not in {"Mn", "Me"}:
        return False
    return unicodedata.name(mark, "").startswith(("COMBINING", *_VOWEL_POINTS))
