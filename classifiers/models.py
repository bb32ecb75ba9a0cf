"""What the registry knows of each classifier: one immutable row a version."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from uuid_utils.compat import uuid7


class ClassifierVersionQuerySet(models.QuerySet["ClassifierVersion"]):
    def with_refs(self, refs: list[str]) -> ClassifierVersionQuerySet:
        """The versions named by ``name@version``; a ref nobody registered is simply absent."""
        wanted = models.Q(pk__in=[])
        for ref in refs:
            name, _, version = ref.partition("@")
            wanted |= models.Q(name=name, version=version)
        return self.filter(wanted)


class ClassifierVersion(models.Model):
    """One set of weights with its card. Never edited: a retrained head is a new version."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.SlugField(max_length=100)
    version = models.CharField(max_length=50)
    kind = models.CharField(max_length=30)
    card = models.JSONField()
    weights = models.CharField(max_length=200, blank=True, default="", help_text="Name in the storage 'models'.")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    categories = ArrayField(models.CharField(max_length=40), default=list)
    embedding_size = models.PositiveIntegerField(null=True)
    backbone = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="heads")
    manifest_fingerprint = models.CharField(max_length=64, default="")
    recipe_digest = models.CharField(max_length=64, default="")
    metrics = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ClassifierVersionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="classifier_name_version_unique")]
        ordering = ["name", "created_at"]

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        return f"{self.name}@{self.version}"
