"""The demo's classifier: trained here and now on drawn scenes, registered and put under plan 1."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from classifiers import registry
from classifiers.models import ClassifierVersion
from config.demo.accounts import ACTOR
from moderation.first_edition import publish_plan_one, register_signals
from moderation.models import TriagePlan

NAME = "demo-heads"
AUDIT_RATE = 0.05
SEED = 7


def ensure_eyes(folder: Path, *, console: Console) -> None:
    """Afterwards a plan is in force that pins a classifier of this house; what is there already is reused."""
    if TriagePlan.objects.in_force() is not None:
        return
    first = ClassifierVersion.objects.filter(name=NAME).order_by("created_at").first()
    if first is None:
        from classifiers import demo_eyes  # the only part that needs torch

        folder.mkdir(parents=True, exist_ok=True)
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("training the demo classifier on drawn scenes", total=1.0)
            backbone, heads = demo_eyes.build(
                folder, seed=SEED, progress=lambda done: progress.update(task, completed=done)
            )
        registry.register(backbone)
        first = registry.register(heads)
    publish_plan_one([first.ref, *register_signals()], actor=ACTOR, audit_rate=AUDIT_RATE)
