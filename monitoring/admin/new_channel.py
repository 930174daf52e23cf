"""Adding a channel: first its kind, then what that kind asks for. Telegram has a page of its own."""

from typing import Any

from django import forms
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from foundation.admin.forms import ThemedForm, dress
from foundation.admin.once import Done
from foundation.admin.pages import AdminPage, FormPage
from monitoring.admin.channel_fields import HINTS, SECRET_FIELDS, Kind, address_fields, language_field, name_field
from monitoring.services.channels import add_channel

CHANNEL = "admin:monitoring_channel"
ADD = "monitoring.add_channel"
TITLES = {
    Kind.EMAIL: gettext_lazy("New channel by e-mail"),
    Kind.SMS: gettext_lazy("New channel by SMS"),
    Kind.WEBHOOK: gettext_lazy("New webhook"),
    Kind.OTHER: gettext_lazy("New channel through another service"),
}


class ChooseKindPage(AdminPage):
    """How somebody is to be reached: each kind asks for something else."""

    path, name = "new/", "new"
    title = gettext_lazy("New channel")
    permission = ADD
    template_name = "monitoring/choose_kind.html"
    http_method_names = ["get", "head"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        choices = [{"label": kind.label, "hint": HINTS[kind], "url": address_of(kind)} for kind in Kind]
        return super().get_context_data(choices=choices, **kwargs)


def address_of(kind: Kind) -> str:
    """The page on which a channel of this kind is added."""
    return reverse(f"{CHANNEL}_telegram") if kind == Kind.TELEGRAM else reverse(f"{CHANNEL}_new_of", args=[kind.value])


class NewChannelForm(ThemedForm):
    """What it is called, where it leads, and in which language."""

    def __init__(self, *args: Any, kind: Kind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, forms.Field] = {"name": name_field(), **address_fields(kind), "language": language_field()}
        self.fields.update(fields)
        dress(self.fields)


@method_decorator(sensitive_post_parameters("address", "secret"), name="dispatch")
class NewChannelPage(FormPage):
    """The address and how it is called. Everything else has a usual value, and stands on the channel's own page."""

    path, name = "new/<slug:kind>/", "new_of"
    title: Any = ""
    permission = ADD
    form_class = NewChannelForm
    submit_label, submit_icon = gettext_lazy("Add the channel"), "add"
    secret_fields = SECRET_FIELDS

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs["kind"] not in TITLES:
            raise Http404
        self.kind = Kind(kwargs["kind"])
        self.title = TITLES[self.kind]
        return super().dispatch(request, *args, **kwargs)

    def form_kwargs(self) -> dict[str, Any]:
        return {"kind": self.kind}

    def act(self, form: NewChannelForm, lines: list[Any]) -> Done:
        channel = add_channel(kind=self.kind.value, at=timezone.now(), **form.cleaned_data)
        return Done(
            message=_("“%(channel)s” is added. Send it a test message.") % {"channel": channel},
            url=reverse(f"{CHANNEL}_change", args=[channel.pk]),
        )
