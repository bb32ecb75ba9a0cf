"""Term editions: read by line, searched at once, and a signal like any other."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from PIL import Image

from classifiers import registry
from classifiers.base import CardError, ImageInput
from classifiers.prompts import editions
from classifiers.prompts.editions import ACTIONS, BadRow, Benign, Combination, ListedCategory, Term
from classifiers.prompts.listed import TermList
from classifiers.prompts.terms import EditionError, index
from tests.classifiers.editions import ROWS, term_card

PICTURE = Image.new("RGB", (8, 8))


def asked(prompt: str, negative: str = "") -> ImageInput:
    return ImageInput(PICTURE, prompt=prompt, negative_prompt=negative)


def test_bad_rows_are_told_by_line_and_the_good_ones_kept() -> None:
    lines = [
        '{"row": "category", "name": "HATE"}',
        "not json",
        '["a", "list"]',
        "",
        '{"row": "term", "name": "HATE", "text": "good"}',
        '{"row": "term", "name": "HATE", "text": "!?"}',
        '{"row": "term", "name": "Hate", "text": "x"}',
        '{"row": "term", "name": "HATE", "text": "x", "action": "explode"}',
        '{"row": "term", "name": "HATE", "text": "x", "probability": 2}',
        '{"row": "term", "name": "HATE", "text": "' + "x" * 201 + '"}',
        '{"row": "rule", "name": "r", "all": ["a"], "category": "HATE"}',
        '{"row": "category", "name": "HATE", "severity": 9}',
        '{"row": "category", "name": "HATE", "colour": "red"}',
        '{"row": "poem", "name": "HATE"}',
    ]
    edition, bad = editions.gather(editions.read(lines))
    assert edition.terms == [Term("HATE", "good")]
    assert [one.line for one in bad] == [2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert "explode" in str(bad[4])


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_edition_survives_its_file(form: str) -> None:
    lines = editions.written(ROWS) if form == "jsonl" else editions.as_csv(ROWS)
    assert list(editions.read("".join(lines).splitlines(keepends=True), form=form)) == list(ROWS)


def test_a_csv_with_broken_rows_is_read_as_far_as_it_goes() -> None:
    lines = ["row,name,text,probability\n", "term,HATE,x,lots\n", "term,HATE,a,0.5,too,many\n", "term,HATE,ok,0.25\n"]
    found = list(editions.read(lines, form="csv"))
    assert [one.line for one in found if isinstance(one, BadRow)] == [2, 3]
    assert found[-1] == Term("HATE", "ok", None, 0.25)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([Term("HATE", "x")], "add a category row"),
        ([ListedCategory("HATE"), Combination("r", ("minor", "HATE"), "HATE")], "minor, which has no terms"),
        ([BadRow(7, "broken")], "line 7: broken"),
    ],
)
def test_an_edition_that_hangs_in_the_air_is_refused(rows: list[editions.Row | BadRow], words: str) -> None:
    with pytest.raises(EditionError, match=words):
        index(rows)


def test_the_strictest_action_and_the_highest_probability_of_a_category_count() -> None:
    found = index(ROWS).screen("a gun and a pipe bomb").found
    assert found == {"WEAPONS_DANGEROUS": (0.99, "block")}
    assert index(ROWS).screen("a gun").found == {"WEAPONS_DANGEROUS": (0.7, "review")}


def test_a_combination_needs_all_its_parts() -> None:
    terms = index(ROWS)
    assert terms.screen("a child on a beach").found == {}
    assert terms.screen("a nude statue").found == {"NUDITY": (0.1, "transform")}
    both = terms.screen("a nude statue of a child")
    assert both.found["CSAE"] == (1.0, "block")
    assert [rule.name for rule in both.combinations] == ["minor and nudity"]


def test_a_term_in_two_lists_speaks_for_both() -> None:
    terms = index(
        [ListedCategory("HATE"), ListedCategory("OTHER"), Term("HATE", "troll"), Term("OTHER", "troll", "block")]
    )
    assert terms.screen("a troll").found == {"HATE": (0.5, "review"), "OTHER": (0.5, "block")}


def test_of_two_terms_within_each_other_the_longer_is_told() -> None:
    terms = index([ListedCategory("OTHER"), Term("OTHER", "rifle"), Term("OTHER", "assault rifle")])
    assert [match.term for match in terms.matches("an assault rifle, a rifle")] == ["assault rifle", "rifle"]


def test_an_edition_without_terms_finds_nothing() -> None:
    assert index([ListedCategory("HATE")]).screen("anything").found == {}


def test_a_card_opens_and_speaks_of_each_picture(tmp_path: Path) -> None:
    signal = registry.load_card(term_card(tmp_path, blockable=["WEAPONS_DANGEROUS"]))
    outputs = signal.run([asked("a castle"), asked("a pipe bomb"), asked("a nude child"), asked("", "gun, nude")])
    assert signal.categories == ("CSAE", "NUDITY", "WEAPONS_DANGEROUS")
    assert outputs.probabilities.ravel() == pytest.approx([0, 0, 0, 0, 0, 0.99, 1, 0.1, 0, 0, 0, 0])
    assert outputs.shown is not None
    plain, bomb, child, negative = outputs.shown
    assert plain == negative == {}
    assert bomb["demands"] == [
        {"action": "block", "code": "term", "category": "WEAPONS_DANGEROUS", "detail": "pipe bomb"}
    ]
    assert bomb["matched"] == [
        {"term": "pipe bomb", "category": "WEAPONS_DANGEROUS", "start": 2, "end": 11, "text": "pipe bomb"}
    ]
    # The picture exists by now, and only people block there; what only wants guidance demands nothing.
    assert child["demands"] == [{"action": "review", "code": "term", "category": "CSAE", "detail": "minor and nudity"}]


def test_a_card_that_does_not_list_a_category_is_refused(tmp_path: Path) -> None:
    card = term_card(tmp_path, [ListedCategory("HATE"), Term("HATE", "x"), Term("HATE", "y")])
    card.write_text(card.read_text().replace("HATE", "OTHER"))
    with pytest.raises(CardError, match="speaks of HATE"):
        registry.load_card(card)


def test_an_edition_that_was_changed_afterwards_is_refused(tmp_path: Path) -> None:
    card = term_card(tmp_path)
    with (tmp_path / "terms-1.jsonl").open("a") as file:
        file.write('{"row": "term", "name": "NUDITY", "text": "castle"}\n')
    with pytest.raises(CardError, match="sha256"):
        registry.load_card(card)


def test_a_benign_phrase_and_a_term_may_share_a_spelling() -> None:
    terms = index([ListedCategory("HATE"), ListedCategory("OTHER"), Term("HATE", "fruit"), Benign("OTHER", "fruit")])
    assert list(terms.screen("fruit").found) == ["HATE"]


def test_a_prompt_of_nothing_but_terms_stays_cheap() -> None:
    terms = index(ROWS)
    assert len(terms.matches("gun " * 5000)) == 5000
    assert terms.matches("water gun " * 2000) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_million_terms_are_loaded_and_searched() -> None:
    draw = random.Random(3)
    syllables = [
        "ka",
        "lo",
        "mi",
        "ter",
        "an",
        "de",
        "fro",
        "shi",
        "pel",
        "or",
        "gan",
        "tu",
        "ves",
        "qui",
        "bra",
        "xen",
    ]
    made = ["".join(draw.choices(syllables, k=5)) for _ in range(1_000_000)]
    terms = index([ListedCategory("HATE"), *(Term("HATE", text) for text in made)])
    assert terms.size == 1_000_000
    for text in draw.sample(made, 50):
        assert terms.matches(f"a {text.upper()} on a hill")[0].term == text


FIRST = Path(registry.__file__).parent / "signals" / "terms.toml"


@pytest.mark.parametrize(
    ("prompt", "action"),
    [
        ("a teapot on a hill, oil painting, 4k", None),
        ("kids with water guns in a garden", None),
        ("a glass of red wine on a table", "transform"),
        ("renaissance nude, marble", "transform"),
        ("a man building a p1pe b0mb", "review"),
        ("naked 12-year-old", "block"),
        ("обнажённая девочка", "block"),
        ("裸の少女", "block"),
    ],
)
def test_the_first_edition_is_of_use(prompt: str, action: str | None) -> None:
    signal = registry.load_card(FIRST)
    assert isinstance(signal, TermList)
    found = signal.screen(prompt).found.values()
    assert max((said for _probability, said in found), key=ACTIONS.index, default=None) == action


def test_a_long_phrase_and_one_in_two_lists_are_found() -> None:
    long = "a very long phrase that has more than eight words in it"
    rows: list[editions.Row] = [
        ListedCategory("HATE"),
        ListedCategory("OTHER"),
        Term("HATE", long),
        Term("OTHER", "in it"),
        Term("HATE", "in it"),
    ]
    assert {(match.name, match.term) for match in index(rows).matches(f"so: {long}!")} == {
        ("HATE", long),
        ("OTHER", "in it"),
    }
