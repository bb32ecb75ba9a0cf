"""Bands that a machine can prove: what a sample of audits shows of a threshold, with a stated confidence. Pure: numpy
and no Django; `keeping` and `watching`, which store what was shown, are imported by themselves.
"""

from moderation.certificates.certifying import Certificate, Risk, certify
from moderation.certificates.correction import Corrected, corrected
from moderation.certificates.families import certify_all
from moderation.certificates.outlook import Need, needed, repeated
from moderation.certificates.tails import binomial_tail, sample_size

__all__ = [
    "Certificate",
    "Corrected",
    "Need",
    "Risk",
    "binomial_tail",
    "certify",
    "certify_all",
    "corrected",
    "needed",
    "repeated",
    "sample_size",
]
