"""What the modules of the desk say, in the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from moderation.taxonomy import Category
from review.views.past import done


def words() -> dict[str, Any]:
    """By name; what stands in braces is filled in by the module that says it."""
    return {
        "verdicts": done(),
        "categories": {code: str(label) for code, label in Category.choices},
        "ready": _("{n} ready"),
        "fresh": _("New images have come in."),
        "ask": _("Block as: press the digit of a category, 0 for more."),
        "copies": _("and its copies"),
        "again": _("Try again"),
        "pause": _("{n} minutes at the desk. A good moment to rest your eyes; nothing waits that cannot wait for you."),
        "rest": _("Take a break"),
        "much": _("{share} % of this shift’s exposure budget is used."),
        "link": {
            "saved": _("Saved"),
            "sending": _("Sending {n}"),
            "offline": _("Offline"),
            "kept": _("Offline · {n} kept here"),
            "back": _("The house answers again."),
        },
        "opinion": _("Asked for a second look"),
        "sent": _("Sent to {queue}"),
        "unsent": _("“{what}” was not saved: no answer came. The image comes back next."),
        "yours": _("your decision"),
        "noAnswer": _("No answer came. Try again."),
        "reopen": _("Ask for a second opinion"),
        "tooLong": _("This text has {n} characters, and at most {most} can be kept. Shorten it; nothing was sent."),
        "kept": _("Your note is kept here: “{text}”"),
        "signIn": _("Sign in"),
        "signedOut": _(
            "You are signed out, or your role changed. What you decided is kept in this browser and is sent once you "
            "have signed in."
        ),
        "offline": _("The house does not answer. What you hold stays with you until its lease ends."),
        "ended": _("“{what}” was not recorded: the lease had ended or somebody settled it. It is no longer yours."),
        "twice": _("“{what}” was not recorded: you had decided on this image already, in another window."),
        "otherWindow": _("“{what}”, you decided in another window."),
        "refused": _("“{what}” was not saved. {detail} The image comes back next."),
        "refusedLater": _("“{what}”, decided before this page was loaded, was not saved. {detail}"),
        "lostOne": _("The lease on an image ended. It went back to the queue; nothing was decided."),
        "lostMany": _("The leases on {n} images ended. They went back to the queue; nothing was decided."),
        "undone": _("Taken back: {what}. The image is before you again."),
        "undoneGone": _("Taken back: {what}. Somebody else was asked about the image in the meantime."),
        "undoLate": _("“{what}” stands. {detail}"),
        "undoUnsent": _("“{what}” could not be taken back: no answer came. Press Undo again."),
    }
