"""Classifier versions on screen: what each is, how good it was, and adopting one."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import Settings

from classifiers.evaluation import evaluate
from classifiers.models import ClassifierVersion
from moderation.models import Client, TriagePlan, User
from tests import world

HEADS = ["WEAPONS_DANGEROUS", "REGULATED", "PRIVACY"]


@pytest.fixture
def browser(client: Browser, ming: User) -> Browser:
    client.force_login(ming)
    return client


@pytest.fixture
def heads(eyes: TriagePlan) -> ClassifierVersion:
    return registered("1")


def registered(version: str, *, categories: list[str] | None = None) -> ClassifierVersion:
    figures = {**evaluate([0.1, 0.2, 0.7, 0.6, 0.9], [0, 0, 0, 1, 1]), "notes": ["few labels"]}
    return ClassifierVersion.objects.create(
        name="heads",
        version=version,
        kind="heads",
        card={"licence": "Apache-2.0", "trained_on": "our own labels", "limits": "drawn scenes only"},
        weights="heads",
        sha256="ab" * 32,
        categories=categories or HEADS,
        embedding_size=3,
        backbone=ClassifierVersion.objects.get(name="colour-eyes"),
        manifest_fingerprint="cd" * 32,
        metrics={"WEAPONS_DANGEROUS": figures, "PRIVACY": {"notes": ["nothing was measured"]}},
    )


@pytest.fixture
def alone(settings: Settings) -> None:
    """The house works without a second person."""
    settings.SECOND_APPROVER = False


def page_of(version: ClassifierVersion) -> str:
    return reverse("classifier", kwargs={"pk": version.pk})


def adopt(version: ClassifierVersion) -> str:
    return reverse("classifier_adopt", kwargs={"pk": version.pk})


def test_the_list_says_what_is_in_service(browser: Browser, heads: ClassifierVersion) -> None:
    page = browser.get("/learning/")

    assert [name for name, _lines in page.context["families"]] == ["colour-eyes", "heads"]
    assert page.context["pinned"] == {"colour-eyes@1"}
    assert page.content.decode().count("✓ in service") == 1


def test_the_list_shows_the_weakest_head(browser: Browser, heads: ClassifierVersion) -> None:
    (_name, [(_version, weakest)]) = browser.get("/learning/").context["families"][1]

    assert weakest == pytest.approx(5 / 6)


def test_an_empty_list_says_what_to_do(browser: Browser) -> None:
    assert "add_classifier" in browser.get("/learning/").content.decode()


def test_the_list_costs_the_same_with_many_versions(
    browser: Browser, heads: ClassifierVersion, django_assert_max_num_queries: Any
) -> None:
    for number in range(2, 32):
        registered(str(number))

    with django_assert_max_num_queries(10):
        page = browser.get("/learning/")

    assert len(page.context["families"][1][1]) == 20


def test_a_version_shows_its_card_and_its_figures(browser: Browser, heads: ClassifierVersion) -> None:
    page = browser.get(page_of(heads)).content.decode()

    for words in ("Apache-2.0", "our own labels", "drawn scenes only", "cd" * 32, "ab" * 32, "colour-eyes@1"):
        assert words in page
    assert "0.833" in page  # AUC
    assert "few labels" in page
    assert "nothing was measured" in page
    assert "Weapons at a threshold" in page


def test_a_version_says_on_how_much_of_history_it_has_spoken(
    browser: Browser, eyes: TriagePlan, platform: Client, tmp_path: Path
) -> None:
    backbone = ClassifierVersion.objects.get()
    for red in (0.1, 0.5):
        world.triaged(platform, world.png(red=red))
    version = world.heads(tmp_path, backbone, {"HATE": [1, 0, 0, 0]})

    assert "2 images of 2 embeddings stored" in browser.get(page_of(backbone)).content.decode()
    page = browser.get(page_of(version)).content.decode()
    assert "0 images of 2 embeddings stored" in page
    assert "manage.py rescore heads@1" in page


def test_the_reliability_is_drawn_and_told_and_can_be_taken_away(browser: Browser, heads: ClassifierVersion) -> None:
    page = browser.get(page_of(heads)).content.decode()

    drawn = page.split('class="reliability"')[1].split("</svg>")[0]
    assert drawn.count("<circle") == drawn.count('class="interval"') == 5
    assert "Weapons: are its probabilities true?" in page
    address = reverse("classifier_reliability", kwargs={"pk": heads.pk})
    assert address in page
    rows = list(csv.DictReader(io.StringIO(browser.get(address).content.decode())))
    assert [(row["category"], row["low"], row["count"], row["share_violating"]) for row in rows] == [
        ("WEAPONS_DANGEROUS", "0.1", "1", "0.0"),
        ("WEAPONS_DANGEROUS", "0.2", "1", "0.0"),
        ("WEAPONS_DANGEROUS", "0.6", "1", "1.0"),
        ("WEAPONS_DANGEROUS", "0.7", "1", "0.0"),
        ("WEAPONS_DANGEROUS", "0.9", "1", "1.0"),
    ]
    assert float(rows[0]["share_high"]) == pytest.approx(0.793, abs=0.001)


def test_a_version_without_figures_says_so(browser: Browser, eyes: TriagePlan) -> None:
    page = browser.get(page_of(ClassifierVersion.objects.get())).content.decode()

    assert "Its card states no figures." in page


@pytest.mark.usefixtures("alone")
def test_adopting_publishes_a_plan_of_that_person(browser: Browser, heads: ClassifierVersion, ming: User) -> None:
    answer = browser.post(adopt(heads), {"note": "Fewer misses on the October labels."})

    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert answer["Location"] == reverse("plan", kwargs={"number": 2})
    assert (plan.body["classifiers"], plan.published_by) == (["heads@1"], ming)
    assert plan.note == "Fewer misses on the October labels."


def test_what_adopting_would_do_is_said_before(browser: Browser, heads: ClassifierVersion) -> None:
    richer = registered("2", categories=[*HEADS, "HATE"])

    adoption = browser.get(page_of(richer)).context["adoption"]

    assert (adoption.replaces, adoption.new_categories) == (("colour-eyes@1",), ("HATE",))


def test_a_version_in_service_is_not_offered_again(browser: Browser, eyes: TriagePlan) -> None:
    version = ClassifierVersion.objects.get()

    assert adopt(version) not in browser.get(page_of(version)).content.decode()


@pytest.mark.usefixtures("alone")
def test_adopting_twice_says_it_is_in_service(browser: Browser, heads: ClassifierVersion) -> None:
    browser.post(adopt(heads))

    answer = browser.post(adopt(heads), follow=True)

    assert "already pins heads@1" in answer.content.decode()
    assert TriagePlan.objects.count() == 2


@pytest.mark.usefixtures("alone")
def test_a_version_that_would_leave_a_category_unscored_is_not_offered(
    browser: Browser, heads: ClassifierVersion
) -> None:
    browser.post(adopt(heads))
    poorer = registered("2", categories=["PRIVACY"])

    page = browser.get(page_of(poorer)).content.decode()

    assert "heads@2 says nothing about REGULATED, WEAPONS_DANGEROUS" in page
    assert adopt(poorer) not in page


def test_who_only_reads_is_offered_nothing(client: Browser, heads: ClassifierVersion, rita: User) -> None:
    client.force_login(rita)

    assert adopt(heads) not in client.get(page_of(heads)).content.decode()
