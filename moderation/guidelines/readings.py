"""A guideline as a page shows it: published, or as it would read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from moderation.guidelines import bodies, images
from moderation.models import Audience, DefaultAction, ExceptionKind, PolicyVersion
from moderation.taxonomy import Severity


@dataclass(frozen=True, slots=True)
class Reading:
    """Texts are Markdown; lists in the order in which they are read, with words for their codes."""

    headline: str
    severity: int | None
    definition: str
    allowed: Sequence[str]
    not_allowed: Sequence[str]
    exceptions: str
    exempt: Sequence[tuple[str, str]]
    ladder: Sequence[tuple[int, str]]
    actions: Sequence[tuple[str, str, str]]  # audience and action in words, the action's code
    examples: Sequence[images.Example]
    report_duty: str
    owner: str
    review_by: date | None
    archived: bool

    @classmethod
    def of(cls, policy: PolicyVersion) -> Reading:
        return cls.of_body(bodies.body_of(policy))

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> Reading:
        """Also of a draft that is not whole yet."""
        exempt, ladder, actions = (body.get(name) or {} for name in bodies.MAPS)
        kinds = dict(DefaultAction.choices)
        return cls(
            headline=body.get("headline") or "",
            severity=body.get("severity"),
            definition=body.get("definition") or "",
            allowed=body.get("allowed") or [],
            not_allowed=body.get("not_allowed") or [],
            exceptions=body.get("exceptions") or "",
            exempt=[(str(label), exempt[kind]) for kind, label in ExceptionKind.choices if exempt.get(kind)],
            ladder=[(level, ladder[str(level)]) for level in Severity.values if ladder.get(str(level))],
            actions=[
                (str(label), str(kinds[actions[audience]]), actions[audience])
                for audience, label in Audience.choices
                if actions.get(audience) in kinds
            ],
            examples=images.examples(body.get("examples") or []),
            report_duty=body.get("report_duty") or "",
            owner=body.get("owner") or "",
            review_by=date.fromisoformat(body["review_by"]) if body.get("review_by") else None,
            archived=bool(body.get("archived")),
        )
