"""What one has decided: one's own last decisions, and nobody else's."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from moderation.models import Scope, Status, User
from moderation.views.access import PersonRequest, requires
from review import images, mentions, reopening
from review.models import Decision, EffectState, Mention, Verdict
from review.views.cards import labelled

REMEMBERED: Final = 20


@require_safe
@requires(Scope.REVIEW)
def history(request: PersonRequest) -> HttpResponse:
    """One's decisions, and the notes of colleagues that name one: read, once they were shown."""
    named = mentions.mentions_of(request.user)
    context = {"past": past(request.user, REMEMBERED), "mentions": [called(one, request.user) for one in named]}
    mentions.read(named)
    return render(request, "review/history.html", context)


@require_POST
@requires(Scope.REVIEW)
def reopen(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Somebody else is asked about an image of one's own decision; answers in words, as JSON."""
    try:
        reopening.reopen(pk, request.user)
    except reopening.CannotReopen as error:
        return JsonResponse({"detail": str(error)}, status=409)
    except Decision.DoesNotExist:
        return JsonResponse({"detail": _("You made no decision with this id.")}, status=404)
    return JsonResponse({"detail": _("Somebody else will be asked.")})


@require_safe
@requires(Scope.REVIEW)
def colleagues(request: PersonRequest) -> HttpResponse:
    """Whom one may call upon in a note."""
    return JsonResponse({"names": mentions.colleagues(request.user)})


def called(mention: Mention, person: User) -> dict[str, Any]:
    """A note that names this person, with the image as a glimpse; without the verdict, so as not to sway them."""
    decision = mention.decision
    return {
        "by": decision.reviewer.get_username(),
        "note": decision.note,
        "at": decision.decided_at,
        "is_new": mention.read_at is None,
        "glimpse": images.glimpse(decision.submission, person),
    }


def past(reviewer: User, count: int) -> list[dict[str, Any]]:
    """The last decisions of this person, newest first. One query."""
    decisions = (
        Decision.objects.filter(reviewer=reviewer)
        .select_related("submission", "claim", "effect", "policy")
        .order_by("-id")[:count]
    )
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
        "state": decision.effect.state,
        "may_undo": decision.effect.state == EffectState.PENDING and decision.effect.due_at > timezone.now(),
        "may_reopen": decision.effect.state == EffectState.APPLIED and submission.status != Status.QUARANTINED,
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
