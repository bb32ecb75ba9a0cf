"""The audit log: newest events first, by subject, actor or action, with what the last seal says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from moderation import seals
from moderation.models import AuditEvent, Scope
from moderation.views.access import PersonRequest, requires

PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One event with what was said, value by value; `nested` ones are JSON of several lines."""

    event: AuditEvent
    told: Sequence[Told]


@dataclass(frozen=True, slots=True)
class Told:
    name: str
    value: str
    nested: bool


@require_safe
@requires(Scope.AUDIT)
def index(request: PersonRequest) -> HttpResponse:
    asked = {name: request.GET.get(name, "").strip() for name in ("subject", "actor", "action")}
    events = AuditEvent.objects.order_by("-pk")
    if asked["subject"]:
        events = events.filter(subject=asked["subject"])
    if asked["actor"]:
        by = "actor" if ":" in asked["actor"] else "actor_label"
        events = events.filter(**{by: asked["actor"]})
    if asked["action"]:
        events = events.filter(action=asked["action"])
    before = key(request.GET.get("before", ""))
    if before is not None:
        events = events.filter(pk__lt=before)
    rows = list(events[: PAGE + 1])
    context = {
        **asked,
        "filtered": any(asked.values()),
        "events": [Line(event, told(event.data)) for event in rows[:PAGE]],
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "newest": before is None,
        "seal": seals.last(),
    }
    return render(request, "moderation/audit.html", context)


def told(data: Mapping[str, Any]) -> list[Told]:
    return [
        Told(name, outline(value), nested=True)
        if isinstance(value, dict | list) and value
        else Told(name, "–" if value in (None, "", [], {}) else str(value), nested=False)
        for name, value in data.items()
    ]


def outline(value: Any, *, indent: str = "") -> str:
    """Nested data line by line; what is flat stays on one line."""
    if not isinstance(value, dict) or not any(isinstance(part, dict) for part in value.values()):
        return json.dumps(value, ensure_ascii=False)
    lines = [f"{indent}{name}: {outline(part, indent=indent + '  ')}" for name, part in sorted(value.items())]
    return "\n".join(["", *lines] if indent else lines)


def key(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
