"""The shapes of guidelines and their drafts, for the OpenAPI schema."""

from __future__ import annotations

from rest_framework import serializers

from moderation.models import ProposalState

SUBJECT = "HATE, a part of it (HATE.memes), or either in another language (HATE@de)."


class GuidelineAnswer(serializers.Serializer[object]):
    policy = serializers.CharField(help_text=SUBJECT)
    version = serializers.IntegerField()
    body = serializers.DictField(help_text="What it says; texts are Markdown.")
    note = serializers.CharField(allow_blank=True, help_text="Why it was changed.")
    archived = serializers.BooleanField()
    published_at = serializers.DateTimeField()
    published_by = serializers.CharField(allow_null=True)
    approved_by = serializers.CharField(allow_null=True)
    markdown = serializers.CharField(help_text="The same as a file, which can be taken in again.")


class Piece(serializers.Serializer[object]):
    kind = serializers.ChoiceField(choices=["same", "gone", "new"])
    text = serializers.CharField()


class ChangedField(serializers.Serializer[object]):
    field = serializers.CharField()
    pieces = Piece(many=True)


class ChangesAnswer(serializers.Serializer[object]):
    policy = serializers.CharField(help_text=SUBJECT)
    changes = ChangedField(many=True, help_text="Only the fields that differ.")
    to = serializers.IntegerField()

    def get_fields(self) -> dict[str, serializers.Field[object, object, object, object]]:
        """With `from`, which Python keeps for itself."""
        return {**super().get_fields(), "from": serializers.IntegerField()}


class ProposalJSON(serializers.Serializer[object]):
    body = serializers.DictField(help_text="The whole guideline, as a version's body shows it.")
    title = serializers.CharField(max_length=200, help_text="What changes, in a few words.")
    note = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    based_on = serializers.IntegerField(help_text="The version it changes; 0 for the first.")
    revision = serializers.IntegerField(required=False, help_text="To revise: the wording that was read.")
    effective_at = serializers.DateTimeField(required=False, allow_null=True)


class ProposalAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    policy = serializers.CharField(help_text=SUBJECT)
    title = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=ProposalState.choices)
    revision = serializers.IntegerField()
    based_on = serializers.IntegerField()
    effective_at = serializers.DateTimeField(allow_null=True)
    body = serializers.DictField()
    made_by = serializers.CharField()
    changed_by = serializers.CharField()
    answered_by = serializers.CharField(allow_null=True)
    published = serializers.IntegerField(allow_null=True, help_text="The version that came of it.")


class WordsJSON(serializers.Serializer[object]):
    revision = serializers.IntegerField(required=False, help_text="The wording that was read.")
    text = serializers.CharField(required=False, allow_blank=True, max_length=10_000)


class ReturnJSON(serializers.Serializer[object]):
    to = serializers.IntegerField(help_text="The version to go back to.")
    note = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class FilesJSON(serializers.Serializer[object]):
    files = serializers.DictField(child=serializers.CharField(), help_text="Texts by the name of their file.")
    title = serializers.CharField(required=False, allow_blank=True, max_length=200)
    ask = serializers.BooleanField(required=False, help_text="Ask a second person at once.")


class TakenFile(serializers.Serializer[object]):
    file = serializers.CharField()
    policy = serializers.CharField(allow_blank=True)
    proposal = serializers.UUIDField(allow_null=True, help_text="Null where nothing is new, or it could not be taken.")
    problem = serializers.CharField(allow_null=True)


class FilesAnswer(serializers.Serializer[object]):
    results = TakenFile(many=True)
