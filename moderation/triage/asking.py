"""Asking one classifier about a batch: in time, past its breaker, and believed only as far as it makes sense.

One bad image fails alone: when a batch fails and a plain grey picture does not, the batch is halved until the culprits
are found. When the grey picture fails too, or time runs out, the classifier itself is the trouble.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

import numpy as np
from django.conf import settings
from PIL import Image

from classifiers import registry
from classifiers.base import ImageInput, Outputs
from moderation import metrics
from moderation.triage.breakers import Breaker
from moderation.triage.deadlines import Hung, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.base import Classifier
    from classifiers.models import ClassifierVersion

log = logging.getLogger(__name__)
OPENERS: Final[Mapping[str, str]] = {"hashes": "moderation.banks.signal:open_version"}
"""Kind -> what opens a version of it, ``(version) -> Classifier``; the counterpart of `registry.KEPT_ABOVE`."""
LARGEST_HALF: Final = 65504.0  # what an embedding may hold when it is stored


class Down(Exception):
    """The classifier gives no answer, whatever the images. `known`: its breaker is open, so nobody needs to try."""

    def __init__(self, words: str, *, known: bool) -> None:
        super().__init__(words)
        self.known = known


class OutOfTime(TimeoutError):
    """Others spent the batch's time: this classifier had less than it may take, or none. No fault of its own."""


class Garbage(ValueError):
    """What came back does not fit what was asked."""


def ask(version: ClassifierVersion, images: Sequence[ImageInput], *, until: float = float("inf")) -> Outputs:
    """The version's word on the images, by `until` (monotonic seconds) at the latest; `errors` names the rows it has
    none on. Raises Down, OutOfTime, or Hung: which may be the doing of one of the images.
    """
    if time.monotonic() >= until:
        raise OutOfTime(f"no time was left for {version.ref}")
    breaker = Breaker(version.ref)
    state = breaker.state()
    if state == "open":
        metrics.CLASSIFIER_FAILURES.add(classifier=version.ref, kind="unsent")
        raise Down(f"{version.ref} is down", known=True)
    if state == "probe":
        probe(version, breaker)
    cut_short = time.monotonic() + time_of(version) > until
    try:
        outputs = timed(version, images, until)
    except Hung as error:
        if cut_short:
            raise OutOfTime(f"little time was left for {version.ref}") from error
        note(version, error)
        if breaker.failed():
            raise Down(f"{version.ref} hangs", known=True) from error
        raise
    except Exception as error:  # noqa: BLE001 - a model may fail in any way
        note(version, error)
        outputs = in_pieces(version, images, until, breaker, error)
    breaker.succeeded()
    return outputs


def probe(version: ClassifierVersion, breaker: Breaker) -> None:
    """Raises Down unless it answers on a grey picture."""
    try:
        timed(version, [grey()])
    except Exception as error:
        note(version, error)
        breaker.failed()
        raise Down(f"{version.ref} is down", known=True) from error
    breaker.succeeded()


def in_pieces(
    version: ClassifierVersion, images: Sequence[ImageInput], until: float, breaker: Breaker, first: Exception
) -> Outputs:
    """Each image's outputs, or its row in `errors`, once the batch as a whole has failed. Raises Down or Hung."""
    try:
        timed(version, [grey()], until)
    except Exception as error:
        raise Down(f"{version.ref} fails: {type(first).__name__}", known=breaker.failed()) from error
    until = min(until, time.monotonic() + settings.TRIAGE_CLASSIFIER_SECONDS)
    parts: list[Outputs] = []
    pieces = [list(images)] if len(images) == 1 else halves(images)
    while pieces:
        piece = pieces.pop(0)
        try:
            parts.append(timed(version, piece, until))
        except Hung:
            breaker.failed()
            raise
        except Exception as error:  # noqa: BLE001 - a model may fail in any way
            if len(piece) == 1:
                metrics.CLASSIFIER_FAILURES.add(classifier=version.ref, kind="image")
                parts.append(no_word(version, f"{version.ref}: {type(error).__name__}"))
            else:
                pieces[:0] = halves(piece)
    return joined(parts)


def halves(images: Sequence[ImageInput]) -> list[list[ImageInput]]:
    middle = len(images) // 2
    return [list(images[:middle]), list(images[middle:])]


def timed(version: ClassifierVersion, images: Sequence[ImageInput], until: float = float("inf")) -> Outputs:
    """One call, in time and checked. What lies in tables of ours is read on the caller's connection and cannot hang
    beyond the database's own limits, so it needs no thread.
    """
    seconds = min(time_of(version), until - time.monotonic())
    with metrics.CLASSIFIER_SECONDS.timed(classifier=version.ref):
        if version.kind in registry.KEPT_ABOVE:
            return checked(version, opened(version).run(images), len(images))
        if not registry.is_open(version):  # the first time takes longer: weights are read, a network is built
            seconds += settings.TRIAGE_OPEN_SECONDS
        return checked(version, within(seconds, lambda: opened(version).run(images), name=version.ref), len(images))


def opened(version: ClassifierVersion) -> Classifier:
    """The version's classifier; those whose contents lie in tables of this floor are opened here."""
    if version.kind not in OPENERS:
        return registry.load(version)
    module, _, name = OPENERS[version.kind].partition(":")
    classifier: Classifier = getattr(import_module(module), name)(version)
    return classifier


def time_of(version: ClassifierVersion) -> float:
    """Seconds a batch may take: the card's `timeout_s`, else the house's."""
    stated = version.card.get("timeout_s")
    return float(stated) if isinstance(stated, int | float) and stated > 0 else settings.TRIAGE_CLASSIFIER_SECONDS


def checked(version: ClassifierVersion, said: Outputs, count: int) -> Outputs:
    """The same, with every row that holds no sensible numbers among its errors. Raises Garbage when nothing fits."""
    wanted = (count, len(version.categories))
    if said.probabilities.shape != wanted:
        raise Garbage(f"{version.ref} answered {said.probabilities.shape}, not {wanted}")
    if said.shown is not None and len(said.shown) != count:
        raise Garbage(f"{version.ref} showed evidence on {len(said.shown)} of {count} images")
    with np.errstate(invalid="ignore"):
        sane = (said.probabilities >= 0) & (said.probabilities <= 1)  # NaN is neither
        fit: NDArray[np.bool_] = np.asarray(np.all(sane, axis=1))
        if said.embeddings is not None:
            if said.embeddings.ndim != 2 or len(said.embeddings) != count:
                raise Garbage(f"{version.ref} gave embeddings of {said.embeddings.shape} for {count} images")
            fit &= (np.abs(said.embeddings) <= LARGEST_HALF).all(axis=1)
    fit[[row for row in said.errors if 0 <= row < count]] = False
    bad = [int(row) for row in np.flatnonzero(~fit)]
    if not bad:
        return said
    new = [row for row in bad if row not in said.errors]
    if len(new) == count:
        raise Garbage(f"{version.ref} answered no numbers between 0 and 1")
    if new:
        metrics.CLASSIFIER_FAILURES.add(len(new), classifier=version.ref, kind="image")
    errors = {**dict.fromkeys(new, f"{version.ref} answered no number"), **said.errors}
    probabilities = np.where(fit[:, None], said.probabilities, 0.0).astype(np.float32)
    embeddings = said.embeddings
    if embeddings is not None:  # not stored, and no head may take it for a picture
        embeddings = np.where(fit[:, None], embeddings, np.nan).astype(np.float32)
    return replace(said, probabilities=probabilities, embeddings=embeddings, errors=errors)


def no_word(version: ClassifierVersion, words: str) -> Outputs:
    probabilities = np.zeros((1, len(version.categories)), dtype=np.float32)
    size = version.embedding_size
    embeddings = np.full((1, size), np.nan, dtype=np.float32) if size else None
    return Outputs(probabilities, embeddings, None, {0: words})


def joined(parts: Sequence[Outputs]) -> Outputs:
    """One Outputs of all rows, in order."""
    errors: dict[int, str] = {}
    row = 0
    for part in parts:
        errors |= {row + index: words for index, words in part.errors.items()}
        row += len(part.probabilities)
    embeddings = [part.embeddings for part in parts if part.embeddings is not None]
    shown = None
    if any(part.shown is not None for part in parts):
        shown = [each for part in parts for each in (part.shown or [{}] * len(part.probabilities))]
    return Outputs(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate(embeddings) if len(embeddings) == len(parts) else None,
        shown,
        errors,
    )


def note(version: ClassifierVersion, error: Exception) -> None:
    kind = "timeout" if isinstance(error, Hung) else "garbage" if isinstance(error, Garbage) else "error"
    log.warning("classifier %s: %s: %s", version.ref, kind, error)
    metrics.CLASSIFIER_FAILURES.add(classifier=version.ref, kind=kind)
    if kind == "timeout":
        metrics.CLASSIFIER_ABANDONED.add(classifier=version.ref)


@cache
def grey() -> ImageInput:
    """A picture nobody can fail on, of which nothing is kept."""
    return ImageInput(Image.new("RGB", (512, 512), (127, 127, 127)))
