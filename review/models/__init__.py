"""People looking and deciding: who holds what, who decided what, what came of it, and the data sets made of it."""

from review.models.bulk import BulkAction, BulkState, BulkVerdict
from review.models.bulk_items import BulkItem, ItemState
from review.models.calibration import CalibrationItem, CalibrationSeat, CalibrationSession, CalibrationVote
from review.models.claims import Claim, Outcome
from review.models.datasets import Dataset
from review.models.decisions import Decision, Verdict
from review.models.desks import DeskSettings, Mention
from review.models.effects import Effect, EffectState
from review.models.evaluations import Evaluation, EvaluationOrder, OrderState, Sample
from review.models.exports import Export, ExportFormat, ExportKind, ExportState
from review.models.gold import GoldItem, GoldTurn, QualityRules
from review.models.label_audits import LabelAsk, LabelAudit, LabelAuditOutcome, LabelSuspicion
from review.models.monitoring import AuditTally, DriftReference, MonitoringSettings
from review.models.profiles import ReviewerProfile
from review.models.releases import Release, ReleaseState
from review.models.rollups import Measure, QualityRollup
from review.models.searches import SavedView
from review.models.selections import Selection, SelectionItem, SelectionOutcome, SelectionSettings, Strategy
from review.models.trainings import Training, TrainingKind, TrainingState
from review.models.wellness import Exposure, Look, OrganisationSettings, Place, ReviewerSettings

__all__ = [
    "AuditTally",
    "BulkAction",
    "BulkItem",
    "BulkState",
    "BulkVerdict",
    "CalibrationItem",
    "CalibrationSeat",
    "CalibrationSession",
    "CalibrationVote",
    "Claim",
    "Dataset",
    "Decision",
    "DeskSettings",
    "DriftReference",
    "Effect",
    "EffectState",
    "Evaluation",
    "EvaluationOrder",
    "Export",
    "ExportFormat",
    "ExportKind",
    "ExportState",
    "Exposure",
    "GoldItem",
    "GoldTurn",
    "ItemState",
    "LabelAsk",
    "LabelAudit",
    "LabelAuditOutcome",
    "LabelSuspicion",
    "Look",
    "Measure",
    "Mention",
    "MonitoringSettings",
    "OrderState",
    "OrganisationSettings",
    "Outcome",
    "Place",
    "QualityRollup",
    "QualityRules",
    "Release",
    "ReleaseState",
    "ReviewerProfile",
    "ReviewerSettings",
    "Sample",
    "SavedView",
    "Selection",
    "SelectionItem",
    "SelectionOutcome",
    "SelectionSettings",
    "Strategy",
    "Training",
    "TrainingKind",
    "TrainingState",
    "Verdict",
]
