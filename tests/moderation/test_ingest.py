from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import IntegrityError, connection

from moderation import audit, images, ingest
from moderation.actors import Actor
from moderation.images import UnacceptableImage
from moderation.ingest import Accepted, Conflict, Declared, UnacceptableFields
from moderation.models import AuditEvent, Client, Submission
from tests.moderation.pictures import bomb, encoded, picture
from tests.world import png

pytestmark = pytest.mark.django_db
ACTOR = Actor.command("test")


def accept(client: Client, image: bytes, **fields: Any) -> Accepted:
    return ingest.accept(client, image, fields=Declared(**fields), actor=ACTOR)


def stored() -> list[str]:
    """Every file in the stores, by name."""
    found = []
    for room in ("originals", "derivatives"):
        root = Path(storages[room].path(""))
        found += [f"{room}/{path.relative_to(root)}" for path in root.rglob("*") if path.is_file()]
    return sorted(found)


def test_an_accepted_image_is_stored_with_its_derivatives(platform: Client) -> None:
    image = encoded(picture(2000, 1000), "JPEG", quality=90)

    row = accept(platform, image, prompt="a gradient").submission

    row.refresh_from_db()
    with storages["originals"].open(row.original) as original:
        assert original.read() == image
    facts = images.verify(image, max_bytes=2**25, max_pixels=10**8)
    with storages["derivatives"].open(row.working) as working, storages["derivatives"].open(row.blurred) as blurred:
        assert (working.read(), blurred.read()) == (facts.working, facts.blurred)
    assert row.original == f"{platform.pk.hex}/{row.sha256[:2]}/{row.sha256}"
    assert (row.width, row.height, row.media_type, row.byte_size) == (2000, 1000, "image/jpeg", len(image))
    assert (row.status, row.prompt, row.attempts) == ("received", "a gradient", 0)


def test_the_arrival_is_on_the_record(platform: Client) -> None:
    row = accept(platform, png(red=0.5), external_id="a-1").submission

    (event,) = audit.events_of(audit.submission(row.pk))
    assert (event.action, event.data["external_id"], event.data["sha256"]) == ("submission.received", "a-1", row.sha256)


def test_files_are_for_this_account_alone(platform: Client) -> None:
    row = accept(platform, png()).submission

    mode = Path(storages["originals"].path(row.original)).stat().st_mode

    assert mode & 0o777 == 0o600


def test_the_same_bytes_twice_are_one_file_and_two_submissions(platform: Client) -> None:
    first = accept(platform, png(), external_id="a-1").submission

    second = accept(platform, png(), external_id="a-2").submission

    assert first.pk != second.pk
    assert first.original == second.original
    assert len(stored()) == 3


def test_clients_share_no_files(platform: Client, other_platform: Client) -> None:
    accept(platform, png())

    accept(other_platform, png())

    assert len(stored()) == 6


def test_an_external_id_sent_again_is_the_same_submission(platform: Client) -> None:
    first = accept(platform, png(), external_id="a-1")

    again = accept(platform, png(), external_id="a-1")

    assert (first.created, again.created) == (True, False)
    assert again.submission == first.submission
    assert AuditEvent.objects.count() == 1


def test_an_external_id_taken_by_other_bytes_is_a_conflict(platform: Client) -> None:
    existing = accept(platform, png(), external_id="a-1").submission
    before = stored()

    with pytest.raises(Conflict) as caught:
        accept(platform, png(red=1), external_id="a-1")

    assert caught.value.existing == existing
    assert stored() == before


@pytest.mark.parametrize(
    "image", [b"", b"text", bomb(), encoded(picture(), "PNG")[:500], encoded(picture(1, 1), "PNG")]
)
def test_what_is_refused_leaves_nothing_behind(platform: Client, image: bytes) -> None:
    with pytest.raises(UnacceptableImage):
        accept(platform, image)

    assert stored() == []
    assert not Submission.objects.exists()
    assert not AuditEvent.objects.exists()


def refuse_audit() -> Iterator[None]:
    """The database itself refuses audit rows, as a full disk would: the failure comes last, after the files."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE moderation_auditevent ADD CONSTRAINT refuse CHECK (false) NOT VALID")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE moderation_auditevent DROP CONSTRAINT refuse")


@pytest.fixture
def no_audit(db: None) -> Iterator[None]:
    yield from refuse_audit()


def test_a_failure_at_the_last_step_leaves_nothing_behind(platform: Client, no_audit: None) -> None:
    with pytest.raises(IntegrityError, match="refuse"):
        accept(platform, png())

    assert stored() == []
    assert not Submission.objects.exists()


def test_a_failure_does_not_take_the_files_another_submission_uses(platform: Client) -> None:
    accept(platform, png(), external_id="a-1")
    before = stored()
    failing = refuse_audit()
    next(failing)

    with pytest.raises(IntegrityError, match="refuse"):
        accept(platform, png(), external_id="a-2")

    next(failing, None)
    assert stored() == before


def test_a_full_disk_leaves_nothing_behind(platform: Client) -> None:
    """The derivatives' folder cannot be made, where a file stands in its place; the original was written before."""
    root = Path(storages["derivatives"].path(""))
    root.mkdir(parents=True)
    (root / platform.pk.hex).write_text("in the way")

    with pytest.raises(OSError, match=r"exist|Not a directory"):
        accept(platform, png())

    assert stored() == [f"derivatives/{platform.pk.hex}"]
    assert not Submission.objects.exists()


def test_a_piece_that_a_crash_left_is_replaced(platform: Client) -> None:
    row = accept(platform, png(), external_id="a-1").submission
    path = Path(storages["originals"].path(row.original))
    path.write_bytes(png()[:100])

    accept(platform, png(), external_id="a-2")

    assert path.read_bytes() == png()


def race(attempts: list[Callable[[], Any]]) -> list[Any]:
    """All at once, each in a thread with a connection of its own; results or exceptions, in order."""
    results: list[Any] = [None] * len(attempts)
    start = threading.Barrier(len(attempts))

    def run(index: int) -> None:
        try:
            start.wait()
            results[index] = attempts[index]()
        except Exception as error:  # noqa: BLE001 - it is a result
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[index]) for index in range(len(attempts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_under_one_external_id_one_is_stored(platform: Client) -> None:
    results = race([lambda: accept(platform, png(), external_id="a-1")] * 6)

    assert sorted(result.created for result in results) == [False] * 5 + [True]
    assert Submission.objects.count() == 1
    assert list(audit.verify()) == []


@pytest.mark.django_db(transaction=True)
def test_of_many_images_at_once_under_one_external_id_one_wins_and_the_rest_conflict(platform: Client) -> None:
    results = race([lambda red=red: accept(platform, png(red=red / 10), external_id="a-1") for red in range(6)])  # type: ignore[misc]

    assert sum(isinstance(result, Accepted) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 5
    assert len(stored()) == 3


@pytest.mark.django_db(transaction=True)
def test_many_at_once_of_the_same_bytes_keep_one_file(platform: Client) -> None:
    results = race([lambda number=number: accept(platform, png(), external_id=str(number)) for number in range(6)])  # type: ignore[misc]

    assert all(result.created for result in results)
    assert len(stored()) == 3
    assert Submission.objects.count() == 6


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"prompt": "a\0b"}, "#/prompt"),
        ({"prompt": "x" * 100_000}, "#/prompt"),
        ({"prompt": 7}, "#/prompt"),
        ({"prompt": "half a pair: \ud800"}, "#/prompt"),
        ({"negative_prompt": "x" * 20_001}, "#/negative_prompt"),
        ({"external_id": "x" * 201}, "#/external_id"),
        ({"external_id": "a\0b"}, "#/external_id"),
        ({"author_ref": ["me"]}, "#/author_ref"),
        ({"surface": "x" * 101}, "#/surface"),
        ({"audience": "everyone"}, "#/audience"),
        ({"audience": ["teen"]}, "#/audience"),
        ({"territories": ["DE", "XX"]}, "#/territories/1"),
        ({"territories": ["de"]}, "#/territories/0"),
        ({"territories": [7]}, "#/territories/0"),
        ({"territories": "DE"}, "#/territories"),
        ({"territories": {"DE": True}}, "#/territories"),
        ({"territories": ["DE"] * 1000}, "#/territories"),
        ({"generator": "sd"}, "#/generator"),
        ({"generator": {"nam/e": "sd"}}, "#/generator/nam~1e"),
        ({"generator": {"name": 1}}, "#/generator/name"),
        ({"generator": {"seed": 1.5}}, "#/generator/seed"),
        ({"generator": {"seed": True}}, "#/generator/seed"),
        ({"generator": {"seed": 10**4000}}, "#/generator/seed"),
        ({"generator": {"parameters": []}}, "#/generator/parameters"),
        ({"generator": {"parameters": {"a": "\0"}}}, "#/generator/parameters"),
        ({"generator": {"parameters": {"a": "x" * 100_000}}}, "#/generator/parameters"),
        ({"context": {"a\0": 1}}, "#/context"),
        ({"context": {"a": float("inf")}}, "#/context"),
        ({"context": {"a": 10**200}}, "#/context"),
        ({"context": {"a": ["\ud800"]}}, "#/context"),
        ({"context": {"a": "x" * 20_000}}, "#/context"),
        ({"context": [1]}, "#/context"),
    ],
)
def test_a_field_that_cannot_be_kept_is_named(fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(UnacceptableFields) as caught:
        Declared(**fields)

    assert [error.pointer for error in caught.value.errors] == [pointer]


def test_all_fields_at_fault_are_named_at_once() -> None:
    with pytest.raises(UnacceptableFields) as caught:
        Declared(prompt="\0", audience="x", territories=["XX", "YY"])

    pointers = [error.pointer for error in caught.value.errors]
    assert pointers == ["#/prompt", "#/audience", "#/territories/0", "#/territories/1"]


def test_deep_nesting_is_refused() -> None:
    nested: Any = 1
    for _level in range(5000):
        nested = [nested]

    with pytest.raises(UnacceptableFields):
        Declared(context={"a": nested})


def test_what_is_within_bounds_is_kept_as_it_is(platform: Client) -> None:
    fields: dict[str, Any] = {
        "external_id": "ü/1",
        "prompt": "  a cat 🐈, \n two lines  ",
        "negative_prompt": "x" * 20_000,
        "generator": {
            "name": "sd",
            "version": "3",
            "seed": 2**63,
            "parameters": {"steps": 20, "cfg": 7.5, "lora": None},
        },
        "author_ref": "user-7",
        "surface": "feed",
        "audience": "medical",
        "territories": ["DE", "BR"],
        "context": {"nested": {"list": [1, "two", None]}},
    }

    row = accept(platform, png(), **fields).submission

    row.refresh_from_db()
    assert {name: getattr(row, name) for name in fields} == fields


def test_names_that_are_no_fields_are_passed_over() -> None:
    said = {"prompt": "x", "status": "approved", "external_id": "", "surface": None}

    assert Declared.from_mapping(said) == Declared(prompt="x")
