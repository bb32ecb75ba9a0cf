"""Rules hear the other signals: banks of known images, lists of terms, the provenance of a file; live and in replay."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifiers import registry
from moderation.banks.known import known
from moderation.first_edition import bands, register_signals
from moderation.models import BankAction, Client, Polarity, Submission, TriagePlan
from moderation.policies import parsed
from moderation.routing import Context, route
from moderation.taxonomy import Category
from moderation.triage.replay import evidence_under
from tests import world
from tests.classifiers.editions import term_card
from tests.classifiers.provenance import files
from tests.moderation.knowing import bank, copied, fingerprint, learnt, scene
from tests.moderation.rulings import put, rule, shown

PROMPT = "a lighthouse at dusk, oil painting"
A1111 = files.png({"parameters": files.A1111})


@pytest.fixture
def law(guidelines: None, tmp_path: Path) -> TriagePlan:
    """All signals under the bands of the first edition."""
    known.refresh(at_once=True)
    others = [ref for ref in register_signals() if not ref.startswith("terms@")]
    return world.publish(*others, registry.register(term_card(tmp_path, version="9")).ref, bands=bands())


def replayed(submission: Submission, plan: TriagePlan) -> str:
    (said,) = evidence_under([submission], parsed(plan))
    return route(said, parsed(plan), Context()).action


@pytest.mark.parametrize("polarity", [Polarity.HARMFUL, Polarity.KNOWN_GOOD])
def test_a_match_is_heard_with_the_name_and_the_category_of_its_bank(
    law: TriagePlan, platform: Client, polarity: Polarity
) -> None:
    picture = scene(5)
    learnt(
        bank("Hot line", category=Category.NUDITY, polarity=polarity, action=BankAction.REVIEW), fingerprint(picture)
    )
    known.refresh(at_once=True)
    put(
        rule("harm", 'matches == ["Hot line"] && "NUDITY" in match_categories', mode="shadow"),
        rule("good", 'known_good == ["Hot line"] && matches.size() == 0', mode="shadow"),
    )

    submission = world.triaged(platform, copied(picture))

    assert shown(submission) == {"shadow": ["harm" if polarity == Polarity.HARMFUL else "good"]}


def test_listed_terms_are_heard(law: TriagePlan, platform: Client) -> None:
    put(rule("terms", "terms.size() > 0", mode="shadow"))

    hit, miss = world.triaged(platform, prompt="a pipe bomb"), world.triaged(platform, prompt="a teapot")

    assert (shown(hit), shown(miss)) == ({"shadow": ["terms"]}, {})


def test_what_a_file_says_of_its_origin_is_heard(law: TriagePlan, platform: Client) -> None:
    plan = put(rule("origin", 'has(provenance.generator) && surface == "news"'))

    hit = world.triaged(platform, A1111, surface="news", generator={"name": "SDXL"}, prompt=PROMPT)
    miss = world.triaged(platform, world.png(), surface="news")

    assert shown(hit) == {
        "rules": ["origin"],
        "demands": [{"action": "review", "code": "rule", "category": "", "detail": "origin"}],
    }
    assert shown(miss) == {}
    assert (replayed(hit, plan), replayed(miss, plan)) == (hit.route, miss.route)


def test_rules_newer_than_the_image_hear_what_was_stored_of_it(law: TriagePlan, platform: Client) -> None:
    old = world.triaged(platform, A1111, generator={"name": "SDXL"}, prompt=PROMPT)
    assert old.route == "approve"

    later = put(rule("origin", "has(provenance.generator)"))

    assert replayed(old, later) == "review"


def test_rules_do_not_hear_each_other(law: TriagePlan, platform: Client) -> None:
    put(
        rule("finds", effect="find", category="HATE", amount=0.9, mode="live"),
        rule("hears", "scores.HATE > 0.0", mode="shadow"),
    )

    assert "shadow" not in shown(world.triaged(platform))
