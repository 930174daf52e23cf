"""The page on which tables of a restored shop are chosen, to take the place of the running one's."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backups.admin.recover_page import RESTORE
from backups.models import RestoreRun
from backups.restore_selectors import left_of
from backups.services import requests
from backups.services.chosen import choice_of, differs
from foundation.admin.forms import ThemedForm
from foundation.admin.once import Done
from foundation.admin.pages import FormPage


class TablesForm(ThemedForm):
    """Which of them, and why."""

    tables = forms.MultipleChoiceField(
        label=_("Tables"), widget=forms.CheckboxSelectMultiple, error_messages={"required": _("Choose a table.")}
    )
    reason = forms.CharField(label=_("Reason"), max_length=requests.LONGEST_REASON)

    def __init__(self, *args: Any, names: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tables: Any = self.fields["tables"]
        tables.choices = [(name, name) for name in names]


class TablesPage(FormPage):
    """Takes over chosen tables. What does not go together is refused by the work itself, which sees the rows."""

    path, name, title = "<uuid:pk>/tables/", "tables", _("Take over chosen tables")
    permission = RESTORE
    form_class = TablesForm
    template_name = "backups/tables.html"
    submit_label, submit_icon = _("Take these tables over"), "table_view"
    run: RestoreRun

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # Whoever may not open the page is not told whether there is such a restore.
        if self.may_open(request):
            found = RestoreRun.objects.filter(pk=kwargs["pk"], kind=RestoreRun.Kind.RECOVER).first()
            if found is None or not left_of(found).is_there:
                raise Http404
            self.run = found
        return super().dispatch(request, *args, **kwargs)

    def rows(self) -> list[dict[str, Any]]:
        """The tables as they were compared."""
        return choice_of(self.run.result.get("comparison") or {})

    def form_kwargs(self) -> dict[str, Any]:
        return {"names": [row["name"] for row in self.rows()]}

    def act(self, form: TablesForm, lines: list[Any]) -> Done:
        job = requests.request_take_over(
            run_id=str(self.run.pk),
            tables=form.cleaned_data["tables"],
            by=self.request.user.get_username(),
            reason=form.cleaned_data["reason"],
        )
        url = reverse("admin:backups_restorerun_change", args=[job.id])
        return Done(gettext("The tables are taken over in a moment. The shop goes on meanwhile."), url)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = self.rows()
        chosen = set(self.request.POST.getlist("tables"))
        for row in rows:
            row["is_chosen"] = row["name"] in chosen
        return super().get_context_data(
            run=self.run,
            differing=[row for row in rows if differs(row)],
            same=[row for row in rows if not differs(row)],
            **kwargs,
        )
