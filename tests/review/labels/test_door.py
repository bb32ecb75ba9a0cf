"""What may never leave does not leave, whatever else is true of it: properties of the lowest door."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation.models import Status
from moderation.taxonomy import UNTRAINABLE
from review.labels import door
from review.labels.door import Candidates
from review.labels.queries import Refusal
from review.labels.scores import CODES, PLACE
from review.models import Verdict

# How long an example takes is the machine's affair.
UNHURRIED: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SAID: Final = [None, "", " ", "CC0", "terms of use", "withdrawn", "No", "true", "TRUE ", "false", "0", "x"]
TEXTS: Final = st.sampled_from(SAID)
IMAGE: Final[st.SearchStrategy[dict[str, Any]]] = st.fixed_dictionaries(
    {
        "status": st.sampled_from(Status.values),
        "verdict": st.sampled_from([Verdict.APPROVE.value, Verdict.BLOCK.value]),
        "working": st.sampled_from(["w/1.jpg", ""]),
        "training": TEXTS,
        "consent": TEXTS,
        "licence": TEXTS,
        "consent_basis": TEXTS,
        "barred": st.booleans(),
        "forbidden": st.booleans(),
        "gold": st.booleans(),
        "label": st.lists(st.sampled_from([-1, 0, 1]), min_size=len(CODES), max_size=len(CODES)),
    }
)
# Most of it in order, so that what does leave is tried as well.
GOOD: Final = IMAGE.map(
    lambda one: (
        {**one, "status": "approved", "verdict": "approve", "working": "w/1.jpg", "training": None}
        | {"consent": None, "licence": "CC0", "consent_basis": "terms", "barred": False, "forbidden": False}
        | {"label": [min(value, 0) for value in one["label"]]}
    )
)
FACTS: Final = ("status", "verdict", "working", "training", "consent", "licence", "consent_basis")


def candidates(images: Sequence[dict[str, Any]]) -> Candidates:
    facts = pa.table({name: pa.array([one[name] for one in images], pa.string()) for name in FACTS})
    flags = {name: np.array([one[name] for one in images], np.bool_) for name in ("barred", "forbidden", "gold")}
    label = np.array([one["label"] for one in images], np.int8).reshape(len(images), len(CODES))
    return Candidates(facts, label, **flags)


def said(text: str | None) -> str:
    return (text or "").strip().lower()


@UNHURRIED
@given(st.lists(IMAGE | GOOD, max_size=12), st.booleans())
def test_nothing_leaves_that_may_not(images: list[dict[str, Any]], demand: bool) -> None:
    admitted = door.admit(candidates(images), demand=demand)
    for one, row in zip(images, admitted.label.tolist(), strict=True):
        if all(value == -1 for value in row):
            continue
        assert one["status"] != Status.QUARANTINED
        assert not one["barred"]
        assert not one["forbidden"]
        assert one["working"]
        assert said(one["training"]) in {"", "true", "yes", "1", "allowed"}
        assert said(one["consent"]) not in door.WITHDRAWN
        assert said(one["consent_basis"]) not in door.WITHDRAWN
        assert one["gold"] or (one["verdict"], one["status"]) in {("approve", "approved"), ("block", "blocked")}
        assert not demand or (said(one["licence"]) and said(one["consent_basis"]))
        assert all(row[PLACE[code]] == -1 for code in UNTRAINABLE)


@UNHURRIED
@given(st.lists(IMAGE | GOOD, max_size=12), st.booleans())
def test_what_does_not_leave_is_counted_once_and_nothing_is_invented(
    images: list[dict[str, Any]], demand: bool
) -> None:
    those = candidates(images)
    admitted = door.admit(those, demand=demand)
    left = (admitted.label != -1).any(axis=1)
    labelled = (those.label != -1).any(axis=1)
    only_barred = labelled & ~np.delete(those.label != -1, [PLACE[code] for code in UNTRAINABLE], axis=1).any(axis=1)
    assert admitted.refused.total() + left.sum() <= labelled.sum()
    assert admitted.refused.total() + left.sum() + only_barred.sum() >= labelled.sum()
    assert set(admitted.refused) <= set(Refusal.values)
    assert ((admitted.label == those.label) | (admitted.label == -1)).all()


@UNHURRIED
@given(st.lists(GOOD, min_size=1, max_size=12))
def test_what_may_leave_does(images: list[dict[str, Any]]) -> None:
    those = candidates(images)
    admitted = door.admit(those, demand=True)
    free = [place for code, place in PLACE.items() if code not in UNTRAINABLE]
    assert (admitted.label[:, free] == those.label[:, free]).all()
    assert not admitted.refused


def test_there_is_no_way_around_the_door() -> None:
    """Rows are made of what `select` returns alone, and `select` ends at the door."""
    package = Path(door.__file__).parent
    calls = {
        (path.name, node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", ""))
        for path in [*package.glob("*.py"), *(package.parent / "exports").glob("*.py")]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    }
    assert [name for name, call in calls if call == "admit"] == ["selecting.py"]
    assert [name for name, call in calls if call == "rows_of"] == ["streaming.py"]
    assert [name for name, call in calls if call == "Selected"] == ["selecting.py"]
    assert {name for name, call in calls if call == "copy" and name != "reading.py"} <= {"writing.py", "selecting.py"}
