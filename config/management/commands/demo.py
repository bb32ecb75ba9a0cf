"""`manage.py demo`: from nothing to a working desk, with images in it."""

from __future__ import annotations

import subprocess
import time
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from rich.console import Console
from rich.progress import Progress

from config import processes
from config.demo import stream
from config.demo.accounts import ACTOR, prepare
from config.demo.circle import Circle, settle
from config.demo.eyes import ensure_eyes
from config.demo.http import Door, Refused
from config.demo.report import Speed, show
from moderation.first_edition import publish_guidelines
from moderation.models import Submission

IMAGES: Final = 240
READY_SECONDS: Final = 60.0


class Command(BaseCommand):
    help = "Run a whole Loupe on this machine, with demo accounts and images, until Ctrl-C. Needs DEBUG=1."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--images", type=Path, metavar="DIR", help="your own images instead of drawn scenes")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--check", action="store_true", help="prove the whole circle without a person, then stop")

    def handle(self, *, images: Path | None, port: int, check: bool, **_options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "The demo makes accounts and runs in the open; it refuses with DEBUG=0. Set DEBUG=1.", returncode=2
            )
        if images is not None and not images.is_dir():
            raise CommandError(f"--images: {images} is not a folder", returncode=2)
        if images is not None and check:
            raise CommandError("--check judges drawn scenes, whose truth it knows; leave out --images.", returncode=2)
        console = Console()
        base_url = f"http://127.0.0.1:{port}"
        console.print("[bold]Loupe[/] · migrating, accounts, guidelines")
        call_command("migrate", verbosity=0)
        kept_in = settings.DATA_DIR / "demo.json"
        logins = prepare(kept_in, base_url=base_url)
        publish_guidelines(actor=ACTOR)
        ensure_eyes(settings.DATA_DIR / "demo", console=console)
        try:
            processes.check_port(port)
        except processes.PortTaken as taken:
            raise CommandError(str(taken)) from taken
        log = settings.DATA_DIR / "log" / "demo.log"
        with processes.background(port=port, log=log) as desk:
            await_ready(Door(base_url), desk, log=log)
            speed = self.fill(console, Door.with_key(base_url, logins.api_key), images)
            show(console, logins, speed=speed, kept_in=kept_in)
            if check:
                if not Circle(console, logins, settings.DATA_DIR / "demo").run():
                    raise CommandError("The circle does not close; see the line marked ✕ above.")
                return
            await_end(desk, log=log)

    def fill(self, console: Console, door: Door, images: Path | None) -> Speed | None:
        """Submit what is not there yet and wait for triage. A refused image is named and does not stop the rest."""
        before = Submission.objects.count()
        with Progress(console=console, transient=True) as progress:
            items: Iterable[stream.Item] = stream.folder(images) if images else drawn(progress)
            started = time.monotonic()
            task = progress.add_task("sending images", total=len(items) if isinstance(items, list) else None)
            for item, refusal in stream.send(items, door):
                progress.advance(task)
                if refusal:
                    console.print(f"[yellow]not taken[/] {item.external_id}: {refusal}")
            settle(lambda waiting: progress.update(task, description=f"triage, {waiting} waiting"))
        fresh = Submission.objects.count() - before
        return Speed(fresh, time.monotonic() - started) if fresh else None


def drawn(progress: Progress) -> list[stream.Item]:
    """The scenes that have not come in yet, drawn before the clock starts: drawing is not what is measured."""
    seeds = stream.unsent(range(1, IMAGES + 1))
    return list(progress.track(stream.scenes(seeds), total=len(seeds), description="drawing scenes"))


def await_ready(door: Door, desk: subprocess.Popen[bytes], *, log: Path) -> None:
    """Returns once `/readyz` answers 200: the desk is usable and a worker has answered a ping."""
    deadline = time.monotonic() + READY_SECONDS
    said = "no answer"
    while time.monotonic() < deadline and desk.poll() is None:
        try:
            door.get("/readyz")
        except (Refused, OSError) as problem:
            said = str(problem)
            time.sleep(0.2)
        else:
            return
    raise CommandError(f"The desk did not become ready ({said}); its log is {log}")


def await_end(desk: subprocess.Popen[bytes], *, log: Path) -> None:
    """Stay until Ctrl-C, which is a good end, or until the desk ends by itself, which is not."""
    try:
        desk.wait()
    except KeyboardInterrupt:
        return
    raise CommandError(f"A process of the desk ended; its log is {log}")
