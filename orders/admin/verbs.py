"""The buttons of an order: each calls one service, as the person who pressed it."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminRadioSelectWidget

from foundation.admin.verbs import Verb, VerbForm
from orders.models import Order, OrderEvent, OrderItem
from orders.powers import COMPLETE_UNPAID, REFUND
from orders.services.actor import Actor
from orders.services.cancel import cancel_item, cancel_order
from orders.services.transitions import complete_order, prepare_order, ready_order

RESTOCK, WASTE = "restock", "waste"


def actor_of(request: HttpRequest) -> Actor:
    """The person who signed in to the admin."""
    return Actor(request.user.pk, OrderEvent.Door.ADMIN)


class WayBackField(forms.ChoiceField):
    """What becomes of the ingredients of something cancelled; cleans to True for "return to stock"."""

    def __init__(self, **more: Any) -> None:
        choices = [
            (RESTOCK, _("Return to stock: not made yet")),
            (WASTE, _("Write off as waste: made already")),
        ]
        super().__init__(
            label=_("The ingredients"), choices=choices, initial=RESTOCK, widget=UnfoldAdminRadioSelectWidget, **more
        )

    def clean(self, value: Any) -> bool:
        return super().clean(value) == RESTOCK


class ReasonField(forms.CharField):
    def __init__(self, **more: Any) -> None:
        super().__init__(
            label=_("Reason"),
            required=False,
            max_length=300,
            widget=forms.TextInput(attrs={"placeholder": _("The customer changed their mind")}),
            **more,
        )


class CancelForm(VerbForm):
    """Why an order is cancelled, and what becomes of its ingredients."""

    reason = ReasonField()
    restock = WayBackField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What somebody has begun to make is not poured back into the bottle.
        if getattr(self.obj, "status", Order.Status.PENDING) != Order.Status.PENDING:
            self.fields["restock"].initial = WASTE


class CancelItemForm(CancelForm):
    """Which line, and how many of it."""

    item = forms.ModelChoiceField(label=_("Line"), queryset=OrderItem.objects.none())
    quantity = forms.IntegerField(label=_("How many"), min_value=1, initial=1)

    field_order = ("item", "quantity", "reason", "restock")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["item"].queryset = self.obj.items.all()  # type: ignore[attr-defined]


ORDER_VERBS = [
    Verb(
        name="prepare",
        label=_("Prepare"),
        permission="orders.advance_order",
        run=lambda request, order, data: prepare_order(order_id=order.pk, actor=actor_of(request)),
        done=_("%(object)s is being prepared."),
        is_shown=lambda order: order.status == Order.Status.PENDING,
        variant="primary",
        icon="skillet",
    ),
    Verb(
        name="ready",
        label=_("Ready"),
        permission="orders.advance_order",
        run=lambda request, order, data: ready_order(order_id=order.pk, actor=actor_of(request)),
        done=_("%(object)s is ready."),
        is_shown=lambda order: order.status == Order.Status.PREPARING,
        variant="primary",
        icon="notifications_active",
    ),
    Verb(
        name="complete",
        label=_("Complete"),
        permission="orders.advance_order",
        run=lambda request, order, data: complete_order(
            order_id=order.pk, actor=actor_of(request), allow_unpaid=request.user.has_perm(COMPLETE_UNPAID)
        ),
        done=_("%(object)s is completed."),
        is_shown=lambda order: order.is_active,
        icon="check",
    ),
    Verb(
        name="cancel",
        label=_("Cancel the order"),
        permission="orders.cancel_order",
        run=lambda request, order, data: cancel_order(
            order_id=order.pk, actor=actor_of(request), may_refund=request.user.has_perm(REFUND), **data
        ),
        done=_("%(object)s is cancelled."),
        form=CancelForm,
        is_shown=lambda order: order.is_active,
        variant="danger",
        icon="cancel",
    ),
]

# Stands beside each line of the order and not among the buttons above it.
CANCEL_ITEM = Verb(
    name="cancel_item",
    label=_("Cancel a part"),
    permission="orders.cancel_order",
    run=lambda request, order, data: cancel_item(
        order_id=order.pk,
        item_id=data.pop("item").pk,
        actor=actor_of(request),
        may_refund=request.user.has_perm(REFUND),
        **data,
    ),
    done=_("A part of %(object)s is cancelled."),
    form=CancelItemForm,
    is_shown=lambda order: False,
    variant="danger",
    icon="do_not_disturb_on",
)

# What to do next with an order in each status, as one press in a list.
NEXT_STEP = {Order.Status.PENDING: "prepare", Order.Status.PREPARING: "ready", Order.Status.READY: "complete"}
