"""Fingerprints of pictures: digests of bytes, PDQ of looks, and an exact index of many PDQ hashes."""

from classifiers.hashes.digests import md5, sha256
from classifiers.hashes.index import BankIndex
from classifiers.hashes.looks import DIHEDRAL, HASH_BITS, hamming, pdq, pdq_dihedral

__all__ = ["DIHEDRAL", "HASH_BITS", "BankIndex", "hamming", "md5", "pdq", "pdq_dihedral", "sha256"]
