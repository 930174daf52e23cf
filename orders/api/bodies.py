"""What clients say about orders."""

from typing import Any

from django.utils.functional import lazy
from django.utils.translation import gettext as _
from rest_framework import serializers

from foundation.api.fields import IdField, IdListField, RecordField, WholeNumberField, WordField
from foundation.api.serializers import StrictSerializer, list_of
from orders.models import Customer, Employee, Order, OrderEvent, PromoCode
from orders.pricing import LARGEST_QUANTITY, MOST_LINES, OrderLine
from orders.services.batch import MOST_ORDERS

MOST_OPTIONS = 100
MOST_POINTS = 1_000_000_000
# What was sold elsewhere comes in by an import, not by a client.
CHANNELS = [choice for choice in Order.Channel.choices if choice[0] != Order.Channel.IMPORT]


def quantity_sentence() -> str:
    return _("The quantity must be a whole number from 1 to %(most)d.") % {"most": LARGEST_QUANTITY}


def lines_sentence() -> str:
    return _("An order takes up to %(most)d lines. Split it.") % {"most": MOST_LINES}


# In the language of whoever reads them, not of whoever started the server.
QUANTITY_SENTENCE, LINES_SENTENCE = lazy(quantity_sentence, str)(), lazy(lines_sentence, str)()


class QuantityField(WholeNumberField):
    """How many of something: an integer of JSON from 1 to 1,000."""

    default_error_messages = {
        "invalid": QUANTITY_SENTENCE,
        "min_value": QUANTITY_SENTENCE,
        "max_value": QUANTITY_SENTENCE,
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LARGEST_QUANTITY, **kwargs})


class ReasonField(serializers.CharField):
    """Why, in a sentence."""

    def __init__(self, **kwargs: Any) -> None:
        length = OrderEvent._meta.get_field("reason").max_length
        super().__init__(**{"max_length": length, "required": False, "allow_blank": True, **kwargs})


class CommentField(serializers.CharField):
    """What else is to be known about an order."""

    def __init__(self, **kwargs: Any) -> None:
        length = Order._meta.get_field("comment").max_length
        super().__init__(**{"max_length": length, "required": False, "allow_blank": True, **kwargs})


class PromoCodeField(serializers.CharField):
    """A promo code as somebody types it."""

    def __init__(self, **kwargs: Any) -> None:
        length = PromoCode._meta.get_field("code").max_length
        super().__init__(**{"max_length": length, "required": False, "allow_blank": True, **kwargs})


class PointsField(WholeNumberField):
    """How many points."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": MOST_POINTS, "required": False, **kwargs})


class OrderLineBodySerializer(StrictSerializer):
    """So many of a product, with these options."""

    product = IdField()
    quantity = QuantityField()
    options = IdListField(required=False, max_length=MOST_OPTIONS)

    def to_internal_value(self, data: Any) -> OrderLine:
        values = super().to_internal_value(data)
        return OrderLine(values["product"], values["quantity"], tuple(values.get("options", ())))


def line_list(**kwargs: Any) -> serializers.ListSerializer[Any]:
    """The lines of an order."""
    messages = {"max_length": LINES_SENTENCE}
    return list_of(OrderLineBodySerializer(), most=MOST_LINES, error_messages=messages, **kwargs)


class OwnOrderBodySerializer(StrictSerializer):
    """An order that somebody places for themselves. `redeem_points` is the most of their points that it may take."""

    location = IdField(required=False, allow_null=True)
    items = line_list()
    comment = CommentField()
    promo_code = PromoCodeField()
    redeem_points = PointsField()


class OrderBodySerializer(OwnOrderBodySerializer):
    """An order that staff or a program places. Without `location` the user's default one.

    `allow_below_minimum` sells what is below its minimum, `sell_anyway` what the stock says is not there (it is
    corrected with the sale); each takes a permission of its own.
    """

    channel = WordField(choices=CHANNELS, required=False)
    customer = RecordField(queryset=Customer.objects.all(), required=False, allow_null=True)
    employee = RecordField(queryset=Employee.objects.all(), required=False, allow_null=True)
    allow_below_minimum = serializers.BooleanField(required=False)
    sell_anyway = serializers.BooleanField(required=False)


class EditBodySerializer(StrictSerializer):
    """What a pending order is to consist of, its comment, promo code ("" for none) and points; what is left out
    stays."""

    items = line_list(required=False)
    comment = CommentField()
    promo_code = PromoCodeField()
    redeem_points = PointsField()
    allow_below_minimum = serializers.BooleanField(required=False)
    sell_anyway = serializers.BooleanField(required=False)


class CancelBodySerializer(StrictSerializer):
    """Why, and whether the ingredients go back to the shelf (as they do unless told otherwise) or are wasted."""

    reason = ReasonField()
    restock = serializers.BooleanField(required=False)


class CancelItemBodySerializer(CancelBodySerializer):
    """How many of the line, why, and whether the ingredients go back to the shelf."""

    quantity = QuantityField()


class BatchBodySerializer(StrictSerializer):
    """Which orders: up to 1,000 are dealt with at once, more in the background."""

    ids = IdListField(max_length=MOST_ORDERS)


class BatchCancelBodySerializer(BatchBodySerializer, CancelBodySerializer):
    """Which orders, why, and whether the ingredients go back to the shelf."""
