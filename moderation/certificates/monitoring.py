"""Watching a limit with audits as they come in: an alarm that may be asked for at any time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Stakes, as multiples of what doubles in expectation where the risk is twice the limit. Those that could ruin at one
# audit are left out; few audits with many violations are found by the larger ones, a small excess by the smaller.
STAKES: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
LARGEST: Final = 0.9  # of the stake that one harmless audit ruins


@dataclass(frozen=True, slots=True)
class Monitor:
    """The mirror of the certificate's bet: A = Π(1 + λ w (L − α)), with loss L in {0, 1} and w = π_min/π in (0, 1],
    mixed over stakes λ < 1/α. While the risk is at most α, A is a supermartingale that starts at 1, so that it ever
    reaches 1/δ has a chance of δ at most (Ville 1939; Waudby-Smith & Ramdas 2024): the alarm may be looked at after
    every audit. `logs` are ln of each stake's A.
    """

    alpha: float
    delta: float
    logs: tuple[float, ...]

    @classmethod
    def started(cls, alpha: float, delta: float, logs: Sequence[float] = ()) -> Monitor:
        """From the beginning, or from stored `logs`."""
        return cls(alpha, delta, tuple(logs) or (0.0,) * len(stakes(alpha)))

    def fed(self, *, wrong: bool, relative: float = 1.0) -> Monitor:
        """After one more audit; `relative` is the smallest chance of an audit under its plan over this one's."""
        step = min(1.0, relative) * ((1.0 if wrong else 0.0) - self.alpha)
        bets = zip(self.logs, stakes(self.alpha), strict=True)
        return Monitor(self.alpha, self.delta, tuple(log + math.log1p(stake * step) for log, stake in bets))

    @property
    def evidence(self) -> float:
        """A of the mixture, in which every stake has the same part: the odds at which the limit is broken."""
        highest = max(self.logs)
        exponent = highest + math.log(sum(math.exp(one - highest) for one in self.logs) / len(self.logs))
        return math.exp(min(exponent, 700.0))

    @property
    def alarmed(self) -> bool:
        return self.evidence >= 1 / self.delta


def stakes(alpha: float) -> list[float]:
    usual = 1 / (1 - alpha)
    return [each * usual for each in STAKES if each * usual * alpha <= LARGEST] or [LARGEST / alpha]
