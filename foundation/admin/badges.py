"""Coloured words."""

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString


def badge(kind: str, text: str | Promise, title: str | Promise = "") -> SafeString:
    """A coloured word; `kind` is "good", "bad", "warn", "info", "off" or "plain" (see admin.css)."""
    return format_html('<span class="sv-badge sv-badge-{}" title="{}">{}</span>', kind, title, text)
