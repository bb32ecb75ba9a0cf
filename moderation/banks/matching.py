"""What an image's matches mean: probabilities, and what they ask of routing. Pure but for reading the entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from classifiers.base import ImageInput
from classifiers.hashes import DIHEDRAL
from moderation.banks.fingerprints import QUALITY
from moderation.banks.known import Known, Near
from moderation.models import Bank, BankAction, BankEntry, Polarity, Submission
from moderation.taxonomy import PEOPLE_ONLY

NO_LOOKS: Final = bytes(32)
"""The hash of images too small to have one."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What banks go by: an image's PDQ hash in one or all ways to lay it down, its quality, its bytes' digests."""

    ways: Sequence[bytes]
    quality: int | None
    sha256: str
    md5: str

    @classmethod
    def of(cls, image: ImageInput) -> Self:
        ways = image.turned or ((image.pdq,) if image.pdq is not None else ())
        return cls(hashed(ways), image.pdq_quality, image.sha256, image.md5)

    @classmethod
    def stored(cls, row: Submission) -> Self:
        """Of an image triaged earlier."""
        ways = (bytes(row.pdq),) if row.pdq is not None else ()
        return cls(hashed(ways), row.pdq_quality, row.sha256, row.md5)


def hashed(ways: Sequence[bytes]) -> Sequence[bytes]:
    return () if NO_LOOKS in ways[:1] else ways


@dataclass(frozen=True, slots=True)
class Match:
    """An image met an entry. `weak`: by a hash of low quality, the image's own or the entry's."""

    bank: Bank
    entry: int
    kind: str
    distance: int = 0
    way: int = 0
    weak: bool = False

    @property
    def demand(self) -> str:
        """What the match asks for: never more than a look where the hash says little."""
        if self.bank.polarity != Polarity.HARMFUL:
            return ""
        if self.weak:
            return BankAction.REVIEW.value
        return BankAction.QUARANTINE.value if self.bank.category in PEOPLE_ONLY else str(self.bank.action)

    def shown(self) -> dict[str, Any]:
        way = {"laid": DIHEDRAL[self.way]} if self.way else {}
        return {
            "bank": self.bank.pk,
            "name": self.bank.name,
            "category": str(self.bank.category),
            "polarity": str(self.bank.polarity),
            "entry": self.entry,
            "kind": self.kind,
            "distance": self.distance,
            "weak": self.weak,
            **way,
        }

    def words(self) -> str:
        return f"{self.bank.name}, {self.kind}" + (f" {self.distance}/256" if self.kind == "pdq" else "")


def matches(images: Sequence[Looks], known: Known) -> list[list[Match]]:
    """Per image, its matches in banks in service. At most two queries, whatever the number of images."""
    near = known.near([image.ways for image in images])
    found: list[list[Match]] = [[] for _ in images]
    entries = entries_of([one for each in near for one in each])
    for image, each, matched in zip(images, near, found, strict=True):
        for one in each:
            if one.entry in entries:
                weak = low(image.quality) or low(entries[one.entry])
                bank = known.banks[one.bank]
                matched.append(Match(bank, one.entry, "pdq", one.distance, one.way, weak))
    for matched, alike in zip(found, same_bytes(images, known), strict=True):
        matched.extend(alike)
    return found


def some_go_by_md5() -> bool:
    """Whether any bank in service knows images by MD5, so that it is worth reading their bytes."""
    return BankEntry.objects.live().filter(md5__gt="").exists()


def low(quality: int | None) -> bool:
    return quality is not None and quality < QUALITY


def entries_of(near: Sequence[Near]) -> Mapping[int, int | None]:
    """The qualities of those entries that still stand."""
    if not near:
        return {}
    rows = BankEntry.objects.live().filter(pk__in={one.entry for one in near})
    return dict(rows.values_list("pk", "quality"))


def same_bytes(images: Sequence[Looks], known: Known) -> list[list[Match]]:
    if not known.banks:
        return [[] for _ in images]
    md5 = [image.md5 for image in images if image.md5]
    rows = BankEntry.objects.with_digests(sha256=[image.sha256 for image in images if image.sha256], md5=md5)
    by_digest = defaultdict(list)
    for pk, bank, sha256, md5_ in rows.values_list("pk", "bank_id", "sha256", "md5"):
        for kind, digest in (("sha256", sha256), ("md5", md5_)):
            if digest and bank in known.banks:
                by_digest[kind, digest].append((pk, bank))
    return [
        [
            Match(known.banks[bank], pk, kind)
            for kind, digest in (("sha256", image.sha256), ("md5", image.md5))
            for pk, bank in by_digest.get((kind, digest), ())
        ]
        for image in images
    ]


def judged(found: Sequence[Match]) -> tuple[dict[str, float], dict[str, Any]]:
    """(probabilities, what to show) of one image's matches.

    A match in a known-good bank silences the others, but where only people decide: there a look is what remains of
    what they ask. A weak match asserts nothing and asks for a look.
    """
    if not found:
        return {}, {}
    good = any(match.bank.polarity == Polarity.KNOWN_GOOD for match in found)
    probabilities: dict[str, float] = {}
    demands: dict[tuple[str, int], dict[str, str]] = {}
    shown = []
    for match in found:
        category = str(match.bank.category)
        asks = asked(match, good=good)
        if asks and not match.weak and not good:
            probabilities[category] = 1.0
        if asks:
            demand = {"action": asks, "code": "match", "category": category, "detail": match.words()}
            demands.setdefault((asks, match.bank.pk), demand)
        shown.append({**match.shown(), "asks": asks})
    evidence: dict[str, Any] = {"matches": shown}
    return probabilities, evidence | ({"demands": list(demands.values())} if demands else {})


def asked(match: Match, *, good: bool) -> str:
    if good and match.demand:
        return BankAction.REVIEW.value if match.bank.category in PEOPLE_ONLY else ""
    return match.demand
