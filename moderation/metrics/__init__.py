"""What the house counts, for Prometheus. `from moderation import metrics; metrics.TRIAGED.add(3, route="approve")`.

Counts of all processes on all machines meet in Redis, so that any web server answers for the whole house, and a worker
needs no port of its own. Losing Redis sets them to zero, which Prometheus takes for a restart.
"""

from moderation.metrics.catalogue import (
    BATCH_IMAGES,
    BREAKER_CHANGES,
    CAPPED,
    CLASSIFIER_ABANDONED,
    CLASSIFIER_FAILURES,
    CLASSIFIER_SECONDS,
    DECISIONS,
    INGESTED,
    PROMPTS_CHECKED,
    PUT_BACK,
    STAGE_SECONDS,
    TRIAGED,
    WORKERS_RECYCLED,
)
from moderation.metrics.counting import flush

__all__ = [
    "BATCH_IMAGES",
    "BREAKER_CHANGES",
    "CAPPED",
    "CLASSIFIER_ABANDONED",
    "CLASSIFIER_FAILURES",
    "CLASSIFIER_SECONDS",
    "DECISIONS",
    "INGESTED",
    "PROMPTS_CHECKED",
    "PUT_BACK",
    "STAGE_SECONDS",
    "TRIAGED",
    "WORKERS_RECYCLED",
    "flush",
]
