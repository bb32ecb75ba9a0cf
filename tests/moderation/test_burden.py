"""Reviewer load at equal certified risk: less for the clearer version, all where nothing can be certified."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.evaluations.comparing import CANDIDATE, INCUMBENT
from classifiers.evaluations.samples import Samples
from moderation.certificates import certify
from moderation.certificates.burden import burdens


def drawn(n: int, *, seed: int = 0, spread: tuple[float, float] = (0.1, 0.17)) -> Samples:
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.1).astype(float)
    scores = {
        side: np.clip(rng.normal(0.25 + 0.5 * y, width), 0, 1)
        for side, width in zip((CANDIDATE, INCUMBENT), spread, strict=True)
    }
    return Samples(y, np.ones(n), np.arange(n), scores)


def test_the_load_is_what_the_certificate_leaves() -> None:
    s = drawn(1500)
    found, _less = burdens(s, alpha=0.01, delta=0.05, replicates=5)

    for side, p in s.scores.items():
        one = certify(p, s.label, risk="FOR", alpha=0.01, delta=0.05)
        assert one.threshold is not None
        assert found[side].load == pytest.approx(float((p > one.threshold).mean()))


def test_the_clearer_version_leaves_less_to_people() -> None:
    found, less = burdens(drawn(1500), alpha=0.01, delta=0.05, replicates=40)

    assert less is not None
    assert found[CANDIDATE].load < found[INCUMBENT].load - 0.1
    assert less["verdict"] == "better"
    low, load, high = found[CANDIDATE].low, found[CANDIDATE].load, found[CANDIDATE].high
    assert low is not None
    assert high is not None
    assert low <= load <= high


def test_where_nothing_can_be_certified_all_goes_to_people() -> None:
    found, less = burdens(drawn(100), alpha=0.01, delta=0.05, replicates=5)

    assert less is not None
    assert (found[CANDIDATE].load, found[CANDIDATE].certificate.threshold) == (1.0, None)
    assert (less["value"], less["verdict"]) == (0.0, "same")


def test_one_version_alone_has_nothing_to_differ_from() -> None:
    s = drawn(200)
    found, less = burdens(
        Samples(s.label, s.weight, s.cluster, {CANDIDATE: s.scores[CANDIDATE]}), alpha=0.05, delta=0.1, replicates=5
    )

    assert list(found) == [CANDIDATE]
    assert less is None


def test_weighted_audits_are_certified_by_betting() -> None:
    s = drawn(1500)
    weight = np.where(np.arange(1500) % 3 == 0, 1.0, 5.0)
    found, _less = burdens(Samples(s.label, weight, s.cluster, s.scores), alpha=0.05, delta=0.1, replicates=5)

    assert found[CANDIDATE].certificate.method == "betting"
    assert found[CANDIDATE].load < 1
