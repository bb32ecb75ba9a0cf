"""Images drawn to learn from are no sample: no estimate counts them, unless triage had sent them to people anyway."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command

from classifiers.models import ClassifierVersion
from moderation.actors import Actor
from moderation.models import Client, Reason, ReviewRequest, Submission, TriagePlan, User
from moderation.policies import parsed
from moderation.simulation.comparison import compare
from moderation.taxonomy import Category
from moderation.triage import run_once
from review import audits, queue
from review.backtest import backtest
from review.decisions import decide
from review.models import AuditTally, Measure, QualityRollup
from review.monitoring import counting
from review.quality import rollups
from review.selection import drawing
from tests import world
from tests.review.auditing import BLOCK, CODE

Judged = tuple[Submission, Submission]


@pytest.fixture
def judged(platform: Client, eyes: TriagePlan, rita: User, settings: Any) -> Judged:
    """One image that a machine approved and one that waited for people, both drawn and blocked; no lot drew either,
    though one could have.
    """
    settings.REVIEW_UNDO_SECONDS = 0
    world.publish(*eyes.body["classifiers"], audit_rate=0.01)
    for at, red in enumerate((0.18, 0.5)):
        world.submit(platform, world.png(red=red, seed=at))
    while run_once().claimed:
        pass
    ReviewRequest.objects.filter(reason=Reason.AUDIT_SAMPLE).delete()
    row = drawing.ask("uncertainty", 2, actor=Actor.command("test"), waiting=True)
    assert drawing.draw(row.pk).opened == 2
    ReviewRequest.objects.filter(reason=Reason.UNCERTAIN).update(queue="escalated")  # so that the draws are answered
    for claim in queue.claim(rita, queue.GENERAL, 2):
        assert claim.request.reason == Reason.LEARNING
        decide(claim.pk, rita, **BLOCK)
    approved, waited = Submission.objects.order_by("pk")
    assert (approved.route, waited.route) == ("approve", "review")
    return approved, waited


def test_certificates_leave_them_out(judged: Judged) -> None:
    scorers = list(ClassifierVersion.objects.filter(name="colour-eyes"))
    since = judged[0].created_at
    found = audits.read(Category(CODE), scorers, since=since, after=UUID(int=0))
    assert [(one.submission, one.chance) for one in found] == [(judged[1].pk, 1.0)]


def test_a_backtest_leaves_them_out(judged: Judged, eyes: TriagePlan) -> None:
    plan = parsed(TriagePlan.objects.in_force() or eyes)
    assert backtest(compare(plan, plan)).labels == 1


def test_monitoring_leaves_them_out(judged: Judged) -> None:
    counting.count()
    tally = AuditTally.objects.filter(group="").latest("day")
    assert (tally.waiting, set(tally.counts["seen"])) == (0, {"review"})


def test_the_errors_of_automation_leave_them_out(judged: Judged) -> None:
    rollups.roll_up(days=1)
    assert not QualityRollup.objects.filter(measure=Measure.AUTOMATION).exists()


def test_as_labels_they_stand_for_themselves(judged: Judged, tmp_path: Path) -> None:
    call_command("export_labels", out=str(tmp_path), format="csv", stdout=StringIO())
    with (tmp_path / "labels.csv").open() as file:
        rows = {row["submission_id"]: row for row in csv.DictReader(file)}
    weights = {key: float(rows[str(key)]["weight"]) for key in (judged[0].pk, judged[1].pk)}
    assert weights == {judged[0].pk: 1.0, judged[1].pk: 1.0}
    assert float(rows[str(judged[1].pk)]["inclusion_probability"]) == 1
