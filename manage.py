#!/usr/bin/env python
"""Django's command line, with the embedded servers up for as long as a command needs them."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack

from config import embedded

# Commands that read the code only. Everything else may look at the database.
WITHOUT_SERVERS = {"check", "compilemessages", "help", "loop_experiment", "makemessages", "spectacular", "version"}


def main(arguments: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    with ExitStack() as stack:
        if needs_servers(arguments[1:]):
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, lambda received, _: sys.exit(128 + received))  # so that the stack unwinds
            try:
                stack.enter_context(embedded.unless_given())
            except embedded.CannotStart as error:
                sys.exit(f"loupe: {error}")
        execute_from_command_line(arguments)


def needs_servers(arguments: list[str]) -> bool:
    """Whether this command line may reach PostgreSQL or Redis."""
    asks_for_help = {"-h", "--help", "--version"} & set(arguments)
    return bool(arguments) and not asks_for_help and arguments[0] not in WITHOUT_SERVERS


if __name__ == "__main__":
    main(sys.argv)
