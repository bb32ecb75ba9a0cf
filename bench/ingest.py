"""One image through the submission API, against the work on its bytes alone.

The limit: decode, both derivatives, sha256 and three file writes, in one process, nothing else. The API: the same image
as a multipart POST over HTTP to the web server with one worker, through authentication, parsing, PostgreSQL (durable),
the audit log and the message to the workers. The two take turns, image by image: a machine that slows down slows both.

    .venv/bin/python -m bench.ingest
"""

from __future__ import annotations

import http.client
import io
import secrets
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from bench.harness import django_on_own_services, emit, machine, postgres_cpu_s, web_server

ROUNDS: Final = 100
WARM: Final = 10
SIZE: Final = (2048, 1536)
WANTED: Final = 1_000_000  # bytes


def main() -> None:
    with django_on_own_services() as folder, web_server(workers=1) as web, closing(web.connect()) as connection:
        image, quality = megabyte()
        secret = key()
        limit, api, api_cpu, limit_cpu = [], [], [], []
        for number in range(WARM + ROUNDS):
            fresh = marked(image, number)
            cpu = time.process_time()
            alone = timed(partial(work_alone, fresh, folder / "alone"))
            cpu = time.process_time() - cpu
            headers, body = form(fresh, secret)
            server_cpu = web.cpu_s() + postgres_cpu_s()
            full = timed(partial(post, connection, headers, body))
            server_cpu = web.cpu_s() + postgres_cpu_s() - server_cpu
            if number >= WARM:
                limit.append(alone)
                api.append(full)
                limit_cpu.append(cpu)
                api_cpu.append(server_cpu)
        ratios = [alone / full for alone, full in zip(limit, api, strict=True)]
        params = {"bytes": len(image), "format": "JPEG", "size": SIZE, "quality": quality, "workers": 1, **machine()}
        emit("ingest", "ingest.of_limit", statistics.median(ratios), "ratio", n=ROUNDS, params=params)
        emit("ingest", "ingest.cpu_of_limit", sum(limit_cpu) / sum(api_cpu), "ratio", n=ROUNDS, params=params)
        emit("ingest", "ingest.p50_ms", 1e3 * statistics.median(api), "ms", n=ROUNDS, params=params)
        emit("ingest", "ingest.limit_p50_ms", 1e3 * statistics.median(limit), "ms", n=ROUNDS, params=params)


def megabyte() -> tuple[bytes, int]:
    """A picture with detail everywhere, as JPEG of about one megabyte; and the quality that makes it so."""
    from PIL import Image

    fine = Image.effect_noise(SIZE, 14).convert("RGB")
    coarse = Image.effect_noise((SIZE[0] // 4, SIZE[1] // 4), 60).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    picture = Image.blend(coarse, fine, 0.3)
    candidates = []
    for quality in range(80, 96):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality)
        candidates.append((buffer.getvalue(), quality))
    return min(candidates, key=lambda one: abs(len(one[0]) - WANTED))


def marked(image: bytes, number: int) -> bytes:
    """The same picture with other bytes: a comment behind the JPEG's first marker."""
    words = f"bench {number}".encode()
    return image[:2] + b"\xff\xfe" + (len(words) + 2).to_bytes(2) + words + image[2:]


def work_alone(image: bytes, folder: Path) -> None:
    from django.conf import settings

    from moderation import images

    verified = images.verify(image, max_bytes=settings.MAX_IMAGE_BYTES, max_pixels=settings.MAX_IMAGE_PIXELS)
    place = folder / verified.sha256[:2]
    place.mkdir(parents=True, exist_ok=True)
    (place / verified.sha256).write_bytes(image)
    (place / f"{verified.sha256}.working.jpg").write_bytes(verified.working)
    (place / f"{verified.sha256}.blurred.jpg").write_bytes(verified.blurred)


def key() -> str:
    from django.utils import timezone

    from moderation import keys
    from moderation.actors import Actor
    from moderation.models import KEY_SCOPES, Client

    client = Client.objects.create(slug="bench", name="Bench")
    expires = timezone.now() + timedelta(days=1)
    return keys.issue(client, name="bench", scopes=KEY_SCOPES, expires_at=expires, actor=Actor.command("bench")).secret


def form(
    image: bytes, secret: str, *, prompt: str = "a picture with detail everywhere"
) -> tuple[dict[str, str], bytes]:
    """Headers and body of one upload."""
    boundary = secrets.token_hex(16)
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n{prompt}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="image.jpg"\r\n\r\n'
    ).encode()
    body += image + f"\r\n--{boundary}--\r\n".encode()
    return {"Authorization": f"Bearer {secret}", "Content-Type": f"multipart/form-data; boundary={boundary}"}, body


def post(connection: http.client.HTTPConnection, headers: dict[str, str], body: bytes) -> None:
    """One upload on a connection that is kept, as a sender of many images keeps it."""
    connection.request("POST", "/api/v1/submissions", body, headers)
    answer = connection.getresponse()
    words = answer.read()
    if answer.status != 202:
        raise RuntimeError(f"{answer.status}: {words[:300]!r}")


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
