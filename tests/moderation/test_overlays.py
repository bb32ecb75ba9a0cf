"""Overlays: other cuts by where and to whom an image is shown; where that is not known, the strictest."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils.html import escape
from hypothesis import given
from hypothesis import strategies as st

from moderation import audit, automation
from moderation.actors import HOUSE
from moderation.models import Client, ReviewRequest, Status, Submission, TriagePlan, User
from moderation.plans import Plan, PlanError, Served
from moderation.routing import STRICTNESS, Context, Evidence, applied, route
from tests import world
from tests.moderation.callers import with_key, with_session

GERMANY = {"name": "Germany", "territories": ["DE"], "bands": {"REGULATED": {"approve": 0.1, "block": 0.4}}}
INDIA = {"name": "India", "territories": ["IN"], "bands": {"REGULATED": {"approve": 0.3, "block": None}}}
AMERICA = {"name": "America", "territories": ["US"], "bands": {"REGULATED": {"approve": 0.8, "block": None}}}
SAMPLE = [GERMANY, INDIA, AMERICA]


def plan_of(*overlays: dict[str, Any], **band: float | None) -> Plan:
    bands = {"REGULATED": band or {"approve": 0.2, "block": 0.9}}
    return Plan.from_body({"bands": bands, "classifiers": ["a@1"], "overlays": list(overlays)}, number=1)


def action(plan: Plan, probability: float, **served: Any) -> str:
    declared = Served(**{"territories": (), **served})
    return route([Evidence("a@1", {"REGULATED": probability})], plan, Context(served=declared)).action


class TestRouting:
    @pytest.mark.parametrize(
        ("place", "expected"), [("DE", "block"), ("IN", "review"), ("US", "approve"), ("FR", "review")]
    )
    def test_each_territory_has_its_own_cuts(self, place: str, expected: str) -> None:
        assert action(plan_of(*SAMPLE), 0.5, territories=(place,)) == expected

    def test_where_it_is_not_known_the_strictest_holds(self) -> None:
        assert action(plan_of(AMERICA), 0.5) == "review"
        assert action(plan_of(AMERICA, GERMANY), 0.5) == "block"
        night = {"name": "Ads", "surfaces": ["ads"], "bands": {"REGULATED": {"approve": 0.0, "block": 0.3}}}
        assert action(plan_of(night), 0.5) == "block"
        assert action(plan_of(night), 0.5, surface="feed") == "review"

    def test_a_verified_context_may_loosen_and_an_unverified_one_may_not(self) -> None:
        ward = {"name": "Ward", "contexts": ["medical"], "bands": {"REGULATED": {"approve": 0.7, "block": None}}}
        assert action(plan_of(ward), 0.5, verified=frozenset({"medical"})) == "approve"
        assert action(plan_of(ward), 0.5) == "review"
        assert action(plan_of(ward, GERMANY), 0.5, verified=frozenset({"medical"}), territories=("DE",)) == "block"

    def test_an_audience_is_known(self) -> None:
        teens = {"name": "Teens", "audiences": ["teen"], "bands": {"REGULATED": {"approve": 0.1, "block": 0.3}}}
        assert [action(plan_of(teens), 0.5, audience=one) for one in ("teen", "adult")] == ["block", "review"]

    @given(st.floats(0, 1), st.lists(st.sampled_from(["DE", "IN", "US", "FR"]), unique=True))
    def test_the_image_goes_where_the_strictest_of_its_territories_sends_it(
        self, probability: float, places: list[str]
    ) -> None:
        plan = plan_of(*SAMPLE)
        each = [action(plan, probability, territories=(place,)) for place in places]
        whole = action(plan, probability, territories=tuple(places))

        if places:
            assert whole == max(each, key=lambda one: STRICTNESS[one])  # type: ignore[index]
        else:
            everywhere = [action(plan, probability, territories=(place,)) for place in ("DE", "IN", "US", "FR")]
            assert STRICTNESS[whole] >= max(STRICTNESS[one] for one in everywhere)  # type: ignore[index]

    @pytest.mark.parametrize(
        ("overlay", "complaint"),
        [
            ({"name": "x", "bands": {}}, "no condition"),
            ({"name": "x", "territories": ["de"]}, "territory"),
            ({"name": "x", "contexts": ["war"]}, "context"),
            ({"name": "x", "territories": ["DE"], "bands": {"HATE": {"approve": 0.1}}}, "lie over"),
            ({"name": "x", "territories": "DE"}, "list"),
            ({"name": "", "territories": ["DE"]}, "name"),
            ({"name": "x", "territories": ["DE"], "bands": {"REGULATED": {"approve": 2}}}, "probabilities"),
            ("DE", "name"),
        ],
    )
    def test_an_unfit_overlay_is_refused(self, overlay: Any, complaint: str) -> None:
        with pytest.raises(PlanError, match=complaint):
            plan_of(overlay)

    def test_two_of_one_name_are_refused(self) -> None:
        with pytest.raises(PlanError, match="Two overlays"):
            plan_of(GERMANY, GERMANY)

    def test_a_category_may_have_an_audit_rate_and_a_queue_of_its_own(self) -> None:
        body: dict[str, Any] = {"bands": {code: {"approve": 0.5, "block": 0.9} for code in ("HATE", "REGULATED")}}
        more = {"audit_rate": 0.1, "audit_rates": {"HATE": 0.7}, "queues": {"HATE": "hate"}}
        plan = Plan.from_body({**body, **more, "classifiers": ["a@1"]}, number=1)

        def routed(hate: float, regulated: float) -> tuple[float, str]:
            said = [Evidence("a@1", {"HATE": hate, "REGULATED": regulated})]
            found = route(said, plan, Context())
            return found.inclusion_probability, found.queue

        assert routed(0.4, 0.1) == (0.7, "")
        assert routed(0.1, 0.4) == (0.1, "")
        assert routed(0.95, 0.1)[0] == 0.7
        assert routed(0.6, 0.1) == (1.0, "hate")


@pytest.mark.django_db
class TestOneImageInThreeTerritories:
    @pytest.fixture
    def seen(self, platform: Client, eyes: TriagePlan) -> Submission:
        world.publish("colour-eyes@1", overlays=SAMPLE)
        return world.triaged(platform, world.png(green=0.5), territories=("DE", "IN", "US"))

    def test_the_api_says_three_outcomes_with_three_reasons(self, seen: Submission, api_key: str) -> None:
        said = with_key(api_key).get(f"/api/v1/submissions/{seen.pk}").json()

        assert said["status"] == "blocked"
        assert said["territories"] == {"DE": "blocked", "IN": "in_review", "US": "approved"}
        first = {place: why[0] for place, why in said["territory_reasons"].items()}
        assert {place: why["code"] for place, why in first.items()} == {"DE": "block", "IN": "between", "US": "below"}
        for place, name in (("DE", "Germany"), ("IN", "India"), ("US", "America")):
            assert f"These are the cuts of “{name}”." in first[place]["text"]

    def test_the_audit_log_says_so_too(self, seen: Submission) -> None:
        told = audit.events_of(audit.submission(seen.pk))[-1].data["territories"]

        assert {place: (one["route"], one["reason"], one["overlay"]) for place, one in told.items()} == {
            "DE": ("block", "block", "Germany"),
            "IN": ("review", "between", "India"),
            "US": ("approve", "below", "America"),
        }

    def test_the_band_of_a_category_is_that_of_the_overlay_that_decided(
        self, seen: Submission, api_key: str, rita: User
    ) -> None:
        """Green scores 0.5: between the plan's own cuts, above Germany's."""
        said = with_key(api_key).get(f"/api/v1/submissions/{seen.pk}").json()
        (claim,) = with_session(rita).post("/api/v1/queues/general/claim", {"count": 1}, format="json").json()["claims"]

        bands = {one["code"]: (one["band"], one["overlay"]) for one in said["categories"]}
        assert bands == {
            "REGULATED": ("block", "Germany"),
            "WEAPONS_DANGEROUS": ("approve", None),
            "PRIVACY": ("approve", None),
        }
        top = claim["submission"]["categories"][0]
        assert (top["band"], top["approve"], top["block"], top["overlay"]) == ("block", 0.1, 0.4, "Germany")

    def test_the_desk_draws_the_bands_that_held_and_names_the_overlay(
        self, seen: Submission, rita: User, client: Browser
    ) -> None:
        client.force_login(rita)

        page = client.post("/desk/general/claim")

        top = page.context["cards"][0].bands[0]
        assert (top.code, top.band.block, top.overlay) == ("REGULATED", 0.4, "Germany")
        assert "Cuts here are those of “Germany”" in page.content.decode()

    def test_the_desk_shows_all_three_and_a_person_settles_them(
        self, seen: Submission, rita: User, client: Browser, api_key: str, settings: Any
    ) -> None:
        settings.REVIEW_UNDO_SECONDS = 0
        client.force_login(rita)
        page = client.post("/desk/general/claim")
        card = page.context["cards"][0]

        assert [(one.code, one.words) for one in card.places] == [
            ("DE", "blocked"),
            ("IN", "a person decides"),
            ("US", "approved"),
        ]
        assert len({one.why for one in card.places}) == 3
        assert all(str(escape(one.why)) in page.content.decode() for one in card.places)

        answer = with_session(rita).post(f"/api/v1/claims/{card.claim.pk}/decision", {"verdict": "approve"})
        assert answer.status_code == 201
        said = with_key(api_key).get(f"/api/v1/submissions/{seen.pk}").json()
        assert said["territories"] == {"DE": "approved", "IN": "approved", "US": "approved"}

    def test_once_a_person_left_it_blocked_it_is_so_everywhere(self, seen: Submission, api_key: str) -> None:
        request = ReviewRequest.objects.get(submission=seen)
        assert seen.inclusion_probability == 1.0
        ReviewRequest.objects.filter(pk=request.pk).update(closed_at=request.opened_at)

        said = with_key(api_key).get(f"/api/v1/submissions/{seen.pk}").json()
        assert set(said["territories"].values()) == {"blocked"}

    def test_stopped_all_of_them_go_to_a_person(self, platform: Client, eyes: TriagePlan) -> None:
        world.publish("colour-eyes@1", overlays=SAMPLE)
        automation.stop(HOUSE, reason="x")

        seen = world.triaged(platform, world.png(green=0.5), territories=("DE", "IN", "US"))

        assert seen.status == Status.IN_REVIEW
        assert {one["route"] for one in seen.by_territory.values()} == {"review"}


def test_the_bands_that_held_are_those_routing_went_by() -> None:
    """Whatever was declared and said, each zone of the route is what its band makes of the score."""
    rule = {"when": "HATE", "above": 0.5, "category": "REGULATED", "by": 0.2}
    bands = {"REGULATED": {"approve": 0.3, "block": 0.9}, "HATE": {"approve": 0.2, "block": 0.95}}
    plan = Plan.from_body({"bands": bands, "classifiers": ["a@1"], "overlays": SAMPLE, "tightening": [rule]}, number=1)
    for hate, regulated in itertools.product((0.1, 0.6, 0.96), (0.05, 0.25, 0.35, 0.5, 0.75, 0.95)):
        for places in ((), ("DE",), ("US",), ("FR", "US"), ("DE", "IN", "US")):
            served = Served(territories=places)
            said = [Evidence("a@1", {"HATE": hate, "REGULATED": regulated})]
            found = route(said, plan, Context(served=served))
            stored = {place: {"route": one.action} for place, one in found.territories.items()}

            cuts = applied(plan, served, said, stored)

            assert {code: cuts.bands[code].zone(found.probabilities[code]) for code in found.zones} == found.zones
            for why in found.why:
                assert cuts.whose.get(why.category, "") == why.overlay
