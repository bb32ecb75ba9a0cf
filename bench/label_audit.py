"""A hundred thousand labels on embeddings of 1,280 numbers, audited, one in twenty of them wrong.

.venv/bin/python -m bench.label_audit
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.harness import emit, machine
from classifiers import manifests, splits
from classifiers.label_audits.auditing import audit
from classifiers.manifests import Row

LABELS: Final = 100_000
SIZE: Final = 1280
WRONG: Final = 0.05


def main() -> None:
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        manifest, flipped = labelled(Path(folder), rng)
        wall, cpu = time.perf_counter(), time.process_time()
        found = audit(manifest)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    top = [int(one.submission, 16) for one in found.suspects[: LABELS // 10]]
    params = {
        "numbers": SIZE,
        "cpu_s": round(cpu, 2),
        "flips_in_top_tenth": round(float(flipped[top].sum() / flipped.sum()), 4),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        **machine(),
    }
    emit("label_audit", "label_audit.s_100k", wall, "s", n=LABELS, params=params)


def labelled(folder: Path, rng: np.random.Generator) -> tuple[Any, Any]:
    """Embeddings with a few strong directions among many weak ones, as those of a network; labels by one line through
    them, some of which are wrong. Hashes are random, so all of them are compared.
    """
    strength = (1.0 / np.sqrt(np.arange(1, SIZE + 1))).astype(np.float32)
    line = rng.normal(size=SIZE).astype(np.float32) * strength
    flipped = rng.random(LABELS) < WRONG
    vectors = np.empty((LABELS, SIZE), np.float16)
    truly = np.empty(LABELS, np.bool_)
    for at in range(0, LABELS, 10_000):
        block = rng.normal(size=(10_000, SIZE)).astype(np.float32) * strength
        vectors[at : at + 10_000] = block
        truly[at : at + 10_000] = block @ line > 1.2 * np.linalg.norm(line * strength)
    hashes = [rng.bytes(32).hex() for _each in range(LABELS)]
    rows = [
        Row(
            submission_id=f"{i:08x}",
            pdq=hashes[i],
            category="WEAPONS_DANGEROUS",
            label=int(truly[i] != flipped[i]),
            weight=1.0,
            cluster_id=f"{i:08x}",
            split=splits.split_of(f"{i:08x}"),
            embedding_ref=i,
            reviewers=[f"reviewer {i % 7}"],
        )
        for i in range(LABELS)
    ]
    return manifests.write(rows, folder, embeddings=vectors), flipped


if __name__ == "__main__":
    main()
