"""Plans and their drafts as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from moderation.models import Proposal, ProposalState, TriagePlan

LONGEST_NOTE = 10_000


class RolloutAnswer(serializers.Serializer[object]):
    share = serializers.FloatField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    end = serializers.CharField(allow_blank=True, help_text="adopted, dropped, or empty while it runs.")


class PlanAnswer(serializers.Serializer[object]):
    number = serializers.IntegerField()
    in_force = serializers.BooleanField()
    note = serializers.CharField()
    published_by = serializers.CharField(allow_null=True)
    published_at = serializers.DateTimeField()
    body = serializers.DictField()
    admission = serializers.DictField(
        allow_null=True,
        help_text="What the versions it newly pins showed at the gates of the plan before: {plan, versions[{ref, free, "
        "evaluation, gates[]}], past{why, asked_by, approved_by}}; past is null where all were passed.",
    )
    rollout = RolloutAnswer(allow_null=True, help_text="Of a candidate: the share of the traffic that followed it.")


class Changes(serializers.Serializer[object]):
    to = serializers.IntegerField()
    changes = serializers.ListField(child=serializers.CharField())

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.IntegerField(allow_null=True), **super().get_fields()}


class NoteJSON(serializers.Serializer[object]):
    note = serializers.CharField(max_length=LONGEST_NOTE, allow_blank=True, default="")


class RevisionJSON(serializers.Serializer[object]):
    revision = serializers.IntegerField(min_value=1, help_text="The wording you read: nobody answers another.")
    text = serializers.CharField(
        max_length=LONGEST_NOTE, allow_blank=True, default="", help_text="A remark; why, when it is sent back."
    )


class DraftJSON(serializers.Serializer[object]):
    title = serializers.CharField(max_length=200)
    body = serializers.DictField(help_text="bands, classifiers, audit_rate, overlays …, as a plan's body says them.")
    based_on = serializers.IntegerField(min_value=0, help_text="The plan in force that it changes; 0: none yet.")
    note = serializers.CharField(max_length=LONGEST_NOTE, allow_blank=True, default="")
    effective_at = serializers.DateTimeField(allow_null=True, default=None)
    share = serializers.FloatField(
        allow_null=True, default=None, help_text="Tried on this share of the traffic first, between 0 and 1."
    )
    past_gates = serializers.CharField(
        max_length=LONGEST_NOTE,
        allow_blank=True,
        default="",
        help_text="Why gates of the plan in force that are closed are gone past: it takes who may publish, on record.",
    )
    revision = serializers.IntegerField(min_value=1, default=1, help_text="When it is written anew: the one you read.")


class DraftAnswer(DraftJSON):
    id = serializers.UUIDField()
    closed_gates = serializers.DictField(help_text="By version, those that were closed when it was asked for.")
    state = serializers.ChoiceField(choices=ProposalState.choices)
    made_by = serializers.CharField()
    changed_by = serializers.CharField()
    answered_by = serializers.CharField(allow_null=True)
    published = serializers.IntegerField(allow_null=True, help_text="The plan that came of it.")


def plan_told(row: TriagePlan, in_force: TriagePlan | None) -> dict[str, Any]:
    rollout = getattr(row, "rollout", None) if row.candidate else None
    return {
        "number": row.number,
        "in_force": row == in_force,
        "note": row.note,
        "published_by": str(row.published_by) if row.published_by else None,
        "published_at": row.published_at,
        "body": row.body,
        "admission": row.admission,
        "rollout": rollout
        and {
            "share": rollout.share,
            "started_at": rollout.started_at,
            "ended_at": rollout.ended_at,
            "end": rollout.end,
        },
    }


def draft_told(row: Proposal) -> dict[str, Any]:
    names = ("id", "title", "body", "based_on", "note", "effective_at", "share", "revision", "state", "published")
    gates = ("past_gates", "closed_gates")
    people = {name: getattr(row, name) for name in ("made_by", "changed_by", "answered_by")}
    return {name: getattr(row, name) for name in (*names, *gates)} | {
        name: str(person) if person else None for name, person in people.items()
    }
