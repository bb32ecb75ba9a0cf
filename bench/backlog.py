"""A long backlog, written by SQL: submissions that triage found uncertain, their findings, and open requests."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psycopg

if TYPE_CHECKING:
    from moderation.models import User

REASONS: Final = [
    {
        "code": "between",
        "category": "WEAPONS_DANGEROUS",
        "probability": 0.46,
        "approve": 0.12,
        "block": 0.91,
        "detail": "",
    }
]
PROMPT: Final = "film still of a hooded courier holding a hunting rifle in a snowy pine forest, dawn, 35 mm"

SUBMISSIONS: Final = """
INSERT INTO moderation_submission (
    id, client_id, external_id, created_at, prompt, negative_prompt, generator, author_ref, surface, audience,
    territories, context, sha256, media_type, byte_size, width, height, original, working, blurred, pdq, pdq_quality,
    status, decided_by, plan_id, policy_id, route, reasons, heard, flagged, inclusion_probability, md5, awaited,
    triage_after, attempts, alone, held_up
)
SELECT uuidv7(), client.id, 'bench-' || n, now(), %(prompt)s || ' ' || n, 'text, watermark',
    '{"name": "flux", "version": "1.1", "seed": 481516}', 'author-' || n %% 1000, 'feed', 'general', '{DE,FR}',
    '{}', encode(sha256(n::text::bytea), 'hex'), 'image/png', 1300000, 1024, 1024, 'o/' || n, 'w/' || n, 'b/' || n,
    sha256(n::text::bytea), 100, 'in_review', '', plan.id, policy.id, 'review', %(reasons)s, '{}',
    '{WEAPONS_DANGEROUS}', 1, '', false, now(), 1, true, 0
FROM generate_series(%(start)s, %(stop)s - 1) n, moderation_client client, moderation_triageplan plan,
    moderation_policyversion policy
WHERE policy.category = 'WEAPONS_DANGEROUS' AND client.slug = 'bench' AND plan.number = 1
"""
FINDINGS: Final = """
INSERT INTO moderation_finding (id, submission_id, classifier_id, probabilities, evidence, created_at)
SELECT uuidv7(), submission.id, classifier.id,
    ARRAY(SELECT 0.05::real FROM generate_series(1, cardinality(classifier.categories))), '{}', now()
FROM moderation_submission submission, classifiers_classifierversion classifier
WHERE classifier.kind = 'onnx'
    AND NOT EXISTS (SELECT FROM moderation_finding found WHERE found.submission_id = submission.id)
"""
# By the formula of moderation.urgency; none is so grave that only volunteers see it.
REQUESTS: Final = """
INSERT INTO moderation_reviewrequest (
    id, submission_id, reason, category, queue, severity, weight, priority, needed, opened_at, due_at, leased_until
)
SELECT uuidv7(), asked.id, 'uncertain', 'WEAPONS_DANGEROUS', 'general', severity, severity * ln(2),
    severity * ln(2) - extract(epoch FROM due - timestamptz '2025-01-01 00:00:00+00')::float8 / 28800,
    1, now(), due, now()
FROM (
    SELECT id, get_byte(uuid_send(id), 15) % 4 AS severity FROM moderation_submission submission
    WHERE NOT EXISTS (SELECT FROM moderation_reviewrequest asked WHERE asked.submission_id = submission.id)
) asked, LATERAL (SELECT now() + interval '1 hour' * (ARRAY[72, 48, 24, 4])[severity + 1] AS due) dated
"""

TABLES: Final = "moderation_submission, moderation_finding, moderation_reviewrequest, review_claim"


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person's cookies and CSRF header."""

    headers: dict[str, str]


def house() -> None:
    """A client, guidelines, a classifier of all categories and a plan that pins it."""
    from classifiers.models import ClassifierVersion
    from moderation import policies, roles
    from moderation.actors import Actor
    from moderation.first_edition import publish_guidelines
    from moderation.models import Client
    from moderation.taxonomy import PEOPLE_ONLY, Category

    actor = Actor.command("bench")
    roles.sync()
    Client.objects.create(slug="bench", name="Bench")
    publish_guidelines(actor=actor)
    version = ClassifierVersion.objects.create(
        name="bench-eyes",
        version="1",
        kind="onnx",
        card={},
        weights="none",
        sha256="0" * 64,
        categories=list(Category.values),
    )
    cuts = {"approve": 0.12, "block": 0.91}
    bands = {code: {"approve": 0.12} if code in PEOPLE_ONLY else cuts for code in Category}
    policies.publish_plan({"bands": bands, "classifiers": [version.ref]}, note="for the benchmark", actor=actor)


def reviewers(count: int) -> list[Session]:
    """That many moderators, signed in."""
    from moderation import roles
    from moderation.models import User
    from moderation.roles import Role

    people = []
    for number in range(count):
        person = User.objects.create_user(username=f"reviewer-{number}")
        roles.grant(person, Role.MODERATOR)
        people.append(signed_in(person))
    return people


def signed_in(person: User) -> Session:
    from django.conf import settings
    from django.test import Client as Browser

    browser = Browser()
    browser.force_login(person)
    token = secrets.token_hex(16)  # 32 letters and digits, as Django's own
    cookies = f"sessionid={browser.cookies[settings.SESSION_COOKIE_NAME].value}; csrftoken={token}"
    return Session({"Cookie": cookies, "X-CSRFToken": token, "Content-Type": "application/json"})


def grow(connection: psycopg.Connection, *, start: int, stop: int) -> None:
    """Open requests number `start` up to `stop`, then fresh statistics, as on a table that grew over months."""
    # A seed lost in a crash would be sown again: nothing waits for the disk, and foreign keys hold by construction.
    connection.execute("SET synchronous_commit = off; SET session_replication_role = replica")
    parameters = {"prompt": PROMPT, "reasons": json.dumps(REASONS), "start": start, "stop": stop}
    connection.execute(SUBMISSIONS, parameters)
    connection.execute(FINDINGS)
    connection.execute(REQUESTS)
    connection.execute(f"VACUUM ANALYZE {TABLES}")
    connection.execute("CHECKPOINT")
