"""The demo's senior, over HTTP as in `demo --check`, on a house of a few images."""

from __future__ import annotations

import pytest
from pytest_django.live_server_helper import LiveServer

from config.demo.http import Door
from config.demo.reviewer import agree
from moderation.models import Client, Status, TriagePlan, User
from review import queue
from review.decisions import decide
from review.models import Effect, EffectState
from tests.review.arranging import status_of, waiting


@pytest.mark.django_db(transaction=True)
def test_the_demos_senior_agrees_to_all_that_is_held(
    live_server: LiveServer, rita: User, sam: User, platform: Client, eyes: TriagePlan
) -> None:
    requests = waiting(platform, 3)
    for claim in queue.claim(rita, queue.GENERAL, 3):
        decide(claim.pk, rita, verdict="block", labels=[{"category": "HATE", "severity": 3}])
    door = Door.with_login(live_server.url, username="sam", password="sam-likes-to-look-closely")
    assert (agree(door), agree(door)) == (3, 0)
    assert not Effect.objects.filter(state=EffectState.HELD).exists()
    assert [status_of(one.submission) for one in requests] == [Status.BLOCKED] * 3
