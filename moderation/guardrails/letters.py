"""Mail to policy leads when an alarm is raised. Nothing of any image: mail is no safe place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from moderation import roles
from moderation.guardrails import alarms
from moderation.guardrails.events import events
from moderation.guardrails.telling import named, sentence
from moderation.models import Alarm, Scope

MOST: Final = 50


@transaction.atomic
def tell() -> int:
    """One letter to every policy lead with an address about what they were not told yet; returns how many were written
    to. What cannot be sent is tried again by the next call: the rows say what was told.
    """
    new = list(alarms.standing().filter(told_at__isnull=True).select_for_update(skip_locked=True)[:MOST])
    if not new:
        return 0
    people = roles.holders(Scope.POLICY).exclude(email="")
    get_connection().send_messages([letter(person.email, new) for person in people])
    Alarm.objects.filter(pk__in=[one.pk for one in new]).update(told_at=timezone.now())
    return len(people)


def letter(address: str, new: Sequence[Alarm]) -> EmailMessage:
    grouped = events(new)
    subject = ngettext("Loupe: %(n)d guardrail alarm", "Loupe: %(n)d guardrail alarms", len(grouped))
    names = named(new)
    lines = []
    for event in grouped:
        lines.append(f"– {sentence(event.lead, names)}")
        lines += [_("  the same hours: %(alarm)s") % {"alarm": sentence(one, names)} for one in event.others]
    said = _("%(lines)s\n\nLook, and close what is dealt with:\n\n%(address)s\n") % {
        "lines": "\n".join(lines),
        "address": settings.PUBLIC_URL + reverse("guardrails"),
    }
    return EmailMessage(subject % {"n": len(grouped)}, said, to=[address])
