"""Images for reviewers' eyes: short-lived links, each for one person, one image and one variant of it.

A link alone opens nothing: each request is authorised again, so a link that leaks, or outlives the right, is void.
Links show what is blurred; to a clear image there is none: see `review.looks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.files.storage import storages
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation.models import Scope, Status, Submission, User
from review.models import CalibrationItem, Claim, Effect, EffectState, Verdict

SALT: Final = "review.images"
LOOK_BACK: Final = timedelta(hours=1)  # after a lease, for the reviewer's own history


class Variant(StrEnum):
    """What is served. The first two go with a claim, and the working image, which is clear, only as the answer to a
    look that is on record; a glimpse is the blurred image outside of a claim, where a page lists images to whoever
    answers for the machines or compares with what is before them.
    """

    BLURRED = "blurred"
    WORKING = "working"
    GLIMPSE = "glimpse"

    @property
    def is_linked(self) -> bool:
        return self is not Variant.WORKING

    @property
    def field(self) -> str:
        """Of Submission: the name of a file in the storage "derivatives"."""
        return "working" if self is Variant.WORKING else "blurred"


GLIMPSERS: Final = (Scope.REVIEW, Scope.ML, Scope.POLICY)


class LinkExpired(Exception):
    """The link is older than IMAGE_URL_SECONDS. Ask for the claim again to get a fresh one."""


class NotAllowed(Exception):
    """This person may not see this image, or not by this link."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A JPEG, and how many seconds the link still holds."""

    jpeg: bytes
    seconds_left: int


def link(submission: Submission, reviewer: User, variant: str) -> str:
    """A path on this host that shows `variant` ("blurred" or "glimpse") to `reviewer` for IMAGE_URL_SECONDS."""
    variant = Variant(variant)
    if not variant.is_linked:
        raise ValueError(f"There is no link to the {variant} image.")
    path = reverse("review-image", kwargs={"submission": submission.pk, "variant": variant.value})
    return f"{path}?key={key(submission.pk, reviewer, variant)}"


def key(submission: UUID, reviewer: User, variant: Variant) -> str:
    """When and that we said so, without repeating what the path and the session say already: timestamp:signature."""
    bound = bind(submission, reviewer, variant)
    return signing.TimestampSigner(salt=SALT).sign(bound).removeprefix(f"{bound}:")


def bind(submission: UUID, reviewer: User, variant: Variant) -> str:
    return f"{submission}/{variant.value}/{reviewer.pk}"


def open_link(submission: UUID, reviewer: User, variant: Variant, given: str) -> Opened:
    """The image behind a link. Raises NotAllowed, LinkExpired, Submission.DoesNotExist or FileNotFoundError."""
    signer = signing.TimestampSigner(salt=SALT)
    bound = f"{bind(submission, reviewer, variant)}:{given}"
    try:
        signer.unsign(bound, max_age=settings.IMAGE_URL_SECONDS)
    except signing.SignatureExpired as error:
        raise LinkExpired(_("This link has expired. Open the request again.")) from error
    except signing.BadSignature as error:
        raise NotAllowed(_("This link was not made for you, or was changed.")) from error
    with storages["derivatives"].open(name_of(submission, reviewer, variant)) as file:
        return Opened(file.read(), seconds_left(given))


def name_of(submission: UUID, person: User, variant: Variant) -> str:
    """The file's name, when this person may look at this image now. Raises NotAllowed or Submission.DoesNotExist."""
    glimpse = variant is Variant.GLIMPSE
    if not (may_glimpse(person) if glimpse else person.has_scope(Scope.REVIEW)):
        raise NotAllowed(_("Only reviewers look at images."))
    held = Claim.objects.filter(
        request__submission=OuterRef("pk"), reviewer=person, expires_at__gt=timezone.now() - LOOK_BACK
    ).exclude(decision__verdict=Verdict.QUARANTINE)
    status, name, is_held = Submission.objects.values_list("status", variant.field, Exists(held)).get(pk=submission)
    if status == Status.QUARANTINED:
        raise NotAllowed(_("This image is under legal hold."))
    if not glimpse and not is_held and not answers_for(submission, person) and not calibrates(submission, person):
        raise NotAllowed(_("You hold no claim on this image."))
    return str(name)


def answers_for(submission: UUID, person: User) -> bool:
    """Whether a decision on this image waits for this person's word."""
    waiting = Effect.objects.filter(submission=submission, state=EffectState.HELD)
    return person.has_scope(Scope.REVIEW_ESCALATED) and waiting.exclude(decision__reviewer=person).exists()


def calibrates(submission: UUID, person: User) -> bool:
    """Whether this person is to judge the image in an open calibration session."""
    seats = CalibrationItem.objects.filter(submission=submission, session__closed_at__isnull=True)
    return seats.filter(session__seats__person=person).exists()


def may_glimpse(person: User) -> bool:
    return any(person.has_scope(scope) for scope in GLIMPSERS)


def glimpse(submission: Submission, person: User) -> str:
    """A link to the blurred image for a list; "" for whom it is not meant, and for what lies under legal hold."""
    if submission.status == Status.QUARANTINED or not may_glimpse(person):
        return ""
    return link(submission, person, Variant.GLIMPSE)


def seconds_left(given: str) -> int:
    made = signing.b62_decode(given.split(":", maxsplit=1)[0])
    return max(0, settings.IMAGE_URL_SECONDS - (int(timezone.now().timestamp()) - made))
