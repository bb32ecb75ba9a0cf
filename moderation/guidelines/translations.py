"""Guidelines in the languages of who reads them. A translation helps to read: what is decided by is the original."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from django.conf import settings

from moderation.models import PolicyVersion

SOURCE: Final = settings.LANGUAGE_CODE.split("-")[0]
"""The language in which originals are written."""


def in_languages(categories: Collection[str], languages: Sequence[str]) -> Mapping[str, PolicyVersion]:
    """Of these categories the newest translation into the first of the languages (primary subtags, as in de) that
    there is one in; none where the original's own language comes before it, or where it was archived. At most one
    query.
    """
    wanted = languages[: languages.index(SOURCE)] if SOURCE in languages else languages
    if not wanted:
        return {}
    rows = PolicyVersion.objects.filter(category__in=categories, part="").exclude(locale="")
    newest = rows.order_by("category", "locale", "-number").distinct("category", "locale")
    found: dict[str, PolicyVersion] = {}
    for row in sorted(newest, key=lambda one: (len(one.locale), one.locale)):  # de before de-at
        if not row.archived and spoken(row) in wanted:
            known = found.get(row.category)
            if known is None or wanted.index(spoken(row)) < wanted.index(spoken(known)):
                found[row.category] = row
    return found


def spoken(translation: PolicyVersion) -> str:
    return translation.locale.split("-")[0]
