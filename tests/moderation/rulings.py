"""How tests put rules in force: as a policy lead does."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from moderation import policies
from moderation.actors import Actor
from moderation.models import Submission, TriagePlan
from moderation.rules.publishing import prepare
from moderation.rules.sets import Rule

ALWAYS = "image.width > 0"


def rule(name: str = "a rule", when: str = ALWAYS, effect: str = "review", **said: Any) -> Rule:
    return Rule(name=name, when=when, effect=effect, **said)


def put(*rules: Rule) -> TriagePlan:
    """Afterwards these rules are in force, and no others."""
    with transaction.atomic():
        return policies.publish_plan(prepare(rules).body, note="for a test", actor=Actor.command("test"))


def shown(submission: Submission) -> dict[str, Any]:
    """What the rules in force showed of this image; empty when they had nothing to show."""
    found = submission.findings.filter(classifier__kind="rules").values_list("evidence", flat=True).first()
    return dict(found) if found else {}
