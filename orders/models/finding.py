"""How orders and customers are found by what somebody types."""

import unicodedata
from typing import Any, Self

from django.db import models
from django.db.models import F, Func, Q, TextField, Value

from foundation.shop import current_shop
from orders.phones import e164

# The fewest digits that are looked for in phone numbers.
PHONE_DIGITS = 3
# Fewer digits than these among orders are a number, or how a phone ends: they stand in too many phones.
NEARLY_A_PHONE = 7
LONGEST_NUMBER = 18
# What may stand in a phone number beside other things: three kinds of dashes among them.
SIGNS_OF_PHONES = "0123456789+-\u2010\u2013\u2014(). /"
FEW_CUSTOMERS = 500


class Digits(Func):
    """The digits of a text column: what two ways to write a phone number have in common."""

    function = "regexp_replace"
    output_field = TextField()

    def __init__(self, column: str | F, **extra: Any) -> None:
        super().__init__(column, Value(r"\D"), Value(""), Value("g"), **extra)


def digits_of_phone(text: str) -> str:
    """The digits to look for in phone numbers, empty if the text is none.

    Without what differs between writing a number at home and abroad: "081 234" and "+66 81 234" are one phone, and
    so are "8 916 123-45-67" and "+7 916 123-45-67".
    """
    text = unicodedata.normalize("NFKC", text).strip().casefold().removeprefix("tel:")
    if not text or text.strip(SIGNS_OF_PHONES):
        return ""
    digits = "".join(one for one in text if one.isdigit()).lstrip("0")
    if len(digits) == 11 and digits[0] in "78":
        digits = digits[1:]
    return digits if len(digits) >= PHONE_DIGITS else ""


class CustomerQuerySet(models.QuerySet[Any]):
    """The verbs that ask for customers."""

    def current(self) -> Self:
        """Those who go on: neither merged into another record nor erased."""
        return self.filter(merged_into=None, erased_at=None)

    def search(self, text: str) -> Self:
        """Customers by a part of their name or phone number, or by their e-mail. The digits of a phone are compared,
        not how it is written."""
        text = text.strip()
        if digits := digits_of_phone(text):
            found = Q(phone_digits__contains=digits)
            # A whole number may have more digits than it needs: the zero of "+44 (0)7700".
            if number := e164(text, current_shop().phone_region):
                found |= Q(phone_digits__contains=number[1:])
            return self.alias(phone_digits=Digits("phone")).filter(found)
        return self.filter(Q(name__icontains=text) | Q(email__iexact=text))

    def whose_phone_ends(self, digits: str) -> Self:
        return self.alias(phone_digits=Digits("phone")).filter(phone_digits__endswith=digits)


class OrderQuerySet(models.QuerySet[Any]):
    """The verbs that ask for orders."""

    def active(self) -> Self:
        """Orders that somebody still has to do something about."""
        return self.filter(status__in=self.model.ACTIVE)

    def search(self, text: str) -> Self:
        """Orders by their number, or by the customer's name, phone or e-mail.

        "#123" is a number and nothing else; digits are a number, or a part of a phone (few of them: its end); all
        else is a name, a phone written with its signs, or an e-mail.
        """
        text = text.strip()
        number = text.lstrip("#№ ")
        customers = self.model._meta.get_field("customer").related_model._default_manager.order_by()
        if not (number.isascii() and number.isdigit()):
            return self.filter(of_customers(customers.search(text)))
        by_number = Q(number=int(number)) if len(number) <= LONGEST_NUMBER else Q(pk__in=[])
        if number != text or len(number) < PHONE_DIGITS:
            return self.filter(by_number)
        found = customers.search(number) if len(number) >= NEARLY_A_PHONE else customers.whose_phone_ends(number)
        return self.filter(by_number | of_customers(found))


def of_customers(customers: CustomerQuerySet) -> Q:
    """The orders of these customers. Asks at once who they are, where they are few: with their ids the database
    knows how many orders to expect and which index serves; of a question inside a question it knows neither."""
    ids = list(customers.values_list("pk", flat=True)[: FEW_CUSTOMERS + 1])
    return Q(customer__in=ids) if len(ids) <= FEW_CUSTOMERS else Q(customer__in=customers.values("pk"))
