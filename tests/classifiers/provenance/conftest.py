"""The signal as its card sets it, and one that trusts the tests' own certificate."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import classifiers
from classifiers import cards
from classifiers.base import ImageInput
from classifiers.provenance.classifier import Provenance, open_card
from tests.classifiers.provenance import signing

CARD = Path(classifiers.__file__).parent / "signals" / "provenance.toml"
Inspect = Callable[..., tuple[dict[str, Any], dict[str, float]]]


def opened(**credentials: Any) -> Provenance:
    table = tomllib.loads(CARD.read_text())
    table["credentials"] |= credentials
    return open_card(cards.parse(table, folder=CARD.parent))


@pytest.fixture(scope="module")
def provenance() -> Provenance:
    return opened()


@pytest.fixture(scope="module")
def trusting() -> Provenance:
    return opened(anchors=signing.identity()[2])


@pytest.fixture
def inspect(provenance: Provenance) -> Inspect:
    """What the signal shows of these bytes, and its probabilities."""

    def look(data: bytes, *, by: Provenance = provenance, **declared: Any) -> tuple[dict[str, Any], dict[str, float]]:
        seen = ImageInput(Image.new("RGB", (8, 8)), original=lambda: data, **declared)
        outputs = by.run([seen])
        assert outputs.shown is not None
        assert not outputs.errors
        return dict(outputs.shown[0]), dict(zip(by.categories, outputs.probabilities[0].tolist(), strict=True))

    return look
