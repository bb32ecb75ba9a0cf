"""A draft against the plan in force over the stored findings: what changes band, where, and who would look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np
from django.db import connection

from moderation.plans import Plan, Zone
from moderation.routing import Action
from moderation.simulation.history import MOST, History, Window, declared, read_in, uuid_array
from moderation.simulation.places import Declared, swept_everywhere
from moderation.simulation.sweep import ACTIONS, REVIEW, UNSEEN, ZONES, Sweep

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moderation.simulation.columns import Flags
    from moderation.simulation.sweep import Codes

SLICES: Final = 50
# What moves, by what was declared of it. One pass for both: where a million move, the table is read once.
SLICED: Final = """
WITH moved AS (
    SELECT moved.move, submission.generator ->> 'name' AS generator, submission.territories
    FROM unnest(%s::uuid[], %s::int[]) AS moved (id, move)
    JOIN moderation_submission submission ON submission.id = moved.id
)
SELECT 'generator', coalesce(generator, ''), move, count(*) FROM moved GROUP BY 2, 3
UNION ALL
SELECT 'territory', coalesce(territory, ''), move, count(*)
FROM moved LEFT JOIN LATERAL unnest(territories) AS territory ON true GROUP BY 2, 3
"""


@dataclass(frozen=True, slots=True)
class CategoryChange:
    """One category over all images: how many lie in each zone before and after, and how many go from which to which;
    "" where nobody scored it, or the plan has no band for it.
    """

    category: str
    before: Counter[Zone]
    after: Counter[Zone]
    moves: Counter[tuple[str, str]]

    @property
    def moved(self) -> int:
        return self.moves.total()


@dataclass(frozen=True, slots=True)
class SliceChange:
    """The images of one generator, or for one territory, that go elsewhere. It counts in each of its territories."""

    name: str
    moves: Counter[tuple[Action, Action]]

    @property
    def moved(self) -> int:
        return self.moves.total()


@dataclass(frozen=True, slots=True)
class Comparison:
    """N images under two plans. `images` are judged by both; on `unseen` more, a pinned version has nothing stored."""

    history: History
    before: Sweep
    after: Sweep
    judged: Flags
    moved: NDArray[np.intp]
    actions_before: Counter[Action]
    actions_after: Counter[Action]
    moves: Counter[tuple[Action, Action]]
    categories: Sequence[CategoryChange]
    generators: Sequence[SliceChange] = field(default_factory=list)
    territories: Sequence[SliceChange] = field(default_factory=list)

    @property
    def images(self) -> int:
        return int(self.judged.sum())

    @property
    def unseen(self) -> int:
        return len(self.history) - self.images

    @property
    def by_hand(self) -> int:
        """How many images were too particular for columns, and went through `route` one by one."""
        return max(self.before.by_hand, self.after.by_hand)

    def to_people(self) -> tuple[Counter[str], Counter[str]]:
        """How many images go to people before and after, by the category that stands out ("" where none does)."""
        return of_category(self.before, self.judged), of_category(self.after, self.judged)


def compare(before: Plan | None, after: Plan, *, last: int = MOST) -> Comparison:
    """The newest `last` triaged images under both plans. No image is opened and nothing is written."""
    return compare_in(Window.newest(last), before, after)


def compare_in(window: Window, before: Plan | None, after: Plan) -> Comparison:
    refs = [*after.classifiers, *(before.classifiers if before else ())]
    history = read_in(window, list(dict.fromkeys(refs)))
    overlaid = after.overlays or (before.overlays if before else ())
    return compared(history, before, after, declared(history, window) if overlaid else None)


def compared(history: History, before: Plan | None, after: Plan, shown: Declared | None = None) -> Comparison:
    old = swept_everywhere(history.voices, before, len(history), shown)
    plain = (before, old) if before and not before.overlays else None
    new = swept_everywhere(history.voices, after, len(history), shown, over=plain)
    judged = (old.actions != UNSEEN) & (new.actions != UNSEEN)
    pairs = np.bincount((old.actions[judged] * 4 + new.actions[judged]).astype(np.intp), minlength=16)
    table: dict[tuple[Action, Action], int] = {
        (one, other): int(pairs[4 * row + column])
        for row, one in enumerate(ACTIONS)
        for column, other in enumerate(ACTIONS)
    }
    moved = np.flatnonzero(judged & (old.actions != new.actions))
    slices = sliced(history, old, new, moved)
    return Comparison(
        history,
        old,
        new,
        judged,
        moved,
        Counter({one: sum(n for (a, _b), n in table.items() if a == one) for one in ACTIONS}),
        Counter({one: sum(n for (_a, b), n in table.items() if b == one) for one in ACTIONS}),
        Counter({pair: n for pair, n in table.items() if n and pair[0] != pair[1]}),
        [change(code, old, new, judged) for code in sorted({*old.zones, *new.zones})],
        slices["generator"],
        slices["territory"],
    )


def change(code: str, old: Sweep, new: Sweep, judged: Flags) -> CategoryChange:
    side = zones_of(old, code, judged)
    if old.zones.get(code) is new.zones.get(code):
        counted = Counter(dict(zip(ZONES, np.bincount(side, minlength=4)[1:].tolist(), strict=True)))
        return CategoryChange(code, counted, counted, Counter())
    pairs = np.bincount((side * np.int8(4) + zones_of(new, code, judged)).astype(np.intp), minlength=16).reshape(4, 4)
    names = ("", *ZONES)
    moves = {(names[a], names[b]): int(pairs[a, b]) for a in range(4) for b in range(4) if a != b and pairs[a, b]}
    before, after = (Counter(dict(zip(ZONES, pairs.sum(axis=axis)[1:].tolist(), strict=True))) for axis in (1, 0))
    return CategoryChange(code, before, after, Counter(moves))


def zones_of(sweep: Sweep, code: str, judged: Flags) -> Codes:
    """1 and up, in the order of ZONES; 0 where there is none."""
    if code not in sweep.zones:
        return np.zeros(np.count_nonzero(judged), np.int8)
    column = sweep.zones[code]
    found: Codes = (column if judged.all() else column[judged]) + np.int8(1)
    return found


def of_category(sweep: Sweep, judged: Flags) -> Counter[str]:
    chosen = sweep.categories[judged & (sweep.actions == REVIEW)].astype(np.intp) + 1
    counts = np.bincount(chosen, minlength=len(sweep.names) + 1).tolist()
    return Counter({name: count for name, count in zip(("", *sweep.names), counts, strict=True) if count})


def sliced(history: History, old: Sweep, new: Sweep, moved: NDArray[np.intp]) -> dict[str, list[SliceChange]]:
    """What moves by generator and by territory, those with most first, at most SLICES of each."""
    found: dict[str, dict[str, Counter[tuple[Action, Action]]]] = {"generator": {}, "territory": {}}
    if len(moved):
        codes = (old.actions[moved].astype(np.intp) * 4 + new.actions[moved]).tolist()
        with connection.cursor() as cursor:
            cursor.execute(SLICED, [uuid_array(history.keys[moved]), codes])
            for kind, name, code, count in cursor.fetchall():
                moves = found[kind].setdefault(name, Counter())
                moves[ACTIONS[code // 4], ACTIONS[code % 4]] = count
    return {
        kind: sorted(
            (SliceChange(name, moves) for name, moves in slices.items()), key=lambda one: (-one.moved, one.name)
        )[:SLICES]
        for kind, slices in found.items()
    }


def as_json(found: Comparison) -> dict[str, Any]:
    """The counts, for programs."""
    return {
        "images": found.images,
        "unseen": found.unseen,
        "moved": len(found.moved),
        "routes": {
            action: {"before": found.actions_before[action], "after": found.actions_after[action]}
            for action in get_args(Action)
        },
        "moves": told(found.moves),
        "categories": [
            {
                "category": one.category,
                "before": {zone: one.before[zone] for zone in ZONES},
                "after": {zone: one.after[zone] for zone in ZONES},
                "moved": one.moved,
                "moves": told(one.moves),
            }
            for one in found.categories
        ],
        "generators": [
            {"generator": one.name, "moved": one.moved, "moves": told(one.moves)} for one in found.generators
        ],
        "territories": [
            {"territory": one.name, "moved": one.moved, "moves": told(one.moves)} for one in found.territories
        ],
    }


def told(moves: Counter[Any]) -> list[dict[str, Any]]:
    return [{"from": old, "to": new, "images": count} for (old, new), count in moves.most_common()]
