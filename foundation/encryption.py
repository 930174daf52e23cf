"""Fields whose values are encrypted in the database.

The keys are FIELD_ENCRYPTION_KEYS: the first one encrypts, all of them decrypt. To change the key, put a new one
in front (`manage.py new_encryption_key`), have every value encrypted anew (`manage.py rotate_encryption_key`), then
take the old one away.
"""

import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django import forms
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

# Marks an encrypted value in a dump, where it must be told from one that a person has typed.
DUMP_PREFIX = "encrypted:"


class CanNotDecrypt(Exception):
    """A stored value opens with none of the keys. The text says where to look, and nothing of the value."""


def encrypt(text: str) -> str:
    """Encrypts with the first key. The same text gives another value every time."""
    return keyring().encrypt(text.encode()).decode()


def decrypt(stored: str) -> str:
    """Raises CanNotDecrypt if none of the keys has encrypted this."""
    try:
        return keyring().decrypt(stored).decode()
    except (InvalidToken, ValueError):
        # From None: the cause's text may show a piece of the value.
        raise can_not_decrypt() from None


def rotate(stored: str) -> str:
    """The same value encrypted anew with the first key. Raises CanNotDecrypt."""
    try:
        return keyring().rotate(stored).decode()
    except (InvalidToken, ValueError):
        # From None: the cause's text may show a piece of the value.
        raise can_not_decrypt() from None


def has_first_key(stored: str) -> bool:
    """Whether the first key encrypted this, so that it need not be done again."""
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(stored)
    except (InvalidToken, ValueError):
        return False
    return True


def is_encrypted(text: str) -> bool:
    """Whether a text looks like one of `encrypt`: a Fernet token begins with its version, 0x80, and a time."""
    return text.startswith("gAAAAA")


def can_not_decrypt() -> CanNotDecrypt:
    return CanNotDecrypt(
        "A stored value can't be decrypted: the key that encrypted it is not in FIELD_ENCRYPTION_KEYS. "
        "Put that key at the end of the list, after the newer ones."
    )


def keyring() -> MultiFernet:
    return keyring_of(tuple(settings.FIELD_ENCRYPTION_KEYS))


@lru_cache(maxsize=4)
def keyring_of(keys: tuple[str, ...]) -> MultiFernet:
    if problems := key_problems(keys):
        raise ImproperlyConfigured(" ".join(problems))
    return MultiFernet([Fernet(key) for key in keys])


def key_problems(keys: tuple[str, ...]) -> list[str]:
    """What is wrong with the keys, in sentences that do not show them."""
    if not keys:
        return ["FIELD_ENCRYPTION_KEYS is empty."]
    return [
        f"Key {number} of FIELD_ENCRYPTION_KEYS is no Fernet key (32 bytes in url-safe base64)."
        for number, key in enumerate(keys, start=1)
        if not is_key(key)
    ]


def is_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


class EncryptedTextField(models.TextField):
    """A text that only the holder of the keys can read; NULL stays NULL.

    Only `isnull` can be asked of the database; any other lookup is a FieldError, since equal values have
    unequal ciphertexts and the answer would be silently empty.
    """

    description = _("Encrypted text")

    def from_db_value(self, stored: str | None, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        return None if stored is None else self.from_text(decrypt(stored))

    def get_prep_value(self, value: Any) -> Any:
        # TextField would make a text of it; what is stored is made in get_db_prep_save.
        return value

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        if value is None or hasattr(value, "as_sql"):
            return super().get_db_prep_save(value, connection)
        return encrypt(self.to_text(value))

    def to_text(self, value: Any) -> str:
        return str(value)

    def from_text(self, text: str) -> Any:
        return text

    def get_lookup(self, lookup_name: str) -> Any:
        match lookup_name:
            case "isnull":
                return super().get_lookup(lookup_name)
            case "exact":
                return ExactNull
        raise only_null_can_be_asked(self)

    def get_transform(self, lookup_name: str) -> Any:
        raise FieldError(f"{self.name} is encrypted: the database can't look into it.")

    def value_to_string(self, obj: models.Model) -> Any:
        """For dumps: a dump holds no secret in the clear."""
        value = self.value_from_object(obj)
        return None if value is None else DUMP_PREFIX + encrypt(self.to_text(value))

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith(DUMP_PREFIX):
            try:
                return self.from_text(decrypt(value.removeprefix(DUMP_PREFIX)))
            except CanNotDecrypt as error:
                raise ValidationError(str(error), code="invalid") from error
        return value if value is None else self.clean_value(value)

    def clean_value(self, value: Any) -> Any:
        return str(value)


class ExactNull(Exact):
    """`field=None`, which Django turns into `isnull`; any other value is refused."""

    def get_prep_lookup(self) -> Any:
        if self.rhs is not None:
            raise only_null_can_be_asked(self.lhs.output_field)
        return None


def only_null_can_be_asked(field: "models.Field[Any, Any]") -> FieldError:
    return FieldError(f"{field.name} is encrypted: the database can only be asked whether it is NULL.")


class EncryptedJSONField(EncryptedTextField):
    """Any JSON value, encrypted; NULL stays NULL."""

    description = _("Encrypted JSON")
    empty_strings_allowed = False
    # What mypy's plugin reads: the value may be anything that JSON holds.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def to_text(self, value: Any) -> str:
        return json.dumps(value, cls=DjangoJSONEncoder)

    def from_text(self, text: str) -> Any:
        return json.loads(text)

    def clean_value(self, value: Any) -> Any:
        return value

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        try:
            self.to_text(value)
        except TypeError as error:
            raise ValidationError(_("Value must be valid JSON."), code="invalid") from error

    def formfield(self, **kwargs: Any) -> Any:
        return models.Field.formfield(self, **{"form_class": forms.JSONField, **kwargs})
