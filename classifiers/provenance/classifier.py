"""The signal itself: from a file's bytes to probabilities, and to what people are shown."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from classifiers.base import ImageInput, Outputs, Score, Shown, scores
from classifiers.cards import Card
from classifiers.provenance import containers, exif, generators, privacy, xmp
from classifiers.provenance.containers.parts import Parts
from classifiers.provenance.credentials import READER, Unread
from classifiers.provenance.differences import Difference, differences
from classifiers.provenance.generators.settings import Carried
from classifiers.provenance.settings import Settings
from classifiers.provenance.words import shown

log = logging.getLogger(__name__)

MAX_PROMPT: Final = 2_000  # characters shown of one prompt
MAX_SETTING: Final = 120
MAX_FOUND: Final = 400


class Provenance:
    """Reads the originals, decodes none. What has nothing to say for itself is shown as `{}`, at probability 0."""

    embedding_size: int | None = None

    def __init__(self, card: Card) -> None:
        self.name, self.version = card.name, card.version
        self._settings = Settings.read(card)
        self.categories = self._settings.categories

    def check(self) -> None:
        """The settings were checked when the card was opened; the reader starts with the first credentials."""

    def run(self, images: Sequence[ImageInput]) -> Outputs:
        table = np.zeros((len(images), len(self.categories)), dtype=np.float32)
        showing: list[Shown] = []
        errors: dict[int, str] = {}
        until = time.monotonic() + self._settings.batch_seconds
        for row, seen in enumerate(images):
            found: Shown = {}
            probabilities: list[tuple[str, float]] = []
            try:
                if time.monotonic() > until:
                    raise TimeoutError("the batch took too long")
                found, probabilities = self.inspect(seen.original(), seen)
            except Exception as error:  # a lost original or a hostile file must not cost the others their verdict
                log.exception("provenance of %s", seen.sha256)
                errors[row] = f"{self.name}@{self.version}: {type(error).__name__}"
            showing.append(found)
            for category, value in probabilities:
                column = self.categories.index(category)
                table[row, column] = max(table[row, column], value)
        return Outputs(table, shown=showing, errors=errors)

    def score(self, images: Sequence[ImageInput]) -> Sequence[Score]:
        return scores(self.run(images), self.categories)

    def inspect(self, data: bytes, seen: ImageInput) -> tuple[Shown, list[tuple[str, float]]]:
        """What is shown of one file, and what that means: (category, probability)."""
        parts = containers.scan(data)
        tags, properties = read_exif(parts), read_xmp(parts)
        if not (parts.texts or tags.texts or tags.gps or tags.thumbnail or properties or parts.c2pa or parts.notes):
            return {}, []
        settings = self._settings
        credentials = self.credentials(data, parts, properties)
        generated = generators.read(Carried(dict(parts.texts), tags.texts, properties))
        private = privacy.signals(tags, properties)
        source_type = properties.get("iptc:DigitalSourceType", "").rpartition("/")[2]
        apart = differences(
            seen,
            generated,
            credentials=credentials,
            source_type=source_type,
            undeclared_share=settings.undeclared_share,
        )
        asking = [one for one in apart if one.kind in settings.demand and (one.grave or one.kind != "prompt")]
        found = {
            "c2pa": credentials,
            "digital_source_type": shown(source_type, MAX_SETTING),
            "generator": {key: shown(text, limit(key)) for key, text in generated.said().items()} if generated else {},
            "camera": shown(" ".join(filter(None, (tags.texts.get("Make"), tags.texts.get("Model")))), MAX_SETTING)
            if not generated
            else "",
            "differences": [told(one) for one in apart],
            "privacy": private,
            "notes": parts.notes,
            "demands": [self.demand(one) for one in asking],
        }
        probabilities = [(settings.privacy, settings.signals[signal]) for signal in private]
        if asking:
            probabilities.append((settings.contradictions, settings.contradiction))
        doubt = {"invalid": settings.invalid, "unread": settings.unread}.get(str(credentials.get("state")), 0.0)
        probabilities.append((settings.credentials, doubt))
        return {key: value for key, value in found.items() if value}, probabilities

    def credentials(self, data: bytes, parts: Parts, properties: Mapping[str, str]) -> dict[str, Any]:
        """The verdict on the manifest in the file. One that lies elsewhere is named, never fetched."""
        elsewhere = properties.get("dcterms:provenance", "")
        if not parts.c2pa:
            return {"state": "remote", "at": shown(elsewhere, MAX_SETTING)} if elsewhere else {}
        if parts.c2pa > self._settings.max_bytes:
            return {"state": "unread", "problems": ["credentials_too_large"]}
        try:
            said = READER.read(parts.media_type, data, seconds=self._settings.seconds, anchors=self._settings.anchors)
        except Unread as error:
            return {"state": "unread", "problems": [str(error)]}
        return {} if said.get("state") == "absent" else cleaned(said)

    def demand(self, one: Difference) -> dict[str, str]:
        return {
            "action": "review",
            "code": "contradiction",
            "category": self._settings.contradictions,
            "detail": one.kind,
        }


def open_card(card: Card, *, cache: Path | None = None) -> Provenance:  # noqa: ARG001 - as every opener is called
    return Provenance(card)


def read_exif(parts: Parts) -> exif.Exif:
    tags = exif.read(parts.exif)
    if tags.broken:
        parts.note("exif_broken")
    return tags


def read_xmp(parts: Parts) -> dict[str, str]:
    try:
        return xmp.read(parts.xmp)
    except xmp.BadPacket as error:
        parts.note(str(error))
        return {}


def told(one: Difference) -> dict[str, Any]:
    return {"kind": one.kind, "found": shown(one.found, MAX_FOUND), "grave": one.grave}


def limit(key: str) -> int:
    return MAX_PROMPT if key.endswith("prompt") else MAX_SETTING


def cleaned(said: Mapping[str, Any]) -> dict[str, Any]:
    """The reader's words, safe to store and to show."""
    return {key: clean(value) for key, value in said.items()}


def clean(value: Any) -> Any:
    if isinstance(value, str):
        return shown(value, MAX_SETTING)
    if isinstance(value, list):
        return [clean(each) for each in value]
    if isinstance(value, dict):
        return {shown(str(key), MAX_SETTING): clean(each) for key, each in value.items()}
    return value
