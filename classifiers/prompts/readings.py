"""Readings of a text: as it stands, and as somebody meant it who hid it from machines."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from typing import Final

from classifiers.prompts.folding import KINDS, STAND_INS, Folding, fold
from classifiers.prompts.lookalikes import script_of

_PIECE: Final = re.compile(r"a+|d+|c+|k+|e")
_ASCII_PIECE: Final = re.compile(r"[a-z]+|[0-9]+")
_RUN: Final = re.compile(r"[adcks_]+|e")
_TIGHT: Final = re.compile(r"(?<=[ads])[.s]{1,2}(?=[ad])")
_MIXED: Final = re.compile(r"[ad]s|s[ad]|ad|da")
_SPACED: Final = re.compile(r"(?<![adck])[ads]([. s]{1,3})[ads]\1[ads](?![adck])")
_STRETCHED: Final = re.compile(r"(.)\1\1+")
_DIGITS: Final = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g"}
_LEET: Final = {**_DIGITS, **STAND_INS}
_AS_L: Final = "1|!"
_CLOSING: Final = "!|+@"
_ARTICLES: Final = "ai"
_FEWEST_SPACED: Final = 3
_SHORTEST_LEET: Final = 3
_WIDEST_GAP: Final = 3

Word = list[tuple[str, int]]
"""Signs with their place in the folding."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Words in one spelling with one space between; ``at[i]`` is the place of ``text[i]`` in the folding."""

    text: str
    at: Sequence[int]
    folding: Folding

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where ``text[start:end]`` stands in the original."""
        return self.folding.starts[self.at[start]], self.folding.ends[self.at[end - 1]]


def canonical(term: str) -> str:
    """The spelling under which a term is kept and found: folded words, one space between."""
    if term.isascii():
        return " ".join(_ASCII_PIECE.findall(term.lower()))
    return read(fold(term)).text


def readings(text: str) -> list[Reading]:
    """The reading as it stands, then at most sixteen in which disguises are undone, each once."""
    folding = fold(text)
    found = {(plain := read(folding)).text: plain}
    signs, kinds = folding.signs, folding.kinds
    mixed = _MIXED.search(kinds) is not None
    tight = _TIGHT.search(kinds) is not None
    stretched = _STRETCHED.search(signs) is not None
    spaced = _SPACED.search(kinds) is not None
    if mixed or tight or stretched or spaced or folding.latin != signs:
        as_l = mixed and any(sign in signs for sign in _AS_L)
        for choice in product(*((False, True)[: 1 + open_] for open_ in (tight, as_l, stretched, spaced))):
            one = _deciphered(folding, *choice)
            found.setdefault(one.text, one)
    return list(found.values())


def read(folding: Folding) -> Reading:
    """Every word as it stands. A word ends where its kind of sign does: ``AK47`` is read as ``AK-47`` is."""
    pieces: list[str] = []
    at: list[int] = []
    for match in _PIECE.finditer(folding.kinds):
        start, end = match.span()
        if pieces:
            at.append(start)  # the space: no match begins or ends on it
        pieces.append(folding.signs[start:end])
        at += range(start, end)
    return Reading(" ".join(pieces), at, folding)


def _joined(words: Sequence[Word], folding: Folding) -> Reading:
    letters: list[str] = []
    at: list[int] = []
    for word in words:
        if letters:
            letters.append(" ")
            at.append(at[-1])
        letters += [sign for sign, _place in word]
        at += [place for _sign, place in word]
    return Reading("".join(letters), at, folding)


def _deciphered(folding: Folding, tight: bool, as_l: bool, doubled: bool, article: bool) -> Reading:
    words = [list(word) for word in _spelled_together(_written_words(folding, tight=tight), article=article)]
    native = _foreign_scripts(words, folding)
    words = [_meant(word, folding, native, as_l=as_l) for word in words]
    words = [_relaxed(word, doubled=doubled) for word in words]
    pieces = [piece for word in words for piece in _pieces(word)]
    return _joined(pieces, folding)


def _written_words(folding: Folding, *, tight: bool) -> Iterator[Word]:
    """Runs of letters, digits and signs that stand in for letters; tight: also across a point within a word."""
    kinds = folding.kinds
    if tight:
        kinds = _TIGHT.sub(lambda gap: "_" * len(gap[0]), kinds)
    for match in _RUN.finditer(kinds):
        yield [(folding.signs[i], i) for i in range(*match.span()) if kinds[i] != "_"]


def _spelled_together(words: Iterator[Word], *, article: bool) -> Iterator[Word]:
    """Single letters with the same gap between each two of them are one word: ``g u n``, ``g.u.n``; of ``a g u n`` the
    first may be a word by itself."""
    run: list[Word] = []
    for word in words:
        if run and not (len(word) == 1 and _follows(run, word)):
            yield from _run(run, article=article)
            run = []
        if len(word) == 1:
            run.append(word)
        else:
            yield word
    yield from _run(run, article=article)


def _follows(run: Sequence[Word], word: Word) -> bool:
    gap = word[0][1] - run[-1][0][1]
    if gap > _WIDEST_GAP + 1:
        return False
    return len(run) == 1 or gap == run[-1][0][1] - run[-2][0][1]


def _run(run: list[Word], *, article: bool) -> Iterator[Word]:
    if article and len(run) > _FEWEST_SPACED and run[0][0][0] in _ARTICLES:
        yield run[0]
        run = run[1:]
    letters = sum(word[0][0].isalpha() for word in run)
    if len(run) >= _FEWEST_SPACED and 2 * letters > len(run):
        yield [one for word in run for one in word]
    else:
        yield from run


def _foreign_scripts(words: Sequence[Word], folding: Folding) -> frozenset[str]:
    """Scripts in which the text has a word that cannot pass for a Latin one: it is really written in them."""
    if folding.latin == folding.signs:
        return frozenset()
    return frozenset(
        script_of(sign)
        for word in words
        if not _has_latin(word)
        for sign, place in word
        if not sign.isascii() and not folding.sure[place]
    )


def _has_latin(word: Word) -> bool:
    return any(sign.isascii() and sign.isalpha() for sign, _place in word)


def _meant(word: Word, folding: Folding, native: frozenset[str], *, as_l: bool) -> Word:
    word = _latin(word, folding, native)
    while word and word[-1][0] in _CLOSING:
        word = word[:-1]
    letters = sum(sign.isalpha() for sign, _place in word)
    if not letters or len(word) < _SHORTEST_LEET:
        return word
    table = {**_LEET, **dict.fromkeys(_AS_L, "l")} if as_l else _LEET
    return [(table.get(sign, sign), place) for sign, place in word]


def _latin(word: Word, folding: Folding, native: frozenset[str]) -> Word:
    """Look-alikes as Latin letters: among Latin letters always, in a word of nothing else unless the text is written
    in that script."""
    if folding.latin == folding.signs or all(sign.isascii() for sign, _place in word):
        return word
    if not _has_latin(word):
        foreign = [(sign, place) for sign, place in word if not sign.isascii()]
        if not all(folding.sure[place] and script_of(sign) not in native for sign, place in foreign):
            return word
    return [(folding.latin[place], place) for _sign, place in word]


def _relaxed(word: Word, *, doubled: bool) -> Word:
    """Letters held for three or more become one, or two: ``ladiiies``, ``booobs``."""
    kept: Word = []
    for sign, run in groupby(word, key=lambda one: one[0]):
        same = list(run)
        kept += same[: 2 if doubled else 1] if len(same) >= 3 and sign.isalpha() else same
    return kept


def _pieces(word: Word) -> Iterator[Word]:
    kinds = "".join(sign for sign, _place in word).translate(KINDS)
    for match in _PIECE.finditer(kinds):
        yield word[match.start() : match.end()]
