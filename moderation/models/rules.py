"""How often each rule held: a row a version, rule and day, counted up by the worker."""

from __future__ import annotations

from django.db import models


class RuleHits(models.Model):
    """`failures` are images on which the rule had no answer. In shadow mode hits are counted all the same."""

    id = models.BigAutoField(primary_key=True)
    version = models.ForeignKey("classifiers.ClassifierVersion", on_delete=models.PROTECT, related_name="rule_hits")
    rule = models.CharField(max_length=80)
    day = models.DateField()
    hits = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveBigIntegerField(default=0)
    last_hit_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "rule", "day"], name="rule_hits_once_a_day")]

    def __str__(self) -> str:
        return f"{self.rule} on {self.day}"
