"""Hours of counts as triage would have left them, without the images."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from django.utils import timezone

from moderation.guardrails.counting import hour_of
from moderation.models import Client, OutcomeCount

HOURS = 96


def this_hour() -> datetime:
    return hour_of(timezone.now())


def plant(client: Client, hour: datetime, *, images: int, blocked: int, reviewed: int = 0, plan: int = 1) -> None:
    OutcomeCount.objects.create(
        hour=hour,
        plan=plan,
        client=client,
        category="HATE",
        classifier="eyes@1",
        approved=images - blocked - reviewed,
        reviewed=reviewed,
        blocked=blocked,
    )


def calm(client: Client, *, share: float = 0.03, images: int = 300, until: int = 1, plan: int = 1) -> None:
    """As usual, up to `until` hours ago."""
    rng = np.random.default_rng(3)
    for back in range(HOURS, until - 1, -1):
        blocked = int(rng.binomial(images, share))
        plant(client, this_hour() - timedelta(hours=back), images=images, blocked=blocked, plan=plan)


def side_by_side(client: Client, *, blocked: tuple[int, int], hours: int = 30, images: int = 1000) -> None:
    """Plans 1 and 2 on the same hours, the one under way the last of them; so many of each plan's images blocked."""
    for back in range(hours - 1, -1, -1):
        for plan, number in enumerate(blocked, start=1):
            hour = this_hour() - timedelta(hours=back)
            plant(client, hour, images=images, blocked=number, reviewed=100, plan=plan)
