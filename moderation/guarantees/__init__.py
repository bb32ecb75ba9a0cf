"""Certificates that are stored: made, in force, expired, withdrawn. `moderation.certificates` finds them."""

from moderation.guarantees.expiry import Ground, taxonomy_digest, why_expired
from moderation.guarantees.keeping import Siblings, Unproven, keep, outgrown, standing, withdraw

__all__ = [
    "Ground",
    "Siblings",
    "Unproven",
    "keep",
    "outgrown",
    "standing",
    "taxonomy_digest",
    "why_expired",
    "withdraw",
]
