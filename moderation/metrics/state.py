"""How much waits, and for how long: read from the rows when somebody asks, at a cost that does not follow the archive.

Counts stop at `MOST`: beyond it the figure says "at least", and the ages still tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from django.db import connection
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

MOST: Final = 100_000

# Each reads one partial index: submission_arrived, submission_held_up, request_open_by_queue, request_opened.
BACKLOG: Final = """
SELECT (SELECT count(*) FROM (SELECT FROM moderation_submission WHERE status = 'received' LIMIT %(most)s) few),
    (SELECT extract(epoch FROM now() - min(created_at)) FROM moderation_submission WHERE status = 'received'),
    (SELECT count(*) FROM (SELECT FROM moderation_submission WHERE status = 'received' AND held_up_since IS NOT NULL
        LIMIT %(most)s) few),
    (SELECT extract(epoch FROM now() - min(held_up_since)) FROM moderation_submission WHERE status = 'received'
        AND held_up_since IS NOT NULL)
"""
REVIEW: Final = """
SELECT queue, count(*) FROM (
    SELECT queue FROM moderation_reviewrequest WHERE closed_at IS NULL LIMIT %(most)s
) few GROUP BY queue ORDER BY queue
"""
ALARMS: Final = (
    "SELECT scope, measure, count(*) FROM moderation_alarm WHERE closed_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2"
)
# Of the newest day alone: its number goes with the versions in service and their categories. Generators, whose names
# come from outside, are only counted.
READINGS: Final = """
SELECT measure, subject, CASE WHEN measure IN ('prior', 'unseen') THEN '' ELSE key END, value, low, high, level
FROM moderation_reading WHERE day = (SELECT max(day) FROM moderation_reading) ORDER BY measure, subject, key
LIMIT %(most)s
"""
LOOKED: Final = """
SELECT greatest(0, extract(epoch FROM clock_timestamp() - max(made_at))) FROM moderation_reading
WHERE day = (SELECT max(day) FROM moderation_reading)
"""
MOST_READINGS: Final = 2000
FIGURES: Final = ("precision", "miss_rate", "recall", "prevalence")
LEVELS: Final = ("usual", "watch", "act")
# One look into the index a queue.
OLDEST_REQUEST: Final = """
WITH RECURSIVE heads AS (
    (SELECT queue, opened_at FROM moderation_reviewrequest WHERE closed_at IS NULL ORDER BY queue, opened_at LIMIT 1)
    UNION ALL
    SELECT next.* FROM heads CROSS JOIN LATERAL (
        SELECT queue, opened_at FROM moderation_reviewrequest WHERE closed_at IS NULL AND queue > heads.queue
        ORDER BY queue, opened_at LIMIT 1
    ) next
)
SELECT extract(epoch FROM now() - min(opened_at)) FROM heads
"""


def gauges() -> Iterator[Metric]:
    with connection.cursor() as cursor:
        cursor.execute(BACKLOG, {"most": MOST})
        waiting, oldest, held_up, longest = cursor.fetchone()
        cursor.execute(REVIEW, {"most": MOST})
        open_requests = cursor.fetchall()
        cursor.execute(OLDEST_REQUEST)
        (oldest_request,) = cursor.fetchone()
        cursor.execute(ALARMS)
        ringing = cursor.fetchall()
    yield gauge("loupe_backlog_images", "Images that wait for triage or are in it.", waiting)
    yield gauge("loupe_backlog_oldest_seconds", "Age of the oldest of them.", oldest)
    yield gauge("loupe_held_up_images", "Images of these that wait because a classifier is down.", held_up)
    yield gauge("loupe_held_up_oldest_seconds", "How long the longest of these waits.", longest)
    requests = GaugeMetricFamily("loupe_review_open_requests", "Requests open for people.", labels=["queue"])
    for queue, number in open_requests:
        requests.add_metric([queue], number)
    yield requests
    alarms = GaugeMetricFamily(
        "loupe_guardrail_open_alarms", "Open alarms of the guardrails.", labels=["scope", "measure"]
    )
    for scope, measure, number in ringing:
        alarms.add_metric([scope, measure], number)
    yield alarms
    yield gauge("loupe_review_oldest_seconds", "Age of the oldest open request.", oldest_request)
    yield from monitoring()


def monitoring() -> Iterator[Metric]:
    """What the last look of monitoring found, and how long ago it was."""
    with connection.cursor() as cursor:
        cursor.execute(READINGS, {"most": MOST_READINGS})
        rows = cursor.fetchall()
        cursor.execute(LOOKED)
        (ago,) = cursor.fetchone()
    drift = GaugeMetricFamily(
        "loupe_drift", "How far the newest images are from the reference.", labels=["measure", "version", "category"]
    )
    figures = GaugeMetricFamily(
        "loupe_quality", "Figures of four weeks from audits, as shares.", labels=["figure", "category", "end"]
    )
    beyond = Counter[tuple[str, str]]()
    for measure, version, category, value, low, high, level in rows:
        beyond[measure, level] += bool(level)
        if measure in FIGURES:
            for end, number in (("low", low), ("estimate", value), ("high", high)):
                if number is not None and value is not None:
                    figures.add_metric([measure, category, end], number)
        elif value is not None and measure not in {"prior", "unseen"}:
            drift.add_metric([measure, version, category], value)
    levels = GaugeMetricFamily(
        "loupe_monitoring_readings", "Readings of the last look, by how far beyond.", labels=["measure", "level"]
    )
    for measure in sorted({measure for measure, _level in beyond}):
        for level in LEVELS:
            levels.add_metric([measure, level], beyond[measure, level])
    yield from (drift, figures, levels)
    if ago is not None:
        yield gauge("loupe_monitoring_age_seconds", "How long ago monitoring looked last.", ago)


def gauge(name: str, words: str, value: float | None) -> Metric:
    return GaugeMetricFamily(name, words, value=float(value or 0))
