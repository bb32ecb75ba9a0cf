"""The language of rules: what is refused at save and where, what a field is, and that no rule can cost much."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.models import Submission
from moderation.routing import Evidence
from moderation.rules.facts import FIELDS, Author, Case, values
from moderation.rules.faults import Fault, RuleError, Unanswered
from moderation.rules.language import LONGEST, language
from moderation.rules.wording import FAULTS, about, told
from moderation.taxonomy import Category

SCRIPTS = {
    "latin": "Straßenfest",
    "greek": "πόλεμος",
    "cyrillic": "оружие",
    "hebrew": "נשק",
    "arabic": "سلاح",
    "devanagari": "हथियार",
    "thai": "อาวุธ",
    "han": "武器",
    "hangul": "무기",
    "ethiopic": "መሳሪያ",
}

BANK = {"name": "bank one", "category": "NCII", "polarity": "harmful"}


def case(**fields: Any) -> Case:
    """An image of which nothing is known but these."""
    known = {"prompt": "", "width": 640, "height": 480, "media_type": "image/png", "byte_size": 9, **fields}
    return Case(Submission(**known), [Evidence("eyes@1", {"NUDITY": 0.4})])


def holds(text: str, one: Case) -> bool:
    condition = language().read(text)
    return condition.holds(language().facts(values(condition.names, one)))


def refused(text: str) -> RuleError:
    with pytest.raises(RuleError) as caught:
        language().read(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ('prompt.contains("x"', "syntax", 1, 20),
        ("scores.NUDITY > 0.5 &&\n  && true", "syntax", 2, 3),
        ("nudity > 0.5", "unknown", 1, 1),
        ("scores.NUDITI > 0.5", "unknown", 1, 7),
        ('prompt == "x" &&\n  generator.nam == "SD"', "unknown", 2, 12),
        ('prompt.contians("x")', "unknown", 1, 16),
        ("prompt > 1", "types", 1, 8),
        ("scores.NUDITY > 1", "types", 1, 15),
        ("author.strikes + 1", "not_condition", 1, 1),
        ("context.flag", "not_condition", 1, 1),
        ('prompt.matches("a(")', "bad_pattern", 1, 17),
        ("prompt.matches(prompt)", "open_pattern", 1, 15),
        ("context.a + context.b > 3", "open_sum", 1, 11),
        ("territories.exists(a, territories.exists(b, a == b))", "nested", 1, 41),
        ('territories.exists(t, prompt.matches("a+"))', "loop_text", 1, 23),
        ("context.list.exists(x, x == context.other)", "loop_text", 1, 29),
        ("territories.map(t, t) == territories", "unknown", 1, 17),
        ('prompt + prompt == "x"', "types", 1, 8),
        ("", "empty", None, None),
        ("true // " + "x" * LONGEST, "long", None, None),
        ("(" * 300 + "true" + ")" * 300, "deep", None, None),
        ("context" + ".a" * 400 + " == 1", "deep", None, None),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place(
    text: str, code: str, line: int | None, column: int | None
) -> None:
    fault = refused(text).fault

    assert (fault.code, fault.line, fault.column) == (code, line, column)
    assert told(fault)


def test_a_slip_of_the_pen_is_answered_with_what_may_be_meant() -> None:
    assert told(refused("scores.NUDITI > 0.5").fault) == (
        "Line 1, column 7: “scores.NUDITI” is no field and no function. Is “scores.NUDITY” meant?"
    )


def test_whole_numbers_beside_decimals_are_explained() -> None:
    assert "as 1.0 beside decimals" in told(refused("scores.NUDITY > 1").fault)


@pytest.mark.parametrize("name", list(FIELDS))
def test_every_field_has_words_and_an_example_that_reads_it(name: str) -> None:
    condition = language().read(FIELDS[name].example)

    assert name in condition.names
    assert about(name)
    assert condition.holds(language().facts(values(condition.names, case()))) in {True, False}


def test_every_category_has_a_score() -> None:
    assert {f"scores.{code}" for code in Category} <= set(FIELDS)


@pytest.mark.parametrize("script", list(SCRIPTS))
def test_words_are_found_in_every_script(script: str) -> None:
    word = SCRIPTS[script]
    one = case(prompt=f"a picture of {word}, at night")

    assert holds(f'prompt.contains("{word}")', one)
    assert holds(f'prompt.matches("(?i){word}")', one)
    assert not holds(f'prompt.startsWith("{word}")', one)


def test_a_fault_behind_wide_characters_is_placed_by_characters() -> None:
    fault = refused('prompt == "武器🔫" && nope').fault

    assert (fault.line, fault.column) == (1, 20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("scores.NUDITY >= 0.4 && scores.HATE == 0.0", True),
        ("image.width > image.height && image.byte_size < 10", True),
        ('generator.name == "SD" && generator.version == ""', True),
        ('"DE" in territories && territories.all(t, t.size() == 2)', True),
        ("has(context.shop) && context.shop.verified == true", False),
        ("context.tags.exists(t, t.matches('^b'))", True),
        ("context.tags.exists(prompt, prompt == 'b') && prompt == ''", True),
        ("territories.exists(t, t in territories && scores.NUDITY > 0.1)", True),
        ('matches == ["bank one"] && match_categories == ["NCII"] && known_good == ["press"]', True),
        ('terms == ["listed"]', True),
        ("author.strikes > 2 && author.volume_24h == 7 && author.blocked_share < 0.5", True),
        ('provenance.claims[0].by == "SD"', True),
    ],
)
def test_rules_read_what_is_known_of_an_image(text: str, expected: bool) -> None:
    known = case(
        generator={"name": "SD"}, territories=["DE", "FR"], context={"tags": ["a", "b"], "shop": {"verified": 0}}
    )
    one = Case(
        known.submission,
        [*known.evidence, Evidence("terms@1", {"NUDITY": 0.1})],
        [
            ("hashes", {"matches": [BANK, {**BANK, "name": "press", "polarity": "known_good"}]}),
            ("terms", {"matched": [{"term": "listed"}, {"term": "listed"}]}),
            ("provenance", {"claims": [{"by": "SD"}]}),
        ],
        Author(3, 7, 0.25),
    )

    assert holds(text, one) is expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("context.secret == 1", "missing"),
        ("context.age > 3", "mismatch"),
        ("image.width / (image.width - 640) == 1", "invalid"),
        ("int(prompt) == 3", "invalid"),
        ("context.long.all(x, x == 0)", "limit"),
    ],
)
def test_an_answer_that_cannot_be_given_says_why_and_nothing_of_the_image(text: str, code: str) -> None:
    one = case(prompt="my secret", context={"age": "my secret", "long": [0] * 10_001})

    with pytest.raises(Unanswered) as caught:
        holds(text, one)

    assert (caught.value.code, str(caught.value)) == (code, code)


@pytest.mark.parametrize(
    "text",
    [
        'prompt.matches("(x+x+)+y")',
        'prompt.matches("(x|xx|xxx)*y$")',
        'prompt.matches("((x{1,30}){1,30})y")',
        " && ".join(['prompt.contains("yx")'] * 40),
        " || ".join(['prompt.matches("x*y")'] * 40),
    ],
)
def test_the_worst_that_can_be_written_is_worked_out_on_the_longest_prompt(text: str) -> None:
    assert not holds(text, case(prompt="x" * 20_000))


def test_a_rule_that_would_swell_is_stopped_before_it_does() -> None:
    tracemalloc.start()
    with pytest.raises(RuleError):
        language().read("territories.map(a, territories.map(b, prompt + prompt)).size() > 1")
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))  # as PostgreSQL holds them
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(texts, json, max_size=4))
def test_whatever_was_sent_along_a_rule_answers_or_says_why_not(context: dict[str, Any]) -> None:
    one = case(context={**context, "age": 3})

    assert holds("has(context.age) && context.size() > 0", one)


@given(st.text(max_size=80))
def test_whatever_is_typed_is_kept_or_refused_in_words(text: str) -> None:
    fault = fault_in(text)

    assert fault is None or (fault.code in FAULTS and told(fault))


def fault_in(text: str) -> Fault | None:
    try:
        language().read(text)
    except RuleError as error:
        return error.fault
    return None
