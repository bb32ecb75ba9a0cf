"""What a list of submissions may be narrowed to."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import django_filters as filters

from moderation.models import Status, Submission
from moderation.models.submissions import SubmissionQuerySet
from moderation.taxonomy import Category


class SubmissionFilter(filters.FilterSet):  # type: ignore[misc]
    status = filters.MultipleChoiceFilter(choices=Status.choices)
    external_id = filters.CharFilter(max_length=200)
    category = filters.ChoiceFilter(choices=Category.choices, method="flagged_for", help_text="Above its approve cut.")
    created_after = filters.IsoDateTimeFilter(method="younger")

    class Meta:
        model = Submission
        fields = ["status", "external_id", "category", "created_after"]

    def flagged_for(self, submissions: SubmissionQuerySet, _name: str, category: str) -> SubmissionQuerySet:
        return submissions.filter(flagged__contains=[category])

    def younger(self, submissions: SubmissionQuerySet, _name: str, moment: datetime) -> SubmissionQuerySet:
        """Through the time-ordered key as well, so that the scan ends where the time does."""
        return submissions.filter(created_at__gt=moment, pk__gte=first_id_of(moment))


def first_id_of(moment: datetime) -> UUID:
    """No UUIDv7 made at `moment` or later lies below this, give or take a second of clock."""
    milliseconds = max(0, int((moment.timestamp() - 1) * 1000))
    return UUID(int=min(milliseconds, 2**48 - 1) << 80)
