"""The red button: stopping automation, and letting it go on. One person's act, for it is for emergencies."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from moderation import automation
from moderation.actors import Actor
from moderation.models import Scope
from moderation.stop_forms import LiftForm, StopForm
from moderation.views.access import PersonRequest, requires


@require_POST
@requires(Scope.POLICY)
def stop(request: PersonRequest) -> HttpResponse:
    form = StopForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was stopped: say why, and choose what from the lists."))
        return redirect("plans")
    automation.stop(Actor.person(request.user), **form.cleaned_data, person=request.user)
    messages.warning(request, _("Stopped: from the next batch on, people decide this."))
    return redirect("plans")


@require_POST
@requires(Scope.POLICY)
def lift(request: PersonRequest) -> HttpResponse:
    form = LiftForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was lifted: say why."))
        return redirect("plans")
    try:
        automation.lift(Actor.person(request.user), **form.cleaned_data)
    except automation.UnfitStop as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Automation goes on as the plan says."))
    return redirect("plans")
