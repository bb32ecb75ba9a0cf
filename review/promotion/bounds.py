"""Whether a figure keeps to a limit, by its interval and not by luck; many figures make one gate.

Each gate must be passed by itself, and each by the far end of a two-sided 95 % interval: so a version that truly breaks
a limit passes that gate with a chance of about 2.5 % at most, however many gates there are (an intersection-union test,
Berger 1982; nothing is adjusted for their number). Non-inferiority: the difference to the incumbent, paired on the same
resamples, has its lower end above −margin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from moderation.admission import Gate, State

NAMED: Final = 5
Figure = Mapping[str, Any]
RANK: Final = {State.CLOSED: 0, State.UNTOLD: 1, State.PASSED: 2}


@dataclass(frozen=True, slots=True)
class Part:
    """One figure of a gate: where it was taken, of how many labels, and how far it is inside its limit at the end of
    its interval that counts (below 0: beyond it).
    """

    state: State
    where: str
    n: int
    room: float = 0.0
    figure: str = "–"

    @property
    def told(self) -> str:
        return _("%(where)s (%(n)d labels)") % {"where": self.where, "n": self.n}


def no_worse(less: Figure | None, margin: float, *, where: str, n: int) -> Part:
    """Of a difference, candidate less incumbent: more is better."""
    return judged(less, where, n, lambda value: value + margin, end="low", sign="+")


def at_most(found: Figure | None, limit: float, *, where: str, n: int) -> Part:
    """Errors and gaps are never below 0, so noise lifts the figure and its interval: this errs to the safe side."""
    return judged(found, where, n, lambda value: limit - value, end="high")


def at_least(found: Figure | None, limit: float, *, where: str, n: int) -> Part:
    return judged(found, where, n, lambda value: value - limit, end="low")


def judged(
    found: Figure | None, where: str, n: int, room: Callable[[float], float], *, end: str, sign: str = ""
) -> Part:
    """Closed where the figure itself is beyond the limit; passed where the interval's end is inside; between the two,
    or without an interval, it cannot be told.
    """
    value, far = (found or {}).get("value"), (found or {}).get(end)
    if value is None:
        return Part(State.UNTOLD, where, n)
    figure = number(value, sign)
    if room(value) < 0:
        return Part(State.CLOSED, where, n, room(value), spanned(figure, found, sign))
    if far is None:
        return Part(State.UNTOLD, where, n, 0.0, figure)
    state = State.PASSED if room(far) >= 0 else State.UNTOLD
    return Part(state, where, n, room(far), spanned(figure, found, sign))


def same(where: str, n: int = 0) -> Part:
    """The very head that serves now: no label is needed to know that nothing changes."""
    return Part(State.PASSED, where, n, float("inf"), _("unchanged"))


def spanned(figure: str, found: Figure | None, sign: str) -> str:
    low, high = (found or {}).get("low"), (found or {}).get("high")
    if low is None or high is None:
        return figure
    return f"{figure} [{number(low, sign)},\N{NO-BREAK SPACE}{number(high, sign)}]"


def number(value: float, sign: str = "") -> str:
    return f"{value:{sign}.3f}".replace("-", "−")


def gate(name: str, words: str, parts: Sequence[Part], *, limit: str, what: str, more: str = "") -> Gate:
    """As good as its worst part. `what` names the figure; `more` is said beside what it rests on."""
    if not parts:
        why = _("Nothing could be measured.")
        return Gate(name, words, State.UNTOLD, limit=limit, why="; ".join(filter(None, [why, more])))
    worst = min(parts, key=lambda one: (RANK[one.state], one.room))
    named = sorted((one for one in parts if one.state == worst.state), key=lambda one: one.room)
    told = ", ".join(one.told for one in named[:NAMED]) + (" …" if len(named) > NAMED else "")
    match worst.state:
        case State.CLOSED:
            why = _("%(what)s: %(where)s") % {"what": what, "where": told}
        case State.UNTOLD:
            why = _("%(what)s: too few labels to tell in %(where)s") % {"what": what, "where": told}
        case _state:
            why = _("%(what)s, the nearest to the limit in %(where)s") % {"what": what, "where": worst.told}
            if worst.room == float("inf"):
                why = _("its heads are those in service")
    return Gate(name, words, worst.state, worst.figure, limit, "; ".join(filter(None, [why, more])))
