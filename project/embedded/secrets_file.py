"""What was made up for this folder at its first start, and must stay the same: keys, passwords, where the data is."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Self

from project.embedded.errors import CannotStart
from project.embedded.places import write_private


def new_password() -> str:
    """A password that needs no quoting in a URL, a shell or a configuration file."""
    return secrets.token_urlsafe(24).replace("-", "x").replace("_", "y")


def new_encryption_key() -> str:
    """A Fernet key."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


@dataclass
class Secrets:
    """The content of `var/secrets.json`.

    `services` is the folder of the embedded services' data, "" before the first start; the ports are the last ones.
    """

    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(50))
    field_encryption_keys: str = field(default_factory=new_encryption_key)
    postgres_password: str = field(default_factory=new_password)
    redis_password: str = field(default_factory=new_password)
    services: str = ""
    postgres_port: int = 0
    redis_port: int = 0
    standin_port: int = 0

    @classmethod
    def load(cls, path: Path) -> Self:
        """Returns what `path` holds, or new secrets if there is no such file.

        Raises:
            CannotStart: the file is damaged. It is not replaced: what was encrypted needs its keys.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            known = {entry.name for entry in fields(cls)}
            return cls(**{name: value for name, value in content.items() if name in known})
        except FileNotFoundError:
            return cls()
        except (ValueError, AttributeError) as error:
            raise CannotStart(
                f"{path} is damaged: put it back from a copy, because it holds the key of the encrypted fields."
            ) from error

    def save(self, path: Path) -> None:
        write_private(path, json.dumps(asdict(self), indent=2) + "\n")
