"""What a worker process holds in memory: the classifiers of the plan in force, opened before the first image comes, and
no others for long.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from redis.exceptions import RedisError

from classifiers import registry
from moderation import rollouts
from moderation.metrics.counting import store
from moderation.models import TriagePlan
from moderation.policies import parsed
from moderation.routing import Plan
from moderation.triage.asking import ask, grey
from moderation.triage.ruling import KIND, rules_of
from moderation.triage.scoring import named

log = logging.getLogger(__name__)

WARMING: Final = "loupe:warming"
WARMING_SECONDS: Final = 180
WARM: Final = "loupe:warm"
WARM_SECONDS: Final = 30  # the sweeper, on whichever worker, says it every five

_held: tuple[str, ...] = ()
"""Who was pinned when this process last let go of the others."""


def warm_up() -> Sequence[str]:
    """Afterwards each classifier that the plan in force pins has answered once here, or its failure is counted.
    Returns the refs of those that answered.
    """
    note(WARMING, WARMING_SECONDS)
    published, rollout = TriagePlan.objects.in_force(), rollouts.running()
    plans = [parsed(row) for row in (published, rollout.candidate if rollout else None) if row]
    answered = []
    for version in named(refs_of(plans)):
        if version.kind == "rules":  # they go by what the others said
            continue
        try:
            if version.kind == KIND:
                rules_of(version)
            else:
                ask(version.backbone or version, [grey()])
        except Exception as error:  # noqa: BLE001 - the first batch will find the same, and knows what to do
            log.warning("%s is not warm: %s", version.ref, error)
        else:
            answered.append(version.ref)
    tell()
    return answered


def tell() -> None:
    """A worker process that is warm says so, now and then."""
    note(WARM, WARM_SECONDS)


def is_only_warming() -> bool:
    """Whether workers start and none has been warm of late. Without a word from any there is nothing to wait for."""
    with suppress(RedisError):
        warming, warm = store().mget([WARMING, WARM])
        return bool(warming) and not warm
    return False


def note(key: str, seconds: int) -> None:
    with suppress(RedisError):
        store().set(key, 1, ex=seconds)


def refs_of(plans: Sequence[Plan]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ref for plan in plans for ref in (*plan.classifiers, *plan.shadows)))


def release(*plans: Plan) -> None:
    """Let go of the classifiers that none of these plans, if new to this process, pins."""
    global _held  # noqa: PLW0603 - one a process
    pinned = refs_of(plans)
    if pinned != _held:
        registry.keep(named(pinned))
        _held = pinned
