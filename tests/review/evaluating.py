"""How the tests of evaluation arrange things: images with declared groups, a data set of their labels, two versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from classifiers import manifests
from classifiers.models import ClassifierVersion
from moderation.actors import Actor
from moderation.models import Client, Submission, TriagePlan
from review.evaluations import measuring, orders
from review.models import Dataset, Evaluation
from tests import world

CODE = "WEAPONS_DANGEROUS"
LANGUAGES = ("de", "fr")
ALL: dict[str, Any] = {
    "tolerance": 0.05,
    "slices": ["language"],
    "calibration": 0.2,
    "fairness": {"equal_opportunity": 0.5, "disparate_impact": 0.5},
    "groups": ["language"],
    "alpha": 0.2,
    "delta": 0.2,
}
NOISE = {"de": 0.10, "fr": 0.22}


def images(platform: Client, count: int) -> list[Submission]:
    """Rows as the door and triage would have left them, every other of a language; their files are nobody's concern
    here.
    """
    like = world.triaged(platform, world.png(red=0.5), context={"language": "de"})
    rows = [
        Submission(
            **{
                field.attname: getattr(like, field.attname)
                for field in Submission._meta.concrete_fields
                if field.attname not in {"id", "external_id", "context", "cluster", "territories", "created_at"}
            },
            external_id=f"e-{at}",
            context={"language": LANGUAGES[at % 2], "style": "photo" if at % 4 < 2 else "drawing"},
            territories=["DE", "FR"] if at % 3 == 0 else ["DE"],
        )
        for at in range(count)
    ]
    return Submission.objects.bulk_create(rows)


def dataset(rows: list[Submission], *, backbone: str, name: str = "set", seed: int = 0) -> Dataset:
    """Labels of these images, half of them violating, with embeddings of three numbers: the first tells the label, less
    clearly in French; the second tells it a little; the third says nothing. Two fifths are for test.
    """
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, len(rows))
    noise = np.array([NOISE[row.context["language"]] for row in rows])
    vectors = np.stack(
        [
            0.5 + (label - 0.5) * 0.6 + rng.normal(0, noise),
            0.5 + (label - 0.5) * 0.2 + rng.normal(0, 0.2, len(rows)),
            rng.random(len(rows)),
        ],
        axis=1,
    ).astype(np.float32)
    folder = Path(settings.DATASETS_DIR) / name

    def lines() -> Iterator[manifests.Row]:
        for at, row in enumerate(rows):
            yield manifests.Row(
                submission_id=str(row.pk),
                image=row.working,
                sha256=f"{at:064d}",
                generator="flux" if at % 3 else "sdxl",
                category=CODE,
                severity=2 * int(label[at]),
                label=int(label[at]),
                source="human",
                weight=1.0,
                cluster_id=str(row.pk),
                split=("train", "train", "validation", "test", "test")[at % 5],
                embedding_ref=at,
            )

    manifest = manifests.write(lines(), folder, embeddings=vectors, query={"backbone": backbone})
    return Dataset.objects.create(
        fingerprint=manifest.fingerprint, rows=len(manifest), query=dict(manifest.index["query"]), folder=name
    )


def versions(folder: Path) -> tuple[ClassifierVersion, ClassifierVersion]:
    """(candidate, incumbent): the first reads the clear number, the second the dim one. Both say the same categories
    as the eyes, and harmless of all but one.
    """
    eyes = ClassifierVersion.objects.get(name="colour-eyes", version="1")
    return head(folder, eyes, [9.0, 0, 0, -4.5], "2"), head(folder, eyes, [0, 6.0, 0, -3.0], "1")


def head(folder: Path, eyes: ClassifierVersion, row: list[float], version: str) -> ClassifierVersion:
    rows: Mapping[str, Any] = {CODE: row, "REGULATED": [0, 0, 0, -4.0], "PRIVACY": [0, 0, 0, -4.0]}
    return world.heads(folder, eyes, rows, version=version)


def taught(version: ClassifierVersion, number: str, by: Dataset, **card: Any) -> ClassifierVersion:
    """The same weights, as a version of its own that says which data set taught it."""
    kept = {field.attname: getattr(version, field.attname) for field in ClassifierVersion._meta.concrete_fields}
    del kept["id"]
    kept |= {"version": number, "manifest_fingerprint": by.fingerprint, "card": {**version.card, **card}}
    return ClassifierVersion.objects.create(**kept)


def publish(ref: str, said: dict[str, Any], **bands: Any) -> TriagePlan:
    """A plan that pins it, under these gates from then on."""
    laid = {**world.BANDS, **bands}
    more: dict[str, Any] = {"gates": said} if said else {}
    return world.publish(ref, bands=laid, **more)


def evaluated(candidate: ClassifierVersion, data: Dataset, **terms: Any) -> Evaluation:
    """Measured on the test split, against its counterpart; few resamples, to be quick."""
    against = orders.counterpart(candidate)
    plan = TriagePlan.objects.in_force()
    found = measuring.Terms(**{"alpha": 0.2, "delta": 0.2, "plan": plan, "replicates": 20, **terms})
    figures = orders.figures(candidate, against, dataset=data, split="test", terms=found)
    return orders.keep(figures, candidate, against, dataset=data, split="test", actor=Actor.command("test"))
