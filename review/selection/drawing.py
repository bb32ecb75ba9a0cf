"""A draw: asked for by a page, a command or the clock; done by whoever has numpy and the time, in one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from classifiers.models import ClassifierVersion
from moderation import audit
from moderation.actors import HOUSE, Actor
from moderation.models import Reason, ReviewRequest, Status, Submission, TriagePlan, User
from moderation.policies import parsed
from moderation.requests import Ask, open_requests
from review.feedback import default_backbone
from review.models import Selection, SelectionItem, SelectionOutcome, Strategy
from review.selection import candidates, choosing, opinions
from review.selection.budgets import MIX, MOST
from review.selection.opinions import Opinions
from review.selection.picking import Pick, Picking

GIVEN_UP: Final = timedelta(days=1)  # after so long nobody waits for a draw that never came about
SEEDS: Final = 2**63


class UnfitSelection(ValueError):
    """It cannot be drawn like that; the message says why. Nobody is asked."""


@transaction.atomic
def ask(
    strategy: str,
    budget: int,
    *,
    actor: Actor,
    person: User | None = None,
    mix: Mapping[str, int] | None = None,
    backbone: str = "",
    category: str = "",
    waiting: bool = False,
    seed: int | None = None,
) -> Selection:
    """Afterwards the draw is on record; `draw` does it. Raises UnfitSelection."""
    if strategy not in Strategy.values:
        raise UnfitSelection(_("There is no such strategy: %(name)s.") % {"name": strategy})
    if not 1 <= budget <= MOST:
        raise UnfitSelection(_("A draw is of 1 to %(most)d images.") % {"most": MOST})
    if backbone and not ClassifierVersion.objects.with_refs([backbone]).filter(embedding_size__isnull=False).exists():
        raise UnfitSelection(_("%(ref)s is not registered, or yields no embedding.") % {"ref": backbone})
    row = Selection.objects.create(
        strategy=strategy,
        mix=dict(mix or MIX) if strategy == Strategy.MIX else {},
        budget=budget,
        seed=secrets.randbelow(SEEDS) if seed is None else seed,
        backbone=backbone,
        category=category,
        waiting=waiting,
        made_by=person,
        actor=str(actor)[:200],
    )
    said = {"strategy": strategy, "budget": budget, "mix": row.mix, "category": category, "waiting": waiting}
    audit.record(audit.Entry(actor, "selection.asked", subject(row.pk), said))
    return row


def subject(key: UUID) -> str:
    return f"selection:{key}"


def pending() -> QuerySet[Selection]:
    """Draws that were asked for lately and not done, oldest first."""
    recent = Selection.objects.filter(made_at__gt=timezone.now() - GIVEN_UP)
    return recent.filter(outcome__isnull=True).order_by("id")


def lock() -> None:
    """One draw at a time: each sees what the ones before have asked about."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('loupe.selection'))")


@transaction.atomic
def draw(key: UUID) -> SelectionOutcome:
    """Afterwards somebody is asked about the images that the strategy names, and what came of it is on record. Drawn
    already, it stays as it is.
    """
    lock()
    row = Selection.objects.get(pk=key)
    done = SelectionOutcome.objects.filter(selection=row).first()
    if done is not None:
        return done
    ref = row.backbone or default_backbone()
    eyes = ClassifierVersion.objects.with_refs([ref]).first() if ref else None
    if eyes is None or not eyes.embedding_size:
        return keep(row, notes=[_("The plan in force pins no classifier with an embedding to go by.")])
    plan = TriagePlan.objects.in_force()
    pool = candidates.find(eyes, waiting=row.waiting)
    said = opinions.of(pool, plan, eyes, category=row.category)
    work = Picking(pool, said, eyes, row.seed)
    work.run(row.budget, row.mix if row.strategy == Strategy.MIX else {row.strategy: 1})
    opened = open_for(row, [(pool.keys[one.row], one) for one in work.picks], said, plan)
    return keep(row, eyes.ref, said.refs, candidates=len(pool), opened=opened, notes=work.notes)


def keep(
    row: Selection,
    backbone: str = "",
    versions: Sequence[str] = (),
    *,
    candidates: int = 0,
    opened: int = 0,
    notes: Sequence[str] = (),
) -> SelectionOutcome:
    outcome = SelectionOutcome.objects.create(
        selection=row,
        backbone=backbone,
        versions=list(versions),
        candidates=candidates,
        opened=opened,
        notes=list(notes),
    )
    said = {"candidates": candidates, "opened": opened, "versions": list(versions), "notes": list(notes)}
    audit.record(audit.Entry(HOUSE, "selection.drawn", subject(row.pk), said))
    return outcome


def open_for(row: Selection, named: Sequence[tuple[UUID, Pick]], said: Opinions, plan: TriagePlan | None) -> int:
    """Opens the requests and writes the items. What left the pool since it was read is passed over."""
    # Locked in order, so that none is settled or held by another at this moment.
    rows = Submission.objects.select_for_update(no_key=True).filter(pk__in=[key for key, _pick in named])
    still = {one.pk: one for one in rows.order_by("pk") if one.status not in {Status.QUARANTINED, Status.RECEIVED}}
    for key in standing().filter(submission__in=list(still)).values_list("submission_id", flat=True):
        del still[key]  # its answer was taken back since
    asks = [ask_of(still[key], pick, said, plan) for key, pick in named if key in still]
    opened = {one.submission_id: one for one in open_requests(asks)}
    items = [
        SelectionItem(
            selection=row,
            submission_id=key,
            request=opened[key],
            strategy=pick.strategy,
            place=place,
            score=pick.score,
            probability=pick.probability,
        )
        for place, (key, pick) in enumerate(((key, pick) for key, pick in named if key in opened), start=1)
    ]
    SelectionItem.objects.bulk_create(items)
    audit.record_many(
        [
            audit.Entry(
                HOUSE,
                "submission.selected",
                audit.submission(one.submission_id),
                {"selection": str(row.pk), "strategy": one.strategy, "probability": one.probability},
            )
            for one in items
        ]
    )
    return len(items)


def ask_of(submission: Submission, pick: Pick, said: Opinions, plan: TriagePlan | None) -> Ask:
    """With the likely category: people's limits and the routing rules go by it."""
    category, probability = said.likely(pick.row)
    band = parsed(plan).bands.get(category) if plan else None
    return Ask(
        submission=submission,
        reason=Reason.LEARNING,
        category=category,
        probability=probability,
        approve=band.approve if band else None,
        block=band.block if band else None,
    )


def draw_pending() -> int:
    """Every draw that was asked for is done; returns how many images people are asked about."""
    return sum(draw(key).opened for key in list(pending().values_list("pk", flat=True)))


@transaction.atomic
def draw_daily(now: datetime | None = None) -> int:
    """Afterwards the day's budget is used as far as the day has come. Draws by page and command count, so that no more
    is asked of people than was said; they may ask for more, and then the house draws no more that day.
    """
    now = now or timezone.now()
    budget = choosing.in_force()
    if not budget.a_day:
        return 0
    lock()
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    count = budget.due(drawn=drawn_since(midnight), passed=(now - midnight) / timedelta(days=1))
    if not count:
        return 0
    row = ask(Strategy.MIX, count, mix=budget.mix, actor=HOUSE)
    return draw(row.pk).opened


def drawn_since(moment: datetime) -> int:
    return SelectionItem.objects.filter(selection__made_at__gte=moment).count()


def standing() -> QuerySet[ReviewRequest]:
    """Requests of draws that nobody has answered yet."""
    return ReviewRequest.objects.filter(reason=Reason.LEARNING, closed_at__isnull=True)


def is_selected() -> Exists:
    """Of a submission: whether a draw named it."""
    return Exists(SelectionItem.objects.filter(submission=OuterRef("pk")))
