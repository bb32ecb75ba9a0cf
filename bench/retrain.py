"""`manage.py train`: 18 heads from labels of a hundred thousand images in all categories (1.8 million rows) and their
stored embeddings, as a process of its own: seconds and peak memory.

.venv/bin/python -m bench.retrain
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench.harness import PROJECT, django_on_own_services, emit, machine
from bench.rescore import cpu_of, peak_mib

IMAGES: Final = 100_000
SIZE: Final = 1280
BLOCK: Final = 5_000
POLL: Final = 0.05
MESSAGE: Final = "every image has a label in every category"


def main() -> None:
    with django_on_own_services() as folder:
        backbone = registered()
        manifest = written(folder / "labels", backbone)
        command = [sys.executable, "manage.py", "train", "--manifest", str(manifest), "--name", "bench", "--json"]
        began = time.perf_counter()
        peak = cpu = 0.0
        with tempfile.TemporaryFile() as output, subprocess.Popen(command, cwd=PROJECT, stdout=output) as process:
            while process.poll() is None:
                peak, cpu = max(peak, peak_mib(process.pid)), max(cpu, cpu_of(process.pid))
                time.sleep(POLL)
            wall = time.perf_counter() - began
            output.seek(0)
            said = json.loads(output.read())
        assert process.returncode == 0
        heads, areas = said["metrics"], [one["auc"] for one in said["metrics"].values()]
        assert min(areas) > 0.8, "nothing was learnt"
        params = {"embedding": SIZE, "heads": len(heads), "rows": IMAGES * len(heads), "labels": MESSAGE}
        params |= {"auc": round(said["auc"], 4), "load": os.getloadavg()[0], **machine()}
        emit("retrain", "retrain.s", wall, "s", n=IMAGES, params=params)
        emit("retrain", "retrain.cpu_s", cpu, "s", n=IMAGES, params=params)
        emit("retrain", "retrain.peak_mib", peak, "MiB", n=IMAGES, params=params)


def registered() -> str:
    """A backbone that never runs; its reference."""
    from classifiers.models import ClassifierVersion

    rows: dict[str, Any] = {"kind": "onnx", "card": {}, "weights": "none", "sha256": "0" * 64, "embedding_size": SIZE}
    return ClassifierVersion.objects.create(name="bench-backbone", version="1", **rows).ref


def written(folder: Path, backbone: str) -> Path:
    """A manifest as `export_labels` writes it: each category follows a direction of the embedding, with noise, and 5 to
    30 of 100 images violate it."""
    import numpy as np

    from classifiers import manifests

    rng = np.random.default_rng(0)
    vectors = np.maximum(rng.normal(0.3, 0.5, (IMAGES, SIZE)), 0).astype(np.float16)
    manifests.write(batches(vectors), folder, embeddings=vectors, query={"backbone": backbone})
    return folder


def batches(vectors: Any) -> Iterator[Any]:
    import numpy as np
    import pyarrow as pa
    import uuid_utils

    from classifiers.labels import SCHEMA
    from classifiers.splits import split_of
    from moderation.taxonomy import Category

    codes = list(Category.values)
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(len(codes), SIZE)) / SIZE**0.5
    cuts = np.linspace(0.7, 0.95, len(codes))
    for start in range(0, IMAGES, BLOCK):
        seen = vectors[start : start + BLOCK].astype(np.float32) @ directions.T
        seen += rng.normal(0, 0.1, seen.shape)
        label = (seen > np.quantile(seen, cuts, axis=0).diagonal()).astype(np.int8)
        keys = [str(uuid_utils.uuid7()) for _ in range(BLOCK)]
        digests = [rng.bytes(32).hex() for _ in range(BLOCK)]
        each, all_codes = len(codes), np.tile(np.array(codes, dtype=object), BLOCK)

        def spread(values: list[Any], times: int = each) -> list[Any]:
            return [value for value in values for _ in range(times)]

        count = BLOCK * each
        columns: dict[str, Any] = {
            "submission_id": spread(keys),
            "image": spread([f"originals/{key}.png" for key in keys]),
            "sha256": spread(digests),
            "pdq": spread(digests),
            "width": [1024] * count,
            "height": [1024] * count,
            "prompt": spread([f"a prompt of usual length, number {start + i}, on a street" for i in range(BLOCK)]),
            "generator": spread([("neon 2", "chalk 1.4", "brush")[i % 3] for i in range(BLOCK)]),
            "category": all_codes,
            "severity": [2] * count,
            "label": label.ravel(),
            "source": ["human"] * count,
            "reviewers": [["a-pseudonym"]] * count,
            "agreement": [1.0] * count,
            "policy_version": ["HATE:3"] * count,
            "plan_version": ["4"] * count,
            "classifier_versions": [["bench@1"]] * count,
            "probability_at_triage": rng.random(count),
            "inclusion_probability": [1.0] * count,
            "weight": [1.0] * count,
            "cluster_id": spread(keys),
            "split": spread([split_of(key) for key in keys]),
            "embedding_ref": np.repeat(np.arange(start, start + BLOCK), each),
            "licence": ["as the generator's"] * count,
            "consent_basis": ["terms"] * count,
        }
        empty = {field.name: pa.nulls(count, field.type) for field in SCHEMA if field.name not in columns}
        yield pa.RecordBatch.from_pydict({**columns, **empty}, schema=SCHEMA)


if __name__ == "__main__":
    main()
