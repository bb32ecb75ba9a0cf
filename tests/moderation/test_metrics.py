"""What is counted is told, to whom may ask; what waits is measured from the rows."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from moderation import images, metrics
from moderation.metrics import catalogue, counting, exposition
from moderation.models import Client, ReviewRequest, Submission, TriagePlan, User
from tests import world

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("counts_from_zero")]


def scraped(**headers: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by name and label values, as Prometheus reads it."""
    answer = Browser().get("/metrics", headers=headers)
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_counts_of_several_processes_meet() -> None:
    metrics.TRIAGED.add(2, route="approve")
    program = (
        "import django; django.setup()\n"
        "from moderation import metrics; metrics.TRIAGED.add(3, route='approve'); metrics.flush()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

    assert scraped()["loupe_triage_images_total", ("approve",)] == 5


def test_a_process_that_ends_leaves_its_counts() -> None:
    program = "import django; django.setup()\nfrom moderation import metrics; metrics.TRIAGED.add(route='block')"
    subprocess.run([sys.executable, "-c", program], check=True)

    assert scraped()["loupe_triage_images_total", ("block",)] == 1


def test_a_histogram_is_cumulative_and_has_sum_and_count() -> None:
    for value in (1, 2, 3, 300):
        metrics.BATCH_IMAGES.observe(value)

    samples = scraped()
    assert samples["loupe_triage_batch_images_bucket", ("2.0",)] == 2
    assert samples["loupe_triage_batch_images_bucket", ("256.0",)] == 3
    assert samples["loupe_triage_batch_images_bucket", ("+Inf",)] == 4
    assert samples["loupe_triage_batch_images_count", ()] == 4
    assert samples["loupe_triage_batch_images_sum", ()] == 306


def test_what_waits_is_measured(eyes: TriagePlan, platform: Client) -> None:
    first, _second = world.submit(platform, world.png(seed=1)), world.submit(platform, world.png(seed=2))
    hour_ago = timezone.now() - timedelta(hours=1)
    Submission.objects.filter(pk=first.pk).update(created_at=hour_ago, held_up_since=hour_ago)
    ReviewRequest.objects.create(submission=first, reason="report", queue="reports", leased_until=timezone.now())
    ReviewRequest.objects.update(opened_at=hour_ago)

    samples = scraped()
    assert samples["loupe_backlog_images", ()] == 2
    assert samples["loupe_backlog_oldest_seconds", ()] == pytest.approx(3600, abs=60)
    assert samples["loupe_held_up_images", ()] == 1
    assert samples["loupe_held_up_oldest_seconds", ()] == pytest.approx(3600, abs=60)
    assert samples["loupe_review_open_requests", ("reports",)] == 1
    assert samples["loupe_review_oldest_seconds", ()] == pytest.approx(3600, abs=60)


def test_an_image_sent_is_counted_by_what_became_of_it(platform: Client) -> None:
    world.submit(platform, external_id="one")
    world.submit(platform, external_id="one")
    with pytest.raises(images.UnacceptableImage):
        world.submit(platform, b"no image")

    samples = scraped()
    told = {key[1][0]: value for key, value in samples.items() if key[0] == "loupe_ingest_submissions_total"}
    assert told == {"created": 1, "repeated": 1, "refused": 1}


def test_with_a_token_it_is_for_those_who_have_it(settings: Settings, adam: User) -> None:
    settings.METRICS_TOKEN = "scrape-me-every-15-seconds"
    browser = Browser()
    browser.force_login(adam)

    assert scraped(authorization="Bearer scrape-me-every-15-seconds")
    assert Browser().get("/metrics", headers={"authorization": "Bearer another"}).status_code == 401
    assert Browser().get("/metrics").headers["WWW-Authenticate"] == "Bearer"
    assert browser.get("/metrics").status_code == 401


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("10.0.0.7", {}),
        ("", {}),
        ("127.0.0.1", {"x-forwarded-for": "10.0.0.7"}),
        ("::1", {"forwarded": "for=10.0.0.7"}),
    ],
)
def test_without_a_token_it_is_for_this_machine_alone(eve: User, address: str, headers: dict[str, str]) -> None:
    browser = Browser(REMOTE_ADDR=address)
    browser.force_login(eve)

    assert browser.get("/metrics", headers=headers).status_code == 404
    assert Browser(REMOTE_ADDR="::1").get("/metrics").status_code == 200


def test_without_redis_what_waits_is_still_told_and_counts_are_kept(settings: Settings, platform: Client) -> None:
    there = settings.REDIS_URL
    metrics.TRIAGED.add(route="review")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    world.submit(platform)
    samples = scraped()
    settings.REDIS_URL = there

    assert (samples["loupe_metrics_store_up", ()], samples["loupe_backlog_images", ()]) == (0, 1)
    assert scraped()["loupe_triage_images_total", ("review",)] == 1


def test_a_label_too_many_or_too_few_is_refused() -> None:
    with pytest.raises(TypeError, match="route"):
        metrics.TRIAGED.add()
    with pytest.raises(TypeError, match="route"):
        metrics.TRIAGED.add(route="approve", id="7")


def test_the_names_are_fit_and_each_is_there_once() -> None:
    names = [each.name for each in catalogue.ALL]
    assert len(set(names)) == len(names)
    assert all(name.startswith("loupe_") for name in names)
    assert {each.name.endswith("_total") for each in catalogue.ALL if isinstance(each, counting.Counter)} == {True}


@given(st.dictionaries(st.text(max_size=60), st.floats(0, 1e9)))
def test_what_another_version_counted_does_no_harm(counts: dict[str, float]) -> None:
    assert b"# EOF" not in exposition.text(counts, [])
