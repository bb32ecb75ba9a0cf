from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.wellness.settings import (
    BOUNDS,
    REVEALS,
    Comfort,
    House,
    UnfitSettings,
    comfort_of,
    differing,
    gentleness,
    merged,
)

NAMES = [one.name for one in fields(Comfort)]
VALUES = {
    name: st.sampled_from(REVEALS)
    if name == "reveal"
    else st.booleans()
    if name in {"grey", "muted"}
    else st.integers(*BOUNDS[name])
    for name in NAMES
}
COMFORTS = st.builds(Comfort, **VALUES)
CHOICES = st.fixed_dictionaries({}, optional=VALUES)
HOUSES = st.builds(House, comfort=COMFORTS, floors=st.frozensets(st.sampled_from(NAMES)))


@given(house=HOUSES, chosen=CHOICES)
def test_nobody_goes_below_a_floor(house: House, chosen: dict[str, Any]) -> None:
    effective = merged(house, chosen)
    for name in house.floors:
        assert gentleness(name, getattr(effective, name)) >= gentleness(name, getattr(house.comfort, name))


@given(house=HOUSES, chosen=CHOICES)
def test_a_gentler_choice_always_holds(house: House, chosen: dict[str, Any]) -> None:
    effective = merged(house, chosen)
    for name, value in chosen.items():
        if gentleness(name, value) >= gentleness(name, getattr(house.comfort, name)) or name not in house.floors:
            assert gentleness(name, getattr(effective, name)) == gentleness(name, value)


@given(house=HOUSES, chosen=CHOICES)
def test_who_chose_nothing_has_the_organisations_defaults(house: House, chosen: dict[str, Any]) -> None:
    assert merged(house, {}) == house.comfort
    assert {name: getattr(merged(house, chosen), name) for name in NAMES if name not in chosen} == {
        name: getattr(house.comfort, name) for name in NAMES if name not in chosen
    }


@given(house=HOUSES, chosen=CHOICES)
def test_merging_twice_changes_nothing(house: House, chosen: dict[str, Any]) -> None:
    effective = merged(house, chosen)
    assert merged(house, asdict(effective)) == effective
    assert merged(house, differing(house, asdict(effective))) == effective


@given(house=HOUSES)
def test_an_edition_is_read_as_it_was_written(house: House) -> None:
    assert House.load(house.dump()) == house
    assert "budget" in house.floors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("blur", -1),
        ("blur", 41),
        ("blur", True),
        ("blur", "6"),
        ("reveal", "wink"),
        ("grey", 1),
        ("budget", 0),
        ("thumbnail", 95.5),
    ],
)
def test_a_value_out_of_bounds_is_refused(name: str, value: Any) -> None:
    with pytest.raises(UnfitSettings, match=name):
        comfort_of({name: value})


@pytest.mark.parametrize("weights", [(1, 2, 3), (1, 2, 3, 4, -1), (1, 2, 3, 4, 101)])
def test_weights_are_five_and_sensible(weights: tuple[float, ...]) -> None:
    with pytest.raises(UnfitSettings, match="weights"):
        House(weights=weights)


def test_a_floor_is_one_of_the_settings() -> None:
    with pytest.raises(UnfitSettings, match="floors"):
        House(floors=frozenset({"salary"}))


def test_what_an_edition_does_not_know_yet_has_its_default() -> None:
    assert House.load({"shift": 8, "gone": 1, "comfort": {"blur": 5, "gone": 2}}) == House(
        shift=8, comfort=Comfort(blur=5)
    )
