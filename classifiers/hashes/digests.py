"""Fingerprints of bytes. MD5 is kept for the banks that still speak it, and protects nothing here."""

import hashlib


def sha256(data: bytes) -> str:
    """Hex digest."""
    return hashlib.sha256(data).hexdigest()


def md5(data: bytes) -> str:
    """Hex digest."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
