"""What an order's payload tells of its buyer: how to find them, and how to forget them.

Each marketplace has its own shape of a buyer; what they share is that everything personal lies under a few names. So a
name that is not known here is kept, and one that is known is emptied wherever it stands.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from foundation.services.forgetting import MARK
from foundation.shop import current_shop
from marketplaces.choices import Marketplace
from orders.phones import e164

# Whatever lies under these belongs to the buyer or to who receives: Allegro's checkout form, Ozon's posting,
# Wildberries' order. Compared without capitals and signs.
PERSONAL_NAMES = {
    "address",
    "addressee",
    "buyer",
    "client",
    "clientinfo",
    "comment",
    "customer",
    "customeraddress",
    "customercomment",
    "customerdata",
    "customeremail",
    "customername",
    "customerphone",
    "email",
    "fio",
    "firstname",
    "fulladdress",
    "invoice",
    "lastname",
    "latitude",
    "legalinfo",
    "longitude",
    "messagetoseller",
    "middlename",
    "note",
    "personalidentity",
    "phone",
    "phonecode",
    "phonenumber",
    "phonenumbers",
    "pickuppoint",
    "recipient",
    "recipientfirstname",
    "recipientlastname",
    "recipientmiddlename",
    "recipientphone",
    "user",
}
EMAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
# Where a number without its country code is dialled from.
REGIONS = {Marketplace.ALLEGRO: "PL", Marketplace.OZON: "RU", Marketplace.WILDBERRIES: "RU"}
MOST_CONTACTS = 20
LONGEST_EMAIL = 254
LONGEST_PHONE = 40


def contacts_in(payload: Mapping[str, Any], *, marketplace: str) -> list[str]:
    """The e-mail addresses, in small letters, and the telephone numbers, in E.164, of the buyer."""
    regions = {REGIONS[Marketplace(marketplace)], current_shop().phone_region}
    found: dict[str, None] = {}
    for text in personal_texts(payload):
        for email in EMAIL.findall(text):
            if len(email) <= LONGEST_EMAIL:
                found[email.lower()] = None
        if "@" not in text and len(text) <= LONGEST_PHONE and sum(map(str.isdigit, text)) >= 7:
            found |= {number: None for region in regions if (number := e164(text, region))}
    return list(found)[:MOST_CONTACTS]


def personal_texts(value: Any, *, is_personal: bool = False) -> Iterator[str]:
    """Every text and number that lies under a personal name."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from personal_texts(inner, is_personal=is_personal or plain_name(name) in PERSONAL_NAMES)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from personal_texts(inner, is_personal=is_personal)
    elif is_personal and isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)


def without_buyer(value: Any, *, is_personal: bool = False) -> Any:
    """The payload with a mark in the place of everything personal; its shape, and what was bought, stay."""
    if isinstance(value, Mapping):
        return {
            name: without_buyer(inner, is_personal=is_personal or plain_name(name) in PERSONAL_NAMES)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_buyer(inner, is_personal=is_personal) for inner in value]
    if is_personal:
        return None if value is None or isinstance(value, bool) else MARK
    return EMAIL.sub(MARK, value) if isinstance(value, str) else value


def normalised_contacts(*, emails: Iterable[str], phones: Iterable[str]) -> list[str]:
    """A person's contacts, as `contacts_in` writes them; numbers are in E.164 already."""
    return [*{email.strip().lower() for email in emails if email.strip()}, *{phone for phone in phones if phone}]


def plain_name(name: object) -> str:
    return re.sub(r"[^a-z]", "", str(name).lower())
