"""The one rule that stores a submission: all of it, or nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from functools import cache
from hashlib import sha256
from typing import Final

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import audit, images, metrics
from moderation.actors import Actor
from moderation.images import Verified
from moderation.ingest.declared import Declared
from moderation.models import Client, Status, Submission
from moderation.statements import Columns, prepared

log = logging.getLogger(__name__)
WRITERS: Final = 8  # threads


class Conflict(Exception):
    """The external id is taken by other bytes. Send the new image under an id of its own."""

    def __init__(self, existing: Submission) -> None:
        super().__init__(_("This external_id already names another image. Send a new image under a new id."))
        self.existing = existing


@dataclass(frozen=True, slots=True)
class Accepted:
    """`created` False: the very same was sent before, and this is it."""

    submission: Submission
    created: bool


@dataclass(frozen=True, slots=True)
class Names:
    """Where one client's image lies. Named by content, so the same bytes sent twice are one file."""

    original: str
    working: str
    blurred: str

    @classmethod
    def of(cls, client: Client, sha256: str) -> Names:
        stem = f"{client.pk.hex}/{sha256[:2]}/{sha256}"
        return cls(stem, f"{stem}.working.jpg", f"{stem}.blurred.jpg")


def accept(client: Client, image: bytes, *, fields: Declared, actor: Actor, awaited: bool = False) -> Accepted:
    """Afterwards the image waits for triage, once however often it is sent under one external id; `awaited`, because
    its sender waits for the verdict, before bulk.

    Raises UnacceptableImage, or Conflict when the external id is taken by other bytes; then nothing is stored. The
    caller nudges triage once the transaction is committed.
    """
    outcome = "refused"
    try:
        accepted = taken(client, image, fields=fields, actor=actor, awaited=awaited)
        outcome = "created" if accepted.created else "repeated"
    except Conflict:
        outcome = "conflict"
        raise
    finally:
        metrics.INGESTED.add(outcome=outcome)
    return accepted


def taken(client: Client, image: bytes, *, fields: Declared, actor: Actor, awaited: bool) -> Accepted:
    if (known := sent_before(client, image, fields, awaited=awaited)) is not None:
        return known
    verified = images.verify(image, max_bytes=settings.MAX_IMAGE_BYTES, max_pixels=settings.MAX_IMAGE_PIXELS)
    names = Names.of(client, verified.sha256)
    kept = Kept()
    try:
        with transaction.atomic():
            lock(names)
            with kept.writing(names, image, verified):
                submission = insert(client, names, verified, fields, awaited=awaited)
            audit.record(received(submission, verified, actor))
    except IntegrityError:
        kept.remove_unless_used(names)
        # Another request was faster with this external id, and is committed: before that the constraint waits.
        if (known := sent_before(client, image, fields, awaited=awaited)) is not None:
            return known
        raise
    except BaseException:
        kept.remove_unless_used(names)
        raise
    return Accepted(submission, created=True)


def sent_before(client: Client, image: bytes, fields: Declared, *, awaited: bool) -> Accepted | None:
    """What this external id already names, if anything. Raises Conflict when it is another image."""
    if fields.external_id is None:
        return None
    existing = Submission.objects.of(client).filter(external_id=fields.external_id).first()
    if existing is None:
        return None
    if existing.sha256 != sha256(image).hexdigest():
        raise Conflict(existing)
    if awaited and not existing.awaited:
        Submission.objects.filter(pk=existing.pk, status=Status.RECEIVED).update(awaited=True)
    return Accepted(existing, created=False)


def lock(names: Names) -> None:
    """Until the transaction ends nobody else writes or removes these files."""
    with prepared() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [names.original])


SUBMISSION: Final = Columns.of(Submission)
COLUMNS: Final = SUBMISSION.names()
INSERT: Final = f"INSERT INTO moderation_submission ({COLUMNS}) VALUES ({SUBMISSION.places('new')})"  # noqa: S608


def insert(client: Client, names: Names, verified: Verified, fields: Declared, *, awaited: bool) -> Submission:
    now = timezone.now()
    submission = Submission(
        client=client,
        created_at=now,
        external_id=fields.external_id,
        prompt=fields.prompt,
        negative_prompt=fields.negative_prompt,
        generator=dict(fields.generator),
        author_ref=fields.author_ref,
        surface=fields.surface,
        audience=fields.audience,
        territories=list(dict.fromkeys(fields.territories)),
        context=dict(fields.context),
        sha256=verified.sha256,
        media_type=verified.media_type,
        byte_size=verified.byte_size,
        width=verified.width,
        height=verified.height,
        original=names.original,
        working=names.working,
        blurred=names.blurred,
        awaited=awaited,
        triage_after=now,
    )
    with prepared() as cursor:
        cursor.execute(INSERT, SUBMISSION.filled("new", submission))
    submission._state.adding = False
    return submission


def received(submission: Submission, verified: Verified, actor: Actor) -> audit.Entry:
    data = {
        "client": submission.client.slug,
        "external_id": submission.external_id,
        "sha256": verified.sha256,
        "media_type": verified.media_type,
        "width": verified.width,
        "height": verified.height,
        "frames": verified.frames,
        "byte_size": verified.byte_size,
    }
    return audit.Entry(actor, "submission.received", audit.submission(submission.pk), data)


@cache
def writers() -> ThreadPoolExecutor:
    """This process's."""
    return ThreadPoolExecutor(WRITERS, thread_name_prefix="writer")


@dataclass(slots=True)
class Kept:
    """The files this call wrote, so that a failure can take them back."""

    files: list[tuple[str, str]] = field(default_factory=list)

    @contextmanager
    def writing(self, names: Names, image: bytes, verified: Verified) -> Iterator[None]:
        """The three files are written while the block runs; afterwards they are there. On a bucket the slowest of them
        is waited for, rather than one after the other.
        """
        rooms = ("originals", "derivatives", "derivatives")
        contents = (image, verified.working, verified.blurred)
        files = zip(rooms, astuple(names), contents, strict=True)
        writes = [writers().submit(self.put, *file) for file in files]
        try:
            yield
        finally:
            wait(writes)  # also when the block failed: what was written is taken back, once nobody writes
        for one in writes:
            one.result()

    def put(self, room: str, name: str, data: bytes) -> None:
        """Afterwards the file is there, whole. What already is there stays untouched."""
        storage = storages[room]
        if storage.exists(name):
            if storage.size(name) == len(data):
                return
            storage.delete(name)  # we hold the lock, so nobody is writing it: a crash left a piece of it
        self.files.append((room, name))
        if (saved := storage.save(name, ContentFile(data))) != name:
            self.files[-1] = (room, saved)
            raise FileExistsError(
                f"{room}/{name} appeared while it was locked; is something else writing to the store?"
            )

    def remove_unless_used(self, names: Names) -> None:
        """Take the files back, unless another submission has come to rely on them. Never raises: it follows failure."""
        if not self.files:
            return
        try:
            with transaction.atomic():
                lock(names)
                if not Submission.objects.filter(original=names.original).exists():
                    for room, name in self.files:
                        remove(room, name)
        except Exception:  # the first failure is the one to tell
            log.exception("left behind, used by no submission: %s", self.files)


def remove(room: str, name: str) -> None:
    """One that cannot be taken back keeps no other. Never raises."""
    try:
        storages[room].delete(name)
    except Exception:  # a full or broken disk fails in every way
        log.exception("left behind, used by no submission: %s/%s", room, name)
