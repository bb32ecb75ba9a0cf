from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from moderation import audit, requests
from moderation.actors import Actor
from moderation.models import Client, Reason, ReviewQueue, ReviewRequest, TriagePlan
from moderation.queues import keeping, known
from moderation.queues.definitions import ESCALATED, GENERAL
from moderation.queues.keeping import UnfitQueue
from moderation.requests import Ask, open_requests
from moderation.tasks import settle_queues
from tests import world

pytestmark = pytest.mark.django_db
PAULA = Actor.command("test")
PLAIN: dict[str, Any] = {"slug": "hate", "title": "Hate", "actor": PAULA}
OFFICE: dict[str, Any] = {
    "zone": "Europe/Berlin",
    "weekdays": [0, 1],
    "opens": "09:00",
    "closes": "17:00",
    "holidays": ["2026-12-25"],
}


def test_a_defined_queue_takes_what_comes_and_the_log_knows_what_it_was_told() -> None:
    keeping.define(
        "hate-fr",
        title="Hate, French",
        actor=PAULA,
        conditions={"categories": ["HATE"], "languages": ["fr"]},
        due={"hours": [72, 48, 24, 4, 1], "territories": {"FR": {"3": 2}}},
        calendar=OFFICE,
        access={"languages": ["fr"], "specialties": ["slang"]},
    )
    (queue,) = known.definitions().queues
    assert [set(one) for one in (queue.categories, queue.spoken, queue.specialties)] == [{"HATE"}, {"fr"}, {"slang"}]
    assert queue.hours is not None
    assert (queue.hours.zone.key, queue.work_for(3, frozenset({"FR"}))) == ("Europe/Berlin", timedelta(hours=2))
    (event,) = audit.events_of("queue:hate-fr")
    assert (event.action, event.data["conditions"]["categories"]) == ("queue.defined", ["HATE"])


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("slug", {"slug": "Hate!"}),
        ("slug", {"slug": "x" * 51}),
        ("title", {"title": " "}),
        ("order", {"order": "random"}),
        ("categories", {"conditions": {"categories": ["BAD"]}}),
        ("territories", {"conditions": {"territories": ["XX"]}}),
        ("languages", {"conditions": {"languages": ["German"]}}),
        ("least_severity", {"conditions": {"least_severity": 5}}),
        ("reasons", {"conditions": {"reasons": ["whim"]}}),
        ("conditions", {"slug": GENERAL, "conditions": {"categories": ["HATE"]}}),
        ("hours", {"due": {"hours": [1, 2, 3]}}),
        ("hours", {"due": {"hours": [1, 2, 3, 4, 0]}}),
        ("hours", {"due": {"hours": [1, 2, 3, 4, float("nan")]}}),
        ("territory_hours", {"due": {"territories": {"XX": {"1": 2}}}}),
        ("territory_hours", {"due": {"territories": {"DE": {"7": 2}}}}),
        ("zone", {"calendar": OFFICE | {"zone": "Europe/Nowhere"}}),
        ("zone", {"calendar": OFFICE | {"zone": "../../etc/passwd"}}),
        ("weekdays", {"calendar": OFFICE | {"weekdays": []}}),
        ("opens", {"calendar": OFFICE | {"opens": "nine"}}),
        ("holidays", {"calendar": OFFICE | {"holidays": ["Christmas"]}}),
        ("spoken", {"access": {"languages": ["français"]}}),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_its_field(field: str, said: dict[str, Any]) -> None:
    with pytest.raises(UnfitQueue) as refused:
        keeping.define(**{**PLAIN, **said})
    assert refused.value.field == field
    assert not ReviewQueue.objects.exists()


@pytest.mark.parametrize("slug", [GENERAL, ESCALATED])
def test_two_queues_are_always_there(slug: str) -> None:
    keeping.define(slug, title="Ours", order="oldest", actor=PAULA)
    with pytest.raises(UnfitQueue):
        keeping.retire(slug, actor=PAULA)
    assert known.definitions().slugs() == [GENERAL, ESCALATED]


def test_what_waits_in_a_retired_queue_goes_to_the_general_one(platform: Client, eyes: TriagePlan) -> None:
    keeping.define("hate", title="Hate", actor=PAULA, conditions={"categories": ["HATE"]})
    open_requests([Ask(submission=world.submit(platform), reason=Reason.REPORT, category="HATE")])
    keeping.retire("hate", actor=PAULA)
    assert settle_queues() == {"moved": 0}, "not while another process may still write by the old definition"
    ReviewQueue.objects.update(changed_at=timezone.now() - 3 * known.SPAN)
    assert [settle_queues(), settle_queues()] == [{"moved": 1}, {"moved": 0}]
    assert ReviewRequest.objects.get().queue == GENERAL
    open_requests([Ask(submission=world.submit(platform), reason=Reason.APPEAL, category="HATE", queue="hate")])
    assert set(ReviewRequest.objects.values_list("queue", flat=True)) == {GENERAL}
    assert requests.settle_changed() == 0
