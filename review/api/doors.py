"""From a request to the person who acts, and from the rules' exceptions to problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from moderation.api.problems import Problem, invalid
from moderation.models import User
from review.datasets import FilesGone, Withdrawn
from review.decisions import KeyReused, NoGuideline
from review.effects import TooLate
from review.exports.asking import NotOpen, NotOver, TooMany
from review.exports.keeping import NotDone
from review.handovers import UnfitHandover
from review.holding import NotHeld
from review.judgements import UnfitDecision
from review.models import Claim, Decision, Effect
from review.queue import ClaimGone, HoldsTooMany, NotForYou
from review.wellness.limits import EnoughForNow


def person_of(request: Request) -> User:
    """Raises PermissionDenied for a key: it never stands in for a person."""
    if isinstance(request.user, User):
        return request.user
    raise PermissionDenied(str(_("Only a person reviews; sign in.")))


def fields_of(request: Request, names: Iterable[str]) -> dict[str, Any]:
    """Those of the fields named that the body holds, unchecked: that is for the rules."""
    if not isinstance(request.data, Mapping):
        raise invalid([{"pointer": "#", "detail": str(_("The body is a JSON object."))}])
    return {name: request.data[name] for name in names if name in request.data}


@dataclass(frozen=True, slots=True)
class Refused:
    """How one exception is answered; without a `detail`, in its own words."""

    status: int
    title: Promise
    code: str = ""
    detail: Promise | None = None


REFUSALS: Final[Mapping[type[Exception], Refused]] = {
    Claim.DoesNotExist: Refused(404, _("No such claim"), detail=_("There is no claim with this id.")),
    Decision.DoesNotExist: Refused(404, _("No such decision"), detail=_("You made no decision with this id.")),
    Effect.DoesNotExist: Refused(404, _("No such decision"), detail=_("There is no decision with this id.")),
    ClaimGone: Refused(409, _("The claim is not yours any more"), "claim_gone"),
    NotHeld: Refused(409, _("It does not wait any more"), "not_held"),
    TooLate: Refused(409, _("Too late to undo"), "too_late"),
    HoldsTooMany: Refused(409, _("You hold too many requests"), "holds_too_many"),
    KeyReused: Refused(409, _("The key was used before"), "key_reused"),
    NoGuideline: Refused(409, _("No guideline"), "no_guideline"),
    EnoughForNow: Refused(409, _("Enough for this shift"), "exposure_budget"),
    TooMany: Refused(409, _("Too many at once"), "too_many_exports"),
    NotOver: Refused(409, _("It is not over yet"), "not_over"),
    NotOpen: Refused(409, _("It is over already"), "not_open"),
    NotDone: Refused(409, _("There are no files"), "no_files"),
    FilesGone: Refused(404, _("No such file")),
    Withdrawn: Refused(409, _("The data set was withdrawn"), "withdrawn"),
}


@contextmanager
def problems() -> Iterator[None]:
    """Inside, what the rules refuse becomes the answer."""
    try:
        yield
    except NotForYou as error:
        raise PermissionDenied(str(error)) from error
    except (UnfitDecision, UnfitHandover) as error:
        raise invalid([{"pointer": error.pointer, "detail": str(error)}]) from error
    except tuple(REFUSALS) as error:
        raise problem_of(error) from error


def problem_of(error: Exception) -> Problem:
    refused = next(answer for kind, answer in REFUSALS.items() if isinstance(error, kind))
    return Problem(refused.status, str(refused.title), str(refused.detail or error), code=refused.code)
