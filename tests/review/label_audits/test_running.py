"""An audit of a data set is kept as evidence, and doubted labels go to somebody else who does not know of it."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from classifiers import manifests
from moderation import audit
from moderation.actors import Actor
from moderation.models import Client, Reason, ReviewRequest, Submission, TriagePlan, User
from review import blinding, queue
from review.decisions import decide
from review.label_audits import asking, running
from review.label_audits.asking import Answer
from review.models import Dataset, LabelAsk, LabelAudit, LabelSuspicion
from review.tasks import audit_labels
from tests.review.auditing import BLOCK, CODE
from tests.review.label_audits.arranging import EACH, IMAGES, dataset, decided, hold

COMMAND = Actor.command("test")
Arranged = tuple[list[Submission], list[int], Dataset]


@pytest.fixture(autouse=True)
def at_once(settings: Any, tmp_path: Path) -> None:
    settings.REVIEW_UNDO_SECONDS = 0
    settings.DATASETS_DIR = tmp_path / "datasets"


@pytest.fixture
def arranged(platform: Client, eyes: TriagePlan, rita: User) -> Arranged:
    images, truly = decided(platform, eyes, rita)
    return images, truly, dataset(images, truly, rita)


def audited(of: Dataset) -> LabelAudit:
    row = running.ask(of, actor=COMMAND)
    running.run(row.pk)
    return row


def test_the_labels_that_are_wrong_come_first(arranged: Arranged, rita: User) -> None:
    images, _truly, made = arranged
    row = audited(made)
    figures = row.outcome.figures
    assert (figures["labels"], figures["pictures"]) == (IMAGES * EACH, IMAGES * EACH)
    doubts = list(LabelSuspicion.objects.filter(audit=row).order_by("place"))
    assert {one.submission_id for one in doubts[:3]} == {one.pk for one in images[:3]}
    assert [one.flagged for one in doubts[:4]] == [True, True, True, False]
    assert len(doubts) == IMAGES  # what lies elsewhere has no image here
    ((who, counts),) = [(one["reviewer"], one["counts"]) for one in figures["reviewers"]]
    assert who == str(rita.pk)
    assert (counts[0][1] + counts[1][0]) >= 3


def test_an_audit_is_evidence_on_record_and_done_once(arranged: Arranged) -> None:
    _images, _truly, made = arranged
    row = audited(made)
    assert running.run(row.pk) == row.outcome
    actions = [event.action for event in audit.events_of(running.subject(made))]
    assert actions == ["labels.audit_asked", "labels.audited"]
    for model in (LabelAudit, LabelSuspicion):
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        LabelSuspicion.objects.update(place=0)


def test_a_worker_does_what_was_asked_for(arranged: Arranged) -> None:
    _images, _truly, made = arranged
    row = running.ask(made, actor=COMMAND)
    assert audit_labels() == {"audited": 1}
    assert audit_labels() == {"audited": 0}
    assert row.outcome.figures["flagged"] == 3


def test_files_that_are_gone_are_said_on_record(arranged: Arranged) -> None:
    _images, _truly, _made = arranged
    gone = Dataset.objects.create(fingerprint="f" * 64, rows=1, query={}, folder="nowhere")
    row = audited(gone)
    assert "not on this machine" in row.outcome.error
    assert not LabelSuspicion.objects.filter(audit=row).exists()


def test_somebody_else_is_asked_unaided_and_corrects_the_label(
    arranged: Arranged, rita: User, sam: User, tmp_path: Path
) -> None:
    images, truly, made = arranged
    row = audited(made)
    assert asking.send(row, 3, actor=COMMAND) == asking.Sent(3, 0)
    requests = list(ReviewRequest.objects.filter(closed_at__isnull=True))
    assert {(one.reason, blinding.is_unaided(one)) for one in requests} == {(Reason.SECOND_OPINION, True)}
    assert {one.submission_id for one in requests} == {one.pk for one in images[:3]}
    assert queue.claim(rita, queue.GENERAL, 10) == []  # her own labels are not hers to judge again
    assert asking.tally(row) == {Answer.WAITING: 3}

    truth = {image.pk: true for image, true in zip(images, truly, strict=True)}
    first, second, third = queue.claim(sam, queue.GENERAL, 10)
    for claim in (first, second):
        decide(claim.pk, sam, **(BLOCK if truth[claim.request.submission_id] else {"verdict": "approve"}))
    wrong = truth[third.request.submission_id]
    decide(third.pk, sam, **({"verdict": "approve"} if wrong else BLOCK))
    assert asking.tally(row) == {Answer.CORRECTED: 2, Answer.CONFIRMED: 1}

    call_command("export_labels", out=str(tmp_path / "next"), stdout=StringIO())
    exported = manifests.read(tmp_path / "next")
    labels = zip(exported.column("submission_id"), exported.column("category"), exported.column("label"), strict=True)
    now = {key: int(label) for key, category, label in labels if category == CODE}
    for claim in (first, second):
        assert now[str(claim.request.submission_id)] == truth[claim.request.submission_id]


def test_nobody_is_asked_twice_and_an_open_question_serves(arranged: Arranged) -> None:
    _images, _truly, made = arranged
    row = audited(made)
    assert asking.send(row, 2, actor=COMMAND).opened == 2
    assert asking.send(row, 2, actor=COMMAND).opened == 2
    assert LabelAsk.objects.count() == ReviewRequest.objects.filter(closed_at__isnull=True).count() == 4
    later = audited(made)
    assert asking.send(later, 4, actor=COMMAND) == asking.Sent(0, 4)
    assert asking.tally(later) == {Answer.WAITING: 4}


def test_only_what_is_suspected_or_of_a_category_where_that_is_wanted(arranged: Arranged) -> None:
    _images, _truly, made = arranged
    row = audited(made)
    assert asking.send(row, 20, actor=COMMAND, category="HATE").opened == 0
    assert asking.send(row, 20, actor=COMMAND, category=CODE, flagged=True).opened == 3


def test_what_came_under_legal_hold_is_not_asked_about(arranged: Arranged) -> None:
    images, _truly, made = arranged
    row = audited(made)
    hold(images[0].pk)
    assert asking.send(row, 3, actor=COMMAND, flagged=True).opened == 2


def test_a_block_for_something_else_says_nothing_of_a_label_that_denies(arranged: Arranged, sam: User) -> None:
    images, _truly, made = arranged
    row = audited(made)
    asking.send(row, 3, actor=COMMAND)
    denied = images[1].pk  # truly violating, labelled harmless
    claim = next(one for one in queue.claim(sam, queue.GENERAL, 10) if one.request.submission_id == denied)
    decide(claim.pk, sam, verdict="block", labels=[{"category": "PRIVACY", "severity": 2}])
    assert asking.tally(row) == {Answer.WAITING: 2, Answer.SILENT: 1}


def test_the_command_audits_a_data_set_and_sends(arranged: Arranged) -> None:
    images, _truly, made = arranged
    out = StringIO()
    call_command("label_audit", dataset=made.fingerprint[:10], send=3, json=True, top=3, stdout=out)
    said = json.loads(out.getvalue())
    assert (said["kept"], said["sent"], said["flagged"]) == (True, 3, 3)
    assert {one["submission"] for one in said["suspects"]} == {str(one.pk) for one in images[:3]}
    assert LabelAudit.objects.get(pk=said["audit"]).outcome.figures["labels"] == said["labels"]


def test_the_command_audits_a_manifest_of_elsewhere_and_keeps_nothing(arranged: Arranged, settings: Any) -> None:
    _images, _truly, _made = arranged
    folder = settings.DATASETS_DIR / "audited"
    rows = manifests.read(folder).table.slice(0, 200).to_batches()
    vectors = manifests.read(folder).embeddings
    assert vectors is not None
    foreign = folder.parent / "foreign"
    manifests.write(rows, foreign, embeddings=vectors.rows(np.arange(200)))
    out = StringIO()
    call_command("label_audit", manifest=str(foreign), stdout=out)
    assert "not kept" in out.getvalue()
    assert not LabelAudit.objects.exists()
    with pytest.raises(CommandError) as refused:
        call_command("label_audit", manifest=str(foreign), send=3, stdout=StringIO())
    assert refused.value.returncode == 2


@pytest.mark.parametrize(
    "given", [{"dataset": "abc"}, {"manifest": "/nowhere"}, {"dataset": "f" * 64, "classifier": "nobody@1"}]
)
def test_the_command_says_what_it_cannot_use(db: None, given: dict[str, Any]) -> None:
    Dataset.objects.create(fingerprint="f" * 64, rows=1, query={}, folder="")
    with pytest.raises(CommandError) as refused:
        call_command("label_audit", **given, stdout=StringIO())
    assert refused.value.returncode in {1, 2}
