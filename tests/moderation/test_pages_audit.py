"""The audit log on screen."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.test import Client as Browser

from moderation import audit
from moderation.actors import HOUSE, Actor
from moderation.audit import Entry
from moderation.models import AuditEvent, Client, TriagePlan, User
from tests import world
from tests.servers import superuser_url

PAGE = "/audit/"


@pytest.fixture
def browser(client: Browser, ari: User) -> Browser:
    client.force_login(ari)
    return client


@pytest.fixture
def log(db: None, sam: User) -> None:
    """120 events of the house and three of sam's."""
    with transaction.atomic():
        audit.record_many([Entry(HOUSE, "test.event", f"thing:{n % 7}", {"n": n}) for n in range(120)])
        audit.record_many([Entry(Actor.person(sam), "test.look", "thing:1", {"n": n}) for n in range(3)])


def shown(browser: Browser, **asked: str) -> list[AuditEvent]:
    return [line.event for line in browser.get(PAGE, asked).context["events"]]


def test_the_newest_come_first_and_every_event_exactly_once(browser: Browser, log: None) -> None:
    seen: list[AuditEvent] = []
    asked: dict[str, str] = {}
    while True:
        page = browser.get(PAGE, asked)
        seen += [line.event for line in page.context["events"]]
        if page.context["older"] is None:
            break
        asked = {"before": str(page.context["older"])}

    assert seen == list(AuditEvent.objects.order_by("-pk"))


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"subject": "thing:1"}, 17 + 3),
        ({"actor": "sam"}, 3),
        ({"actor": "automation:house", "subject": "thing:1"}, 17),
        ({"action": "test.look"}, 3),
        ({"action": "test.look", "subject": "thing:2"}, 0),
    ],
)
def test_events_are_found_by_subject_actor_and_action(
    browser: Browser, log: None, asked: dict[str, str], count: int
) -> None:
    assert len(shown(browser, **asked)) == count


def test_a_filter_stays_while_paging(browser: Browser, log: None) -> None:
    page = browser.get(PAGE, {"action": "test.event"}).content.decode()

    assert "action=test.event&amp;before=" in page


def test_an_event_can_be_read_whole(browser: Browser, eyes: TriagePlan, platform: Client) -> None:
    submission = world.triaged(platform)

    page = browser.get(PAGE, {"subject": audit.submission(submission.pk)}).content.decode()

    assert "received → in_review" in page
    assert "WEAPONS_DANGEROUS" in page
    assert "chain " in page


def test_a_plan_in_the_log_is_laid_out_line_by_line(browser: Browser, eyes: TriagePlan) -> None:
    page = browser.get(PAGE, {"action": "plan.published"}).content.decode()

    assert "WEAPONS_DANGEROUS: {&quot;block&quot;: 0.9, &quot;approve&quot;: 0.2}" in page.replace(
        "&quot;approve&quot;: 0.2, &quot;block&quot;: 0.9", "&quot;block&quot;: 0.9, &quot;approve&quot;: 0.2"
    )


@pytest.mark.parametrize("before", ["", "nonsense", "'; DROP TABLE moderation_auditevent; --", "\x00"])
def test_a_wrong_place_to_start_from_is_the_start(browser: Browser, log: None, before: str) -> None:
    assert len(shown(browser, before=before)) == 50


def test_a_search_in_vain_says_how_subjects_are_written(browser: Browser, log: None) -> None:
    assert "written as kind:id" in browser.get(PAGE, {"subject": "nothing"}).content.decode()


def test_a_page_costs_a_bounded_number_of_queries(
    browser: Browser, log: None, django_assert_max_num_queries: Any
) -> None:
    audit.seal()

    with django_assert_max_num_queries(10):
        browser.get(PAGE)


def test_before_the_first_seal_it_says_so(browser: Browser, log: None) -> None:
    assert "not sealed yet" in browser.get(PAGE).content.decode()


def test_a_seal_that_holds_is_shown_with_what_it_covers(browser: Browser, log: None) -> None:
    audit.seal()

    page = browser.get(PAGE).content.decode()

    assert "the last seal holds" in page
    assert "123" in page


@pytest.mark.django_db(transaction=True)
def test_a_seal_that_no_longer_holds_names_the_row(client: Browser, log: None, ari: User) -> None:
    audit.seal()
    client.force_login(ari)
    last = AuditEvent.objects.filter(subject="thing:1").order_by("-position")[0]
    with psycopg.connect(superuser_url(connection.settings_dict["NAME"])) as session:
        session.execute("SET session_replication_role = replica")
        session.execute("UPDATE moderation_auditevent SET actor_label = 'nobody' WHERE id = %s", [last.pk])

    page = client.get(PAGE).content.decode()

    assert "the last seal does not hold" in page
    assert f"event {last.pk}: its content is not what was recorded" in page
