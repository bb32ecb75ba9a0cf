"""Stopping automation: people decide from the next batch on, nothing is loosened, and it is all on record."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from hypothesis import given
from hypothesis import strategies as st

from moderation import audit, automation
from moderation.actors import HOUSE, Actor
from moderation.automation import UnfitStop
from moderation.models import AuditEvent, AutomationStop, Client, Reason, ReviewRequest, Status, TriagePlan, User
from moderation.routing import Context, Demand, Evidence, Plan, Precedent, Stops, route
from moderation.triage.replay import replay
from moderation.wording import sentence
from tests import world
from tests.moderation.test_routing import CATEGORIES, complete, contexts, plans

ALL = Stops.of([["", ""]])
stops = st.builds(
    Stops, st.frozensets(st.tuples(st.sampled_from(["", *CATEGORIES]), st.sampled_from(["", "approve", "block"])))
)


class TestRouting:
    @given(complete, plans, contexts)
    def test_with_all_stopped_no_machine_decides(
        self, findings: tuple[Evidence, ...], plan: Plan, context: Context
    ) -> None:
        before = route(findings, plan, context)
        found = route(findings, plan, Context(context.draw, stopped=ALL))

        assert found.action == "review"
        assert found.inclusion_probability == 1.0
        assert (found.why[0].code == "stopped") == (before.action != "review")
        assert (found.zones, found.probabilities) == (before.zones, before.probabilities)

    @given(complete, plans, contexts, stops)
    def test_a_stop_never_approves_or_blocks_what_was_not(
        self, findings: tuple[Evidence, ...], plan: Plan, context: Context, stopped: Stops
    ) -> None:
        before = route(findings, plan, context)
        found = route(findings, plan, Context(context.draw, stopped=stopped))

        assert found.action in {before.action, "review"}
        assert not (found.action == "block" and stopped.bars("block", found.why[0].category))
        assert not (found.action == "approve" and any(stopped.bars("approve", one) for one in found.probabilities))

    @given(contexts, stops)
    def test_what_must_be_held_is_held(self, context: Context, stopped: Stops) -> None:
        held = Evidence("bank@1", {"CSAE": 1.0}, demands=(Demand("quarantine", "match", "CSAE"),))
        plan = Plan.from_body({"bands": {"CSAE": {"approve": 0.1}}, "classifiers": ["bank@1"]}, number=1)

        assert route([held], plan, Context(context.draw, stopped=stopped)).action == "quarantine"

    def test_a_block_stands_while_one_of_its_grounds_does(self) -> None:
        bands = {code: {"approve": 0.2, "block": 0.8} for code in ("GORE", "HATE")}
        plan = Plan.from_body({"bands": bands, "classifiers": ["a@1"]}, number=1)
        seen = [Evidence("a@1", {"GORE": 0.95, "HATE": 0.9})]

        gore = route(seen, plan, Context(stopped=Stops.of([["GORE", "block"]])))
        both = route(seen, plan, Context(stopped=Stops.of([["", "block"]])))

        assert (gore.action, gore.category, gore.why[0].category) == ("block", "HATE", "HATE")
        assert both.action == "review"
        assert [why.code for why in both.why] == ["stopped", "block", "block"]

    def test_a_decision_no_longer_settles_copies(self) -> None:
        body = {"bands": {"GORE": {"approve": 0.2}}, "classifiers": ["a@1"], "copies": "settle"}
        plan = Plan.from_body(body, number=1)
        precedent = Precedent("block", frozenset(), "d", category="GORE")

        found = route([Evidence("a@1", {"GORE": 0.1})], plan, Context(precedent=precedent, stopped=ALL))

        assert (found.action, found.precedent) == ("review", None)

    @pytest.mark.parametrize("action", ["approve", "block"])
    @pytest.mark.parametrize("category", ["", "HATE"])
    def test_the_reason_is_put_into_words(self, action: str, category: str) -> None:
        assert "is stopped" in sentence({"code": "stopped", "category": category, "detail": action})

    @given(st.floats(0, 1, exclude_max=True), stops)
    def test_what_routing_went_by_survives_storing(self, draw: float, stopped: Stops) -> None:
        precedent = Precedent("block", frozenset(CATEGORIES), "d", "s", "GORE")
        context = Context(draw, precedent, stopped)

        assert Context.read(context.stored()) == context


@pytest.mark.django_db
class TestStopping:
    def test_a_person_sees_what_a_machine_would_have_approved(
        self, platform: Client, eyes: TriagePlan, paula: User
    ) -> None:
        automation.stop(Actor.person(paula), reason="The classifier went mad.", person=paula)
        seen = world.triaged(platform, world.png(red=0.1))

        assert (seen.status, seen.reasons[0]["code"]) == (Status.IN_REVIEW, "stopped")
        assert seen.circumstances["stopped"] == [["", ""]]
        assert ReviewRequest.objects.get(submission=seen).reason == Reason.POLICY

        automation.lift(Actor.person(paula), reason="Mended.")
        assert world.triaged(platform, world.png(red=0.11)).status == Status.APPROVED

    def test_blocking_alone_may_be_stopped_in_one_category(self, platform: Client, eyes: TriagePlan) -> None:
        automation.stop(HOUSE, category="WEAPONS_DANGEROUS", action="block", reason="Too many blocks.")

        assert world.triaged(platform, world.png(red=0.95)).status == Status.IN_REVIEW
        assert world.triaged(platform, world.png(green=0.95)).status == Status.BLOCKED
        assert world.triaged(platform, world.png(red=0.1)).status == Status.APPROVED

    def test_one_clients_images_may_be_left_to_people_alone(
        self, platform: Client, other_platform: Client, eyes: TriagePlan, paula: User
    ) -> None:
        automation.stop(HOUSE, client=platform, reason="They flood us.")
        automation.stop(HOUSE, category="WEAPONS_DANGEROUS", action="block", reason="Too many blocks.")

        theirs = world.triaged(platform, world.png(red=0.1))

        assert (theirs.status, theirs.circumstances["stopped"]) == (
            Status.IN_REVIEW,
            [["", ""], ["WEAPONS_DANGEROUS", "block"]],
        )
        assert world.triaged(other_platform, world.png(red=0.1)).status == Status.APPROVED
        assert world.triaged(other_platform, world.png(red=0.95)).status == Status.IN_REVIEW
        assert [one.action for one in replay([theirs])] == ["review"]
        automation.lift(HOUSE, client=platform, reason="They stopped.")
        assert world.triaged(platform, world.png(red=0.11)).status == Status.APPROVED

    def test_a_stop_for_one_client_stands_beside_one_for_all(self, platform: Client, other_platform: Client) -> None:
        for client in (None, platform, other_platform, platform):
            automation.stop(HOUSE, client=client, reason="x")

        assert AutomationStop.objects.count() == 3
        automation.lift(HOUSE, reason="x")
        assert not automation.stopped()
        assert automation.stopped_now().of(platform.pk) == ALL

    def test_it_is_audited_with_its_reason(self, paula: User) -> None:
        automation.stop(Actor.person(paula), reason="Mad.", person=paula)
        automation.lift(Actor.person(paula), reason="Mended.")

        events = AuditEvent.objects.filter(subject="automation").order_by("position")
        assert [(one.action, one.data["reason"]) for one in events] == [
            ("automation.stopped", "Mad."),
            ("automation.resumed", "Mended."),
        ]
        assert list(audit.verify()) == []

    def test_what_is_stopped_is_not_stopped_again(self, paula: User, ming: User) -> None:
        first = automation.stop(Actor.person(paula), reason="Mad.")
        again = automation.stop(Actor.person(ming), reason="Mad, too.")

        assert (again, again.reason) == (first, "Mad.")
        assert AuditEvent.objects.count() == 1

    @pytest.mark.parametrize(
        "asked", [{"category": "NOPE", "reason": "x"}, {"action": "quarantine", "reason": "x"}, {"reason": "  "}]
    )
    def test_an_unfit_stop_is_refused(self, asked: dict[str, Any]) -> None:
        with pytest.raises(UnfitStop):
            automation.stop(HOUSE, **asked)
        assert not AutomationStop.objects.exists()

    def test_there_must_be_a_stop_to_lift(self) -> None:
        automation.stop(HOUSE, category="HATE", reason="x")
        with pytest.raises(UnfitStop):
            automation.lift(HOUSE, reason="x")
        assert automation.stopped() == Stops.of([["HATE", ""]])


@pytest.mark.django_db
class TestPage:
    def test_the_red_button_stops_and_lets_go(self, client: Browser, paula: User, eyes: TriagePlan) -> None:
        client.force_login(paula)
        stopped = client.post("/policies/plans/stop/", {"reason": "Mad."}, follow=True).content.decode()
        assert "Automatic approving and blocking is stopped." in stopped
        assert automation.stopped() == ALL

        client.post("/policies/plans/lift/", {"reason": "Mended."})
        assert automation.stopped() == Stops()

    def test_the_red_button_is_for_one_client_too(
        self, client: Browser, paula: User, platform: Client, eyes: TriagePlan
    ) -> None:
        client.force_login(paula)
        said = {"reason": "Mad.", "client": str(platform.pk)}
        page = client.post("/policies/plans/stop/", said, follow=True).content.decode()
        assert "Of the client Atelier only." in page
        assert automation.stopped_now().of(platform.pk) == ALL
        assert not automation.stopped()

        client.post("/policies/plans/lift/", said)
        assert not automation.stopped_now().of(platform.pk)

    def test_without_a_reason_nothing_is_stopped(self, client: Browser, paula: User, eyes: TriagePlan) -> None:
        client.force_login(paula)
        assert "say why" in client.post("/policies/plans/stop/", {}, follow=True).content.decode()
        assert automation.stopped() == Stops()

    @pytest.mark.parametrize("name", ["eve", "ming", "rita"])
    def test_only_policy_leads_may(self, client: Browser, name: str, request: pytest.FixtureRequest) -> None:
        client.force_login(request.getfixturevalue(name))
        for act in ("stop", "lift"):
            assert client.post(f"/policies/plans/{act}/", {"reason": "x"}).status_code == 403
        assert automation.stopped() == Stops()
