"""What the experiment is to show, and whether it did."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from config.loop.measuring import Held
from config.loop.outcomes import Outcome, lead
from config.loop.terms import Terms

FALL: Final = 0.3
FIRST: Final = "uncertainty"
BASELINE: Final = "random"


@dataclass(frozen=True, slots=True)
class Claim:
    """`words` say what was claimed, `found` what was measured."""

    words: str
    holds: bool
    found: str


def judge(outcomes: Mapping[str, Outcome], runs: Sequence[Mapping[str, Any]], terms: Terms) -> list[Claim]:
    """The learning is claimed of uncertainty sampling, or of the only strategy there is."""
    first = outcomes.get(FIRST) or next(iter(outcomes.values()))
    found = [rises(first), falls(first, terms)]
    if FIRST in outcomes and BASELINE in outcomes:
        found.append(beats(outcomes[FIRST], outcomes[BASELINE]))
    return [*found, certified_alike(runs, terms), unbroken(runs)]


def rises(one: Outcome) -> Claim:
    total, (low, high) = one.change(0, one.rounds - 1)
    steps = [one.change(r, r + 1) for r in range(one.rounds - 1)]
    sinking = [number for number, (_change, ends) in enumerate(steps, start=2) if ends[1] < 0]
    words = f"The AUC on pictures held back rises round by round, within noise ({one.strategy})"
    told = ", ".join(f"{change:+.3f}" for change, _ends in steps)
    found = f"{total:+.3f} [{low:+.3f}, {high:+.3f}] from round 1 to {one.rounds}; by round {told}"
    if sinking:
        found += f"; round {sinking[0]} is worse than the one before beyond noise"
    return Claim(words, low > 0 and not sinking, found)


def falls(one: Outcome, terms: Terms) -> Claim:
    fall, means = one.fall(terms.alpha), one.loads[terms.alpha].mean(axis=0)
    words = (
        f"The reviewer load at a certified false omission rate of {terms.alpha:.0%} falls by {FALL:.0%} or more"
        f" from the first round to the last ({one.strategy})"
    )
    each = ", ".join(f"{share:.0%}" for share in one.falls(terms.alpha))
    low, high = one.fall_interval(terms.alpha)
    between = f" [{low:.0%}, {high:.0%}]" if len(one.seeds) > 1 else ""
    found = (
        f"from {means[0]:.1%} to {means[-1]:.1%} of the images, the means over the seeds: by {fall:.0%}{between};"
        " seed by seed"
    )
    return Claim(words, fall >= FALL, f"{found} {each}")


def beats(one: Outcome, other: Outcome) -> Claim:
    found, (low, high) = lead(one, other)
    noise = "" if low > 0 else "; the interval holds 0"
    each = ", ".join(f"{ahead:+.4f}" for ahead in (one.auc[:, 1:] - other.auc[:, 1:]).mean(axis=1))
    said = (
        f"AUC {found:+.4f} [{low:+.4f}, {high:+.4f}], the mean of rounds 2 to {one.rounds}{noise}; seed by seed {each}"
    )
    return Claim("Uncertainty sampling beats random sampling of the same budget", found > 0, said)


def certified_alike(runs: Sequence[Mapping[str, Any]], terms: Terms) -> Claim:
    """The command reads the house's own rows: decisions, findings and chances. It must find what the report does."""
    odd = []
    for run in runs:
        held = Held.from_json(run["held_back"])
        load = held.loads(alpha=terms.alpha, delta=terms.delta)[-1]
        own = run["certificate"]
        if own["audits"] != len(held.violating) or not math.isclose(own["share"], 1 - load, abs_tol=1e-9):
            odd.append(f"{run['strategy']} {run['seed']}: {own['share']:.3f} of {own['audits']}, not {1 - load:.3f}")
    words = "The house's own `certify` says the same of the last heads"
    return Claim(words, not odd, "; ".join(odd) or "in every house")


def unbroken(runs: Sequence[Mapping[str, Any]]) -> Claim:
    breaks, events = (sum(run["audit"][name] for run in runs) for name in ("breaks", "events"))
    return Claim("Every audit chain verifies", breaks == 0, f"{events} events, {breaks} breaks")
