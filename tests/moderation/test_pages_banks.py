"""The pages of known images: keeping banks without ever seeing a picture."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import reverse

from moderation import audit
from moderation.banks import keeping
from moderation.banks.fingerprints import Fingerprint
from moderation.banks.known import known
from moderation.models import Bank, BankAction, BankEntry, Client, Recheck, User
from moderation.taxonomy import Category
from tests import world
from tests.moderation.knowing import COMMAND, bank, copied, fingerprint, learnt, plan_with_banks, scene

pytestmark = pytest.mark.django_db

PDQ = "f0" * 32
NEW = {"name": "Partners", "category": "HATE", "polarity": "harmful", "action": "block"}


@pytest.fixture
def lead(client: Browser, paula: User) -> Browser:
    client.force_login(paula)
    return client


@pytest.fixture
def one() -> Bank:
    return bank()


def at(name: str, *arguments: Any) -> str:
    return reverse(name, args=arguments)


READ = ["banks", "bank"]
KEEP = ["bank_add", "bank_import", "bank_retire", "bank_remove"]


def addresses(one: Bank) -> dict[str, str]:
    (entry,) = learnt(one, Fingerprint.of(pdq=PDQ))
    return {
        "banks": at("banks"),
        "bank": at("bank", one.pk),
        "bank_new": at("bank_new"),
        "bank_add": at("bank_add", one.pk),
        "bank_import": at("bank_import", one.pk),
        "bank_retire": at("bank_retire", one.pk),
        "bank_remove": at("bank_remove", one.pk, entry.pk),
    }


@pytest.mark.parametrize("name", ["paula", "ari", "adam", "rita", "sam", "ming", "eve"])
def test_only_policy_leads_keep_banks_and_only_auditors_read_along(
    client: Browser, one: Bank, name: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(name))
    pages = addresses(one)

    read = {client.get(pages[page]).status_code for page in READ}
    made = client.get(pages["bank_new"]).status_code
    kept = {client.post(pages[page]).status_code for page in KEEP}

    assert read == ({200} if name in {"paula", "ari", "adam"} else {403})
    assert made == (200 if name == "paula" else 403)
    assert kept <= {200, 302, 422} if name == "paula" else kept == {403}
    assert BankEntry.objects.filter(removed_at=None).count() == 1
    assert Bank.objects.active().count() == 1


def test_strangers_are_sent_to_the_login_and_nothing_changes_by_following_a_link(
    client: Browser, one: Bank, paula: User
) -> None:
    pages = addresses(one)
    assert {client.get(pages[page]).status_code for page in READ} == {302}
    client.force_login(paula)
    assert {client.get(pages[page]).status_code for page in KEEP} == {405}


def test_without_a_bank_the_page_says_what_to_do(lead: Browser) -> None:
    assert "Make the first bank" in lead.get(at("banks")).content.decode()


def test_a_lead_makes_a_bank(lead: Browser, paula: User) -> None:
    answer = lead.post(at("bank_new"), NEW | {"source": "a partner"})

    made = Bank.objects.get()
    assert answer["Location"] == at("bank", made.pk)
    assert (made.category, made.action, made.created_by) == (Category.HATE, BankAction.BLOCK, paula)
    assert audit.events_of(keeping.subject(made))[0].actor_label == "paula"


@pytest.mark.parametrize(
    "wrong",
    [{"category": "CSAE"}, {"name": ""}, {"name": "Old acquaintances"}, {"action": "delete"}, {"category": "X"}],
)
def test_a_bank_that_cannot_be_is_not_made_and_what_was_typed_is_kept(
    lead: Browser, one: Bank, wrong: dict[str, str]
) -> None:
    answer = lead.post(at("bank_new"), NEW | {"source": "a partner"} | wrong)

    assert answer.status_code == 422
    assert "a partner" in answer.content.decode()
    assert Bank.objects.count() == 1


def test_a_hash_is_added_and_the_archive_searched(lead: Browser, one: Bank) -> None:
    page = lead.post(at("bank_add", one.pk), {"pdq": PDQ, "quality": "90", "label": "seen"}, follow=True)

    entry = BankEntry.objects.get()
    assert (entry.pdq_hex, entry.quality, entry.label) == (PDQ, 90, "seen")
    assert entry.added_by.startswith("person:")
    assert Recheck.objects.filter(bank=one).exists()
    assert "1 hash added" in page.content.decode()


@pytest.mark.parametrize("given", [{}, {"pdq": "12"}, {"md5": PDQ}, {"pdq": PDQ, "quality": "300"}])
def test_what_is_no_hash_is_refused_on_the_page(lead: Browser, one: Bank, given: dict[str, str]) -> None:
    answer = lead.post(at("bank_add", one.pk), given)

    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    assert not BankEntry.objects.exists()


def upload(text: bytes, name: str = "list.csv") -> dict[str, SimpleUploadedFile]:
    return {"list": SimpleUploadedFile(name, text)}


def test_a_list_keeps_what_is_of_use_and_names_the_rest_by_line(lead: Browser, one: Bank) -> None:
    answer = lead.post(at("bank_import", one.pk), upload(f"pdq\n{PDQ}\n<b>x</b>\n".encode()))

    body = answer.content.decode()
    assert answer.status_code == 200
    assert "Line 3:" in body
    assert "1 new hash is kept" in body
    assert "<b>x</b>" not in body
    assert Bank.objects.get().size == 1


@pytest.mark.parametrize("text", [b"", b"{", b"x" * (5 * 2**20 + 1)], ids=["empty", "no list", "too large"])
def test_a_file_that_is_no_list_or_too_large_is_refused(lead: Browser, one: Bank, text: bytes) -> None:
    answer = lead.post(at("bank_import", one.pk), upload(text))

    assert answer.status_code == 422
    assert not BankEntry.objects.exists()


def test_an_entry_is_removed_only_with_a_reason_and_stays_to_be_seen(lead: Browser, one: Bank) -> None:
    (entry,) = learnt(one, Fingerprint.of(pdq=PDQ))
    remove = at("bank_remove", one.pk, entry.pk)

    assert "Say why" in lead.post(remove, follow=True).content.decode()
    assert BankEntry.objects.get().removed_at is None
    page = lead.post(remove, {"reason": "a mistake"}, follow=True).content.decode()

    assert BankEntry.objects.get().removed_at is not None
    assert PDQ in page
    assert Bank.objects.get().size == 0


def test_an_entry_is_removed_through_its_own_bank_only(lead: Browser, one: Bank) -> None:
    (entry,) = learnt(one, Fingerprint.of(pdq=PDQ))
    other = bank("Another")

    assert lead.post(at("bank_remove", other.pk, entry.pk), {"reason": "x"}).status_code == 404


def test_a_retired_bank_is_read_and_takes_nothing(lead: Browser, one: Bank) -> None:
    lead.post(at("bank_retire", one.pk), {"reason": "no use"})

    assert Bank.objects.get().retired_at is not None
    assert "Add one image" not in lead.get(at("bank", one.pk)).content.decode()
    assert "is retired" in lead.post(at("bank_add", one.pk), {"pdq": PDQ}, follow=True).content.decode()
    assert "1 retired bank" in lead.get(at("banks")).content.decode()


def test_a_bank_shows_its_matches_and_no_picture(lead: Browser, one: Bank, platform: Client, guidelines: None) -> None:
    plan_with_banks()
    learnt(one, fingerprint(scene(5)))
    known.refresh(at_once=True)
    submission = world.triaged(platform, copied(scene(5)))

    body = lead.get(at("bank", one.pk)).content.decode()

    assert str(submission.pk) in body
    assert "of 256 bits" in body
    assert "<img" not in body


def test_entries_page_by_key_with_a_bounded_number_of_queries(
    lead: Browser, one: Bank, django_assert_max_num_queries: Any
) -> None:
    keeping.add(one, [Fingerprint.of(pdq=f"{n:064x}") for n in range(1, 121)], actor=COMMAND)
    url, seen = at("bank", one.pk), list[str]()
    while url:
        with django_assert_max_num_queries(14):
            body = lead.get(url).content.decode()
        seen += re.findall(r'<th scope="row">(\d+)</th>', body)
        older = re.search(r'href="(\?before=\d+)"', body)
        url = at("bank", one.pk) + older[1] if older else ""

    assert len(set(seen)) == len(seen) == 120
    with django_assert_max_num_queries(10):
        lead.get(at("banks"))


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "²", ""])
def test_a_page_key_that_is_none_shows_the_newest(lead: Browser, one: Bank, before: str) -> None:
    assert lead.get(at("bank", one.pk), {"before": before}).status_code == 200
