"""Taking a submission in: what its sender declares, and the one rule that stores it."""

from moderation.ingest.accepting import Accepted, Conflict, accept
from moderation.ingest.declared import Declared, FieldError, UnacceptableFields
from moderation.ingest.room import is_behind

__all__ = ["Accepted", "Conflict", "Declared", "FieldError", "UnacceptableFields", "accept", "is_behind"]
