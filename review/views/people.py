"""What each reviewer knows: leads keep it, and queues go by it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from moderation.actors import Actor
from moderation.models import Scope, User
from moderation.views.access import PersonRequest, requires
from review import profiles

MOST: Final = 500


def reviewers() -> QuerySet[User]:
    reviewing = User.objects.filter(is_active=True, groups__permissions__codename=Scope.REVIEW.value)
    return reviewing.select_related("reviewer_profile").order_by("username").distinct()


@require_safe
@requires(Scope.REVIEW_LEAD)
def index(request: PersonRequest) -> HttpResponse:
    people = [(one, getattr(one, "reviewer_profile", None)) for one in reviewers()[:MOST]]
    return render(request, "review/people.html", {"people": people})


@require_POST
@requires(Scope.REVIEW_LEAD)
def keep(request: PersonRequest, pk: UUID) -> HttpResponse:
    person = get_object_or_404(reviewers(), pk=pk)
    languages = request.POST.get("languages", "")[:500].replace(",", " ").split()
    specialties = request.POST.get("specialties", "")[:2000].split(",")
    try:
        profiles.keep(person, languages=languages, specialties=specialties, actor=Actor.person(request.user))
    except profiles.UnfitProfile as error:
        messages.error(request, f"{person.username}: {error} {_('Nothing was changed.')}")
    else:
        messages.success(request, _("%(name)s’s profile is kept.") % {"name": person.username})
    return redirect("queue_people")
