"""The pages of label audits and of selection: what they show, what they ask of a worker, and for whom they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser

from moderation import audit
from moderation.actors import Actor
from moderation.models import Client, Reason, ReviewRequest, Submission, TriagePlan, User
from moderation.triage import run_once
from review.label_audits import running
from review.models import Dataset, LabelAudit, Selection
from review.selection import choosing, drawing
from review.selection.budgets import Budget
from tests import world
from tests.review.label_audits.arranging import EACH, IMAGES, dataset, decided, hold

AUDITS, SELECTION = "/learning/label-audits/", "/learning/selection/"
COMMAND = Actor.command("test")


@pytest.fixture(autouse=True)
def at_once(settings: Any, tmp_path: Path) -> None:
    settings.REVIEW_UNDO_SECONDS = 0
    settings.DATASETS_DIR = tmp_path / "datasets"


@pytest.fixture
def made(platform: Client, eyes: TriagePlan, rita: User) -> Dataset:
    images, truly = decided(platform, eyes, rita)
    return dataset(images, truly, rita)


def audited(of: Dataset) -> LabelAudit:
    row = running.ask(of, actor=COMMAND)
    running.run(row.pk)
    return row


def test_each_figure_of_balance_stands_under_its_split(client: Browser, ming: User, made: Dataset) -> None:
    """The database keeps keys in an order of its own."""
    row = audited(made)
    splits = row.outcome.figures["balance"][0]["splits"]
    client.force_login(ming)
    page = client.get(f"{AUDITS}{row.pk}/").content.decode().partition('id="balance"')[2].partition("</section>")[0]
    heads = re.findall(r'<th scope="col" class="num">(\w+)</th>', page)
    shown = re.findall(r'<td class="num">(\d+ / \d+)</td>', page)
    assert dict(zip(heads, shown, strict=True)) == {
        name.title(): f"{positives} / {n}" for name, (n, positives) in splits.items()
    }


def test_data_sets_without_embeddings_are_not_offered(client: Browser, ming: User, made: Dataset) -> None:
    Dataset.objects.create(fingerprint="f" * 64, rows=1, query={"backbone": ""}, folder="bare")
    client.force_login(ming)
    page = client.get(AUDITS).content.decode()
    assert str(made) in page
    assert "f" * 12 not in page


def test_an_engineer_audits_a_data_set_and_sends_what_is_doubted(
    client: Browser, ming: User, made: Dataset, django_capture_on_commit_callbacks: Any
) -> None:
    client.force_login(ming)
    assert "No audit yet" in client.get(AUDITS).content.decode()
    with django_capture_on_commit_callbacks() as nudges:
        page = client.post(f"{AUDITS}run", {"dataset": str(made.pk), "version": ""}, follow=True).content.decode()
    assert len(nudges) == 1
    assert "A worker is at it" in page
    row = LabelAudit.objects.get()
    assert (row.made_by, row.dataset) == (ming, made)
    running.run_pending()
    page = client.get(f"{AUDITS}{row.pk}/").content.decode()
    assert page.count("/glimpse.jpg") >= IMAGES
    assert "working.jpg" not in page
    assert "rita" in page
    sent = client.post(f"{AUDITS}{row.pk}/send", {"count": 2, "flagged": "on"}, follow=True).content.decode()
    assert "2 images wait for somebody else’s look." in sent
    assert ReviewRequest.objects.filter(reason=Reason.SECOND_OPINION, closed_at__isnull=True).count() == 2
    assert sent.count(">waits<") == 2
    assert "Nobody is asked" in client.post(f"{AUDITS}{row.pk}/send", {"count": 0}, follow=True).content.decode()


def test_every_table_of_an_audit_comes_as_csv(client: Browser, ming: User, made: Dataset) -> None:
    row = audited(made)
    client.force_login(ming)
    heads = {
        table: client.get(f"{AUDITS}{row.pk}/?csv={table}").content.decode().splitlines()
        for table in ("suspects", "noise", "reviewers", "leaks", "contradictions", "balance")
    }
    assert len(heads["suspects"]) == IMAGES + 1
    assert heads["suspects"][1].startswith("1,")
    assert heads["noise"][1].split(",")[:2] == ["WEAPONS_DANGEROUS", str(IMAGES * EACH)]
    assert heads["reviewers"][1].startswith(f"rita,{IMAGES * EACH},")
    assert len(heads["balance"]) == 4
    assert client.get(f"{AUDITS}{row.pk}/?csv=nothing").status_code == 404


def test_pages_are_bounded_in_queries(
    client: Browser, ming: User, made: Dataset, django_assert_max_num_queries: Any
) -> None:
    row = audited(made)
    client.force_login(ming)
    client.get(AUDITS)
    for path, most in ((AUDITS, 12), (f"{AUDITS}{row.pk}/", 16), (SELECTION, 14)):
        with django_assert_max_num_queries(most):
            assert client.get(path).status_code == 200


def test_what_lies_under_legal_hold_is_not_shown(client: Browser, ming: User, made: Dataset) -> None:
    row = audited(made)
    held = row.suspicions.get(place=1).submission_id
    hold(held)
    client.force_login(ming)
    for query in ("", "?csv=suspects"):
        assert str(held) not in client.get(f"{AUDITS}{row.pk}/{query}").content.decode()


def test_a_data_set_whose_files_are_elsewhere_is_not_offered(client: Browser, ming: User, made: Dataset) -> None:
    elsewhere = Dataset.objects.create(fingerprint="e" * 64, rows=1, query={}, folder="")
    client.force_login(ming)
    assert str(elsewhere.pk) not in client.get(AUDITS).content.decode()
    said = client.post(f"{AUDITS}run", {"dataset": str(elsewhere.pk)}, follow=True).content.decode()
    assert "Nothing is audited" in said
    assert not LabelAudit.objects.exists()


@pytest.fixture
def settled(platform: Client, eyes: TriagePlan) -> list[Submission]:
    for at, red in enumerate((0.02, 0.1, 0.18, 0.95)):
        world.submit(platform, world.png(red=red, seed=at), prompt=f"a wall, {red:g} red")
    while run_once().claimed:
        pass
    return list(Submission.objects.order_by("pk"))


def test_an_engineer_draws_images_and_sees_what_came_of_it(
    client: Browser, ming: User, settled: list[Submission], django_capture_on_commit_callbacks: Any
) -> None:
    client.force_login(ming)
    assert "Nothing was drawn yet" in client.get(SELECTION).content.decode()
    with django_capture_on_commit_callbacks() as nudges:
        asked = {"budget": 2, "strategy": "uncertainty"}
        page = client.post(f"{SELECTION}draw", asked, follow=True).content.decode()
    assert len(nudges) == 1
    assert "A worker is at it" in page
    drawing.draw_pending()
    row = Selection.objects.get()
    page = client.get(f"{SELECTION}{row.pk}/").content.decode()
    assert "2 of 4 candidates" in page
    assert page.count("/glimpse.jpg") == 2
    assert "a wall, 0.18 red" in page
    table = client.get(f"{SELECTION}{row.pk}/?csv").content.decode().splitlines()
    assert [line.split(",")[1] for line in table[1:]] == [str(settled[at].pk) for at in (2, 1)]
    assert "Uncertain" in client.get(SELECTION).content.decode()
    by_strategy = client.get(f"{SELECTION}?csv=strategies").content.decode().splitlines()
    assert by_strategy[1] == "uncertainty,2,0,0,0"
    assert "Nothing was drawn" in client.post(f"{SELECTION}draw", {"budget": 0}, follow=True).content.decode()


def test_the_budget_is_changed_on_record(client: Browser, ming: User) -> None:
    client.force_login(ming)
    shares = {"uncertainty": 50, "disagreement": 0, "diversity": 30, "generators": 10, "random": 10}
    said = {"a_day": 40, **shares}
    assert client.get(f"{SELECTION}settings/").status_code == 200
    assert "Saved" in client.post(f"{SELECTION}settings/", said, follow=True).content.decode()
    assert choosing.in_force() == Budget(40, shares)
    (event,) = audit.events_of("selection:settings")
    assert event.data["changed"]["a_day"] == [0, 40]
    assert "Nothing was changed" in client.post(f"{SELECTION}settings/", said, follow=True).content.decode()
    refused = client.post(f"{SELECTION}settings/", {**said, "random": 11})
    assert refused.status_code == 422
    assert "must come to 100" in refused.content.decode()


def test_policy_leads_see_and_do_not_draw(client: Browser, paula: User, made: Dataset) -> None:
    row = audited(made)
    client.force_login(paula)
    for path in (AUDITS, f"{AUDITS}{row.pk}/", SELECTION):
        page = client.get(path)
        assert page.status_code == 200
        assert "csrfmiddlewaretoken" not in page.content.decode().split("<main")[1]
    for path in (f"{AUDITS}run", f"{AUDITS}{row.pk}/send", f"{SELECTION}draw", f"{SELECTION}settings/"):
        assert client.post(path).status_code == 403


@pytest.mark.parametrize("who", ["eve", "rita", "sam", "ari", "adam"])
def test_whoever_reviews_or_has_no_right_sees_none_of_it(
    client: Browser, request: pytest.FixtureRequest, db: None, who: str
) -> None:
    """A reviewer who knew which labels are doubted, or which images were drawn, would judge them otherwise."""
    audited_row = audited(Dataset.objects.create(fingerprint="f" * 64, rows=1, query={}))
    draw = drawing.ask("random", 1, actor=COMMAND)
    client.force_login(request.getfixturevalue(who))
    seen = [AUDITS, f"{AUDITS}{audited_row.pk}/", SELECTION, f"{SELECTION}{draw.pk}/", f"{SELECTION}settings/"]
    assert {client.get(path).status_code for path in seen} == {403}
    done = [f"{AUDITS}run", f"{AUDITS}{audited_row.pk}/send", f"{SELECTION}draw", f"{SELECTION}settings/"]
    assert {client.post(path).status_code for path in done} == {403}
    tabs = client.get("/learning/")
    if tabs.status_code == 200:
        assert "label-audits" not in tabs.content.decode()


def test_a_stranger_is_sent_to_the_login(client: Browser, db: None) -> None:
    for path in (AUDITS, SELECTION):
        assert client.get(path).headers["Location"].startswith("/accounts/login/")
