"""Which form an answer takes."""

from __future__ import annotations

import pytest

from moderation.models import Client
from tests.moderation.callers import SUBMISSIONS, stranger, with_key

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.mark.parametrize("accepted", [JSON, "*/*", "application/*", f"text/html, {JSON};q=0.5", f"{JSON}; indent=2"])
def test_who_takes_json_gets_json(api_key: str, accepted: str) -> None:
    answer = with_key(api_key).get(SUBMISSIONS, HTTP_ACCEPT=accepted)
    assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (200, JSON)


def test_who_asks_for_what_there_is_not_is_told(api_key: str, platform: Client) -> None:
    caller = with_key(api_key)
    assert caller.get(SUBMISSIONS, HTTP_ACCEPT="application/xml").status_code == 406
    assert caller.get(f"{SUBMISSIONS}?format=xml").status_code == 404


def test_the_schema_comes_as_yaml_to_who_asks_for_it() -> None:
    answer = stranger().get("/api/schema/", HTTP_ACCEPT="application/yaml")
    assert answer["Content-Type"].startswith("application/yaml")
