"""Sealing: what leaves this machine is encrypted, so that it can be neither read nor changed unnoticed.

    magic (8) | squeezed (1) | key id (8) | salt (32) | check of the header (8) | frame | frame | …

AES-256-GCM over frames of one megabyte, under a key of the file's own that is derived (HKDF) from the shop's key and
the salt. A frame's nonce is its number and whether it is the last: frames that are missing, doubled, swapped or cut
off are noticed, at the end too (the construction STREAM, as age has it). The header and the `context`, that is what
the file is, are authenticated with every frame: a sealed file does not open in another's place.
"""

import base64
import binascii
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext as _

from backups.errors import Damaged, Interrupted, WrongKey

MAGIC = b"SAMOVAR\x01"
FRAME = 1024 * 1024
TAG = 16
SALT = 32
KEY_SIZE = 32
CHECK = 8
HEADER = len(MAGIC) + 1 + 8 + SALT + CHECK
# The fastest: most of what it squeezes is empty pages.
LEVEL = 1


@dataclass(frozen=True, slots=True)
class Key:
    """A key that seals; its `id` may be shown, and stands in what it has sealed."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return hashlib.sha256(b"samovar backup key " + self.secret).hexdigest()[:16]

    @classmethod
    def from_text(cls, text: str) -> "Key":
        """A key as BACKUP_KEY has it: 32 bytes in base64, as Fernet.generate_key() makes them. Raises WrongKey."""
        try:
            secret = base64.b64decode(text.strip().encode(), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            secret = b""
        if len(secret) != KEY_SIZE:
            # Nothing of the value: the sentence is shown and logged.
            raise WrongKey(_("A key in BACKUP_KEY is not 32 bytes in base64: copy it whole, or make a new one."))
        return cls(secret)

    def cipher(self, salt: bytes) -> AESGCM:
        """What encrypts the one file that has this salt."""
        derived = HKDF(algorithm=SHA256(), length=KEY_SIZE, salt=salt, info=b"samovar sealed file").derive(self.secret)
        return AESGCM(derived)


def keys_of_the_shop() -> list[Key]:
    """The keys of the settings: the first seals, all open. Raises WrongKey if there is none, or it is no key."""
    if not settings.BACKUP_KEYS:
        raise WrongKey(
            _("BACKUP_KEY is not set: copies of backups are sealed with it before they leave, and opened with it.")
        )
    return [Key.from_text(text) for text in settings.BACKUP_KEYS]


def seal(
    source: BinaryIO,
    sink: BinaryIO,
    key: Key,
    *,
    context: str = "",
    squeeze: bool = False,
    is_stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Writes what `source` holds to `sink`, sealed, and returns how many bytes that is.

    `context` says what it is, and must be said again to open it; `squeeze` compresses it first. Raises Interrupted.
    """
    salt = os.urandom(SALT)
    start = MAGIC + bytes([squeeze]) + bytes.fromhex(key.id) + salt
    header = start + hashlib.sha256(start).digest()[:CHECK]
    cipher, bound = key.cipher(salt), header + context.encode()
    size = sink.write(header)
    chunks = squeezed(chunks_of(source, FRAME)) if squeeze else chunks_of(source, FRAME)
    for number, (frame, is_last) in enumerate(with_the_last_marked(chunks)):
        if is_stopped():
            raise Interrupted(_("It was stopped."))
        size += sink.write(cipher.encrypt(nonce(number, is_last), frame, bound))
    return size


def unseal(
    source: BinaryIO,
    sink: BinaryIO,
    keys: Sequence[Key],
    *,
    context: str = "",
    is_stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Writes what was sealed to `sink`, and returns how many bytes that is. What is written is not to be used before
    this has returned: that something is cut off shows at its end.

    Raises WrongKey if it was sealed with another key than these; Damaged if it is not what was sealed, or was sealed
    as something else; Interrupted.
    """
    header = read_all(source, HEADER)
    start, check = header[:-CHECK], header[-CHECK:]
    if len(header) < HEADER or not start.startswith(MAGIC) or hashlib.sha256(start).digest()[:CHECK] != check:
        raise Damaged(_("It is no sealed file, or its beginning is damaged."))
    is_squeezed, key_id = header[len(MAGIC)] == 1, header[len(MAGIC) + 1 :][:8].hex()
    key = next((one for one in keys if one.id == key_id), None)
    if key is None:
        raise WrongKey(
            _("It was sealed with the key %(id)s, and BACKUP_KEY has only %(known)s. Put the right key there.")
            % {"id": key_id, "known": ", ".join(one.id for one in keys) or _("none")}
        )
    salt = start[-SALT:]
    opened = frames_of(source, key.cipher(salt), header + context.encode(), is_stopped)
    size = 0
    for chunk in stretched(opened) if is_squeezed else opened:
        size += sink.write(chunk)
    return size


def frames_of(
    source: BinaryIO, cipher: AESGCM, bound: bytes, is_stopped: Callable[[], bool] = lambda: False
) -> Iterator[bytes]:
    """The content of each frame. Raises Damaged at the first that is not what was sealed."""
    for number, (frame, is_last) in enumerate(with_the_last_marked(chunks_of(source, FRAME + TAG))):
        if is_stopped():
            raise Interrupted(_("It was stopped."))
        try:
            yield cipher.decrypt(nonce(number, is_last), frame, bound)
        except (InvalidTag, ValueError) as error:
            raise Damaged(
                _("It is not what was sealed: from byte %(place)d on it was changed or cut off.")
                % {"place": HEADER + number * (FRAME + TAG)}
            ) from error


def nonce(number: int, is_last: bool) -> bytes:
    """A frame's nonce; it is unique because the key is the file's own."""
    return number.to_bytes(11, "big") + bytes([is_last])


def chunks_of(source: BinaryIO, size: int) -> Iterator[bytes]:
    """Everything in chunks of this size, of which only the last may be shorter."""
    while chunk := read_all(source, size):
        yield chunk


def read_all(source: BinaryIO, size: int) -> bytes:
    """That many bytes, or what is left: a socket or a pipe gives less than it is asked for."""
    parts: list[bytes] = []
    while size > 0 and (part := source.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def with_the_last_marked(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each chunk, and whether it is the last; of nothing, one empty last chunk."""
    before = next(chunks, b"")
    for chunk in chunks:
        yield before, False
        before = chunk
    yield before, True


def squeezed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks compressed, in frames again."""
    engine, waiting = zlib.compressobj(LEVEL), bytearray()
    for chunk in chunks:
        waiting += engine.compress(chunk)
        while len(waiting) >= FRAME:
            yield bytes(waiting[:FRAME])
            del waiting[:FRAME]
    waiting += engine.flush()
    for place in range(0, len(waiting), FRAME):
        yield bytes(waiting[place : place + FRAME])


def stretched(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What `squeezed` compressed. Raises Damaged."""
    engine = zlib.decompressobj()
    try:
        for chunk in chunks:
            # A megabyte may have been a gigabyte: piece by piece.
            waiting = chunk
            while waiting:
                yield engine.decompress(waiting, FRAME)
                waiting = engine.unconsumed_tail
        yield engine.flush()
    except zlib.error as error:
        raise Damaged(_("What was sealed can't be decompressed: %(why)s.") % {"why": error}) from error
    if not engine.eof:
        raise Damaged(_("What was sealed can't be decompressed: %(why)s.") % {"why": _("its end is missing")})
