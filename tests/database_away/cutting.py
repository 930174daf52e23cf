"""A way to the database that is cut at COMMIT: before the server hears of it, or before the shop hears its answer."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

COMMIT = b"Q" + struct.pack(">I", 4 + len(b"COMMIT\0")) + b"COMMIT\0"
BEFORE, AFTER = "before the COMMIT", "after the COMMIT"


class Wire:
    """Passes on what both sides say, until `cut_at` says otherwise; `cuts` counts."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.cut_at = ""
        self.cuts = 0

    def serve(self) -> None:
        while True:
            try:
                near, _address = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self.pass_on, args=(near, far), daemon=True).start()

    def pass_on(self, near: socket.socket, far: socket.socket) -> None:
        """Everything between one of the shop's connections and the server."""
        answers = threading.Thread(target=copy, args=(far, near), daemon=True)
        answers.start()
        with contextlib.suppress(OSError):
            while said := near.recv(65_536):
                if self.cut_at and said == COMMIT:
                    moment, self.cut_at, self.cuts = self.cut_at, "", self.cuts + 1
                    near.shutdown(socket.SHUT_RDWR)
                    if moment == AFTER:
                        far.sendall(said)
                        # The server ends the connection when it has done all that it was told.
                        far.shutdown(socket.SHUT_WR)
                        answers.join()
                    break
                far.sendall(said)
        for side in (near, far):
            # Closing alone wakes nobody who reads there.
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()


def copy(source: socket.socket, target: socket.socket) -> None:
    """Reads to the end, whether or not anybody listens any more."""
    with contextlib.suppress(OSError):
        while said := source.recv(65_536):
            with contextlib.suppress(OSError):
                target.sendall(said)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    wire = Wire(port)
    threading.Thread(target=wire.serve, daemon=True).start()
    try:
        yield wire
    finally:
        wire.listener.close()
