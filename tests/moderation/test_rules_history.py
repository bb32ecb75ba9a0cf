"""What rules know of an author: right, of one platform, of before, and in one query."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone
from uuid_utils.compat import uuid7

from moderation.models import Client, Status, Submission
from moderation.rules import history
from moderation.rules.facts import Author
from moderation.rules.history import a_day_before, of_authors


def past(platform: Client, status: str, *, by: str, hours_ago: float, author: str) -> Submission:
    at = timezone.now() - timedelta(hours=hours_ago)
    return Submission(
        pk=UUID(int=(int(at.timestamp() * 1000) << 80) | (uuid7().int & ((1 << 80) - 1))),
        client=platform,
        author_ref=author,
        status=status,
        decided_by=by,
        settled_at=at,
        sha256="0" * 64,
        media_type="image/png",
        byte_size=1,
        width=1,
        height=1,
        triage_after=at,
    )


def made(
    platform: Client,
    status: str = Status.APPROVED,
    *,
    by: str = "automation",
    hours_ago: float = 1,
    author: str = "ann",
) -> Submission:
    """An image sent then; its key was made then too."""
    row = past(platform, status, by=by, hours_ago=hours_ago, author=author)
    row.save(force_insert=True)
    return row


def of(row: Submission) -> Author | None:
    return of_authors([row]).get(row.pk)


def test_strikes_volume_and_share_are_of_what_came_before(platform: Client) -> None:
    made(platform, Status.BLOCKED, by="person", hours_ago=50)
    made(platform, Status.BLOCKED, by="automation", hours_ago=23)
    made(platform, Status.QUARANTINED, by="person", hours_ago=20)
    made(platform, Status.APPROVED, hours_ago=10)
    made(platform, Status.IN_REVIEW, by="", hours_ago=5)
    row = made(platform, hours_ago=2)
    made(platform, Status.BLOCKED, by="person", hours_ago=1)

    assert of(row) == Author(strikes=2, volume_24h=4, blocked_share=0.75)


def test_other_authors_and_other_platforms_do_not_count(platform: Client, other_platform: Client) -> None:
    made(platform, Status.BLOCKED, by="person", author="bob")
    made(other_platform, Status.BLOCKED, by="person")

    assert of(made(platform, hours_ago=0)) == Author()


def test_who_is_not_named_has_no_history(platform: Client, django_assert_num_queries: Any) -> None:
    made(platform, Status.BLOCKED, by="person", author="")
    row = made(platform, author="", hours_ago=0)

    with django_assert_num_queries(0):
        assert of(row) is None


def test_a_batch_is_one_query(platform: Client, django_assert_num_queries: Any) -> None:
    rows = [made(platform, author=f"author {number % 7}", hours_ago=30 - number) for number in range(30)]

    with django_assert_num_queries(1):
        found = of_authors(rows)

    assert [found[row.pk].volume_24h for row in rows[:8]] == [0, 0, 0, 0, 0, 0, 0, 1]


def test_it_looks_back_so_far_and_no_further(platform: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "LOOKED_BACK", 3)
    made(platform, Status.BLOCKED, by="person", hours_ago=9)
    for hours in (8, 7, 6):
        made(platform, hours_ago=hours)

    assert of(made(platform, hours_ago=0)) == Author(strikes=0, volume_24h=3)


def test_the_index_serves_it_however_large_the_archive(platform: Client) -> None:
    row = made(platform, hours_ago=0)
    Submission.objects.bulk_create(
        past(platform, Status.APPROVED, by="automation", hours_ago=1 + number / 1000, author=f"author {number % 300}")
        for number in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE moderation_submission")
        asked = f'[{{"id": "{row.pk}", "client": "{platform.pk}", "author": "ann", "day": "{a_day_before(row.pk)}"}}]'
        cursor.execute("EXPLAIN " + history.QUERY, [asked, 500])
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "submission_author" in plan
    assert "Seq Scan" not in plan
