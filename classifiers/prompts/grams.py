"""What the learnt screening counts in a prompt: its words and pairs of words, and the letter groups within words."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from classifiers.prompts.readings import readings

SHORTEST: Final = 2
LONGEST: Final = 5


def gist(prompt: str) -> str:
    """The one reading that is learnt from: disguises undone where there are any."""
    return readings(prompt)[:2][-1].text


def words(gist: str) -> Iterator[str]:
    """Words and pairs of neighbours."""
    found = gist.split()
    yield from found
    for one, other in pairwise(found):
        yield f"{one} {other}"


def letters(gist: str) -> Iterator[str]:
    """Groups of ``SHORTEST`` to ``LONGEST`` signs within words, whose ends count as a sign: spelling variants share
    them."""
    for word in gist.split():
        padded = f" {word} "
        for size in range(SHORTEST, LONGEST + 1):
            for start in range(max(1, len(padded) - size + 1)):
                yield padded[start : start + size]
