"""Every counter and histogram there is. A new one is one entry here, imported in `__init__` beside its neighbours.

A label takes few values, all ours: a route, a stage, a version; never an id, a name or a word of a client.
"""

from __future__ import annotations

from typing import Final

from moderation.metrics.counting import Counter, Histogram

INGESTED: Final = Counter(
    "loupe_ingest_submissions_total", "Images sent: created, repeated, conflict or refused.", ("outcome",)
)
PROMPTS_CHECKED: Final = Counter("loupe_prompts_checked_total", "Prompts checked before any image.", ("action",))
DECISIONS: Final = Counter("loupe_review_decisions_total", "Decisions of people.", ("verdict",))

TRIAGED: Final = Counter("loupe_triage_images_total", "Images routed by triage.", ("route",))
CAPPED: Final = Counter(
    "loupe_guardrail_capped_images_total",
    "Images sent to people because the plan's, the category's or the client's cap on blocks a day was reached.",
    ("scope",),
)
PUT_BACK: Final = Counter(
    "loupe_triage_put_back_total", "Images put back by triage: to try again, or to wait for a classifier.", ("why",)
)
BATCH_IMAGES: Final = Histogram(
    "loupe_triage_batch_images", "Images in a batch.", (), (1, 2, 4, 8, 16, 32, 64, 128, 256)
)
STAGE_SECONDS: Final = Histogram(
    "loupe_triage_stage_seconds",
    "Seconds a stage takes: look (one image: read, decode, hash), wait (for the looks), score, route, write (a batch).",
    ("stage",),
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
CLASSIFIER_SECONDS: Final = Histogram(
    "loupe_classifier_seconds",
    "Seconds a classifier takes for a batch.",
    ("classifier",),
    (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
CLASSIFIER_FAILURES: Final = Counter(
    "loupe_classifier_failures_total",
    "Failures of a classifier: error, timeout, garbage, unsent (its breaker was open) or image (on that image alone).",
    ("classifier", "kind"),
)
CLASSIFIER_ABANDONED: Final = Counter(
    "loupe_classifier_abandoned_threads_total", "Threads given up because a classifier hung in them.", ("classifier",)
)
BREAKER_CHANGES: Final = Counter(
    "loupe_classifier_breaker_changes_total",
    "Times that a classifier's breaker went open or closed.",
    ("classifier", "to"),
)
WORKERS_RECYCLED: Final = Counter(
    "loupe_workers_recycled_total", "Worker processes that ended themselves because too many of their threads hung.", ()
)
ALL: Final = (
    INGESTED,
    PROMPTS_CHECKED,
    DECISIONS,
    TRIAGED,
    CAPPED,
    PUT_BACK,
    BATCH_IMAGES,
    STAGE_SECONDS,
    CLASSIFIER_SECONDS,
    CLASSIFIER_FAILURES,
    CLASSIFIER_ABANDONED,
    BREAKER_CHANGES,
    WORKERS_RECYCLED,
)
