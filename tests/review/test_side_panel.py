"""What the side panel tells of a case: words of the prompt, known images, batch, author. Nothing in a blind one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client as HttpClient
from django.test.utils import CaptureQueriesContext

from classifiers import registry
from moderation import lifecycle
from moderation.actors import HOUSE
from moderation.models import BankAction, Client, Reason, ReviewRequest, Status, Submission, TriagePlan, User
from review.surroundings import LOOKED_BACK, SIBLINGS, surroundings_of
from review.views.panels import Piece, by_nearness, pieces
from tests import world
from tests.classifiers.editions import term_card
from tests.moderation.knowing import bank, copied, fingerprint, learnt, plan_with_banks, scene

CLAIM = "/desk/general/claim"


@pytest.fixture
def desk(client: HttpClient, rita: User) -> HttpClient:
    client.force_login(rita)
    return client


def sent(platform: Client, seed: int, **fields: Any) -> Submission:
    return world.triaged(platform, world.png(red=0.5, seed=seed), **fields)


def test_listed_terms_are_marked_where_they_stand_and_nothing_else_is_markup(
    desk: HttpClient, platform: Client, guidelines: None, tmp_path: Path
) -> None:
    eyes = world.colour_eyes(tmp_path)
    bands = {**world.BANDS, "NUDITY": {"approve": 0.2}, "CSAE": {"approve": 0.01}}
    world.publish(registry.register(term_card(tmp_path)).ref, eyes.ref, bands=bands)
    world.triaged(platform, world.png(red=0.5), prompt="<script>a</script> n0de gun <b>toy</b>")
    page = desk.post(CLAIM).content.decode()
    assert ">gun<span" in page
    assert "<mark" in page
    assert "&lt;script&gt;a&lt;/script&gt; " in page
    assert "<script>a" not in page


def test_pieces_keep_every_letter() -> None:
    assert pieces("a red wall", []) == [Piece("a red wall")]
    assert pieces("", []) == []


def test_the_clause_that_shares_words_comes_first() -> None:
    assert (
        by_nearness(["a museum piece", "A rifle on a wall"], "hunter with a RIFLE by the wall")[0]
        == "A rifle on a wall"
    )
    assert by_nearness(["one", "two"], "") == ["one", "two"]


def test_a_known_image_is_told_with_its_distance(
    desk: HttpClient, platform: Client, guidelines: None, tmp_path: Path
) -> None:
    plan_with_banks()
    learnt(bank("Toy <guns>", action=BankAction.REVIEW), fingerprint(scene(1)))
    world.triaged(platform, copied(scene(1)))
    page = desk.post(CLAIM).content.decode()
    assert "Known images" in page
    assert "Toy &lt;guns&gt;" in page
    assert "of 256 apart" in page


def test_the_batch_is_what_the_integrator_declared(
    desk: HttpClient, platform: Client, other_platform: Client, eyes: TriagePlan
) -> None:
    mine = [sent(platform, n, context={"batch_id": "b7"}, author_ref=f"author-{n}") for n in range(3)]
    sent(platform, 4, context={"batch_id": "b8"})
    sent(other_platform, 5, context={"batch_id": "b7"})
    held = sent(platform, 6, context={"batch_id": "b7"})
    lifecycle.move(held, Status.QUARANTINED, actor=HOUSE, reason="test")
    found = surroundings_of(mine)
    assert {one.submission for one in found[mine[0].pk].siblings} == {mine[1].pk, mine[2].pk, held.pk}
    page = desk.post(CLAIM)
    card = next(one for one in page.context["cards"] if one.submission.pk == mine[0].pk)
    assert len(card.sibling_glimpses) == 2
    assert str(held.pk) not in page.content.decode()
    assert [desk.get(url).status_code for url in card.sibling_glimpses] == [200, 200]


def test_without_a_batch_one_authors_images_of_one_prompt_belong_together(platform: Client, eyes: TriagePlan) -> None:
    said: dict[str, Any] = {"author_ref": "u1", "prompt": "a red wall", "generator": {"name": "flux", "seed": 1}}
    first, second = sent(platform, 1, **said), sent(platform, 2, **said)
    sent(platform, 3, **said | {"prompt": "another"})
    sent(platform, 4, **said | {"author_ref": "u2"})
    sent(platform, 5, **said | {"generator": {"name": "sdxl"}})
    assert [one.submission for one in surroundings_of([first])[first.pk].siblings] == [second.pk]


def test_an_author_has_a_name_of_this_house_and_counts(
    desk: HttpClient, platform: Client, other_platform: Client, eyes: TriagePlan
) -> None:
    mine = [sent(platform, n, author_ref="jane@example.org") for n in range(3)]
    theirs = sent(other_platform, 9, author_ref="jane@example.org")
    lifecycle.move(mine[0], Status.BLOCKED, actor=HOUSE, reason="test")
    found = surroundings_of([mine[1], mine[2], theirs])
    names = [found[one.pk].author.name for one in (mine[1], mine[2], theirs)]  # type: ignore[union-attr]
    assert names[0] == names[1] != names[2]
    author = found[mine[1].pk].author
    assert author
    assert author.fates == ["1 blocked", "1 in review"]
    page = desk.post(CLAIM).content.decode()
    assert names[0] in page
    assert "jane@example.org" not in page


def test_who_checks_the_machines_learns_nothing_of_it(desk: HttpClient, platform: Client, eyes: TriagePlan) -> None:
    for n in range(2):
        sent(platform, n, author_ref="u1", prompt="a red wall", context={"batch_id": "b"})
    ReviewRequest.objects.update(reason=Reason.AUDIT_SAMPLE)
    cards = desk.post(CLAIM).context["cards"]
    assert [(card.around, card.hits, len(card.prompt)) for card in cards] == [(None, [], 1)] * 2


def test_two_queries_tell_of_all_and_look_no_further_than_said(platform: Client, eyes: TriagePlan) -> None:
    row = sent(platform, 1, author_ref="u1", context={"batch_id": "b"})
    Submission.objects.bulk_create(
        Submission(
            client_id=row.client_id,
            sha256="x",
            media_type="",
            byte_size=1,
            width=1,
            height=1,
            author_ref="u1",
            context={"batch_id": "b"},
            triage_after=row.triage_after,
        )
        for _each in range(LOOKED_BACK + 5)
    )
    with CaptureQueriesContext(connection) as queries:
        found = surroundings_of([row])[row.pk]
    assert len(queries) == 2
    assert len(found.siblings) == SIBLINGS
    assert found.author
    assert found.author.total == LOOKED_BACK
