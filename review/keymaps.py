"""Which key does what at a person's desk."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from moderation.models import User
from review.models import DeskSettings

# A letter, or a sign that is typed with one key; digits, arrows, Space, Enter and Escape go with the moment.
KEY: Final = re.compile(r"[A-ZÄÖÜÉÈÇÑÅÆØ+\-,.;:/?#'*=]")


class UnfitKeys(ValueError):
    """These keys cannot be had; the message says why. Nothing was changed."""


def effective(house: Mapping[str, str], own: Mapping[str, Any]) -> dict[str, str]:
    """The house's keys with a person's own in their place. Acts that no longer exist are passed over; where the house's
    table has changed so that two acts would share a key, the house's keys hold.
    """
    keys = {**house, **{act: key for act, key in own.items() if act in house and isinstance(key, str)}}
    return keys if len(set(keys.values())) == len(keys) else dict(house)


def keys_of(person: User, house: Mapping[str, str]) -> dict[str, str]:
    own = DeskSettings.objects.filter(person=person).values_list("keys", flat=True).first()
    return effective(house, own or {})


@transaction.atomic
def move(person: User, act: object, key: object, *, house: Mapping[str, str], fixed: Sequence[str]) -> dict[str, str]:
    """Afterwards `act` has this key at the person's desk; returns all of their keys. Raises UnfitKeys."""
    settings, _made = DeskSettings.objects.select_for_update().get_or_create(person=person)
    keys = effective(house, settings.keys)
    if not isinstance(act, str) or act not in keys or act in fixed:
        raise UnfitKeys(_("This act has a key that stays where it is."))
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise UnfitKeys(_("Take a letter, or one of + - , . ; : / ? # ' * =. Nothing was changed."))
    holder = next((other for other, taken in keys.items() if taken == key and other != act), None)
    if holder:
        raise UnfitKeys(
            _("%(key)s is taken already. Give that act another key first; nothing was changed.") % {"key": key}
        )
    settings.keys = {name: one for name, one in (keys | {act: key}).items() if house[name] != one}
    settings.save(update_fields=["keys"])
    return keys | {act: key}


def reset(person: User) -> None:
    DeskSettings.objects.filter(person=person).update(keys={})
