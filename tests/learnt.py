"""The learning loop of the desk that `tests.lived` lives in: drawn images answered, data sets, an audit of labels,
trainings, evaluations. Each step is the product's own, on the demo's images and their stored embeddings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import transaction

if TYPE_CHECKING:
    from moderation.models import User
    from review.models import Dataset

ANSWERED: Final = 200  # drawn images that people have answered
SLIP: Final = 16  # one answer in so many is wrong
TRAINED: Final[tuple[dict[str, Any], ...]] = (
    {"reweigh": True},  # fails: one generator drew all of it, and a gap needs two
    {},
    {"target_epsilon": 8.0, "epochs": 20},
    {"kind": "mlp", "hidden": 32, "epochs": 60, "patience": 12, "batch": 32, "learning_rate": 0.001},
)


def learn() -> None:
    """Once: where something was evaluated already, nothing changes."""
    from moderation.models import User
    from review.models import Evaluation

    if Evaluation.objects.exists():
        return
    settings.REVIEW_UNDO_SECONDS = 0  # what people say here stands at once
    engineer = User.objects.get(username="demo-ml-engineer")
    answer(engineer)
    labels = build(engineer)
    doubt(engineer, labels)
    train(engineer, labels)
    evaluate(engineer, labels)


def answer(engineer: User) -> None:
    """Images drawn by a lot, and what two colleagues said of them: the truth, but for a slip now and then."""
    from django.utils import timezone

    from config.demo import stream
    from moderation.models import ReviewRequest, User
    from review.decisions import decide
    from review.models import Selection
    from review.queue import lease
    from review.selection.drawing import standing

    if Selection.objects.exists():
        return
    draw(engineer, "random", ANSWERED)
    team = User.objects.filter(username__in=("rita-torres", "lena-vogel")).order_by("username")
    asked = list(standing().order_by("id").values_list("pk", flat=True))
    for at, person in enumerate(team):
        with transaction.atomic():
            rows = ReviewRequest.objects.select_for_update(of=("self",)).filter(pk__in=asked[at :: len(team)])
            claims = lease(list(rows), person, now=timezone.now())
        for number, one in enumerate(claims):
            true = sorted(stream.truth(one.request.submission.external_id or ""))
            if number % SLIP == SLIP - 1:
                true = [] if true else ["REGULATED"]
            labels = [{"category": code, "severity": 2} for code in true]
            seen = {"revealed": True, "seconds": 4}
            decide(one.pk, person, verdict="block" if true else "approve", labels=labels, seen=seen)


def draw(engineer: User, strategy: str, budget: int, *, waiting: bool = False) -> None:
    from moderation.actors import Actor
    from review.selection import drawing
    from review.selection.budgets import MIX

    actor = Actor.person(engineer)
    row = drawing.ask(strategy, budget, actor=actor, person=engineer, mix=MIX, waiting=waiting)
    drawing.draw(row.pk)


def build(engineer: User) -> Dataset:
    """All labels with their embeddings, which it returns, and a balanced part with its images."""
    from review.exports import asking, running
    from review.feedback import default_backbone
    from review.labels.queries import Query
    from review.models import Export

    wanted = (
        (Query(demand=True, backbone=default_backbone()), "parquet"),
        (Query(demand=True, sampling="balanced"), "imagefolder"),
    )
    rows = [asking.ask(engineer, query=query, kind="labels", format=form) for query, form in wanted]
    for row in rows:
        running.work_off(row.pk)
    made = Export.objects.select_related("dataset").get(pk=rows[0].pk).dataset
    assert made is not None, "the export came to an end"
    return made


def doubt(engineer: User, labels: Dataset) -> None:
    """The labels audited, some sent to somebody else; and images drawn to learn from, which wait for people."""
    from moderation.actors import Actor
    from review.label_audits import asking, running
    from review.selection import choosing
    from review.selection.budgets import MIX, Budget

    actor = Actor.person(engineer)
    audit = running.ask(labels, actor=actor, person=engineer)
    running.run(audit.pk)
    asking.send(audit, 3, actor=actor, person=engineer)
    choosing.choose(Budget(40, MIX), person=engineer)
    draw(engineer, "mix", 24, waiting=True)
    draw(engineer, "random", 10)


def train(engineer: User, labels: Dataset) -> None:
    """Three that came to something, one that could not, and one that was called off."""
    from review.trainings import asking, running

    rows = [asking.ask(engineer, dataset=labels.pk, recipe=recipe) for recipe in TRAINED]
    for row in rows:
        running.work_off(row.pk)
    asking.cancel(asking.ask(engineer, dataset=labels.pk, kind="backbone").pk, engineer)


def evaluate(engineer: User, labels: Dataset) -> None:
    """What the trainings made, against the heads in service, on the test split."""
    from classifiers.models import ClassifierVersion
    from review.evaluations import orders
    from review.models import Sample, Training

    made = Training.objects.filter(version__isnull=False).values_list("version", flat=True)
    terms: dict[str, Any] = {"alpha": 0.1, "delta": 0.1, "by": ["generator"]}
    for candidate in ClassifierVersion.objects.filter(pk__in=made).order_by("id"):
        before = orders.counterpart(candidate)
        orders.ask(engineer, candidate, before, dataset=labels, split=Sample.TEST, **terms)
    orders.work_off()
