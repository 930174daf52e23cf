"""Messages by SMS, and through any service that the library apprise speaks: its addresses say which, and with which
keys. See https://github.com/caronc/apprise/wiki for them."""

import functools
import re
from typing import Any
from urllib.parse import unquote

import structlog
from django.utils.translation import gettext as _

from foundation.logs import MASK, mask_text
from monitoring.channels.base import Address, ChannelRefused, ChannelUnreachable, Message
from monitoring.channels.cutting import cut, one_line
from monitoring.severity import Severity

# Each part of an SMS costs: 160 characters, or 70 with a Cyrillic one among them.
LONGEST_SMS = 300
LONGEST_TITLE = 200
CALL_SECONDS = 45.0
LONGEST_WORDS = 200
# They speak to this machine's own desktop, log or lamp, not to a person elsewhere.
OF_THIS_MACHINE = frozenset(
    {"dbus", "kde", "qt", "glib", "gnome", "macosx", "windows", "syslog", "blink1", "file", "growl"}
)

logger = structlog.get_logger(__name__)


def send(address: Address, message: Message) -> None:
    """One notification. Raises ChannelRefused for an address that is none, ChannelUnreachable for whatever the service
    says: apprise does not tell a fault of now from one for good."""
    service = service_at(address.address)
    if service is None:
        raise ChannelRefused(_("The channel's address is none that is understood (any more)."))
    fault = notified(service, address, message)
    if fault is not None:
        raise ChannelUnreachable(fault)


def service_at(url: str) -> Any:
    """The service of an apprise address, None if it is none or one of this machine itself."""
    apprise = library()
    if scheme_of(url) in OF_THIS_MACHINE:
        return None
    asset = apprise.AppriseAsset(
        app_id="Samovar",
        app_desc="Samovar",
        app_url="",
        # Nothing is written to the disk, no picture is fetched from anywhere, no redirect followed, no address logged.
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        image_url_mask=None,
        image_url_logo=None,
        http_redirects=False,
        secure_logging=True,
        async_mode=False,
    )
    try:
        return apprise.Apprise.instantiate(url, asset=asset)
    except Exception as error:
        # Its plugins raise whatever they like at an odd address.
        logger.warning("apprise_address_refused", kind=type(error).__name__)
        return None


@functools.cache
def library() -> Any:
    # It takes half a second and 40 MB, which only a shop with such a channel pays.
    import apprise  # noqa: PLC0415

    return apprise


def scheme_of(url: str) -> str:
    return url.partition("://")[0].strip().lower()


def notified(service: Any, address: Address, message: Message) -> str | None:
    """None once the service has taken it, else a sentence."""
    apprise = library()
    title = one_line(message.title)[:LONGEST_TITLE]
    longest = LONGEST_SMS if address.kind == "sms" else max(service.body_maxlen - len(title) - 4, 1)
    caller = apprise.Apprise()
    caller.add(service)
    try:
        with caller.notify(
            title=title,
            body=cut(message.text or title, longest, language=address.language),
            # Text: what a customer is called is never taken for markup.
            body_format=apprise.NotifyFormat.TEXT,
            notify_type=notify_type(message.severity),
            timeout=CALL_SECONDS,
        ) as result:
            if result:
                return None
            if result.status == apprise.AppriseResultStatus.TIMEOUT:
                return _("The service does not answer in time.")
            words = next((str(entry.message) for entry in result.logs()), "")
    except Exception as error:
        logger.warning("apprise_failed", kind=type(error).__name__)
        words = type(error).__name__
    return _("The service does not take the message. %(words)s") % {"words": without_parts_of(address.address, words)}


def notify_type(severity: str) -> Any:
    types = library().NotifyType
    return {
        Severity.INFO: types.INFO,
        Severity.WARNING: types.WARNING,
    }.get(Severity(severity), types.FAILURE)


def without_parts_of(url: str, words: str) -> str:
    """The words without anything that stands in the address: keys, names, numbers."""
    parts = {part for text in (url, unquote(url)) for part in re.split(r"[^\w.+-]+", text) if len(part) > 3}
    for part in sorted(parts, key=len, reverse=True):
        words = words.replace(part, MASK)
    return mask_text(one_line(words))[:LONGEST_WORDS]
