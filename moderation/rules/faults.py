"""What can be wrong with a rule. Codes, so that it can be put into words in any language; no Django."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """`line` and `column` count from 1; None where the fault is not at one place. `part` is the field of the rule."""

    code: str
    line: int | None = None
    column: int | None = None
    values: dict[str, Any] = field(default_factory=dict, hash=False)
    part: str = "when"


class RuleError(ValueError):
    """This rule cannot be kept. `moderation.rules.wording.told` says what to mend."""

    def __init__(self, fault: Fault, *, rule: int | None = None) -> None:
        super().__init__(f"{fault.part}: {fault.code} {fault.values or ''}".strip())
        self.fault = fault
        self.rule = rule


class Unanswered(Exception):
    """The rule has no answer for this image. `code` says why; nothing of the image is in it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
