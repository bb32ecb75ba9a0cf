"""What the provenance signal costs an image: CPU here, and in the process that reads content credentials.

.venv/bin/python -m bench.provenance
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psutil
from PIL import Image

import classifiers
from bench.harness import emit, machine
from classifiers import registry
from classifiers.base import ImageInput
from classifiers.provenance.credentials import READER
from tests.classifiers.provenance import files, signing

CARD: Final = Path(classifiers.__file__).parent / "signals" / "provenance.toml"
ROUNDS: Final = 15
IMAGES: Final = 32  # a batch


def main() -> None:
    signal = registry.load_card(CARD)
    plain_png, plain_jpeg = files.saved("PNG", size=600), files.saved("JPEG", size=900, quality=95)
    cases = {
        "plain_png": plain_png,
        "plain_jpeg": plain_jpeg,
        "a1111_png": files.png({"parameters": files.A1111}, size=600),
        "c2pa_jpeg": signing.signed("JPEG", image=plain_jpeg),
        "c2pa_png": signing.signed("PNG", image=plain_png),
        "bomb_png": files.bomb(50),
    }
    for name, data in cases.items():
        batch = [ImageInput(Image.new("RGB", (8, 8)), prompt="a lighthouse", original=lambda data=data: data)] * IMAGES  # type: ignore[misc]
        measure(name, lambda batch=batch: signal.run(batch), size=len(data))  # type: ignore[misc]
    READER.close()


def measure(name: str, run: Callable[[], Any], *, size: int) -> None:
    """The median of some rounds, an image."""
    run()  # the first starts the reader
    here: list[float] = []
    there: list[float] = []
    wall: list[float] = []
    for _round in range(ROUNDS):
        before = time.process_time(), of_reader(), time.perf_counter()
        run()
        after = time.process_time(), of_reader(), time.perf_counter()
        for column, start, end in zip((here, there, wall), before, after, strict=True):
            column.append((end - start) * 1000 / IMAGES)
    params, middle = {"bytes": size, **machine()}, ROUNDS // 2
    for metric, values in (("cpu_ms", here), ("reader_cpu_ms", there), ("wall_ms", wall)):
        if metric != "reader_cpu_ms" or name.startswith("c2pa"):
            emit("provenance", f"provenance.{name}_{metric}", sorted(values)[middle], "ms", n=IMAGES, params=params)


def of_reader() -> float:
    """CPU seconds of the process that reads credentials."""
    if READER._process is None:
        return 0.0
    spent = psutil.Process(READER._process.pid).cpu_times()
    return spent.user + spent.system


if __name__ == "__main__":
    main()
