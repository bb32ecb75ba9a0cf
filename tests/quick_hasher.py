"""Passwords as everywhere (PBKDF2, its own kind of hash), in one round: a cast of people costs every test nothing."""

from __future__ import annotations

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    iterations = 1
