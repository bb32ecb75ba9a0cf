"""Known images in triage: copies are recognised, and each bank gets what it asks for and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from PIL import Image, ImageOps

from classifiers import hashes
from moderation import audit
from moderation.banks import keeping
from moderation.banks.fingerprints import Fingerprint, UnfitHash
from moderation.banks.known import Known, known
from moderation.models import (
    AuditEvent,
    Bank,
    BankAction,
    BankEntry,
    BankMatch,
    Client,
    Finding,
    Polarity,
    Reason,
    ReviewRequest,
    Status,
    TriagePlan,
)
from moderation.taxonomy import PEOPLE_ONLY, Category
from tests import world
from tests.moderation.knowing import COMMAND, bank, copied, encoded, fingerprint, learnt, plan_with_banks, scene

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plan(guidelines: None) -> TriagePlan:
    known.refresh(at_once=True)
    return plan_with_banks()


def learn(bank: Bank, *prints: Fingerprint) -> list[BankEntry]:
    """Learnt, and known to this process at once."""
    entries = learnt(bank, *prints)
    known.refresh(at_once=True)
    return entries


def test_a_copy_saved_again_at_half_the_size_is_recognised(platform: Client) -> None:
    picture = scene(5)
    (entry,) = learn(bank(), fingerprint(picture))

    submission = world.triaged(platform, copied(picture))

    finding = Finding.objects.get(submission=submission)
    (match,) = finding.evidence["matches"]
    assert submission.status == Status.BLOCKED
    assert (match["entry"], match["kind"], match["category"]) == (entry.pk, "pdq", Category.WEAPONS_DANGEROUS)
    assert 0 <= match["distance"] <= 31
    assert finding.probabilities[finding.classifier.categories.index("WEAPONS_DANGEROUS")] == 1.0
    assert submission.reasons[0]["code"] == "match"
    assert BankMatch.objects.get().action == BankAction.BLOCK


def test_copies_of_real_photos_are_recognised_and_others_are_not(platform: Client, shared: Path) -> None:
    photos = sorted((shared / "data" / "photos").glob("*.jpg"))[:12]
    learn(bank(), *(fingerprint(Image.open(photo).convert("RGB")) for photo in photos[:6]))

    for number, photo in enumerate(photos):
        submission = world.triaged(platform, copied(Image.open(photo).convert("RGB")))
        assert submission.status == (Status.BLOCKED if number < 6 else Status.APPROVED), photo.name


@pytest.mark.parametrize("lay", [ImageOps.mirror, ImageOps.flip, lambda one: one.transpose(Image.Transpose.ROTATE_90)])
def test_a_copy_laid_down_another_way_is_recognised(platform: Client, lay: object) -> None:
    picture = scene(5)
    learn(bank(), fingerprint(picture))

    submission = world.triaged(platform, copied(lay(picture)))  # type: ignore[operator]

    assert submission.status == Status.BLOCKED
    assert Finding.objects.get(submission=submission).evidence["matches"][0]["laid"]


def test_a_strange_image_is_no_match_and_leaves_no_finding(platform: Client) -> None:
    learn(bank(), fingerprint(scene(5)))

    submission = world.triaged(platform, encoded(scene(6)))

    assert submission.status == Status.APPROVED
    assert not Finding.objects.exists()
    assert submission.heard == ["hashes@1"]


@pytest.mark.parametrize("category", sorted(PEOPLE_ONLY))
@pytest.mark.parametrize("action", [BankAction.QUARANTINE, BankAction.REVIEW])
def test_a_match_of_the_gravest_kind_is_quarantined_at_once(
    platform: Client, category: Category, action: BankAction
) -> None:
    picture = scene(5)
    learn(bank(category=category, action=action), fingerprint(picture))

    submission = world.triaged(platform, copied(picture))

    assert submission.status == Status.QUARANTINED
    assert not ReviewRequest.objects.exists()


def test_a_bank_that_asks_for_a_look_gets_a_look_even_where_the_plan_would_block(platform: Client) -> None:
    picture = scene(5)
    learn(bank(category=Category.NUDITY, action=BankAction.REVIEW), fingerprint(picture))

    submission = world.triaged(platform, copied(picture))

    request = ReviewRequest.objects.get()
    assert submission.status == Status.IN_REVIEW
    assert (request.reason, request.category) == (Reason.HASH_MATCH, Category.NUDITY)
    assert [why["code"] for why in submission.reasons] == ["match"]


def test_a_known_good_image_silences_other_banks_and_is_approved_by_nobody(platform: Client, tmp_path: Path) -> None:
    picture = scene(5)
    learn(bank(), fingerprint(picture))
    learn(bank("Our own", polarity=Polarity.KNOWN_GOOD, action=BankAction.REVIEW), fingerprint(picture))

    silenced = world.triaged(platform, copied(picture))
    plan_with_banks(world.colour_eyes(tmp_path).ref)
    watched = world.triaged(platform, copied(picture), external_id="again")

    assert silenced.status == Status.APPROVED
    assert "demands" not in Finding.objects.get(submission=silenced).evidence
    assert {match.action for match in BankMatch.objects.all()} == {""}
    assert watched.status == Status.IN_REVIEW  # what the eyes make of it still holds


def test_a_known_good_image_of_the_gravest_kind_is_looked_at(platform: Client) -> None:
    picture = scene(5)
    learn(bank(category=Category.CSAE, action=BankAction.QUARANTINE), fingerprint(picture))
    learn(bank("Our own", polarity=Polarity.KNOWN_GOOD, action=BankAction.REVIEW), fingerprint(picture))

    assert world.triaged(platform, copied(picture)).status == Status.IN_REVIEW


def test_a_hash_of_low_quality_only_asks_for_a_look(platform: Client) -> None:
    picture = scene(5)
    learn(bank(category=Category.CSAE, action=BankAction.QUARANTINE), fingerprint(picture, quality=49))

    submission = world.triaged(platform, copied(picture))

    assert submission.status == Status.IN_REVIEW
    assert Finding.objects.get().evidence["matches"][0]["weak"] is True
    assert not any(Finding.objects.get().probabilities)


def test_the_same_bytes_are_known_by_sha256_whatever_their_looks(platform: Client) -> None:
    plain = world.png(red=0.1)
    learn(bank(), Fingerprint(sha256=hashes.sha256(plain)))

    assert world.triaged(platform, plain).status == Status.BLOCKED
    assert world.triaged(platform, world.png(red=0.11)).status == Status.APPROVED


def test_md5_is_taken_only_when_a_bank_in_service_goes_by_it(platform: Client) -> None:
    plain = world.png(red=0.1)
    before = world.triaged(platform, plain)
    old = bank()
    learn(old, Fingerprint(md5=hashes.md5(plain)))
    known_by_it = world.triaged(platform, plain)
    keeping.retire(old, reason="a test", actor=COMMAND)
    known.refresh(at_once=True)
    after = world.triaged(platform, plain)

    assert (before.md5, before.status) == ("", Status.APPROVED)
    assert (known_by_it.md5, known_by_it.status) == (hashes.md5(plain), Status.BLOCKED)
    assert (after.md5, after.status) == ("", Status.APPROVED)


def test_what_was_removed_or_retired_matches_no_more(platform: Client) -> None:
    picture, other = scene(5), scene(6)
    (entry,) = learn(bank(), fingerprint(picture))
    retired = bank("Gone")
    learn(retired, fingerprint(other))

    assert keeping.remove(entry, reason="a mistake", actor=COMMAND)
    assert not keeping.remove(entry, reason="twice", actor=COMMAND)
    keeping.retire(retired, reason="a test", actor=COMMAND)
    known.refresh(at_once=True)

    assert world.triaged(platform, copied(picture)).status == Status.APPROVED
    assert world.triaged(platform, copied(other)).status == Status.APPROVED
    with pytest.raises(keeping.Retired):
        keeping.add(retired, [fingerprint(other)], actor=COMMAND)


def test_a_removed_entry_stays_on_record_and_may_be_added_again() -> None:
    picture = scene(5)
    one = bank()
    (entry,) = learn(one, fingerprint(picture))
    keeping.remove(entry, reason="a mistake", actor=COMMAND)

    assert keeping.add(one, [fingerprint(picture)], actor=COMMAND).known == 0
    assert BankEntry.objects.count() == 2


def test_every_act_on_a_bank_is_audited() -> None:
    one = bank()
    (entry,) = learn(one, fingerprint(scene(5)))
    keeping.remove(entry, reason="a mistake", actor=COMMAND)
    keeping.retire(one, reason="no use", actor=COMMAND)

    events = audit.events_of(keeping.subject(one))
    assert [event.action for event in events] == ["bank.created", "bank.added", "bank.removed", "bank.retired"]
    assert events[2].data == {"entry": entry.pk, "reason": "a mistake"}
    assert AuditEvent.objects.filter(subject=keeping.subject(one)).count() == 4


def test_the_database_itself_refuses_to_change_or_delete_an_entry() -> None:
    learn(bank(), fingerprint(scene(5)))

    for change in (
        "UPDATE moderation_bankentry SET pdq = ''",
        "DELETE FROM moderation_bankentry",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)


@pytest.mark.parametrize("category", sorted(PEOPLE_ONLY))
def test_no_bank_blocks_where_only_people_do(category: Category) -> None:
    with pytest.raises(keeping.UnfitBank, match="Only people block"):
        bank(category=category, action=BankAction.BLOCK)
    with pytest.raises(IntegrityError), transaction.atomic():
        Bank.objects.create(name="Sly", category=category, action=BankAction.BLOCK)


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "with\nlines"])
def test_a_bank_needs_a_name_of_one_line(name: str) -> None:
    with pytest.raises(keeping.UnfitBank):
        bank(name)


def test_two_banks_do_not_share_a_name() -> None:
    bank()
    with pytest.raises(keeping.UnfitBank, match="already"):
        bank()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "no hash"),
        ({"pdq": "ab"}, "64 hexadecimal digits, this one has 2"),
        ({"pdq": "g" * 64}, "digits 0–9 and a–f"),
        ({"md5": "0" * 64}, "32 hexadecimal digits"),
        ({"pdq": "0" * 64, "quality": "101"}, "0 to 100"),
        ({"pdq": "0" * 64, "quality": "good"}, "0 to 100"),
        ({"pdq": "0" * 64, "label": "a\0b"}, "cannot be stored"),
    ],
)
def test_what_is_no_hash_is_refused_with_the_reason(given: dict[str, str], message: str) -> None:
    with pytest.raises(UnfitHash, match=message):
        Fingerprint.of(**given)


def test_a_process_that_starts_late_knows_what_one_that_caught_up_knows() -> None:
    one = bank()
    early = Known()
    early.refresh(at_once=True)
    entries = learn(one, *(fingerprint(scene(seed)) for seed in range(5, 9)))
    keeping.remove(entries[1], reason="a test", actor=COMMAND)
    early.refresh(at_once=True)
    late = Known()
    late.refresh(at_once=True)
    asked = [[hashes.pdq(scene(seed))[0]] for seed in range(5, 10)]

    assert early.near(asked) == late.near(asked)
    assert [len(found) for found in late.near(asked)] == [1, 0, 1, 1, 0]


def test_a_process_asks_the_database_at_most_once_a_second(django_assert_num_queries: object) -> None:
    known.refresh(at_once=True)

    with django_assert_num_queries(0):  # type: ignore[operator]
        known.refresh()
