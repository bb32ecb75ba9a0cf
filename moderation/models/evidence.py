"""What the classifiers said. Written once by triage, never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from pgvector.django import HalfVectorField
from uuid_utils.compat import uuid7

if TYPE_CHECKING:
    FloatField = models.FloatField[float, float]
else:
    FloatField = models.FloatField


class RealField(FloatField):
    """PostgreSQL `real`: four bytes are plenty for a probability, and a hundred million rows are many."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 - Django's signature
        return "real"


class Finding(models.Model):
    """One classifier's word on one image: `probabilities[i]` belongs to `classifier.categories[i]`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey("moderation.Submission", on_delete=models.PROTECT, related_name="findings")
    classifier = models.ForeignKey("classifiers.ClassifierVersion", on_delete=models.PROTECT)
    probabilities = ArrayField(RealField())
    evidence = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["submission", "classifier"], name="finding_submission_classifier_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.classifier_id} on {self.submission_id}"


class Embedding(models.Model):
    """The backbone's view of one image, kept so that new heads cost no image decode."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey("moderation.Submission", on_delete=models.PROTECT, related_name="embeddings")
    backbone = models.ForeignKey("classifiers.ClassifierVersion", on_delete=models.PROTECT)
    vector = HalfVectorField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["submission", "backbone"], name="embedding_submission_backbone_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.backbone_id} of {self.submission_id}"
