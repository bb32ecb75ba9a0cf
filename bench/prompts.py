"""What screening a prompt costs: term editions of 10 thousand and 1 million, the learnt model, and the call over HTTP.

.venv/bin/python -m bench.prompts
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import psutil

from bench.harness import django_on_own_services, emit, machine, web_server

SIZES: Final = (10_000, 1_000_000)
SECONDS: Final = 3.0
CALLS: Final = 400
SYLLABLES: Final = (
    "ka",
    "lo",
    "mi",
    "ter",
    "an",
    "de",
    "fro",
    "shi",
    "pel",
    "or",
    "gan",
    "tu",
    "ves",
    "qui",
    "bra",
    "xen",
)


def main() -> None:
    with django_on_own_services() as folder:
        prompts, source = some_prompts()
        for size in SIZES:
            path = folder / f"terms-{size}.jsonl"
            path.write_text("".join(lines(size)), "utf-8")
            with multiprocessing.get_context("spawn").Pool(1) as pool:  # so that nothing else is in its memory
                figures = pool.apply(screened, (path, prompts))
            params = {"terms": size, "prompts": source, "file_mib": round(path.stat().st_size / 2**20, 1), **machine()}
            emit("prompts", "prompts.terms_load_s", figures["load_s"], "s", n=1, params=params)
            emit("prompts", "prompts.terms_load_cpu_s", figures["load_cpu_s"], "s", n=1, params=params)
            emit("prompts", "prompts.terms_mib", figures["mib"], "MiB", n=1, params=params)
            emit("prompts", "prompts.terms_peak_mib", figures["peak_mib"], "MiB", n=1, params=params)
            emit("prompts", "prompts.terms_per_s", figures["per_s"], "prompts/s", n=int(figures["n"]), params=params)
        learnt(folder, prompts, source)
        over_http(folder, prompts, source)


def some_prompts() -> tuple[list[str], str]:
    """Real prompts when the shared data is there, else drawn words; and which of the two."""
    from django.conf import settings

    path = settings.SHARED_DIR / "data" / "prompts" / "prompts.csv"
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            return [row["prompt"] for row in csv.DictReader(file) if row["prompt"].strip()], "I2P, PartiPrompts"
    draw = random.Random(5)
    return [" ".join(word(draw) for _ in range(20)) for _ in range(2000)], "drawn"


def word(draw: random.Random) -> str:
    return "".join(draw.choices(SYLLABLES, k=draw.randint(2, 4)))


def lines(size: int) -> Iterator[str]:
    """An edition of terms of one to three words."""
    draw = random.Random(1)
    yield json.dumps({"row": "category", "name": "HATE", "action": "review"}) + "\n"
    for _ in range(size):
        text = " ".join(word(draw) for _ in range(draw.randint(1, 3)))
        yield json.dumps({"row": "term", "name": "HATE", "text": text}) + "\n"


def screened(path: Path, prompts: list[str]) -> dict[str, float]:
    """In a process of its own: what loading takes and keeps, and prompts a second of CPU."""
    from classifiers.prompts import editions
    from classifiers.prompts.terms import index

    me = psutil.Process()
    index([]).screen("warm")
    before, began, cpu = me.memory_info().rss, time.perf_counter(), time.process_time()
    with path.open(encoding="utf-8") as file:
        terms = index(editions.read(file))
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    kept, peak = me.memory_info().rss - before, peak_rss() - before
    n, per_s = rate(terms.screen, prompts)
    return {"load_s": took, "load_cpu_s": cpu, "mib": kept / 2**20, "peak_mib": peak / 2**20, "per_s": per_s, "n": n}


def peak_rss() -> int:
    import resource
    import sys

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def rate(judge: Callable[[str], Any], prompts: list[str]) -> tuple[int, float]:
    """How many were judged in SECONDS of CPU time, and how many a second."""
    began, n = time.process_time(), 0
    while (spent := time.process_time() - began) < SECONDS:
        judge(prompts[n % len(prompts)])
        n += 1
    return n, n / spent


def learnt(folder: Path, prompts: list[str], source: str) -> None:
    from classifiers.prompt_training import train_prompts
    from classifiers.prompts import examples
    from classifiers.prompts.learnt import PromptModel

    path = folder / "labelled.jsonl"
    # What is learnt does not matter here, the size of the vocabulary does: every third prompt goes for harmful.
    rows = ({"prompt": text, "categories": ["HATE"] if n % 3 == 0 else []} for n, text in enumerate(prompts))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    began = time.perf_counter()
    candidate = train_prompts(examples.read(path))
    params = {"prompts": source, **machine()}
    emit("prompts", "prompts.train_s", time.perf_counter() - began, "s", n=len(prompts), params=params)
    candidate.write(folder, name="prompts", version="1", licence="none")
    model = PromptModel.load(folder / "prompts-1.safetensors")
    n, per_s = rate(lambda prompt: model.apply([prompt]), prompts)
    grams = len(model.words.idf) + len(model.letters.idf)
    emit("prompts", "prompts.learnt_per_s", per_s, "prompts/s", n=n, params={"grams": grams, **params})


def over_http(folder: Path, prompts: list[str], source: str) -> None:
    """`POST /prompts/check`, one client, one worker, the first edition and the learnt model pinned."""
    from bench.ingest import key
    from classifiers import registry
    from moderation.actors import Actor
    from moderation.first_edition import publish_guidelines, publish_plan_one, register_signals

    me = Actor.command("bench")
    publish_guidelines(actor=me)
    model = registry.register(folder / "prompts-1.toml").ref
    terms = [ref for ref in register_signals() if ref.startswith("terms@")]
    publish_plan_one([*terms, model], actor=me, audit_rate=0.05)
    secret = key()
    with web_server() as web, closing(web.connect()) as connection:
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

        def ask(prompt: str) -> float:
            began = time.perf_counter()
            connection.request("POST", "/api/v1/prompts/check", json.dumps({"prompt": prompt}), headers)
            response = connection.getresponse()
            body = response.read()
            assert response.status == 200, body
            return 1000 * (time.perf_counter() - began)

        first = ask(prompts[0])
        for prompt in prompts[:50]:
            ask(prompt)
        cpu = web.cpu_s()
        taken = [ask(prompts[n % len(prompts)]) for n in range(CALLS)]
        cpu = 1000 * (web.cpu_s() - cpu) / CALLS
        rss = max(one.memory_info().rss for one in web.workers()) / 2**20
    params = {"prompts": source, "workers": 1, **machine()}
    emit("prompts", "prompts.check_p50_ms", statistics.median(taken), "ms", n=CALLS, params=params)
    emit("prompts", "prompts.check_p95_ms", statistics.quantiles(taken, n=20)[-1], "ms", n=CALLS, params=params)
    emit("prompts", "prompts.check_first_ms", first, "ms", n=1, params=params)
    emit("prompts", "prompts.check_cpu_ms", cpu, "ms", n=CALLS, params=params)
    emit("prompts", "prompts.web_rss_mib", rss, "MiB", n=1, params=params)


if __name__ == "__main__":
    main()
