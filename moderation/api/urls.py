"""The public API, its schema and the two health checks."""

from __future__ import annotations

from django.urls import include, path

from moderation.api import policy_urls
from moderation.api.batch import SubmissionBatch
from moderation.api.classifiers import Classifiers, OneClassifier
from moderation.api.health import healthz, readyz
from moderation.api.history import SubmissionHistory
from moderation.api.metrics import metrics
from moderation.api.plans import ACTS, OnePlan, OnePlanDraft, PlanDiff, PlanDraftAct, PlanDrafts, PlanRollback, Plans
from moderation.api.prompts import PromptCheck
from moderation.api.schema import Docs, Schema
from moderation.api.submissions import OneSubmission, Submissions

v1 = [
    path("submissions", Submissions.as_view(), name="submissions"),
    path("submissions/batch", SubmissionBatch.as_view(), name="submission-batch"),
    path("submissions/<uuid:pk>", OneSubmission.as_view(), name="submission"),
    path("plans", Plans.as_view(), name="plans"),
    path("plans/<int:number>", OnePlan.as_view(), name="plan"),
    path("plans/<int:number>/diff", PlanDiff.as_view(), name="plan-diff"),
    path("plans/<int:number>/rollback", PlanRollback.as_view(), name="plan-rollback"),
    path("plans/drafts", PlanDrafts.as_view(), name="plan-drafts"),
    path("plans/drafts/<uuid:pk>", OnePlanDraft.as_view(), name="plan-draft"),
    *(
        path(f"plans/drafts/<uuid:pk>/{act}", PlanDraftAct.as_view(), {"act": act}, name=f"plan-draft-{act}")
        for act in ACTS
    ),
    path("classifiers", Classifiers.as_view(), name="classifiers"),
    path("classifiers/<uuid:pk>", OneClassifier.as_view(), name="classifier"),
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
