"""The cluster in the admin: its nodes, what has happened to them, and a planned switchover."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backups.admin.cluster_shown import event_badge, event_sentence, rows_of
from backups.cluster.look import Look
from backups.cluster_selectors import ClusterOverview, cluster_overview
from backups.models import ClusterEvent
from backups.moments import NOTHING, to_the_second
from backups.services.requests import LONGEST_REASON
from backups.services.switchover import request_switchover
from foundation.admin.forms import ThemedForm
from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from foundation.admin.once import Done
from foundation.admin.pages import FormPage, OwnPages

SHOWN_TIMELINES = 5


class SwitchOverForm(ThemedForm):
    """Who is to lead, and why."""

    candidate = forms.ChoiceField(label=_("Takes the lead"), widget=forms.RadioSelect)
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)
    is_sure = forms.BooleanField(label=_("For a few seconds nothing can be saved. Do it now."))
    # Who led when the page was shown: if somebody else does by now, this is not meant any more.
    leader = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, look: Look | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        candidate: Any = self.fields["candidate"]
        candidate.choices = [(node.name, node.name) for node in look.candidates] if look else []
        if look is not None and look.leading is not None:
            self.fields["leader"].initial = look.leading.name
        if len(candidate.choices) == 1:
            candidate.initial = candidate.choices[0][0]


class SwitchOverPage(FormPage):
    """Asks the agent for a switchover."""

    path, name, title = "switch-over/", "switch_over", _("Switch over")
    permission = "backups.switch_over"
    form_class = SwitchOverForm
    template_name = "backups/switch_over.html"
    submit_label, submit_icon = _("Switch over"), "swap_horiz"

    @cached_property
    def overview(self) -> ClusterOverview | None:
        return cluster_overview()

    def form_kwargs(self) -> dict[str, Any]:
        return {"look": self.overview.look if self.overview else None}

    def act(self, form: SwitchOverForm, lines: list[Any]) -> Done:
        request_switchover(
            leader=form.cleaned_data["leader"],
            candidate=form.cleaned_data["candidate"],
            reason=form.cleaned_data["reason"],
            by=self.request.user.get_username(),
        )
        return Done(
            gettext("Another node takes the lead in a moment."), reverse("admin:backups_clusterevent_changelist")
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(overview=self.overview, **kwargs)


@admin.register(ClusterEvent)
class ClusterEventAdmin(OwnPages, WrittenOutAdmin, ShopModelAdmin):
    """What has happened, the newest first; above it the cluster as it is now."""

    class Media:
        css = {"all": ["samovar/backups.css"]}

    pages = (SwitchOverPage,)
    list_display = ("when", "kind_shown", "sentence", "timeline")
    list_display_links = ("when",)
    list_filter = (("kind", ChoicesDropdownFilter),)
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 50
    actions = None
    fieldsets = ()
    list_before_template = "backups/cluster.html"
    change_form_outer_before_template = "backups/cluster_event.html"

    @display(description=_("when"))
    def when(self, event: ClusterEvent) -> SafeString | str:
        return to_the_second(event.at)

    @display(description=_("what happened"))
    def kind_shown(self, event: ClusterEvent) -> SafeString:
        return event_badge(event)

    @display(description=_("what it means"))
    def sentence(self, event: ClusterEvent) -> str:
        return event_sentence(event)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        overview = cluster_overview()
        context: dict[str, Any] = {"title": gettext("Cluster"), "overview": overview}
        if overview is not None:
            context |= {"nodes": rows_of(overview.look), "timelines": overview.history[:SHOWN_TIMELINES]}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        event: ClusterEvent | None = kwargs.get("obj")
        if event is not None:
            context |= {
                "event": event,
                "badge": event_badge(event),
                "sentence": event_sentence(event),
                "at": to_the_second(event.at),
                "nothing": NOTHING,
            }
        return super().render_change_form(request, context, **kwargs)
