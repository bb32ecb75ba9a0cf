"""Tables of the record, a module a noun."""

from moderation.models.audit import AuditChain, AuditEvent, AuditRoot
from moderation.models.automation import AutomationStop, StopAction
from moderation.models.banks import Bank, BankAction, BankEntry, BankMatch, Polarity, Recheck
from moderation.models.certificates import BandCertificate, BandRisk, CertificateEnd, CertificateWatch
from moderation.models.clients import ApiKey, Client
from moderation.models.evidence import Embedding, Finding
from moderation.models.fingerprints import Fingerprint
from moderation.models.guardrails import (
    Alarm,
    AlarmSight,
    BlockTally,
    Chart,
    GuardrailSettings,
    Measure,
    OutcomeCount,
    Verdict,
    Watched,
)
from moderation.models.monitoring import Level, Reading
from moderation.models.outbox import OutboxMessage, Topic
from moderation.models.people import User
from moderation.models.policies import DefaultAction, ExceptionKind, PolicyVersion, TriagePlan
from moderation.models.proposals import Proposal, ProposalKind, ProposalState, Remark, Wording
from moderation.models.queues import QueueOrder, ReviewQueue
from moderation.models.requests import Reason, ReviewRequest
from moderation.models.rollouts import Rollout, RolloutEnd
from moderation.models.rules import RuleHits
from moderation.models.scopes import KEY_SCOPES, Scope
from moderation.models.submissions import SETTLED, Audience, Status, Submission

__all__ = [
    "KEY_SCOPES",
    "SETTLED",
    "Alarm",
    "AlarmSight",
    "ApiKey",
    "Audience",
    "AuditChain",
    "AuditEvent",
    "AuditRoot",
    "AutomationStop",
    "BandCertificate",
    "BandRisk",
    "Bank",
    "BankAction",
    "BankEntry",
    "BankMatch",
    "BlockTally",
    "CertificateEnd",
    "CertificateWatch",
    "Chart",
    "Client",
    "DefaultAction",
    "Embedding",
    "ExceptionKind",
    "Finding",
    "Fingerprint",
    "GuardrailSettings",
    "Level",
    "Measure",
    "OutboxMessage",
    "OutcomeCount",
    "Polarity",
    "PolicyVersion",
    "Proposal",
    "ProposalKind",
    "ProposalState",
    "QueueOrder",
    "Reading",
    "Reason",
    "Recheck",
    "Remark",
    "ReviewQueue",
    "ReviewRequest",
    "Rollout",
    "RolloutEnd",
    "RuleHits",
    "Scope",
    "Status",
    "StopAction",
    "Submission",
    "Topic",
    "TriagePlan",
    "User",
    "Verdict",
    "Watched",
    "Wording",
]
