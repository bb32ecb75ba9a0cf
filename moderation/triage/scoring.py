"""Running the plan's classifiers over a batch: each backbone once, then all heads on its embeddings in one product."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import UUID

import numpy as np
from django.conf import settings

from classifiers import registry
from classifiers.cards import SIGNALS
from classifiers.heads import Heads, Stack
from classifiers.models import ClassifierVersion
from moderation.routing import Evidence, Plan
from moderation.triage.asking import Down, ask
from moderation.triage.deadlines import Hung

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.base import ImageInput, Outputs, Shown

log = logging.getLogger(__name__)
MOST_READ: Final = 100
_read: dict[UUID, ClassifierVersion] = {}


@dataclass(slots=True)
class Spoken:
    """What was said of a batch of N images, by version: probabilities [N, K]; what was shown, an entry an image;
    embeddings [N, D] a backbone; errors in words, of the whole batch by ref, of single images by ref and row. `down`
    are those of the former that no image can be blamed for, True where the breaker is open; `hung`: one of the images
    may have hung its classifier. All must have spoken by `until` (monotonic seconds). `shadows` is what the plan's
    shadows said: written down with the rest, and never routed on. `later` are rules, which speak once all others have.
    """

    probabilities: dict[ClassifierVersion, NDArray[np.float64]] = field(default_factory=dict)
    shown: dict[ClassifierVersion, Sequence[Shown]] = field(default_factory=dict)
    embeddings: dict[ClassifierVersion, NDArray[np.float16]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    missing: dict[str, Mapping[int, str]] = field(default_factory=dict)
    passes: dict[ClassifierVersion, Outputs] = field(default_factory=dict)
    down: dict[str, bool] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)
    hung: bool = False
    until: float = float("inf")
    shadows: Spoken | None = None
    later: list[ClassifierVersion] = field(default_factory=list)

    def of(self, row: int) -> list[Evidence]:
        """The evidence on image `row`, as routing takes it."""
        said = []
        for version, table in self.probabilities.items():
            error = self.missing.get(version.ref, {}).get(row)
            if error is not None:
                said.append(Evidence(version.ref, error=error))
                continue
            said.append(read(version, table[row].tolist(), self.shown_of(version, row)))
        return said + [Evidence(ref, error=error) for ref, error in self.errors.items()]

    def shown_of(self, version: ClassifierVersion, row: int) -> Shown:
        shown = self.shown.get(version)
        return shown[row] if shown is not None else {}

    def heard(self, row: int) -> list[str]:
        """The versions that had a word on image `row`, if only that there is nothing to say."""
        spoke = [version.ref for version in self.probabilities if row not in self.missing.get(version.ref, {})]
        return spoke + (self.shadows.heard(row) if self.shadows else [])

    def findings(self, row: int) -> Iterator[tuple[ClassifierVersion, list[float], Shown]]:
        """What is worth a row of its own: a signal that found nothing leaves none, which `heard` tells from silence."""
        for version, table in self.probabilities.items():
            shown = self.shown_of(version, row)
            if row not in self.missing.get(version.ref, {}) and (
                shown or version not in self.shown or table[row].any()
            ):
                yield version, table[row].tolist(), shown
        if self.shadows:
            yield from self.shadows.findings(row)


def score(images: Sequence[ImageInput], plan: Plan) -> Spoken:
    """Every pinned classifier's word on every image. One that fails is an error on the batch, never an exception:
    doubt.
    """
    spoken = Spoken(until=time.monotonic() + settings.TRIAGE_LEASE_SECONDS / 2)
    versions = {version.ref: version for version in pinned(plan)}
    for ref in plan.classifiers:
        version = versions.get(ref)
        if version is None:
            spoken.errors[ref] = f"{ref} is not registered"
            continue
        if version.kind == "rules":
            spoken.later.append(version)
            continue
        try:
            run(version, images, spoken)
        except Down as error:
            spoken.down[ref] = error.known
            spoken.errors[ref] = str(error)
        except Exception as error:  # a model may fail in any way; the image then goes to a person
            spoken.hung |= isinstance(error, Hung)
            log.exception("classifier %s failed on a batch of %d", ref, len(images))
            spoken.errors[ref] = f"{ref}: {type(error).__name__}"
    for backbone in spoken.embeddings:
        heads = [one for one in versions.values() if one.backbone == backbone and one.ref not in spoken.errors]
        speak(heads, spoken.embeddings[backbone], spoken)
    return spoken


def read(version: ClassifierVersion, values: Sequence[float], shown: Shown) -> Evidence:
    """A version's word on one image, as routing takes it. Where a signal says nothing of a category, that is no
    score of 0 in it.
    """
    probabilities = dict(zip(version.categories, values, strict=True))
    if version.kind in SIGNALS:
        probabilities = {code: value for code, value in probabilities.items() if value}
    return Evidence.read(version.ref, probabilities, shown)


def pinned(plan: Plan) -> Sequence[ClassifierVersion]:
    return named(plan.classifiers)


def asked(plan: Plan) -> list[str]:
    """The versions that look at images for this plan: heads have their backbone look."""
    return list(dict.fromkeys((version.backbone or version).ref for version in pinned(plan)))


def named(refs: Sequence[str]) -> Sequence[ClassifierVersion]:
    """The versions of these refs that are registered. Rows never change, so one that was read once is not read again:
    a card may be long, and each batch asks.
    """
    keys = list(ClassifierVersion.objects.with_refs(list(refs)).values_list("pk", flat=True))
    found = {key: _read.get(key) for key in keys}  # first, since another thread may clear what was read
    missing = [key for key, row in found.items() if row is None]
    if missing:
        if len(_read) > MOST_READ:
            _read.clear()
        for row in ClassifierVersion.objects.filter(pk__in=missing).select_related("backbone"):
            found[row.pk] = _read[row.pk] = row
    return [row for row in found.values() if row is not None]


def run(version: ClassifierVersion, images: Sequence[ImageInput], spoken: Spoken) -> None:
    """Afterwards `spoken` holds the version's word on every image; of heads, what they are to speak on."""
    eyes = see(version.backbone or version, images, spoken)
    if eyes.embeddings is not None:
        spoken.embeddings[version.backbone or version] = eyes.embeddings.astype(np.float16)
    if eyes.errors:
        spoken.missing[version.ref] = eyes.errors
    if eyes.shown is not None:
        spoken.shown[version] = eyes.shown
    if version.backbone is None:
        spoken.probabilities[version] = stored(eyes.probabilities)
    elif eyes.embeddings is None:
        raise ValueError(f"{version.backbone.ref} yields no embedding for {version.ref}")


def speak(versions: Sequence[ClassifierVersion], embeddings: NDArray[np.float16], spoken: Spoken) -> None:
    """All heads on one backbone say their word together. One whose weights cannot be used is an error of its own."""
    able: dict[ClassifierVersion, Heads] = {}
    for version in versions:
        try:
            able[version] = registry.load_heads(version)
            able[version].check(embeddings)
        except Exception as error:  # weights may be broken in any way; the image then goes to a person
            log.exception("heads %s cannot be used", version.ref)
            spoken.errors[version.ref] = f"{version.ref}: {type(error).__name__}"
            able.pop(version, None)
    words = Stack(tuple(able.values())).apply(embeddings) if able else ()
    spoken.probabilities |= {version: stored(word) for version, word in zip(able, words, strict=True)}


def heads_on(version: ClassifierVersion, embeddings: NDArray[np.float16]) -> NDArray[np.float64]:
    """A head's word on embeddings as they are stored (half precision): live triage and replay see the same numbers."""
    return stored(registry.load_heads(version).apply(embeddings))


def stored(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Six decimals survive PostgreSQL's `real` exactly, so that a stored finding replays to the same route."""
    return probabilities.astype(np.float64).round(6)


def see(version: ClassifierVersion, images: Sequence[ImageInput], spoken: Spoken) -> Outputs:
    """The version's one pass over the batch, however many heads ask for it. Whoever fails is asked once a batch."""
    if version.ref in spoken.failed:
        raise spoken.failed[version.ref]
    if version not in spoken.passes:
        try:
            spoken.passes[version] = ask(version, images, until=spoken.until)
        except (Down, Hung) as error:
            spoken.failed[version.ref] = error
            raise
    return spoken.passes[version]
