"""Claim and decide over HTTP: how long each takes, what it costs, and that neither grows with the backlog.

The short and the long backlog are two databases of one server, each behind a web server of its own, and take turns, so
that a machine that slows down slows both.

    .venv/bin/python -m bench.review
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier, Thread
from typing import Any, Final
from urllib.parse import urlsplit

import psutil
import psycopg

from bench.backlog import Session, grow, house, reviewers
from bench.harness import Web, cpu_s, django_on_own_services, emit, machine, web_server

SHORT, CROWDED, LONG = 10_000, 100_000, 1_000_000
CLIENTS: Final = 32
WORKERS: Final = 4
WARM_UP: Final = 60  # decisions
TURN: Final = 40  # decisions before the other backlog's turn
TURNS: Final = 10
CROWD_SECONDS: Final = 15
DECISIONS: Final[Sequence[dict[str, Any]]] = (
    {"verdict": "approve", "seen": {"revealed": True, "seconds": 2.5}},
    {
        "verdict": "block",
        "labels": [{"category": "WEAPONS_DANGEROUS", "severity": 2}],
        "rationale": "A realistic weapon aimed at the viewer.",
        "seen": {"revealed": True, "seconds": 4.5},
    },
)


@dataclass(slots=True)
class Person:
    """One reviewer at a browser: claims one, decides it, claims the next."""

    connection: http.client.HTTPConnection
    session: Session
    claim_s: list[float] = field(default_factory=list)
    decide_s: list[float] = field(default_factory=list)
    given: list[str] = field(default_factory=list)

    def work(self, count: int) -> None:
        for _number in range(count):
            self.step()
        self.connection.close()  # the next request opens another: the server does not keep an idle one for long

    def step(self) -> None:
        began = time.perf_counter()
        (claim,) = self.post("/api/v1/queues/general/claim", {"count": 1}, expected=200)["claims"]
        claimed = time.perf_counter()
        decision = DECISIONS[len(self.given) % len(DECISIONS)]
        self.post(f"/api/v1/claims/{claim['claim_id']}/decision", decision, expected=201)
        self.claim_s.append(claimed - began)
        self.decide_s.append(time.perf_counter() - claimed)
        self.given.append(claim["request_id"])

    def post(self, path: str, body: dict[str, Any], *, expected: int) -> Any:
        self.connection.request("POST", path, json.dumps(body), self.session.headers)
        response = self.connection.getresponse()
        answer = response.read()
        if response.status != expected:
            sys.exit(f"bench: {path} answered {response.status}: {answer.decode(errors='replace')[:500]}")
        return json.loads(answer)


def main() -> None:
    os.environ["LOUPE_API_RATE"] = "1000000000"  # the limit protects the house from clients like this one
    with django_on_own_services() as folder, ExitStack() as stack:
        house()
        sessions = reviewers(CLIENTS)
        databases = Databases(folder)
        databases.seed("loupe", start=0, stop=SHORT)
        databases.copy("loupe", "crowded")
        databases.seed("crowded", start=SHORT, stop=CROWDED)
        with databases.serve("crowded", workers=WORKERS) as web:
            crowd(web, sessions, databases.url("crowded"))
        databases.copy("crowded", "long")
        databases.seed("long", start=CROWDED, stop=LONG)
        short, long = (stack.enter_context(databases.serve(name, workers=1)) for name in ("loupe", "long"))
        alone(short, long, sessions[0], databases.postmaster())
        effects_cost(databases.postmaster())


def alone(short: Web, long: Web, session: Session, postgres: psutil.Process) -> None:
    people = {web: Person(web.connect(), session) for web in (short, long)}
    for person in people.values():
        person.work(WARM_UP)
        person.claim_s.clear()
        person.decide_s.clear()
    cpu: dict[Web, list[float]] = {short: [], long: []}
    for _turn in range(TURNS):
        for web, person in people.items():
            before = web.cpu_s() + family_cpu_s(postgres)
            person.work(TURN)
            cpu[web].append((web.cpu_s() + family_cpu_s(postgres) - before) / TURN)
    for web, size in ((short, SHORT), (long, LONG)):
        params = {"clients": 1, "open": size, "web_workers": 1, **machine()}
        person, n = people[web], TURNS * TURN
        emit("review", "review.claim_p50_ms", 1e3 * statistics.median(person.claim_s), "ms", n=n, params=params)
        emit("review", "review.decide_p50_ms", 1e3 * statistics.median(person.decide_s), "ms", n=n, params=params)
        emit("review", "review.cpu_ms_per_decision", 1e3 * statistics.median(cpu[web]), "ms", n=n, params=params)
    ratio = statistics.median(cpu[long]) / statistics.median(cpu[short])
    emit("review", "review.scale_1m", ratio, "ratio", n=TURNS * TURN, params={"of": LONG, "over": SHORT, **machine()})


def effects_cost(postgres: psutil.Process) -> None:
    """What it costs the worker and PostgreSQL to let the decisions of the short backlog take effect."""
    from django.utils import timezone

    from review import effects
    from review.models import Effect, EffectState

    Effect.objects.filter(state=EffectState.PENDING).update(due_at=timezone.now())
    before = time.process_time() + family_cpu_s(postgres)
    applied = effects.apply_due()[0]
    cost = time.process_time() + family_cpu_s(postgres) - before
    if not applied:
        sys.exit("bench: no decision waited to take effect")
    emit("review", "review.apply_cpu_ms", 1e3 * cost / applied, "ms", n=applied, params={"open": SHORT, **machine()})


def crowd(web: Web, sessions: Sequence[Session], database_url: str) -> None:
    people = [Person(web.connect(), session) for session in sessions]
    start = Barrier(len(people) + 1)

    def run(person: Person) -> None:
        person.work(2)
        start.wait()
        deadline = time.perf_counter() + CROWD_SECONDS
        while time.perf_counter() < deadline:
            person.step()
        person.connection.close()

    threads = [Thread(target=run, args=(person,), daemon=True) for person in people]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - began
    counted = sum(len(person.given) - 2 for person in people)
    given = Counter(request for person in people for request in person.given)
    params = {"clients": len(people), "open": CROWDED, "web_workers": WORKERS, **machine()}
    emit("review", "review.decisions_per_s", counted / elapsed, "1/s", n=counted, params=params)
    double = sum(number - 1 for number in given.values())
    with psycopg.connect(database_url) as connection:
        decided = connection.execute("SELECT count(DISTINCT submission_id), count(*) FROM review_decision").fetchone()
    if decided != (len(given), len(given)):
        sys.exit(
            f"bench: {len(given)} requests were given, the database holds {decided} decided submissions and decisions"
        )
    emit("review", "review.double_given", double, "requests", n=counted, params=params)


@dataclass(frozen=True, slots=True)
class Databases:
    """Several databases of the benchmark's own PostgreSQL."""

    folder: Path

    def url(self, name: str, *, superuser: bool = False) -> str:
        from config.embedded.postgresql import ROLE, SUPERUSER, PostgreSQL

        url = PostgreSQL(self.folder).url(role=SUPERUSER if superuser else ROLE, database=name)
        assert url, "PostgreSQL runs"
        return url

    def seed(self, name: str, *, start: int, stop: int) -> None:
        with psycopg.connect(self.url(name, superuser=True), autocommit=True) as connection:
            grow(connection, start=start, stop=stop)

    def copy(self, origin: str, name: str) -> None:
        from django.db import connections

        connections.close_all()
        connections["default"].close_pool()  # type: ignore[attr-defined]
        with psycopg.connect(self.url("postgres", superuser=True), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {origin} OWNER loupe")

    @contextmanager
    def serve(self, name: str, *, workers: int) -> Iterator[Web]:
        kept = os.environ["DATABASE_URL"]
        os.environ["DATABASE_URL"] = urlsplit(kept)._replace(path=f"/{name}").geturl()
        try:
            with web_server(workers=workers) as web:
                os.environ["DATABASE_URL"] = kept
                yield web
        finally:
            os.environ["DATABASE_URL"] = kept

    def postmaster(self) -> psutil.Process:
        pid = int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])
        return psutil.Process(pid)


def family_cpu_s(process: psutil.Process) -> float:
    """CPU seconds of a process and of its children, those that have ended included."""
    times = process.cpu_times()
    ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return cpu_s(process) + float(ended) + sum(cpu_s(child) for child in process.children())


if __name__ == "__main__":
    main()
