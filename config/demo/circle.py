"""`--check`: the whole circle without a person, one line a stage, and a plain answer at the end."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils.translation import gettext as _
from rich.console import Console

from config.demo import stream
from config.demo.accounts import Logins, client
from config.demo.http import Door
from config.demo.reviewer import agree, work_off
from moderation import audit
from moderation.models import Submission, TriagePlan
from moderation.policies import parsed
from moderation.routing import Context, Route, route
from moderation.triage.replay import evidence_under
from moderation.wording import sentence
from review.models import Decision, Effect, EffectState

FRESH: Final = 160
REVIEWS: Final = 400
SETTLE_SECONDS: Final = 120.0
EFFECT_SECONDS: Final = 60


class Broken(Exception):
    """A stage of the circle did not do its work; the message says which and what was seen instead."""


@dataclass(slots=True)
class Circle:
    """One check. Each stage prints its line when it has been seen to hold."""

    console: Console
    logins: Logins
    folder: Path
    stages: list[str] = field(default_factory=list)

    def run(self) -> bool:
        """Walk the circle; True when every stage held."""
        started = time.monotonic()
        try:
            self.walk()
        except (Broken, CommandError) as problem:
            self.console.print(f"[red]✕[/] {problem}", soft_wrap=True)
            return False
        self.console.print(
            _("The circle closes: %(n)d stages in %(s).0f s.")
            % {"n": len(self.stages), "s": time.monotonic() - started}
        )
        return True

    def walk(self) -> None:
        before = in_force()
        self.line(
            "ingest", _("%(n)d submissions came in through the API") % {"n": Submission.objects.of(client()).count()}
        )
        settle()
        routes = self.shares(Submission.objects.of(client()))
        self.line("triage", _("plan %(plan)d: %(shares)s") % {"plan": before.number, "shares": routes})
        login = self.logins.users["moderator"]
        door = Door.with_login(self.logins.base_url, **login)
        verdicts = work_off(door, limit=REVIEWS)
        decided = Decision.objects.count()
        if not decided:
            raise Broken(_("claim, decide: no request was there to decide"))
        self.line(
            "claim",
            _("%(who)s holds requests one lease at a time, no two people the same") % {"who": login["username"]},
        )
        agreed = agree(Door.with_login(self.logins.base_url, **self.logins.users["senior"]))
        self.line(
            "decide",
            _("%(now)s now, %(all)d decisions in all; a second person agreed to the %(grave)d grave ones")
            % {"now": worded(verdicts), "all": decided, "grave": agreed},
        )
        await_effects()
        manifest = self.export()
        version = self.train(Path(manifest["path"]))
        after = self.adopt(version)
        self.next_images(after)
        broken = list(audit.verify())
        if broken:
            raise Broken(_("audit: %(breaks)s") % {"breaks": broken[0]})
        self.line("audit", _("every chain verifies"))

    def export(self) -> dict[str, Any]:
        report = said("export_labels", format="parquet", out=str(self.folder / "labels"))
        if not report["rows"]:
            raise Broken(_("label export: the manifest is empty"))
        self.line(
            "label export",
            _("%(rows)d labels, fingerprint %(print)s") % {"rows": report["rows"], "print": report["fingerprint"][:12]},
        )
        return report

    def train(self, manifest: Path) -> str:
        report = said("train", manifest=str(manifest))
        ref = str(report["version"])
        if report.get("skipped"):
            self.line("retrain", _("nothing changed since %(ref)s was trained, so it stands") % {"ref": ref})
        else:
            self.line("retrain", _("%(ref)s, %(metrics)s") % {"ref": ref, "metrics": report["summary"]})
        return ref

    def adopt(self, version: str) -> TriagePlan:
        plan = in_force()
        if version in plan.body["classifiers"]:
            self.line("adopt", _("plan %(plan)d already pins %(ref)s") % {"plan": plan.number, "ref": version})
            return plan
        call_command("adopt", version, note=_("Retrained on reviewed labels"), stdout=io.StringIO())
        plan = in_force()
        self.line(
            "adopt",
            _("plan %(plan)d pins %(pins)s") % {"plan": plan.number, "pins": ", ".join(plan.body["classifiers"])},
        )
        return plan

    def next_images(self, after: TriagePlan) -> None:
        """Fresh images under the new plan, beside where the first plan would have sent them."""
        ids = send_fresh(Door.with_key(self.logins.base_url, self.logins.api_key), FRESH)
        settle()
        rows = list(Submission.objects.of(client()).filter(external_id__in=ids).order_by("id"))
        first = TriagePlan.objects.order_by("number")[0]
        old = replayed(rows, first)
        new = replayed(rows, after)
        wrong = [row for row, again in zip(rows, new, strict=True) if row.route != again.action]
        if wrong:
            raise Broken(_("re-triage: replay and live triage disagree on %(id)s") % {"id": wrong[0].external_id})
        moved = [one for one in zip(rows, old, new, strict=True) if one[1].action != one[2].action]
        if not moved:
            raise Broken(_("re-triage: no image's route differs under the retrained version"))
        share_old, share_new = people(old), people(new)
        self.line(
            "re-triage",
            _(
                "of %(n)d fresh images %(new).0f %% go to people; plan %(first)d would have sent %(old).0f %%;"
                " %(moved)d routes differ"
            )
            % {
                "n": len(rows),
                "new": 100 * share_new,
                "old": 100 * share_old,
                "first": first.number,
                "moved": len(moved),
            },
        )
        row, was, now = next((one for one in moved if one[1].action == "review"), moved[0])
        self.console.print(f"    {row.external_id} “{row.prompt}”", soft_wrap=True)
        self.console.print(f"      plan {first.number}: {was.action} · {sentence_of(was)}", soft_wrap=True)
        self.console.print(f"      plan {after.number}: {now.action} · {sentence_of(now)}", soft_wrap=True)
        if share_new >= share_old:
            raise Broken(_("re-triage: the share sent to people did not fall"))

    def shares(self, rows: Any) -> str:
        counts = {name: rows.filter(route=name).count() for name in ("approve", "review", "block")}
        total = sum(counts.values()) or 1
        return " · ".join(f"{name} {count / total:.0%}" for name, count in counts.items())

    def line(self, stage: str, words: str) -> None:
        self.stages.append(stage)
        self.console.print(f"[green]✓[/] {stage:<13} {words}", soft_wrap=True)


def in_force() -> TriagePlan:
    plan = TriagePlan.objects.in_force()
    if plan is None:
        raise Broken(_("triage: no plan is in force"))
    return plan


def said(command: str, **options: object) -> dict[str, Any]:
    """A command's answer with --json."""
    out = io.StringIO()
    call_command(command, stdout=out, json=True, **options)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def send_fresh(door: Door, count: int) -> list[str]:
    """Scenes that nobody has sent yet, through the API; returns their external ids."""
    used = (
        Submission.objects.of(client()).filter(external_id__startswith="scene-").values_list("external_id", flat=True)
    )
    start = 1 + max((int(name.removeprefix("scene-")) for name in used if name), default=0)
    sent = list(stream.send(stream.scenes(range(start, start + count)), door))
    refused = [words for _item, words in sent if words]
    if refused:
        raise Broken(_("ingest: %(words)s") % {"words": refused[0]})
    return [item.external_id for item, _words in sent]


def settle(progress: Callable[[int], object] = int) -> None:
    """Wait until triage has seen every image. Raises Broken after a while: the worker is then not working."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while waiting := Submission.objects.filter(status="received").count():
        if time.monotonic() > deadline:
            raise Broken(_("triage: %(n)d images still wait after %(s).0f s") % {"n": waiting, "s": SETTLE_SECONDS})
        progress(waiting)
        time.sleep(0.1)
    progress(0)


def await_effects() -> None:
    """Wait until no decision can be undone any more. Raises Broken when the worker does not put them into effect."""
    deadline = time.monotonic() + settings.REVIEW_UNDO_SECONDS + EFFECT_SECONDS
    while waiting := Effect.objects.filter(state=EffectState.PENDING).count():
        if time.monotonic() > deadline:
            raise Broken(_("decide: %(n)d decisions are due, and not in effect yet") % {"n": waiting})
        time.sleep(0.1)


def replayed(rows: Sequence[Submission], plan: TriagePlan) -> list[Route]:
    """Where each image would go under `plan`, from what is stored: embeddings and findings, no image is opened."""
    followed = parsed(plan)
    return [route(evidence, followed, Context()) for evidence in evidence_under(rows, followed)]


def people(routes: Sequence[Route]) -> float:
    return sum(one.action == "review" for one in routes) / (len(routes) or 1)


def sentence_of(one: Route) -> str:
    return sentence(asdict(one.why[0])) if one.why else ""


def worded(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or _("nothing new")
