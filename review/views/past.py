"""What one has decided: one's own last decisions, and nobody else's."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from moderation.models import Scope, Status, User
from moderation.views.access import PersonRequest, requires
from review import images
from review.models import Decision, Verdict
from review.views.cards import labelled

REMEMBERED: Final = 20


@require_safe
@requires(Scope.REVIEW)
def history(request: PersonRequest) -> HttpResponse:
    return render(request, "review/history.html", {"past": past(request.user, REMEMBERED)})


def past(reviewer: User, count: int) -> list[dict[str, Any]]:
    """The last decisions of this person, newest first. One query."""
    decisions = Decision.objects.filter(reviewer=reviewer).select_related("submission", "claim").order_by("-id")[:count]
    return [remembered(one, reviewer) for one in decisions]


def remembered(decision: Decision, reviewer: User) -> dict[str, Any]:
    """A decision with its image, blurred: not at all once it is under legal hold, or no longer theirs to look at."""
    submission = decision.submission
    over = decision.claim.expires_at <= timezone.now() - images.LOOK_BACK
    # By the verdict too: what tested the reviewer is under no legal hold, and must look as if it were.
    hidden = over or submission.status == Status.QUARANTINED or decision.verdict == Verdict.QUARANTINE
    return {
        "decision": decision,
        "words": done()[decision.verdict],
        "labels": labelled(decision.labels),
        "blurred_url": "" if hidden else images.link(submission, reviewer, images.Variant.BLURRED),
    }


def done() -> dict[str, str]:
    """What was done, in a word."""
    return {
        Verdict.APPROVE: _("Approved"),
        Verdict.BLOCK: _("Blocked"),
        Verdict.ESCALATE: _("Escalated"),
        Verdict.QUARANTINE: _("Quarantined"),
        Verdict.SKIP: _("Skipped"),
    }
