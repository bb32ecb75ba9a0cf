"""Guidelines: read in any version, compared, drafted, answered by a second person, taken in as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation import importing, policies, proposals
from moderation.api.pagination import RecentFirst
from moderation.api.policy_shapes import (
    ChangesAnswer,
    FilesAnswer,
    FilesJSON,
    GuidelineAnswer,
    ProposalAnswer,
    ProposalJSON,
    ReturnJSON,
    WordsJSON,
)
from moderation.api.problems import Problem, invalid
from moderation.guidelines import bodies, differences, files
from moderation.guidelines.faults import UnfitWording, UnknownSubject
from moderation.guidelines.subjects import Subject
from moderation.models import PolicyVersion, Proposal, ProposalKind, Scope, User

LONGEST_NOTE: Final = 2000
VERSION = OpenApiParameter("version", int, description="An earlier version; without it, the one in force.")
PEOPLE: Final = ("made_by", "changed_by", "answered_by")


@contextmanager
def refusals() -> Iterator[None]:
    """The rules' exceptions as problems; nothing was changed."""
    try:
        yield
    except (UnknownSubject, PolicyVersion.DoesNotExist) as error:
        raise Http404 from error
    except UnfitWording as error:
        raise invalid([{"pointer": f"#/body/{error.field}", "detail": str(error)}]) from error
    except proposals.UnfitProposal as error:
        raise invalid([{"pointer": "#", "detail": str(error)}]) from error
    except proposals.NotOpen as error:
        raise Problem(409, _("The draft is not as you read it"), str(error), code="not_open") from error
    except proposals.OwnWork as error:
        raise Problem(409, _("Another person approves"), str(error), code="own_work") from error
    except policies.Outdated as error:
        raise Problem(409, _("Somebody published meanwhile"), str(error), code="outdated") from error


def person_of(request: Request) -> User:
    """Raises PermissionDenied for a key: it never stands in for a person."""
    if isinstance(request.user, User):
        return request.user
    raise PermissionDenied(_("Only a person changes a guideline; sign in."))


def said_in(request: Request) -> Mapping[str, Any]:
    if not isinstance(request.data, Mapping):
        raise invalid([{"pointer": "#", "detail": _("The body is a JSON object.")}])
    return request.data


def words(said: Mapping[str, Any], name: str, *, most: int = proposals.LONGEST_REMARK) -> str:
    value = said.get(name, "")
    if not isinstance(value, str) or len(value) > most or not storable(value):
        raise invalid([{"pointer": f"#/{name}", "detail": _("Text of at most %(most)d characters.") % {"most": most}}])
    return value


def storable(value: str) -> bool:
    return bodies.storable(value) == value


def whole(said: Mapping[str, Any], name: str, *, default: int | None = None) -> int:
    value = said.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise invalid([{"pointer": f"#/{name}", "detail": _("A whole number.")}])
    return value


def moment(said: Mapping[str, Any], name: str) -> datetime | None:
    value = said.get(name)
    if value is None:
        return None
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None:
        raise invalid([{"pointer": f"#/{name}", "detail": _("A date and time, as 2027-01-31T08:00:00Z.")}])
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def body_in(said: Mapping[str, Any], subject: Subject) -> dict[str, Any]:
    body = said.get("body")
    if not isinstance(body, Mapping):
        raise invalid([{"pointer": "#/body", "detail": _("What the guideline says, as an object.")}])
    return bodies.checked(subject, body)


def guideline(row: PolicyVersion) -> dict[str, Any]:
    return {
        "policy": row.subject,
        "version": row.number,
        "body": bodies.body_of(row),
        "note": row.note,
        "archived": row.archived,
        "published_at": row.published_at,
        "published_by": str(row.published_by) if row.published_by else None,
        "approved_by": str(row.approved_by) if row.approved_by else None,
        "markdown": files.written(row),
    }


def proposal_of(one: Proposal) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "policy": one.subject,
        "title": one.title,
        "note": one.note,
        "state": one.state,
        "revision": one.revision,
        "based_on": one.based_on,
        "effective_at": one.effective_at,
        "body": one.body,
        "made_by": str(one.made_by),
        "changed_by": str(one.changed_by),
        "answered_by": str(one.answered_by) if one.answered_by else None,
        "published": one.published,
    }


class Guidelines(GenericAPIView[PolicyVersion]):
    scopes = {"GET": Scope.POLICY_READ}
    queryset = PolicyVersion.objects.standing().select_related("published_by", "approved_by")
    pagination_class = RecentFirst
    filter_backends = ()

    @extend_schema(
        operation_id="policies_list",
        summary="Read every guideline that is in force, the latest published first",
        responses=GuidelineAnswer(many=True),
    )
    def get(self, _request: Request) -> Response:
        """Categories, their parts, and translations of both; what is archived is left out."""
        page = cast("list[PolicyVersion]", self.paginate_queryset(self.get_queryset()))
        return self.get_paginated_response([guideline(row) for row in page])


class OneGuideline(APIView):
    scopes = {"GET": Scope.POLICY_READ}

    @extend_schema(
        operation_id="policies_retrieve",
        summary="Read one guideline",
        parameters=[VERSION],
        responses=GuidelineAnswer,
    )
    def get(self, request: Request, policy: str) -> Response:
        with refusals():
            return Response(guideline(version_of(Subject.parse(policy), request.query_params.get("version"))))


def version_of(subject: Subject, number: str | None) -> PolicyVersion:
    """Raises Http404."""
    rows = subject.versions().select_related("published_by", "approved_by")
    if number is None:
        found = rows.order_by("-number").first()
    else:
        found = rows.filter(number=int(number[:9])).first() if number.isascii() and number.isdigit() else None
    if found is None:
        raise Http404
    return found


class Versions(GenericAPIView[PolicyVersion]):
    scopes = {"GET": Scope.POLICY_READ}
    queryset = PolicyVersion.objects.select_related("published_by", "approved_by")
    pagination_class = RecentFirst
    filter_backends = ()

    @extend_schema(
        operation_id="policies_versions",
        summary="Read its versions, newest first",
        responses=GuidelineAnswer(many=True),
    )
    def get(self, _request: Request, policy: str) -> Response:
        with refusals():
            subject = Subject.parse(policy)
        rows = self.get_queryset().filter(category=subject.category, part=subject.part, locale=subject.locale)
        page = cast("list[PolicyVersion]", self.paginate_queryset(rows))
        if not page and not rows.exists():
            raise Http404
        return self.get_paginated_response([guideline(row) for row in page])


class Differences(APIView):
    scopes = {"GET": Scope.POLICY_READ}

    @extend_schema(
        operation_id="policies_diff",
        summary="Compare two versions word by word",
        parameters=[OpenApiParameter("from", int, required=True), OpenApiParameter("to", int)],
        responses=ChangesAnswer,
    )
    def get(self, request: Request, policy: str) -> Response:
        with refusals():
            subject = Subject.parse(policy)
        before = version_of(subject, request.query_params.get("from", ""))
        after = version_of(subject, request.query_params.get("to"))
        found = differences.changes(bodies.body_of(before), bodies.body_of(after))
        changes = [
            {"field": one.field, "pieces": [{"kind": piece.kind, "text": piece.text} for piece in one.pieces]}
            for one in found
        ]
        return Response({"policy": str(subject), "from": before.number, "to": after.number, "changes": changes})


class Drafts(APIView):
    scopes = {"POST": Scope.POLICY}

    @extend_schema(
        operation_id="policies_draft",
        summary="Draft its next version",
        request=ProposalJSON,
        responses={201: ProposalAnswer},
    )
    def post(self, request: Request, policy: str) -> Response:
        person, said = person_of(request), said_in(request)
        with refusals():
            subject = Subject.parse(policy)
            draft = proposals.draft(
                person,
                ProposalKind.POLICY,
                str(subject),
                body_in(said, subject),
                title=words(said, "title"),
                note=words(said, "note", most=LONGEST_NOTE),
                based_on=whole(said, "based_on"),
                effective_at=moment(said, "effective_at"),
            )
        return Response(proposal_of(draft), status=201)


class Return(APIView):
    scopes = {"POST": Scope.POLICY}

    @extend_schema(
        operation_id="policies_rollback",
        summary="Ask a second person to go back to an earlier version, as a new one",
        request=ReturnJSON,
        responses={201: ProposalAnswer},
    )
    def post(self, request: Request, policy: str) -> Response:
        person, said = person_of(request), said_in(request)
        to, note = whole(said, "to"), words(said, "note", most=LONGEST_NOTE)
        with refusals():
            return Response(proposal_of(proposals.go_back(person, Subject.parse(policy), to, note=note)), status=201)


class Proposals(GenericAPIView[Proposal]):
    scopes = {"GET": Scope.POLICY}
    queryset = Proposal.objects.all()
    pagination_class = RecentFirst
    filter_backends = ()

    @extend_schema(
        operation_id="policies_proposals",
        summary="List the open drafts, newest first",
        responses=ProposalAnswer(many=True),
    )
    def get(self, _request: Request) -> Response:
        page = cast("list[Proposal]", self.paginate_queryset(proposals.open_proposals(ProposalKind.POLICY)))
        return self.get_paginated_response([proposal_of(one) for one in page])


def stored(pk: UUID) -> Proposal:
    return get_object_or_404(Proposal.objects.select_related(*PEOPLE), pk=pk, kind=ProposalKind.POLICY)


class OneProposal(APIView):
    scopes = {"GET": Scope.POLICY, "PUT": Scope.POLICY}

    @extend_schema(operation_id="policies_proposal", summary="Read one draft", responses=ProposalAnswer)
    def get(self, _request: Request, pk: UUID) -> Response:
        return Response(proposal_of(stored(pk)))

    @extend_schema(
        operation_id="policies_revise",
        summary="Give a draft another wording",
        request=ProposalJSON,
        responses=ProposalAnswer,
    )
    def put(self, request: Request, pk: UUID) -> Response:
        person, said, before = person_of(request), said_in(request), stored(pk)
        with refusals():
            proposals.revise(
                pk,
                person,
                body_in(said, Subject.parse(before.subject)),
                revision=whole(said, "revision"),
                based_on=whole(said, "based_on", default=before.based_on),
                title=words(said, "title") or None,
                note=words(said, "note", most=LONGEST_NOTE) if "note" in said else None,
                effective_at=moment(said, "effective_at"),
            )
        return Response(proposal_of(stored(pk)))


class Answer(APIView):
    """One verb of a draft: a subclass says which."""

    scopes = {"POST": Scope.POLICY}
    verb = ""

    def post(self, request: Request, pk: UUID) -> Response:
        person, said = person_of(request), said_in(request)
        stored(pk)
        text = words(said, "text")
        with refusals():
            if self.verb == "remark":
                proposals.remark(pk, person, text)
            elif self.verb == "approve":
                proposals.approve(pk, person, revision=whole(said, "revision"), text=text)
            elif self.verb == "send_back":
                proposals.send_back(pk, person, revision=whole(said, "revision"), text=text)
            elif self.verb == "ask":
                proposals.ask(pk, person, revision=whole(said, "revision"))
            else:
                proposals.withdraw(pk, person, revision=whole(said, "revision"))
        return Response(proposal_of(stored(pk)))


def answering(verb: str, summary: str, operation: str = "") -> type[Answer]:
    view = type(f"Answer{operation or verb}", (Answer,), {"verb": verb})
    document = extend_schema(
        operation_id=f"policies_{operation or verb}", summary=summary, request=WordsJSON, responses=ProposalAnswer
    )
    return document(view)


class Files(APIView):
    scopes = {"POST": Scope.POLICY}

    @extend_schema(
        operation_id="policies_import",
        summary="Take Markdown files in as drafts; one bad file does not sink the others",
        request=FilesJSON,
        responses=FilesAnswer,
    )
    def post(self, request: Request) -> Response:
        person, said = person_of(request), said_in(request)
        texts = said.get("files")
        if not isinstance(texts, Mapping) or not all(isinstance(one, str) for one in texts.values()):
            raise invalid([{"pointer": "#/files", "detail": _("Texts by the name of their file.")}])
        if len(texts) > files.MOST:
            raise invalid([{"pointer": "#/files", "detail": _("At most %(most)d files.") % {"most": files.MOST}}])
        taken = importing.take(person, texts, title=words(said, "title", most=200), ask=said.get("ask") is True)
        return Response({"results": [one.told for one in taken]})
