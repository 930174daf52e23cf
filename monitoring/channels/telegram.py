"""Messages to a Telegram chat."""

import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from monitoring.channels.base import Address, ChannelError, ChannelRefused, Message, MessageRefused
from monitoring.channels.bot_api import LONGEST_CAPTION, LONGEST_TEXT, BotApi, ChatMoved
from monitoring.channels.cutting import cut, one_line, utf16_length
from monitoring.severity import Severity

logger = structlog.get_logger(__name__)


def send(address: Address, message: Message) -> str | None:
    """Sends it to the chat. Hands back the chat's new id if the group became a supergroup, which changes it.

    A text that is too long is cut, with a remark: in several messages, a part of them could arrive twice.
    """
    bot = BotApi(address.secret or token_of_the_environment())
    try:
        deliver(bot, address.address, address.language, message)
    except ChatMoved as moved:
        try:
            deliver(bot, moved.chat_id, address.language, message)
        except ChatMoved:
            raise ChannelRefused(_("Telegram sends the messages for this chat in a circle.")) from None
        return moved.chat_id
    return None


def token_of_the_environment() -> str:
    """Raises ChannelRefused if there is none."""
    token: str = settings.TELEGRAM_BOT_TOKEN
    if not token:
        raise ChannelRefused(_("There is no bot token: neither in the channel nor in TELEGRAM_BOT_TOKEN."))
    return token


def deliver(bot: BotApi, chat_id: str, language: str, message: Message) -> None:
    is_silent = message.severity == Severity.INFO
    text = "\n\n".join(part for part in (one_line(message.title), message.text.strip()) if part) or "…"
    if message.picture and utf16_length(text) <= LONGEST_CAPTION and sent_as_photo(bot, chat_id, text, message):
        return
    bot.send_message(chat_id, cut(text, LONGEST_TEXT, language=language, length=utf16_length), is_silent=is_silent)
    if message.picture and utf16_length(text) > LONGEST_CAPTION:
        add_picture(bot, chat_id, message.picture)


def sent_as_photo(bot: BotApi, chat_id: str, text: str, message: Message) -> bool:
    """Whether the picture went out with the text below it. False if Telegram does not take this picture."""
    try:
        bot.send_photo(chat_id, message.picture or b"", caption=text, is_silent=message.severity == Severity.INFO)
    except MessageRefused as error:
        logger.warning("telegram_picture_refused", error=error.sentence)
        return False
    return True


def add_picture(bot: BotApi, chat_id: str, picture: bytes) -> None:
    """Sends the picture after its text. The text counts: it has arrived, and is not sent again for a picture's sake."""
    try:
        bot.send_photo(chat_id, picture, is_silent=True)
    except (ChannelError, ChatMoved) as error:
        logger.warning("telegram_picture_failed", error=str(error))
