"""`sync_roles`: the groups hold exactly the scopes of their roles."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from moderation import roles


class Command(BaseCommand):
    help = (
        "Make each role's group hold exactly its scopes. Run it after every upgrade; it changes nothing when all is "
        "right. Exit status: 0 done, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print {role: [scope, …]} as JSON")

    def handle(self, *_args: object, **options: Any) -> None:
        held = roles.sync()
        if options["json"]:
            self.stdout.write(json.dumps(held))
            return
        width = max(len(role) for role in held)
        for role, scopes in held.items():
            self.stdout.write(f"{role:<{width}}  {', '.join(scopes)}")
