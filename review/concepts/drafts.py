"""What a policy lead gives, and the refusal of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

FEWEST: Final = 5  # as classifiers.prototypes has it, which brings numpy
MOST_EXAMPLES: Final = 200


class CannotLearn(Exception):
    """Nothing was made. The message says what is missing."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a policy lead gives: keys of submissions that show the concept, of such that do not though they look alike,
    and a phrase where the backbone understands words."""

    name: str
    category: str
    examples: Sequence[UUID] = ()
    counters: Sequence[UUID] = ()
    phrase: str = ""
