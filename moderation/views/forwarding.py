"""Where a page leads that made a plan of something else: to the colleague who must approve it, or back to the page."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from moderation.models import Proposal
from moderation.views.access import PersonRequest


def forwarded(
    request: PersonRequest, proposal: Proposal, *, done: str, back: str, pk: UUID | None = None
) -> HttpResponse:
    """`done` says that plan %(number)d is in force, where the house works without a second person. `back`: a page's
    name, of what has this key.
    """
    if proposal.published:
        messages.success(request, done % {"number": proposal.published})
        return redirect(back, pk=pk) if pk else redirect(back)
    messages.success(request, _("A colleague must approve it before it is in force."))
    return redirect("plan_proposal", pk=proposal.pk)
