"""The audit of a label manifest: suspected labels, ranked, with noise rates, and checks of the whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import calibrate, log_loss
from classifiers.evaluation import auc
from classifiers.fitting import Labels, fit, folds, out_of_fold
from classifiers.heads import Heads
from classifiers.label_audits import checks, confident
from classifiers.label_audits.spaces import WHOLE, Neighbours, Space, neighbours, sampled, space
from classifiers.manifests import Manifest
from classifiers.training import Recipe

FOLDS: Final = 5
NEAREST: Final = 10
LEAST_NEAREST: Final = 3
FEWEST: Final = 5  # labels of each class, below which no head can tell which of them is wrong
RIDGES: Final = (100.0, 10.0, 1000.0)
QUICK: Final = 60  # steps of a fit that only has to rank


class CannotAudit(ValueError):
    """These labels cannot be audited. The message says why."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """One label. `probability` that it is 1, by heads that did not see it; `agreement` of its nearest neighbours, None
    where too few have a label; `suspicion` is what it ranks by; `flagged`: confidently the other, and most neighbours
    do not say otherwise.
    """

    submission: str
    category: str
    label: int
    probability: float
    agreement: float | None
    suspicion: float
    flagged: bool


@dataclass(frozen=True, slots=True)
class Noise:
    """Of one category: labels, the confident joint (given, truly), how many are estimated to be wrong, and which share
    of each kind. `auc` is that of the probabilities on the labels as given: the weaker, the more right labels are taken
    for wrong. `audited` is False where labels are too few to tell.
    """

    category: str
    n: int
    positives: int
    audited: bool
    joint: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
    errors: float = 0.0
    missed: float | None = None
    wrongful: float | None = None
    thresholds: tuple[float, float] = (0.0, 0.0)
    auc: float | None = None
    flagged: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What one reviewer's labels were, against what is estimated to be true: [given][truly]. No ranking of people: who
    is given the hard images has the more of them doubted.
    """

    reviewer: str
    counts: tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Audit:
    """Of a manifest. `suspects` are all labels that were audited, most suspect first; `judge`: whose probabilities."""

    judge: str
    labels: int
    pictures: int
    suspects: Sequence[Suspect]
    noise: Sequence[Noise]
    told: Sequence[Told]
    leaks: Sequence[checks.Leak]
    contradictions: Sequence[checks.Contradiction]
    balance: Sequence[checks.Balance]
    references: int


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The known labels of a manifest, and where each picture lies in the file of embeddings."""

    table: checks.Table
    stated: list[str]
    reviewers: list[str]
    stored: NDArray[np.int64]
    fold: NDArray[np.int64]


def audit(manifest: Manifest, *, version: str = "", heads: Heads | None = None, seed: int = 0) -> Audit:
    """Of every category with FEWEST labels of each class: out-of-fold probabilities by heads fitted here, near-
    duplicates in one fold; or those of a `version`'s `heads`, which must not have learnt from these labels, or it
    will agree with them. Repeatable. Raises CannotAudit.
    """
    rows = read(manifest)
    assert manifest.embeddings is not None
    found = space(manifest.embeddings, rows.stored)
    if heads is not None:
        if heads.embedding_size != manifest.embeddings.shape[1]:
            raise CannotAudit(f"{version} reads embeddings of {heads.embedding_size} numbers, these are of other ones")
        probability = {code: one for code, one in _said(manifest, rows, heads).items() if _enough(rows.table, code)}
    else:
        probability = _unseen(found, rows)
    if not probability:
        raise CannotAudit(f"no category has {FEWEST} labels of each class with embeddings: let people decide more")
    near = _near(found, rows, seed)
    suspects, noise, truly = _judged(rows.table, probability, near)
    return Audit(
        judge=version,
        labels=len(rows.table.label),
        pictures=len(rows.table.names),
        suspects=suspects,
        noise=noise,
        told=_told(rows, truly),
        leaks=checks.leaks(rows.table, rows.stated, (near[0].pictures[:, 0], near[0].cosines[:, 0])),
        contradictions=checks.contradictions(rows.table),
        balance=checks.balance(rows.table),
        references=near[0].among,
    )


def read(manifest: Manifest) -> Rows:
    """The rows with a label and an embedding. Raises CannotAudit where there are none."""
    if manifest.embeddings is None:
        raise CannotAudit("the manifest has no embeddings: export it with embeddings")
    label = manifest.column("label").astype(np.float64)
    reference = manifest.column("embedding_ref").astype(np.float64)
    known = np.flatnonzero(~np.isnan(label) & ~np.isnan(reference))
    if not len(known):
        raise CannotAudit("no label of the manifest has an embedding: export it with embeddings")
    stored, first, picture = np.unique(reference[known].astype(np.int64), return_index=True, return_inverse=True)
    first = known[first]
    names, stated, splits, pdq = (
        _texts(manifest, name, first) for name in ("submission_id", "cluster_id", "split", "pdq")
    )
    hashes = [bytes.fromhex(one) if one else None for one in pdq]
    groups = checks.grouped(names, stated, hashes)
    table = checks.Table(
        manifest.column("category").astype(object)[known], label[known].astype(np.int8), picture, names, groups, splits
    )
    given = manifest.table["reviewers"].take(known).to_pylist()
    row_of = np.full(len(manifest), -1, dtype=np.int64)
    row_of[known] = picture
    fold = folds(manifest, row_of, count=FOLDS, purpose="audit")[known]
    # A group may join clusters that PDQ finds too near: then all of it goes where its first one is.
    _groups, leader = np.unique(groups[picture], return_index=True)
    fold = fold[leader][np.searchsorted(_groups, groups[picture])]
    return Rows(table, stated, [str(one[0]) if one else "" for one in given], stored, fold)


def _texts(manifest: Manifest, name: str, rows: NDArray[np.int64]) -> list[str]:
    return [str(one) if one is not None else "" for one in manifest.table[name].take(rows).to_pylist()]


def _enough(table: checks.Table, code: str) -> bool:
    label = table.label[table.category == code]
    return bool(min((label == 1).sum(), (label == 0).sum()) >= FEWEST)


def _said(manifest: Manifest, rows: Rows, heads: Heads) -> dict[str, NDArray[np.float64]]:
    assert manifest.embeddings is not None
    blocks = [rows.stored[at : at + 4096] for at in range(0, len(rows.stored), 4096)]
    said = np.concatenate([heads.apply(manifest.embeddings.rows(block)) for block in blocks]).astype(np.float64)
    table = rows.table
    return {
        code: said[table.picture[table.category == code], k]
        for k, code in enumerate(heads.categories)
        if (table.category == code).any()
    }


def _unseen(found: Space, rows: Rows) -> dict[str, NDArray[np.float64]]:
    """Out-of-fold probabilities of each category's labels. While pictures are few, so that it matters, by the ridge
    whose out-of-fold loss is least.
    """
    table, labels = rows.table, {}
    for code in sorted(set(table.category.tolist())):
        here = table.category == code
        if _enough(table, code):
            label = table.label[here].astype(np.float64)
            labels[str(code)] = Labels(table.picture[here], label, np.ones(len(label)), rows.fold[here])
    best: dict[str, tuple[float, NDArray[np.float64]]] = {}
    for ridge in RIDGES if len(table.names) <= WHOLE else RIDGES[:1]:
        recipe = Recipe(ridge=ridge, iterations=QUICK, balance=0.0)

        def solve(rest: Mapping[str, Labels], _fold: int, *, recipe: Recipe = recipe) -> Mapping[str, Heads]:
            return fit(found.vectors, rest, previous=None, recipe=recipe)

        logits = out_of_fold(found.vectors, labels, solve=solve, count=FOLDS) if labels else {}
        for code, z in logits.items():
            seen = ~np.isnan(z)
            y = labels[code].label
            if min((y[seen] == 1).sum(), (y[seen] == 0).sum()) < 2:
                continue
            p = np.full(len(z), y.mean())  # the rest of its folds held one class only
            p[seen] = calibrate(z[seen], y[seen], method="platt").apply(z[seen])
            loss = log_loss(p, y, np.ones(len(y)))
            if code not in best or loss < best[code][0]:
                best[code] = (loss, p)
    return {code: p for code, (_loss, p) in best.items()}


def _near(found: Space, rows: Rows, seed: int) -> tuple[Neighbours, NDArray[np.float64]]:
    rare = np.zeros(len(rows.table.names), np.bool_)
    rare[rows.table.picture[rows.table.label == 1]] = True
    references, weight = sampled(rare, seed=seed)
    return neighbours(found, rows.table.groups, references, count=NEAREST), weight


def _judged(
    table: checks.Table, probability: Mapping[str, NDArray[np.float64]], near: tuple[Neighbours, NDArray[np.float64]]
) -> tuple[list[Suspect], list[Noise], NDArray[np.int8]]:
    """Suspects, noise, and of each row what it truly is by confident learning, -1 where that is not known."""
    suspects: list[tuple[NDArray[Any], ...]] = []
    noise, truly = [], np.full(len(table.label), -1, np.int8)
    for code in sorted(set(table.category.tolist())):
        here = np.flatnonzero(table.category == code)
        given = table.label[here]
        if code not in probability:
            noise.append(Noise(str(code), len(given), int(given.sum()), audited=False))
            continue
        p = probability[code]
        found = confident.joint(given, p)
        agreement = agreeing(table.picture[here], given, len(table.names), *near)
        sure = confident.self_confidence(given, p)
        suspicion = 1 - np.where(np.isnan(agreement), sure, (sure + agreement) / 2)
        flagged = (found.confidently >= 0) & (found.confidently != given) & ~(agreement > 0.5)
        truly[here] = np.where(found.confidently >= 0, found.confidently, given)
        suspects.append((here, p, agreement, suspicion, flagged))
        noise.append(_noise(str(code), given, found, auc(p, given), int(flagged.sum())))
    rows, p, agreement, suspicion, flagged = (np.concatenate(one) for one in zip(*suspects, strict=True))
    order = np.lexsort((rows, -suspicion))
    ranked = [
        Suspect(
            table.names[table.picture[rows[at]]],
            str(table.category[rows[at]]),
            int(table.label[rows[at]]),
            float(p[at]),
            None if np.isnan(agreement[at]) else float(agreement[at]),
            float(suspicion[at]),
            bool(flagged[at]),
        )
        for at in order
    ]
    return ranked, noise, truly


def _noise(code: str, given: NDArray[np.int8], found: confident.Joint, ranking: float | None, flagged: int) -> Noise:
    (a, b), (c, d) = found.counts.astype(int).tolist()
    low, high = found.thresholds.tolist()
    return Noise(
        code,
        len(given),
        int(given.sum()),
        audited=True,
        joint=((a, b), (c, d)),
        errors=found.errors,
        missed=found.missed,
        wrongful=found.wrongful,
        thresholds=(low, high),
        auc=ranking,
        flagged=flagged,
    )


def agreeing(
    picture: NDArray[np.int64],
    given: NDArray[np.int8],
    pictures: int,
    near: Neighbours,
    weight: NDArray[np.float64],
) -> NDArray[np.float64]:
    """[labels of one category]: the weighed share of the nearest labelled neighbours that have the same label, NaN
    where fewer than LEAST_NEAREST have any.
    """
    label = np.full(pictures + 1, -1, np.int8)  # the last: no neighbour
    label[picture] = given
    others = label[near.pictures[picture]]
    w = np.where(others >= 0, weight[near.pictures[picture]], 0.0)
    total = w.sum(axis=1)
    same = np.where(others == given[:, None], w, 0.0).sum(axis=1)
    known = ((others >= 0).sum(axis=1) >= LEAST_NEAREST) & (total > 0)
    return np.where(known, same / np.maximum(total, 1e-12), np.nan)


def _told(rows: Rows, truly: NDArray[np.int8]) -> list[Told]:
    counts: dict[str, NDArray[np.int64]] = {}
    for who, given, true in zip(rows.reviewers, rows.table.label.tolist(), truly.tolist(), strict=True):
        if who and true >= 0:
            counts.setdefault(who, np.zeros((2, 2), np.int64))[given, true] += 1
    return [
        Told(who, ((int(one[0, 0]), int(one[0, 1])), (int(one[1, 0]), int(one[1, 1]))))
        for who, one in sorted(counts.items())
    ]
