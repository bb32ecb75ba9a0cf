"""Pages of the law and the record."""

from __future__ import annotations

from django.urls import path

from moderation.views import audit, learning, plans, policies

urlpatterns = [
    path("policies/", policies.index, name="policies"),
    path("policies/<str:category>/", policies.detail, name="policy"),
    path("policies/<str:category>/edit/", policies.edit, name="policy_edit"),
    path("plans/", plans.index, name="plans"),
    path("plans/draft/", plans.draft, name="plan_draft"),
    path("plans/<int:number>/", plans.detail, name="plan"),
    path("plans/<int:number>/roll-back/", plans.roll_back, name="plan_roll_back"),
    path("learning/", learning.index, name="learning"),
    path("learning/<uuid:pk>/", learning.detail, name="classifier"),
    path("learning/<uuid:pk>/adopt/", learning.adopt, name="classifier_adopt"),
    path("audit/", audit.index, name="audit"),
]
