"""What may be done: one name for an API key's scope and for a person's permission."""

from __future__ import annotations

from django.db import models


class Scope(models.TextChoices):
    SUBMISSIONS_WRITE = "submissions:write", "Send submissions"
    SUBMISSIONS_READ = "submissions:read", "Read submissions"
    PROMPTS_CHECK = "prompts:check", "Check prompts before an image is made"
    REVIEW = "review", "Claim and decide review requests"
    REVIEW_ESCALATED = "review:escalated", "Claim and decide what others escalated"
    REVIEW_LEAD = "review:lead", "See who holds what, and take it over"
    POLICY = "policy", "Write guidelines, publish and roll back plans"
    POLICY_READ = "policy:read", "Read guidelines and plans"
    BANKS = "banks", "Keep the banks of known images"
    BANKS_ADD = "banks:add", "Add images that one decided on to a bank"
    EXPORTS = "exports", "Export labelled feedback"
    ML = "ml", "Train and adopt classifiers"
    AUDIT = "audit", "Read the audit log"
    ADMIN = "admin", "Manage people, clients and keys"


# What a client's key may carry: a key never stands in for a person.
KEY_SCOPES = frozenset({Scope.SUBMISSIONS_WRITE, Scope.SUBMISSIONS_READ, Scope.PROMPTS_CHECK})
