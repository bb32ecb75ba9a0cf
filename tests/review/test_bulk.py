from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from moderation import audit, lifecycle, roles
from moderation.actors import HOUSE
from moderation.models import Client, Reason, ReviewRequest, Status, Submission, TriagePlan, User
from review import feedback, queue
from review.bulk import asking, running
from review.decisions import decide
from review.models import BulkAction, BulkItem, BulkState, BulkVerdict, Decision, ItemState
from review.tasks import run_bulk
from tests import world
from tests.conftest import person
from tests.moderation.callers import at_page, stranger
from tests.review.arranging import at_once, status_of

pytestmark = pytest.mark.django_db

FOUND = "prompt=wall"
BLOCK: dict[str, Any] = {"verdict": "block", "category": "WEAPONS_DANGEROUS", "severity": 2}


@pytest.fixture
def walls(platform: Client, eyes: TriagePlan) -> Sequence[Submission]:
    """Three in review, two approved by the machine, and a meadow that no search for walls finds."""
    walls = [world.triaged(platform, world.png(red=0.5, seed=n), prompt=f"a red wall {n}") for n in range(3)]
    walls += [world.triaged(platform, world.png(red=0.05, seed=n), prompt=f"a pale wall {n}") for n in range(2)]
    world.triaged(platform, world.png(green=0.5, seed=9), prompt="a meadow")
    return walls


def asked(by: User, *, query: str = FOUND, expected: int = 5, **what: Any) -> BulkAction:
    return asking.ask(by, **{"query": query, "expected": expected, "reason": "a wave of walls", **BLOCK, **what})


def statuses(submissions: Sequence[Submission]) -> list[str]:
    return [status_of(one) for one in submissions]


def state_of(action: BulkAction) -> str:
    return BulkAction.objects.get(pk=action.pk).state


def test_a_preview_counts_samples_and_says_what_would_change(walls: Sequence[Submission]) -> None:
    seen = asking.preview(FOUND)
    assert (len(seen.keys), seen.statuses, seen.more) == (5, {"in_review": 3, "approved": 2}, False)
    assert len(seen.sample) == 5
    assert [seen.changes(verdict) for verdict in BulkVerdict] == [3, 5, 2, 5]


def test_it_moves_everything_found_and_each_image_has_it_on_record(walls: Sequence[Submission], sam: User) -> None:
    action = asked(sam)
    assert run_bulk() == {"dealt": 5}
    assert (statuses(walls), state_of(action)) == ([Status.BLOCKED] * 5, BulkState.DONE)
    assert Submission.objects.get(prompt="a meadow").status == Status.IN_REVIEW
    for one in walls:
        last = audit.events_of(audit.submission(one.pk))[-1]
        assert (last.action, last.actor_label, last.data["bulk"]) == ("submission.blocked", "sam", str(action.pk))
    assert not ReviewRequest.objects.filter(submission__in=walls, closed_at=None).exists()
    assert list(audit.verify()) == []


def test_it_makes_no_label_to_learn_from(walls: Sequence[Submission], sam: User) -> None:
    asked(sam)
    run_bulk()
    assert not Decision.objects.exists()
    assert not list(feedback.decisive())


def test_what_is_there_already_is_left_as_it_is(walls: Sequence[Submission], sam: User) -> None:
    action = asked(sam, verdict="approve")
    run_bulk()
    assert running.progress(action) == {"waiting": 0, "moved": 3, "skipped": 2, "undone": 0, "kept": 0}


def test_sent_to_review_somebody_is_asked(walls: Sequence[Submission], sam: User) -> None:
    asked(sam, verdict="review")
    run_bulk()
    assert statuses(walls) == [Status.IN_REVIEW] * 5
    assert ReviewRequest.objects.filter(submission__in=walls[3:], closed_at=None, reason=Reason.POLICY).count() == 2


def test_a_second_opinion_moves_nothing(walls: Sequence[Submission], sam: User) -> None:
    before = statuses(walls)
    action = asked(sam, verdict="second_opinion")
    run_bulk()
    opinions = ReviewRequest.objects.filter(submission__in=walls, closed_at=None, reason=Reason.SECOND_OPINION)
    assert (statuses(walls), opinions.count()) == (before, 5)
    asking.undo(action.pk, sam)
    run_bulk()
    assert (opinions.count(), state_of(action)) == (0, BulkState.UNDONE)


def test_undone_it_puts_back_what_nobody_touched_since(walls: Sequence[Submission], sam: User, rita: User) -> None:
    (claim,) = queue.claim(rita, queue.GENERAL)
    action = asked(sam)
    run_bulk()
    with pytest.raises(queue.ClaimEnded):
        decide(claim.pk, rita, verdict="approve")
    touched = walls[4]
    lifecycle.move(Submission.objects.get(pk=touched.pk), Status.IN_REVIEW, actor=HOUSE, reason="appeal")
    asking.undo(action.pk, sam)
    run_bulk()
    assert statuses(walls) == [*[Status.IN_REVIEW] * 3, Status.APPROVED, Status.IN_REVIEW]
    assert running.progress(action) | {"waiting": 0} == {"waiting": 0, "moved": 0, "skipped": 0, "undone": 4, "kept": 1}
    assert ReviewRequest.objects.filter(submission__in=walls[:3], closed_at=None).count() == 3
    assert audit.events_of(audit.submission(walls[0].pk))[-1].data["reason"] == "bulk_undone"


def test_what_a_person_confirmed_since_stays(walls: Sequence[Submission], sam: User, rita: User) -> None:
    action = asked(sam)
    run_bulk()
    ReviewRequest.objects.exclude(submission=walls[0]).update(closed_at="2026-01-01T00:00Z")
    ReviewRequest.objects.filter(submission=walls[0]).update(closed_at=None, reason=Reason.AUDIT_SAMPLE)
    (claim,) = queue.claim(rita, queue.GENERAL)
    decide(claim.pk, rita, verdict="block", labels=[{"category": "HATE", "severity": 2}])
    asking.undo(action.pk, sam)
    run_bulk()
    assert status_of(walls[0]) == Status.BLOCKED


def test_it_goes_on_where_it_stopped(walls: Sequence[Submission], sam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "BATCH", 2)
    action = asked(sam)
    assert running.step(action.pk) == 2
    assert (running.progress(action)["waiting"], state_of(action)) == (3, BulkState.RUNNING)
    assert run_bulk() == {"dealt": 3}
    assert run_bulk() == {"dealt": 0}
    assert state_of(action) == BulkState.DONE


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_nothing_twice(walls: Sequence[Submission], sam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "BATCH", 1)
    action = asked(sam)
    assert sum(at_once([lambda: running.work_off(action.pk)] * 4)) == 5
    for one in walls:
        events = audit.events_of(audit.submission(one.pk))
        assert [event.action for event in events].count("submission.blocked") == 1


def test_what_came_under_legal_hold_meanwhile_stays_there(walls: Sequence[Submission], sam: User) -> None:
    asked(sam)
    lifecycle.move(Submission.objects.get(pk=walls[0].pk), Status.QUARANTINED, actor=HOUSE, reason="test")
    run_bulk()
    assert statuses(walls) == [Status.QUARANTINED, *[Status.BLOCKED] * 4]
    assert BulkItem.objects.get(submission=walls[0]).state == ItemState.SKIPPED


# --- a second person --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("most", "severity"), [(4, 2), (100, 3)])
def test_many_or_grave_waits_for_a_second_person(
    walls: Sequence[Submission], sam: User, settings: Any, most: int, severity: int
) -> None:
    settings.HOLD_BULK = most
    action = asked(sam, severity=severity)
    assert (run_bulk(), state_of(action)) == ({"dealt": 0}, BulkState.HELD)
    with pytest.raises(queue.NotForYou):
        asking.agree(action.pk, sam)
    asking.agree(action.pk, person("sonja", roles.Role.SENIOR))
    run_bulk()
    assert statuses(walls) == [Status.BLOCKED] * 5


def test_sent_back_nothing_happens(walls: Sequence[Submission], sam: User, settings: Any) -> None:
    settings.HOLD_BULK = 1
    action, sonja = asked(sam), person("sonja", roles.Role.SENIOR)
    with pytest.raises(asking.UnfitAction):
        asking.refuse(action.pk, sonja, words=" ")
    asking.refuse(action.pk, sonja, words="half of them are fine")
    with pytest.raises(asking.NotWaiting):
        asking.agree(action.pk, sonja)
    assert (run_bulk(), state_of(action)) == ({"dealt": 0}, BulkState.REFUSED)


# --- bad input --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "what",
    [
        {"reason": " "},
        {"reason": "x" * 10_001},
        {"verdict": "quarantine"},
        {"category": ""},
        {"severity": 7},
        {"expected": 4},
        {"query": "as=table"},
        {"query": "prompt=nowhere", "expected": 0},
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(
    walls: Sequence[Submission], sam: User, what: dict[str, Any]
) -> None:
    with pytest.raises(asking.UnfitAction):
        asked(sam, **what)
    assert not BulkAction.objects.exists()


def test_there_is_a_limit(walls: Sequence[Submission], sam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST", 3)
    with pytest.raises(asking.UnfitAction, match="Narrow the search"):
        asked(sam, expected=3)


# --- pages ------------------------------------------------------------------------------------------------------------
def test_by_the_pages(walls: Sequence[Submission], sam: User, django_assert_max_num_queries: Any) -> None:
    caller = at_page(sam)
    with django_assert_max_num_queries(13):
        page = caller.get(f"/search/bulk?{FOUND}").content.decode()
    assert "One act on 5 images" in page
    assert page.count("glimpse.jpg") == 5
    form = {**BLOCK, "reason": "a wave of walls", "expected": 5}
    again = caller.post(f"/search/bulk?{FOUND}", {**form, "expected": 4}).content.decode()
    assert "You saw 4, and now 5 are found" in again
    assert "a wave of walls" in again
    answer = caller.post(f"/search/bulk?{FOUND}", form)
    action = BulkAction.objects.get()
    assert answer.headers["Location"] == f"/bulk/{action.pk}/"
    run_bulk()
    assert "100 % done" in caller.get(f"/bulk/{action.pk}/").content.decode()
    assert "a wave of walls" in caller.get("/bulk/").content.decode()
    caller.post(f"/bulk/{action.pk}/undo")
    assert state_of(action) == BulkState.UNDOING


def test_a_held_action_is_on_the_list_of_who_may_answer(walls: Sequence[Submission], sam: User, settings: Any) -> None:
    settings.HOLD_BULK = 1
    action, sonja = asked(sam), person("sonja", roles.Role.SENIOR)
    assert "a wave of walls" not in at_page(sam).get("/held/").content.decode()
    assert "a wave of walls" in at_page(sonja).get("/held/").content.decode()
    assert at_page(sam).post(f"/bulk/{action.pk}/agree").status_code == 403
    at_page(sonja).post(f"/bulk/{action.pk}/agree")
    assert state_of(action) == BulkState.RUNNING


def test_only_seniors_act_on_many(walls: Sequence[Submission], sam: User, rita: User, paula: User, eve: User) -> None:
    action = asked(sam)
    paths = ["/search/bulk?prompt=wall", "/bulk/", f"/bulk/{action.pk}/"]
    for one in (rita, paula, eve):
        caller = at_page(one)
        assert [caller.get(path).status_code for path in paths] == [403] * 3
        assert [caller.post(f"/bulk/{action.pk}/{verb}").status_code for verb in ("agree", "refuse", "undo")] == [
            403
        ] * 3
        assert caller.post(paths[0], {**BLOCK, "reason": "x", "expected": 5}).status_code == 403
    assert stranger().get("/bulk/").status_code == 302
    assert BulkAction.objects.count() == 1
