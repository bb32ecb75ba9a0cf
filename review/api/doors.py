"""From a request to the person who acts, and from the rules' exceptions to problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from moderation.api.problems import Problem, invalid
from moderation.models import User
from review.decisions import KeyReused, NoGuideline
from review.effects import TooLate
from review.handovers import UnfitHandover
from review.judgements import UnfitDecision
from review.models import Claim, Decision
from review.queue import ClaimGone, HoldsTooMany, NotForYou
from review.wellness.limits import EnoughForNow

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


def person_of(request: Request) -> User:
    """Raises PermissionDenied for a key: it never stands in for a person."""
    if isinstance(request.user, User):
        return request.user
    raise PermissionDenied(_("Only a person reviews; sign in."))


def fields_of(request: Request, names: Iterable[str]) -> dict[str, Any]:
    """Those of the fields named that the body holds, unchecked: that is for the rules."""
    if not isinstance(request.data, Mapping):
        raise invalid([{"pointer": "#", "detail": _("The body is a JSON object.")}])
    return {name: request.data[name] for name in names if name in request.data}


CONFLICTS: Final[Mapping[type[Exception], tuple[StrPromise, str]]] = {
    ClaimGone: (gettext_lazy("The claim is not yours any more"), "claim_gone"),
    TooLate: (gettext_lazy("Too late to undo"), "too_late"),
    HoldsTooMany: (gettext_lazy("You hold too many requests"), "holds_too_many"),
    KeyReused: (gettext_lazy("The key was used before"), "key_reused"),
    NoGuideline: (gettext_lazy("No guideline"), "no_guideline"),
    EnoughForNow: (gettext_lazy("Enough for this shift"), "exposure_budget"),
}


@contextmanager
def problems() -> Iterator[None]:
    """Inside, what the rules refuse becomes the answer."""
    try:
        yield
    except Claim.DoesNotExist as error:
        raise Problem(404, _("No such claim"), _("There is no claim with this id.")) from error
    except Decision.DoesNotExist as error:
        raise Problem(404, _("No such decision"), _("You made no decision with this id.")) from error
    except tuple(CONFLICTS) as error:
        title, code = next(said for kind, said in CONFLICTS.items() if isinstance(error, kind))
        raise Problem(409, str(title), str(error), code=code) from error
    except NotForYou as error:
        raise PermissionDenied(str(error)) from error
    except (UnfitDecision, UnfitHandover) as error:
        raise invalid([{"pointer": error.pointer, "detail": str(error)}]) from error
