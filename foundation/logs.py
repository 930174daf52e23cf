"""What log lines must never show. Knows nothing of Django: the settings import it."""

import re
from collections.abc import Mapping, MutableMapping
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from typing import Any
from uuid import UUID

MASK = "[masked]"
# A line longer than this is no line for a person, and masking it would cost time.
LONGEST_TEXT = 50_000
DEEPEST = 8
HARMLESS_TYPES = (bool, int, float, Decimal, datetime, date, time_of_day, timedelta, UUID, type(None))

SENSITIVE_NAME = (
    r"authorization|passw(?:or)?d|passphrase|secret|token|credential|cookie|csrf"
    r"|api[_-]?key|private[_-]?key|encryption[_-]?key|session[_-]?(?:id|key)"
)
PERSONAL_NAME = r"e-?mail|phone"

sensitive_name = re.compile(SENSITIVE_NAME, re.IGNORECASE)
personal_name = re.compile(PERSONAL_NAME, re.IGNORECASE)

# Every repetition is bounded or possessive in effect, so that a hostile text costs no more than a long one.
NAMED_VALUE = re.compile(
    rf"""(?P<name>(?:{SENSITIVE_NAME})[\w.-]{{0,40}}["']?[ \t]{{0,3}}[:=]>?[ \t]{{0,3}})
         (?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:(?:token|bearer|basic)[ \t]+)?[^\s&,;"'\])}}]+)""",
    re.IGNORECASE | re.VERBOSE,
)
PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # postgres://user:password@host, redis://:password@host
    (re.compile(r"(://[^\s:/@]{0,100}):[^\s@/]{1,300}@"), rf"\1:{MASK}@"),
    (NAMED_VALUE, rf"\g<name>{MASK}"),
    (re.compile(r"\b(token|bearer|basic)[ \t]+[\w.~+/=-]{12,}", re.IGNORECASE), rf"\1 {MASK}"),
    # Fernet, JSON web tokens, digests and tokens in hexadecimal
    (re.compile(r"\bgAAAAA[\w=-]{20,}"), MASK),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]{0,1000}"), MASK),
    (re.compile(r"\b[0-9a-fA-F]{40,}\b"), MASK),
    # What a link from a mail opens something with: …/password/reset/key/1-c8x…/, …/confirm-email/MQ:1vM…/
    (re.compile(r"(/(?:key|confirm-email)/)[\w:.%-]{12,500}"), rf"\1{MASK}"),
    (re.compile(r"[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"), MASK),
    # +66 81 234 5678, in an address also %2B66…
    (re.compile(r"(?:\+|%2B)\d(?:[ ().-]{0,2}\d){8,13}", re.IGNORECASE), MASK),
    # 0812345678, 89161234567, 8 (916) 123-45-67, 081-234-5678; never inside a longer number, UUID or word
    (re.compile(r"(?<![\w.-])(?:0\d{8,9}|[78]\d{10})(?![\w-])"), MASK),
    (re.compile(r"(?<![\w.-])[78][ -]?\(?\d{3}\)?[ -]?\d{3}[ -]?\d{2}[ -]?\d{2}(?![\w-])"), MASK),
    (re.compile(r"(?<![\w.-])0\d{1,2}[ -]\d{3}[ -]\d{3,4}(?![\w-])"), MASK),
)


def mask_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last processor before the renderer: replaces secrets and people's contacts by [masked].

    Values are masked whole if their name says that they are secret or a contact, and by their look in any text,
    the text of an exception included. Names that begin with "_" belong to structlog.
    """
    for name, value in event.items():
        if not name.startswith("_"):
            event[name] = masked(name, value)
    return event


def masked(name: str, value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if sensitive_name.search(name):
        return MASK
    if personal_name.search(name) and isinstance(value, str | bytes | int):
        return MASK
    if isinstance(value, HARMLESS_TYPES):
        return value
    if isinstance(value, str):
        return mask_text(value)
    if depth < DEEPEST:
        if isinstance(value, Mapping):
            return {mask_text(str(key)): masked(str(key), inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [masked(name, inner, depth + 1) for inner in value]
    if isinstance(value, bytes):
        return mask_text(value.decode(errors="replace"))
    return mask_text(repr(value))


def mask_text(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}… ({len(text)} characters)"
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text
