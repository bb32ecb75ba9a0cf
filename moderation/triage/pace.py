"""How many images a batch takes: as many as are worked off within the target time, fewer when it is exceeded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from django.conf import settings

LEAST: Final = 4


@dataclass(slots=True)
class Pace:
    """`size` is what the next batch may take, between LEAST and `most`; `target` is in seconds."""

    size: int
    most: int
    target: float

    @classmethod
    def from_settings(cls) -> Self:
        first = settings.TRIAGE_BATCH
        return cls(first, max(first, settings.TRIAGE_BATCH_MAX), settings.TRIAGE_LATENCY_TARGET_MS / 1000)

    def took(self, seconds: float, *, images: int, more: bool) -> None:
        """A batch of `images` was finished in so many seconds; `more`: it was full, so that others wait behind it."""
        if seconds > self.target:
            # In proportion, since a batch costs by its images; never to less than half by one slow batch.
            fitting = int(images * self.target / seconds)
            self.size = max(min(self.size, max(fitting, images // 2)), min(LEAST, self.most))
        elif more and seconds < 0.7 * self.target:
            self.size = min(self.size + max(self.size // 4, 1), self.most)
