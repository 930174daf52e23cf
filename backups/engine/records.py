"""Small records in files of JSON, which tell when they are not what was written: a flipped bit would have them say
something else without a word."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

CHECKSUM = "sha256"


def write_record(values: Mapping[str, Any]) -> str:
    """The text of a record. What JSON does not know is written as a string."""
    # As they are read again: numbers of keys become strings, moments too.
    plain = json.loads(json.dumps(values, default=str))
    return json.dumps({**plain, CHECKSUM: checksum_of(plain)}, ensure_ascii=False, indent=1, sort_keys=True)


def read_record(text: str) -> dict[str, Any]:
    """The values of a record; one without a checksum, as a person writes it, is believed. Raises ValueError for what is
    none, or was changed."""
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError("it is no record")
    claimed = values.pop(CHECKSUM, None)
    if claimed is not None and claimed != checksum_of(values):
        raise ValueError("it was changed: its checksum is wrong")
    return values


def checksum_of(values: Mapping[str, Any]) -> str:
    """The SHA-256 of a record's values without their checksum."""
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
