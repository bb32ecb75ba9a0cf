"""The pages of prompt terms: read, tried, drafted, compared, published, uploaded and taken along as a file."""

from __future__ import annotations

from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client as Browser
from django.urls import reverse

from classifiers import registry
from classifiers.models import ClassifierVersion
from classifiers.prompts import editions
from classifiers.prompts.editions import ListedCategory, Row, Term
from moderation import policies, prompt_terms
from moderation.actors import Actor
from moderation.models import AuditEvent, TriagePlan, User
from moderation.policies import Outdated
from moderation.prompt_terms import UnacceptableEdition
from moderation.term_forms import MOST_EDITED
from tests import world
from tests.classifiers.editions import ROWS, term_card
from tests.moderation.test_api_prompts import BANDS

pytestmark = pytest.mark.django_db
DRAFT = "/policies/terms/draft/"


@pytest.fixture(autouse=True)
def one_person(settings: Any) -> None:
    """The way through a second one is tests/moderation/test_second_person.py's."""
    settings.SECOND_APPROVER = False


def put(rows: Sequence[Row], *, note: str, based_on: str | None = None) -> TriagePlan:
    """Afterwards these rows are the edition in force."""
    actor = Actor.command("test")
    with transaction.atomic():
        planned = prompt_terms.prepare(rows, note=note, actor=actor, based_on=based_on)
        return policies.publish_plan(planned.body, note=note, actor=actor)


@pytest.fixture
def version(tmp_path: Path, guidelines: None) -> ClassifierVersion:
    """An edition in force."""
    row = registry.register(term_card(tmp_path))
    world.publish(row.ref, bands=BANDS)
    return row


@pytest.fixture
def desk(client: Browser, paula: User) -> Browser:
    client.force_login(paula)
    return client


def filled(desk: Browser, **changes: Any) -> dict[str, Any]:
    """What the browser would send: the draft page's form as it is shown, but for the changes."""
    form = desk.get(DRAFT).context["form"]
    shown = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in shown.items() if value is not None} | changes


def told(response: Any) -> str:
    return unescape(response.content.decode())


def test_the_edition_in_force_is_shown(desk: Browser, version: ClassifierVersion) -> None:
    page = told(desk.get("/policies/terms/"))
    assert "edition 1 in force" in page
    assert "minor and nudity" in page
    assert "gun, rifle" in page


def test_without_an_edition_the_page_says_what_to_do(desk: Browser, eyes: TriagePlan) -> None:
    assert "No edition is in force" in told(desk.get("/policies/terms/"))
    assert desk.get(DRAFT).status_code == 200


def test_prompts_are_tried_on_the_plan_in_force_and_kept_nowhere(desk: Browser, version: ClassifierVersion) -> None:
    events = AuditEvent.objects.count()
    response = desk.post("/policies/terms/", {"prompts": "a g.u.n <b>\na teapot\n"})
    first, second = response.context["tried"]
    assert (first.action, first.pieces) == ("review", [("a ", ""), ("g.u.n", "WEAPONS_DANGEROUS"), (" <b>", "")])
    assert second.action == "allow"
    assert "&lt;b&gt;" in response.content.decode()
    assert AuditEvent.objects.count() == events


def test_a_draft_shows_what_it_changes_and_publishes_nothing(desk: Browser, version: ClassifierVersion) -> None:
    sent = filled(
        desk, terms_WEAPONS_DANGEROUS="gun\nfrying pan | block | 0.97", prompts="a fryiiing pan", action="compare"
    )
    response = desk.post(DRAFT, sent)

    assert response.status_code == 200
    change = next(one for one in response.context["changes"] if one["name"] == "WEAPONS_DANGEROUS")
    assert (change["added"], change["removed"]) == (["frying pan | block | 0.97"], ["pipe bomb | block | 0.99"])
    assert response.context["tried"][0].action == "block"
    assert TriagePlan.objects.count() == 1
    assert response.context["form"]["terms_WEAPONS_DANGEROUS"].value() == "gun\nfrying pan | block | 0.97"


def test_the_form_says_just_what_the_edition_says(desk: Browser, version: ClassifierVersion) -> None:
    response = desk.post(DRAFT, filled(desk, action="compare"))
    assert response.context["changes"] == []


def test_publishing_makes_an_edition_and_a_plan_that_pins_it(
    desk: Browser, version: ClassifierVersion, paula: User
) -> None:
    sent = filled(desk, terms_NUDITY="nude\nnaked", guidance_NUDITY="clothes off", note="More words", action="publish")
    assert desk.post(DRAFT, sent).status_code == 302

    newer = prompt_terms.in_force()
    assert newer is not None
    assert (newer.ref, newer.categories) == ("terms@2", ["CSAE", "NUDITY", "WEAPONS_DANGEROUS"])
    edition = prompt_terms.edition(newer)
    assert Term("NUDITY", "naked") in edition.terms
    assert edition.categories["NUDITY"].guidance == ("clothes off",)
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert (plan.number, plan.published_by, plan.note) == (2, paula, "More words")
    assert plan.body["bands"] == BANDS
    event = AuditEvent.objects.get(action="terms.written")
    assert event.data["replaces"] == "terms@1"
    assert [one["demand"] for one in newer.card["outputs"]] == ["review", "block", "block"]  # only people block CSAE


def test_a_rule_and_a_group_are_added(desk: Browser, version: ClassifierVersion) -> None:
    response = desk.post(DRAFT, filled(desk, new_group="animals", action="compare"))
    form = response.context["form"]
    assert "terms_animals" in form.fields
    sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    rule = {"name": "armed pets", "all": "animals, WEAPONS_DANGEROUS", "category": "WEAPONS_DANGEROUS"}
    sent |= {f"rule_{word}_1": value for word, value in rule.items()}
    sent |= {
        "rule_action_1": "block",
        "rule_probability_1": "1",
        "terms_animals": "dog",
        "note": "x",
        "action": "publish",
    }
    assert desk.post(DRAFT, sent).status_code == 302
    terms = registry.load(prompt_terms.in_force() or version)
    assert terms.screen("a dog with a gun").found["WEAPONS_DANGEROUS"] == (1.0, "block")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"terms_NUDITY": "!!!"}, "nothing is left of '!!!'"),
        ({"terms_NUDITY": "nude | explode"}, "must be one of transform, review, block"),
        ({"probability_NUDITY": "7"}, "less than or equal to 1"),
        ({"rule_name_1": "half a rule"}, "two different groups or categories"),
        (
            {"rule_name_1": "r", "rule_all_1": "minor, dragons", "rule_category_1": "CSAE"},
            "dragons, which has no terms",
        ),
    ],
)
def test_lines_that_cannot_be_used_are_marked_and_the_draft_kept(
    desk: Browser, version: ClassifierVersion, changes: dict[str, str], words: str
) -> None:
    response = desk.post(DRAFT, filled(desk, note="x", terms_HATE="kept word", action="publish", **changes))
    assert response.status_code == 422
    assert words in told(response), response.context["form"].errors
    assert "kept word" in told(response)
    assert TriagePlan.objects.count() == 1


def test_an_edition_needs_a_note(desk: Browser, version: ClassifierVersion) -> None:
    response = desk.post(DRAFT, filled(desk, terms_NUDITY="naked", action="publish"))
    assert response.status_code == 422
    assert "This field is required" in told(response)


def test_who_publishes_second_sees_the_others_edition_and_loses_nothing(
    desk: Browser, version: ClassifierVersion
) -> None:
    mine = filled(desk, terms_NUDITY="nude\nmine", note="mine", action="publish")
    put([*ROWS, Term("NUDITY", "theirs")], note="theirs")

    response = desk.post(DRAFT, mine)

    assert response.status_code == 409
    assert "terms@2" in told(response)
    change = next(one for one in response.context["changes"] if one["name"] == "NUDITY")
    assert (change["added"], change["removed"]) == (["mine"], ["theirs"])
    again = {name: response.context["form"][name].value() or "" for name in response.context["form"].fields}
    assert desk.post(DRAFT, again | {"action": "publish"}).status_code == 302


def test_an_edition_is_taken_along_and_brought_back(desk: Browser, version: ClassifierVersion) -> None:
    response = desk.get(reverse("prompt_terms_file", args=[version.pk]))
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert list(editions.read(text.splitlines(keepends=True), form="csv")) == list(ROWS)

    file = SimpleUploadedFile("mine.csv", (text + "term,NUDITY,undressed\n").encode())
    shown = desk.post(DRAFT, {"file": file, "action": "compare"})
    assert shown.context["changes"] == [{"name": "NUDITY", "added": ["undressed"], "removed": [], "more": 0}]
    assert "undressed" in shown.context["form"]["terms_NUDITY"].value()


def test_bad_rows_of_a_file_are_told_by_line_and_the_good_ones_kept(desk: Browser, version: ClassifierVersion) -> None:
    text = "row,name,text\ncategory,HATE,\nterm,HATE,good word\nterm,HATE,???\npoem,HATE,x\n"
    response = desk.post(DRAFT, {"file": SimpleUploadedFile("mine.csv", text.encode()), "action": "publish"})
    assert response.status_code == 422
    assert [row.line for row in response.context["bad"]] == [4, 5]
    assert response.context["form"]["terms_HATE"].value() == "good word"
    assert TriagePlan.objects.count() == 1


def test_a_file_that_is_none_is_refused(desk: Browser, version: ClassifierVersion) -> None:
    assert desk.post(DRAFT, {"file": SimpleUploadedFile("a.csv", b"\xff\xfe\x00binary")}).status_code in {200, 422}
    assert desk.post(DRAFT, {"action": "compare"}).status_code == 200
    assert TriagePlan.objects.count() == 1


def test_a_long_edition_is_published_as_a_file(desk: Browser, version: ClassifierVersion) -> None:
    rows: list[editions.Row] = [ListedCategory("HATE"), *(Term("HATE", f"word{n}x") for n in range(MOST_EDITED + 1))]
    file = SimpleUploadedFile("long.jsonl", "".join(editions.written(rows)).encode())
    shown = desk.post(DRAFT, {"file": file, "action": "compare"})
    assert shown.context["form"] is None
    assert len(shown.content) < 200_000

    file.seek(0)
    assert desk.post(DRAFT, {"file": file, "note": "long", "action": "publish"}).status_code == 302
    newer = prompt_terms.in_force()
    assert newer is not None
    assert set(newer.categories) == {"CSAE", "NUDITY", "WEAPONS_DANGEROUS", "HATE"}
    assert "edited as a file" in told(desk.get(DRAFT))


def test_an_edition_outside_the_taxonomy_or_without_change_is_refused(version: ClassifierVersion) -> None:
    with pytest.raises(UnacceptableEdition, match="DRAGONS"):
        put([ListedCategory("DRAGONS"), Term("DRAGONS", "smaug")], note="")
    with pytest.raises(UnacceptableEdition, match="just what terms@1 says"):
        put(ROWS, note="")
    with pytest.raises(Outdated):
        put([*ROWS, Term("NUDITY", "naked")], note="", based_on="terms@7")
    assert ClassifierVersion.objects.count() == 1


def test_only_policy_leads_draft_and_eve_sees_nothing(
    client: Browser, version: ClassifierVersion, rita: User, eve: User
) -> None:
    file = reverse("prompt_terms_file", args=[version.pk])
    client.force_login(rita)
    assert [client.get(page).status_code for page in ("/policies/terms/", file, DRAFT)] == [200, 200, 403]
    client.force_login(eve)
    assert [client.get(page).status_code for page in ("/policies/terms/", file, DRAFT)] == [403] * 3
    assert client.post(DRAFT, {"action": "publish", "groups": ""}).status_code == 403
