"""The commands of the law and the record: what they print and with what they exit."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from moderation.models import Client, PolicyVersion, Status, Submission, TriagePlan
from moderation.roles import SCOPES, Role
from moderation.taxonomy import Category
from tests import world


def run(name: str, *args: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(name, *args, stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_sync_roles_makes_the_groups_and_lists_them() -> None:
    Group.objects.all().delete()

    out = run("sync_roles")

    assert set(Group.objects.values_list("name", flat=True)) == {role.value for role in Role}
    assert "policy_lead  banks, policy, policy:read, prompts:check, submissions:read" in out.splitlines()


@pytest.mark.django_db
def test_sync_roles_says_the_same_as_json() -> None:
    said = json.loads(run("sync_roles", json=True))

    assert said == {role.value: sorted(scopes) for role, scopes in SCOPES.items()}


def test_adopt_pins_the_version_with_its_note(eyes: TriagePlan, tmp_path: Path) -> None:
    world.colour_eyes(tmp_path, version="2")

    out = run("adopt", "colour-eyes@2", note="Sees better.")

    assert out == "Plan 2 now pins colour-eyes@2.\n"
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert plan.note == "Sees better."


def test_adopting_what_is_in_service_is_no_error(eyes: TriagePlan) -> None:
    said = json.loads(run("adopt", "colour-eyes@1", json=True))

    assert said == {"plan": 1, "classifiers": ["colour-eyes@1"], "shadows": [], "changed": False}


def test_adopting_the_unknown_is_bad_use(eyes: TriagePlan) -> None:
    with pytest.raises(CommandError, match="add_classifier") as failure:
        run("adopt", "nobody@1")

    assert failure.value.returncode == 2


def test_triage_once_works_off_all_that_waits(eyes: TriagePlan, platform: Client) -> None:
    total = settings.TRIAGE_BATCH + 3
    for seed in range(total):
        world.submit(platform, world.png(red=0.5 * (seed % 2), seed=seed, size=32))

    said = json.loads(run("triage", once=True, json=True))

    assert said["settled"] == said["claimed"] == total
    assert said["routes"]["review"] + said["routes"]["approve"] == total
    assert not Submission.objects.filter(status=Status.RECEIVED).exists()


def test_triage_with_nothing_to_do_says_so(eyes: TriagePlan) -> None:
    assert run("triage", once=True) == "0 of 0 images routed: none\n"


@pytest.mark.django_db
def test_first_edition_writes_every_guideline_once() -> None:
    assert run("first_edition") == f"{len(Category)} guidelines published.\n"

    assert run("first_edition") == "0 guidelines published.\n"
    assert PolicyVersion.objects.count() == len(Category)


@pytest.mark.django_db
def test_first_edition_puts_plan_one_in_force(tmp_path: Path) -> None:
    world.colour_eyes(tmp_path)

    out = run("first_edition", "--classifier", "colour-eyes@1", "--audit-rate", "0.1")

    assert out.splitlines()[1].startswith("Plan 1 is in force and pins colour-eyes@1, ")
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert plan.body["audit_rate"] == 0.1
    assert "provenance@1" in plan.body["classifiers"]


def test_first_edition_leaves_a_plan_in_force_alone(eyes: TriagePlan) -> None:
    with pytest.raises(CommandError, match="Plan 1 is in force") as failure:
        run("first_edition", "--classifier", "colour-eyes@1")

    assert failure.value.returncode == 1
    assert TriagePlan.objects.count() == 1


@pytest.mark.parametrize(
    ("command", "status"),
    [(["adopt"], 2), (["verify_audit", "--nonsense"], 2), (["triage", "--help"], 0), (["sync_roles", "extra"], 2)],
)
def test_bad_use_exits_with_two(command: list[str], status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", *command],
        cwd=settings.BASE_DIR,
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == status, done.stderr
