"""What a version says of labelled pictures, from what is stored: no image is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from classifiers import registry
from classifiers.models import ClassifierVersion
from moderation.models import Embedding, Finding
from review.evaluations.labelled import Labelled, key_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.heads import Heads

CHUNK = 4096


def scores(version: ClassifierVersion, rows: Labelled) -> NDArray[np.float64]:
    """The probability [N] of each row's category, NaN where this version has no word on it.

    Heads read the data set's embeddings where their own backbone made these, else those that triage stored. Any other
    version is taken at the word it gave when it looked, in service or in the shadow. Raises CardError.
    """
    found = np.full(len(rows), np.nan)
    places = {code: at for at, code in enumerate(version.categories)}
    wanted = np.array([code in places for code in rows.category], dtype=bool)
    if version.kind == "heads" and fits(version, rows):
        here = np.flatnonzero(wanted & (rows.reference >= 0))
        by_heads(version, rows, here, found, places)
        wanted[here] = False
    if wanted.any():
        stored(version, rows, np.flatnonzero(wanted), found, places)
    return found


def fits(version: ClassifierVersion, rows: Labelled) -> bool:
    """Whether the data set's embeddings are what these heads read."""
    if rows.embeddings is None or version.backbone is None:
        return False
    stated = rows.backbone in {"", version.backbone.ref}
    return stated and rows.embeddings.shape[1] == version.backbone.embedding_size


def by_heads(
    version: ClassifierVersion,
    rows: Labelled,
    here: NDArray[np.int64],
    found: NDArray[np.float64],
    places: dict[str, int],
) -> None:
    heads = registry.load_heads(version)
    assert rows.embeddings is not None
    for start in range(0, len(here), CHUNK):
        at = here[start : start + CHUNK]
        said = heads.apply(rows.embeddings.rows(rows.reference[at]))
        found[at] = said[np.arange(len(at)), [places[code] for code in rows.category[at]]]


def stored(
    version: ClassifierVersion,
    rows: Labelled,
    here: NDArray[np.int64],
    found: NDArray[np.float64],
    places: dict[str, int],
) -> None:
    for start in range(0, len(here), CHUNK):
        at = here[start : start + CHUNK]
        keys = {key for name in rows.submission[at] if (key := key_of(name)) is not None}
        said = dict(words_of(version, sorted(keys)))
        for row in at:
            key = key_of(rows.submission[row])
            if key in said:
                found[row] = said[key][places[rows.category[row]]]


def words_of(version: ClassifierVersion, keys: Sequence[UUID]) -> Iterator[tuple[UUID, Any]]:
    """Each submission's probabilities, in the order of the version's categories."""
    if version.kind == "heads" and version.backbone is not None:
        seen = Embedding.objects.filter(backbone=version.backbone, submission__in=keys)
        pairs = list(seen.values_list("submission_id", "vector"))
        if pairs:
            vectors = np.array([vector for _key, vector in pairs], dtype=np.float16)
            said = registry.load_heads(version).apply(vectors)
            yield from zip((key for key, _vector in pairs), said, strict=True)
        return
    spoken = Finding.objects.filter(classifier=version, submission__in=keys)
    yield from spoken.values_list("submission_id", "probabilities")


def unchanged(candidate: ClassifierVersion, incumbent: ClassifierVersion | None) -> list[str]:
    """The categories in which both have the very same head on the same backbone: no label is needed to compare them."""
    if incumbent is None or {candidate.kind, incumbent.kind} != {"heads"}:
        return []
    if candidate.backbone_id != incumbent.backbone_id:
        return []
    new, old = registry.load_heads(candidate), registry.load_heads(incumbent)
    return [code for code in candidate.categories if alike(new.pick(code), old.pick(code))]


def alike(one: Heads | None, other: Heads | None) -> bool:
    if one is None or other is None:
        return False
    (mine, said), (theirs, heard) = one.parts(), other.parts()
    same = said == heard and mine.keys() == theirs.keys()
    return same and all(np.array_equal(mine[name], theirs[name]) for name in mine)
