"""What an audit found, as it is kept and as programs read it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from classifiers.label_audits.auditing import Audit

LISTED: Final = 200  # leaks and contradictions that are kept by name; all are counted


def figures(found: Audit, *, in_sample: bool = False) -> dict[str, Any]:
    """{labels, pictures, flagged, references, in_sample, noise[], reviewers[], leaks{}, contradictions{}, balance[]}.
    `in_sample`: the version that judged has learnt from these labels, so it agrees with them more than it should.
    """
    return {
        "labels": found.labels,
        "pictures": found.pictures,
        "flagged": sum(one.flagged for one in found.noise),
        "errors": round(sum(one.errors for one in found.noise), 1),
        "references": found.references,
        "in_sample": in_sample,
        "noise": [asdict(one) for one in found.noise],
        "reviewers": [{"reviewer": one.reviewer, "counts": one.counts} for one in found.told],
        "leaks": {"count": len(found.leaks), "listed": [asdict(one) for one in found.leaks[:LISTED]]},
        "contradictions": {
            "count": len(found.contradictions),
            "listed": [asdict(one) for one in found.contradictions[:LISTED]],
        },
        "balance": [asdict(one) | {"words": one.words} for one in found.balance],
    }
