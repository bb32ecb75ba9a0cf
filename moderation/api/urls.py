"""The public API, its schema and the two health checks."""

from __future__ import annotations

from django.urls import include, path

from moderation.api import policy_urls
from moderation.api.batch import SubmissionBatch
from moderation.api.health import healthz, readyz
from moderation.api.history import SubmissionHistory
from moderation.api.metrics import metrics
from moderation.api.prompts import PromptCheck
from moderation.api.schema import Docs, Schema
from moderation.api.submissions import OneSubmission, Submissions

v1 = [
    path("submissions", Submissions.as_view(), name="submissions"),
    path("submissions/batch", SubmissionBatch.as_view(), name="submission-batch"),
    path("submissions/<uuid:pk>", OneSubmission.as_view(), name="submission"),
    path("prompts/check", PromptCheck.as_view(), name="prompt-check"),
    path("submissions/<uuid:pk>/history", SubmissionHistory.as_view(), name="submission-history"),
    *policy_urls.urlpatterns,
]
urlpatterns = [
    path("api/v1/", include((v1, "api"))),
    path("api/schema/", Schema.as_view(), name="schema"),
    path("api/docs/", Docs.as_view(url_name="schema"), name="docs"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
