"""A stand-in of Telegram's Bot API: answers as https://core.telegram.org/bots/api documents, and refuses what the
documentation does not know.

    with bot_api() as telegram:
        settings.TELEGRAM_API_URL = telegram.url
        telegram.add_chat(42)
        …
        assert telegram.texts(42) == ["Low stock"]
"""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "123456789:AAtest-Token_of_the_stand-in_abcdefg"
PNG = b"\x89PNG\r\n\x1a\n"
# The methods and parameters of the documentation; True: required.
PARAMETERS: dict[str, dict[str, bool]] = {
    "getMe": {},
    "getUpdates": {"offset": False, "limit": False, "timeout": False, "allowed_updates": False},
    "sendMessage": {
        "business_connection_id": False,
        "chat_id": True,
        "message_thread_id": False,
        "text": True,
        "parse_mode": False,
        "entities": False,
        "link_preview_options": False,
        "disable_notification": False,
        "protect_content": False,
        "reply_parameters": False,
        "reply_markup": False,
    },
    "sendPhoto": {
        "business_connection_id": False,
        "chat_id": True,
        "message_thread_id": False,
        "photo": True,
        "caption": False,
        "parse_mode": False,
        "caption_entities": False,
        "disable_notification": False,
        "protect_content": False,
        "reply_parameters": False,
        "reply_markup": False,
    },
}
LONGEST_TEXT, LONGEST_CAPTION = 4096, 1024
# How long a hanging answer hangs, unless the stand-in is stopped before.
PATIENCE = 30


@dataclass
class StandinChat:
    """A chat as the documentation describes one, and what the bot said there."""

    given: dict[str, Any]
    sent: list[dict[str, Any]] = field(default_factory=list)
    fault: tuple[int, str, dict[str, Any]] | None = None


class Refused(Exception):
    """An answer with ok: false."""

    def __init__(self, code: int, description: str, parameters: dict[str, Any] | None = None) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters or {}


class BotApiStandin(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Answering)
        self.chats: dict[str, StandinChat] = {}
        self.updates: list[dict[str, Any]] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        # What happens to the next calls instead of an answer: "hang", "cut", or an error to give.
        self.next: list[str | Refused] = []
        self.guard = threading.Lock()
        self.stopped = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    # --- what a test sets up ------------------------------------------------------------------------------

    def add_chat(self, chat_id: int, *, title: str = "", kind: str = "private", **names: str) -> None:
        given: dict[str, Any] = {"id": chat_id, "type": kind, **names}
        if kind != "private":
            given["title"] = title
        self.chats[str(chat_id)] = StandinChat(given)

    def somebody_writes(self, chat_id: int, text: str) -> None:
        self.update(message={"message_id": 1, "date": 0, "chat": self.chats[str(chat_id)].given, "text": text})

    def membership(self, chat_id: int, status: str) -> None:
        member = {"status": status, "user": {"id": 1, "is_bot": True, "first_name": "Samovar"}}
        self.update(my_chat_member={"date": 0, "chat": self.chats[str(chat_id)].given, "new_chat_member": member})

    def update(self, **event: Any) -> None:
        self.updates.append({"update_id": 1000 + len(self.updates), **event})

    def too_many(self, retry_after: int, times: int = 1) -> None:
        description = f"Too Many Requests: retry after {retry_after}"
        self.next += [Refused(429, description, {"retry_after": retry_after})] * times

    def kick(self, chat_id: int) -> None:
        self.chats[str(chat_id)].fault = (403, "Forbidden: bot was kicked from the supergroup chat", {})

    def move(self, chat_id: int, new_id: int) -> None:
        """The group becomes a supergroup."""
        self.add_chat(new_id, title="moved", kind="supergroup")
        sentence = "Bad Request: group chat was upgraded to a supergroup chat"
        self.chats[str(chat_id)].fault = (400, sentence, {"migrate_to_chat_id": new_id})

    def texts(self, chat_id: int) -> list[str]:
        """The texts and captions in this chat, in their order."""
        return [message.get("text", message.get("caption", "")) for message in self.chats[str(chat_id)].sent]

    # --- its answers --------------------------------------------------------------------------------------

    def result(self, token: str, method: str, given: dict[str, Any]) -> Any:
        if token != TOKEN:
            raise Refused(401, "Unauthorized") if ":" in token else Refused(404, "Not Found")
        known = PARAMETERS.get(method)
        if known is None:
            raise Refused(404, "Not Found: method not found")
        assert set(given) <= set(known), f"{method} has no parameters {set(given) - set(known)}"
        with self.guard:
            self.calls.append((method, given))
            return getattr(self, f"do_{method}")(given)

    def do_getMe(self, given: dict[str, Any]) -> Any:  # noqa: N802
        return {"id": 123456789, "is_bot": True, "first_name": "Samovar", "username": "samovar_test_bot"}

    def do_getUpdates(self, given: dict[str, Any]) -> Any:  # noqa: N802
        offset, limit = int(given.get("offset", 0)), int(given.get("limit", 100))
        assert 1 <= limit <= 100
        if offset < 0:
            # "All previous updates will be forgotten."
            self.updates = self.updates[offset:]
        elif offset > 0:
            self.updates = [update for update in self.updates if update["update_id"] >= offset]
        wanted = given.get("allowed_updates") or []
        return [one for one in self.updates if not wanted or set(one) & set(wanted)][:limit]

    def do_sendMessage(self, given: dict[str, Any]) -> Any:  # noqa: N802
        if not str(given.get("text") or "").strip():
            raise Refused(400, "Bad Request: message text is empty")
        if len(given["text"].encode("utf-16-le")) // 2 > LONGEST_TEXT:
            raise Refused(400, "Bad Request: message is too long")
        if "parse_mode" in given and "<" in given["text"]:
            raise Refused(400, "Bad Request: can't parse entities: Unsupported start tag")
        return self.kept(given, text=given["text"])

    def do_sendPhoto(self, given: dict[str, Any]) -> Any:  # noqa: N802
        if not isinstance(given.get("photo"), bytes) or not given["photo"].startswith(PNG):
            raise Refused(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
        if len(given.get("caption", "").encode("utf-16-le")) // 2 > LONGEST_CAPTION:
            raise Refused(400, "Bad Request: message caption is too long")
        return self.kept(given, photo=[{}], caption=given.get("caption", ""))

    def kept(self, given: dict[str, Any], **content: Any) -> Any:
        if not str(given.get("chat_id") or ""):
            raise Refused(400, "Bad Request: chat_id is empty")
        chat = self.chats.get(str(given["chat_id"]))
        if chat is None:
            raise Refused(400, "Bad Request: chat not found")
        if chat.fault:
            raise Refused(*chat.fault)
        is_silent = given.get("disable_notification") in (True, "true")
        chat.sent.append({**content, "is_silent": is_silent})
        return {"message_id": len(chat.sent), "date": int(time.time()), "chat": chat.given, **content}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is what some tests are about."""


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: BotApiStandin

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token, _slash, method = self.path.removeprefix("/bot").partition("/")
        fault = self.server.next.pop(0) if self.server.next else None
        if fault == "hang":
            self.server.stopped.wait(PATIENCE)
        if isinstance(fault, str):
            # With a reset, not with a polite end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        try:
            if fault is not None:
                raise fault
            self.reply(200, {"ok": True, "result": self.server.result(token, method, self.given(body))})
        except Refused as refused:
            answer = {"ok": False, "error_code": refused.code, "description": refused.description}
            if refused.parameters:
                answer["parameters"] = refused.parameters
            self.reply(refused.code, answer)

    do_GET = do_POST = answer  # noqa: N815

    def given(self, body: bytes) -> dict[str, Any]:
        """The parameters: of JSON or of a form with files, as the documentation allows."""
        media = self.headers.get("Content-Type", "")
        if media.startswith("multipart/form-data"):
            message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {media}\r\n\r\n".encode() + body)
            found = {}
            for part in message.iter_parts():
                name = part.get_param("name", header="Content-Disposition")
                content = part.get_payload(decode=True)
                found[name] = content if part.get_filename() else content.decode()
            return found
        return json.loads(body or b"{}")

    def reply(self, status: int, answer: dict[str, Any]) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def bot_api() -> Iterator[BotApiStandin]:
    """A stand-in on a free port while the block runs."""
    server = BotApiStandin()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
