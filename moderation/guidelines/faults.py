"""What can be wrong with a guideline before it is one."""

from __future__ import annotations


class UnknownSubject(ValueError):
    """No guideline can be called that; the message says what can."""


class UnfitWording(ValueError):
    """A guideline cannot say that; the message says what to mend. `field` is where."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class UnfitFile(ValueError):
    """A file is no guideline that can be read; the message says why."""
