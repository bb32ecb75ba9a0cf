from __future__ import annotations

from typing import Any

import pytest

from moderation import audit, lifecycle, roles
from moderation.actors import HOUSE
from moderation.models import AuditEvent, Client, Status, Submission, TriagePlan, User
from review import queue, releases
from review.judgements import UnfitDecision
from review.models import Release, ReleaseState
from tests.conftest import person
from tests.moderation.callers import at_page, stranger
from tests.review.arranging import at_once, status_of, waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def lying(platform: Client, eyes: TriagePlan) -> Submission:
    (request,) = waiting(platform, 1)
    lifecycle.move(request.submission, Status.QUARANTINED, actor=HOUSE, reason="test")
    type(request).objects.update(closed_at=request.opened_at)
    return request.submission


@pytest.mark.parametrize("first", ["sam", "paula"])
def test_two_people_of_two_roles_release_an_image(lying: Submission, sam: User, paula: User, first: str) -> None:
    asker, other = (sam, paula) if first == "sam" else (paula, sam)
    release = releases.ask(lying.pk, asker, reason="It is a court's exhibit.")
    assert status_of(lying) == Status.QUARANTINED
    releases.agree(release.pk, other)
    assert status_of(lying) == Status.IN_REVIEW
    (claim,) = queue.claim(sam, queue.ESCALATED)
    assert claim.request.submission_id == lying.pk
    actions = [event.action for event in audit.events_of(audit.submission(lying.pk))]
    assert actions[-3:] == ["release.asked", "submission.in_review", "release.agreed"]


def test_a_second_person_of_the_same_role_is_not_enough(lying: Submission, sam: User) -> None:
    release = releases.ask(lying.pk, sam, reason="exhibit")
    with pytest.raises(queue.NotForYou):
        releases.agree(release.pk, person("sonja", roles.Role.SENIOR))
    assert status_of(lying) == Status.QUARANTINED


def test_one_person_of_both_roles_is_one_person(lying: Submission, sam: User) -> None:
    roles.grant(sam, roles.Role.POLICY_LEAD)
    both = User.objects.get(pk=sam.pk)
    release = releases.ask(lying.pk, both, reason="exhibit")
    with pytest.raises(queue.NotForYou):
        releases.agree(release.pk, both)
    assert status_of(lying) == Status.QUARANTINED


def test_refused_it_stays_and_may_be_asked_for_again(lying: Submission, sam: User, paula: User) -> None:
    release = releases.ask(lying.pk, sam, reason="exhibit")
    with pytest.raises(releases.AlreadyAsked):
        releases.ask(lying.pk, paula, reason="exhibit")
    releases.refuse(release.pk, paula, words="Not before the court says so.")
    assert (status_of(lying), Release.objects.get().state) == (Status.QUARANTINED, ReleaseState.REFUSED)
    with pytest.raises(releases.Answered):
        releases.agree(release.pk, paula)
    assert releases.ask(lying.pk, sam, reason="the court said so").state == ReleaseState.ASKED


def test_there_is_nothing_to_release_elsewhere(sam: User, platform: Client, eyes: TriagePlan) -> None:
    (request,) = waiting(platform, 1)
    with pytest.raises(releases.NotUnderHold):
        releases.ask(request.submission_id, sam, reason="exhibit")


@pytest.mark.parametrize("reason", ["", "  ", 3])
def test_asking_needs_a_reason(lying: Submission, sam: User, reason: Any) -> None:
    with pytest.raises(UnfitDecision):
        releases.ask(lying.pk, sam, reason=reason)


@pytest.mark.django_db(transaction=True)
def test_of_two_answers_at_once_one_counts(lying: Submission, sam: User, paula: User) -> None:
    release = releases.ask(lying.pk, sam, reason="exhibit")
    calls = [lambda: releases.agree(release.pk, paula), lambda: releases.refuse(release.pk, paula, words="no")]
    outcomes = at_once(calls)
    assert sum(isinstance(one, releases.Answered | releases.NotUnderHold) for one in outcomes) == 1
    agreed = Release.objects.get().state == ReleaseState.AGREED
    assert status_of(lying) == (Status.IN_REVIEW if agreed else Status.QUARANTINED)


def test_the_page_shows_words_only_and_reading_it_is_on_record(
    lying: Submission, sam: User, paula: User, django_assert_max_num_queries: Any
) -> None:
    releases.ask(lying.pk, sam, reason="exhibit")
    caller = at_page(paula)
    with django_assert_max_num_queries(13):
        page = caller.get("/legal-hold/").content.decode()
    assert str(lying.pk) in page
    assert "exhibit" in page
    assert "<img" not in page
    event = AuditEvent.objects.get(action="hold.read")
    assert (event.actor_label, event.data["submissions"]) == ("paula", [str(lying.pk)])


def test_by_the_page(lying: Submission, sam: User, paula: User) -> None:
    asked = {"id": str(lying.pk), "reason": "exhibit"}
    assert "no id" in at_page(sam).post("/legal-hold/ask", {"id": "x"}, follow=True).content.decode()
    at_page(sam).post("/legal-hold/ask", asked)
    release = Release.objects.get()
    assert at_page(sam).post(f"/legal-hold/{release.pk}/agree").status_code == 403
    at_page(paula).post(f"/legal-hold/{release.pk}/refuse", {"words": "no"})
    assert Release.objects.get().state == ReleaseState.REFUSED


def test_nobody_else_reads_or_acts(lying: Submission, sam: User, rita: User, ming: User, eve: User) -> None:
    release = releases.ask(lying.pk, sam, reason="exhibit")
    for one in (rita, ming, eve):
        caller = at_page(one)
        answers = [caller.get("/legal-hold/"), caller.post("/legal-hold/ask", {"id": str(lying.pk), "reason": "x"})]
        answers += [caller.post(f"/legal-hold/{release.pk}/{verb}") for verb in ("agree", "refuse")]
        assert [answer.status_code for answer in answers] == [403] * 4
    assert stranger().get("/legal-hold/").status_code == 302
    assert status_of(lying) == Status.QUARANTINED
