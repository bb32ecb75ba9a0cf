"""Pages of the law and the record."""

from __future__ import annotations

from django.urls import include, path

from moderation.views import (
    audit,
    automation,
    banks,
    guardrails,
    learning,
    plans,
    policies,
    policy_drafts,
    policy_files,
    policy_proposals,
    proposals,
    queues,
    rules,
    terms,
)

urlpatterns = [
    path("", include("moderation.api.urls")),
    path("policies/", policies.index, name="policies"),
    path("policies/plans/", plans.index, name="plans"),
    path("policies/plans/draft/", plans.draft, name="plan_draft"),
    path("policies/plans/stop/", automation.stop, name="automation_stop"),
    path("policies/plans/lift/", automation.lift, name="automation_lift"),
    path("policies/plans/proposals/<uuid:pk>/", proposals.detail, name="plan_proposal"),
    path("policies/plans/proposals/<uuid:pk>/<slug:act>/", proposals.answer, name="plan_proposal_answer"),
    path("policies/plans/<int:number>/", plans.detail, name="plan"),
    path("policies/plans/<int:number>/roll-back/", plans.roll_back, name="plan_roll_back"),
    path("policies/guardrails/", guardrails.index, name="guardrails"),
    path("policies/guardrails/settings/", guardrails.settings, name="guardrail_settings"),
    path("policies/guardrails/alarms/<uuid:pk>/close/", guardrails.close, name="alarm_close"),
    path("policies/rules/", rules.index, name="rules"),
    path("policies/rules/draft/", rules.draft, name="rules_draft"),
    path("policies/rules/switch/", rules.switch, name="rules_switch"),
    path("policies/terms/", terms.overview, name="prompt_terms"),
    path("policies/terms/draft/", terms.draft, name="prompt_terms_draft"),
    path("policies/terms/<uuid:pk>.csv", terms.download, name="prompt_terms_file"),
    path("policies/queues/", queues.index, name="queue_definitions"),
    path("policies/queues/new/", queues.edit, name="queue_new"),
    path("policies/queues/<slug:slug>/", queues.edit, name="queue_definition"),
    path("policies/queues/<slug:slug>/retire/", queues.retire, name="queue_retire"),
    path("policies/new/", policy_drafts.fresh, name="policy_new"),
    path("policies/files/", policy_files.index, name="policy_files"),
    path("policies/files/policies.zip", policy_files.archive, name="policy_archive"),
    path("policies/proposals/", policy_proposals.index, name="policy_proposals"),
    path("policies/proposals/<uuid:pk>/", policy_proposals.detail, name="policy_proposal"),
    path("policies/proposals/<uuid:pk>/edit/", policy_drafts.revise, name="policy_proposal_edit"),
    *(
        path(
            f"policies/proposals/<uuid:pk>/{verb}/",
            policy_proposals.act,
            {"verb": verb},
            name=f"policy_proposal_{verb}",
        )
        for verb in policy_proposals.ACTS
    ),
    path("policies/<str:category>/", policies.detail, name="policy"),
    path("policies/<str:category>/edit/", policy_drafts.edit, name="policy_edit"),
    path("policies/<str:category>/preview/", policy_drafts.preview, name="policy_preview"),
    path("policies/<str:category>/<int:number>.md", policy_files.one, name="policy_file"),
    path("policies/<str:category>/roll-back/", policies.roll_back, name="policy_roll_back"),
    path("banks/", banks.index, name="banks"),
    path("banks/new/", banks.create, name="bank_new"),
    path("banks/<int:pk>/", banks.detail, name="bank"),
    path("banks/<int:pk>/add/", banks.add, name="bank_add"),
    path("banks/<int:pk>/import/", banks.take, name="bank_import"),
    path("banks/<int:pk>/retire/", banks.retire, name="bank_retire"),
    path("banks/<int:pk>/entries/<int:entry>/remove/", banks.remove, name="bank_remove"),
    path("learning/", learning.index, name="learning"),
    path("learning/<uuid:pk>/reliability.csv", learning.reliability, name="classifier_reliability"),
    *(
        path(f"learning/<uuid:pk>/{what}", learning.file, {"what": what}, name=f"classifier_{what}")
        for what in ("card", "weights", "onnx")
    ),
    path("audit/", audit.index, name="audit"),
]
