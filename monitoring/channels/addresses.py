"""Whether an address can be one, before it is stored."""

import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from monitoring.channels.bot_api import TOKEN
from monitoring.channels.further import service_at
from monitoring.channels.mail import MOST_RECIPIENTS, recipients_in

LONGEST_ADDRESS = 2000
LONGEST_SECRET = 200
# Shorter keys can be guessed from one signed message.
SHORTEST_KEY = 16
# A chat's id, or the name of a public channel.
CHAT = re.compile(r"-?\d{1,20}|@[A-Za-z0-9_]{4,64}")
# Where a customer's number goes, in the address of the channel through which customers are sent an SMS.
PLACE_OF_THE_NUMBER, SOME_NUMBER = "{phone}", "15551234567"
# With the country's code: https://www.itu.int/rec/T-REC-E.164
FEWEST_DIGITS, MOST_DIGITS = 7, 15
PRINTABLE = re.compile(r"[\x21-\x7e]+")


def checked_address(*, kind: str, address: str) -> str:
    """The address as it is stored. Raises InvalidInput at `address` with a sentence that says what is wanted."""
    address = address.strip()
    if not address:
        raise InvalidInput.at("address", _("Enter the address."))
    if len(address) > LONGEST_ADDRESS:
        raise InvalidInput.at("address", _("An address has at most %(count)d characters.") % {"count": LONGEST_ADDRESS})
    match kind:
        case "telegram":
            if not CHAT.fullmatch(address):
                raise InvalidInput.at("address", _("Enter the id of the chat, a number, or the @name of a channel."))
        case "email":
            return checked_recipients(address)
        case "webhook":
            check_web_address(address)
        case _sms_or_other:
            if service_at(address.replace(PLACE_OF_THE_NUMBER, SOME_NUMBER)) is None:
                raise InvalidInput.at(
                    "address",
                    _("No service is known for this address. It begins with the service's name, such as ntfys://…"),
                )
    return address


def with_number(address: str, phone: str) -> str:
    """The address of a channel for customers, with somebody's number in its place."""
    return address.replace(PLACE_OF_THE_NUMBER, re.sub(r"\D", "", phone))


def check_number(phone: str) -> None:
    """Raises InvalidInput at `phone` for what can be no telephone number with the country's code."""
    if not FEWEST_DIGITS <= len(re.sub(r"\D", "", phone)) <= MOST_DIGITS:
        raise InvalidInput.at("phone", _("Enter a telephone number with the country's code, such as +48 512 345 678."))


def is_for_customers(*, kind: str, address: str) -> bool:
    """Whether messages to customers go there: a place for their numbers makes it so, and then nothing else can."""
    return kind == "sms" and PLACE_OF_THE_NUMBER in address


def checked_recipients(text: str) -> str:
    recipients = recipients_in(text)
    if not recipients:
        raise InvalidInput.at("address", _("Enter an e-mail address."))
    if len(recipients) > MOST_RECIPIENTS:
        raise InvalidInput.at("address", _("At most %(count)d recipients.") % {"count": MOST_RECIPIENTS})
    for number, recipient in enumerate(recipients, start=1):
        try:
            validate_email(recipient)
        except ValidationError:
            sentence = _("Recipient %(number)d is no e-mail address. Separate several by commas.")
            raise InvalidInput.at("address", sentence % {"number": number}) from None
    return ", ".join(recipients)


def check_web_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one or not PRINTABLE.fullmatch(address) or "#" in address:
        raise InvalidInput.at("address", _("Enter an address that begins with https:// (or http://)."))


def checked_secret(*, kind: str, secret: str) -> str:
    """The secret as it is stored; empty is allowed. Raises InvalidInput at `secret`."""
    secret = secret.strip()
    if not secret:
        return ""
    if kind == "telegram" and not TOKEN.fullmatch(secret):
        raise InvalidInput.at("secret", _("This is no bot token. BotFather gives one that looks like 123456:ABC-DEF…"))
    if kind == "webhook" and len(secret) < SHORTEST_KEY:
        raise InvalidInput.at("secret", _("A key has at least %(count)d characters.") % {"count": SHORTEST_KEY})
    if kind not in ("telegram", "webhook"):
        raise InvalidInput.at("secret", _("Channels of this kind have no secret beside their address."))
    if len(secret) > LONGEST_SECRET:
        raise InvalidInput.at("secret", _("A secret has at most %(count)d characters.") % {"count": LONGEST_SECRET})
    return secret
