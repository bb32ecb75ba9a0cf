"""Out of legal hold: two people of two roles agree before anybody may look.

A senior moderator and a policy lead each answer for their own part: one asks with a reason, the other agrees. Then the
image goes into review, to the seniors' queue; until then nobody sees it, and whoever reads about it is on record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import audit, lifecycle
from moderation.actors import Actor
from moderation.models import Reason, Scope, Status, Submission, User
from moderation.requests import Ask, open_requests
from review.judgements import UnfitDecision, text_of
from review.models import Release, ReleaseState
from review.queue import ESCALATED, NotForYou

# Each is the other's second role.
ROLES: Final = {Scope.REVIEW_ESCALATED: Scope.POLICY, Scope.POLICY: Scope.REVIEW_ESCALATED}


class NotUnderHold(Exception):
    """The image is not under legal hold (any more), so there is nothing to release."""


class AlreadyAsked(Exception):
    """Somebody asked for this release already. Answer that one."""


class Answered(Exception):
    """Somebody answered this meanwhile; nothing was changed. Reload the list."""


def role_of(person: User) -> Scope:
    """The role by which this person takes part. Raises NotForYou."""
    for scope in ROLES:
        if person.has_scope(scope):
            return scope
    raise NotForYou(_("Images under legal hold are for senior moderators and policy leads."))


def may_answer(release: Release, person: User) -> bool:
    return release.asked_by_id != person.pk and person.has_scope(ROLES[Scope(release.asked_as)])


@transaction.atomic
def ask(submission_id: UUID, person: User, *, reason: str) -> Release:
    """A request that the other role answers. Raises NotForYou, UnfitDecision, Submission.DoesNotExist, NotUnderHold or
    AlreadyAsked.
    """
    role = role_of(person)
    said = text_of(reason, "reason").strip()
    if not said:
        raise UnfitDecision("#/reason", _("Say why it should be released."))
    submission = under_hold(submission_id)
    release = Release(submission=submission, reason=said, asked_by=person, asked_as=role.value)
    try:
        with transaction.atomic():
            release.save(force_insert=True)
    except IntegrityError as error:
        raise AlreadyAsked(_("Somebody asked for this release already.")) from error
    record(release, person, "release.asked", reason=said)
    return release


@transaction.atomic
def agree(release_id: UUID, person: User) -> Release:
    """Afterwards the image is in review, in the seniors' queue. Raises NotForYou, Release.DoesNotExist, NotUnderHold or
    Answered.
    """
    release, submission = answerable(release_id, person)
    end(release, ReleaseState.AGREED, person)
    actor = Actor.person(person)
    lifecycle.move(submission, Status.IN_REVIEW, actor=actor, reason="release", release=str(release.pk))
    open_requests([Ask(submission=submission, reason=Reason.SECOND_OPINION, queue=ESCALATED)])
    record(release, person, "release.agreed")
    return release


@transaction.atomic
def refuse(release_id: UUID, person: User, *, words: str) -> Release:
    """The image stays where it is. Raises what `agree` does, and UnfitDecision without words."""
    said = text_of(words, "words").strip()
    if not said:
        raise UnfitDecision("#/words", _("Say why it stays under hold."))
    release, _submission = answerable(release_id, person)
    end(release, ReleaseState.REFUSED, person, words=said)
    record(release, person, "release.refused", words=said)
    return release


def under_hold(submission_id: UUID) -> Submission:
    """The submission, locked."""
    submission = Submission.objects.select_for_update(no_key=True).get(pk=submission_id)
    if submission.status != Status.QUARANTINED:
        raise NotUnderHold(_("This image is not under legal hold."))
    return submission


def answerable(release_id: UUID, person: User) -> tuple[Release, Submission]:
    role_of(person)
    release = Release.objects.select_related("asked_by").get(pk=release_id)
    if not may_answer(release, person):
        needed = ROLES[Scope(release.asked_as)].label
        raise NotForYou(_("A second person answers, one who may: %(scope)s.") % {"scope": needed})
    return release, under_hold(release.submission_id)


def end(release: Release, state: ReleaseState, person: User, *, words: str = "") -> None:
    asked = Release.objects.filter(pk=release.pk, state=ReleaseState.ASKED)
    if not asked.update(state=state, answered_by=person, answered_at=timezone.now(), words=words):
        raise Answered(_("Somebody answered this meanwhile. Reload the list."))


def record(release: Release, person: User, action: str, **more: str) -> None:
    data = {"release": str(release.pk), "asked_by": str(Actor.person(release.asked_by)), **more}
    audit.record(audit.Entry(Actor.person(person), action, audit.submission(release.submission_id), data))


def waiting() -> QuerySet[Release]:
    return Release.objects.filter(state=ReleaseState.ASKED).select_related("asked_by", "submission__client")


def lying(*, before: UUID | None = None) -> QuerySet[Submission]:
    """What lies under legal hold, the newest first; the words about it only."""
    found = Submission.objects.filter(status=Status.QUARANTINED).select_related("client").order_by("-id")
    found = found.only("id", "client__name", "external_id", "settled_at", "decided_by", "created_at")
    return found.filter(pk__lt=before) if before else found


@transaction.atomic
def looked(asked: Sequence[Release], rows: Sequence[Submission], person: User) -> None:
    """On record: this person read about these images under hold."""
    ids = [str(one.pk) for one in rows]
    data = {"releases": [str(one.pk) for one in asked], "submissions": ids}
    audit.record(audit.Entry(Actor.person(person), "hold.read", "hold:list", data))
