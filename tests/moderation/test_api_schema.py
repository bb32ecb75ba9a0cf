from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client as Browser
from drf_spectacular.drainage import GENERATOR_STATS
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from moderation import lifecycle
from moderation.actors import Actor
from moderation.models import Client, Status, TriagePlan
from tests.moderation.callers import PROMPTS, SUBMISSIONS, encoded, send, stranger, with_key
from tests.world import png, submit, triaged

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema() -> dict[str, Any]:
    answer = Browser().get("/api/schema/")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def assert_fits(body: Any, name: str, schema: dict[str, Any]) -> None:
    described = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
    errors = [f"{error.json_path}: {error.message}" for error in OAS31Validator(described).iter_errors(body)]
    assert errors == []


def test_the_schema_is_valid_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    validate(schema)


def test_no_two_shapes_share_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    """One would be described as the other."""
    GENERATOR_STATS.reset()  # it says everything once a process
    Browser().get("/api/schema/")
    assert "identical names" not in capsys.readouterr().err


def test_the_schema_comes_as_yaml_when_asked() -> None:
    assert Browser().get("/api/schema/", {"format": "yaml"}).content.startswith(b"openapi: 3.1")


def test_every_call_names_its_scheme_and_its_problems(schema: dict[str, Any]) -> None:
    paths = {
        path: operations for path, operations in schema["paths"].items() if path.startswith((SUBMISSIONS, PROMPTS))
    }

    assert set(paths) == {
        SUBMISSIONS,
        f"{SUBMISSIONS}/batch",
        f"{SUBMISSIONS}/{{id}}",
        f"{SUBMISSIONS}/{{id}}/history",
        PROMPTS,
    }
    for operation in (one for operations in paths.values() for one in operations.values()):
        assert {"key": []} in operation["security"]
        assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_real_answers_fit_the_schema(api_key: str, platform: Client, eyes: TriagePlan, schema: dict[str, Any]) -> None:
    held = triaged(platform, png(red=0.5))
    lifecycle.move(held, Status.QUARANTINED, actor=Actor.command("test"), reason="test")
    triaged(platform, png(), generator={"name": "sd", "seed": 1}, territories=["DE"], external_id="a-1")
    submit(platform, png(red=0.1))

    body = with_key(api_key).get(SUBMISSIONS).json()

    assert [one["status"] for one in body["results"]] == ["received", "approved", "quarantined"]
    assert_fits(body, "PaginatedSubmissionAnswerList", schema)


def test_real_histories_and_batches_and_problems_fit_the_schema(
    api_key: str, platform: Client, eyes: TriagePlan, schema: dict[str, Any]
) -> None:
    caller = with_key(api_key)
    history = caller.get(f"{SUBMISSIONS}/{triaged(platform).pk}/history").json()
    items = [{"image_base64": encoded(png())}, {"image_base64": ""}]

    assert_fits(history, "PaginatedEventAnswerList", schema)
    assert_fits(caller.post(f"{SUBMISSIONS}/batch", {"submissions": items}).json(), "BatchAnswer", schema)
    assert_fits(send(caller, b"no image").json(), "ProblemAnswer", schema)
    assert_fits(stranger().get(SUBMISSIONS).json(), "ProblemAnswer", schema)


def test_the_docs_page_needs_nothing_from_elsewhere() -> None:
    page = Browser().get("/api/docs/")

    assert page.status_code == 200
    html = page.content.decode()
    sources = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert sources
    assert all(source.startswith("/") and not source.startswith("//") for source in sources)
    assert all(finders.find(source.removeprefix("/static/")) for source in sources if source.startswith("/static/"))
    assert "unsafe-inline" not in page["Content-Security-Policy"]
    assert "<style" not in html
    assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []
