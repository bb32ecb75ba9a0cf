"""Rules on trial, in words."""

from __future__ import annotations

from django import template
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from moderation.rules.wording import UNANSWERED
from moderation.views.plans import OUTCOMES

register = template.Library()


@register.filter
def unanswered(code: str) -> str:
    """Why a rule had no answer."""
    return str(UNANSWERED.get(code, code))


@register.filter
def outcome(action: str | None) -> str:
    """Where an image goes; an em dash would not say that nothing is known."""
    return capfirst(str(OUTCOMES[action])) if action in OUTCOMES else _("not known")
