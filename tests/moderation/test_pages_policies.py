"""The guidelines on screen: found and read, with their versions, parts and translations."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils.html import escape

from moderation import policies
from moderation.models import TriagePlan, User
from moderation.taxonomy import Category
from tests.moderation.drafting import reworded

LIST = "/policies/"


@pytest.fixture
def browser(client: Browser, paula: User) -> Browser:
    client.force_login(paula)
    return client


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


def test_an_earlier_version_stays_readable(browser: Browser, guidelines: None) -> None:
    reworded(Category.HATE, headline="A clearer rule.")

    page = browser.get("/policies/HATE/?version=1")

    assert page.context["policy"].number == 1
    assert "You are reading version 1. Version 2 is in force." in page.content.decode()


def test_markup_in_a_guideline_is_shown_as_text(browser: Browser, guidelines: None) -> None:
    reworded(Category.HATE, headline="<script>alert(1)</script>", definition="<img src=x onerror=alert(1)> **so**")

    page = browser.get("/policies/HATE/").content.decode()

    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "<strong>so</strong>" in page


def test_a_part_is_listed_searched_and_read_beside_its_category(browser: Browser, guidelines: None) -> None:
    reworded("HATE.dog-whistles", headline="Numbers that stand for a slur.")

    assert "Numbers that stand for a slur." in browser.get(LIST, {"q": "whistles SLUR"}).content.decode()
    assert "/policies/HATE.dog-whistles/" in browser.get("/policies/HATE/").content.decode()
    page = browser.get("/policies/HATE.dog-whistles/")
    assert page.context["policy"].part == "dog-whistles"
    assert policies.in_force()[Category.HATE].number == 1


def test_a_translation_says_when_its_original_went_on(browser: Browser, guidelines: None) -> None:
    reworded("HATE@de", headline="Keine Verachtung.", translates=1)
    assert "out of date" not in browser.get("/policies/HATE/").content.decode()
    reworded(Category.HATE, headline="A clearer rule.")

    assert "out of date" in browser.get("/policies/HATE/").content.decode()
    page = browser.get("/policies/HATE@de/").content.decode()
    assert "This translates version 1; the original is at version 2." in page
    assert "Keine Verachtung." in page
