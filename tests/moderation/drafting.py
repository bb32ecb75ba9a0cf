"""How tests write guidelines."""

from __future__ import annotations

from typing import Any

from moderation import policies, proposals
from moderation.actors import Actor
from moderation.guidelines import bodies
from moderation.guidelines.subjects import Subject
from moderation.models import PolicyVersion, Proposal, ProposalKind, User
from moderation.policy_forms import filled


def body_of(subject: str) -> dict[str, Any]:
    """What is in force for it, else for its category."""
    parsed = Subject.parse(subject)
    latest = parsed.latest() or parsed.original.latest() or Subject(parsed.category).latest()
    assert latest is not None
    return bodies.body_of(latest)


def reworded(subject: str, **changes: Any) -> PolicyVersion:
    """Another version in force at once, as the proposals publish it."""
    parsed = Subject.parse(str(subject))
    body = bodies.checked(parsed, body_of(str(subject)) | changes)
    return policies.publish_policy(parsed, **bodies.columns(body), actor=Actor.command("test"))


def sent(subject: str, **changes: Any) -> dict[str, Any]:
    """The editor's form as a browser sends it, unchanged but for `changes`."""
    latest = Subject.parse(subject).latest()
    shown = filled(body_of(subject), based_on=latest.number if latest else 0) | {"title": "Clearer", **changes}
    return {name: value for name, value in shown.items() if value is not None and value is not False}


def drafted(author: User, subject: str = "HATE", **changes: Any) -> Proposal:
    parsed = Subject.parse(subject)
    latest = parsed.latest()
    return proposals.draft(
        author,
        ProposalKind.POLICY,
        subject,
        body_of(subject) | changes,
        title="Clearer",
        based_on=latest.number if latest else 0,
    )


def asked(author: User, subject: str = "HATE", **changes: Any) -> Proposal:
    return proposals.ask(drafted(author, subject, **changes).pk, author, revision=1)
