"""Having a settled image looked at again by somebody else."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import Actor
from moderation.models import Reason, Status, Submission, User
from moderation.requests import Ask, open_requests
from review.models import Decision, EffectState


class CannotReopen(Exception):
    """It is not settled, or nobody is to look at it; nothing was changed."""


@transaction.atomic
def reopen(decision_id: UUID, person: User) -> None:
    """Afterwards somebody else is asked about the image of one's own decision; it stays where it is until they answer.

    One that is asked already is not asked twice. Raises Decision.DoesNotExist for another's, and CannotReopen.
    """
    decision = Decision.objects.select_related("effect").get(pk=decision_id, reviewer=person)
    submission = Submission.objects.select_for_update(no_key=True).get(pk=decision.submission_id)
    if decision.effect.state != EffectState.APPLIED:
        raise CannotReopen(_("This decision is not in effect: it waits, or was taken back. Nothing was changed."))
    if submission.status == Status.QUARANTINED:
        raise CannotReopen(_("This image is under legal hold: two authorised people release it, nobody else."))
    category = str(decision.labels[0]["category"]) if decision.labels else ""
    open_requests([Ask(submission=submission, reason=Reason.SECOND_OPINION, category=category)])
    data = {"decision": str(decision_id), "verdict": decision.verdict}
    audit.record(audit.Entry(Actor.person(person), "decision.reopened", audit.submission(submission.pk), data))
