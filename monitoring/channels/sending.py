"""Sending one message, whatever the kind of the channel, within a time."""

from collections.abc import Callable, Mapping
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import structlog
from django.utils import translation
from django.utils.translation import gettext as _

from monitoring.channels import further, mail, telegram, webhook
from monitoring.channels.base import LONGEST_SEND, Address, ChannelError, ChannelRefused, ChannelUnreachable, Message

SENDERS: Mapping[str, Callable[[Address, Message], str | None]] = {
    "telegram": telegram.send,
    "email": mail.send,
    "sms": further.send,
    "webhook": webhook.send,
    "other": further.send,
}

# Sendings that did not end in time. None to the same address begins before they do: else a host that hangs would
# leave one more thread behind at every attempt.
_overdue: dict[tuple[str, str], Thread] = {}

logger = structlog.get_logger(__name__)


def send(address: Address, message: Message) -> str | None:
    """Sends the message once. Hands back the channel's new address where the other side has given it another one (a
    Telegram group that became a supergroup), else None.

    Ends within LONGEST_SEND seconds, whatever the other side does; what is still under way then may arrive later.
    Never call it inside a transaction.

    Raises ChannelBusy (leave the channel alone for so long), ChannelRefused (it will never take anything),
    MessageRefused (it will never take this message), ChannelUnreachable (try again later). The sentences are for
    people, in the language that is active, and hold no token, no key and no address.
    """
    sender = SENDERS.get(address.kind)
    if sender is None:
        raise ChannelRefused(_("There is no kind of channel called “%(kind)s”.") % {"kind": address.kind})
    place = (address.kind, address.address)
    earlier = _overdue.get(place)
    if earlier is not None and earlier.is_alive():
        raise ChannelUnreachable(_("The last attempt has not ended yet."))
    _overdue.pop(place, None)

    outcomes: SimpleQueue[tuple[str | None, Exception | None]] = SimpleQueue()
    context, language = copy_context(), translation.get_language()

    def work() -> None:
        with translation.override(language):
            outcomes.put(outcome_of(sender, address, message))

    # A daemon: what hangs must not keep the program from ending.
    thread = Thread(target=context.run, args=(work,), name=f"send to {address.kind}", daemon=True)
    thread.start()
    try:
        new_address, fault = outcomes.get(timeout=LONGEST_SEND)
    except Empty:
        _overdue[place] = thread
        raise ChannelUnreachable(_("No answer in time.")) from None
    if fault is not None:
        raise fault
    return new_address


def outcome_of(sender: Any, address: Address, message: Message) -> tuple[str | None, Exception | None]:
    try:
        return sender(address, message), None
    except ChannelError as error:
        return None, error
    except Exception as error:
        # A fault of ours. Its text may hold the address, and so may its trace; the message waits for a better day.
        logger.error("sender_crashed", kind=address.kind, error=type(error).__name__)
        return None, ChannelUnreachable(
            _("The sending ended with a fault of the shop's own (%(kind)s).") % {"kind": type(error).__name__}
        )
