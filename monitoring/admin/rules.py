"""Alert rules in the admin: which alerts go to which channels."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.apps import apps
from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.template import loader
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from foundation.admin.badges import badge
from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.refusals import RefusalsInForms
from monitoring.admin.shown import severity_badge
from monitoring.models import AlertRule, Channel
from monitoring.registry import events
from monitoring.services.rules import CHANGEABLE, add_rule, change_rule, delete_rule
from monitoring.severity import Severity

# So many titles of events stand in the list; of more, their number.
SHOWN_EVENTS = 3


class Boxes(UnfoldAdminCheckboxSelectMultipleWidget):
    """Boxes under headings, as many side by side as there is room for."""

    template_name = "monitoring/boxes.html"

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        """Forms look for templates among Django's only; this one is the project's."""
        return mark_safe(loader.get_template(template_name).render(context))  # noqa: S308  (a template wrote it)


def title_of(name: str) -> str:
    """What people call an event. Of an app that is gone, the name is all that is left."""
    event = events.entries.get(name)
    return str(event.title) if event else name


def event_choices(known: Iterable[str]) -> list[tuple[str, list[tuple[str, SafeString | str]]]]:
    """Every registered event and those of `known`, by the app that tells of it, the weightiest first."""
    grouped: dict[str, list[tuple[int, str, str]]] = {}
    weight = {severity: place for place, severity in enumerate(reversed(Severity.values))}
    for name in sorted({*events.entries, *known}):
        event = events.entries.get(name)
        place = weight[event.severity.value] if event else len(weight)
        grouped.setdefault(name.partition(".")[0], []).append((place, title_of(name), name))
    return [
        (heading(group), [(name, title) for _place, title, name in sorted(rows)])
        for group, rows in sorted(grouped.items(), key=lambda one: heading(one[0]))
    ]


def heading(group: str) -> str:
    """The first word of the events' names is the app that tells of them, or what this app watches."""
    return str(apps.get_app_config(group).verbose_name) if apps.is_installed(group) else _("The shop's programs")


class RuleForm(forms.ModelForm):
    """What the service checks is left to it: it knows more, and says it in better sentences."""

    events = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        required=False,
        widget=Boxes(),
        help_text=gettext_lazy("None ticked: all of them, those that come to be later too."),
    )
    channels = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Channels"), queryset=Channel.objects.none(), widget=Boxes()
    )

    class Meta:
        model = AlertRule
        fields = ("name",)  # The admin names the others.

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "events" in self.fields:
            named: Any = self.fields["events"]
            choices = event_choices(self.instance.events)
            # Two apps of one heading stand below it together.
            named.choices = merged(choices)
            led: Any = self.fields["channels"]
            led.queryset = Channel.objects.defer(*Channel.SEALED).filter(for_customers=False)

    def validate_unique(self) -> None:
        pass

    def _get_validation_exclusions(self) -> set[str]:
        return {field.name for field in self.instance._meta.get_fields()}


def merged(groups: Iterable[tuple[str, list[Any]]]) -> list[tuple[str, list[Any]]]:
    found: dict[str, list[Any]] = {}
    for title, rows in groups:
        found.setdefault(title, []).extend(rows)
    return list(found.items())


@admin.register(AlertRule)
class AlertRuleAdmin(RefusalsInForms, ShopModelAdmin):
    """Several rules may lead to one channel: an alert comes there once."""

    form = RuleForm
    list_display = ("name", "severity_shown", "events_shown", "channels_shown", "is_on")
    list_filter = (("is_enabled", BooleanRadioFilter),)
    search_fields = ("name",)
    ordering = ("name",)
    sortable_by = ()
    list_per_page = 50
    actions = None
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("name", "is_enabled", "channels")}),
        (gettext_lazy("Which alerts"), {"fields": ("severity", "events")}),
        (gettext_lazy("How often"), {"fields": (("group_seconds", "repeat_minutes"), "tells_resolution")}),
    )

    class Media:
        css: ClassVar = {"all": ["samovar/channels.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertRule]:
        # One that no key opens must not close the pages of the rules that lead to it.
        channels = Prefetch("channels", Channel.objects.defer(*Channel.SEALED))
        return super().get_queryset(request).prefetch_related(channels)

    @display(description=gettext_lazy("severity, at least"))
    def severity_shown(self, rule: AlertRule) -> SafeString:
        return severity_badge(rule.severity)

    @display(description=gettext_lazy("events"))
    def events_shown(self, rule: AlertRule) -> str:
        if not rule.events:
            return _("all")
        titles = [title_of(name) for name in rule.events[:SHOWN_EVENTS]]
        if more := len(rule.events) - len(titles):
            titles.append(ngettext("%(count)d more", "%(count)d more", more) % {"count": more})
        return ", ".join(titles)

    @display(description=gettext_lazy("channels"))
    def channels_shown(self, rule: AlertRule) -> str:
        return ", ".join(channel.name for channel in rule.channels.all()) or "—"

    @display(description=gettext_lazy("state"))
    def is_on(self, rule: AlertRule) -> SafeString:
        return badge("good", _("on")) if rule.is_enabled else badge("off", _("switched off"))

    def save_model(self, request: HttpRequest, obj: AlertRule, form: Any, change: bool) -> None:
        data = form.cleaned_data
        names = form.changed_data if change else data
        settings = {name: data[name] for name in names if name in CHANGEABLE}
        channel_ids = [channel.pk for channel in data["channels"]]
        if change:
            change_rule(rule_id=obj.pk, changes=settings, channel_ids=channel_ids, at=timezone.now())
            return
        rule = add_rule(channel_ids=channel_ids, at=timezone.now(), **settings)
        obj.pk, obj._state.adding, obj._state.db = rule.pk, False, rule._state.db

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Written by `save_model` already."""

    def delete_model(self, request: HttpRequest, obj: AlertRule) -> None:
        delete_rule(rule_id=obj.pk)
