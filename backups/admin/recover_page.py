"""The page that asks to what the shop is to be recovered, beside the running one."""

import zoneinfo
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backups.selectors import overview
from backups.services import requests
from foundation.admin.days import MomentInput
from foundation.admin.forms import ThemedForm
from foundation.admin.once import Done
from foundation.admin.pages import FormPage
from foundation.shop import current_shop

RESTORE = "backups.restore"


class Until(TextChoices):
    """What somebody knows of the moment to go back to; the names are those of the fields."""

    TIME = "time", _("a moment")
    ORDER = "order", _("just before an order was deleted or last changed")
    TRANSACTION = "before_transaction", _("just before a transaction")


class RecoveryForm(ThemedForm):
    """To what, and why."""

    until = forms.ChoiceField(
        label=_("Recover to"), choices=Until.choices, widget=forms.RadioSelect, initial=Until.TIME
    )
    time = forms.DateTimeField(
        label=_("Date and time"),
        required=False,
        widget=MomentInput(has_seconds=True),
        help_text=_("Everything that was committed by then is there, and nothing that came later."),
    )
    order = forms.IntegerField(
        label=_("Number of the order"),
        required=False,
        min_value=1,
        help_text=_("The shop knows which transaction deleted it, or changed it last, and stops just before that one."),
    )
    before_transaction = forms.IntegerField(
        label=_("Number of the transaction"),
        required=False,
        min_value=1,
        help_text=_("As the log of the database names it."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=requests.LONGEST_REASON)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = cleaned.get("until")
        if chosen and cleaned.get(chosen) is None and chosen not in self.errors:
            self.add_error(chosen, self.fields[chosen].error_messages["required"])
        return cleaned


class RecoverPage(FormPage):
    """Recovers beside the running shop; nothing is changed in it by that."""

    path, name, title = "recover/", "recover", _("Recover to a moment")
    permission = RESTORE
    form_class = RecoveryForm
    template_name = "backups/recover.html"
    submit_label, submit_icon = _("Recover beside the shop"), "history"

    def act(self, form: RecoveryForm, lines: list[Any]) -> Done:
        chosen = form.cleaned_data["until"]
        wanted = form.cleaned_data[chosen]
        if chosen == Until.TIME:
            # The form has read it in the server's time zone; it was meant by the shop's clocks.
            wanted = wanted.replace(tzinfo=zoneinfo.ZoneInfo(current_shop().time_zone))
        job = requests.request_recovery(
            **{chosen: wanted}, by=self.request.user.get_username(), reason=form.cleaned_data["reason"]
        )
        url = reverse("admin:backups_restorerun_change", args=[job.id])
        return Done(gettext("The recovery begins in a moment. The shop goes on meanwhile."), url)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(overview=overview(), zone=current_shop().time_zone, **kwargs)
