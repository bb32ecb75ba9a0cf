"""A key for a platform that sends images."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any, Final

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import keys
from moderation.actors import Actor
from moderation.models import KEY_SCOPES, Client, Scope

ACTOR: Final = Actor.command("issue_key")


class Command(BaseCommand):
    help = "Make an API key for a client, and the client where there is none. The key is printed once and kept nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--client", required=True, metavar="SLUG")
        parser.add_argument("--client-name", metavar="NAME", help="for a new client (default: its slug)")
        parser.add_argument("--name", required=True, help="what the key is for, as shown in the record")
        parser.add_argument("--days", type=int, default=365, help="how long it lives (default 365)")
        scopes = sorted(scope.value for scope in KEY_SCOPES)
        parser.add_argument("--scope", action="append", choices=scopes, help="may be repeated (default: all of these)")

    @transaction.atomic
    def handle(self, *, client: str, name: str, days: int, **options: Any) -> None:
        owner, created = Client.objects.get_or_create(slug=client, defaults={"name": options["client_name"] or client})
        scopes = [Scope(scope) for scope in options["scope"] or sorted(KEY_SCOPES)]
        expires = timezone.now() + timedelta(days=days)
        issued = keys.issue(owner, name=name, scopes=scopes, expires_at=expires, actor=ACTOR)
        if created:
            self.stderr.write(_("New client: %(slug)s") % {"slug": owner.slug})
        self.stdout.write(issued.secret)
