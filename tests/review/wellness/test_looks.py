from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.test import Client as Browser
from django.utils import timezone

from moderation import lifecycle
from moderation.actors import HOUSE
from moderation.models import Client, Status, Submission, TriagePlan, User
from review import looks, queue
from review.decisions import decide
from review.models import Claim, Exposure, Look, Place
from review.wellness.limits import EnoughForNow, standing_of
from review.wellness.settings import House
from tests.review.arranging import at_once, waiting


@pytest.fixture
def claim(rita: User, platform: Client, eyes: TriagePlan) -> Claim:
    (request,) = waiting(platform, 1)
    request.severity = 2
    request.save()
    (claim,) = queue.claim(rita, queue.GENERAL)
    return claim


def ask(person: User | None, path: str, **data: Any) -> Any:
    browser = Browser(headers={"host": "localhost"})
    if person is not None:
        browser.force_login(person)
    return browser.post(f"/api/v1/{path}", data, content_type="application/json")


def later(monkeypatch: pytest.MonkeyPatch, **span: float) -> None:
    moment = timezone.now() + timedelta(**span)
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)


def test_the_clear_image_is_the_answer_to_a_look_on_record(rita: User, claim: Claim) -> None:
    answer = ask(rita, f"claims/{claim.pk}/looks")
    with storages["derivatives"].open(claim.request.submission.working) as file:
        assert answer.content == file.read()
    look = Look.objects.get()
    assert (str(look.pk), look.reviewer, look.claim, look.place) == (answer["Look-Id"], rita, claim, Place.DESK)
    assert (look.severity, look.weight, look.seconds) == (2, House().weights[2], looks.LEAST)


def test_nobody_keeps_a_copy_of_it_on_the_way(rita: User, claim: Claim) -> None:
    answer = ask(rita, f"claims/{claim.pk}/looks")
    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (201, "image/jpeg", "no-store")


@pytest.mark.parametrize("who", ["sam", "paula", "ming", "ari", "adam", "eve", "stranger"])
def test_a_claim_is_looked_at_by_its_holder_only(
    who: str, claim: Claim, sam: User, paula: User, ming: User, ari: User, adam: User, eve: User
) -> None:
    cast = {"sam": sam, "paula": paula, "ming": ming, "ari": ari, "adam": adam, "eve": eve}
    answers = [
        ask(cast.get(who), f"claims/{claim.pk}/looks").status_code,
        ask(cast.get(who), "looks", submission=claim.request.submission_id).status_code,
    ]
    assert set(answers) <= {401, 403, 404}
    assert not Look.objects.exists()


def test_what_was_just_decided_can_be_looked_at_again_and_that_counts_too(rita: User, claim: Claim) -> None:
    decide(claim.pk, rita, verdict="approve")
    assert ask(rita, "looks", submission=claim.request.submission_id).status_code == 201
    look = Look.objects.get()
    assert (look.place, look.claim, look.severity) == (Place.ELSEWHERE, None, 2)


def test_under_legal_hold_nobody_looks(rita: User, claim: Claim) -> None:
    lifecycle.move(claim.request.submission, Status.QUARANTINED, actor=HOUSE, reason="test")
    assert ask(rita, f"claims/{claim.pk}/looks").status_code == 403
    assert not Look.objects.exists()


def test_an_image_that_is_gone_was_not_seen(rita: User, claim: Claim) -> None:
    storages["derivatives"].delete(claim.request.submission.working)
    assert ask(rita, f"claims/{claim.pk}/looks").status_code == 404
    assert not Look.objects.exists()


def test_what_never_was_cannot_be_looked_at(rita: User) -> None:
    assert ask(rita, f"claims/{uuid4()}/looks").status_code == 404
    assert ask(rita, "looks", submission=uuid4()).status_code == 404
    assert ask(rita, "looks", submission="the red one").status_code == 422


def test_a_look_grows_by_what_was_in_view(rita: User, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    look = looks.reveal_claimed(claim.pk, rita).look
    later(monkeypatch, seconds=30)
    assert ask(rita, f"looks/{look}", seconds=12.5).json() == {
        "id": str(look),
        "seconds": 12.5,
        "budget_share": round(12.5 * House().weights[2] / House().comfort.budget, 4),
    }
    exposure = Exposure.objects.get()
    assert (exposure.looks, exposure.seconds, exposure.weighted) == (1, 12.5, 12.5 * House().weights[2])


def test_a_late_word_of_less_takes_nothing_back(rita: User, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    look = looks.reveal_claimed(claim.pk, rita).look
    later(monkeypatch, seconds=30)
    assert [looks.grow(look, rita, seconds) for seconds in (10, 5, 10, 0)] == [10, 10, 10, 10]
    assert Exposure.objects.get().seconds == 10


def test_nobody_looks_for_longer_than_the_clock_runs(rita: User, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    look = looks.reveal_claimed(claim.pk, rita).look
    later(monkeypatch, seconds=20)
    assert 20 <= looks.grow(look, rita, 500) <= 20 + looks.SLACK.total_seconds() + 1
    later(monkeypatch, days=2)
    assert looks.grow(look, rita, 1e300) == looks.LONGEST


@pytest.mark.parametrize("seconds", [None, "ten", True, -1, [3], {}])
def test_a_length_that_is_none_is_refused(rita: User, claim: Claim, seconds: Any) -> None:
    look = looks.reveal_claimed(claim.pk, rita).look
    assert ask(rita, f"looks/{look}", seconds=seconds).status_code == 422
    assert Look.objects.get().seconds == looks.LEAST


def test_infinity_is_no_length(rita: User, claim: Claim) -> None:
    look = looks.reveal_claimed(claim.pk, rita).look
    browser = Browser()
    browser.force_login(rita)
    answer = browser.post(f"/api/v1/looks/{look}", '{"seconds": Infinity}', content_type="application/json")
    assert answer.status_code in {400, 422}


def test_another_persons_look_is_out_of_reach(rita: User, sam: User, eve: User, claim: Claim) -> None:
    look = looks.reveal_claimed(claim.pk, rita).look
    assert [ask(person, f"looks/{look}", seconds=9).status_code for person in (sam, eve, None)] == [404, 403, 401]
    assert Look.objects.get().seconds == looks.LEAST


def test_a_used_up_budget_shows_nothing_new_but_does_not_take_away_what_was_seen(
    rita: User, platform: Client, eyes: TriagePlan
) -> None:
    waiting(platform, 2)
    seen, unseen = queue.claim(rita, queue.GENERAL, 2)
    looks.reveal_claimed(seen.pk, rita)
    Exposure.objects.update(weighted=House().comfort.budget)
    assert looks.reveal_claimed(seen.pk, rita).jpeg
    with pytest.raises(EnoughForNow):
        looks.reveal_claimed(unseen.pk, rita)
    answer = ask(rita, f"claims/{unseen.pk}/looks")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:loupe:problem:exposure-budget")
    assert ask(rita, "queues/general/claim").json()["type"] == "urn:loupe:problem:exposure-budget"


def test_looks_fill_the_budget(rita: User, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    look = looks.reveal_claimed(claim.pk, rita).look
    later(monkeypatch, seconds=60)
    looks.grow(look, rita, 50)
    assert standing_of(rita).used == 50 * House().weights[2]


def test_a_look_costs_few_queries(rita: User, claim: Claim, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(7):  # with the savepoint's two
        looks.reveal_claimed(claim.pk, rita)


@pytest.mark.django_db(transaction=True)
def test_looks_of_many_windows_at_once_are_all_counted(rita: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 4)
    claims = queue.claim(rita, queue.GENERAL, 4)
    revealed = at_once([partial(looks.reveal_claimed, claim.pk, rita) for claim in claims * 2])
    at_once([partial(looks.grow, one.look, rita, 1.5) for one in revealed * 2])
    exposure = list(Exposure.objects.values_list("looks", "seconds"))
    assert sum(count for count, _seconds in exposure) == Look.objects.count() == 8
    assert sum(seconds for _count, seconds in exposure) == pytest.approx(8 * 1.5)


def test_a_look_without_a_claim_needs_one_lately(rita: User, claim: Claim) -> None:
    Claim.objects.update(expires_at=timezone.now() - timedelta(hours=2))
    assert ask(rita, "looks", submission=claim.request.submission_id).status_code == 403


def test_a_submission_is_never_shown_by_its_address_alone(rita: User, claim: Claim) -> None:
    submission: Submission = claim.request.submission
    browser = Browser()
    browser.force_login(rita)
    answers = [browser.get(f"/images/{submission.pk}/working.jpg"), browser.get(f"/api/v1/claims/{claim.pk}/looks")]
    assert [answer.status_code for answer in answers] == [404, 405]
