"""Which keys each marketplace gives out, and whether what somebody typed are such."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from marketplaces.choices import Marketplace
from marketplaces.errors import WrongCredentials

# The names of the keys, in the order in which a form asks for them.
KEY_NAMES: Mapping[str, tuple[str, ...]] = {
    Marketplace.ALLEGRO: ("client_id", "client_secret"),
    Marketplace.OZON: ("client_id", "api_key"),
    Marketplace.WILDBERRIES: ("token",),
}
# Wildberries' tokens are the longest, some hundreds of characters.
LONGEST_KEY = 4000


def checked_credentials(marketplace: str, credentials: Mapping[str, Any]) -> dict[str, str]:
    """The keys as they are stored: exactly the marketplace's, each a text without spaces around it.

    Raises WrongCredentials at "credentials.api_key" for a key that is missing, unknown, empty or no text. No sentence
    holds anything of a key.
    """
    names = KEY_NAMES[marketplace]
    faults: dict[str, list[str]] = {}
    checked: dict[str, str] = {}
    if not isinstance(credentials, Mapping):
        raise WrongCredentials.at(
            "credentials", _("Give the keys as an object: %(names)s.") % {"names": ", ".join(names)}
        )
    for name in credentials:
        if name not in names:
            faults[f"credentials.{str(name)[:50]}"] = [
                _("%(marketplace)s has no such key. It needs: %(names)s.")
                % {"marketplace": Marketplace(marketplace).label, "names": ", ".join(names)}
            ]
    for name in names:
        value = credentials.get(name)
        if fault := fault_of(value):
            faults[f"credentials.{name}"] = [fault]
        else:
            checked[name] = str(value).strip()
    if faults:
        sentences = [sentence for lines in faults.values() for sentence in lines]
        raise WrongCredentials(" ".join(dict.fromkeys(sentences)), errors=faults)
    return checked


def fault_of(value: Any) -> str:
    """What is wrong with one key, as a sentence; empty if nothing is."""
    if value is None:
        return _("This key is missing.")
    if not isinstance(value, str):
        return _("Give the key as a text.")
    text = value.strip()
    if not text:
        return _("This key is empty.")
    if len(text) > LONGEST_KEY:
        return _("Use at most %(number)s characters.") % {"number": LONGEST_KEY}
    # They travel in headers, where nothing else can stand.
    if not (text.isascii() and text.isprintable()) or " " in text:
        return _("A key has only Latin letters, digits and signs, without spaces. Copy it anew.")
    return ""
