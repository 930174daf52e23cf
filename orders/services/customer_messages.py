"""Short messages to customers: written with what causes them, sent afterwards, by e-mail or SMS, if they agree."""

from dataclasses import replace
from datetime import datetime, timedelta
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from foundation.encryption import CanNotDecrypt
from foundation.shop import current_shop
from inventory.models import Location
from monitoring.channels.base import ChannelError, ChannelRefused, Message
from monitoring.channels.sending import send
from monitoring.selectors import channel_for_customers
from monitoring.services.sending import address_of
from monitoring.severity import Severity
from orders.locks import claim_next_customer_message
from orders.models import CustomerMessage, Order

# What the next attempt waits for. After GOOD_FOR the customer has asked at the counter.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 60, 120, 300))
GOOD_FOR = timedelta(minutes=30)
# What an attempt may take in all; if its worker dies, somebody else goes on then.
LEASE = timedelta(seconds=90)
KEPT_FOR = timedelta(days=90)
LONGEST_ERROR = 300

logger = structlog.get_logger(__name__)

Means = CustomerMessage.Means
Status = CustomerMessage.Status


class CannotSend(Exception):
    """The sentence says why; `is_final`: no further attempt would fare better."""

    def __init__(self, sentence: str, *, is_final: bool = False) -> None:
        super().__init__(sentence)
        self.is_final = is_final


def post_ready(order: Order, *, at: datetime | None = None) -> None:
    """Puts the message that a locked order is ready into the outbox, if its location tells and its customer agrees.

    In the caller's transaction: rolled back, it has never been. A customer is told once of an order. An order without
    a customer costs no query. `at` dates what happened earlier.
    """
    if order.customer_id is None:
        return
    wanted = Order.objects.filter(pk=order.pk, customer__consent=True).exclude(location__tells_ready="")
    if wanted.exists():
        CustomerMessage.objects.bulk_create(
            [
                CustomerMessage(
                    order_id=order.pk, kind=CustomerMessage.Kind.ORDER_READY, created_at=at or timezone.now()
                )
            ],
            ignore_conflicts=True,
        )


def send_next_message(*, now: datetime) -> bool:
    """Sends the next message that is due, and says whether there was one.

    The network is spoken to outside of every transaction. A worker that dies in between leaves a message that is sent
    again after LEASE: twice is better than never.
    """
    with transaction.atomic():
        message = claim_next_customer_message(now)
        if message is None:
            return False
        order = Order.objects.select_related("customer", "location").filter(pk=message.order_id).first()
        means = means_of(order) if order is not None else None
        if order is None or means is None or now - message.created_at > GOOD_FOR:
            is_late = order is not None and means is not None
            message.status = Status.FAILED if is_late else Status.DROPPED
            message.save(update_fields=["status"])
            return True
        message.attempts += 1
        message.means = means
        message.next_attempt_at = now + LEASE
        message.save(update_fields=["attempts", "means", "next_attempt_at"])
    try:
        deliver(message, order)
    except CannotSend as fault:
        wait = WAITS[min(message.attempts, len(WAITS)) - 1]
        logger.warning("customer_message_failed", message=message.pk, means=means, reason=str(fault))
        CustomerMessage.objects.filter(pk=message.pk, status=Status.WAITING).update(
            status=Status.FAILED if fault.is_final else Status.WAITING,
            last_error=str(fault)[:LONGEST_ERROR],
            next_attempt_at=now + wait,
        )
    else:
        CustomerMessage.objects.filter(pk=message.pk, status=Status.WAITING).update(
            status=Status.SENT, sent_at=timezone.now(), last_error=""
        )
    return True


def means_of(order: Order) -> CustomerMessage.Means | None:
    """How the customer of an order that still waits is told; None if not (any more): the drink is fetched, the
    consent taken back, the contact gone, the location tells nobody."""
    customer, tells = order.customer, order.location.tells_ready
    if order.status != Order.Status.READY or customer is None or not customer.consent:
        return None
    if customer.phone and tells in (Location.TellsReady.SMS, Location.TellsReady.SMS_OR_EMAIL):
        return Means.SMS
    if customer.email and tells in (Location.TellsReady.EMAIL, Location.TellsReady.SMS_OR_EMAIL):
        return Means.EMAIL
    return None


def deliver(message: CustomerMessage, order: Order) -> None:
    """Sends it once. Raises CannotSend."""
    customer = order.customer
    if customer is None:
        raise CannotSend(_("The order has no customer."), is_final=True)
    with translation.override(settings.LANGUAGE_CODE):
        title = _("%(shop)s: your order is ready") % {"shop": current_shop().name}
        text = _("Your order #%(number)s is ready: %(place)s.") % {"number": order.number, "place": order.location.name}
        if message.means == Means.EMAIL:
            send_mail(customer.email, title, text)
        else:
            send_sms(customer.phone, f"{current_shop().name}. {text}", key=f"customer-message-{message.pk}")


def send_mail(to: str, title: str, text: str) -> None:
    # No machine answers to a machine: https://www.rfc-editor.org/rfc/rfc3834
    headers = {"Auto-Submitted": "auto-generated"}
    try:
        EmailMessage(title, text + "\n", to=[to], headers=headers).send()
    except ValueError as error:
        # An address or a title that no mail can have.
        raise CannotSend(
            _("The mail can't be written (%(why)s).") % {"why": type(error).__name__}, is_final=True
        ) from None
    except (SMTPException, OSError) as error:
        raise CannotSend(_("The mail server does not take it (%(kind)s).") % {"kind": type(error).__name__}) from None


def send_sms(phone: str, text: str, *, key: str) -> None:
    try:
        channel = channel_for_customers()
    except CanNotDecrypt as error:
        raise CannotSend(str(error)) from None
    if channel is None:
        raise CannotSend(_("There is no channel for messages to customers."))
    address = replace(address_of(channel, phone=phone), language=settings.LANGUAGE_CODE)
    try:
        send(address, Message(key=key, title="", text=text, severity=Severity.INFO))
    except ChannelError as error:
        raise CannotSend(error.sentence, is_final=isinstance(error, ChannelRefused)) from None


def forget_old_messages(*, now: datetime) -> int:
    """Deletes what was sent, dropped or failed longer than KEPT_FOR ago. Returns how many."""
    old = CustomerMessage.objects.filter(created_at__lt=now - KEPT_FOR).exclude(status=Status.WAITING)
    return old.delete()[0]
