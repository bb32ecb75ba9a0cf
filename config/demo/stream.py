"""The demo's images: scenes that Loupe draws itself, or a folder of the user's own, sent through the public API."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from config.demo.accounts import client
from config.demo.http import Door, Refused
from moderation.models import Submission

SIZE: Final = 768
SENDERS: Final = 4
# Loupe draws them, so it can say so; without such words the builder of data sets refuses an image.
RIGHTS: Final = '{"licence": "CC0-1.0", "consent_basis": "drawn by Loupe, nobody is shown"}'
SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif"})


@dataclass(frozen=True, slots=True)
class Item:
    """One image on its way in; `fields` are those of the API."""

    external_id: str
    image: bytes
    fields: dict[str, str] = field(default_factory=dict)


def scenes(seeds: Iterable[int]) -> Iterator[Item]:
    """One drawn scene a seed; the seed is in the external id, so that the truth about it can be found again."""
    from classifiers.scenes import draw

    for seed in seeds:
        scene = draw(seed, size=SIZE)
        buffer = io.BytesIO()
        scene.image.save(buffer, "PNG" if seed % 4 == 0 else "JPEG", quality=92)
        generator = f'{{"name": "loupe-scenes", "version": "1", "seed": {seed}}}'
        fields = {"prompt": scene.prompt, "generator": generator, "context": RIGHTS}
        yield Item(external_id(seed), buffer.getvalue(), fields)


def unsent(seeds: Iterable[int]) -> list[int]:
    """Those of the seeds whose scene has not come in yet."""
    wanted = list(seeds)
    names = [external_id(seed) for seed in wanted]
    known = Submission.objects.of(client()).filter(external_id__in=names).values_list("external_id", flat=True)
    here = set(known)
    return [seed for seed, name in zip(wanted, names, strict=True) if name not in here]


def external_id(seed: int) -> str:
    return f"scene-{seed}"


def truth(external_id: str) -> frozenset[str]:
    """What a drawn scene really shows: the categories it violates."""
    from classifiers.scenes import draw

    return draw(int(external_id.removeprefix("scene-")), size=64).labels


def folder(path: Path) -> Iterator[Item]:
    """The images of a folder, each with the text file of the same name beside it as its prompt."""
    for image in sorted(path.rglob("*")):
        if image.suffix.lower() in SUFFIXES and image.is_file():
            words = image.with_suffix(".txt")
            fields = {"prompt": words.read_text(errors="replace").replace("\0", "")} if words.exists() else {}
            yield Item(f"file-{image.relative_to(path)}"[:200], image.read_bytes(), fields)


def send(items: Iterable[Item], door: Door) -> Iterator[tuple[Item, str]]:
    """Submit all, a few at a time and never holding more, as a platform would; yields each with its refusal, "" if
    taken.
    """

    def one(item: Item) -> tuple[Item, str]:
        try:
            door.upload("/api/v1/submissions", item.image, {"external_id": item.external_id, **item.fields})
        except Refused as refusal:
            return item, str(refusal)
        return item, ""

    waiting = iter(items)
    with ThreadPoolExecutor(SENDERS) as pool:
        while chunk := list(islice(waiting, 4 * SENDERS)):
            yield from pool.map(one, chunk)
