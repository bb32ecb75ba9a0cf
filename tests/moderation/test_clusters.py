"""Copies find each other at triage, whoever sends them and whichever worker takes them; other pictures do not."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from django.db import connection, transaction
from PIL import Image

from classifiers import registry
from classifiers.hashes import hamming
from moderation.models import Client, Fingerprint, Submission, TriagePlan
from moderation.triage import archive, batch, run_once
from moderation.triage.archive import Archive
from moderation.triage.clusters import CROWD, places
from moderation.triage.joining import Recent, join_clusters, moves_among
from moderation.triage.leases import claim
from moderation.triage.recording import record
from tests import world

Send = Callable[..., Submission]


@pytest.fixture
def send(eyes: TriagePlan, platform: Client) -> Send:
    def triaged(image: Image.Image | bytes, client: Client = platform) -> Submission:
        return world.triaged(client, image if isinstance(image, bytes) else saved(image))

    return triaged


def picture(seed: int, size: int = 512) -> Image.Image:
    """A picture with structure, like no other: smooth noise."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)


def saved(image: Image.Image, *, quality: int = 95) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def test_saved_again_and_at_half_the_size_it_is_the_same_picture(send: Send) -> None:
    first = send(picture(1))
    copies = [send(saved(picture(1), quality=60)), send(picture(1).resize((256, 256))), send(saved(picture(1)))]

    assert first.cluster == first.pk
    assert [one.cluster for one in copies] == [first.pk] * 3


def test_another_picture_is_in_a_cluster_of_its_own(send: Send) -> None:
    found = [send(picture(seed)) for seed in range(12)]

    assert [one.cluster for one in found] == [one.pk for one in found]


def test_copies_within_one_batch_find_each_other(eyes: TriagePlan, platform: Client) -> None:
    sent = [world.submit(platform, saved(picture(seed), quality=quality)) for seed in (1, 2) for quality in (95, 60)]
    assert run_once().claimed == 4

    clusters = dict(Submission.objects.values_list("pk", "cluster"))
    assert [clusters[one.pk] for one in sent] == [sent[0].pk, sent[0].pk, sent[2].pk, sent[2].pk]


def test_copies_find_each_other_across_clients(send: Send, other_platform: Client) -> None:
    first = send(picture(1))

    assert send(saved(picture(1), quality=70), other_platform).cluster == first.pk


def test_flat_pictures_are_copies_only_byte_by_byte(send: Send) -> None:
    red, again, other = send(world.png(red=0.5)), send(world.png(red=0.5)), send(world.png(red=0.5, seed=3))

    assert red.pdq_quality is not None
    assert red.pdq_quality < 50
    assert (again.cluster, other.cluster) == (red.pk, other.pk)
    assert Fingerprint.objects.filter(pdq__isnull=True).count() == 2  # a copy byte by byte adds none


def test_one_between_two_joins_the_older_and_moves_neither(send: Send) -> None:
    """A blend of two pictures that are near it, and not near each other."""
    near = [picture(1), Image.blend(picture(1), picture(2), 0.30), Image.blend(picture(1), picture(2), 0.16)]
    older, younger, between = (send(one) for one in near)
    distances = [hamming(bytes(a.pdq or b""), bytes(b.pdq or b"")) for a, b in ((older, younger), (older, between))]
    distances.append(hamming(bytes(younger.pdq or b""), bytes(between.pdq or b"")))
    assert distances[0] > archive.RADIUS >= max(distances[1:])

    younger.refresh_from_db()
    assert (younger.cluster, between.cluster) == (younger.pk, older.pk)


def test_a_crowd_of_copies_does_not_fill_the_index(send: Send) -> None:
    for quality in range(60, 60 + CROWD + 4):
        send(saved(picture(1), quality=quality))

    assert Fingerprint.objects.count() == CROWD
    assert Submission.objects.values("cluster").distinct().count() == 1


def test_what_was_never_recorded_began_no_cluster(send: Send, platform: Client) -> None:
    late = batch.begin([world.submit(platform, saved(picture(1)))])
    Submission.objects.update(attempts=7)  # another worker has it now
    assert batch.finish(late).settled == 0

    assert Fingerprint.objects.count() == 0


def at_the_same_moment(platform: Client, images: list[bytes]) -> list[Submission]:
    """Each by a worker of its own, none of which sees what the others write."""
    sent = [world.submit(platform, image) for image in images]
    taken = [batch.begin(claim(limit=1, again=False)) for _each in images]
    placed = [batch.judge(one.rows, list(one.looks), None) for one in taken]
    for outcomes, spoken in placed:
        record(outcomes, spoken, plan=None)
    for one in sent:
        one.refresh_from_db()
    return sent


def test_what_two_workers_began_at_once_is_joined_later(guidelines: None, platform: Client) -> None:
    copies = [saved(picture(1), quality=quality) for quality in (95, 80, 60)]
    first, second, third = at_the_same_moment(platform, copies)
    assert len({first.cluster, second.cluster, third.cluster}) == 3
    follower = world.triaged(platform, saved(picture(1), quality=50))

    assert join_clusters() == 2
    assert join_clusters() == 0

    assert set(Submission.objects.values_list("cluster", flat=True)) == {first.pk}
    assert follower.cluster == first.pk


def test_flat_copies_taken_at_once_are_joined_too(guidelines: None, platform: Client) -> None:
    first, _second = at_the_same_moment(platform, [world.png(red=0.5), world.png(red=0.5)])

    assert join_clusters() == 1

    assert set(Submission.objects.values_list("cluster", flat=True)) == {first.pk}


def test_who_was_placed_while_its_cluster_moved_follows(guidelines: None, platform: Client) -> None:
    first, second = at_the_same_moment(platform, [saved(picture(1)), saved(picture(1), quality=60)])
    join_clusters()
    stray = world.triaged(platform, saved(picture(1), quality=50))
    Submission.objects.filter(pk=stray.pk).update(cluster=second.pk)  # read before the move, written after it

    join_clusters()

    stray.refresh_from_db()
    assert stray.cluster == first.pk


def test_joining_leaves_other_pictures_alone(send: Send) -> None:
    found = [send(picture(seed)) for seed in range(5)]

    assert join_clusters() == 0
    assert set(Submission.objects.values_list("cluster", flat=True)) == {one.pk for one in found}


def test_moves_never_run_in_a_circle() -> None:
    a, b = uuid.UUID(int=1), uuid.UUID(int=2)
    rows = [
        Recent(1, bytes(32), None, uuid.uuid4(), b),
        Recent(2, bytes(32), None, a, a),
        Recent(3, bytes(32), None, b, b),
    ]

    assert moves_among(rows) == {a: b}


@pytest.mark.django_db(transaction=True)
def test_a_fingerprint_that_commits_late_is_still_seen(guidelines: None, platform: Client) -> None:
    """The lower number commits after the higher one was read."""
    first, second = (world.submit(platform, saved(picture(seed))) for seed in (1, 2))
    written, commit = Event(), Event()

    def slowly() -> None:
        try:
            with transaction.atomic():
                Fingerprint.objects.create(submission=first, pdq=bytes(32))
                written.set()
                assert commit.wait(30)
        finally:
            connection.close()

    slow = Thread(target=slowly)
    slow.start()
    assert written.wait(30)
    Fingerprint.objects.create(submission=second, pdq=b"\xff" * 32)
    held = Archive(window=100)
    assert held.near([bytes(32)]) == [[]]
    commit.set()
    slow.join(30)

    ((number, distance),) = held.near([bytes(32)])[0]
    assert (number, distance) == (Fingerprint.objects.get(submission=first).pk, 0)
    assert held.missing == {} or number not in held.missing


def test_a_process_that_starts_later_holds_the_same(send: Send) -> None:
    for seed in range(6):
        send(picture(seed))
    held, fresh = archive.of_this_process(), Archive(window=100)
    hashes = [bytes(pdq) for pdq in Fingerprint.objects.order_by("seq").values_list("pdq", flat=True) if pdq]

    assert held.near(hashes) == fresh.near(hashes)
    assert len(fresh.index) == 6


def test_a_full_window_forgets_the_oldest(send: Send) -> None:
    for seed in range(12):
        send(picture(seed))
    held = Archive(window=10)
    oldest, *_rest, newest = (
        bytes(pdq or b"") for pdq in Fingerprint.objects.order_by("seq").values_list("pdq", flat=True)
    )
    assert [len(found) for found in held.near([oldest, newest])] == [0, 1]

    Fingerprint.objects.create(submission=world.submit(Client.objects.get(), world.png()), pdq=bytes(32))
    held.near([newest])

    assert len(held.index) == 9  # full again, it is read anew with room to grow


def test_a_copy_of_what_was_erased_begins_anew(send: Send) -> None:
    erased = send(picture(1))
    Fingerprint.objects.filter(submission=erased).delete()

    copy = send(saved(picture(1), quality=60))

    assert copy.cluster == copy.pk
    assert len(archive.of_this_process().index) == 0  # what is gone is forgotten; the copy comes with the next batch


def test_placing_costs_the_same_queries_whatever_the_batch(
    eyes: TriagePlan, platform: Client, django_assert_max_num_queries: Any
) -> None:
    for seed in range(8):
        world.triaged(platform, saved(picture(seed)))
    for seed in range(16):
        world.submit(platform, saved(picture(seed), quality=60))
        world.submit(platform, world.png(red=0.3, seed=seed % 3))
    rows = claim(limit=32, again=False)
    looks = list(batch.begin(rows).looks)

    with django_assert_max_num_queries(3):
        assert len(places(rows, looks)) == 32


def test_real_photos_join_their_copies_and_nothing_else(send: Send, shared: Path) -> None:
    photos = [Image.open(path).convert("RGB") for path in sorted((shared / "data/photos").glob("*.jpg"))[:10]]
    first = [send(photo) for photo in photos]
    saved_again = [send(saved(photo, quality=60)) for photo in photos]
    halved = [send(photo.resize((photo.width // 2, photo.height // 2))) for photo in photos]

    assert [one.cluster for one in first] == [one.pk for one in first]
    assert [one.cluster for one in saved_again] == [one.pk for one in first]
    assert [one.cluster for one in halved] == [one.pk for one in first]


def test_a_crop_joins_by_its_embedding_where_its_looks_say_nothing(
    guidelines: None, platform: Client, shared: Path
) -> None:
    eyes = registry.register(shared / "models/nsfw_mobilenet_v2.toml")
    world.publish(eyes.ref, bands={code: {"approve": 0.9} for code in eyes.categories})
    photos = [Image.open(path).convert("RGB") for path in sorted((shared / "data/photos").glob("*.jpg"))[:12]]
    first = [world.submit(platform, saved(photo)) for photo in photos]
    crops = [world.submit(platform, saved(cropped(photo))) for photo in photos]
    while run_once().claimed:
        pass

    rows = Submission.objects.in_bulk()
    joined = [(rows[crop.pk], rows[one.pk]) for one, crop in zip(first, crops, strict=True)]
    kept = [(crop, one) for crop, one in joined if crop.cluster == one.pk]
    assert len([1 for crop, one in kept if hamming(bytes(crop.pdq or b""), bytes(one.pdq or b"")) > 31]) >= 3
    assert all(crop.cluster in {one.pk, crop.pk} for crop, one in joined)
    assert all(rows[one.pk].cluster == one.pk for one in first)


def cropped(photo: Image.Image) -> Image.Image:
    across, down = photo.width // 40, photo.height // 40
    return photo.crop((across, down, photo.width - across, photo.height - down))
