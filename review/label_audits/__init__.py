"""Audits of labels: which are likely wrong, who is asked about them again, and what came back."""
