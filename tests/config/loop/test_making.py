"""What an earlier call of the experiment left."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.loop import making
from config.loop.house import copy
from config.loop.terms import Run, Terms

TERMS = Terms(images="i.zip", model="m.toml", violating=("ship",))
STRATEGIES = ("uncertainty", "random")


class Houses:
    """Stands for the processes: each new house has a name of its own."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, run: Run, _spec: Path, folder: Path, result: Path | None = None) -> None:
        self.calls.append(f"{'go' if result else 'begin'} {run.strategy}")
        if result is None:
            folder.mkdir()
            (folder / "name").write_text(f"house {len(self.calls)}")
        else:
            result.write_text(json.dumps({"strategy": run.strategy, "house": (folder / "name").read_text()}))


@pytest.fixture
def houses(monkeypatch: pytest.MonkeyPatch) -> Houses:
    found = Houses()
    monkeypatch.setattr(making, "call", found)
    return found


def made(folder: Path, *, terms: Terms = TERMS, strategies: tuple[str, ...] = STRATEGIES) -> list[dict[str, Any]]:
    return making.made(terms, strategies, 1, folder)


def test_all_strategies_of_a_seed_go_on_from_one_house(tmp_path: Path, houses: Houses) -> None:
    found = made(tmp_path)
    assert houses.calls == ["begin uncertainty", "go uncertainty", "go random"]
    assert [one["strategy"] for one in found] == list(STRATEGIES)
    assert len({one["house"] for one in found}) == 1


def test_what_is_there_is_not_made_again(tmp_path: Path, houses: Houses) -> None:
    first = made(tmp_path)
    houses.calls.clear()
    assert made(tmp_path, terms=replace(TERMS, images="moved/i.zip")) == first
    assert not houses.calls


@pytest.mark.parametrize(
    "terms", [replace(TERMS, error=0.1), replace(TERMS, made_from="other pictures")], ids=["error", "pictures"]
)
def test_other_terms_are_another_experiment(tmp_path: Path, houses: Houses, terms: Terms) -> None:
    first = made(tmp_path)
    assert made(tmp_path, terms=terms)[0]["house"] != first[0]["house"]


def test_results_of_two_houses_are_not_compared(tmp_path: Path, houses: Houses) -> None:
    """A strategy asked for later cannot go on from a house that is gone, so all of that seed are made again."""
    made(tmp_path, strategies=("uncertainty",))
    houses.calls.clear()
    assert len({one["house"] for one in made(tmp_path)}) == 1
    assert len(houses.calls) == 3


def test_a_copied_house_has_the_same_files(tmp_path: Path) -> None:
    (tmp_path / "house" / "postgres").mkdir(parents=True)
    (tmp_path / "house" / "postgres" / "base").write_text("rows")
    (tmp_path / "house" / "latest").symlink_to("postgres/base")
    copy(tmp_path / "house", tmp_path / "again")
    assert (tmp_path / "again" / "postgres" / "base").read_text() == "rows"
    assert (tmp_path / "again" / "latest").is_symlink()
