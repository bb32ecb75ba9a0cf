"""Under /api/v1/policies."""

from __future__ import annotations

from django.urls import path

from moderation.api import policies

ANSWERS = (
    ("ask", policies.answering("ask", "Ask a second person")),
    ("approve", policies.answering("approve", "Approve what another wrote: it is published, at once or at its date")),
    ("publish", policies.answering("approve", "The same as approve", "publish")),
    ("send-back", policies.answering("send_back", "Send a draft back, with the reason")),
    ("withdraw", policies.answering("withdraw", "Take a draft back")),
    ("remarks", policies.answering("remark", "Comment on a draft")),
)
urlpatterns = [
    path("policies", policies.Guidelines.as_view(), name="policies"),
    path("policies/files", policies.Files.as_view(), name="policy-files"),
    path("policies/proposals", policies.Proposals.as_view(), name="policy-proposals"),
    path("policies/proposals/<uuid:pk>", policies.OneProposal.as_view(), name="policy-proposal"),
    *(
        path(f"policies/proposals/<uuid:pk>/{verb}", view.as_view(), name=f"policy-proposal-{verb}")
        for verb, view in ANSWERS
    ),
    path("policies/<str:policy>", policies.OneGuideline.as_view(), name="policy"),
    path("policies/<str:policy>/versions", policies.Versions.as_view(), name="policy-versions"),
    path("policies/<str:policy>/diff", policies.Differences.as_view(), name="policy-diff"),
    path("policies/<str:policy>/proposals", policies.Drafts.as_view(), name="policy-drafts"),
    path("policies/<str:policy>/rollback", policies.Return.as_view(), name="policy-rollback"),
]
