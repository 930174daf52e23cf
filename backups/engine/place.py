"""A place for copies, by its URL: another folder, an S3-compatible store, an SFTP server. Knows nothing of backups.

What is written here is whole or not there: a folder and an SFTP server get a file under another name, which is then
renamed; a store shows an object when it has all of it. No URL is shown whole: it may hold a password.
"""

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from uuid import uuid4

import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from backups.engine.files import FULL
from backups.errors import BackupFailed, DiskIsFull, PlaceFailed
from foundation.logs import mask_text

# Ends the names of what is being written.
PART = ".part"
CONNECT_TIMEOUT = 20
# A server that says nothing for so long is gone.
READ_TIMEOUT = 120

logger = structlog.get_logger("backups.places")


@dataclass(frozen=True, slots=True)
class Address:
    """What a URL says. `name` is what may be shown of it."""

    scheme: str
    user: str
    password: str = field(repr=False)
    host: str
    port: int | None
    path: str
    options: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, url: str) -> "Address":
        """Raises PlaceFailed, in which nothing secret stands."""
        try:
            parts = urlsplit(url.strip())
            found = cls(
                scheme=parts.scheme,
                user=unquote(parts.username or ""),
                password=unquote(parts.password or ""),
                # Not .hostname, which is in small letters: it may be a bucket's name.
                host=parts.netloc.rpartition("@")[2].partition(":")[0],
                port=parts.port,
                path=unquote(parts.path).rstrip("/"),
                options=dict(parse_qsl(parts.query, strict_parsing=True) if parts.query else ()),
            )
        except ValueError as error:
            raise PlaceFailed("?", _("This is no address in BACKUP_PLACES that can be read.")) from error
        known = KINDS.get(found.scheme)
        if known is None:
            raise PlaceFailed(
                found.name, _("Name a folder (file:///…), a store (s3://…) or a server (sftp://…) in BACKUP_PLACES.")
            )
        if strange := sorted(set(found.options) - known.OPTIONS):
            raise PlaceFailed(found.name, _("It can't be told %(options)s.") % {"options": ", ".join(strange)})
        return found

    @property
    def name(self) -> str:
        host = self.host if self.port is None else f"{self.host}:{self.port}"
        if endpoint := self.options.get("endpoint"):
            host = f"{urlsplit(endpoint).netloc}/{host}"
        return f"{self.scheme}://{host}{quote(self.path)}"

    @property
    def secrets(self) -> list[str]:
        return [text for text in (self.password, self.options.get("secret", ""), self.options.get("key", "")) if text]


class Place:
    """Somewhere that files can be put, read and taken away from; connects when it is first needed. Paths are relative
    to it. Everything raises PlaceFailed if it can't be reached or lets us not in, and DiskIsFull."""

    OPTIONS: frozenset[str] = frozenset()
    PACKAGE = ""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.name = address.name
        self._files: Any = None

    def put(self, path: str, content: bytes) -> None:
        """Writes a file, which then is there with all of its content, or not at all."""
        with self.reached() as files:
            try:
                self._put(files, self._full(path), content)
            except FileNotFoundError as error:
                raise PlaceFailed(self.name, self._plain(error)) from None
            if (size := files.info(self._full(path))["size"]) != len(content):
                raise PlaceFailed(
                    self.name,
                    _("Of %(file)s only %(there)d of %(all)d bytes arrived.")
                    % {"file": path, "there": size, "all": len(content)},
                )

    def get(self, path: str) -> bytes | None:
        """What a file holds; None if there is none."""
        with self.reached() as files, contextlib.suppress(FileNotFoundError):
            return self._get(files, self._full(path))
        return None

    def sizes(self, folder: str) -> dict[str, int]:
        """The files right in a folder by name, with their sizes; without those that are being written."""
        found = {name: entry["size"] for name, entry in self._entries(folder, "file")}
        return {name: size for name, size in found.items() if not name.endswith(PART)}

    def leftovers(self, folder: str) -> list[str]:
        """What was being written right in a folder when somebody was killed, or still is."""
        return [name for name, _entry in self._entries(folder, "file") if name.endswith(PART)]

    def folders(self, folder: str) -> list[str]:
        """The names of the folders right in a folder."""
        return sorted(name for name, _entry in self._entries(folder, "directory"))

    def remove(self, path: str) -> None:
        """Takes a file away, if it is there."""
        with self.reached() as files, contextlib.suppress(FileNotFoundError):
            files.rm_file(self._full(path))

    def remove_folder(self, folder: str) -> None:
        """Takes a folder away with the files right in it, those that were being written too."""
        for name, _entry in self._entries(folder, "file"):
            self.remove(f"{folder}/{name}")
        with self.reached() as files, contextlib.suppress(FileNotFoundError):
            self._remove_folder(files, self._full(folder))

    def close(self) -> None:
        """Ends the connection, if there is one."""
        self._files = None

    @contextlib.contextmanager
    def reached(self) -> Iterator[Any]:
        """The connection. What goes wrong with it meanwhile becomes our error: each kind of place has its own."""
        try:
            yield self._connection()
        except (BackupFailed, FileNotFoundError):
            raise
        except ImportError as error:
            raise PlaceFailed(
                self.name,
                _("The package %(package)s is needed: pip install -r requirements-places.txt")
                % {"package": self.PACKAGE},
            ) from error
        except Exception as error:
            self.close()
            logger.warning("place_failed", place=self.name, error=type(error).__name__)
            if isinstance(error, OSError) and error.errno in FULL:
                raise DiskIsFull(self.name) from error
            # From None: the cause's text may show a password.
            raise PlaceFailed(self.name, self._plain(error)) from None

    def _connection(self) -> Any:
        if self._files is None:
            try:
                self._files = self._connect()
            except FileNotFoundError as error:
                raise PlaceFailed(self.name, self._plain(error)) from None
        return self._files

    def _plain(self, error: Exception) -> str:
        text = " ".join(str(error).split())
        for secret in self.address.secrets:
            text = text.replace(secret, "[masked]").replace(quote(secret), "[masked]")
        return f"{mask_text(text)[:300] or type(error).__name__} ({type(error).__name__})"

    def _entries(self, folder: str, kind: str) -> list[tuple[str, dict[str, Any]]]:
        full = self._full(folder)
        with self.reached() as files:
            try:
                found = files.ls(full, detail=True)
            except FileNotFoundError:
                return []
        names = [(str(entry["name"]).rstrip("/"), entry) for entry in found if entry["type"] == kind]
        return [(name.rpartition("/")[2], entry) for name, entry in names if name.strip("/") != full.strip("/")]

    def _full(self, path: str) -> str:
        return f"{self.address.path}/{path}"

    def _connect(self) -> Any:
        raise NotImplementedError

    def _put(self, files: Any, full: str, content: bytes) -> None:
        files.pipe_file(full, content)

    def _get(self, files: Any, full: str) -> bytes:
        return bytes(files.cat_file(full))

    def _remove_folder(self, files: Any, full: str) -> None:
        """A store has no folders but those that the names of its objects make."""


class Folder(Place):
    """Another folder: a disk that is plugged in, a share that is mounted."""

    def _connect(self) -> Any:
        if self.address.host or not self.address.path:
            raise PlaceFailed(self.name, _("A folder is named from the root on, with three slashes: file:///mnt/usb."))
        if not Path(self.address.path).is_dir():
            # Made by us it would be on the wrong disk whenever the right one is not mounted.
            raise PlaceFailed(self.name, _("The folder is not there: mount its disk, or make it."))
        return filesystem("file", skip_instance_cache=True)

    def _put(self, files: Any, full: str, content: bytes) -> None:
        path = Path(full)
        new = path.with_name(f"{path.name}.{uuid4().hex}{PART}")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise

    def _remove_folder(self, files: Any, full: str) -> None:
        files.rmdir(full)


class Memory(Place):
    """Nowhere: for trying things out within one process."""

    def _connect(self) -> Any:
        return filesystem("memory")

    def _full(self, path: str) -> str:
        return f"/{self.address.host}{self.address.path}/{path}"


class Store(Place):
    """A bucket of an S3-compatible store; without a key of its own in the URL, what the environment says."""

    OPTIONS = frozenset({"endpoint", "region", "key", "secret"})
    PACKAGE = "s3fs"

    def _connect(self) -> Any:
        options = self.address.options
        region = options.get("region")
        files = filesystem(
            "s3",
            skip_instance_cache=True,
            use_listings_cache=False,
            endpoint_url=options.get("endpoint"),
            key=options.get("key") or self.address.user or None,
            secret=options.get("secret") or self.address.password or None,
            client_kwargs={"region_name": region} if region else {},
            # s3fs tries again itself, and each time as often as this says.
            config_kwargs={
                "connect_timeout": CONNECT_TIMEOUT,
                "read_timeout": READ_TIMEOUT,
                "retries": {"max_attempts": 1},
            },
        )
        # A bucket that is not there looks like an empty one otherwise.
        files.call_s3("head_bucket", Bucket=self.address.host)
        return files

    def _full(self, path: str) -> str:
        return f"{self.address.host}{self.address.path}/{path}"


class SftpServer(Place):
    """A folder of an SFTP server, whose key must be known: else anybody between could get our password."""

    OPTIONS = frozenset({"key_file", "host_key"})
    PACKAGE = "paramiko"

    def _connect(self) -> Any:
        # It needs a package that may not be there.
        from backups.engine.host_keys import known_hosts_only  # noqa: PLC0415

        address = self.address
        given: dict[str, Any] = {
            "username": address.user or None,
            "password": address.password or None,
            "key_filename": address.options.get("key_file"),
            "port": address.port or 22,
            "host_key_policy": known_hosts_only(address.options.get("host_key", "")),
            "timeout": CONNECT_TIMEOUT,
            "banner_timeout": CONNECT_TIMEOUT,
            "auth_timeout": CONNECT_TIMEOUT,
        }
        files = filesystem("sftp", skip_instance_cache=True, host=address.host, **given)
        files.ftp.get_channel().settimeout(READ_TIMEOUT)
        return files

    def close(self) -> None:
        if self._files is not None:
            self._files.client.close()
        super().close()

    def _put(self, files: Any, full: str, content: bytes) -> None:
        new = f"{full}.{uuid4().hex}{PART}"
        files.makedirs(full.rpartition("/")[0], exist_ok=True)
        # Many requests at once, where writing to an open file waits for the answer to each.
        files.ftp.putfo(io.BytesIO(content), new, file_size=len(content))
        files.mv(new, full)

    def _get(self, files: Any, full: str) -> bytes:
        sink = io.BytesIO()
        files.ftp.getfo(full, sink)
        return sink.getvalue()

    def _remove_folder(self, files: Any, full: str) -> None:
        files.rmdir(full)


def filesystem(protocol: str, **given: Any) -> Any:
    """The connection of fsspec to a place. Raises ImportError if the package that it needs is not there."""
    # It takes a while, and every command would wait for it.
    import fsspec  # noqa: PLC0415

    return fsspec.filesystem(protocol, **given)


KINDS: dict[str, type[Place]] = {"file": Folder, "s3": Store, "sftp": SftpServer, "memory": Memory}


def open_place(url: str) -> Place:
    """The place of this URL. Raises PlaceFailed if it is none."""
    address = Address.of(url)
    return KINDS[address.scheme](address)


def places_of_the_shop() -> list[Place]:
    """Those of the settings. Raises PlaceFailed."""
    return [open_place(url) for url in settings.BACKUP_PLACES]
