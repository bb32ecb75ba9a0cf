"""What people fill in to keep a bank."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.banks.fingerprints import Fingerprint, UnfitHash
from moderation.forms import BY_SEVERITY, PlainForm
from moderation.models import BankAction, Polarity
from moderation.taxonomy import PEOPLE_ONLY, Category

LARGEST_LIST: Final = 5 * 2**20  # bytes: what is done while somebody waits


class BankForm(PlainForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    category = forms.TypedChoiceField(
        label=gettext_lazy("Category"),
        choices=[(code.value, code.label) for code in BY_SEVERITY],
        coerce=Category,
        help_text=gettext_lazy("What a match means."),
    )
    polarity = forms.TypedChoiceField(
        label=gettext_lazy("The images are"),
        choices=Polarity.choices,
        coerce=Polarity,
        help_text=gettext_lazy("A known-good image silences other banks, and approves nothing by itself."),
    )
    action = forms.TypedChoiceField(
        label=gettext_lazy("A match asks for"),
        choices=BankAction.choices,
        coerce=BankAction,
        initial=BankAction.REVIEW,
        help_text=gettext_lazy("Harm of the gravest kind is put under legal hold in any case, and not blocked unseen."),
    )
    source = forms.CharField(
        label=gettext_lazy("Source"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Who gave us these hashes. “decisions”: what reviewers make known goes here."),
    )
    owner = forms.CharField(
        label=gettext_lazy("Owner"), max_length=100, required=False, help_text=gettext_lazy("Who answers for it.")
    )
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("action") == BankAction.BLOCK and given.get("category") in PEOPLE_ONLY:
            self.add_error("action", _("Only people block here: choose quarantine, or that a person looks."))
        return given


class HashForm(PlainForm):
    """One image's hashes."""

    pdq = forms.CharField(label="PDQ", required=False, max_length=70)
    quality = forms.IntegerField(label=gettext_lazy("Quality"), required=False, min_value=0, max_value=100)
    sha256 = forms.CharField(label="SHA-256", required=False, max_length=70)
    md5 = forms.CharField(label="MD5", required=False, max_length=40)
    label = forms.CharField(label=gettext_lazy("Label"), required=False, max_length=200)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                given["fingerprint"] = Fingerprint.of(**given)
            except UnfitHash as error:
                raise forms.ValidationError(str(error)) from error
        return given


class ListForm(PlainForm):
    """A list of hashes."""

    list = forms.FileField(
        label=gettext_lazy("List"), help_text=gettext_lazy("CSV, JSON or JSON lines, at most 5 MiB.")
    )

    def clean_list(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["list"]
        if (file.size or 0) > LARGEST_LIST:
            raise forms.ValidationError(
                _("More than 5 MiB. Take it in with “manage.py hash_bank import”, which has no limit.")
            )
        return file


class ReasonForm(PlainForm):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=1000)
