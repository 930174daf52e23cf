"""The setup code: who has it is no stranger on the network, and may make the first account.

It is derived from SECRET_KEY, so that it is the same for all processes and machines of a shop and needs no place to be
kept. It opens nothing once there is an account.
"""

import os
from pathlib import Path

from django.utils.crypto import constant_time_compare, salted_hmac

# Without the letters and digits that look like one another: people copy it from a terminal.
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LENGTH, GROUP = 12, 4


def setup_code() -> str:
    """The code of this shop, twelve characters in groups of four: 60 bits."""
    digest = salted_hmac("project.first_run", "setup code", algorithm="sha256").digest()
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:LENGTH])
    return "-".join(letters[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def is_setup_code(typed: str) -> bool:
    """Whether somebody typed the code, with or without its dashes, in any case."""
    return constant_time_compare(tidy(typed), tidy(setup_code()))


def tidy(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter.isalnum())


def keep_code(path: Path, *, is_needed: bool) -> None:
    """Keeps the code in a file that only its owner may read, while there is no account; else takes the file away."""
    path.unlink(missing_ok=True)
    if is_needed:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{setup_code()}\n")
