"""An SFTP server over a folder, for tests: it listens on this machine, and lets one user in."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko
from paramiko.sftp import SFTP_OK

USER, PASSWORD = "backup", "p@ss/word, 7"


class Door(paramiko.ServerInterface):
    """Who comes in."""

    def check_auth_password(self, username: str, password: str) -> int:
        is_right = (username, password) == (USER, PASSWORD)
        return paramiko.AUTH_SUCCESSFUL if is_right else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class OpenFile(paramiko.SFTPHandle):
    """A file that is being read or written."""

    def __init__(self, file: Any, flags: int) -> None:
        super().__init__(flags)
        self.readfile = self.writefile = file

    def stat(self) -> paramiko.SFTPAttributes:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))


class Files(paramiko.SFTPServerInterface):
    """The folder that is served."""

    def __init__(self, server: paramiko.ServerInterface, *, root: Path) -> None:
        super().__init__(server)
        self.root = root

    def path(self, name: str) -> Path:
        return self.root / self.canonicalize(name).lstrip("/")

    def list_folder(self, path: str) -> Any:
        try:
            return [
                paramiko.SFTPAttributes.from_stat(one.stat(), one.name) for one in sorted(self.path(path).iterdir())
            ]
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def stat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(self.path(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        try:
            file = os.fdopen(os.open(self.path(path), flags, 0o600), "r+b" if flags & os.O_WRONLY else "rb")
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        return OpenFile(file, flags)

    def _done(self, change: Any, *values: Any) -> int:
        try:
            change(*values)
        except OSError as error:
            return int(paramiko.SFTPServer.convert_errno(error.errno or 0))
        return int(SFTP_OK)

    def remove(self, path: str) -> int:
        return self._done(os.remove, self.path(path))

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        return self._done(os.replace, self.path(oldpath), self.path(newpath))

    def mkdir(self, path: str, attr: Any) -> int:
        return self._done(os.mkdir, self.path(path))

    def rmdir(self, path: str) -> int:
        return self._done(os.rmdir, self.path(path))


class SftpServer:
    """It serves every connection in threads of its own until it is closed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.key = paramiko.ECDSAKey.generate()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open: list[paramiko.Transport] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self.key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files, root=self.root)
            self.open.append(transport)
            transport.start_server(server=Door(), event=threading.Event())

    def cut(self) -> None:
        """Ends all connections."""
        while self.open:
            self.open.pop().close()

    def close(self) -> None:
        self.listener.close()
        self.cut()


@contextmanager
def sftp_server(root: Path) -> Iterator[SftpServer]:
    server = SftpServer(root)
    try:
        yield server
    finally:
        server.close()


def sftp_url(server: SftpServer, *, password: str = "p%40ss%2Fword%2C%207", host_key: str | None = None) -> str:
    """The address of a folder of it; without a `host_key`, its own is given."""
    fingerprint = (server.key.fingerprint if host_key is None else host_key).replace("+", "%2B")
    query = f"?host_key={fingerprint}" if fingerprint else ""
    return f"sftp://{USER}:{password}@127.0.0.1:{server.port}/copies/of the shop{query}"
