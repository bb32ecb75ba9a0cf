"""The guideline on the desk: in the reviewer's language where there is one, and what it makes of a violation."""

from __future__ import annotations

import pytest
from django.test import Client as HttpClient

from moderation import policies
from moderation.actors import Actor
from moderation.guidelines.actions import at_odds
from moderation.models import Client, TriagePlan, User
from moderation.plans import Plan
from moderation.policies import parsed
from review import profiles
from review.models import Decision
from tests import world
from tests.moderation.callers import at_page, with_session
from tests.moderation.drafting import reworded

CLAIM = "/desk/general/claim"
CODE = "WEAPONS_DANGEROUS"
GERMAN = "Keine Anleitung zur Gewalt."


@pytest.fixture
def waiting(eyes: TriagePlan, platform: Client) -> TriagePlan:
    world.triaged(platform, world.png(red=0.5), audience="teen")
    return eyes


@pytest.fixture
def desk(rita: User) -> HttpClient:
    return at_page(rita)


def speaks(person: User, *languages: str) -> None:
    profiles.keep(person, languages=languages, specialties=[], actor=Actor.command("test"))


def test_a_reviewer_reads_the_guideline_in_their_language_and_the_original_beside_it(
    waiting: TriagePlan, desk: HttpClient, rita: User
) -> None:
    reworded(f"{CODE}@de", headline=GERMAN, allowed=["Küchenmesser"], translates=1)
    speaks(rita, "de", "fr")

    page = desk.post(CLAIM)

    card = page.context["cards"][0]
    text = page.content.decode()
    assert (card.wording.headline, card.allowed, card.guideline.locale) == (GERMAN, ["Küchenmesser"], "")
    assert 'class="rule" lang="de"' in text
    assert card.guideline.headline in text
    assert "Translated (de): the original counts" in text


def test_a_decision_is_made_by_the_original(waiting: TriagePlan, desk: HttpClient, rita: User) -> None:
    reworded(f"{CODE}@de", headline=GERMAN, translates=1)
    speaks(rita, "de")
    claim = desk.post(CLAIM).context["cards"][0].claim

    with_session(rita).post(f"/api/v1/claims/{claim.pk}/decision", {"verdict": "approve"}, format="json")

    assert str(Decision.objects.get().policy) == f"{CODE} v1"


@pytest.mark.parametrize(
    ("languages", "locale"),
    [((), ""), (("fr",), ""), (("en", "de"), ""), (("fr", "de"), "de"), (("pt", "de"), "pt-br"), (("de", "en"), "de")],
)
def test_without_a_translation_that_fits_it_is_the_original(
    waiting: TriagePlan, desk: HttpClient, rita: User, languages: tuple[str, ...], locale: str
) -> None:
    for name in ("de", "de-at", "pt-br"):
        reworded(f"{CODE}@{name}", translates=1)
    speaks(rita, *languages)

    assert desk.post(CLAIM).context["cards"][0].wording.locale == locale


def test_an_archived_translation_is_not_read_and_one_that_is_behind_says_so(
    waiting: TriagePlan, desk: HttpClient, rita: User
) -> None:
    reworded(f"{CODE}@de", headline=GERMAN, translates=1)
    reworded(CODE, headline="Nothing that teaches how to hurt.")
    speaks(rita, "de")
    behind = desk.post(CLAIM).content.decode()

    reworded(f"{CODE}@de", translates=2, archived=True)

    assert "from version 1, which has changed since" in behind
    assert desk.post(CLAIM, {}).context["cards"][0].wording.locale == ""


def test_the_desk_says_what_the_guideline_makes_of_a_violation_before_this_audience(
    waiting: TriagePlan, desk: HttpClient
) -> None:
    reworded(CODE, actions={"teen": "restrict", "adult": "allow"})

    page = desk.post(CLAIM).content.decode()

    assert "What violates it, for the audience “Teen”: <b>Restrict by age</b>" in page


def test_the_api_says_it_too_and_nothing_of_an_audience_that_is_not_named(
    eyes: TriagePlan, platform: Client, rita: User
) -> None:
    reworded(CODE, actions={"teen": "label"})
    for audience in ("teen", "adult"):
        world.triaged(platform, world.png(red=0.5), audience=audience)

    claims = with_session(rita).post("/api/v1/queues/general/claim", {"count": 2}, format="json").json()["claims"]

    said = {one["submission"]["audience"]: one["submission"]["policy"]["action"] for one in claims}
    assert said == {"teen": "label", "adult": None}


class TestPlanAndGuideline:
    def test_where_machines_block_what_a_guideline_lets_an_audience_see_the_plan_says_so(
        self, eyes: TriagePlan, paula: User
    ) -> None:
        reworded(CODE, actions={"adult": "label", "teen": "block"})

        found = at_odds(parsed(eyes), policies.in_force())

        assert [(code, one.audience.value, one.action.value) for code, one in found] == [(CODE, "adult", "label")]
        assert "for the audience “Adult”" in at_page(paula).get("/policies/plans/").content.decode()

    def test_an_overlay_for_the_audience_that_leaves_it_to_people_puts_it_right(self, eyes: TriagePlan) -> None:
        reworded(CODE, actions={"adult": "label"})
        overlay = {"name": "Adults", "audiences": ["adult"], "bands": {CODE: {"approve": 0.2, "block": None}}}
        plan = Plan.from_body({**eyes.body, "overlays": [overlay]}, number=0)

        assert at_odds(plan, policies.in_force()) == []

    def test_no_guideline_moves_a_route(self, eyes: TriagePlan, platform: Client) -> None:
        before = world.triaged(platform, world.png(red=0.95), audience="adult")
        reworded(CODE, actions={"adult": "allow"})

        after = world.triaged(platform, world.png(red=0.95), audience="adult")

        assert (before.route, after.route) == ("block", "block")
