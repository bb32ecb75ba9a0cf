"""The lowest door: whatever is exported, in whichever format and by whichever command, passes here or does not leave.

Nothing else makes an `Admitted`, and what writes rows or copies images takes nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from moderation.models import Status, Submission
from review.labels.deriving import BARRED, NONE
from review.labels.queries import Refusal
from review.labels.reading import whole
from review.models import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray


SETTLES: Final = {Verdict.APPROVE: Status.APPROVED, Verdict.BLOCK: Status.BLOCKED}
YES: Final = ("true", "yes", "1", "allowed")
WITHDRAWN: Final = ("withdrawn", "refused", "denied", "none", "no", "false")


@dataclass(frozen=True, eq=False)
class Candidates:
    """N images that might leave. `facts`, one row an image: status, verdict, working, training, consent, licence,
    consent_basis; all texts, null where nothing was said. `label` [N, C] as in `deriving`; `barred` and `forbidden`
    [N]; `gold` [N]: answered by a gold item, whose image need not stand where it says.
    """

    facts: pa.Table
    label: NDArray[np.int8]
    barred: NDArray[np.bool_]
    forbidden: NDArray[np.bool_]
    gold: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Admitted:
    """What may leave of N candidates: `label` [N, C] is -1 for all that may not; `refused` counts the images that may
    not, by Refusal.
    """

    label: NDArray[np.int8]
    refused: Counter[str]


def admit(those: Candidates, *, demand: bool) -> Admitted:
    """`demand`: nothing leaves without a licence and a basis of consent. Images without any label are not counted."""
    label = np.where(BARRED[None, :], NONE, those.label).astype(np.int8)
    open_ = np.ones(len(label), np.bool_)
    refused = Counter[str]()
    labelled = (those.label != NONE).any(axis=1)
    for refusal, holds in reasons(those, demand=demand):
        hit = open_ & holds
        refused[refusal.value] += int((hit & labelled).sum())
        open_ &= ~holds
    label[~open_] = NONE
    return Admitted(label, +refused)


def reasons(those: Candidates, *, demand: bool) -> Sequence[tuple[Refusal, NDArray[np.bool_]]]:
    facts = those.facts
    status, verdict = Said.of(facts["status"]), Said.of(facts["verdict"])
    basis, training = Said.freely(facts["consent_basis"]), Said.freely(facts["training"])
    settled = status.within(tuple(SETTLES.values()))
    agrees = np.zeros(len(settled), np.bool_)
    for one, to in SETTLES.items():
        agrees |= verdict.within((one,)) & status.within((to,))
    opted_out = Said.freely(facts["consent"]).within(WITHDRAWN) | basis.within(WITHDRAWN)
    opted_out |= ~training.blank() & ~training.within(YES)
    found = [
        (Refusal.QUARANTINED, status.within((Status.QUARANTINED,))),
        (Refusal.UNTRAINABLE, those.barred | (those.label[:, BARRED] == 1).any(axis=1)),
        (Refusal.OPTED_OUT, opted_out | those.forbidden),
        (Refusal.ERASED, blank(facts["working"])),
        (Refusal.OPEN, ~settled & ~those.gold),
        (Refusal.OVERTURNED, ~agrees & ~those.gold),
    ]
    if demand:
        found += [
            (Refusal.NO_LICENCE, Said.freely(facts["licence"]).blank()),
            (Refusal.NO_CONSENT, basis.blank()),
        ]
    return found


@dataclass(frozen=True, eq=False)
class Said:
    """A column of texts of which few differ, so that each is judged once. `which` [N] is the place of each row's in
    `words`, the last where nothing was said.
    """

    words: Sequence[str | None]
    which: NDArray[np.intp]

    @classmethod
    def of(cls, column: Any) -> Said:
        """As the house writes it."""
        coded = whole(column).dictionary_encode()
        words = coded.dictionary.to_pylist()
        return cls([*words, None], coded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False))

    @classmethod
    def freely(cls, column: Any) -> Said:
        """As people write it: case and space around it say nothing."""
        said = cls.of(column)
        words = pc.utf8_lower(pc.utf8_trim_whitespace(pa.array(said.words, pa.string()))).to_pylist()
        return cls(words, said.which)

    def within(self, values: Sequence[str]) -> NDArray[np.bool_]:
        """Nothing said is within none."""
        known = {str(one) for one in values}
        return np.array([word in known for word in self.words], np.bool_)[self.which]

    def blank(self) -> NDArray[np.bool_]:
        return np.array([not word for word in self.words], np.bool_)[self.which]


def blank(column: Any) -> NDArray[np.bool_]:
    """Of texts that all differ."""
    return truth(pc.equal(pc.utf8_trim_whitespace(pc.fill_null(column, "")), pa.scalar("")))


def truth(flags: Any) -> NDArray[np.bool_]:
    """Nothing known is False."""
    return np.asarray(pc.fill_null(flags, False).to_numpy(), np.bool_)


def withdrawn_since(moment: datetime) -> frozenset[str]:
    """Images, by id, that were put under legal hold since: what was read before must not leave any more."""
    held = Submission.objects.filter(status=Status.QUARANTINED, settled_at__gte=moment)
    return frozenset(map(str, held.values_list("pk", flat=True)))


def gone(keys: Collection[UUID]) -> frozenset[UUID]:
    """Those of the images that may not leave now, whatever was found when their labels were read."""
    free = Submission.objects.filter(pk__in=keys).exclude(status=Status.QUARANTINED).exclude(working="")
    return frozenset(keys) - frozenset(free.values_list("pk", flat=True))
