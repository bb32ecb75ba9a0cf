"""Trainings are asked for, run, watched, stopped, and gone on with after a kill."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import onnxruntime
import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from classifiers import registry
from classifiers.models import ClassifierVersion
from classifiers.progress import Cancelled, Point
from moderation import audit, policies
from moderation.models import TriagePlan, User
from moderation.routing import PlanError
from review.models import Dataset, Training, TrainingState
from review.queue import NotForYou
from review.tasks import run_trainings
from review.trainings import asking, running
from review.trainings.watching import Lost, RowWatch
from tests import world
from tests.architecture import PROJECT
from tests.browser.webserver import query_of_url
from tests.moderation.callers import at_page, stranger, with_key, with_session
from tests.review import trainable

pytestmark = pytest.mark.django_db

LIST, NEW, API = "/learning/trainings/", "/learning/trainings/new/", "/api/v1/trainings"


@pytest.fixture
def labels(eyes: TriagePlan, tmp_path: Path, settings: Any) -> Dataset:
    settings.DATASETS_DIR, settings.DATA_DIR = tmp_path / "datasets", tmp_path / "data"
    return trainable.dataset(backbone())


@pytest.fixture(autouse=True)
def no_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that gives signs of life has a connection of its own, which sees no row of a test's transaction."""
    monkeypatch.setattr("review.trainings.watching.BEAT", 3600.0)


def backbone() -> ClassifierVersion:
    return ClassifierVersion.objects.get(name="colour-eyes")


def asked(person: User, labels: Dataset, **more: Any) -> Training:
    return asking.ask(person, **{"dataset": labels.pk, "name": "heads", **more})


def page_of(row: Training) -> str:
    return reverse("training", args=[row.pk])


def test_a_training_ends_in_a_version_with_its_curve(labels: Dataset, ming: User) -> None:
    row = asked(ming, labels, recipe={"kind": "mlp", "epochs": 6})

    assert run_trainings() == {"ended": 1}

    row.refresh_from_db()
    assert (row.state, row.share, row.attempts, row.skipped) == (TrainingState.DONE, 1.0, 1, False)
    assert row.version is not None
    assert row.version.ref == "heads@1"
    assert row.version.card["recipe"]["kind"] == "mlp"
    assert [point["step"] for point in row.points] == list(range(1, len(row.points) + 1))
    assert {"loss", "validation", "auc"} <= row.points[0].keys()
    assert not running.folder_of(row).exists()
    events = [event.action for event in audit.events_of(f"training:{row.pk}")]
    assert events == ["training.asked", "training.done"]


def test_the_version_of_a_training_speaks_live_and_from_its_onnx(labels: Dataset, ming: User) -> None:
    asked(ming, labels, recipe={"kind": "mlp", "epochs": 4})
    run_trainings()
    version = ClassifierVersion.objects.get(name="heads")
    seen = np.random.default_rng(5).random((20, 3)).astype(np.float32)

    browser = at_page(ming)
    addresses = {what: reverse(f"classifier_{what}", args=[version.pk]) for what in ("card", "weights", "onnx")}
    files = {what: browser.get(address) for what, address in addresses.items()}

    session = onnxruntime.InferenceSession(files["onnx"].getvalue(), providers=["CPUExecutionProvider"])
    said = registry.load_heads(version).apply(seen)
    np.testing.assert_allclose(session.run(None, {"embedding": seen})[0], said, atol=1e-6)
    assert b'kind = "heads"' in files["card"].getvalue()
    assert hashlib.sha256(files["weights"].getvalue()).hexdigest() == version.sha256


def test_the_same_again_is_said_and_not_trained(labels: Dataset, ming: User) -> None:
    first, second = asked(ming, labels), asked(ming, labels)

    assert run_trainings() == {"ended": 2}

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.skipped, second.skipped) == (False, True)
    assert first.version == second.version


def test_a_prompt_model_learns_from_a_data_set_too(eyes: TriagePlan, ming: User, tmp_path: Path, settings: Any) -> None:
    settings.DATASETS_DIR, settings.DATA_DIR = tmp_path / "datasets", tmp_path / "data"
    rng = np.random.default_rng(1)
    vocabulary = [
        f"{first}{second}" for first in ("ba", "ko", "li", "mu") for second in ("ra", "to", "ne", "shi", "va")
    ]
    words = [" ".join(rng.choice(vocabulary, 6, replace=False)) for _ in range(200)]
    made = trainable.dataset(backbone(), prompts=words, n=200)

    row = asked(ming, made, kind="prompts", name="", recipe={"fewest": 2})
    run_trainings()

    row.refresh_from_db()
    assert row.state == TrainingState.DONE, row.words
    assert row.version is not None
    assert (row.version.name, row.version.kind) == ("prompts", "prompts")


def test_what_cannot_be_trained_fails_with_the_reason(labels: Dataset, ming: User, tmp_path: Path) -> None:
    few = trainable.dataset(backbone(), name="few", n=4)
    row = asked(ming, few)
    gone = asked(ming, labels, recipe={"ridge": 2.0})
    (tmp_path / "datasets" / "one" / "labels.parquet").write_bytes(b"spoilt")

    run_trainings()

    row.refresh_from_db()
    gone.refresh_from_db()
    assert (row.state, gone.state) == (TrainingState.FAILED, TrainingState.FAILED)
    assert "review more pictures first" in row.words
    assert "sha256 differs" in gone.words
    assert audit.events_of(f"training:{row.pk}")[-1].action == "training.failed"


def test_asking_refuses_what_cannot_be(labels: Dataset, ming: User, rita: User) -> None:
    with pytest.raises(NotForYou):
        asked(rita, labels)
    for field, what, reason in (
        ("#/dataset", {"dataset": uuid4()}, "no such data set"),
        ("#/kind", {"kind": "dreams"}, "heads, prompts, backbone"),
        ("#/recipe", {"recipe": {"rigde": 1}}, "rigde is unknown"),
        ("#/recipe", {"kind": "backbone", "recipe": {"epochs": 0}}, "above 0"),
    ):
        with pytest.raises(asking.UnfitTraining, match=reason) as refused:
            asked(ming, labels, **what)
        assert refused.value.pointer == field
    elsewhere = Dataset.objects.create(fingerprint="f" * 64, rows=1, query={}, folder="nowhere")
    with pytest.raises(asking.UnfitTraining, match="not on this machine"):
        asked(ming, elsewhere)
    bare = Dataset.objects.create(fingerprint="e" * 64, rows=1, query={"backbone": ""}, folder=labels.folder)
    with pytest.raises(asking.UnfitTraining, match="no embeddings") as refused:
        asked(ming, bare)
    assert refused.value.pointer == "#/dataset"
    assert not Training.objects.exists()


# --- stopping and going on --------------------------------------------------------------------------------------------


def test_one_that_waits_is_cancelled_at_once(labels: Dataset, ming: User) -> None:
    row = asking.cancel(asked(ming, labels).pk, ming)

    assert (row.state, row.cancelled_by) == (TrainingState.CANCELLED, ming)
    assert run_trainings() == {"ended": 0}
    with pytest.raises(asking.TooLate):
        asking.cancel(row.pk, ming)


def test_one_at_work_stops_at_its_next_step_and_leaves_nothing(
    labels: Dataset, ming: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = asked(ming, labels, recipe={"kind": "mlp", "epochs": 500, "patience": 500})
    monkeypatch.setattr("review.trainings.watching.TOLD", 0.0)
    whole = RowWatch.point

    def cancel_at_three(self: RowWatch, point: Point) -> None:
        if point.step == 3:
            asking.cancel(row.pk, ming)
        whole(self, point)

    monkeypatch.setattr(RowWatch, "point", cancel_at_three)

    run_trainings()

    row.refresh_from_db()
    assert (row.state, row.version, len(row.points)) == (TrainingState.CANCELLED, None, 3)
    assert not ClassifierVersion.objects.filter(name="heads").exists()
    assert [event.action for event in audit.events_of(f"training:{row.pk}")] == ["training.asked", "training.cancelled"]


def test_who_lost_the_training_to_another_worker_writes_nothing(labels: Dataset, ming: User, tmp_path: Path) -> None:
    row = asked(ming, labels)
    mine = running.claim(row.pk)
    assert mine is not None
    assert running.claim(row.pk) is None, "it runs, and its worker is alive"
    Training.objects.filter(pk=row.pk).update(heartbeat=timezone.now() - timedelta(minutes=5))
    theirs = running.claim(row.pk)
    assert theirs is not None

    with pytest.raises(Lost):
        RowWatch(mine, tmp_path).reach("fitting", 0.5)

    assert running.end(mine, TrainingState.FAILED, words="no") == ""
    assert Training.objects.get(pk=row.pk).state == TrainingState.RUNNING


def test_one_that_kills_its_worker_again_and_again_is_given_up(labels: Dataset, ming: User) -> None:
    row = asked(ming, labels)
    for _attempt in range(3):
        assert running.claim(row.pk) is not None
        Training.objects.filter(pk=row.pk).update(heartbeat=timezone.now() - timedelta(minutes=5))

    assert run_trainings() == {"ended": 0}

    row.refresh_from_db()
    assert (row.state, row.attempts) == (TrainingState.FAILED, 3)
    assert "ended 3 times without a word" in row.words


def test_a_cancelled_one_whose_worker_died_is_not_begun_again(labels: Dataset, ming: User) -> None:
    row = asked(ming, labels)
    running.claim(row.pk)
    asking.cancel(row.pk, ming)
    Training.objects.filter(pk=row.pk).update(heartbeat=timezone.now() - timedelta(minutes=5))

    run_trainings()

    row.refresh_from_db()
    assert row.state == TrainingState.CANCELLED


KILLED_AT = 5
PROGRAM = f"""
import os, signal, sys
import django
django.setup()
from review.trainings import running
from review.trainings.watching import RowWatch

whole = RowWatch.point

def point(self, one):
    whole(self, one)
    if one.step == {KILLED_AT}:
        os.kill(os.getpid(), signal.SIGKILL)

RowWatch.point = point
running.work_off(sys.argv[1])
"""


@pytest.mark.django_db(transaction=True)
def test_a_training_killed_by_sigkill_ends_in_the_weights_of_one_that_was_not(
    labels: Dataset, ming: User, tmp_path: Path
) -> None:
    recipe = {"kind": "mlp", "epochs": 9, "patience": 100}
    row = asked(ming, labels, recipe=recipe)
    database = os.environ["DATABASE_URL"].rsplit("/", 1)[0] + "/" + connection.settings_dict["NAME"] + query_of_url()
    environment = {
        **os.environ,
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOUPE_DATA_DIR": str(tmp_path / "data"),
        "LOUPE_DATASETS_DIR": str(tmp_path / "datasets"),
        "LOUPE_STORAGE": (tmp_path / "store").as_uri(),
    }

    killed = subprocess.run([sys.executable, "-c", PROGRAM, str(row.pk)], cwd=PROJECT, env=environment, check=False)

    row.refresh_from_db()
    assert killed.returncode == -signal.SIGKILL
    assert row.state == TrainingState.RUNNING
    assert run_trainings() == {"ended": 0}, "its lease has not run out"
    Training.objects.filter(pk=row.pk).update(heartbeat=timezone.now() - timedelta(minutes=5))
    assert run_trainings() == {"ended": 1}
    row.refresh_from_db()
    assert (row.state, row.attempts) == (TrainingState.DONE, 2)
    assert [point["step"] for point in row.points] == list(range(1, 10))
    whole = asked(ming, labels, recipe=recipe, name="whole")
    run_trainings()
    whole.refresh_from_db()
    assert row.version is not None
    assert whole.version is not None
    one, two = (registry.load_heads(version).parts()[0] for version in (row.version, whole.version))
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert row.version.metrics == whole.version.metrics


def test_the_sign_of_life_comes_from_a_thread_while_nothing_is_told(
    labels: Dataset, ming: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("review.trainings.watching.BEAT", 0.0)
    beaten = threading.Event()
    row = running.claim(asked(ming, labels).pk)
    assert row is not None
    monkeypatch.setattr(RowWatch, "_check", lambda _self, _found: beaten.set())

    with RowWatch(row, tmp_path):
        assert beaten.wait(30)


def test_a_word_after_the_cancel_raises(labels: Dataset, ming: User, tmp_path: Path) -> None:
    row = running.claim(asked(ming, labels).pk)
    assert row is not None
    asking.cancel(row.pk, ming)

    with pytest.raises(Cancelled):
        RowWatch(row, tmp_path).reach("fitting", 0.1)


# --- privacy budget ---------------------------------------------------------------------------------------------------


def budget(epsilon: float) -> None:
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    world.publish(*plan.body["classifiers"], privacy_budget=epsilon)


def test_no_training_is_begun_above_the_plans_privacy_budget(labels: Dataset, ming: User) -> None:
    budget(4.0)

    with pytest.raises(asking.UnfitTraining, match="allows an epsilon of 4 at most, you ask for 8"):
        asked(ming, labels, recipe={"target_epsilon": 8})
    assert asked(ming, labels, recipe={"target_epsilon": 4}).state == TrainingState.QUEUED


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ({"privacy": {"epsilon": 4.5}}, "spent an epsilon of 4.50, above the plan's privacy budget of 4"),
        ({}, "trained without differential privacy"),
    ],
)
def test_no_plan_pins_what_is_above_its_privacy_budget(eyes: TriagePlan, card: dict[str, Any], reason: str) -> None:
    learnt = ClassifierVersion.objects.create(
        name="heads", version="1", kind="heads", card=card, categories=["PRIVACY"], manifest_fingerprint="cd" * 32
    )

    with pytest.raises(PlanError, match=reason):
        world.publish("colour-eyes@1", learnt.ref, privacy_budget=4.0)
    world.publish("colour-eyes@1", learnt.ref, privacy_budget=None)
    within = ClassifierVersion.objects.create(
        name="heads", version="2", kind="heads", card={"privacy": {"epsilon": 3.99}}, manifest_fingerprint="cd" * 32
    )
    plan = policies.parsed(world.publish("colour-eyes@1", within.ref, privacy_budget=4.0))
    assert plan.privacy_budget == 4.0


@pytest.mark.parametrize("said", [0, -1, "much", True])
def test_a_budget_that_is_none_is_refused(eyes: TriagePlan, said: Any) -> None:
    with pytest.raises(PlanError, match="privacy_budget is the largest epsilon"):
        world.publish("colour-eyes@1", privacy_budget=said)


# --- pages and API ----------------------------------------------------------------------------------------------------


def test_the_form_asks_for_what_it_says(labels: Dataset, ming: User) -> None:
    browser = at_page(ming)
    assert str(labels) in browser.get(NEW).content.decode()

    form = {"dataset": labels.pk, "kind": "heads", "heads": "mlp", "fairness": "reweigh", "epochs": 7, "seed": 3}
    answer = browser.post(NEW, {**form, "name": "heads"})

    row = Training.objects.get()
    assert answer["Location"] == page_of(row)
    assert row.recipe == {"kind": "mlp", "reweigh": True, "epochs": 7, "seed": 3}
    assert (row.asked_by, row.name) == (ming, "heads")


def test_what_the_recipe_refuses_is_said_beside_the_form(labels: Dataset, ming: User) -> None:
    form = {"dataset": labels.pk, "kind": "heads", "heads": "mlp", "target_epsilon": 8}

    page = at_page(ming).post(NEW, form).content.decode()

    assert "differential privacy trains linear heads" in page
    assert not Training.objects.exists()


def test_without_a_data_set_the_form_says_what_to_do(eyes: TriagePlan, ming: User) -> None:
    assert "Make one of what people decided first" in at_page(ming).get(NEW).content.decode()
    assert "No training yet" in at_page(ming).get(LIST).content.decode()


def test_a_page_refreshes_while_it_runs_and_shows_curve_table_and_csv_after(labels: Dataset, ming: User) -> None:
    browser, row = at_page(ming), asked(ming, labels, recipe={"kind": "mlp", "epochs": 4})
    waiting = browser.get(page_of(row)).content.decode()
    assert 'hx-trigger="every 1s"' in waiting
    assert "Cancel the training" in waiting
    run_trainings()

    page = browser.get(page_of(row)).content.decode()

    assert "hx-trigger" not in page
    assert "Cancel the training" not in page
    assert page.count('class="curve"') == 2
    row.refresh_from_db()
    first = row.points[0]
    assert f"{first['validation']:.4f}" in page
    table = list(csv.DictReader(io.StringIO(browser.get(reverse("training_curve", args=[row.pk])).content.decode())))
    assert [float(line["loss"]) for line in table] == [point["loss"] for point in row.points]
    assert row.version is not None
    assert row.version.ref in browser.get(LIST).content.decode()


def test_the_list_costs_the_same_however_many_there_are(
    labels: Dataset, ming: User, django_assert_max_num_queries: Any
) -> None:
    for _number in range(30):
        asked(ming, labels)
    browser = at_page(ming)
    browser.get(LIST)

    with django_assert_max_num_queries(8):
        browser.get(LIST)


def test_cancel_on_the_page(labels: Dataset, ming: User) -> None:
    row = asked(ming, labels)

    page = at_page(ming).post(reverse("training_cancel", args=[row.pk]), follow=True).content.decode()

    assert "Stopped by ming; nothing was registered." in page


def test_programs_ask_look_and_cancel(labels: Dataset, ming: User) -> None:
    api = with_session(ming)

    made = api.post(API, {"dataset": str(labels.pk), "recipe": {"ridge": 5.0}, "name": "heads"})

    assert made.status_code == 201
    assert (made.json()["state"], made.json()["recipe"]) == ("queued", {"ridge": 5.0})
    run_trainings()
    done = api.get(f"{API}/{made.json()['id']}").json()
    assert (done["state"], done["version"], done["share"]) == ("done", "heads@1", 1.0)
    assert [one["id"] for one in api.get(API).json()["results"]] == [done["id"]]
    late = api.post(f"{API}/{done['id']}/cancel")
    assert (late.status_code, late.json()["type"]) == (409, "urn:loupe:problem:training-ended")
    wrong = api.post(API, {"dataset": str(labels.pk), "recipe": {"rigde": 1}})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "#/recipe")
    assert api.get(f"{API}/{uuid4()}").status_code == 404


def test_programs_list_classifiers(labels: Dataset, ming: User) -> None:
    api = with_session(ming)

    (row,) = api.get("/api/v1/classifiers").json()["results"]

    assert (row["version"], row["in_service"], row["kind"]) == ("colour-eyes@1", True, "onnx")
    assert api.get(f"/api/v1/classifiers/{row['id']}").json()["card"]["licence"] == "Apache-2.0"
    assert api.get(f"/api/v1/classifiers/{uuid4()}").status_code == 404


def test_nobody_but_ml_engineers_may(labels: Dataset, ming: User, eve: User, paula: User, api_key: str) -> None:
    row = asked(ming, labels)
    version = backbone()
    pages = [LIST, NEW, page_of(row), reverse("training_curve", args=[row.pk])]
    pages += [reverse(f"classifier_{what}", args=[version.pk]) for what in ("card", "weights", "onnx")]
    for who in (eve, paula):
        browser = at_page(who)
        assert [browser.get(page).status_code for page in pages] == [403] * len(pages)
        assert browser.post(NEW, {"dataset": labels.pk}).status_code == 403
        assert browser.post(reverse("training_cancel", args=[row.pk])).status_code == 403
    for caller, status in ((with_session(eve), 403), (with_key(api_key), 403), (stranger(), 401)):
        assert caller.post(API, {"dataset": str(labels.pk)}).status_code == status
        assert caller.post(f"{API}/{row.pk}/cancel").status_code == status
        for address in (API, f"{API}/{row.pk}", "/api/v1/classifiers", f"/api/v1/classifiers/{version.pk}"):
            assert caller.get(address).status_code == status
    assert Training.objects.count() == 1
    row.refresh_from_db()
    assert row.state == TrainingState.QUEUED
