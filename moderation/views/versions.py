"""The classifier versions that a page lists: the newest of each name, and whatever is pinned."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from classifiers.models import ClassifierVersion, ClassifierVersionQuerySet


def newest(*, each: int, keeping: Collection[str] = ()) -> ClassifierVersionQuerySet:
    """At most `each` versions a name, newest first, besides those named in `keeping`; by name, cards left unread."""
    kept = list(ClassifierVersion.objects.with_refs(list(keeping)).values_list("pk", flat=True))
    place = Window(RowNumber(), partition_by="name", order_by=[F("created_at").desc(), F("pk").desc()])
    found = ClassifierVersion.objects.annotate(place=place).filter(Q(place__lte=each) | Q(pk__in=kept))
    return found.order_by("name", "-created_at", "-pk").defer("card")
