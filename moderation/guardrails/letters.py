"""Mail when an alarm is raised: to policy leads, and of drift to ML engineers. Nothing of any image: mail is no safe
place.
"""

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
from moderation.models import Alarm, Scope, Watched

MOST: Final = 50


@transaction.atomic
def tell() -> int:
    """One letter to everybody with an address who answers for what nobody was told yet; returns how many were written.
    What cannot be sent is tried again by the next call: the rows say what was told.
    """
    new = list(alarms.standing().filter(told_at__isnull=True).select_for_update(skip_locked=True)[:MOST])
    if not new:
        return 0
    drift = [one for one in new if one.scope == Watched.DRIFT]
    rest = [one for one in new if one.scope != Watched.DRIFT]
    messages = [
        letter(person.email, found, page)
        for found, scope, page in ((rest, Scope.POLICY, "guardrails"), (drift, Scope.ML, "monitoring"))
        if found
        for person in roles.holders(scope).exclude(email="")
    ]
    get_connection().send_messages(messages)
    Alarm.objects.filter(pk__in=[one.pk for one in new]).update(told_at=timezone.now())
    return len(messages)


def letter(address: str, new: Sequence[Alarm], page: str) -> EmailMessage:
    names, lines = named(new), []
    if page == "monitoring":
        n = len(new)
        subject = ngettext("Loupe: %(n)d alarm of drift", "Loupe: %(n)d alarms of drift", n)
        lines = [f"– {sentence(one, names)}" for one in new]
    else:
        grouped = events(new)
        n = len(grouped)
        subject = ngettext("Loupe: %(n)d guardrail alarm", "Loupe: %(n)d guardrail alarms", n)
        for event in grouped:
            lines.append(f"– {sentence(event.lead, names)}")
            lines += [_("  the same hours: %(alarm)s") % {"alarm": sentence(one, names)} for one in event.others]
    said = _("%(lines)s\n\nLook, and close what is dealt with:\n\n%(address)s\n") % {
        "lines": "\n".join(lines),
        "address": settings.PUBLIC_URL + reverse(page),
    }
    return EmailMessage(subject % {"n": n}, said, to=[address])
