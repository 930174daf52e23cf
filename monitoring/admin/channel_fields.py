"""What each kind of channel asks for. Addresses and secrets are stored and never shown."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget

from foundation.admin.never_shown import NeverShownInput
from monitoring.channels.addresses import LONGEST_ADDRESS, LONGEST_SECRET
from monitoring.models import Channel

Kind = Channel.Kind

# What a kind is good for, where somebody chooses one.
HINTS: dict[Kind, Any] = {
    Kind.TELEGRAM: _("To a person, a group or a channel, through a bot of your own. Step by step."),
    Kind.EMAIL: _("To one or several mailboxes, through the shop's mail server."),
    Kind.SMS: _("Through an SMS service with which you have an account. Texts are cut short: each part costs."),
    Kind.WEBHOOK: _("To a program: a signed POST with JSON."),
    Kind.OTHER: _("Slack, Matrix, ntfy, Pushover, WhatsApp and a hundred more."),
}
ADDRESS_LABELS: dict[Kind, Any] = {
    Kind.TELEGRAM: _("Chat"),
    Kind.EMAIL: _("Recipients"),
    Kind.SMS: _("Address of the service"),
    Kind.WEBHOOK: _("Address (URL)"),
    Kind.OTHER: _("Address of the service"),
}
ADDRESS_HINTS: dict[Kind, Any] = {
    Kind.TELEGRAM: _("The id of the chat, a number, or the @name of a channel."),
    Kind.EMAIL: _("E-mail addresses, separated by commas. Each gets a mail of their own."),
    Kind.SMS: _(
        "As the library Apprise writes it, see github.com/caronc/apprise/wiki; for example "
        "twilio://AccountSid:AuthToken@FromPhone/ToPhone. For messages to customers write {phone} where the number "
        "goes: theirs takes its place, in digits with the country's code, and no alerts go there."
    ),
    Kind.WEBHOOK: _("It gets a POST with JSON, and answers with 2xx within 15 seconds."),
    Kind.OTHER: _(
        "As the library Apprise writes it, see github.com/caronc/apprise/wiki; for example ntfys://my-secret-topic"
    ),
}
# In these addresses stand keys.
SECRET_ADDRESSES = (Kind.SMS, Kind.OTHER, Kind.WEBHOOK)
SECRET_LABELS: dict[Kind, Any] = {Kind.TELEGRAM: _("Bot token"), Kind.WEBHOOK: _("Key of the signature")}
SECRET_HINTS: dict[Kind, Any] = {
    Kind.TELEGRAM: _("From BotFather. Empty: the one in TELEGRAM_BOT_TOKEN."),
    Kind.WEBHOOK: _("At least 16 characters, which the receiver knows too. Empty: nothing is signed."),
}
SECRET_FIELDS = frozenset({"address", "secret"})


def address_fields(kind: Kind) -> dict[str, forms.CharField]:
    """The fields `address` and, where the kind has one, `secret`."""
    widget = NeverShownInput if kind in SECRET_ADDRESSES else None
    fields = {
        "address": forms.CharField(
            label=ADDRESS_LABELS[kind],
            help_text=ADDRESS_HINTS[kind],
            max_length=LONGEST_ADDRESS,
            **({"widget": widget(attrs={"autocomplete": "off", "spellcheck": "false"})} if widget else {}),
        )
    }
    if kind in SECRET_LABELS:
        fields["secret"] = forms.CharField(
            label=SECRET_LABELS[kind],
            help_text=SECRET_HINTS[kind],
            max_length=LONGEST_SECRET,
            required=False,
            widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        )
    return fields


def name_field(**more: Any) -> forms.CharField:
    return forms.CharField(
        label=_("Name"), max_length=100, help_text=_("As people here call it: “Kitchen”, “Maria's phone”."), **more
    )


def language_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        initial=get_language,
        help_text=_("In which messages are written."),
    )
