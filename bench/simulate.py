"""A draft against the plan in force over a million stored findings, from rows to counts: seconds and peak memory.

.venv/bin/python -m bench.simulate
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from typing import Final

import psycopg

from bench import backlog
from bench.harness import PROJECT, django_on_own_services, emit, machine
from bench.rescore import superuser_url

IMAGES: Final = 1_000_000
RUNS: Final = 5
# Most scores low, a tail that reaches certainty, each category with a tail of its own; six decimals, as triage stores.
FINDINGS: Final = """
INSERT INTO moderation_finding (id, submission_id, classifier_id, probabilities, evidence, created_at)
SELECT uuidv7(), submission.id, version.id, ARRAY(
    SELECT round((power(random(), 12 + 4 * (k % 5)) + 0 * submission.width)::numeric, 6)::real
    FROM generate_series(1, cardinality(version.categories)) k
), '{}', now()
FROM moderation_submission submission, classifiers_classifierversion version WHERE version.kind = 'onnx'
"""


def main() -> None:
    if sys.argv[1:] == ["measure"]:
        return measure()
    with django_on_own_services() as folder:
        backlog.house()
        with psycopg.connect(superuser_url(folder), autocommit=True) as connection:
            grow(connection)
        command = [sys.executable, "-m", "bench.simulate", "measure"]
        said = json.loads(
            subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE, env=os.environ).stdout
        )
    params = {"categories": 18, "moved": said["moved"], "runs": RUNS, "load": os.getloadavg()[0], **machine()}
    emit("simulate", "simulate.s_1m", statistics.median(said["wall"]), "s", n=IMAGES, params=params)
    emit("simulate", "simulate.best_s_1m", min(said["wall"]), "s", n=IMAGES, params=params)
    emit(
        "simulate",
        "simulate.cpu_s_1m",
        statistics.median(said["cpu"]),
        "s",
        n=IMAGES,
        params={"of": "client", **params},
    )
    emit("simulate", "simulate.sweep_cpu_s_1m", said["sweep"], "s", n=IMAGES, params=params)
    emit("simulate", "simulate.peak_mib", said["peak_mib"], "MiB", n=IMAGES, params=params)
    return None


def grow(connection: psycopg.Connection) -> None:
    """A million images with a finding each, as on tables that grew over months."""
    connection.execute("SET synchronous_commit = off; SET session_replication_role = replica")
    connection.execute("DROP INDEX IF EXISTS submission_prompt_words, submission_pdq")  # nothing here searches
    parameters = {"prompt": backlog.PROMPT, "reasons": json.dumps(backlog.REASONS), "start": 0, "stop": IMAGES}
    connection.execute(backlog.SUBMISSIONS, parameters)
    connection.execute(FINDINGS)
    connection.execute("VACUUM ANALYZE moderation_submission, moderation_finding")
    connection.execute("CHECKPOINT")


def measure() -> None:
    """In a process of its own, as the web server's: its peak is what a worker needs."""
    import django

    django.setup()
    from dataclasses import replace

    from moderation.models import TriagePlan
    from moderation.plans import Band
    from moderation.policies import parsed
    from moderation.simulation.comparison import compare
    from moderation.simulation.sweep import swept

    row = TriagePlan.objects.in_force()
    assert row is not None
    plan = parsed(row)
    looser = {code: Band(0.2, 0.85 if band.block else None) for code, band in list(plan.bands.items())[:4]}
    draft = replace(plan, bands={**plan.bands, **looser})
    wall, cpu, sweep, moved = [], [], 0.0, 0
    for _run in range(RUNS):
        began, spent = time.perf_counter(), time.process_time()
        found = compare(plan, draft, last=IMAGES)
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - spent)
        assert found.images == IMAGES
        moved = len(found.moved)
        spent = time.process_time()
        swept(found.history.voices, plan, IMAGES)
        sweep = time.process_time() - spent
        del found
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall": wall, "cpu": cpu, "sweep": sweep, "moved": moved, "peak_mib": peak}))


if __name__ == "__main__":
    main()
