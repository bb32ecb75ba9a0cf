"""To whom an image is shown, as its sender declared it."""

from __future__ import annotations

from moderation.models import Submission
from moderation.plans import Served


def served(row: Submission) -> Served:
    return Served.declared(row.territories, row.audience, row.surface, row.context)
