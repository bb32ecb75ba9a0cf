"""Six roles, each with exactly its scopes."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission

from moderation import roles
from moderation.models import Scope, User
from moderation.roles import SCOPES, Role

CAST = {
    "rita": Role.MODERATOR,
    "sam": Role.SENIOR,
    "paula": Role.POLICY_LEAD,
    "ming": Role.ML_ENGINEER,
    "ari": Role.AUDITOR,
    "adam": Role.ADMIN,
}


@pytest.mark.parametrize(("name", "role"), CAST.items())
def test_a_person_may_do_exactly_what_the_role_says(name: str, role: Role, request: pytest.FixtureRequest) -> None:
    person: User = request.getfixturevalue(name)

    assert {scope for scope in Scope if person.has_scope(scope)} == SCOPES[role]


def test_somebody_without_a_role_may_do_nothing(eve: User) -> None:
    assert [scope for scope in Scope if eve.has_scope(scope)] == []


def test_only_one_role_writes_the_law_and_only_one_adopts() -> None:
    assert [role for role, scopes in SCOPES.items() if Scope.POLICY in scopes] == [Role.POLICY_LEAD]
    assert [role for role, scopes in SCOPES.items() if Scope.ML in scopes] == [Role.ML_ENGINEER]


def test_every_role_may_read_the_law() -> None:
    assert all(Scope.POLICY_READ in scopes for scopes in SCOPES.values())


def test_syncing_takes_away_what_a_role_does_not_hold(rita: User) -> None:
    Group.objects.get(name=Role.MODERATOR).permissions.add(Permission.objects.get(codename=Scope.AUDIT))

    roles.sync()

    assert not User.objects.get(pk=rita.pk).has_scope(Scope.AUDIT)


@pytest.mark.django_db
def test_syncing_twice_changes_nothing() -> None:
    Group.objects.all().delete()
    first = roles.sync()

    assert roles.sync() == first
    assert Group.objects.count() == len(Role)


@pytest.mark.django_db
def test_a_role_cannot_be_granted_before_the_first_sync() -> None:
    Group.objects.all().delete()
    stranger = User.objects.create_user(username="new")

    with pytest.raises(Group.DoesNotExist):
        roles.grant(stranger, Role.MODERATOR)
