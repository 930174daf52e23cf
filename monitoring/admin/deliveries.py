"""Messages in the admin: what was said to whom, what became of it, and once more what was given up."""

from base64 import b64encode
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from foundation.admin.verbs import Verb, VerbButtons
from monitoring.admin.shown import moment, severity_badge, status_badge, words_of
from monitoring.models import Channel, Delivery, DeliveryAlert
from monitoring.services.deliveries import retry_delivery

# A message may speak of thousands of alerts; so many are named.
SHOWN_ALERTS = 50


def retry(request: HttpRequest, delivery: Delivery, data: dict[str, Any]) -> None:
    retry_delivery(delivery_id=delivery.pk, at=timezone.now())


@admin.register(Delivery)
class DeliveryAdmin(VerbButtons, WrittenOutAdmin, ShopModelAdmin):
    """The log of what was sent. The watchdog sends; here one only looks, and asks for another attempt."""

    verbs = (
        Verb(
            name="retry",
            label=_("Send it again"),
            permission="monitoring.retry_delivery",
            run=retry,
            done=_("It is sent in a moment."),
            is_shown=lambda delivery: delivery.status != Delivery.Status.SENT,
            icon="refresh",
            variant="primary",
        ),
    )
    list_display = ("when", "words", "to", "kind", "severity_shown", "status_shown", "attempts")
    list_display_links = ("when", "words")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("severity", ChoicesDropdownFilter),
        ("channel", RelatedDropdownFilter),
    )
    list_select_related = ("channel",)
    search_fields = ("title",)
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 50
    actions = None
    fieldsets = ()
    change_form_outer_before_template = "monitoring/delivery.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        sealed = [f"channel__{name}" for name in Channel.SEALED]
        return super().get_queryset(request).select_related("channel").defer("picture", *sealed)

    @display(description=_("made"))
    def when(self, delivery: Delivery) -> SafeString | str:
        return moment(delivery.created_at)

    @display(description=_("message"))
    def words(self, delivery: Delivery) -> str:
        return words_of(delivery)

    @display(description=_("to"))
    def to(self, delivery: Delivery) -> str:
        return delivery.channel.name

    @display(description=_("severity"))
    def severity_shown(self, delivery: Delivery) -> SafeString:
        return severity_badge(delivery.severity)

    @display(description=_("status"))
    def status_shown(self, delivery: Delivery) -> SafeString:
        return status_badge(delivery)

    # --- one message ----------------------------------------------------------------------------------

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        delivery: Delivery | None = kwargs.get("obj")
        if delivery is not None:
            context |= written_out(delivery)
        return super().render_change_form(request, context, **kwargs)


def written_out(delivery: Delivery) -> dict[str, Any]:
    """What the page says of a message."""
    parts = DeliveryAlert.objects.filter(delivery=delivery).select_related("alert").order_by("pk")
    shown = list(parts[: SHOWN_ALERTS + 1])
    waits = delivery.status == Delivery.Status.WAITING
    return {
        "delivery": delivery,
        "words": words_of(delivery),
        "status": status_badge(delivery),
        "severity": severity_badge(delivery.severity),
        "made": moment(delivery.created_at),
        "sent": moment(delivery.sent_at),
        "next_attempt": moment(delivery.next_attempt_at) if waits else "",
        "given_up_after": moment(delivery.give_up_at) if waits else "",
        "parts": shown[:SHOWN_ALERTS],
        "has_more_parts": len(shown) > SHOWN_ALERTS,
        "picture": picture_of(delivery),
    }


def picture_of(delivery: Delivery) -> str:
    """The picture as an address of its own, to be put into the page; empty without one."""
    picture = Delivery.objects.filter(pk=delivery.pk).values_list("picture", flat=True).first()
    return f"data:image/png;base64,{b64encode(bytes(picture)).decode()}" if picture else ""
