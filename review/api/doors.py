"""From a request to the person who acts, and from the rules' exceptions to problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from moderation.api.problems import Problem, invalid
from moderation.models import User
from review.decisions import KeyReused, NoGuideline
from review.effects import TooLate
from review.judgements import UnfitDecision
from review.models import Claim, Decision
from review.queue import ClaimGone, NotForYou
from review.wellness.limits import EnoughForNow


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


@contextmanager
def problems() -> Iterator[None]:
    """Inside, what the rules refuse becomes the answer."""
    try:
        yield
    except Claim.DoesNotExist as error:
        raise Problem(404, _("No such claim"), _("There is no claim with this id.")) from error
    except ClaimGone as error:
        raise Problem(409, _("The claim is not yours any more"), str(error), code="claim_gone") from error
    except Decision.DoesNotExist as error:
        raise Problem(404, _("No such decision"), _("You made no decision with this id.")) from error
    except TooLate as error:
        raise Problem(409, _("Too late to undo"), str(error), code="too_late") from error
    except KeyReused as error:
        raise Problem(409, _("The key was used before"), str(error), code="key_reused") from error
    except NoGuideline as error:
        raise Problem(409, _("No guideline"), str(error), code="no_guideline") from error
    except EnoughForNow as error:
        raise Problem(409, _("Enough for this shift"), str(error), code="exposure_budget") from error
    except NotForYou as error:
        raise PermissionDenied(str(error)) from error
    except UnfitDecision as error:
        raise invalid([{"pointer": error.pointer, "detail": str(error)}]) from error
