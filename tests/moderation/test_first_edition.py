"""The first edition: readable guidelines and a plan that errs to care."""

from __future__ import annotations

from pathlib import Path

import pytest

from moderation import policies
from moderation.actors import Actor
from moderation.first_edition import bands, publish_guidelines, publish_plan_one
from moderation.models import AuditEvent, PolicyVersion
from moderation.policies import Outdated, parsed, publish_policy
from moderation.taxonomy import DEFAULT_SEVERITY, Category, Severity
from tests import world

COMMAND = Actor.command("test")


@pytest.mark.django_db
def test_every_category_gets_its_first_guideline_on_the_record() -> None:
    published = publish_guidelines(actor=COMMAND)

    assert {row.category for row in published} == set(Category.values)
    assert {row.number for row in published} == {1}
    assert all(row.severity == DEFAULT_SEVERITY[Category(row.category)] for row in published)
    assert AuditEvent.objects.filter(action="policy.published").count() == len(Category)


@pytest.mark.django_db
def test_a_second_run_publishes_only_what_is_missing() -> None:
    own_words = publish_policy(
        Category.OTHER,
        headline="Ours.",
        definition="Ours.",
        allowed=["a"],
        not_allowed=["b"],
        exceptions="",
        severity=Severity.S1,
        actor=COMMAND,
    )

    first, second = publish_guidelines(actor=COMMAND), publish_guidelines(actor=COMMAND)

    assert len(first) == len(Category) - 1
    assert second == []
    assert policies.in_force()[Category.OTHER] == own_words


@pytest.mark.django_db
@pytest.mark.parametrize("category", Category)
def test_a_guideline_can_be_read_by_whoever_must_follow_it(category: Category, guidelines: None) -> None:
    policy = PolicyVersion.objects.get(category=category)

    assert policy.headline.endswith(".")
    assert len(policy.definition.split()) >= 30
    assert 3 <= len(policy.allowed) <= 5
    assert 3 <= len(policy.not_allowed) <= 5
    assert policy.exceptions


@pytest.mark.django_db
def test_the_child_safety_guideline_says_what_to_do_without_looking(guidelines: None) -> None:
    policy = PolicyVersion.objects.get(category=Category.CSAE)

    assert "Do not open" in policy.definition
    assert "Quarantine" in policy.definition
    assert "two authorised people" in policy.definition
    assert policy.severity == Severity.S4


@pytest.mark.django_db
def test_plan_one_covers_every_category_and_pins_the_classifiers(tmp_path: Path, guidelines: None) -> None:
    version = world.colour_eyes(tmp_path)

    plan = parsed(publish_plan_one([version.ref], actor=COMMAND, audit_rate=0.05))

    assert (plan.number, plan.classifiers, plan.audit_rate) == (1, (version.ref,), 0.05)
    assert set(plan.bands) == set(Category.values)


@pytest.mark.django_db
def test_plan_one_never_replaces_a_plan_in_force(tmp_path: Path, guidelines: None) -> None:
    version = world.colour_eyes(tmp_path)
    world.publish(version.ref)

    with pytest.raises(Outdated):
        publish_plan_one([version.ref], actor=COMMAND, audit_rate=0.05)


def test_no_machine_blocks_where_the_gravest_harms_are_judged() -> None:
    gravest = {category for category, severity in DEFAULT_SEVERITY.items() if severity == Severity.S4}

    cuts = bands()

    assert gravest
    assert all(cuts[category]["block"] is None for category in gravest)
    assert cuts[Category.CSAE]["approve"] == min(band["approve"] or 0 for band in cuts.values())
