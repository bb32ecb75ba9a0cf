from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from config.loop.claims import Claim, judge
from config.loop.outcomes import Outcome
from config.loop.report import Report
from config.loop.terms import Terms
from tests.config.loop.made import result

TERMS = Terms(images="i.zip", model="m.toml", violating=("ship", "airplane"), rounds=3)
LEARNS, IDLES, FORGETS = (0.8, 1.4, 2.0), (1.4, 1.4, 1.4), (0.8, 2.0, 0.8)


def outcomes(runs: Sequence[Mapping[str, Any]]) -> dict[str, Outcome]:
    names = dict.fromkeys(str(run["strategy"]) for run in runs)
    return {name: Outcome.of([run for run in runs if run["strategy"] == name], TERMS) for name in names}


def judged(*runs: Mapping[str, Any]) -> list[Claim]:
    return judge(outcomes(runs), runs, TERMS)


def both(first: Sequence[float], second: Sequence[float]) -> list[Mapping[str, Any]]:
    return [
        result(apart, strategy=name, seed=seed)
        for seed in (1, 2)
        for name, apart in (("uncertainty", first), ("random", second))
    ]


def test_all_claims_hold_of_a_loop_that_learns() -> None:
    claims = judged(*both(LEARNS, (0.8, 1.0, 1.4)))
    assert len(claims) == 5
    assert all(one.holds for one in claims), claims
    assert claims[1].found.count("%") == 3 + 2 + 2  # the means, what they fell by, its interval, and each of two seeds


@pytest.mark.parametrize("apart", [IDLES, FORGETS])
def test_a_loop_that_does_not_learn_is_told_so(apart: Sequence[float]) -> None:
    rises, falls, *_rest = judged(result(apart))
    assert not rises.holds
    assert not falls.holds


def test_a_round_that_forgets_is_named() -> None:
    assert "round 3 is worse" in judged(result((0.4, 2.0, 1.0)))[0].found


def test_random_sampling_may_win() -> None:
    beats = judged(*both((0.8, 1.0, 1.4), LEARNS))[2]
    assert beats.words.startswith("Uncertainty sampling beats")
    assert not beats.holds


def test_a_house_that_certifies_otherwise_is_named() -> None:
    run = result(LEARNS)
    run["certificate"]["share"] -= 0.1
    alike = judged(run)[2]
    assert not alike.holds
    assert "uncertainty 1" in alike.found


def test_a_broken_audit_chain_fails() -> None:
    assert not judged(result(LEARNS) | {"audit": {"events": 9, "breaks": 1}})[-1].holds


def test_the_report_says_the_same_everywhere(tmp_path: Path) -> None:
    runs = both(LEARNS, IDLES)
    found = outcomes(runs)
    claims = judge(found, runs, TERMS)
    report = Report(
        terms=TERMS,
        outcomes=found,
        claims=claims,
        runs=runs,
        files={"i.zip": "0" * 64},
        recipe="{}",
        made_at="2026-01-01T00:00:00+00:00",
        command="manage.py loop_experiment",
    )

    report.write(tmp_path)

    said = json.loads((tmp_path / "report.json").read_text())
    rows = list(csv.DictReader((tmp_path / "curves.csv").read_text().splitlines()))
    words = (tmp_path / "report.md").read_text()
    assert len(rows) == 2 * 2 * 3  # strategies, seeds, rounds
    mean = said["strategies"]["uncertainty"]["auc"]["mean"]
    of_last = [float(row["auc"]) for row in rows if (row["strategy"], row["round"]) == ("uncertainty", "3")]
    assert mean[-1] == pytest.approx(sum(of_last) / 2, abs=1e-6)
    assert f"{mean[-1]:.3f} [" in words
    assert all(one.found in words for one in claims)
    for chart in ("auc.svg", "load.svg"):
        assert f"]({chart})" in words
        picture = ET.parse(tmp_path / chart).getroot()
        titles = [one.text or "" for one in picture.iter("{http://www.w3.org/2000/svg}title")]
        assert len([one for one in titles if ": " in one]) == 2 * 3  # a point a strategy and round, with its number
    assert any(f"{mean[-1]:.4f}" in (one.text or "") for one in ET.parse(tmp_path / "auc.svg").iter())
