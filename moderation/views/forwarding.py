"""Where a page leads that made a plan of something else: to the colleague who must approve it, or back to the page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from moderation.models import Proposal
from moderation.views.access import PersonRequest


def forwarded(request: PersonRequest, proposal: Proposal, *, done: str, back: str, **named: object) -> HttpResponse:
    """`done` says that plan %(number)d is in force, where the house works without a second person."""
    if proposal.published:
        messages.success(request, done % {"number": proposal.published})
        return redirect(back, **named)
    messages.success(request, _("A colleague must approve it before it is in force."))
    return redirect("plan_proposal", pk=proposal.pk)
