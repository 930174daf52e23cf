"""A mail server in a thread: takes mails, or refuses at the step that a test chooses (RFC 5321)."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default


class MailServer(socketserver.ThreadingTCPServer):
    """`refuses` says what a step answers instead: {"RCPT TO:<ann@shop.example>": "550 No such person"}; the longest
    beginning of the client's line counts, "" is the greeting, "." the end of the data."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.refuses: dict[str, str] = {}
        self.mails: list[tuple[str, EmailMessage]] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def answer(self, line: str, usual: str) -> str:
        fitting = [step for step in self.refuses if line.upper().startswith(step.upper()) and (step or not line)]
        return self.refuses[max(fitting, key=len)] if fitting else usual


class Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        recipient = ""
        self.say(self.server.answer("", "220 mail.example ESMTP"))
        while line := self.rfile.readline():
            text = line.decode().rstrip("\r\n")
            verb = text.partition(" ")[0].upper()
            if verb == "QUIT":
                self.say("221 Bye")
                return
            if verb == "RCPT":
                recipient = text.partition("<")[2].partition(">")[0]
            if verb == "DATA":
                self.say(answer := self.server.answer("DATA", "354 Go on"))
                if answer.startswith("354"):
                    self.take(recipient)
                continue
            self.say(self.server.answer(text, "250 mail.example" if verb == "EHLO" else "250 OK"))

    def take(self, recipient: str) -> None:
        content = b""
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            content += line.removeprefix(b".")
        answer = self.server.answer(".", "250 Taken")
        if answer.startswith("250"):
            mail = BytesParser(policy=default).parsebytes(content)
            assert isinstance(mail, EmailMessage)
            self.server.mails.append((recipient, mail))
        self.say(answer)

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
        self.wfile.flush()


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A mail server on a free port while the block runs."""
    server = MailServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
