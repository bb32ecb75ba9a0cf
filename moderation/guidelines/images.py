"""Decided images that a guideline shows as examples: linked, never copied, and never from under legal hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from moderation.guidelines.faults import UnfitWording
from moderation.guidelines.subjects import Subject
from moderation.models import Status, Submission
from moderation.taxonomy import UNTRAINABLE

MOST: Final = 12
LONGEST: Final = 300
SHOWN: Final = (Status.APPROVED, Status.BLOCKED)


@dataclass(frozen=True, slots=True)
class Example:
    """`submission` is None where the image is gone, or under legal hold by now."""

    submission: Submission | None
    allowed: bool
    words: str


def checked(subject: Subject, said: Any) -> list[dict[str, Any]]:
    """Uniform, and each an image that a person decided. Raises UnfitWording."""

    def unfit(message: str) -> UnfitWording:
        return UnfitWording("examples", message)

    if said is None or said == []:
        return []
    if not isinstance(said, list) or len(said) > MOST:
        raise unfit(_("At most %(most)d images.") % {"most": MOST})
    if subject.category in UNTRAINABLE:
        raise unfit(_("No image of this category is shown to anybody as an example."))
    found: list[dict[str, Any]] = []
    for one in said:
        if not isinstance(one, Mapping) or set(one) - {"submission", "allowed", "words"}:
            raise unfit(_("An example is {submission, allowed, words}."))
        words = " ".join(str(one.get("words", "")).encode(errors="ignore").decode().replace("\x00", "").split())[
            :LONGEST
        ]
        try:
            key = UUID(str(one.get("submission", "")))
        except ValueError as error:
            message = _("“%(said)s” is no submission’s id.") % {"said": str(one.get("submission"))[:60]}
            raise unfit(message) from error
        found.append({"submission": str(key), "allowed": one.get("allowed") is True, "words": words})
    decided = set(shown_of([one["submission"] for one in found]))
    for one in found:
        if UUID(one["submission"]) not in decided:
            raise unfit(
                _("%(id)s is not an image that a person decided, or is under legal hold.") % {"id": one["submission"]}
            )
    return found


def shown_of(keys: Sequence[str]) -> dict[UUID, Submission]:
    """Those that may be shown, by id. One query."""
    rows = Submission.objects.filter(pk__in=keys, decided_by="person", status__in=SHOWN)
    return {row.pk: row for row in rows}


def examples(said: Sequence[Mapping[str, Any]]) -> list[Example]:
    """A version's examples as they may be shown today. One query, none where there is none."""
    rows = shown_of([one["submission"] for one in said]) if said else {}
    return [Example(rows.get(UUID(one["submission"])), bool(one["allowed"]), str(one["words"])) for one in said]
