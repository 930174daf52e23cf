"""Encrypted fields: unreadable in the database, readable with any of the keys, never in a text of ours."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import checks, serializers
from django.core.exceptions import FieldError, ImproperlyConfigured, ValidationError
from django.core.management import call_command
from django.db import connection, models
from django.db.models.functions import Upper
from django.test import override_settings

from foundation.encryption import (
    CanNotDecrypt,
    EncryptedJSONField,
    EncryptedTextField,
    decrypt,
    encrypt,
    rotate,
)

OLD, NEW, STRANGE = (Fernet.generate_key().decode() for _ in range(3))


class Vault(models.Model):
    """A table of the tests; made by hand below, as no migration knows it."""

    token = EncryptedTextField(null=True)
    credentials = EncryptedJSONField(null=True)

    class Meta:
        app_label = "foundation_tests"

    def __str__(self) -> str:
        return "vault"


@pytest.fixture
def vault(db: Any) -> None:
    # The transaction of the test takes the table away again.
    with connection.schema_editor() as editor:
        editor.create_model(Vault)


def stored(column: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM foundation_tests_vault")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("text", ["s3cret", "", "чай 🧋", "a" * 100_000, "encrypted", "None"])
def test_a_text_comes_back_and_the_database_can_not_read_it(vault: None, text: str) -> None:
    Vault.objects.create(token=text)

    assert Vault.objects.get().token == text
    assert stored("token").startswith("gAAAAA")
    assert not text or text not in stored("token")


@pytest.mark.parametrize("value", [{"client_id": "1", "api_key": "k"}, [], {}, 0, False, "text", ["чай", None, 1.5]])
def test_json_comes_back_with_its_types(vault: None, value: Any) -> None:
    Vault.objects.create(credentials=value)

    assert Vault.objects.get().credentials == value
    assert stored("credentials").startswith("gAAAAA")


def test_decimals_and_dates_are_kept_as_the_api_writes_them(vault: None) -> None:
    Vault.objects.create(credentials={"price": Decimal("1.50"), "day": date(2026, 5, 1)})

    assert Vault.objects.get().credentials == {"price": "1.50", "day": "2026-05-01"}


def test_null_stays_null(vault: None) -> None:
    Vault.objects.create(token=None, credentials=None)

    assert (Vault.objects.get().token, Vault.objects.get().credentials) == (None, None)
    assert (stored("token"), stored("credentials")) == (None, None)
    assert Vault.objects.filter(token__isnull=True, credentials=None).count() == 1


def test_every_way_of_writing_encrypts(vault: None) -> None:
    pk = Vault.objects.create(token="a").pk
    Vault.objects.filter(pk=pk).update(token="by update")
    assert (Vault.objects.get().token, "by update" in stored("token")) == ("by update", False)

    row = Vault.objects.get()
    row.token, row.credentials = "in bulk", {"a": 1}
    Vault.objects.bulk_update([row], ["token", "credentials"])
    assert (Vault.objects.get().token, Vault.objects.get().credentials) == ("in bulk", {"a": 1})
    assert stored("token").startswith("gAAAAA")

    Vault.objects.all().delete()
    Vault.objects.bulk_create([Vault(token="created in bulk")])
    assert Vault.objects.values_list("token", flat=True).get() == "created in bulk"
    assert stored("token").startswith("gAAAAA")


def test_equal_values_look_different(vault: None) -> None:
    Vault.objects.create(token="same")
    first = stored("token")
    Vault.objects.update(token="same")

    assert stored("token") != first


@pytest.mark.parametrize(
    "lookup",
    [
        {"token": "a"},
        {"token__in": ["a"]},
        {"token__contains": "a"},
        {"token__gt": "a"},
        {"token__upper": "A"},
        {"credentials": {}},
        {"credentials__api_key": "k"},
    ],
)
def test_a_lookup_that_could_only_be_wrong_is_refused(vault: None, lookup: dict[str, Any]) -> None:
    models.TextField.register_lookup(Upper, "upper")
    try:
        with pytest.raises(FieldError, match="is encrypted"):
            Vault.objects.filter(**lookup).exists()
    finally:
        models.TextField._unregister_lookup(Upper, "upper")


@override_settings(FIELD_ENCRYPTION_KEYS=[OLD])
def test_a_new_first_key_encrypts_and_the_old_one_still_reads() -> None:
    old = encrypt("s3cret")

    with override_settings(FIELD_ENCRYPTION_KEYS=[NEW, OLD]):
        assert decrypt(old) == "s3cret"
        rotated = rotate(old)
        fresh = encrypt("fresh")
    with override_settings(FIELD_ENCRYPTION_KEYS=[NEW]):
        assert (decrypt(rotated), decrypt(fresh)) == ("s3cret", "fresh")
        with pytest.raises(CanNotDecrypt):
            decrypt(old)


def test_a_value_of_a_strange_key_names_the_setting_and_not_the_value(vault: None) -> None:
    with override_settings(FIELD_ENCRYPTION_KEYS=[STRANGE]):
        Vault.objects.create(token="s3cret")
    value = stored("token")

    with pytest.raises(CanNotDecrypt) as caught:
        Vault.objects.get()

    assert "FIELD_ENCRYPTION_KEYS" in str(caught.value)
    assert value not in str(caught.value)
    with pytest.raises(CanNotDecrypt):
        rotate(value)


@pytest.mark.parametrize("damaged", ["", "s3cret", "gAAAAA", "чай"])
def test_a_damaged_value_is_told_the_same_way(damaged: str) -> None:
    with pytest.raises(CanNotDecrypt):
        decrypt(damaged)


def test_a_dump_shows_no_secret_and_can_be_loaded(vault: None) -> None:
    Vault.objects.create(token="s3cret", credentials={"api_key": "k3y"})

    dump = serializers.serialize("json", Vault.objects.all())

    assert "s3cret" not in dump
    assert "k3y" not in dump
    (fields,) = [row["fields"] for row in json.loads(dump)]
    loaded = {name: Vault._meta.get_field(name).to_python(value) for name, value in fields.items()}
    assert loaded == {"token": "s3cret", "credentials": {"api_key": "k3y"}}


def test_a_dump_of_another_shop_is_refused(vault: None) -> None:
    with pytest.raises(ValidationError, match="FIELD_ENCRYPTION_KEYS"):
        Vault._meta.get_field("token").to_python("encrypted:gAAAA")


def test_what_json_can_not_hold_is_refused_in_a_form(vault: None) -> None:
    field = Vault._meta.get_field("credentials")

    with pytest.raises(ValidationError, match="valid JSON"):
        field.clean({"a": object()}, None)
    assert field.formfield().clean('{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("keys", "messages"),
    [
        ([OLD, NEW], []),
        ([], ["FIELD_ENCRYPTION_KEYS is empty."]),
        (
            [OLD, "short", "ключ"],
            [
                "Key 2 of FIELD_ENCRYPTION_KEYS is no Fernet key (32 bytes in url-safe base64).",
                "Key 3 of FIELD_ENCRYPTION_KEYS is no Fernet key (32 bytes in url-safe base64).",
            ],
        ),
    ],
)
def test_the_system_check_names_a_bad_key_without_showing_it(keys: list[str], messages: list[str]) -> None:
    with override_settings(FIELD_ENCRYPTION_KEYS=keys):
        found = [error for error in checks.run_checks() if error.id == "foundation.E001"]

    assert [error.msg for error in found] == messages


@override_settings(FIELD_ENCRYPTION_KEYS=["short"])
def test_a_bad_key_encrypts_nothing() -> None:
    with pytest.raises(ImproperlyConfigured, match="Key 1 of"):
        encrypt("s3cret")


def test_the_command_prints_a_fresh_key(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("new_encryption_key")
    call_command("new_encryption_key")
    first, second = capsys.readouterr().out.split()

    assert first != second
    with override_settings(FIELD_ENCRYPTION_KEYS=[first]):
        assert json.loads(decrypt(encrypt('{"a": 1}'))) == {"a": 1}
