"""How soon the web server answers, and how much memory a worker holds after 200 mixed requests.

.venv/bin/python -m bench.web
"""

from __future__ import annotations

import statistics
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

import psutil

from bench.harness import Web, django_on_own_services, emit, images, machine, web_server
from bench.ingest import form, key, post

STARTS: Final = 5
REQUESTS: Final = 200
FORBIDDEN: Final = ("torch", "onnxruntime", "faiss")
PAGES: Final = ("/", "/policies/", "/policies/plans/", "/audit/")


def main() -> None:
    with django_on_own_services():
        starts = []
        for _start in range(STARTS):
            with web_server() as web:
                starts.append(web.started_s)
        emit("web", "web.start_s", statistics.median(starts), "s", n=STARTS, params={"workers": 1, **machine()})
        with web_server() as web:
            ask(web)
            workers = web.workers()
            params = {"workers": len(workers), "requests": REQUESTS, **machine()}
            emit("web", "web.rss_mib", max(rss_mib(one) for one in workers), "MiB", n=REQUESTS, params=params)
            heavy = sorted({name for one in workers for name in loaded(one)})
            emit("web", "web.forbidden_libraries", len(heavy), "libraries", n=len(workers), params={"found": heavy})
            if heavy:
                sys.exit(f"bench: the web worker loaded {', '.join(heavy)}")


def ask(web: Web) -> None:
    """200 requests as they come: uploads, reads, lists and histories of a client; pages of a person."""
    from config.demo.http import Door
    from moderation import roles
    from moderation.actors import Actor
    from moderation.first_edition import publish_guidelines
    from moderation.models import Submission, User

    roles.sync()
    publish_guidelines(actor=Actor.command("bench"))
    User.objects.create_superuser("bench", password="bench-looks-at-everything")
    secret = key()
    base = f"http://127.0.0.1:{web.port}"
    client, person = Door.with_key(base, secret), Door.with_login(base, "bench", "bench-looks-at-everything")
    pictures, _source = images(40)
    for number in range(REQUESTS // 5):
        with closing(web.connect()) as connection:
            post(connection, *form(pictures[number % len(pictures)], secret, prompt=f"picture {number}"))
        newest = Submission.objects.latest("id")
        client.get(f"/api/v1/submissions/{newest.pk}")
        client.get(f"/api/v1/submissions/{newest.pk}/history")
        client.get("/api/v1/submissions?limit=50")
        person.get(PAGES[number % len(PAGES)])


def rss_mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss / 2**20)


def loaded(process: psutil.Process) -> set[str]:
    """Which of the forbidden libraries the process has mapped into its memory."""
    maps = Path(f"/proc/{process.pid}/maps")
    text = maps.read_text() if maps.exists() else ""
    return {name for name in FORBIDDEN if f"/{name}/" in text}


if __name__ == "__main__":
    main()
