"""Evaluations and promotion on screen and by API: what is shown, who may, and what is never shown."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import Settings

from classifiers.models import ClassifierVersion
from moderation import lifecycle
from moderation.actors import HOUSE, Actor
from moderation.models import Client, Proposal, Status, Submission, TriagePlan, User
from moderation.roles import Role
from moderation.stages import Stage
from review import images as pictures
from review.evaluations import measuring, orders
from review.models import Dataset, Evaluation, EvaluationOrder
from review.tasks import evaluate
from tests import world
from tests.conftest import person
from tests.moderation.callers import at_page, stranger, with_key, with_session
from tests.review.evaluating import CODE, dataset, images, taught, versions

Pair = tuple[ClassifierVersion, ClassifierVersion]
NEW = "/learning/evaluations/new/"
LIST = "/learning/evaluations/"
CALL = "/api/v1/evaluations"


@pytest.fixture
def rows(eyes: TriagePlan, platform: Client, settings: Settings, tmp_path: Path) -> list[Submission]:
    settings.DATASETS_DIR = tmp_path / "datasets"
    return images(platform, 240)


@pytest.fixture
def data(rows: list[Submission]) -> Dataset:
    return dataset(rows, backbone="colour-eyes@1")


@pytest.fixture
def pair(data: Dataset, tmp_path: Path) -> Pair:
    found = versions(tmp_path)
    world.publish(found[1].ref, gates={"tolerance": 0.05, "alpha": 0.2, "delta": 0.2})
    return found


@pytest.fixture
def row(pair: Pair, data: Dataset) -> Evaluation:
    plan = TriagePlan.objects.in_force()
    terms = measuring.Terms(alpha=0.2, delta=0.2, plan=plan, replicates=20)
    known = taught(pair[0], "9", by=data, privacy={"epsilon": 6.5, "delta": 1e-5, "statement": "Nobody is told apart."})
    figures = orders.figures(known, pair[1], dataset=data, split="test", terms=terms)
    return orders.keep(figures, known, pair[1], dataset=data, split="test", actor=Actor.command("test"))


def page(row: Evaluation, **query: object) -> str:
    return reverse("evaluation", kwargs={"pk": row.pk}) + "".join(f"?{key}={value}" for key, value in query.items())


def file(row: Evaluation, name: str) -> str:
    return reverse("evaluation_table", kwargs={"pk": row.pk, "name": name})


def of(name: str, version: ClassifierVersion) -> str:
    return reverse(name, kwargs={"pk": version.pk})


# --- evaluations ---


def test_an_evaluation_shows_load_curves_slices_and_groups(row: Evaluation, ming: User) -> None:
    answer = at_page(ming).get(page(row))
    text = answer.content.decode()

    assert answer.context["chosen"] == CODE
    assert text.count('<svg class="curve"') == 2
    assert text.count('<polyline class="candidate"') == text.count('<polyline class="incumbent"') == 2
    assert text.count('<svg class="scores"') == text.count('class="reliability"') == 2
    assert {by for by, _values in answer.context["slices"]} >= {"generator", "language", "territory"}
    for words in ("Groups by language", "language × style", "Disparate impact", "Attack AUC", "6.50", "better"):
        assert words in text
    assert not re.search(r"\b(nan|inf|None)\b", text)


def test_every_figure_can_be_taken_away(row: Evaluation, ming: User) -> None:
    browser = at_page(ming)

    def table(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(browser.get(file(row, name)).content.decode())))

    one = row.figures["categories"][CODE]
    auc = next(r for r in table("figures") if r["figure"] == "auc" and r["side"] == "candidate")
    assert float(auc["value"]) == pytest.approx(one["compared"]["sides"]["candidate"]["auc"]["value"])
    assert {r["by"] for r in table("slices")} >= {"language", "generator"}
    assert {r["figure"] for r in table("fairness")} >= {"tpr", "statistical_parity", "theil", "ratio"}
    assert {r["curve"] for r in table("curves")} >= {"roc", "pr", "scores_harmful", "reliability"}
    assert len(table("moved")) == len(one["moved"]) > 0
    assert browser.get(file(row, "figures")).headers["Content-Type"].startswith("text/csv")
    assert browser.get(reverse("evaluation_table", kwargs={"pk": row.pk, "name": "secrets"})).status_code == 404


def test_images_that_change_sides_are_blurred_and_never_from_under_a_legal_hold(
    row: Evaluation, ming: User, ari: User
) -> None:
    moved = [one["submission"] for one in row.figures["categories"][CODE]["moved"]]
    held = Submission.objects.get(pk=moved[0])
    lifecycle.move(held, Status.QUARANTINED, actor=HOUSE, reason="test")
    browser = at_page(ming)

    answer = browser.get(page(row))

    assert answer.context["hidden"] == 1
    assert [str(one.submission.pk) for one in answer.context["moved"]] == moved[1:][: len(answer.context["moved"])]
    assert all("glimpse" in one.glimpse for one in answer.context["moved"])
    assert moved[0] not in answer.content.decode()
    assert moved[0] not in browser.get(file(row, "moved")).content.decode()
    assert moved[0] not in browser.get(f"{CALL}/{row.pk}").content.decode()
    assert browser.get(pictures.link(held, ming, pictures.Variant.GLIMPSE)).status_code == 403
    assert all(one.glimpse == "" for one in at_page(ari).get(page(row)).context["moved"])  # only reads


def test_the_list_costs_the_same_with_many(row: Evaluation, ming: User, django_assert_max_num_queries: Any) -> None:
    for _ in range(5):
        orders.keep(
            row.figures, row.candidate, row.incumbent, dataset=row.dataset, split="test", actor=Actor.command("test")
        )
    browser = at_page(ming)

    with django_assert_max_num_queries(14):
        answer = browser.get(LIST)

    assert len(answer.context["rows"]) == 6
    assert len(browser.get(LIST, {"version": "nobody@1"}).context["rows"]) == 0


def test_the_page_costs_a_bounded_number_of_queries(
    row: Evaluation, ming: User, django_assert_max_num_queries: Any
) -> None:
    browser = at_page(ming)

    with django_assert_max_num_queries(16):
        browser.get(page(row))


def test_a_new_one_is_asked_for_measured_by_the_worker_and_found(pair: Pair, data: Dataset, ming: User) -> None:
    browser = at_page(ming)
    fresh = browser.get(NEW, {"version": pair[0].ref})
    form = fresh.context["form"].initial
    assert (form["candidate"], form["dataset"], form["limit"]) == (pair[0], data, 20)  # as the gates of the plan ask

    answer = browser.post(
        NEW,
        {
            "candidate": str(pair[0].pk),
            "against": "service",
            "dataset": str(data.pk),
            "split": "test",
            "limit": "20",
            "confidence": "80",
            "by": ["language"],
        },
    )

    order = EvaluationOrder.objects.get()
    assert (order.incumbent, order.alpha, order.delta) == (pair[1], 0.2, 0.2)
    assert answer["Location"] == reverse("evaluation_order", kwargs={"pk": order.pk})
    assert "hx-trigger" in browser.get(answer["Location"]).content.decode()
    assert evaluate() == {"taken": 1}
    found = Evaluation.objects.get(order=order)
    assert browser.get(answer["Location"])["Location"] == page(found)
    partly = browser.get(answer["Location"], headers={"HX-Request": "true"})
    assert partly["HX-Redirect"] == page(found)


def test_a_failed_one_says_why_and_how_to_go_on(pair: Pair, data: Dataset, ming: User, settings: Settings) -> None:
    order = orders.ask(
        ming, pair[0], None, dataset=None, split="gold", alpha=0.1, delta=0.1, by=[]
    )  # there are no gold items
    evaluate()

    text = at_page(ming).get(reverse("evaluation_order", kwargs={"pk": order.pk})).content.decode()

    assert "There are no gold items yet" in text
    assert f"{NEW}?version={pair[0].ref}" in text
    assert "hx-trigger" not in text


def test_a_form_that_does_not_fit_is_kept(pair: Pair, data: Dataset, ming: User) -> None:
    answer = at_page(ming).post(
        NEW, {"candidate": str(pair[0].pk), "against": str(pair[0].pk), "limit": "1", "confidence": "95"}
    )

    assert "cannot be held against itself" in answer.content.decode()
    assert not EvaluationOrder.objects.exists()


def test_programs_ask_wait_and_read(pair: Pair, data: Dataset, ming: User) -> None:
    caller = with_session(ming)
    asked = caller.post(CALL, {"candidate": pair[0].ref, "dataset": data.fingerprint, "by": ["language"], "alpha": 0.2})
    assert asked.status_code == 202
    evaluate()

    told = caller.get(f"{CALL}/orders/{asked.json()['id']}").json()
    found = caller.get(f"{CALL}/{told['evaluation']}").json()
    (line,) = caller.get(CALL, {"version": pair[0].ref}).json()["results"]

    assert (told["state"], found["incumbent"], line["candidate"]) == ("done", pair[1].ref, pair[0].ref)
    assert found["figures"]["categories"][CODE]["compared"]["n"] == 96
    assert "moved" not in found["figures"]["categories"][CODE]


def test_what_cannot_be_measured_is_refused(pair: Pair, ming: User) -> None:
    named: dict[str, Any] = {"candidate": "heads@2"}
    bodies = [{}, {"candidate": "nobody@1"}, {**named, "dataset": "ab"}, {**named, "against": "heads@2"}]
    bodies += [{**named, "by": ["race"]}, {**named, "alpha": 2}]

    assert {with_session(ming).post(CALL, body).status_code for body in bodies} == {422}
    assert not EvaluationOrder.objects.exists()


# --- promotion ---


def test_the_version_page_shows_its_gates_and_why(pair: Pair, row: Evaluation, ming: User) -> None:
    browser = at_page(ming)
    passed, unmeasured = (browser.get(of("classifier", one)).content.decode() for one in (row.candidate, pair[0]))

    assert "Every approve cut is certified again" in passed
    assert passed.count('class="passed"') == 3
    assert of("classifier_adopt", row.candidate) in passed
    assert "It was not evaluated yet" in unmeasured
    assert "Adopt…" not in unmeasured
    assert "Go past closed gates…" in unmeasured
    assert "Nobody is told apart." in passed  # the privacy statement of its card
    assert "Attack AUC" in passed


def test_adopting_asks_a_second_person(row: Evaluation, ming: User, paula: User) -> None:
    browser, lead = at_page(ming), at_page(paula)
    browser.post(of("classifier_adopt", row.candidate), {"note": "clearer"})

    proposal = Proposal.objects.get()
    assert "waits for a second person" in browser.get(of("classifier", row.candidate)).content.decode()
    lead.post(reverse("plan_proposal_answer", kwargs={"pk": proposal.pk, "act": "approve"}), {"revision": 1})

    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert plan.body["classifiers"] == [row.candidate.ref]
    text = browser.get(of("classifier", row.candidate)).content.decode()
    assert "Back to plan 2" in text
    answer = browser.post(of("classifier_back", row.candidate))
    assert answer["Location"] == reverse("plan", kwargs={"number": 4})
    assert TriagePlan.objects.get(number=4).body == TriagePlan.objects.get(number=2).body


def test_a_closed_gate_is_refused_at_the_door_too(pair: Pair, data: Dataset, ming: User) -> None:
    browser = at_page(ming)

    for name, body in (("classifier_adopt", {}), ("classifier_canary", {"percent": "5"})):
        text = browser.post(of(name, pair[0]), body, follow=True).content.decode()
        assert "heads@2 is not promoted" in text
    assert not Proposal.objects.exists()


def test_a_canary_from_the_page(row: Evaluation, ming: User, paula: User, settings: Settings) -> None:
    settings.SECOND_APPROVER = False
    browser = at_page(ming)
    assert "number of per cent" in browser.post(of("classifier_canary", row.candidate), follow=True).content.decode()

    browser.post(of("classifier_canary", row.candidate), {"percent": "12,5"})

    answer = at_page(paula).get(of("classifier", row.candidate))
    assert (answer.context["stage"], answer.context["rollout"].share) == (Stage.CANARY, 0.125)
    at_page(paula).post(reverse("rollout_adopt", kwargs={"pk": answer.context["rollout"].pk}))
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert plan.body["classifiers"] == [row.candidate.ref]


def test_who_began_a_canary_may_drop_it(row: Evaluation, ming: User, settings: Settings) -> None:
    settings.SECOND_APPROVER = False
    browser = at_page(ming)
    browser.post(of("classifier_canary", row.candidate), {"percent": "5"})

    dropped, again = (
        browser.post(of("classifier_canary", row.candidate), {"end": "1"}, follow=True).content.decode() for _ in "ab"
    )

    assert "Dropped" in dropped
    assert "not tried on the traffic now" in again


def test_gates_are_set_by_a_policy_lead_and_a_second_one(pair: Pair, paula: User, sam: User) -> None:
    browser = at_page(paula)
    fresh = browser.get("/policies/plans/gates/").context["form"].initial
    assert (fresh["tolerance"], fresh["limit"]) == (0.05, 20)
    body = {"based_on": "2", "tolerance": "0.01", "slices": ["language", "generator"], "calibration": "0.1"}

    browser.post("/policies/plans/gates/", body)

    proposal = Proposal.objects.get()
    assert proposal.body["gates"] == {"tolerance": 0.01, "calibration": 0.1, "slices": ["language", "generator"]}
    assert "ates of promotion:" in browser.get(reverse("plan_proposal", kwargs={"pk": proposal.pk})).content.decode()
    at_page(person("pia", Role.POLICY_LEAD)).post(
        reverse("plan_proposal_answer", kwargs={"pk": proposal.pk, "act": "approve"}), {"revision": 1}
    )
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert plan.body["gates"]["tolerance"] == 0.01


def test_gates_that_do_not_fit_are_told(pair: Pair, paula: User) -> None:
    told: dict[str, dict[str, Any]] = {
        "Name the attributes": {"average_odds": "0.1"},
        "by how much": {"slices": ["language"]},
        "less than or equal to 1": {"tolerance": "3"},
        "Plan 2 is in force": {"based_on": "1"},
    }

    for words, body in told.items():
        answer = at_page(paula).post("/policies/plans/gates/", {"based_on": "2", **body})
        assert words in answer.content.decode()
    assert not Proposal.objects.exists()


def test_a_draft_of_a_plan_keeps_its_gates(pair: Pair, paula: User) -> None:
    browser = at_page(paula)
    form = browser.get("/policies/plans/draft/").context["form"]
    body = {name: value for name, value in form.initial.items() if value not in (None, "", [])}

    browser.post("/policies/plans/draft/", {**body, "audit_percent": "7", "note": "more audits", "action": "publish"})

    assert Proposal.objects.get().body["gates"] == {"tolerance": 0.05, "alpha": 0.2, "delta": 0.2}


def test_programs_move_a_version_on_and_back(row: Evaluation, pair: Pair, ming: User, settings: Settings) -> None:
    caller, version = with_session(ming), row.candidate
    address = f"/api/v1/classifiers/{version.pk}/stage"
    assert caller.get(address).json()["stage"] == "candidate"

    waits = caller.post(f"/api/v1/classifiers/{version.pk}/adopt", {"note": "clearer"})
    assert (waits.status_code, waits.json()["published"]) == (202, None)
    assert Proposal.objects.get().pk == UUID(waits.json()["proposal"])
    settings.SECOND_APPROVER = False
    Proposal.objects.update(state="withdrawn")

    went = [caller.post(address, {"to": to}).json()["stage"] for to in ("shadow", "candidate")]
    went += [caller.post(address, {"to": "canary", "share": 0.2}).json()["stage"]]
    went += [caller.post(address, {"to": to}).json()["stage"] for to in ("in_service", "previous")]

    assert went == ["shadow", "candidate", "canary", "in_service", "retired"]
    closed = caller.post(f"/api/v1/classifiers/{pair[0].pk}/adopt", {})
    assert (closed.status_code, closed.json()["type"]) == (409, "urn:loupe:problem:gate-closed")
    gates = {one["name"]: one["passed"] for one in closed_gates(caller, pair[0])}
    assert gates == {"evaluated": False}
    assert caller.post(f"/api/v1/classifiers/{pair[1].pk}/adopt", {}).status_code == 409  # pinned again by going back


def closed_gates(caller: Any, version: ClassifierVersion) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get(f"/api/v1/classifiers/{version.pk}/stage").json()["gates"]
    return found


def test_eve_sees_and_moves_nothing(row: Evaluation, pair: Pair, data: Dataset, eve: User, ming: User) -> None:
    order = orders.ask(ming, *pair, dataset=data, split="test", alpha=0.1, delta=0.1, by=[])
    plans = TriagePlan.objects.count()
    pages = [LIST, NEW, page(row), file(row, "figures"), file(row, "moved"), of("classifier", pair[0])]
    pages += [reverse("evaluation_order", kwargs={"pk": order.pk}), "/policies/plans/gates/"]
    posts = [of(name, pair[0]) for name in ("classifier_adopt", "classifier_canary", "classifier_back")]
    posts += [of("classifier_shadow_set", pair[0]), NEW, "/policies/plans/gates/"]
    posts += [reverse(name, kwargs={"pk": order.pk}) for name in ("rollout_adopt", "rollout_drop")]
    stage = f"/api/v1/classifiers/{pair[0].pk}"
    calls = [("get", CALL), ("post", CALL), ("get", f"{CALL}/{row.pk}"), ("get", f"{CALL}/orders/{order.pk}")]
    calls += [("get", f"{stage}/stage"), ("post", f"{stage}/stage"), ("post", f"{stage}/adopt")]
    browser, caller = at_page(eve), with_session(eve)

    assert {browser.get(one).status_code for one in pages} == {403}
    assert {browser.post(one).status_code for one in posts} == {403}
    assert {getattr(caller, method)(path).status_code for method, path in calls} == {403}
    assert {Browser().get(one).status_code for one in pages} == {302}
    assert {getattr(stranger(), method)(path).status_code for method, path in calls} == {401}
    assert TriagePlan.objects.count() == plans


def test_who_only_reads_moves_nothing(row: Evaluation, ari: User, rita: User) -> None:
    for reader in (ari, rita):
        browser = at_page(reader)
        assert browser.get(page(row)).status_code == 200
        assert browser.get(NEW).status_code == 403
        assert browser.post(of("classifier_adopt", row.candidate)).status_code == 403
        assert browser.post(of("classifier_back", row.candidate)).status_code == 403
        assert (
            of("classifier_adopt", row.candidate) not in browser.get(of("classifier", row.candidate)).content.decode()
        )


def test_a_key_of_a_client_may_nothing_here(row: Evaluation, api_key: str) -> None:
    assert with_key(api_key).get(CALL).status_code == 403
    assert with_key(api_key).post(f"/api/v1/classifiers/{row.candidate.pk}/adopt", {}).status_code == 403
