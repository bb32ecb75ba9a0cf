"""The guidelines on screen: found, read, changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils.html import escape

from moderation import policies
from moderation.actors import Actor
from moderation.forms import draft_of
from moderation.models import PolicyVersion, TriagePlan, User
from moderation.taxonomy import Category, Severity

LIST = "/policies/"


@pytest.fixture
def browser(client: Browser, paula: User) -> Browser:
    client.force_login(paula)
    return client


def draft(category: Category, **changes: Any) -> dict[str, Any]:
    """The form as a browser sends it, unchanged but for `changes`."""
    return {**draft_of(policies.in_force()[category]), **changes}


def edit(category: Category) -> str:
    return reverse("policy_edit", kwargs={"category": category.value})


def test_the_list_shows_every_category_with_its_rule(browser: Browser, eyes: TriagePlan) -> None:
    page = browser.get(LIST).content.decode()

    for policy in policies.in_force().values():
        assert escape(policy.headline) in page
    assert [str(code.label) for code in Category if str(code.label) not in page] == []


def test_the_gravest_come_first(browser: Browser, eyes: TriagePlan) -> None:
    groups = browser.get(LIST).context["groups"]

    assert [severity for severity, _lines in groups] == sorted({s for s, _lines in groups}, reverse=True)
    assert [line.category for line in groups[0][1]] == [Category.CSAE, Category.NCII, Category.TERROR_EXTREMISM]


def test_a_search_looks_into_the_words(browser: Browser, guidelines: None) -> None:
    found = browser.get(LIST, {"q": "number PLATE"}).context

    assert [line.category for _severity, lines in found["groups"] for line in lines] == [Category.PRIVACY]


def test_a_search_in_vain_says_what_to_do(browser: Browser, guidelines: None) -> None:
    assert "Nothing found" in browser.get(LIST, {"q": "zebra crossing in space"}).content.decode()


def test_before_the_first_edition_the_list_still_opens(browser: Browser) -> None:
    page = browser.get(LIST).content.decode()

    assert page.count("No guideline is published yet.") == len(Category)


def test_the_list_costs_a_bounded_number_of_queries(
    browser: Browser, eyes: TriagePlan, django_assert_max_num_queries: Any
) -> None:
    browser.get(LIST)

    with django_assert_max_num_queries(12):
        browser.get(LIST)


@pytest.mark.parametrize("category", Category)
def test_a_guideline_is_shown_whole(browser: Browser, eyes: TriagePlan, category: Category) -> None:
    page = browser.get(reverse("policy", kwargs={"category": category.value}))

    policy = policies.in_force()[category]
    assert page.context["policy"] == policy
    for example in (*policy.allowed, *policy.not_allowed):
        assert escape(example) in page.content.decode()


def test_the_bands_in_force_are_beside_it(browser: Browser, eyes: TriagePlan) -> None:
    page = browser.get("/policies/WEAPONS_DANGEROUS/").content.decode()

    assert "approve below 0.20" in page
    assert "block from 0.90" in page


def test_a_category_outside_the_plan_says_where_its_images_go(browser: Browser, eyes: TriagePlan) -> None:
    assert "has no band for this category" in browser.get("/policies/HATE/").content.decode()


@pytest.mark.parametrize(
    "path", ["/policies/NOTHING/", "/policies/hate/", "/policies/HATE/?version=9", "/policies/HATE/?version=x"]
)
def test_what_does_not_exist_is_not_found(browser: Browser, guidelines: None, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_publishing_makes_the_next_version_of_the_person_who_wrote_it(
    browser: Browser, guidelines: None, paula: User
) -> None:
    answer = browser.post(
        edit(Category.HATE), draft(Category.HATE, headline="A clearer rule.", allowed="one\n\n  two  \n", severity=2)
    )

    assert answer.status_code == 302
    policy = policies.in_force()[Category.HATE]
    assert (policy.number, policy.headline, policy.allowed) == (2, "A clearer rule.", ["one", "two"])
    assert (policy.severity, policy.published_by) == (Severity.S2, paula)


def test_an_earlier_version_stays_readable(browser: Browser, guidelines: None) -> None:
    browser.post(edit(Category.HATE), draft(Category.HATE, headline="A clearer rule."))

    page = browser.get("/policies/HATE/?version=1")

    assert page.context["policy"].number == 1
    assert "You are reading version 1. Version 2 is in force." in page.content.decode()


def test_who_comes_second_sees_the_other_s_text_and_keeps_their_own(
    browser: Browser, guidelines: None, sam: User
) -> None:
    mine = draft(Category.HATE, headline="My rule.")
    current = policies.in_force()[Category.HATE]
    policies.publish_policy(
        Category.HATE,
        headline="Theirs came first.",
        definition=current.definition,
        allowed=current.allowed,
        not_allowed=current.not_allowed,
        exceptions="",
        severity=Severity.S3,
        actor=Actor.person(sam),
        person=sam,
    )

    answer = browser.post(edit(Category.HATE), mine)

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "sam published version 2 while you were writing." in page
    assert "Theirs came first." in page
    assert 'value="My rule."' in page
    assert PolicyVersion.objects.filter(category=Category.HATE).count() == 2


def test_publishing_again_after_reading_theirs_goes_through(browser: Browser, guidelines: None) -> None:
    mine = draft(Category.HATE, headline="My rule.")
    browser.post(edit(Category.HATE), draft(Category.HATE, headline="Theirs."))
    again = browser.post(edit(Category.HATE), mine).context["form"]

    answer = browser.post(edit(Category.HATE), again.data)

    assert answer.status_code == 302
    assert policies.in_force()[Category.HATE].headline == "My rule."


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("headline", "", "This field is required."),
        ("headline", "x" * 201, "at most 200 characters"),
        ("allowed", "y" * 301, "At most 300 characters a line"),
        ("not_allowed", "  \n ", "This field is required."),
        ("definition", "a\x00b", "Null characters are not allowed."),
        ("severity", "9", "Select a valid choice."),
    ],
)
def test_a_text_that_cannot_be_published_is_kept_with_the_reason(
    browser: Browser, guidelines: None, field: str, value: str, words: str
) -> None:
    answer = browser.post(edit(Category.HATE), draft(Category.HATE, **{field: value}))

    assert answer.status_code == 200
    assert words in str(answer.context["form"].errors[field])
    assert PolicyVersion.objects.filter(category=Category.HATE).count() == 1


def test_the_first_version_of_a_category_can_be_written_by_hand(browser: Browser) -> None:
    words = {
        "based_on": 0,
        "headline": "Ours.",
        "definition": "Ours.",
        "allowed": "a",
        "not_allowed": "b",
        "severity": 1,
    }

    browser.post(edit(Category.OTHER), words)

    assert policies.in_force()[Category.OTHER].headline == "Ours."


def test_markup_in_a_guideline_is_shown_as_text(browser: Browser, guidelines: None) -> None:
    browser.post(edit(Category.HATE), draft(Category.HATE, headline="<script>alert(1)</script>"))

    assert "<script>alert" not in browser.get("/policies/HATE/").content.decode()
