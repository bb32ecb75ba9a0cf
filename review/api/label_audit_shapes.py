"""What is said of audits of labels, and asked of them."""

from __future__ import annotations

from rest_framework import serializers

from moderation.taxonomy import Category
from review.label_audits import asking


class LabelAuditOrder(serializers.Serializer[object]):
    dataset = serializers.UUIDField(help_text="Id of a data set whose files are on this desk.")
    version = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=151, help_text="Heads to go by; empty: fitted for it."
    )


class LabelAuditAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    dataset = serializers.UUIDField()
    fingerprint = serializers.CharField()
    version = serializers.CharField(allow_blank=True)
    made_by = serializers.CharField(help_text="Who asked for it.")
    made_at = serializers.DateTimeField()
    done = serializers.BooleanField()
    error = serializers.CharField(allow_blank=True, help_text="Why nothing came of it.")
    labels = serializers.IntegerField()
    flagged = serializers.IntegerField(help_text="Labels that are suspected.")


class DoubtedLabel(serializers.Serializer[object]):
    submission_id = serializers.UUIDField()
    category = serializers.ChoiceField(choices=Category.choices)
    place = serializers.IntegerField(help_text="1 is the most doubted.")
    given = serializers.IntegerField(help_text="The label: 1 violates, 0 does not.")
    probability = serializers.FloatField(help_text="Of 1, by heads that did not see the label.")
    agreement = serializers.FloatField(allow_null=True, help_text="Share of the nearest neighbours labelled alike.")
    suspicion = serializers.FloatField()
    flagged = serializers.BooleanField()
    came = serializers.ChoiceField(choices=[one.value for one in asking.Answer], help_text="What came of asking again.")


class OneLabelAudit(LabelAuditAnswer):
    figures = serializers.DictField(help_text="Noise, reviewers, leaks, contradictions and balance.")
    suspects = DoubtedLabel(many=True, help_text="The most doubted, at most 200; none under legal hold.")


class AuditSendOrder(serializers.Serializer[object]):
    count = serializers.IntegerField(min_value=1, max_value=asking.MOST, help_text="Images, the most doubted first.")
    category = serializers.ChoiceField(choices=Category.choices, required=False, default="", allow_blank=True)
    flagged = serializers.BooleanField(required=False, default=True, help_text="Suspected ones only.")


class AuditSendAnswer(serializers.Serializer[object]):
    opened = serializers.IntegerField(help_text="Images that somebody is asked about now.")
    open_before = serializers.IntegerField(help_text="Those that somebody was asked about already.")
