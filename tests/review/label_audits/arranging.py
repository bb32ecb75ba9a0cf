"""A data set of what one person decided, some of it wrong, whose files are kept here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings

from classifiers import manifests, splits
from classifiers.manifests import Row
from moderation import lifecycle
from moderation.actors import Actor
from moderation.models import Client, Status, Submission, TriagePlan, User
from review.models import Dataset
from tests import world
from tests.review.auditing import CODE, audited

MILD, RED = 0.05, 0.97  # approved and blocked by machine
IMAGES, EACH = 10, 31


def decided(platform: Client, plan: TriagePlan, person: User, *, wrong: int = 3) -> tuple[list[Submission], list[int]]:
    """IMAGES of them, harmless and violating by turns, all audited by this person, who has the first few wrong; and
    what they truly are.
    """
    world.publish(*plan.body["classifiers"], audit_rate=1.0)
    truly = [at % 2 for at in range(IMAGES)]
    said = [1 - one if at < wrong else one for at, one in enumerate(truly)]
    images = audited(platform, person, [RED if one else MILD for one in said], violating=0.5)
    return images, truly


def dataset(images: Sequence[Submission], truly: Sequence[int], person: User, *, wrong: int = 3) -> Dataset:
    """Of what that person said, with embeddings by which the truth shows; for neighbours, thirty pictures of elsewhere
    an image.
    """
    rng, rows = np.random.default_rng(0), []
    vectors: list[np.ndarray] = []
    for at, (image, true) in enumerate(zip(images, truly, strict=True)):
        for copy in range(EACH):
            key = str(image.pk) if not copy else f"elsewhere {at}-{copy}"
            rows.append(
                Row(
                    submission_id=key,
                    category=CODE,
                    label=1 - true if not copy and at < wrong else true,
                    weight=1.0,
                    cluster_id=key,
                    split=splits.split_of(key),
                    embedding_ref=len(vectors),
                    reviewers=[str(person.pk)],
                )
            )
            seen = rng.normal(size=24)
            seen[:8] += (2.5 if copy == 0 else 1.5) * (2 * true - 1)  # the images of this house leave no doubt
            vectors.append(seen)
    folder = Path(settings.DATASETS_DIR) / "audited"
    written = manifests.write(rows, folder, embeddings=np.array(vectors, np.float16))
    return Dataset.objects.create(fingerprint=written.fingerprint, rows=len(rows), query={}, folder="audited")


def hold(submission: UUID) -> None:
    """The image comes under legal hold."""
    row = Submission.objects.get(pk=submission)
    for to in (Status.IN_REVIEW, Status.QUARANTINED):
        lifecycle.move(row, to, actor=Actor.command("test"), reason="a test")
