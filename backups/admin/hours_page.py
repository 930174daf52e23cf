"""When backups are made by themselves."""

import datetime
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backups.services.timetable import WEEKDAYS, Turn, set_turns, turns
from foundation.admin.forms import ThemedForm, dress
from foundation.admin.once import Done
from foundation.admin.pages import FormPage
from foundation.shop import current_shop

MAKE = "backups.make_backup"


class HoursForm(ThemedForm):
    """An hour for each turn of the timetable, and a weekday for each weekly one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.turns = turns()
        for number, turn in enumerate(self.turns):
            self.fields[f"at_{number}"] = forms.TimeField(label=turn.label.capitalize(), initial=turn.at)
            if turn.is_weekly:
                self.fields[f"day_{number}"] = forms.ChoiceField(
                    label=_("On"), choices=list(WEEKDAYS.items()), initial=turn.day
                )
        dress(self.fields)

    def wanted(self) -> list[Turn]:
        """What was filled in."""
        said = self.cleaned_data
        return [
            Turn(turn.name, whole_minute(said[f"at_{number}"]), said.get(f"day_{number}", turn.day))
            for number, turn in enumerate(self.turns)
        ]


def whole_minute(at: datetime.time) -> datetime.time:
    return at.replace(second=0, microsecond=0)


class HoursPage(FormPage):
    """The hours at which backups are made, proved and deleted, by the clocks of the shop."""

    path, name, title = "hours/", "hours", _("When backups are made")
    permission = MAKE
    form_class = HoursForm
    template_name = "backups/hours.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(zone=current_shop().time_zone, **kwargs)

    def act(self, form: HoursForm, lines: list[Any]) -> Done:
        changed = set_turns(wanted=form.wanted(), by=self.request.user.get_username())
        said = gettext("The hours are set.") if changed else gettext("Nothing was changed.")
        return Done(said, reverse("admin:backups_backup_changelist"))
