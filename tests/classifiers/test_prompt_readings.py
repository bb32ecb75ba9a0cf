"""Words are read through their disguises, and every find is shown where it stands in the original."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.prompts.editions import Benign, ListedCategory, Term
from classifiers.prompts.folding import fold
from classifiers.prompts.readings import canonical, readings
from classifiers.prompts.terms import TermIndex, index

SCRIPTS = {
    "Russian": "Девушка смотрит на старый город, картина маслом, рог и гора, сор у горы",
    "Greek": "Ένα κορίτσι διαβάζει ένα βιβλίο δίπλα στη θάλασσα, όπου και οι ναύτες",
    "Armenian": "Աղջիկը կարդում է գիրք ծովի ափին",
    "Arabic": "فتاة تقرأ كتابًا على شاطئ البحر، لوحة زيتية",
    "Hebrew": "יַלְדָּה קוראת ספר על חוף הים",
    "Hindi": "समुद्र तट पर किताब पढ़ती एक लड़की, तैल चित्र",
    "Thai": "เด็กผู้หญิงอ่านหนังสือริมทะเล ภาพสีน้ำมัน",
    "Chinese": "海边读书的女孩,油画,黄昏的光线",
    "Japanese": "海辺で本を読む少女、油絵、ﾊﾟｽﾃﾙ調",
    "Korean": "바닷가에서 책을 읽는 소녀, 유화",
    "Georgian": "გოგონა კითხულობს წიგნს ზღვის პირას",
    "Amharic": "በባህር ዳርቻ መጽሐፍ የምታነብ ልጅ",
}


def english(*terms: str) -> TermIndex:
    return index([ListedCategory("OTHER"), *(Term("OTHER", text) for text in terms)])


def found(terms: TermIndex, prompt: str) -> list[str]:
    return [prompt[match.start : match.end] for match in terms.matches(prompt)]


@pytest.mark.parametrize(
    ("prompt", "stands_there"),
    [
        ("a naked man", "naked"),
        ("A NAKED MAN", "NAKED"),
        ("a nаkеd man", "nаkеd"),  # Cyrillic а, е
        ("a nακed man", "nακed"),  # Greek α, κ
        ("a ｎａｋｅｄ man", "ｎａｋｅｄ"),
        ("a 𝓷𝓪𝓴𝓮𝓭 man", "𝓷𝓪𝓴𝓮𝓭"),
        ("a 🅽🅰🅺🅴🅳 man", "🅽🅰🅺🅴🅳"),
        ("a ⓝⓐⓚⓔⓓ man", "ⓝⓐⓚⓔⓓ"),
        ("a ɴᴀᴋᴇᴅ man", "ɴᴀᴋᴇᴅ"),
        ("a n4k3d man", "n4k3d"),
        ("a n@k€d man", "n@k€d"),
        ("a na\u200bk\u200ced man", "na\u200bk\u200ced"),
        ("a na\u202eked man", "na\u202eked"),
        ("a ná̈kêd man", "ná̈kêd"),
        ("a n̶a̶k̶e̶d̶ man", "n̶a̶k̶e̶d̶"),
        ("a n a k e d man", "n a k e d"),
        ("a n.a.k.e.d man", "n.a.k.e.d"),
        ("a n-a-k-e-d man", "n-a-k-e-d"),
        ("a n_a_k_e_d man", "n_a_k_e_d"),
        ("a na.ked man", "na.ked"),
        ("a naaaaked man", "naaaaked"),
        ("a n4aaa\u200bkеd man", "n4aaa\u200bkеd"),
    ],
)
def test_a_disguised_word_is_found_where_it_stands(prompt: str, stands_there: str) -> None:
    assert stands_there in found(english("naked", "naaked"), prompt)[0]
    assert found(english("naked"), prompt.replace("naaaa", "na").replace("n4aaa", "n4")) != []


@pytest.mark.parametrize(
    ("term", "prompt"),
    [
        ("ladies", "two ladiiies dancing"),
        ("boobs", "big booobs"),
        ("gun", "a g u n on a table"),
        ("kill", "k1ll him"),
        ("kill", "ki11 him"),
        ("bomb", "ВОМВ"),  # Cyrillic throughout
        ("shit", "holy $h!t"),
        ("AK-47", "man with ak47"),
        ("self-harm", "a photo of self harm, selfharm"),
        ("under age", "underage person"),
        ("suicid*", "suicidal thoughts"),
        ("*porn", "some hentaiporn"),
        ("裸体", "少女裸体写真"),
        ("ノード", "全身ﾉｰﾄﾞ写真"),
        ("총", "총을 든 남자"),
        ("нож", "Нож в руке"),
        ("й", "й"),
        ("🔞", "very🔞hot"),
        ("straße", "eine STRASSE"),
    ],
)
def test_a_term_is_found_in_another_spelling(term: str, prompt: str) -> None:
    assert found(english(term), prompt) != []


@pytest.mark.parametrize(
    ("term", "prompt"),
    [
        ("ass", "an assassin in a class of classics, embarrassing grass"),
        ("cunt", "the town of Scunthorpe"),
        ("god", "a good dog"),  # two letters are spelling, not emphasis
        ("SS", "taken with an iPhone 5s"),
        ("ak", "4k, 8k, uhd"),
        ("rope", "горе от ума"),  # a Russian word that Unicode's table would read as Latin
        ("cop", "сор у дома, гора"),  # all look-alikes, in a Russian text
        ("총", "권총"),
        ("gun", "water gunner"),
    ],
)
def test_an_innocent_word_is_let_be(term: str, prompt: str) -> None:
    assert found(english(term), prompt) == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_prompt_in_its_own_script_is_read_as_it_stands(script: str) -> None:
    """No false find among many English words, and the text's own words are found in it."""
    prompt = SCRIPTS[script]
    words = english(
        "ass", "sex", "nude", "gun", "cop", "pop", "cock", "rope", "rape", "porn", "hot", "poop", "tit", "oho"
    )
    assert found(words, prompt) == []
    assert len(readings(prompt)) == 1
    own = prompt.replace(",", " ").split()[0]
    assert found(english(own), prompt)[0] == own


def test_a_benign_phrase_excuses_only_itself() -> None:
    terms = index(
        [
            ListedCategory("WEAPONS_DANGEROUS"),
            Term("WEAPONS_DANGEROUS", "gun"),
            Benign("WEAPONS_DANGEROUS", "water gun"),
        ]
    )
    assert found(terms, "kids with a water gun") == []
    assert found(terms, "kids with a w4ter gun") == []
    assert found(terms, "a water gun beside a gun") == ["gun"]
    assert terms.matches("a water gun beside a gun")[0].start == len("a water gun beside a ")


@given(st.text(max_size=60))
def test_folding_never_fails_and_is_done_once(text: str) -> None:
    folding = fold(text)
    assert fold(folding.signs).signs == folding.signs
    assert len(folding.signs) == len(folding.starts) == len(folding.ends) == len(folding.kinds)
    assert canonical(canonical(text)) == canonical(text)


GLYPHS = st.text(st.sampled_from("gunGUN аеоpсх 0134@$!.-_ \u200b\u0301ｇ𝓾少女총🅽ﾊﾟ"), max_size=40)


@given(GLYPHS)
def test_every_find_lies_within_the_text(text: str) -> None:
    terms = english("gun", "un", "女", "a")
    for match in terms.matches(text):
        assert 0 <= match.start < match.end <= len(text)
        assert match.term in {
            reading.text[i : i + len(match.term)] for reading in readings(text) for i in range(len(reading.text))
        }


@given(GLYPHS)
def test_readings_are_few_and_differ(text: str) -> None:
    found = [reading.text for reading in readings(text)]
    assert 1 <= len(found) <= 17
    assert len(set(found)) == len(found)
