"""Management commands, given as people type them, so that what they parse is parsed here too."""

from __future__ import annotations

import io
import json
from typing import Any

from django.core.management import CommandError, call_command


def said(command: str, *arguments: object) -> dict[str, Any]:
    """A command's answer with --json, also of one that answers and then says by its exit status 1 that the answer is
    no. Raises CommandError where there is no answer.
    """
    out = io.StringIO()
    try:
        call_command(command, *map(str, arguments), "--json", stdout=out, stderr=io.StringIO())
    except CommandError as error:
        if error.returncode != 1 or not out.getvalue():
            raise
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer
