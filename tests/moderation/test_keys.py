from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from moderation import audit, keys
from moderation.actors import Actor
from moderation.models import KEY_SCOPES, ApiKey, Client, Scope, User

pytestmark = pytest.mark.django_db
TOMORROW = timedelta(days=1)


def issued(client: Client, *, lives: timedelta = TOMORROW) -> keys.Issued:
    expires = timezone.now() + lives
    return keys.issue(client, name="ci", scopes=KEY_SCOPES, expires_at=expires, actor=Actor.command("test"))


def test_an_issued_key_is_found_by_its_secret(platform: Client) -> None:
    fresh = issued(platform)

    assert keys.find(fresh.secret) == fresh.key
    assert fresh.secret.startswith(f"lp_{fresh.key.prefix}_")


def test_the_secret_is_kept_nowhere(platform: Client) -> None:
    fresh = issued(platform)

    row = ApiKey.objects.filter(pk=fresh.key.pk).values().get()
    events = audit.events_of(keys.subject(fresh.key))
    random = fresh.secret.split("_", 2)[2]
    assert random not in f"{row} {[event.data for event in events]} {fresh!r}"


@pytest.mark.parametrize(
    "template",
    [
        "",
        "lp_",
        "lp__",
        "nonsense",
        "{prefix}",
        "lp_{prefix}",
        "lp_{prefix}_",
        "lp_{prefix}_{random}x",
        "LP_{prefix}_{random}",
        "lp_000000000000_{random}",
        "lp_a\0b_c",
        "lp_\udcff_ü",
        "lp_" + "9" * 10_000,
    ],
)
def test_any_other_secret_is_refused(platform: Client, template: str) -> None:
    _mark, prefix, random = issued(platform).secret.split("_", 2)

    with pytest.raises(keys.KeyRefused):
        keys.find(template.format(prefix=prefix, random=random))


def test_an_expired_key_is_refused(platform: Client) -> None:
    with pytest.raises(keys.KeyRefused):
        keys.find(issued(platform, lives=timedelta(0)).secret)


def test_a_revoked_key_is_refused(platform: Client) -> None:
    fresh = issued(platform)

    keys.revoke(fresh.key, actor=Actor.command("test"))

    with pytest.raises(keys.KeyRefused):
        keys.find(fresh.secret)


def test_issue_and_revoke_are_on_the_record_once(platform: Client, adam: User) -> None:
    fresh = keys.issue(
        platform,
        name="ci",
        scopes=[Scope.SUBMISSIONS_READ],
        expires_at=timezone.now() + TOMORROW,
        actor=Actor.person(adam),
    )

    keys.revoke(fresh.key, actor=Actor.person(adam))
    keys.revoke(fresh.key, actor=Actor.person(adam))

    events = audit.events_of(keys.subject(fresh.key))
    assert [(event.action, event.actor_label) for event in events] == [("key.issued", "adam"), ("key.revoked", "adam")]
    assert events[0].data["scopes"] == ["submissions:read"]


@pytest.mark.parametrize("scopes", [[], [Scope.REVIEW], [Scope.SUBMISSIONS_READ, Scope.ADMIN]])
def test_a_key_never_carries_what_a_person_may(platform: Client, scopes: list[Scope]) -> None:
    expires = timezone.now() + TOMORROW

    with pytest.raises(keys.UngrantableScope):
        keys.issue(platform, name="ci", scopes=scopes, expires_at=expires, actor=Actor.command("test"))

    assert not ApiKey.objects.exists()


def printed(command: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def test_an_operator_issues_a_key_and_revokes_it(db: None) -> None:
    secret = printed("issue_key", "--client", "atelier", "--name", "ci", "--scope", "submissions:read", "--days", "2")

    key = keys.find(secret)
    assert (key.client.slug, key.scopes) == ("atelier", ["submissions:read"])
    assert timedelta(days=1) < key.expires_at - timezone.now() < timedelta(days=3)

    printed("revoke_key", key.prefix)
    with pytest.raises(keys.KeyRefused):
        keys.find(secret)


def test_a_known_client_gets_another_key(platform: Client) -> None:
    secret = printed("issue_key", "--client", platform.slug, "--name", "second")

    assert keys.find(secret).client == platform
    assert set(keys.find(secret).scopes) == KEY_SCOPES


def test_an_unknown_prefix_is_told(db: None) -> None:
    with pytest.raises(CommandError) as caught:
        printed("revoke_key", "000000000000")

    assert caught.value.returncode == 2
