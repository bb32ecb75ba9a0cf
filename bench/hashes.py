"""Known images: how fast, how exact, how soon.

The index is asked for batches of 64 hashes, half of them near a known one, half strangers, in a million and in ten
million hashes; what it finds is held against comparison with every one, at random and where a tenth of the bank is
alike. Then a bank of a million in PostgreSQL: how long a worker's process takes to load it, and how long two of them
take to match what is added.

    .venv/bin/python -m bench.hashes
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench.harness import PROJECT, django_on_own_services, emit, machine
from classifiers.hashes import BankIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moderation.models import Bank

BATCH: Final = 64
RADIUS: Final = 31
ROUNDS: Final = 9
WORKERS: Final = 2
ADDITIONS: Final = 5
MILLION: Final = 1_000_000
FILL: Final = """
INSERT INTO moderation_bankentry (bank_id, pdq, sha256, md5, label, added_by, added_at, change)
SELECT %s, sha256(n::text::bytea), '', '', '', 'command:bench', now(), 0 FROM generate_series(1, %s) n
"""


def main() -> None:
    speed(MILLION, "1m")
    exact()
    with django_on_own_services():
        bank = filled()
        load()
        visible(bank)
    speed(10 * MILLION, "10m")


def speed(n: int, name: str) -> None:
    codes = drawn(n, seed=1)
    began = time.perf_counter()
    index = BankIndex.of(np.arange(n), codes)
    params = {"batch": BATCH, "radius": RADIUS, "build_s": round(time.perf_counter() - began, 2), **machine()}
    walls, cpus = [], []
    for number in range(ROUNDS + 1):
        queries = asked(codes, seed=number)
        wall, cpu = time.perf_counter(), time.process_time()
        index.search(queries, RADIUS)
        walls.append(1e3 * (time.perf_counter() - wall) / BATCH)
        cpus.append(1e3 * (time.process_time() - cpu) / BATCH)
    images = ROUNDS * BATCH
    emit("hashes", f"hashes.ms_per_image_{name}", statistics.median(walls[1:]), "ms", n=images, params=params)
    emit("hashes", f"hashes.cpu_ms_per_image_{name}", statistics.median(cpus[1:]), "ms", n=images, params=params)
    emit("hashes", f"hashes.index_mib_{name}", index.nbytes / 2**20, "MiB", n=n, params=params)


def exact() -> None:
    """Recall against comparison with all, of a million at random and of a million with 100,000 alike."""
    wanted, found = 0, 0
    for clustered in (False, True):
        codes = drawn(MILLION, seed=2)
        if clustered:
            codes[: MILLION // 10] = codes[0] ^ (drawn(MILLION // 10, seed=3) & drawn(MILLION // 10, seed=4) & 0x0F0F)
        queries = asked(codes, seed=5)
        answers = BankIndex.of(np.arange(MILLION), codes).search(queries, RADIUS)
        for query, answer in zip(queries, answers, strict=True):
            distances = np.bitwise_count(codes ^ np.frombuffer(query, np.uint64)).sum(1)
            near = {(int(row), int(distances[row])) for row in np.flatnonzero(distances <= RADIUS)}
            assert set(answer) <= near, "nothing is found that is not there"
            wanted, found = wanted + len(near), found + len(near & set(answer))
    emit("hashes", "hashes.recall", found / wanted, "ratio", n=wanted, params={"queries": 2 * BATCH, **machine()})


def filled() -> Bank:
    from django.db import connection

    from moderation.actors import Actor
    from moderation.banks import keeping
    from moderation.models import BankAction
    from moderation.taxonomy import Category

    me = Actor.command("bench")
    bank = keeping.create("Bench", category=Category.OTHER, action=BankAction.REVIEW, actor=me)
    with connection.cursor() as cursor:
        cursor.execute(FILL, [bank.pk, MILLION])
        cursor.execute("ANALYZE moderation_bankentry")
    return bank


def load() -> None:
    """From PostgreSQL, as a worker's process starts; and from entries in memory."""
    from moderation.banks.known import Known

    took, cpu = [], []
    for _ in range(3):
        began, before = time.perf_counter(), time.process_time()
        Known().refresh(at_once=True)
        took.append(time.perf_counter() - began)
        cpu.append(time.process_time() - before)
    params = {"from": "PostgreSQL", **machine()}
    emit("hashes", "hashes.load_s", statistics.median(took), "s", n=MILLION, params=params)
    emit("hashes", "hashes.load_cpu_s", statistics.median(cpu), "s", n=MILLION, params=params)
    entries = [(number, row.tobytes()) for number, row in enumerate(drawn(MILLION, seed=6))]
    began = time.perf_counter()
    BankIndex(entries)
    alone = time.perf_counter() - began
    emit("hashes", "hashes.load_entries_s", alone, "s", n=MILLION, params={**params, "from": "tuples"})


def visible(bank: Bank) -> None:
    """Seconds from the commit of an addition until each of two processes has matched it, as triage asks."""
    from moderation.actors import Actor
    from moderation.banks import keeping
    from moderation.banks.fingerprints import Fingerprint

    hashes = [row.tobytes() for row in drawn(ADDITIONS, seed=7)]
    command = [sys.executable, "-m", "bench.hashes", "watch", *(hash_.hex() for hash_ in hashes)]
    watchers = [
        subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, bufsize=1) for _ in range(WORKERS)
    ]
    took = []
    try:
        rss = [heard(watcher)["rss_mib"] for watcher in watchers]
        for hash_ in hashes:
            keeping.add(bank, [Fingerprint(hash_, 100)], actor=Actor.command("bench"))
            added = time.time()
            took += [heard(watcher)["at"] - added for watcher in watchers]
    finally:
        for watcher in watchers:
            watcher.terminate()
            watcher.wait()
    params = {"workers": WORKERS, "bank": MILLION, **machine()}
    emit("hashes", "hashes.visible_s", max(took), "s", n=len(took), params=params)
    emit("hashes", "hashes.worker_rss_mib", max(rss), "MiB", n=WORKERS, params=params)


def heard(watcher: subprocess.Popen[str]) -> dict[str, Any]:
    assert watcher.stdout is not None
    told: dict[str, Any] = json.loads(watcher.stdout.readline())
    return told


def watch(hashes: list[str]) -> None:
    """A worker's process: loads the banks, then tells of each hash when it is matched."""
    import os

    import django
    import psutil

    django.setup()
    from moderation.banks.known import known
    from moderation.banks.matching import Looks, matches

    known.refresh()
    print(json.dumps({"rss_mib": psutil.Process(os.getpid()).memory_info().rss / 2**20}), flush=True)
    for hash_ in hashes:
        looks = [Looks([bytes.fromhex(hash_)], 100, "", "")]
        while not matches(looks, known)[0]:
            known.refresh()
            time.sleep(0.01)
        print(json.dumps({"at": time.time()}), flush=True)


def drawn(n: int, *, seed: int) -> NDArray[np.uint64]:
    return np.random.default_rng(seed).integers(0, 2**64, (n, 4), dtype=np.uint64)


def asked(codes: NDArray[np.uint64], *, seed: int) -> list[bytes]:
    """Half the batch are known ones with up to 40 bits turned over, half are strangers."""
    rng = np.random.default_rng([seed, len(codes)])
    near = codes[rng.integers(0, len(codes), BATCH // 2)].copy()
    bits = np.unpackbits(near.view(np.uint8), axis=1)
    for row in bits:
        row[rng.choice(256, rng.integers(0, 41), replace=False)] ^= 1
    return [row.tobytes() for row in (*np.packbits(bits, axis=1), *drawn(BATCH // 2, seed=seed + 1000))]


if __name__ == "__main__":
    watch(sys.argv[2:]) if sys.argv[1:2] == ["watch"] else main()
