from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.loop.oracle import Oracle
from config.loop.pictures import Picture
from config.loop.terms import BadTerms, Run, Terms

TERMS = Terms(images="i.zip", model="m.toml", violating=("ship",), rounds=2, decisions=10)
PICTURES = [Picture(f"{kind}/{n}.jpg", kind, b"") for kind in ("ship", "cat") for n in range(20)]


def test_terms_that_can_be_met_pass() -> None:
    TERMS.check(PICTURES)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"violating": ("boat",)}, "no class 'boat'; there are cat, ship"),
        ({"violating": ()}, "some classes violate"),
        ({"violating": ("cat", "ship")}, "some classes violate"),
        ({"category": "CSAE"}, "nobody may train on CSAE"),
        ({"rounds": 1}, "--rounds"),
        ({"decisions": 20}, "more than the pool of 32"),
        ({"most": 20}, "more than the pool of 16"),
        ({"error": 1.0}, "--error"),
        ({"alpha": 0.0}, "--alpha"),
    ],
)
def test_terms_that_cannot_be_met_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTerms, match=words):
        replace(TERMS, **change).check(PICTURES)


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    run = Run(TERMS, "mix", 3)
    run.write(tmp_path / "run.json")
    assert Run.read(tmp_path / "run.json") == run


def test_the_oracle_is_wrong_as_often_as_said_and_always_about_the_same_pictures() -> None:
    names = [f"ship/{n}.jpg" for n in range(10_000)]
    truth = dict.fromkeys(names, True)
    oracle, other = Oracle(truth, "OTHER", 0.05, seed=1), Oracle(truth, "OTHER", 0.05, seed=2)

    wrong = {name for name in names if oracle.is_wrong(name)}

    assert 400 < len(wrong) < 600  # 500 ± 4.6 standard deviations, and always the same number
    assert wrong == {name for name in names if Oracle(truth, "OTHER", 0.05, seed=1).is_wrong(name)}
    assert wrong != {name for name in names if other.is_wrong(name)}
    assert not any(Oracle(truth, "OTHER", 0.0, seed=1).is_wrong(name) for name in names)


def test_a_run_is_the_same_wherever_its_files_lie_and_another_of_other_files() -> None:
    run = Run(replace(TERMS, made_from="a"), "mix", 3)
    assert Run(replace(run.terms, images="elsewhere.zip"), "mix", 3).is_of(run)
    assert not Run(replace(run.terms, made_from="b"), "mix", 3).is_of(run)
    assert not Run(run.terms, "mix", 4).is_of(run)
