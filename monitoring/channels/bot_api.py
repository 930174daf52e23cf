"""A small client of Telegram's Bot API, as https://core.telegram.org/bots/api describes it.

The token is part of every address there. It stands in no sentence, no error and no line of the log.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from foundation.logs import mask_text
from monitoring.channels import wire
from monitoring.channels.base import ChannelBusy, ChannelRefused, ChannelUnreachable, MessageRefused

TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{10,100}")
SERVICE = "Telegram"
LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
# Telegram keeps what nobody has fetched for a day; more than the last hundred are of no use to a person.
MOST_UPDATES = 100
LONGEST_WORDS = 200
# 400 where no message will ever arrive in this chat, as opposed to a message that is wrong. The documentation warns
# that codes and texts may change; an unknown one counts as a message that is wrong.
GONE = re.compile(
    r"chat not found|user not found|chat_id is empty|peer_id_invalid|group chat was deleted|chat was deactivated"
    r"|user_is_deactivated|chat_write_forbidden|have no rights to send|not enough rights|need administrator rights"
    r"|channel_private|bot was kicked|wrong type of chat|topic_closed",
    re.IGNORECASE,
)


class ChatMoved(Exception):
    """The group became a supergroup, which has another id."""

    def __init__(self, chat_id: str) -> None:
        super().__init__("The group became a supergroup.")
        self.chat_id = chat_id


@dataclass(frozen=True, slots=True)
class Bot:
    """Whose token it is."""

    username: str
    name: str


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat that the bot has heard of. `said` are the last words there."""

    id: str
    title: str
    kind: str
    said: str = ""


class BotApi:
    """The Bot API with one token. Raises ChannelRefused if the token can't be one."""

    def __init__(self, token: str) -> None:
        if not TOKEN.fullmatch(token):
            raise ChannelRefused(_("This is no bot token. BotFather gives one that looks like 123456:ABC-DEF…"))
        self.address = f"{settings.TELEGRAM_API_URL.rstrip('/')}/bot{token}"
        self.token = token

    def get_me(self) -> Bot:
        """Whose token it is. Raises ChannelRefused if Telegram does not know it."""
        found = self.call("getMe")
        username = found.get("username") if isinstance(found, Mapping) else None
        if not isinstance(username, str):
            raise ChannelUnreachable(self.not_understood())
        return Bot(username=username, name=str(found.get("first_name") or username))

    def recent_chats(self) -> list[Chat]:
        """The chats in which something was said to the bot during the last day, or to which it was added, the latest
        first. Nothing is confirmed: asked again, they are all still there."""
        # A negative offset begins so far from the end, so that the newest are seen however many wait.
        wanted = {
            "offset": -MOST_UPDATES,
            "limit": MOST_UPDATES,
            "timeout": 0,
            "allowed_updates": ["message", "channel_post", "my_chat_member"],
        }
        updates = self.call("getUpdates", wanted)
        if not isinstance(updates, list):
            raise ChannelUnreachable(self.not_understood())
        return chats_in(updates)

    def send_message(self, chat_id: str, text: str, *, is_silent: bool = False) -> None:
        """Plain text: without a parse_mode Telegram takes no character of it for markup."""
        self.call(
            "sendMessage",
            {
                "chat_id": chat_id,
                "text": text,
                "disable_notification": is_silent,
                # A name that looks like an address must not fetch a preview of it.
                "link_preview_options": {"is_disabled": True},
            },
        )

    def send_photo(self, chat_id: str, png: bytes, *, caption: str = "", is_silent: bool = False) -> None:
        fields = {"chat_id": chat_id, "disable_notification": "true" if is_silent else "false"}
        if caption:
            fields["caption"] = caption
        self.call("sendPhoto", data=fields, files={"photo": ("picture.png", png, "image/png")})

    def call(self, method: str, wanted: Mapping[str, Any] | None = None, **parts: Any) -> Any:
        """Calls a method with JSON (`wanted`) or a form (`data`, `files`), and hands back its result.

        Raises ChannelBusy (429), ChannelRefused (403, 401, a chat that is gone), ChatMoved, MessageRefused (any other
        400 and 413), ChannelUnreachable (no answer, an answer that is not understood, 5xx, 409).
        """
        answer = wire.post(f"{self.address}/{method}", service=SERVICE, **(parts or {"json": wanted or {}}))
        data = answer.json()
        if not isinstance(data, Mapping) or not isinstance(data.get("ok"), bool):
            # Not from the Bot API but from something in between.
            raise ChannelUnreachable(
                _("%(service)s answers with %(status)d, and not as it should.")
                % {"service": SERVICE, "status": answer.status}
            )
        if data["ok"]:
            return data.get("result")
        raise self.fault(answer, data)

    def fault(self, answer: wire.RawAnswer, data: Mapping[str, Any]) -> Exception:
        code = data["error_code"] if isinstance(data.get("error_code"), int) else answer.status
        words = mask_text(str(data.get("description") or "").replace(self.token, ""))[:LONGEST_WORDS]
        given = data.get("parameters")
        parameters = given if isinstance(given, Mapping) else {}
        if code == 429:
            return ChannelBusy(seconds_asked(parameters, answer))
        if isinstance(moved_to := parameters.get("migrate_to_chat_id"), int):
            return ChatMoved(str(moved_to))
        if code in (401, 404):
            return ChannelRefused(_("Telegram does not know this token (any more). Ask BotFather for it."))
        if code == 403 or (code == 400 and GONE.search(words)):
            return ChannelRefused(_("Telegram: %(words)s") % {"words": words})
        if code == 409:
            return ChannelUnreachable(
                _("Another program reads this bot's messages, or it has a webhook. Make a bot of the shop's own.")
            )
        if code in (400, 413):
            return MessageRefused(_("Telegram: %(words)s") % {"words": words})
        return ChannelUnreachable(_("Telegram: %(words)s") % {"words": words or code})

    def not_understood(self) -> str:
        return _("%(service)s answers, and not as it should.") % {"service": SERVICE}


def seconds_asked(parameters: Mapping[str, Any], answer: wire.RawAnswer) -> float:
    seconds = parameters.get("retry_after")
    if isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0:
        return min(float(seconds), wire.LONGEST_ASKED)
    return wire.asked_to_wait(answer.headers)


def chats_in(updates: list[Any]) -> list[Chat]:
    """The chats of these updates (oldest first), each once, the latest first, without those that the bot was put out
    of or that moved."""
    found: dict[str, Chat] = {}
    for chat, is_there in told(updates):
        said = chat.said or (found[chat.id].said if chat.id in found else "")
        found.pop(chat.id, None)
        if is_there:
            found[chat.id] = Chat(chat.id, chat.title, chat.kind, said)
    return list(reversed(found.values()))


def told(updates: list[Any]) -> Iterator[tuple[Chat, bool]]:
    """(the chat of an update, whether the bot is still in it), for each update that is about a chat."""
    for update in updates:
        if not isinstance(update, Mapping):
            continue
        for name in ("message", "channel_post", "my_chat_member"):
            event = update.get(name)
            if not isinstance(event, Mapping) or not isinstance(event.get("chat"), Mapping):
                continue
            member = event.get("new_chat_member")
            status = member.get("status") if isinstance(member, Mapping) else ""
            is_there = "migrate_to_chat_id" not in event and status not in ("left", "kicked")
            yield chat_of(event["chat"], str(event.get("text") or "")), is_there


def chat_of(given: Mapping[str, Any], said: str) -> Chat:
    """As https://core.telegram.org/bots/api#chat names it: groups and channels have a title, people a name."""
    name = " ".join(str(given[part]) for part in ("first_name", "last_name") if given.get(part))
    title = str(given.get("title") or name or given.get("username") or given.get("id"))
    return Chat(id=str(given.get("id")), title=title, kind=str(given.get("type") or ""), said=said[:LONGEST_WORDS])
