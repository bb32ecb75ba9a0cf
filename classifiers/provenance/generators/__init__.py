"""What the generator wrote into the file: which tool it was, and the words and numbers it worked from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from classifiers.provenance.generators import (
    automatic1111,
    comfyui,
    drawthings,
    fooocus,
    hosted,
    invokeai,
    novelai,
    swarmui,
)
from classifiers.provenance.generators.settings import Carried, Generated

READERS: Final[Sequence[Callable[[Carried], Generated | None]]] = (
    fooocus.read,
    swarmui.read,
    automatic1111.read,
    invokeai.read,
    novelai.read,
    comfyui.read,
    drawthings.read,
    hosted.read,
)
"""The telling ones first: Fooocus and SwarmUI write JSON where AUTOMATIC1111 writes lines."""


def read(carried: Carried) -> Generated | None:
    """The first generator that recognises its own writing."""
    for reader in READERS:
        if (found := reader(carried)) is not None:
            return found
    return None
