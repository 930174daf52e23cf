"""Telephone numbers: read as people write them, kept in E.164, shown as the world writes them.

A number is taken if it is a possible one, with the right number of digits for its country; whether somebody has it is
not asked. So numbers that are kept free for fiction, as those of the demo, are numbers too.
"""

import re
import unicodedata

import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from foundation.errors import InvalidInput
from foundation.phone_regions import calling_code
from foundation.shop import current_shop

LONGEST = 60
# What people write between digits: any kind of space, dash or bracket, dots, slashes.
SIGNS = re.compile(r"[\s().\[\]{}/\-\u00ad\u2010-\u2015\u2212\u30fc\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")
SCHEME = re.compile(r"^tel\s*:\s*", re.IGNORECASE)


def plain(text: str) -> str:
    """The text with its digits and plus sign in ASCII and nothing between them; other letters and signs stay."""
    # Full-width, Arabic and Thai digits are digits.
    digits = "".join(
        str(unicodedata.digit(one)) if unicodedata.category(one) == "Nd" else one
        for one in unicodedata.normalize("NFKC", text)
    )
    return SIGNS.sub("", SCHEME.sub("", digits.strip()))


def e164(text: str, region: str) -> str | None:
    """The number that somebody wrote, in E.164; None if it is no possible number, or has an extension.

    A number without + and country code is one of `region`.
    """
    digits = plain(text)
    if len(text) > LONGEST or not re.fullmatch(r"\+?\d{3,20}", digits, re.ASCII):
        return None
    if digits.startswith("00"):
        # The prefix that the ITU recommends, wherever the shop is; a country's own is tried after it.
        return possible(f"+{digits[2:]}", None) or possible(digits, region)
    return possible(digits, region)


def possible(digits: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(digits, region)
    except NumberParseException:
        return None
    # A number that only works within its town is none that anybody could call back.
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def normalised_phone(text: str) -> str:
    """The number that somebody wrote, in E.164; "" for none. Raises InvalidInput at `phone`."""
    if not text.strip():
        return ""
    region = current_shop().phone_region
    number = e164(text, region)
    if number is None:
        raise InvalidInput.at(
            "phone",
            _(
                "This is no telephone number. Write it with its country code, as in %(code)s…, or as it is dialled"
                " here, and without an extension."
            )
            % {"code": calling_code(region)},
        )
    return number


def shown_phone(number: str) -> str:
    """A number in E.164 as people read it: +44 7700 900123. What is in no such form is shown as it is."""
    if not number.startswith("+"):
        return number
    try:
        return phonenumbers.format_number(phonenumbers.parse(number, None), PhoneNumberFormat.INTERNATIONAL)
    except NumberParseException:
        return number
