"""What the desk shows of one claim: why a person looks, what the machines said, and which words of the law apply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import policies
from moderation.guidelines.actions import Advice, advice
from moderation.guidelines.translations import in_languages
from moderation.models import PolicyVersion, Reason, ReviewRequest, Submission, User
from moderation.provenance import Provenance
from moderation.routing import STRICTNESS, Action, Band, nearness
from moderation.taxonomy import DEFAULT_SEVERITY, Category, Severity
from moderation.wording import category_name, fate, figure, sentence
from review import access, cases, holding, images
from review.blinding import is_unaided
from review.consensus import disagreed
from review.kin import Kin, kin_of
from review.models import Claim, Decision, Effect, Verdict
from review.queue import ESCALATED
from review.surroundings import Surroundings, surroundings_of
from review.views.panels import Hit, Piece, by_nearness, hits, pieces

SHOWN_BANDS: Final = 3
DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Scored:
    """One category's highest probability beside the band that held for the image, and the overlay that it is of."""

    code: str
    probability: float
    band: Band
    overlay: str = ""

    @property
    def rank(self) -> float:
        return nearness(self.probability, self.band)


@dataclass(frozen=True, slots=True)
class Choice:
    """A category one may block as. `digit` is its key on this card; 0 where it has none."""

    code: str
    severity: Severity
    digit: int = 0

    @property
    def name(self) -> str:
        return category_name(self.code)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A sentence with its figure set apart, so that the page can set it off."""

    before: str
    figure: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What triage made of the image in one territory, and the first of its reasons as a sentence."""

    code: str
    route: Action
    words: str
    why: str


@dataclass(frozen=True)
class Card:
    claim: Claim
    blurred_url: str
    findings: Sequence[cases.Said]
    guidelines: Mapping[str, PolicyVersion]
    kin: Kin | None = None
    kin_glimpses: Sequence[str] = ()
    around: Surroundings | None = None
    sibling_glimpses: Sequence[str] = ()
    votes: Sequence[Decision] = ()  # that differ, for a senior to adjudicate
    returned: Effect | None = None  # an earlier decision that a second person sent back
    translations: Mapping[str, PolicyVersion] = field(default_factory=dict)  # in the reviewer's language

    @property
    def request(self) -> ReviewRequest:
        return self.claim.request

    @property
    def submission(self) -> Submission:
        return self.claim.request.submission

    @property
    def lease_seconds(self) -> int:
        return max(0, int((self.claim.expires_at - timezone.now()).total_seconds()))

    @property
    def is_blind(self) -> bool:
        """Judged unaided; whether as a check, nobody can tell."""
        return is_unaided(self.request)

    @property
    def reason(self) -> str:
        """In words; what is judged unaided does not say why."""
        return _("Judge for yourself") if self.is_blind else str(Reason(self.request.reason).label)

    @property
    def may_escalate(self) -> bool:
        return self.request.queue != ESCALATED

    @cached_property
    def provenance(self) -> Provenance | None:
        """Hidden from who checks the machines: what they made of the file would sway them."""
        return None if self.is_blind else cases.origin(self.submission, self.findings)

    @cached_property
    def scored(self) -> list[Scored]:
        """Every scored category, the most telling first."""
        cuts = cases.cuts_of(self.submission, self.findings)
        rows = [
            Scored(code, value, cuts.bands[code], cuts.whose.get(code, ""))
            for code, value in cases.highest(self.findings).items()
            if code in cuts.bands
        ]
        return sorted(rows, key=lambda row: (-row.rank, row.code))

    @property
    def overlays(self) -> list[str]:
        """Whose cuts the bands shown are, where they are not the plan's own."""
        return sorted({row.overlay for row in self.bands if row.overlay})

    @property
    def bands(self) -> list[Scored]:
        return self.scored[:SHOWN_BANDS]

    @property
    def more(self) -> Scored | None:
        """Of the categories not shown one by one, the most telling."""
        rest = self.scored[SHOWN_BANDS:]
        return max(rest, key=lambda row: row.probability) if rest else None

    @property
    def more_count(self) -> int:
        return max(0, len(self.scored) - SHOWN_BANDS)

    @cached_property
    def likely(self) -> str:
        """The category a reviewer should have in mind; empty where nothing stands out, or where they must not know."""
        if self.is_blind:
            return ""
        return self.request.category or (self.scored[0].code if self.scored else "")

    @property
    def guideline(self) -> PolicyVersion | None:
        return self.guidelines.get(self.likely)

    @property
    def translation(self) -> PolicyVersion | None:
        """The guideline in the reviewer's language. What is decided by stays the original."""
        return self.translations.get(self.likely) if self.guideline else None

    @property
    def wording(self) -> PolicyVersion | None:
        """The guideline as it is read here."""
        return self.translation or self.guideline

    @property
    def is_behind(self) -> bool:
        """The original went on since it was translated."""
        return bool(self.translation and self.guideline and self.translation.translates != self.guideline.number)

    @property
    def advice(self) -> Advice | None:
        """What the guideline makes of a violation before this image's audience; nothing where one judges unaided."""
        return advice(self.guideline, self.submission.audience)

    @property
    def allowed(self) -> list[str]:
        """The guideline's examples, those nearest the prompt first."""
        return by_nearness(self.wording.allowed, self.submission.prompt) if self.wording else []

    @property
    def not_allowed(self) -> list[str]:
        return by_nearness(self.wording.not_allowed, self.submission.prompt) if self.wording else []

    @property
    def prompt(self) -> list[Piece]:
        """With listed terms set apart, but for who checks whether the machines read it well."""
        return pieces(self.submission.prompt, () if self.is_blind else self.findings)

    @property
    def hits(self) -> list[Hit]:
        return [] if self.is_blind else hits(self.findings)

    @property
    def severity(self) -> Severity | None:
        return severity_of(self.likely, self.guidelines) if self.likely else None

    @property
    def why(self) -> list[Reasoning]:
        if self.is_blind:
            return [Reasoning(_("Some images are shown without scores and reasons, so as not to sway you."))]
        return [*self.differing, *(reasoned(reason) for reason in self.submission.reasons)]

    @property
    def places(self) -> list[Place]:
        """Where the image is treated otherwise than elsewhere; the strictest first."""
        if self.is_blind:
            return []
        told = [
            Place(code, said["route"], fate(said["route"]), sentence(said["reasons"][0]))
            for code, said in self.submission.by_territory.items()
        ]
        return sorted(told, key=lambda one: (-STRICTNESS[one.route], one.code))

    @property
    def differing(self) -> list[Reasoning]:
        """What people said before, without their names: who adjudicates weighs words, not persons."""
        if not self.votes:
            return []
        said = Counter(spoken(vote) for vote in self.votes)
        words = "; ".join(f"{count} × {what}" for what, count in sorted(said.items()))
        return [Reasoning(_("People disagreed: %(votes)s. Your word settles it.") % {"votes": words})]

    @property
    def choices(self) -> list[Choice]:
        """The categories on the digit keys: what triage flagged first, then whatever else was scored."""
        codes = [self.likely] if self.likely else []
        ranked = [row.code for row in self.scored]
        ordered = sorted(ranked) if self.is_blind else ranked
        codes += [code for code in ordered if code not in codes]
        known = [code for code in codes if code in Category.values][:DIGITS]
        return [Choice(code, severity_of(code, self.guidelines), digit) for digit, code in enumerate(known, start=1)]


def cards(claims: Sequence[Claim], *, reviewer: User) -> list[Card]:
    """The claims as cards: six queries, whatever their number, one more for what was escalated, one for who reads
    another language, and one for each that is to be adjudicated.
    """
    if not claims:
        return []
    submissions = [claim.request.submission for claim in claims]
    prefetch_related_objects(submissions, "client")
    findings = cases.findings_of(submissions)
    guidelines = policies.in_force()
    translations = in_languages(list(guidelines), access.profile_of(reviewer).languages)
    # What became of copies, of the batch and of the author's other images would sway who checks the machines.
    told = [claim.request.submission for claim in claims if not is_unaided(claim.request)]
    kin, around = kin_of(told), surroundings_of(told)
    returned = holding.returned([claim.request_id for claim in claims if claim.request.queue == ESCALATED])
    return [
        Card(
            claim,
            images.link(submission, reviewer, images.Variant.BLURRED),
            findings.get(submission.pk, []),
            guidelines,
            copies,
            copies.glimpses(reviewer) if copies else (),
            stands,
            stands.glimpses(reviewer) if stands else (),
            disagreed(claim.request),
            returned.get(claim.request_id),
            translations,
        )
        for claim, submission in zip(claims, submissions, strict=True)
        for copies, stands in [(kin.get(submission.pk), around.get(submission.pk))]
    ]


def every_choice(guidelines: Mapping[str, PolicyVersion]) -> list[Choice]:
    """All categories, for the picker."""
    return [Choice(code, severity_of(code, guidelines)) for code in Category.values]


def severity_of(code: str, guidelines: Mapping[str, PolicyVersion]) -> Severity:
    """As the guideline in force says, else as the taxonomy does."""
    if code in guidelines:
        return Severity(guidelines[code].severity)
    return DEFAULT_SEVERITY[Category(code)]


def reasoned(reason: Mapping[str, Any]) -> Reasoning:
    words = sentence(reason)
    value = figure(reason.get("probability")) if reason.get("probability") is not None else ""
    before, found, after = words.partition(value) if value else (words, "", "")
    return Reasoning(before, found, after)


def spoken(vote: Decision) -> str:
    """A vote in words: what was said, and as what."""
    named = ", ".join(f"{one.name} {one.severity.name}" for one in labelled(vote.labels))
    return f"{Verdict(vote.verdict).label} ({named})" if named else str(Verdict(vote.verdict).label)


def labelled(labels: Iterable[Mapping[str, Any]]) -> list[Choice]:
    """Stored labels as choices, for the history."""
    return [Choice(str(label["category"]), Severity(label["severity"])) for label in labels]
