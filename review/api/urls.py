"""Under /api/v1/."""

from __future__ import annotations

from django.urls import include, path

from review.api.certificates import Certificates
from review.api.claims import Decisions, Extension, Release, SecondOpinion, Sending, Takeover, Undo
from review.api.evaluations import Evaluations, OneEvaluation, OneOrder
from review.api.experiments import Experiments
from review.api.exports import ExportCancel, ExportFile, ExportProgress, Exports
from review.api.gold import Gold, GoldRetirement
from review.api.grid import GridDecisions
from review.api.held import Approval, Held, Refusal
from review.api.kept_exports import ExportAgain, ExportArchive, ExportKeep
from review.api.label_audits import LabelAuditDetail, LabelAudits, LabelAuditSending
from review.api.looks import ClaimLooks, LookLength, Looks
from review.api.monitoring import Monitoring, MonitoringWeeks
from review.api.plans import PlanSimulation
from review.api.queues import QueueClaims, Queues
from review.api.rereviews import ReReviews
from review.api.selections import SelectionDetail, Selections
from review.api.stages import Adoption, OneStage
from review.api.trainings import Cancellation, TrainingDetail, Trainings

app_name = "review_api"
claims = [
    path("<uuid:pk>/decision", Decisions.as_view(), name="decision"),
    path("<uuid:pk>/looks", ClaimLooks.as_view(), name="claim-looks"),
    path("<uuid:pk>/extend", Extension.as_view(), name="extend"),
    path("<uuid:pk>/release", Release.as_view(), name="release"),
    path("<uuid:pk>/send", Sending.as_view(), name="send"),
    path("<uuid:pk>/second-opinion", SecondOpinion.as_view(), name="second_opinion"),
    path("<uuid:pk>/takeover", Takeover.as_view(), name="takeover"),
    path("decisions", GridDecisions.as_view(), name="decisions"),
]
# What the desk asks for most comes first, and together what begins alike: addresses are tried one after the other.
urlpatterns = [
    path("claims/", include(claims)),
    path("queues/<slug:name>/claim", QueueClaims.as_view(), name="claim"),
    path("queues", Queues.as_view(), name="queues"),
    path("looks/<uuid:pk>", LookLength.as_view(), name="look"),
    path("looks", Looks.as_view(), name="looks"),
    path("decisions/<uuid:pk>/undo", Undo.as_view(), name="undo"),
    path("trainings", Trainings.as_view(), name="trainings"),
    path("trainings/<uuid:pk>", TrainingDetail.as_view(), name="training"),
    path("trainings/<uuid:pk>/cancel", Cancellation.as_view(), name="training_cancel"),
    path("label-audits", LabelAudits.as_view(), name="label_audits"),
    path("label-audits/<uuid:pk>", LabelAuditDetail.as_view(), name="label_audit"),
    path("label-audits/<uuid:pk>/send", LabelAuditSending.as_view(), name="label_audit_send"),
    path("selections", Selections.as_view(), name="selections"),
    path("selections/<uuid:pk>", SelectionDetail.as_view(), name="selection"),
    path("monitoring", Monitoring.as_view(), name="monitoring"),
    path("monitoring/weeks", MonitoringWeeks.as_view(), name="monitoring-weeks"),
    path("exports", Exports.as_view(), name="exports"),
    path("exports/<uuid:pk>", ExportProgress.as_view(), name="export"),
    path("exports/<uuid:pk>/cancel", ExportCancel.as_view(), name="export_cancel"),
    path("exports/<uuid:pk>/again", ExportAgain.as_view(), name="export_again"),
    path("exports/<uuid:pk>/keep", ExportKeep.as_view(), name="export_keep"),
    path("exports/<uuid:pk>/archive", ExportArchive.as_view(), name="export_archive"),
    path("exports/<uuid:pk>/files/<path:name>", ExportFile.as_view(), name="export_file"),
    path("held", Held.as_view(), name="held"),
    path("held/<uuid:pk>/approve", Approval.as_view(), name="held-approve"),
    path("held/<uuid:pk>/refuse", Refusal.as_view(), name="held-refuse"),
    path("gold", Gold.as_view(), name="gold"),
    path("gold/<uuid:pk>/retire", GoldRetirement.as_view(), name="gold_retire"),
    path("evaluations", Evaluations.as_view(), name="evaluations"),
    path("evaluations/<uuid:pk>", OneEvaluation.as_view(), name="evaluation"),
    path("evaluations/orders/<uuid:pk>", OneOrder.as_view(), name="evaluation-order"),
    path("classifiers/<uuid:pk>/adopt", Adoption.as_view(), name="classifier-adopt"),
    path("classifiers/<uuid:pk>/stage", OneStage.as_view(), name="classifier-stage"),
    path("experiments", Experiments.as_view(), name="experiments"),
    path("policies/<str:category>/rereviews", ReReviews.as_view(), name="rereviews"),
    path("plans/<str:which>/simulate", PlanSimulation.as_view(), name="plan-simulation"),
    path("plans/<int:number>/certificates", Certificates.as_view(), name="certificates"),
]
