"""`manage.py rescore` on a hundred thousand stored embeddings, as a process of its own: seconds and peak memory.

.venv/bin/python -m bench.rescore
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil
import psycopg

from bench import backlog
from bench.harness import PROJECT, cpu_s, django_on_own_services, emit, machine

if TYPE_CHECKING:
    from classifiers.models import ClassifierVersion

IMAGES: Final = 100_000
SIZE: Final = 1280
HEADS: Final = 18
BLOCK: Final = 5_000


def main() -> None:
    with django_on_own_services() as folder:
        backlog.house()
        with psycopg.connect(superuser_url(folder), autocommit=True) as connection:
            backlog.grow(connection, start=0, stop=IMAGES)
            version = eyes_and_heads(folder)
            seed(connection, version)
        params = {"embedding": SIZE, "heads": HEADS, "batch": "default", **machine()}
        began = time.perf_counter()
        command = [sys.executable, "manage.py", "rescore", version.ref, "--json"]
        peak, said, cpu = 0.0, {"written": 0}, 0.0
        with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for line in process.stdout:
                said = json.loads(line)
                peak, cpu = max(peak, peak_mib(process.pid)), max(cpu, cpu_of(process.pid))
        wall = time.perf_counter() - began
        assert process.returncode == 0
        assert said["written"] == IMAGES
        emit("rescore", "rescore.s_100k", wall, "s", n=IMAGES, params=params)
        emit("rescore", "rescore.cpu_s_100k", cpu, "s", n=IMAGES, params=params)
        emit("rescore", "rescore.peak_mib", peak, "MiB", n=IMAGES, params=params)


def peak_mib(pid: int) -> float:
    """The most memory a living process ever held; where the system does not say so, what it holds now."""
    try:
        words = Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()
        return int(words[0]) / 1024
    except (OSError, IndexError):
        return resting(pid, lambda process: process.memory_info().rss / 2**20)


def cpu_of(pid: int) -> float:
    return resting(pid, cpu_s)


def resting(pid: int, measure: Callable[[psutil.Process], float]) -> float:
    """Of a process that may have ended by now: then 0."""
    try:
        return measure(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return 0.0


def eyes_and_heads(folder: Path) -> ClassifierVersion:
    """Heads of all categories over a backbone that never runs."""
    import numpy as np

    from classifiers import cards, registry
    from classifiers.heads import Calibration, Heads
    from classifiers.models import ClassifierVersion
    from moderation.taxonomy import Category

    rows: dict[str, Any] = {"kind": "onnx", "card": {}, "weights": "none", "sha256": "0" * 64, "embedding_size": SIZE}
    backbone = ClassifierVersion.objects.create(name="bench-backbone", version="1", **rows)
    rng = np.random.default_rng(0)
    heads = Heads(
        tuple(Category.values),
        rng.normal(0, 0.05, (HEADS, SIZE)).astype(np.float32),
        np.zeros(HEADS, np.float32),
        (Calibration(),) * HEADS,
    )
    weights = folder / "heads.safetensors"
    heads.save(weights)
    card = {"name": "bench-heads", "version": "1", "kind": "heads", "backbone": backbone.ref, "licence": "none"}
    card |= {"weights": weights.name, "sha256": registry.digest(weights)}
    return registry.register(cards.dump(card, folder / "heads.toml"))


def seed(connection: psycopg.Connection, version: ClassifierVersion) -> None:
    """An embedding for each submission of the backlog."""
    import numpy as np
    import uuid_utils

    assert version.backbone is not None
    rng, backbone = np.random.default_rng(1), version.backbone.pk
    keys = [key for (key,) in connection.execute("SELECT id FROM moderation_submission ORDER BY id").fetchall()]
    copying = "COPY moderation_embedding (id, submission_id, backbone_id, vector) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(copying) as copy:
        for start in range(0, IMAGES, BLOCK):
            vectors = np.maximum(rng.normal(0.3, 0.5, (BLOCK, SIZE)), 0).round(3)
            for key, vector in zip(keys[start : start + BLOCK], vectors.tolist(), strict=True):
                copy.write_row((str(uuid_utils.uuid7()), key, backbone, str(vector)))
    connection.execute("VACUUM ANALYZE moderation_embedding")
    connection.execute("CHECKPOINT")


def superuser_url(folder: Path) -> str:
    from config.embedded.postgresql import SUPERUSER, PostgreSQL

    url = PostgreSQL(folder).url(role=SUPERUSER, database="loupe")
    assert url, "PostgreSQL runs"
    return url


if __name__ == "__main__":
    main()
