"""The product's first impression: what became of the demo images, in one table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from config.demo.accounts import Logins, client
from moderation.models import ReviewRequest, Status, Submission, TriagePlan
from moderation.roles import Role
from moderation.wording import category_name, sentence


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast the images of this run went from upload to route; None when there was nothing new."""

    images: int
    seconds: float


def by_band() -> Table:
    """Band × count for the demo's images, with what the uncertain ones are uncertain about."""
    mine = Submission.objects.of(client())
    routes = Counter(mine.values_list("route", flat=True))
    total = sum(routes.values()) or 1
    table = Table(title=_("Where the images went"), title_justify="left")
    for heading, justify in (
        (_("Band"), "left"),
        (_("Images"), "right"),
        (_("Share"), "right"),
        (_("Mostly about"), "left"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for route, label, style in (
        ("approve", _("approved by the plan"), "green"),
        ("review", _("to a person"), "yellow"),
        ("block", _("blocked by the plan"), "red"),
    ):
        flags = Counter(
            code for flagged in mine.filter(route=route).values_list("flagged", flat=True) for code in flagged
        )
        about = ", ".join(f"{category_name(code)} {count}" for code, count in flags.most_common(3)) or "–"
        table.add_row(f"[{style}]{label}[/]", str(routes[route]), f"{routes[route] / total:.0%}", about)
    return table


def reasons(count: int = 3) -> Table:
    """Some uncertain images and, in the plan's own words, why a person looks."""
    table = Table(title=_("Three of the uncertain ones"), title_justify="left", show_header=True)
    table.add_column(_("Image"))
    table.add_column(_("Prompt"), max_width=44, overflow="ellipsis", no_wrap=True)
    table.add_column(_("Why a person looks"))
    seen: set[str] = set()
    for row in Submission.objects.of(client()).filter(status=Status.IN_REVIEW).order_by("-id")[:200]:
        category = row.reasons[0].get("category", "") if row.reasons else ""
        if category in seen or not row.reasons:
            continue
        seen.add(category)
        table.add_row(row.external_id or str(row.pk), row.prompt or "–", sentence(row.reasons[0]))
        if len(seen) == count:
            break
    return table


def logins(known: Logins, kept_in: Path) -> Table:
    table = Table(title=_("Who you can be (passwords were made for this demo; also in %(file)s)") % {"file": kept_in})
    table.title_justify = "left"
    for heading in (_("Role"), _("Login"), _("Password")):
        table.add_column(heading)
    for role, login in known.users.items():
        table.add_row(str(Role(role).label), login["username"], login["password"])
    return table


def show(console: Console, known: Logins, *, speed: Speed | None, kept_in: Path) -> None:
    console.print()
    console.print(by_band())
    console.print(reasons())
    waiting = ReviewRequest.objects.filter(closed_at__isnull=True).count()
    plan = TriagePlan.objects.in_force()
    rate = f"{speed.images / speed.seconds:.0f} images/s · " if speed else ""
    console.print(
        rate
        + _("%(waiting)d requests wait in the queue · plan %(plan)s in force")
        % {"waiting": waiting, "plan": plan.number if plan else "–"}
    )
    console.print(logins(known, kept_in))
    addresses = "\n".join(
        f"{label:<12} {known.base_url}{path}"
        for label, path in (
            (_("Desk"), "/desk/"),
            (_("Policies"), "/policies/"),
            (_("Learning"), "/learning/"),
            (_("API docs"), "/api/docs/"),
        )
    )
    console.print(Panel(addresses, title=_("Loupe is up · Ctrl-C stops it"), title_align="left", expand=False))
