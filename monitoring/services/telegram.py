"""Connecting a Telegram chat step by step: whose token it is, which chats there are, and the channel to one of them.

The first two only ask the network; nothing is stored before a chat is chosen.
"""

import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from monitoring.channels.addresses import checked_secret
from monitoring.channels.base import ChannelError
from monitoring.channels.bot_api import Bot, BotApi, Chat
from monitoring.errors import NotTaken
from monitoring.models import Channel, Delivery
from monitoring.services.channels import add_channel, send_test
from monitoring.services.sending import outside_a_transaction


def bot_of(*, token: str) -> Bot:
    """Asks Telegram whose token this is; empty: the one of the environment.

    Raises InvalidInput at `token` for what is none, NotTaken if Telegram does not know it or does not answer.
    """
    outside_a_transaction()
    try:
        return BotApi(used_token(token)).get_me()
    except ChannelError as error:
        raise NotTaken(error.sentence) from None


def chats_of(*, token: str) -> list[Chat]:
    """The chats in which somebody has written to the bot lately, or to which it was added; the latest first. Raises
    what `bot_of` does."""
    outside_a_transaction()
    try:
        return BotApi(used_token(token)).recent_chats()
    except ChannelError as error:
        raise NotTaken(error.sentence) from None


def used_token(token: str) -> str:
    """The token that is meant. Raises InvalidInput at `token`."""
    try:
        found = checked_secret(kind=Channel.Kind.TELEGRAM, secret=token) or str(settings.TELEGRAM_BOT_TOKEN)
    except InvalidInput as refusal:
        raise InvalidInput.at("token", refusal.errors["secret"][0]) from None
    if not found:
        raise InvalidInput.at("token", _("Enter the token that BotFather gave you."))
    return found


def connect_chat(*, name: str, language: str, token: str, chat_id: str, at: datetime.datetime) -> Delivery:
    """Adds a channel to the chat and sends it a test message, which is returned: sent, or given up with what was
    wrong. Raises InvalidInput at the fields."""
    outside_a_transaction()
    channel = add_channel(
        kind=Channel.Kind.TELEGRAM, name=name, language=language, address=chat_id, secret=token, at=at
    )
    return send_test(channel_id=channel.pk, at=at)
