"""An audit of labels finds those that were flipped, and what else is wrong with a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers import splits
from classifiers.heads import Calibration, Heads
from classifiers.label_audits import confident, spaces
from classifiers.label_audits.auditing import Audit, CannotAudit, audit
from classifiers.manifests import Manifest
from tests.classifiers.mislabelled import caught, clouds, flipped, photographs, written


def clouded(
    folder: Path, *, n: int = 1200, share: float = 0.05, seed: int = 0
) -> tuple[Manifest, set[tuple[str, str]]]:
    names, vectors, truth = clouds(n, seed=seed)
    wrong = flipped(truth, share=share, seed=seed + 1)
    return written(folder, names, vectors, truth, wrong), wrong


def test_flipped_labels_of_real_photographs_are_ranked_first(shared: Path, tmp_path: Path) -> None:
    kinds = {"airplane": "WEAPONS_DANGEROUS", "ship": "REGULATED"}
    names, vectors, truth = photographs(shared, kinds, each=60)
    found = []
    for seed in range(3):
        wrong = flipped(truth, share=0.05, seed=seed)
        manifest = written(tmp_path / str(seed), names, vectors, truth, wrong)
        found.append(caught(audit(manifest).suspects, wrong))
    assert np.mean(found) >= 0.7, found


def test_flipped_labels_are_ranked_first_and_counted(tmp_path: Path) -> None:
    manifest, wrong = clouded(tmp_path)
    found = audit(manifest)
    assert caught(found.suspects, wrong) >= 0.9
    assert len(found.suspects) == found.labels == 2400
    assert sum(one.errors for one in found.noise) == pytest.approx(len(wrong), rel=0.3)
    flagged = {(one.submission, one.category) for one in found.suspects if one.flagged}
    assert len(flagged & wrong) / len(flagged) > 0.8  # of those suspected, most are wrong
    assert [one.suspicion for one in found.suspects] == sorted((one.suspicion for one in found.suspects), reverse=True)


def test_labels_that_are_right_are_hardly_suspected(tmp_path: Path) -> None:
    manifest, _wrong = clouded(tmp_path, share=0.0)
    found = audit(manifest)
    assert sum(one.flagged for one in found.suspects) <= 0.01 * found.labels
    assert all(one.auc and one.auc > 0.95 for one in found.noise)


def test_the_same_manifest_is_audited_the_same(tmp_path: Path) -> None:
    manifest, _wrong = clouded(tmp_path, n=300)
    assert audit(manifest) == audit(manifest)


def test_a_version_may_judge_instead(tmp_path: Path) -> None:
    names, vectors, truth = clouds(600)
    wrong = flipped(truth, share=0.05, seed=1)
    manifest = written(tmp_path, names, vectors, truth, wrong)
    right = np.array([truth[name, "HATE"] for name in names], dtype=float)
    weight = np.linalg.lstsq(np.c_[vectors, np.ones(600)], 8 * right - 4, rcond=None)[0].astype(np.float32)
    heads = Heads(("HATE",), weight[None, :-1], weight[-1:], (Calibration(),))
    found = audit(manifest, version="heads@1", heads=heads)
    assert (found.judge, {one.category for one in found.suspects}) == ("heads@1", {"HATE"})
    assert caught(found.suspects, {one for one in wrong if one[1] == "HATE"}) >= 0.9
    with pytest.raises(CannotAudit):
        audit(manifest, version="heads@2", heads=Heads(("HATE",), weight[None, :3], weight[-1:], (Calibration(),)))


def test_copies_do_not_vouch_for_each_other(tmp_path: Path) -> None:
    """A wrong label on four copies of a picture would else be confirmed by three."""
    names, vectors, truth = clouds(400)
    copies = [f"{name}, again {k}" for name in names[:40] for k in range(3)]
    names_all = [*names, *copies]
    vectors = np.concatenate([vectors, np.repeat(vectors[:40], 3, axis=0)])
    truth |= {(copy, code): truth[copy.split(",")[0], code] for copy in copies for code in ("HATE", "PRIVACY")}
    wrong = {label for label in truth if label[0].split(",")[0] in set(names[:10])}
    cluster = [name.split(",")[0] for name in names_all]
    manifest = written(tmp_path, names_all, vectors, truth, wrong, cluster_id=cluster,
                       split=[splits.split_of(one) for one in cluster])  # fmt: skip
    found = audit(manifest)
    assert caught(found.suspects, wrong) >= 0.75
    assert found.leaks == []


def test_a_leak_is_found_by_cluster_by_hash_and_by_embedding(tmp_path: Path) -> None:
    names, vectors, truth = clouds(60)
    vectors[5], vectors[7] = vectors[4], vectors[6]
    rng = np.random.default_rng(0)
    hashes = [rng.bytes(32).hex() for _name in names]
    hashes[9] = hashes[8]
    cluster, split = list(names), ["train"] * 60
    cluster[1] = cluster[0]
    for at in (1, 5, 9):
        split[at] = "test"
    manifest = written(tmp_path, names, vectors, truth, set(), cluster_id=cluster, split=split, pdq=hashes)
    found = audit(manifest)
    assert {(one.by, one.pictures) for one in found.leaks} == {
        ("cluster", (names[0], names[1])),
        ("embedding", (names[4], names[5])),
        ("hash", (names[8], names[9])),
    }
    assert {one.splits for one in found.leaks} == {("test", "train")}


def test_copies_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    names, vectors, truth = clouds(60)
    cluster = list(names)
    cluster[1] = cluster[0]
    truth[names[0], "HATE"], truth[names[1], "HATE"] = 1, 0
    truth[names[0], "PRIVACY"] = truth[names[1], "PRIVACY"] = 0
    found = audit(written(tmp_path, names, vectors, truth, set(), cluster_id=cluster, split=["train"] * 60))
    (one,) = found.contradictions
    assert (one.category, one.violating, one.harmless) == ("HATE", (names[0],), (names[1],))


def test_what_is_too_few_is_said_and_not_audited(tmp_path: Path) -> None:
    names, vectors, truth = clouds(200)
    rare = {(name, "OTHER"): int(at < 2) for at, name in enumerate(names)}
    found = audit(written(tmp_path, names, vectors, truth | rare, set(), split=["train"] * 200))
    by_code = {one.category: one for one in found.noise}
    assert (by_code["OTHER"].audited, by_code["HATE"].audited) == (False, True)
    assert "OTHER" not in {one.category for one in found.suspects}
    balance = {one.category: one for one in found.balance}
    assert (balance["OTHER"].n, balance["OTHER"].positives) == (200, 2)
    assert balance["OTHER"].words == ("train", "validation", "test")
    assert balance["HATE"].words == ("validation", "test")


def test_reviewers_are_told_by_what_their_labels_likely_are(tmp_path: Path) -> None:
    names, vectors, truth = clouds(900)
    wrong = {label for label in flipped(truth, share=0.3, seed=2) if names.index(label[0]) % 3 == 1}
    found = audit(written(tmp_path, names, vectors, truth, wrong))
    doubted = {one.reviewer: (one.counts[0][1] + one.counts[1][0]) / sum(map(sum, one.counts)) for one in found.told}
    assert doubted["reviewer 1"] > 0.15
    assert max(doubted["reviewer 0"], doubted["reviewer 2"]) < 0.1


def test_nothing_to_audit_is_said(tmp_path: Path) -> None:
    names, vectors, truth = clouds(8)
    with pytest.raises(CannotAudit, match="of each class"):
        audit(written(tmp_path, names, vectors, truth, set()))


def test_the_confident_joint_is_as_in_the_paper() -> None:
    """By hand: thresholds are the mean self-confidences 0.6 (of 0) and 0.7 (of 1)."""
    given = np.array([0, 0, 0, 1, 1, 1], np.int8)
    p = np.array([0.1, 0.3, 0.8, 0.9, 0.9, 0.3])
    found = confident.joint(given, p)
    assert found.thresholds == pytest.approx([0.6, 0.7])
    assert found.counts.tolist() == [[2, 1], [1, 2]]
    assert found.errors == pytest.approx(2)
    assert [found.missed, found.wrongful] == pytest.approx([1 / 3, 1 / 3])
    assert confident.margin(given, p) == pytest.approx([0.8, 0.4, -0.6, 0.8, 0.8, -0.4])


def test_many_pictures_are_looked_at_in_fewer_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds for a few holds where principal components and a sample of neighbours stand in."""
    manifest, wrong = clouded(tmp_path, n=1500)
    whole: Audit = audit(manifest)
    monkeypatch.setattr(spaces, "WHOLE", 100)
    monkeypatch.setattr(spaces, "REFERENCES", 400)
    monkeypatch.setattr(spaces, "KEPT", 12)
    found = audit(manifest)
    assert (whole.references, found.references) == (1500, 400)
    assert caught(found.suspects, wrong) >= 0.9
