"""Taking a list of hashes into a bank, some thousands at a time: each part is kept by itself, and the same list again
adds nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from moderation.actors import Actor
from moderation.banks.fingerprints import Fingerprint, UnfitHash
from moderation.banks.keeping import add
from moderation.banks.lists import read
from moderation.models import Bank

PART: Final = 10_000


@dataclass(slots=True)
class Taken:
    """How many rows were new, were in the bank before, and were of no use."""

    added: int = 0
    known: int = 0
    refused: int = 0


def take(bank: Bank, file: BinaryIO, *, actor: Actor, refused: Callable[[int, str], None], name: str = "") -> Taken:
    """Add the rows of a list (CSV, JSON, JSON lines); `refused` hears of each that is of no use, by its line.

    Raises UnfitList or Retired; what was taken before that is kept.
    """
    taken, part, since = Taken(), list[Fingerprint](), 1
    for line, found in read(file):
        if isinstance(found, UnfitHash):
            taken.refused += 1
            refused(line, str(found))
            continue
        part.append(found)
        if len(part) >= PART:
            keep(bank, part, taken, actor=actor, told={"list": name[:200], "lines": [since, line]})
            part, since = [], line + 1
    if part:
        keep(bank, part, taken, actor=actor, told={"list": name[:200], "lines": [since, None]})
    return taken


def keep(bank: Bank, part: list[Fingerprint], taken: Taken, *, actor: Actor, told: dict[str, object]) -> None:
    added = add(bank, part, actor=actor, told=told)
    taken.added += len(added.ids)
    taken.known += added.known
