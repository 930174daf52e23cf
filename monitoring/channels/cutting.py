"""Texts that are longer than the other side takes."""

from collections.abc import Callable

from django.utils.translation import ngettext, override


def utf16_length(text: str) -> int:
    """The length as Telegram counts it: a character outside of the basic plane, such as an emoji, is two."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, longest: int, *, language: str, length: Callable[[str], int] = len) -> str:
    """The text if it is no longer than `longest`; else its beginning, and a remark in `language` that says how many
    characters are missing. The whole text stands in the admin."""
    if length(text) <= longest:
        return text
    # So long at most is the remark: that about a part of the text is no longer.
    room = longest - length(remark(len(text), language))
    if room <= 0:
        return kept(text, longest, length)
    beginning = kept(text, room, length)
    return beginning + remark(len(text) - len(beginning), language)


def remark(missing: int, language: str) -> str:
    with override(language):
        return "\n" + ngettext(
            "… %(count)d more character stands in the admin.",
            "… %(count)d more characters stand in the admin.",
            missing,
        ) % {"count": missing}


def kept(text: str, longest: int, length: Callable[[str], int]) -> str:
    """As much of the beginning as fits, found by halving."""
    low, high = 0, min(len(text), longest)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if length(text[:middle]) <= longest else (low, middle - 1)
    return text[:low]


def one_line(text: str) -> str:
    """The text without line breaks: a title, a subject."""
    return " ".join(text.split())
