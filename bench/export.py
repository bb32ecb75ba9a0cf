"""A million labels to Parquet, as `manage.py export_labels` writes them: rows a second, memory, first rows on disk.

.venv/bin/python -m bench.export [--rows N]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

import psycopg

from bench import backlog
from bench.harness import PROJECT, django_on_own_services, emit, machine
from bench.rescore import peak_mib, superuser_url

LABELS: Final = 1_000_000
# Of an approval come labels of all 17 categories that may be learnt, of a block as many as it names.
SHAPES: Final = {
    "approvals": (17, "approve", "approved", "[]"),
    "blocks": (1, "block", "blocked", '[{"category": "WEAPONS_DANGEROUS", "severity": 2}]'),
}

CLAIMS: Final = """
INSERT INTO review_claim (id, request_id, reviewer_id, claimed_at, expires_at, ended_at, outcome)
SELECT uuidv7(), request.id, %(reviewer)s, now(), now(), now(), 'decided' FROM moderation_reviewrequest request
"""
DECISIONS: Final = """
INSERT INTO review_decision (
    id, claim_id, submission_id, reviewer_id, verdict, labels, rationale, note, seen, policy_id, plan_id,
    idempotency_key, decided_at
)
SELECT uuidv7(), claim.id, request.submission_id, claim.reviewer_id, %(verdict)s, %(labels)s, '', '', '{}',
    policy.id, plan.id, '', now()
FROM review_claim claim JOIN moderation_reviewrequest request ON request.id = claim.request_id,
    moderation_triageplan plan, moderation_policyversion policy
WHERE policy.category = 'WEAPONS_DANGEROUS' AND plan.number = 1
"""
EFFECTS: Final = """
INSERT INTO review_effect (decision_id, submission_id, state, due_at, queue, ended_at, settles, words)
SELECT id, submission_id, 'applied', decided_at, 'general', decided_at, true, '' FROM review_decision
"""
SETTLE: Final = """
UPDATE moderation_submission SET status = %(status)s, decided_by = 'person', settled_at = now(), cluster = id,
    context = '{"licence": "CC-BY-4.0", "consent_basis": "terms of use"}'
"""
TABLES: Final = (
    "moderation_submission, moderation_finding, moderation_reviewrequest, review_claim, review_decision, review_effect"
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=LABELS)
    parser.add_argument("--shape", choices=list(SHAPES), action="append")
    parser.add_argument("--once", type=Path, help="one export into this folder, on the servers that are given")
    options = parser.parse_args()
    if options.once:
        once(options.once)
        return
    with django_on_own_services() as folder:
        backlog.house()
        reviewer = backlog_person()
        for shape in options.shape or SHAPES:
            with psycopg.connect(superuser_url(folder), autocommit=True) as connection:
                images = seed(connection, shape, options.rows, reviewer)
            report(shape, images, exported(folder / shape))


def seed(connection: psycopg.Connection, shape: str, rows: int, reviewer: Any) -> int:
    """So many labels, and nothing else; returns of how many images."""
    each, verdict, status, labels = SHAPES[shape]
    images = -(-rows // each)
    connection.execute("SET session_replication_role = replica")
    connection.execute(f"TRUNCATE {TABLES} CASCADE")
    backlog.grow(connection, start=0, stop=images)
    connection.execute(CLAIMS, {"reviewer": reviewer})
    connection.execute(DECISIONS, {"verdict": verdict, "labels": labels})
    connection.execute(EFFECTS)
    connection.execute(SETTLE, {"status": status})
    connection.execute(f"VACUUM ANALYZE {TABLES}")
    connection.execute("CHECKPOINT")
    return images


def report(shape: str, images: int, told: dict[str, Any]) -> None:
    params = {"images": images, "labels_an_image": SHAPES[shape][0], "columns": 28, **machine()}
    rows = told["rows"]
    # The target speaks of labels; how many images they are of is beside them.
    suffix = "" if shape == "approvals" else f"_{shape}"
    emit("export", f"export.rows_per_s{suffix}", rows / told["wall_s"], "rows/s", n=rows, params=params)
    emit("export", f"export.cpu_s{suffix}", told["cpu_s"], "s", n=rows, params=params)
    emit("export", f"export.peak_mib{suffix}", told["peak_mib"], "MiB", n=rows, params=params)
    emit("export", f"export.first_byte_s{suffix}", told["first_byte_s"], "s", n=rows, params=params)


def backlog_person() -> Any:
    from moderation.models import User

    return User.objects.create_user(username="reviewer").pk


def exported(out: Path) -> dict[str, Any]:
    """What a process of its own, with Django loaded, takes for it. The first byte is the first row group on disk."""
    command = [sys.executable, "-m", "bench.export", "--once", str(out)]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        told: dict[str, Any] = json.loads(process.stdout.readline())
        told["peak_mib"] = peak_mib(process.pid)
        assert process.stdin is not None
        process.stdin.close()
    assert process.returncode == 0
    return told


def once(out: Path) -> None:
    import django

    django.setup()
    from moderation.actors import Actor
    from review.labels import queries, writing

    print("ready", flush=True)
    first: list[float] = []
    began, worked = time.perf_counter(), time.process_time()
    watch = threading.Thread(target=await_rows, args=(out / "labels.parquet.part", began, first), daemon=True)
    watch.start()
    query = queries.Query(demand=True)
    manifest = writing.export(out, query=query, format="parquet", actor=Actor.command("bench"))
    wall, cpu = time.perf_counter() - began, time.process_time() - worked
    watch.join(1)
    told = {"rows": manifest.index["counts"]["rows"], "wall_s": wall, "cpu_s": cpu, "first_byte_s": first[0]}
    print(json.dumps(told), flush=True)
    sys.stdin.read()  # so that its peak can be read


def await_rows(file: Path, began: float, first: list[float]) -> None:
    """Parquet opens with four bytes; more are rows."""
    while not first:
        if file.exists() and file.stat().st_size > 4:
            first.append(time.perf_counter() - began)
        time.sleep(0.002)


if __name__ == "__main__":
    main()
