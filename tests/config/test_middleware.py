"""What every answer carries."""

from __future__ import annotations

import pytest
from csp.utils import build_policy
from django.test import Client as Browser

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/accounts/login/", "/api/v1/queues", "/nowhere/", "/api/v1/nowhere"])
def test_every_answer_has_the_policy_of_the_settings(path: str) -> None:
    policy = Browser().get(path).headers["Content-Security-Policy"]
    assert policy == build_policy()
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} <= set(
        policy.split("; ")
    )
