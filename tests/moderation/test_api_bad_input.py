"""What must not come in through the API: refused with the reason, and nothing stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from moderation.models import AuditEvent, Submission
from moderation.taxonomy import Category
from tests.moderation.callers import SUBMISSIONS, encoded, send, upload, with_key
from tests.moderation.pictures import animation, bomb, picture
from tests.moderation.pictures import encoded as saved
from tests.world import png

pytestmark = pytest.mark.django_db

BAD_IMAGES = {
    "truncated": saved(picture(400, 300), "JPEG")[:-500],
    "empty": b"",
    "not-an-image": b"plain text in a file called cat.jpg",
    "too-small": saved(picture(1, 1), "PNG"),
    "too-many-pixels": bomb(),
    "too-many-frames": animation(200),
}


def nothing_stored() -> bool:
    roots = [Path(storages[room].path("")) for room in ("originals", "derivatives")]
    files = [path for root in roots for path in root.rglob("*") if path.is_file()]
    # The key's own event is on the record; a submission's is not.
    events = AuditEvent.objects.filter(subject__startswith="submission:")
    return not files and not Submission.objects.exists() and not events.exists()


def assert_problem(answer: Any, *, status: int, code: str, pointer: str) -> None:
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "errors", "request_id"}
    assert body["type"] == f"urn:loupe:problem:{code}"
    assert body["status"] == status
    assert body["request_id"] == answer["X-Request-ID"]
    assert [error["pointer"] for error in body["errors"]] == [pointer]
    assert all(error["detail"] for error in body["errors"])


@pytest.mark.parametrize("code", BAD_IMAGES)
@pytest.mark.parametrize("by", [upload, send])
def test_bytes_that_are_no_good_image_are_refused_with_the_reason(api_key: str, by: Any, code: str) -> None:
    answer = by(with_key(api_key), BAD_IMAGES[code], external_id="a-1")

    assert_problem(answer, status=422, code=code, pointer="#/image")
    assert nothing_stored()


@pytest.mark.parametrize("by", [upload, send])
def test_over_the_limit_of_bytes_is_refused(api_key: str, settings: Settings, by: Any) -> None:
    settings.MAX_IMAGE_BYTES = 1000

    answer = by(with_key(api_key), saved(picture(), "PNG"))

    assert_problem(answer, status=422, code="too-many-bytes", pointer="#/image")
    assert nothing_stored()


@pytest.mark.parametrize("by", [upload, send])
@pytest.mark.parametrize("limit", [100, 1000])
def test_far_over_the_limit_is_refused_unread(api_key: str, settings: Settings, by: Any, limit: int) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = limit

    answer = by(with_key(api_key), saved(picture(), "JPEG"))

    assert_problem(answer, status=422, code="too-many-bytes", pointer="#/image")


def test_the_content_type_of_the_part_does_not_matter(api_key: str) -> None:
    answer = upload(with_key(api_key), saved(picture(), "JPEG"), content_type="text/html")

    assert answer.json()["image"]["media_type"] == "image/jpeg"


def test_a_content_type_of_the_request_that_we_do_not_read_is_told(api_key: str) -> None:
    answer = with_key(api_key).post(SUBMISSIONS, png(), content_type="image/png")

    assert answer.status_code == 415
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"prompt": "a\0b"}, "#/prompt"),
        ({"prompt": "x" * 100_000}, "#/prompt"),
        ({"territories": ["DE", "XX"]}, "#/territories/1"),
        ({"audience": "everyone"}, "#/audience"),
        ({"external_id": "x" * 300}, "#/external_id"),
    ],
)
@pytest.mark.parametrize("by", [upload, send])
def test_a_field_that_cannot_be_kept_is_named(api_key: str, by: Any, fields: dict[str, Any], pointer: str) -> None:
    answer = by(with_key(api_key), png(), **fields)

    assert_problem(answer, status=422, code="invalid", pointer=pointer)
    assert nothing_stored()


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"generator": "{"}, "#/generator"),
        ({"generator": "[" * 100_000}, "#/generator"),
        ({"generator": '{"seed": NaN}'}, "#/generator"),
        ({"generator": "[]"}, "#/generator"),
        ({"context": '{"a": "\\u0000"}'}, "#/context"),
        ({"context": '{"a": 1e999}'}, "#/context"),
        ({"territories": "[1"}, "#/territories"),
    ],
)
def test_an_object_in_a_form_must_be_json(api_key: str, fields: dict[str, str], pointer: str) -> None:
    answer = upload(with_key(api_key), png(), **fields)

    assert_problem(answer, status=422, code="invalid", pointer=pointer)
    assert nothing_stored()


@pytest.mark.parametrize("body", ["{", "nothing", "[" * 100_000, '{"image_base64": NaN}', b"\xff\xfe"])
def test_a_body_that_is_no_json_cannot_be_understood(api_key: str, body: str | bytes) -> None:
    answer = with_key(api_key).post(SUBMISSIONS, body, content_type="application/json")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], "#"),
        ("text", "#"),
        ({}, "#/image"),
        ({"image_base64": None}, "#/image"),
        ({"image_base64": "%%%"}, "#/image_base64"),
        ({"image_base64": "ü"}, "#/image_base64"),
        ({"image_base64": 7}, "#/image_base64"),
        ({"image_base64": ["a"]}, "#/image_base64"),
    ],
)
def test_a_body_without_an_image_is_told_so(api_key: str, body: Any, pointer: str) -> None:
    answer = with_key(api_key).post(SUBMISSIONS, body)

    assert_problem(answer, status=422, code="invalid", pointer=pointer)


@pytest.mark.parametrize("form", [{}, {"image": "text, not a file"}, {"prompt": "only words"}])
def test_a_form_without_a_file_is_told_so(api_key: str, form: dict[str, str]) -> None:
    answer = with_key(api_key).post(SUBMISSIONS, form, format="multipart")

    assert_problem(answer, status=422, code="invalid", pointer="#/image")


def test_a_broken_form_cannot_be_understood(api_key: str) -> None:
    answer = with_key(api_key).post(SUBMISSIONS, b"--x\r\n", content_type="multipart/form-data")

    assert answer.status_code == 400


def test_a_form_with_thousands_of_fields_is_refused(api_key: str) -> None:
    form: dict[str, Any] = {f"field-{number}": "x" for number in range(2000)}
    form["image"] = SimpleUploadedFile("image", png())

    answer = with_key(api_key).post(SUBMISSIONS, form, format="multipart")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_in_a_batch_one_bad_item_does_not_sink_the_others(api_key: str) -> None:
    first = send(with_key(api_key), png(), external_id="known").json()
    items: list[Any] = [
        {"image_base64": encoded(png(red=0.5)), "external_id": "new", "prompt": "good"},
        {"image_base64": encoded(png()), "external_id": "known"},
        {"image_base64": encoded(png(red=0.1)), "external_id": "known"},
        {"image_base64": encoded(b"text")},
        {"image_base64": encoded(png()), "territories": ["XX"]},
        {"prompt": "no image"},
        "nonsense",
        None,
        {"image_base64": encoded(png()), "external_id": "last"},
    ]

    answer = with_key(api_key).post(f"{SUBMISSIONS}/batch", {"submissions": items})

    results = answer.json()["results"]
    assert answer.status_code == 200
    assert [result["status"] for result in results] == [202, 200, 409, 422, 422, 422, 422, 422, 202]
    assert [result["submission"]["external_id"] for result in results if result["submission"]] == [
        "new",
        "known",
        "last",
    ]
    assert results[1]["submission"]["id"] == first["id"]
    assert results[3]["problem"]["type"] == "urn:loupe:problem:not-an-image"
    assert results[4]["problem"]["errors"][0]["pointer"] == "#/territories/0"
    assert Submission.objects.count() == 3


@pytest.mark.parametrize("items", [[], "text", None, [{}] * 101])
def test_a_batch_has_one_to_a_hundred_items(api_key: str, items: Any) -> None:
    answer = with_key(api_key).post(f"{SUBMISSIONS}/batch", {"submissions": items})

    assert_problem(answer, status=422, code="invalid", pointer="#/submissions")


def test_a_batch_may_be_a_bare_list(api_key: str) -> None:
    answer = with_key(api_key).post(f"{SUBMISSIONS}/batch", [{"image_base64": encoded(png())}])

    assert [result["status"] for result in answer.json()["results"]] == [202]


def test_a_batch_over_the_limit_of_bytes_is_too_large(api_key: str, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    answer = with_key(api_key).post(f"{SUBMISSIONS}/batch", {"submissions": [{"image_base64": encoded(png())}]})

    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"


def test_problems_never_repeat_what_was_sent(api_key: str) -> None:
    """An error page or a log is no place for a prompt."""
    answer = send(with_key(api_key), png(), prompt="secret words\0", audience="secret audience")

    assert "secret" not in json.dumps(answer.json())
    assert Category.OTHER not in answer.content.decode()
