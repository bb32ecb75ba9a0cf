"""One look at each image: the working derivative is read and decoded once, for the hash and for every model."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from django.core.files.storage import storages
from PIL import Image

from classifiers import hashes
from classifiers.base import ImageInput
from moderation import metrics
from moderation.models import Submission

log = logging.getLogger(__name__)

# Enough for PDQ (512) and every model's input; a JPEG decodes straight to about this size at a fraction of the cost.
LOOK: Final = 512


@dataclass(frozen=True, slots=True)
class Look:
    """What one image showed; `error` instead, when it could not be read."""

    seen: ImageInput | None
    pdq: bytes | None = None
    pdq_quality: int | None = None
    md5: str = ""
    error: str = ""


def look(submission: Submission, *, md5: bool = False) -> Look:
    """`md5`: whether some bank knows images by it."""
    with metrics.STAGE_SECONDS.timed(stage="look"):
        return looked(submission, md5=md5)


def looked(submission: Submission, *, md5: bool) -> Look:
    try:
        with storages["derivatives"].open(submission.working) as file, Image.open(file) as image:
            image.draft("RGB", (LOOK, LOOK))
            picture = image.convert("RGB")
        turned, quality = hashes.pdq_dihedral(picture)
        digest = hashes.md5(original(submission.original)) if md5 else ""
    except (OSError, ValueError) as error:
        log.warning("triage cannot read the files of %s: %s", submission.pk, error)
        return Look(None, error=f"derivative: {type(error).__name__}")
    seen = ImageInput(
        picture,
        prompt=submission.prompt,
        negative_prompt=submission.negative_prompt,
        sha256=submission.sha256,
        md5=digest,
        pdq=turned[0],
        pdq_quality=quality,
        turned=turned,
        generator=submission.generator,
        original=partial(original, submission.original),
    )
    return Look(seen, turned[0], quality, digest)


def original(name: str) -> bytes:
    """The bytes as they were sent. Nothing here decodes them: that was done once, at the door."""
    with storages["originals"].open(name) as file:
        data: bytes = file.read()
    return data


def look_at(submissions: Sequence[Submission], *, threads: ThreadPoolExecutor, md5: bool = False) -> Iterator[Look]:
    """In order, one look each. The threads set to work at once; who iterates waits for them."""
    return threads.map(partial(look, md5=md5), submissions)
