"""Overlays by columns: each image by every territory it is served in, and the strictest of the routes is its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moderation.plans import Plan
from moderation.plans.overlays import UNKNOWN, Served
from moderation.simulation.columns import Voice
from moderation.simulation.sweep import UNSEEN, Sweep, swept

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Declared:
    """To whom N images are shown: `cases[which[n]]`."""

    cases: Sequence[Served]
    which: NDArray[np.intp]


def swept_everywhere(
    voices: Mapping[str, Voice],
    plan: Plan | None,
    images: int,
    declared: Declared | None,
    *,
    over: tuple[Plan, Sweep] | None = None,
) -> Sweep:
    """As `route` says with what is declared of each image. Only a plan with overlays asks for that, and then ValueError
    is raised where it is missing.
    """
    if plan is None or not plan.overlays:
        return swept(voices, plan, images, over=over)
    if declared is None:
        raise ValueError("The plan has overlays: to whom each image is shown must be known")
    plans: dict[int, Plan] = {}
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, served in enumerate(declared.cases):
        here = [plan.at(served, place) for place in sorted(served.territories) or [UNKNOWN]]
        plans |= {id(one): one for one in here}
        groups.setdefault(tuple(dict.fromkeys(id(one) for one in here)), []).append(index)
    sweeps = {key: swept(voices, one, images) for key, one in plans.items()}
    return strictest(sweeps, groups, declared.which, images)


def strictest(
    sweeps: Mapping[int, Sweep], groups: Mapping[tuple[int, ...], list[int]], which: NDArray[np.intp], images: int
) -> Sweep:
    """Each image's strictest sweep of those of its group; of equally strict ones the first."""
    names = tuple(sorted({name for one in sweeps.values() for name in one.names}))
    codes = {code for one in sweeps.values() for code in one.zones}
    found = Sweep(
        np.full(images, UNSEEN, np.int8),
        {code: np.full(images, UNSEEN, np.int8) for code in sorted(codes)},
        np.full(images, UNSEEN, np.int16),
        names,
        max((one.by_hand for one in sweeps.values()), default=0),
    )
    for keys, members in groups.items():
        rows = np.flatnonzero(np.isin(which, members))
        for place, key in enumerate(keys):
            one = sweeps[key]
            chosen = rows if not place else rows[one.actions[rows] > found.actions[rows]]
            found.actions[chosen] = one.actions[chosen]
            renamed = np.array([*(names.index(name) for name in one.names), UNSEEN], np.int16)
            found.categories[chosen] = renamed[one.categories[chosen]]
            for code, column in found.zones.items():
                column[chosen] = one.zones[code][chosen] if code in one.zones else UNSEEN
    return found
