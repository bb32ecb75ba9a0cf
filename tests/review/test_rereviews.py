"""Decisions made under an older wording are listed, and looked at again when somebody says so."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser

from moderation import audit, lifecycle
from moderation.actors import Actor
from moderation.models import AuditEvent, Client, Reason, ReviewRequest, Status, Submission, TriagePlan, User
from moderation.taxonomy import Category
from review import queue, rereviews
from review.decisions import decide
from review.models import Decision
from tests.moderation.callers import with_key, with_session
from tests.moderation.drafting import reworded
from tests.review.arranging import waiting

WEAPONS = Category.WEAPONS_DANGEROUS
LIST = "/policies/WEAPONS_DANGEROUS/older/"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_once(settings: Any) -> None:
    settings.REVIEW_UNDO_SECONDS = 0


def settled(person: User, platform: Client, count: int = 3, verdict: str = "approve") -> list[Decision]:
    waiting(platform, count)
    return answered(person, count, verdict)


def answered(person: User, count: int, verdict: str = "approve") -> list[Decision]:
    return [
        decide(
            claim.pk,
            person,
            verdict=verdict,
            labels=[{"category": WEAPONS, "severity": 2}] if verdict == "block" else [],
        )
        for claim in queue.claim(person, queue.GENERAL, count)
    ]


def listed() -> set[object]:
    return {one.pk for one in rereviews.outdated(WEAPONS)}


def test_a_new_wording_fills_the_list_and_a_new_decision_empties_it(
    rita: User, sam: User, paula: User, platform: Client, eyes: TriagePlan
) -> None:
    decisions = settled(rita, platform)
    assert listed() == set()
    reworded(WEAPONS, headline="Toys, too.")
    assert listed() == {one.pk for one in decisions}
    assert {str(one.policy) for one in rereviews.outdated(WEAPONS)} == {"WEAPONS_DANGEROUS v1"}

    assert rereviews.ask_again(WEAPONS, paula).opened == 3
    answered(sam, 3, "block")
    assert listed() == set()
    assert set(Submission.objects.values_list("status", flat=True)) == {Status.BLOCKED}
    assert {str(one.policy) for one in Decision.objects.filter(reviewer=sam)} == {"WEAPONS_DANGEROUS v2"}
    assert list(audit.verify()) == []


def test_asking_twice_asks_once_and_is_on_record(rita: User, paula: User, platform: Client, eyes: TriagePlan) -> None:
    first, *_rest = settled(rita, platform)
    reworded(WEAPONS, headline="Toys, too.")
    assert rereviews.ask_again(WEAPONS, paula, [first.pk]).opened == 1
    again = rereviews.ask_again(WEAPONS, paula, [first.pk])
    assert (again.opened, again.open_before) == (0, 1)
    assert ReviewRequest.objects.filter(reason=Reason.SECOND_OPINION).count() == 1
    event = AuditEvent.objects.get(action="decision.rereviewed")
    assert (event.subject, event.data["in_force"]) == (audit.submission(first.submission_id), 2)
    first.submission.refresh_from_db()
    assert first.submission.status == Status.APPROVED
    assert rereviews.count(WEAPONS) == 2


def test_a_change_of_a_part_counts_as_a_change(rita: User, platform: Client, eyes: TriagePlan) -> None:
    decisions = settled(rita, platform, 1)
    reworded("WEAPONS_DANGEROUS@de", headline="Auch Spielzeug.", translates=1)
    assert listed() == set()
    reworded("WEAPONS_DANGEROUS.toys", headline="Toys, too.")
    assert listed() == {one.pk for one in decisions}


def test_what_is_under_legal_hold_is_neither_listed_nor_asked_about(
    rita: User, paula: User, platform: Client, eyes: TriagePlan
) -> None:
    (decision,) = settled(rita, platform, 1)
    reworded(WEAPONS, headline="Toys, too.")
    decision.submission.refresh_from_db()
    lifecycle.move(decision.submission, Status.QUARANTINED, actor=Actor.person(paula), reason="a test")
    assert listed() == set()
    assert rereviews.ask_again(WEAPONS, paula, [decision.pk]).opened == 0


def test_the_page_asks_about_what_is_ticked(
    client: Browser, rita: User, paula: User, platform: Client, eyes: TriagePlan, django_assert_max_num_queries: Any
) -> None:
    first, *_rest = settled(rita, platform)
    reworded(WEAPONS, headline="Toys, too.")
    client.force_login(paula)
    with django_assert_max_num_queries(12):
        page = client.get(LIST).content.decode()
    assert page.count('name="decision"') == 3
    assert "/glimpse.jpg" in page
    assert client.get(f"{LIST}count").content == b"3"
    assert "Nothing was ticked" in client.post(f"{LIST}ask", follow=True).content.decode()
    page = client.post(f"{LIST}ask", {"decision": [str(first.pk), "x"]}, follow=True).content.decode()
    assert "1 image waits for somebody to look again." in page
    assert page.count('name="decision"') == 2
    client.post(f"{LIST}ask", {"which": "all"})
    assert ReviewRequest.objects.filter(reason=Reason.SECOND_OPINION).count() == 3


def test_nobody_without_the_right_sees_or_uses_it(client: Browser, eve: User, rita: User, eyes: TriagePlan) -> None:
    for stranger in (eve, rita):
        client.force_login(stranger)
        assert {client.get(path).status_code for path in (LIST, f"{LIST}count")} == {403}
        assert client.post(f"{LIST}ask", {"which": "all"}).status_code == 403


class TestApi:
    URL = "/api/v1/policies/WEAPONS_DANGEROUS/rereviews"

    def test_what_was_decided_under_older_words_is_listed_by_the_page_and_asked_about(
        self, rita: User, paula: User, platform: Client, eyes: TriagePlan
    ) -> None:
        first, second, third = settled(rita, platform)
        reworded(WEAPONS, headline="Toys, too.")
        caller = with_session(paula)

        page = caller.get(self.URL, {"limit": 2}).json()
        rest = caller.get(page["next"]).json()
        asked = caller.post(self.URL, {"decisions": [str(first.pk)]}, format="json").json()
        everything = caller.post(self.URL, {}, format="json").json()

        assert [one["id"] for one in page["results"]] == [str(third.pk), str(second.pk)]
        assert [(one["id"], one["asked"]) for one in rest["results"]] == [(str(first.pk), False)]
        assert rest["results"][0]["policy_version"] == "WEAPONS_DANGEROUS v1"
        assert asked == {"opened": 1, "open_before": 0}
        assert everything == {"opened": 2, "open_before": 0}
        assert all(one["asked"] for one in caller.get(self.URL).json()["results"])

    @pytest.mark.parametrize("wrong", [{"decisions": "all"}, {"decisions": ["x"]}])
    def test_what_are_no_decisions_is_refused(self, paula: User, eyes: TriagePlan, wrong: dict[str, Any]) -> None:
        answer = with_session(paula).post(self.URL, wrong, format="json")

        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/decisions")
        assert with_session(paula).get(self.URL.replace("WEAPONS_DANGEROUS", "DRAGONS")).status_code == 404

    def test_only_policy_leads_may_and_keys_never(self, rita: User, eve: User, api_key: str, eyes: TriagePlan) -> None:
        for caller in (with_session(rita), with_session(eve), with_key(api_key)):
            assert caller.get(self.URL).status_code == 403
            assert caller.post(self.URL, {}, format="json").status_code == 403
