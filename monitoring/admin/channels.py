"""Channels in the admin: where messages go, how that went lately, and a button that tries it."""

import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from foundation.admin.forms import dress
from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.pages import OwnPages
from foundation.admin.refusals import RefusalsInForms
from foundation.admin.verbs import Verb, VerbButtons, VerbForm
from foundation.errors import Refusal
from foundation.shop import current_shop
from monitoring.admin.channel_fields import SECRET_FIELDS, Kind, address_fields
from monitoring.admin.new_channel import ChooseKindPage, NewChannelPage
from monitoring.admin.shown import ago, channel_badge, moment, severity_badge, status_badge, words_of
from monitoring.admin.telegram_page import TelegramPage
from monitoring.errors import NotTaken
from monitoring.models import Channel, Delivery
from monitoring.services.channels import change_channel, delete_channel, send_test

CHANGE = "monitoring.change_channel"
SENT = _("A test message has gone to “%(object)s”. Look whether it has arrived.")
SHOWN_MESSAGES = 10


class AddressForm(VerbForm):
    """A new address, and a new secret where the kind has one. Both are stored whole."""

    secret_fields = SECRET_FIELDS

    def __init__(self, *args: Any, obj: Channel, **kwargs: Any) -> None:
        super().__init__(*args, obj=obj, **kwargs)
        self.fields.update(address_fields(Kind(obj.kind)))
        dress(self.fields)

    def about(self) -> str:
        return gettext("What is stored now is not shown. This takes its place.")


def replace_address(request: HttpRequest, channel: Channel, data: dict[str, Any]) -> None:
    change_channel(channel_id=channel.pk, changes=data, at=timezone.now())


def switch(channel: Channel, *, is_enabled: bool) -> None:
    change_channel(channel_id=channel.pk, changes={"is_enabled": is_enabled}, at=timezone.now())


class NumberForm(VerbForm):
    phone = forms.CharField(label=_("Telephone number"), max_length=40, help_text=_("With the country's code."))


def test(request: HttpRequest, channel: Channel, data: dict[str, Any]) -> None:
    """Raises NotTaken with what the other side said."""
    delivery = send_test(channel_id=channel.pk, phone=data.get("phone", ""), at=timezone.now())
    if delivery.status != Delivery.Status.SENT:
        raise NotTaken(delivery.last_error)


CHANNEL_VERBS = (
    Verb(
        name="test",
        label=_("Send a test message"),
        permission="monitoring.test_channel",
        run=test,
        done=SENT,
        is_shown=lambda channel: not channel.for_customers,
        icon="send",
        variant="primary",
        is_remote=True,
    ),
    Verb(
        name="test_number",
        label=_("Send a test message"),
        permission="monitoring.test_channel",
        run=test,
        done=SENT,
        form=NumberForm,
        is_shown=lambda channel: channel.for_customers,
        icon="send",
        variant="primary",
        is_remote=True,
    ),
    Verb(
        name="address",
        label=_("Replace the address"),
        permission=CHANGE,
        run=replace_address,
        done=_("The address of “%(object)s” is replaced. Send it a test message."),
        form=AddressForm,
        icon="key",
    ),
    Verb(
        name="switch_off",
        label=_("Switch off"),
        permission=CHANGE,
        run=lambda request, channel, data: switch(channel, is_enabled=False),
        done=_("“%(object)s” is switched off: nothing is sent to it."),
        warning=_("What waits for it is given up, and what happens meanwhile is not told there later."),
        is_shown=lambda channel: channel.is_enabled,
        icon="notifications_off",
    ),
    Verb(
        name="switch_on",
        label=_("Switch on"),
        permission=CHANGE,
        run=lambda request, channel, data: switch(channel, is_enabled=True),
        done=_("“%(object)s” is switched on."),
        is_shown=lambda channel: not channel.is_enabled,
        icon="notifications_active",
    ),
)


@admin.register(Channel)
class ChannelAdmin(RefusalsInForms, VerbButtons, OwnPages, ShopModelAdmin):
    """Channels are added on a page of their own, which knows what each kind asks for."""

    pages = (ChooseKindPage, NewChannelPage, TelegramPage)
    verbs = CHANNEL_VERBS
    list_display = ("name", "kind", "state", "rules_shown", "waiting_shown", "last_message")
    list_filter = (("kind", ChoicesDropdownFilter),)
    search_fields = ("name",)
    ordering = ("name",)
    sortable_by = ()
    list_per_page = 50
    actions = None
    warn_unsaved_form = True
    change_form_outer_before_template = "monitoring/channel.html"
    fieldsets = (
        (None, {"fields": ("name", "language", "gets_daily_report")}),
        (
            _("How far it may be disturbed"),
            {"fields": (("quiet_from", "quiet_until"), "quiet_lets_through", "hourly_limit")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        # One that no key opens must not close the pages on which it is replaced.
        channels = super().get_queryset(request).defer(*Channel.SEALED)
        return channels.annotate(
            rule_count=Count("rules", filter=Q(rules__is_enabled=True), distinct=True),
            waiting=Count("deliveries", filter=Q(deliveries__status=Delivery.Status.WAITING), distinct=True),
        )

    # --- the list -------------------------------------------------------------------------------------

    @display(description=_("state"))
    def state(self, channel: Channel) -> SafeString:
        return channel_badge(channel)

    @display(description=_("alert rules"))
    def rules_shown(self, channel: Any) -> Any:
        return channel.rule_count or "—"

    @display(description=_("waiting messages"))
    def waiting_shown(self, channel: Any) -> Any:
        return channel.waiting or "—"

    @display(description=_("last message"))
    def last_message(self, channel: Channel) -> str:
        return ago(channel.last_sent_at)

    # --- one channel ----------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """First its kind is chosen."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:monitoring_channel_new"))

    @method_decorator(sensitive_post_parameters("address-address", "address-secret"))
    def verb_view(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponse:
        return super().verb_view(request, object_id, verb)

    def save_model(self, request: HttpRequest, obj: Channel, form: Any, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        change_channel(channel_id=obj.pk, changes=changes, at=timezone.now())

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        channel: Channel | None = kwargs.get("obj")
        if channel is not None:
            context |= self.written_out(channel) | {"show_save_and_add_another": False}
        return super().render_change_form(request, context, **kwargs)

    def written_out(self, channel: Any) -> dict[str, Any]:
        """What the page says above the settings."""
        lately = Delivery.objects.filter(channel=channel).defer("picture", "text", "data").order_by("-id")
        return {
            "channel": channel,
            "state": channel_badge(channel),
            "last_sent": moment(channel.last_sent_at),
            "failing_since": moment(channel.failing_since),
            "pauses_until": moment(channel.blocked_until) if pauses(channel, timezone.now()) else "",
            "rules": list(channel.rules.order_by("name")),
            "zone": current_shop().time_zone,
            "lately": [
                {
                    "delivery": delivery,
                    "words": words_of(delivery),
                    "status": status_badge(delivery),
                    "severity": severity_badge(delivery.severity),
                }
                for delivery in lately[:SHOWN_MESSAGES]
            ],
        }

    # --- deleting -------------------------------------------------------------------------------------

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The service deletes; Django would first collect every message that was ever sent there."""
        channel = self.get_object(request, object_id)
        if channel is None or request.method != "POST" or not self.has_delete_permission(request, channel):
            return super().delete_view(request, object_id, extra_context)
        try:
            delete_channel(channel_id=channel.pk)
        except Refusal as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:monitoring_channel_change", args=[channel.pk]))
        self.log_deletions(request, [channel])
        self.message_user(request, gettext("“%(channel)s” is deleted.") % {"channel": channel}, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:monitoring_channel_changelist"))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Only the channel: the messages that go with it are not listed."""
        return [str(one) for one in objs], {}, set(), []


def pauses(channel: Channel, now: datetime.datetime) -> bool:
    return channel.blocked_until is not None and channel.blocked_until > now
