"""Drafts of guidelines on screen: written, previewed, compared, answered."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from moderation import policies, proposals
from moderation.models import AuditEvent, PolicyVersion, Proposal, ProposalState, User
from moderation.roles import Role
from moderation.taxonomy import Category
from tests.conftest import person
from tests.moderation.drafting import asked, drafted, reworded, sent

EDIT = "/policies/HATE/edit/"
pytestmark = pytest.mark.usefixtures("guidelines")


@pytest.fixture
def browser(client: Browser, paula: User) -> Browser:
    client.force_login(paula)
    return client


@pytest.fixture
def pia(db: None) -> User:
    return person("pia", Role.POLICY_LEAD)


@pytest.fixture
def other(pia: User) -> Browser:
    browser = Browser()
    browser.force_login(pia)
    return browser


def at(proposal: Proposal, verb: str = "") -> str:
    return reverse(f"policy_proposal_{verb}" if verb else "policy_proposal", kwargs={"pk": proposal.pk})


def test_what_one_writes_another_publishes(browser: Browser, other: Browser, paula: User, pia: User) -> None:
    said = sent("HATE", headline="A clearer rule.", allowed="one\n\n  two  \n", severity=2, ladder_3="Calls to harm.")
    answer = browser.post(EDIT, said | {"action": "ask", "note": "People asked."})
    proposal = Proposal.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, at(proposal))
    assert policies.in_force()[Category.HATE].number == 1

    assert other.post(at(proposal, "approve"), {"revision": 1, "text": "Good."}).status_code == 302
    policy = policies.in_force()[Category.HATE]
    assert (policy.number, policy.headline, policy.allowed) == (2, "A clearer rule.", ["one", "two"])
    assert (policy.severity, policy.ladder, policy.note) == (2, {"3": "Calls to harm."}, "People asked.")
    assert (policy.published_by, policy.approved_by) == (paula, pia)
    assert AuditEvent.objects.filter(action="policy.published", subject="policy:HATE").exists()


def test_who_wrote_it_is_refused_and_keeps_what_they_typed(browser: Browser, paula: User) -> None:
    proposal = asked(paula)
    answer = browser.post(at(proposal, "approve"), {"revision": 1, "text": "I like it myself."})
    assert answer.status_code == 409
    assert "I like it myself." in answer.content.decode()
    assert PolicyVersion.objects.filter(category=Category.HATE).count() == 1


def test_sent_back_with_a_reason_written_on_and_asked_again(browser: Browser, other: Browser, paula: User) -> None:
    proposal = asked(paula, headline="A clearer rule.")
    assert other.post(at(proposal, "send-back"), {"revision": 1, "text": ""}).status_code == 409
    other.post(at(proposal, "send-back"), {"revision": 1, "text": "Say what of satire."})
    assert "Say what of satire." in browser.get(at(proposal)).content.decode()

    said = sent("HATE", headline="A clearer rule, and satire.", revision=1)
    browser.post(reverse("policy_proposal_edit", kwargs={"pk": proposal.pk}), said | {"action": "ask"})
    again = Proposal.objects.get(pk=proposal.pk)
    assert (again.state, again.revision) == (ProposalState.ASKED, 2)
    other.post(at(proposal, "approve"), {"revision": 2})
    assert policies.in_force()[Category.HATE].headline == "A clearer rule, and satire."


def test_a_withdrawn_draft_publishes_nothing(browser: Browser, other: Browser, paula: User) -> None:
    proposal = asked(paula)
    browser.post(at(proposal, "withdraw"), {"revision": 1})
    assert other.post(at(proposal, "approve"), {"revision": 1}).status_code == 409
    assert policies.in_force()[Category.HATE].number == 1


def test_the_difference_is_shown_word_by_word(browser: Browser, paula: User) -> None:
    law = policies.in_force()[Category.HATE]
    proposal = drafted(paula, headline=law.headline.rstrip(".") + " at all.")
    for view in ("sides", "inline"):
        page = browser.get(at(proposal), {"view": view}).content.decode()
        assert "<ins> at all</ins>" in page
    assert [change.field for change in browser.get(at(proposal)).context["changes"]] == ["headline"]


def test_the_preview_reads_what_is_typed_and_keeps_nothing(browser: Browser) -> None:
    said = sent("HATE", definition="A **bold** [link](javascript:alert(1)) <b>x</b>", headline="")
    page = browser.post("/policies/HATE/preview/", said).content.decode()
    assert "<strong>bold</strong>" in page
    assert "href" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert not Proposal.objects.exists()


def test_who_comes_second_keeps_their_text_and_sees_what_they_would_change(browser: Browser) -> None:
    mine = sent("HATE", headline="My rule.")
    reworded(Category.HATE, headline="Theirs came first.")
    answer = browser.post(EDIT, mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "published version 2 while you were writing." in page
    assert 'value="My rule."' in page
    assert not Proposal.objects.exists()
    assert browser.post(EDIT, answer.context["form"].data).status_code == 302
    assert Proposal.objects.get().based_on == 2


def test_two_who_write_on_one_draft_do_not_overwrite_each_other(browser: Browser, paula: User, pia: User) -> None:
    proposal = drafted(paula)
    proposals.revise(proposal.pk, pia, proposal.body | {"headline": "Theirs."}, revision=1)
    edit = reverse("policy_proposal_edit", kwargs={"pk": proposal.pk})
    answer = browser.post(edit, sent("HATE", headline="Mine.", revision=1))
    assert answer.status_code == 409
    assert 'value="Mine."' in answer.content.decode()
    assert Proposal.objects.get().body["headline"] == "Theirs."


def test_going_back_is_a_new_version_that_a_second_person_agrees_to(browser: Browser, other: Browser) -> None:
    first = policies.in_force()[Category.HATE]
    reworded(Category.HATE, headline="Worse.")
    browser.post("/policies/HATE/roll-back/", {"to": "1", "note": "It confused people."})
    proposal = Proposal.objects.get()
    assert policies.in_force()[Category.HATE].headline == "Worse."
    other.post(at(proposal, "approve"), {"revision": 1})
    now = policies.in_force()[Category.HATE]
    assert (now.number, now.headline, now.note) == (3, first.headline, "It confused people.")
    assert browser.post("/policies/HATE/roll-back/", {"to": "9"}).status_code == 404


def test_a_part_is_written_archived_and_out_of_the_list(browser: Browser, other: Browser) -> None:
    start = browser.get("/policies/new/", {"category": "HATE", "part": "Dog  whistles"})
    assert start["Location"] == "/policies/HATE.dog-whistles/edit/"
    for number, more in enumerate(({}, {"archived": "on"})):
        said = sent("HATE.dog-whistles", based_on=number, headline="Numbers.", action="ask", **more)
        assert browser.post(start["Location"], said).status_code == 302
        other.post(at(Proposal.objects.latest("id"), "approve"), {"revision": 1})
    assert list(
        PolicyVersion.objects.filter(part="dog-whistles").values_list("number", "archived").order_by("number")
    ) == [
        (1, False),
        (2, True),
    ]
    assert "dog-whistles" not in browser.get("/policies/").content.decode()
    assert "archived" in browser.get("/policies/HATE.dog-whistles/").content.decode()


def test_a_translation_takes_what_is_no_words_from_its_original(browser: Browser, other: Browser) -> None:
    reworded(Category.HATE, actions={"teen": "block"}, owner="Trust and safety")
    said = sent("HATE@de", headline="Keine Verachtung.", based_on=0, translates=2, action="ask")
    assert browser.post("/policies/HATE@de/edit/", said).status_code == 302
    other.post(at(Proposal.objects.get(), "approve"), {"revision": 1})
    german = PolicyVersion.objects.get(locale="de")
    assert (german.headline, german.translates, german.actions) == ("Keine Verachtung.", 2, {"teen": "block"})
    assert policies.in_force()[Category.HATE].number == 2


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("headline", "", "This field is required."),
        ("headline", "x" * 201, "at most 200 characters"),
        ("allowed", "y" * 301, "At most 300 characters a line"),
        ("not_allowed", "  \n ", "This field is required."),
        ("definition", "a\x00b", "Null characters are not allowed."),
        ("definition", "# Mine", "Headings inside a text begin with ####"),
        ("severity", "9", "Select a valid choice."),
        ("review_by", "soon", "Enter a valid date."),
        ("title", "", "This field is required."),
    ],
)
def test_a_text_that_cannot_be_published_is_kept_with_the_reason(
    browser: Browser, field: str, value: str, words: str
) -> None:
    answer = browser.post(EDIT, sent("HATE", **{field: value}))
    assert answer.status_code == 200
    assert words in str(answer.context["form"].errors[field])
    assert not Proposal.objects.exists()


@pytest.mark.parametrize("path", ["/policies/NOTHING/edit/", "/policies/HATE@xx-/edit/", "/policies/HATE/edit/?from=9"])
def test_what_does_not_exist_is_not_found(browser: Browser, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_the_list_says_what_waits_for_whom(browser: Browser, other: Browser, paula: User) -> None:
    asked(paula)
    assert len(other.get("/policies/proposals/").context["waiting"]) == 1
    assert not browser.get("/policies/proposals/").context["waiting"]
    assert "1 waits for you" in other.get("/policies/").content.decode()


def test_nobody_without_the_right_reads_or_answers_a_draft(client: Browser, paula: User, eve: User, rita: User) -> None:
    proposal = asked(paula)
    pages = ["/policies/proposals/", at(proposal), EDIT, "/policies/new/?category=HATE"]
    posts = [at(proposal, verb) for verb in ("ask", "approve", "send-back", "withdraw", "remark")]
    posts += ["/policies/HATE/preview/", "/policies/HATE/roll-back/"]
    for stranger in (eve, rita):
        client.force_login(stranger)
        assert {client.get(page).status_code for page in pages} == {403}
        assert {client.post(page, {"revision": 1, "text": "x"}).status_code for page in posts} == {403}
    assert Proposal.objects.get().state == ProposalState.ASKED


def test_a_draft_s_page_costs_a_bounded_number_of_queries(
    browser: Browser, paula: User, django_assert_max_num_queries: Any
) -> None:
    proposal = asked(paula)
    for said in range(5):
        proposals.remark(proposal.pk, paula, f"Remark {said}")
    browser.get(at(proposal))
    with django_assert_max_num_queries(14):
        browser.get(at(proposal))
