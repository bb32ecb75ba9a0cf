"""Who may open which page of the law and the record."""

from __future__ import annotations

from typing import Final

import pytest
from django.test import Client as Browser
from django.urls import reverse

from classifiers.models import ClassifierVersion
from moderation.models import TriagePlan, User

EVERYONE: Final = frozenset({"rita", "sam", "paula", "ming", "ari", "adam"})
READABLE: Final = {
    "policies": EVERYONE,
    "policy": EVERYONE,
    "policy_edit": frozenset({"paula"}),
    "policy_proposals": frozenset({"paula"}),
    "plans": EVERYONE,
    "plan": EVERYONE,
    "plan_draft": frozenset({"paula"}),
    "prompt_terms": EVERYONE,
    "prompt_terms_draft": frozenset({"paula"}),
    "learning": EVERYONE,
    "classifier": EVERYONE,
    "classifier_shadow": EVERYONE,
    "classifier_reliability": EVERYONE,
    "audit": frozenset({"ari", "adam"}),
}
WRITABLE: Final = {
    "plan_roll_back": frozenset({"paula"}),
    "classifier_adopt": frozenset({"ming"}),
    "classifier_shadow_set": frozenset({"ming"}),
}


def address(name: str) -> str:
    arguments: dict[str, dict[str, object]] = {
        "policy": {"category": "HATE"},
        "policy_edit": {"category": "HATE"},
        "plan": {"number": 1},
        "plan_roll_back": {"number": 1},
        "classifier": {"pk": ClassifierVersion.objects.get().pk},
        "classifier_shadow": {"pk": ClassifierVersion.objects.get().pk},
        "classifier_shadow_set": {"pk": ClassifierVersion.objects.get().pk},
        "classifier_reliability": {"pk": ClassifierVersion.objects.get().pk},
        "classifier_adopt": {"pk": ClassifierVersion.objects.get().pk},
    }
    return reverse(name, kwargs=arguments.get(name))


@pytest.mark.parametrize("page", READABLE)
@pytest.mark.parametrize("name", sorted(EVERYONE))
def test_a_page_opens_for_those_whose_role_it_is(
    client: Browser, eyes: TriagePlan, page: str, name: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(name))

    status = client.get(address(page)).status_code

    assert status == (200 if name in READABLE[page] else 403)


@pytest.mark.parametrize("page", [*READABLE, *WRITABLE])
def test_nothing_opens_without_a_role(client: Browser, eyes: TriagePlan, eve: User, page: str) -> None:
    client.force_login(eve)

    response = client.post(address(page)) if page in WRITABLE else client.get(address(page))

    assert response.status_code == 403


@pytest.mark.parametrize("page", READABLE)
def test_strangers_are_sent_to_the_login_and_back(client: Browser, eyes: TriagePlan, page: str) -> None:
    response = client.get(address(page))

    assert response.status_code == 302
    assert response["Location"] == f"{reverse('account_login')}?next={address(page)}"


@pytest.mark.parametrize("page", WRITABLE)
@pytest.mark.parametrize("name", sorted(EVERYONE))
def test_only_those_who_may_change_something_can_post(
    client: Browser, eyes: TriagePlan, page: str, name: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(name))

    status = client.post(address(page)).status_code

    assert status == (302 if name in WRITABLE[page] else 403)


@pytest.mark.parametrize("page", WRITABLE)
def test_nothing_changes_by_following_a_link(client: Browser, eyes: TriagePlan, paula: User, page: str) -> None:
    client.force_login(paula)

    assert client.get(address(page)).status_code == 405


def test_a_change_needs_the_page_s_own_token(eyes: TriagePlan, paula: User) -> None:
    elsewhere = Browser(enforce_csrf_checks=True)
    elsewhere.force_login(paula)

    response = elsewhere.post(reverse("plan_roll_back", kwargs={"number": 1}))

    assert response.status_code == 403
    assert TriagePlan.objects.count() == 1
