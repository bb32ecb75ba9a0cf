"""Where triage's time goes: CPU milliseconds an image, part by part, of one worker with every signal pinned.

Each part runs whole in one thread, whose own CPU clock measures it. What PostgreSQL does for it is told apart; what the
parts leave of the process's total is `other`.

    .venv/bin/python -m bench.triage_parts
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

from bench.harness import django_on_own_services, emit, images, postgres_cpu_s
from bench.house import client, fill_bank, parameters, published, received, work_off

if TYPE_CHECKING:
    from classifiers.models import ClassifierVersion
    from moderation.models import Submission

ROUNDS: Final = 4
Spent = dict[str, float]


def main() -> None:
    with django_on_own_services() as folder:
        pictures, source = images()
        version = published(folder)
        fill_bank()
        platform = client()
        work_off(received(platform, pictures, "warm"))
        spent: Spent = defaultdict(float)
        total = database = 0.0
        count = 0
        for number in range(ROUNDS):
            rows = received(platform, pictures, f"round-{number}")
            spent["read"] += read(rows)
            with measured(spent):
                database -= postgres_cpu_s()
                total -= time.process_time()
                work_off(rows)
                total += time.process_time()
                database += postgres_cpu_s()
            count += len(rows)
        told = parts(spent, total)
        params = parameters(version, source)
        for name, seconds in told.items():
            emit("triage_parts", f"triage.{name}_ms", 1e3 * seconds / count, "ms", n=count, params=params)
        emit("triage_parts", "triage.postgresql_ms", 1e3 * database / count, "ms", n=count, params=params)
        emit("triage_parts", "triage.worker_ms", 1e3 * total / count, "ms", n=count, params=params)


def parts(spent: Spent, total: float) -> Spent:
    """Parts that hold others give them up: every moment is told once."""
    told = dict(spent)
    told["decode"] = told.pop("look") - told["pdq"] - told["read"]
    told["embed"] = told.pop("model") - told.get("resize", 0.0)
    told["other"] = total - sum(told.values())
    return told


def read(rows: list[Submission]) -> float:
    """CPU seconds to read the working derivatives, and nothing else."""
    from django.core.files.storage import storages

    began = time.thread_time()
    for row in rows:
        with storages["derivatives"].open(row.working) as file:
            file.read()
    return time.thread_time() - began


@contextmanager
def measured(spent: Spent) -> Iterator[None]:
    """For the block, every part's CPU seconds are added to `spent`."""
    from classifiers import hashes
    from classifiers.backbones import onnx
    from moderation.triage import asking, batch, looking, scoring

    def opened(version: ClassifierVersion) -> Any:
        return Timed(plain(version), spent, NAMES.get(version.kind, "model"))

    plain = asking.opened
    measured_parts = [
        (batch, "claim", "claim"),
        (looking, "looked", "look"),
        (hashes, "pdq_dihedral", "pdq"),
        (onnx, "tensor", "resize"),
        (scoring, "speak", "heads"),
        (batch, "rule", "rules"),
        (batch, "routed", "route"),
        (batch, "record", "write"),
    ]
    with ExitStack() as stack:
        for holder, name, part in measured_parts:
            stack.enter_context(swapped(holder, name, timing(getattr(holder, name), part, spent)))
        stack.enter_context(swapped(asking, "opened", opened))
        yield


NAMES: Final = {"hashes": "banks", "provenance": "provenance", "terms": "prompt", "prompts": "prompt"}


class Timed:
    """A classifier whose `run` is timed."""

    def __init__(self, classifier: Any, spent: Spent, part: str) -> None:
        self.classifier, self.spent, self.part = classifier, spent, part

    def run(self, images: Any) -> Any:
        began = time.thread_time()
        try:
            return self.classifier.run(images)
        finally:
            self.spent[self.part] += time.thread_time() - began


def timing(act: Callable[..., Any], part: str, spent: Spent) -> Callable[..., Any]:
    def timed(*arguments: Any, **options: Any) -> Any:
        began = time.thread_time()
        try:
            return act(*arguments, **options)
        finally:
            spent[part] += time.thread_time() - began

    return timed


@contextmanager
def swapped(holder: Any, name: str, replacement: Any) -> Iterator[None]:
    kept = getattr(holder, name)
    setattr(holder, name, replacement)
    try:
        yield
    finally:
        setattr(holder, name, kept)


if __name__ == "__main__":
    main()
