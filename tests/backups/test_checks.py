"""What is said at the start of places and keys that would fail at the first copy."""

import pytest
from cryptography.fernet import Fernet
from django.test import override_settings

from backups.checks import places

KEY = Fernet.generate_key().decode()


@pytest.mark.parametrize(
    ("urls", "keys", "found"),
    [
        ([], [], []),
        ([], [KEY], []),
        (["file:///mnt/usb", "s3://bucket/samovar?endpoint=https://s3.example"], [KEY], []),
        (["file:///mnt/usb"], [], [("backups.W002", "BACKUP_KEY is not set")]),
        ([], [KEY, "hunter2"], [("backups.W002", "A key in BACKUP_KEY is not 32 bytes in base64")]),
        (["ftp://user:hunter2@host/"], [KEY], [("backups.W001", "The place ftp://host: Name a folder")]),
        (
            ["sftp://a:hunter2@host/x", "sftp://b@host/x"],
            [KEY],
            [("backups.W001", "BACKUP_PLACES names a place twice")],
        ),
    ],
)
def test_what_would_fail_at_the_first_copy_is_said_at_the_start(
    urls: list[str], keys: list[str], found: list[tuple[str, str]]
) -> None:
    with override_settings(BACKUP_PLACES=urls, BACKUP_KEYS=keys):
        messages = places(None)
    assert [message.id for message in messages] == [name for name, _sentence in found]
    for message, (_name, sentence) in zip(messages, found, strict=True):
        assert message.msg.startswith(sentence)
        assert "hunter2" not in message.msg
