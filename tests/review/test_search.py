from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from moderation import audit, lifecycle
from moderation.actors import HOUSE
from moderation.models import Client, ReviewRequest, Status, Submission, TriagePlan, User
from review import queue
from review.decisions import decide
from review.models import SavedView
from review.search import pages, saved
from review.search.filters import UnfitSearch, canonical, found_by, matching
from tests import world
from tests.moderation.callers import at_page, stranger
from tests.review.arranging import waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(platform: Client, other_platform: Client, eyes: TriagePlan, rita: User) -> dict[str, Submission]:
    """A weapon in review, a green one approved by its band, and one of another platform that rita blocked."""
    red = world.triaged(
        platform, world.png(red=0.5, seed=1), prompt="a hunter with a rifle", author_ref="anna", surface="gallery"
    )
    pale = world.triaged(
        platform,
        world.png(green=0.1, seed=2),
        prompt="a green meadow",
        external_id="m-1",
        generator={"name": "sd", "version": "3"},
        territories=("FR",),
    )
    other = world.triaged(other_platform, world.png(red=0.6, seed=3), prompt="a toy rifle", audience="teen")
    request = ReviewRequest.objects.get(submission=other)
    ReviewRequest.objects.filter(pk=request.pk).update(priority=9)
    (claim,) = queue.claim(rita, queue.GENERAL)
    decide(claim.pk, rita, verdict="block", labels=[{"category": "HARASSMENT", "severity": 2}])
    decided = claim.request.submission
    rest = {one.pk: one for one in (red, pale, other)}
    assert decided.pk in rest
    return {"red": red, "pale": pale, "other": other}


def names(three: dict[str, Submission], query: str) -> set[str]:
    found = set(found_by(query).values_list("pk", flat=True))
    return {name for name, one in three.items() if one.pk in found}


FILTERS = [
    ("", {"red", "pale", "other"}),
    ("prompt=rifle", {"red", "other"}),
    ("prompt=rifle+-toy", {"red"}),
    ('prompt="green meadow"', {"pale"}),
    ("status=approved", {"pale"}),
    ("status=approved&status=in_review&status=blocked", {"red", "pale", "other"}),
    ("decided_by=automation", {"pale"}),
    ("route=approve", {"pale"}),
    ("category=WEAPONS_DANGEROUS", {"red", "other"}),
    ("category=HATE", set()),
    ("reason=uncertain", {"red", "other"}),
    ("client=fresco", {"other"}),
    ("author_ref=anna", {"red"}),
    ("external_id=m-1", {"pale"}),
    ("surface=gallery", {"red"}),
    ("audience=teen", {"other"}),
    ("territory=fr", {"pale"}),
    ("generator=sd", {"pale"}),
    ("plan=1", {"red", "pale", "other"}),
    ("plan=2", set()),
    ("policy=WEAPONS_DANGEROUS+v1", {"red", "other"}),
    ("policy=nonsense", set()),
    ("reviewer=nobody", set()),
    ("label=HATE", set()),
    ("created_after=2020-01-01&created_before=2100-01-01", {"red", "pale", "other"}),
    ("created_before=2020-01-01", set()),
    ("created_after=9999-12-31", set()),
    ("settled_before=2020-01-01", set()),
]


@pytest.mark.parametrize(("query", "found"), FILTERS)
def test_each_filter_finds_what_fits(three: dict[str, Submission], query: str, found: set[str]) -> None:
    assert names(three, query) == found


def test_by_who_decided_what_and_when(three: dict[str, Submission]) -> None:
    blocked = names(three, "status=blocked")
    today = timezone.now().date().isoformat()
    assert len(blocked) == 1
    assert names(three, "reviewer=rita") == names(three, "label=HARASSMENT") == blocked
    assert names(three, f"decided_by=person&settled_after={today}&settled_before={today}") == blocked


@pytest.mark.parametrize("wanted", ["pk", "sha256", "pdq"])
def test_an_image_is_found_with_its_near_duplicates(three: dict[str, Submission], wanted: str) -> None:
    red, pale = three["red"], three["pale"]
    Submission.objects.filter(pk=pale.pk).update(cluster=red.cluster, pdq=bytes(range(32)))
    Submission.objects.filter(pk=red.pk).update(pdq=bytes(range(1, 33)))
    value = {"pk": str(red.pk), "sha256": red.sha256, "pdq": bytes(range(1, 33)).hex()}[wanted]
    assert names(three, f"image={value}") == {"red", "pale"}


def test_what_lies_under_legal_hold_is_never_found(three: dict[str, Submission]) -> None:
    red, pale = three["red"], three["pale"]
    Submission.objects.filter(pk=pale.pk).update(cluster=red.cluster)
    lifecycle.move(Submission.objects.get(pk=red.pk), Status.QUARANTINED, actor=HOUSE, reason="test")
    assert "red" not in names(three, "")
    assert names(three, f"image={red.pk}") == set()
    assert names(three, f"image={pale.pk}") == {"pale"}
    with pytest.raises(UnfitSearch):
        found_by("status=quarantined")


@pytest.mark.parametrize(
    "query",
    [
        "status=nonsense",
        "client=nobody",
        "created_after=yesterday",
        "plan=x",
        "prompt=" + "x" * 201,
        "prompt=%00",
        "category=X",
    ],
)
def test_what_cannot_be_read_is_refused_beside_its_field(query: str, sam: User) -> None:
    with pytest.raises(UnfitSearch) as trouble:
        found_by(query)
    assert len(trouble.value.form.errors) == 1
    page = at_page(sam).get(f"/search/?{query}")
    assert page.status_code == 200
    assert "errorlist" in page.content.decode()


@given(st.text(max_size=80))
def test_no_hash_nor_id_is_nothing(wanted: str) -> None:
    match = matching(wanted)
    assert match is None or len(wanted) >= 32


@given(st.dictionaries(st.sampled_from(["prompt", "status", "as", "before", "x"]), st.text(max_size=20)))
def test_the_same_search_has_the_same_address(said: dict[str, str]) -> None:
    given_ = QueryDict(mutable=True)
    given_.update(said)
    once = canonical(given_)
    assert canonical(QueryDict(once)) == once
    assert set(QueryDict(once)) <= {"prompt", "status"}


# --- cost -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def many(platform: Client, eyes: TriagePlan) -> Callable[[str], str]:
    """Twenty thousand submissions, of which one in a thousand is out of the ordinary."""
    one = world.triaged(platform, world.png(red=0.5))
    columns = [str(field.column) for field in one._meta.concrete_fields]
    made = {
        "id": "('01900000' || lpad(to_hex(n), 24, '0'))::uuid",
        "external_id": "n::text",
        "sha256": "md5(n::text) || md5(n::text)",
    }
    made |= {"prompt": "'a picture of ' || md5((n / 3)::text) || CASE WHEN n % 1000 = 0 THEN ' zeppelin' ELSE '' END"}
    made |= {"author_ref": "'author ' || n / 5", "cluster": "gen_random_uuid()", "pdq": "NULL"}
    made |= {"status": "CASE WHEN n % 1000 = 0 THEN 'blocked' ELSE 'approved' END", "settled_at": "now()"}
    made |= {"flagged": "CASE WHEN n % 1000 = 0 THEN '{HATE}'::text[] ELSE '{}' END"}
    chosen = ", ".join(made.get(column, column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO moderation_submission ({', '.join(columns)}) "
            f"SELECT {chosen} FROM moderation_submission, generate_series(1, 20000) n"
        )
        cursor.execute("ANALYZE moderation_submission")

    def explained(query: str) -> str:
        wanted = found_by(query)[:49]
        sql, values = wanted.query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql}", values)
            return "\n".join(line for (line,) in cursor.fetchall())

    return explained


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "moderation_submission_pkey"),
        ("status=approved", "submission_status_recent|moderation_submission_pkey"),
        ("status=blocked", "submission_status_recent"),
        ("category=HATE", "submission_flagged"),
        ("prompt=zeppelin", "submission_prompt_words"),
        ("author_ref=author+7", "submission_author"),
        ("external_id=77", "submission_external_id_unique"),
        ("client=atelier&status=blocked", "submission_client_status|submission_status_recent"),
        ("created_after=2100-01-01", "moderation_submission_pkey"),
    ],
)
def test_an_index_serves_it(many: Callable[[str], str], query: str, index: str) -> None:
    plan = many(query)
    assert any(name in plan for name in index.split("|")), plan
    assert "Seq Scan on moderation_submission" not in plan
    assert "Unique" not in plan


def test_one_image_is_found_by_its_hashes(many: Callable[[str], str]) -> None:
    wanted = Submission.objects.filter(matching("ab" * 32))
    plan = wanted.explain()
    assert "submission_sha256" in plan
    assert "submission_pdq" in plan


def test_what_takes_too_long_is_given_up_on_and_the_connection_lives(
    sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(pages.TooSlow), pages.within(20), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    with pages.within(5000), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_a_search_that_takes_too_long_says_what_to_add(
    many: Callable[[str], str], sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "LIMIT_MS", 1)
    answer = at_page(sam).get("/search/?generator=nobodys")
    assert answer.status_code == 503
    assert "Add what narrows it most" in answer.content.decode()


def test_counting_stops_at_a_bound(three: dict[str, Submission]) -> None:
    assert pages.count_of(found_by(""), most=2) == pages.Count(2, capped=True)
    assert pages.count_of(found_by("")).words == "3"


# --- the page ---------------------------------------------------------------------------------------------------------
def test_pages_follow_the_key(platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 5)
    seen, before = [], None
    for _ in range(3):
        page = pages.page_of(found_by(""), before=before, size=2)
        seen += [one.pk for one in page.rows]
        before = page.older
    assert (before, seen) == (None, list(Submission.objects.order_by("-pk").values_list("pk", flat=True)))


def test_the_page_shows_glimpses_in_a_bounded_number_of_queries(
    three: dict[str, Submission], sam: User, django_assert_max_num_queries: Any
) -> None:
    caller = at_page(sam)
    with django_assert_max_num_queries(14):
        page = caller.get("/search/?prompt=rifle").content.decode()
    assert page.count("glimpse.jpg") == 2
    assert "working.jpg" not in page
    assert 'value="rifle"' in page
    assert caller.get("/search/count?prompt=rifle").content == b"2"


def test_who_may_not_glimpse_reads_words_only(three: dict[str, Submission], ari: User) -> None:
    page = at_page(ari).get("/search/?as=table").content.decode()
    assert "a hunter with a rifle" in page
    assert "glimpse.jpg" not in page


def test_hostile_words_stay_words(platform: Client, eyes: TriagePlan, sam: User) -> None:
    said = "=cmd()<script>alert(1)</script>"
    world.triaged(platform, world.png(red=0.5), prompt=said, author_ref="<b>x</b>")
    page = at_page(sam).get("/search/", {"prompt": "<script>"}).content.decode()
    assert "<script>alert" not in page
    assert "<script>alert" not in at_page(sam).get("/search/?as=table").content.decode()
    rows = list(csv.DictReader(io.StringIO(at_page(sam).get("/search/?as=csv").content.decode())))
    assert rows[0]["prompt"] == f"'{said}"


# --- views that are kept ----------------------------------------------------------------------------------------------
def test_a_view_is_kept_shared_and_removed(sam: User, paula: User) -> None:
    at_page(sam).post("/search/views/", {"name": "Rifles", "query": "prompt=rifle&as=table", "shared": "on"})
    view = SavedView.objects.get()
    assert (view.query, view.shared) == ("prompt=rifle", True)
    assert "Rifles" in at_page(paula).get("/search/").content.decode()
    assert at_page(paula).post(f"/search/views/{view.pk}/remove").status_code == 404
    at_page(sam).post(f"/search/views/{view.pk}/remove")
    assert not SavedView.objects.exists()
    assert [event.action for event in audit.events_of(f"view:{view.pk}")] == ["view.kept", "view.removed"]


def test_ones_own_views_are_nobody_elses(sam: User, paula: User) -> None:
    saved.keep(sam, name="Mine", query="prompt=x", shared=False)
    assert (saved.views_of(paula), len(saved.views_of(sam))) == ([], 1)


@pytest.mark.parametrize(
    ("name", "query"), [("", "prompt=x"), ("n" * 61, "prompt=x"), ("a\nb", "prompt=x"), ("n", "x=1")]
)
def test_a_view_needs_a_name_and_a_filter(sam: User, name: str, query: str) -> None:
    with pytest.raises(saved.UnfitView):
        saved.keep(sam, name=name, query=query, shared=False)


def test_a_name_is_given_once(sam: User) -> None:
    saved.keep(sam, name="n", query="prompt=x", shared=False)
    with pytest.raises(saved.UnfitView):
        saved.keep(sam, name="n", query="prompt=y", shared=False)


@pytest.mark.parametrize("path", ["/search/", "/search/count", "/search/?as=csv"])
def test_only_those_who_may_read_submissions_search(path: str, rita: User, eve: User) -> None:
    assert [at_page(one).get(path).status_code for one in (rita, eve)] == [403, 403]
    assert stranger().get(path).status_code == 302


def test_nor_keep_views(rita: User, eve: User, sam: User) -> None:
    view = saved.keep(sam, name="n", query="prompt=x", shared=True)
    for one in (rita, eve):
        assert at_page(one).post("/search/views/", {"name": "m", "query": "prompt=x"}).status_code == 403
        assert at_page(one).post(f"/search/views/{view.pk}/remove").status_code == 403
    assert SavedView.objects.count() == 1
