"""manage.py create_admin."""

import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.users.conftest import PASSWORD
from users.management.commands import create_admin
from users.models import User
from users.services import accounts

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    monkeypatch.delenv("SAMOVAR_ADMIN_PASSWORD", raising=False)
    monkeypatch.setattr(sys, "stdin", StringIO())


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("create_admin", *arguments, stdout=out)
    return out.getvalue()


def type_in(monkeypatch, *typed: str) -> None:
    """A terminal on which somebody types these passwords."""
    answers = iter(typed)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(create_admin.getpass, "getpass", lambda prompt: next(answers))


def refusal_of(*arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    return str(refused.value)


def test_it_makes_an_admin_with_the_password_of_the_environment(monkeypatch):
    monkeypatch.setenv("SAMOVAR_ADMIN_PASSWORD", PASSWORD)

    said = run("--email", "Boss@Example.com", "--name", "The Boss")

    user = User.objects.get()
    assert (user.email, user.name, user.role, user.is_staff, user.is_superuser) == (
        "boss@example.com",
        "The Boss",
        "admin",
        True,
        False,
    )
    assert user.check_password(PASSWORD)
    assert said == "boss@example.com is an admin now.\n"


def test_it_asks_for_the_password_twice(monkeypatch):
    type_in(monkeypatch, PASSWORD, PASSWORD)

    run("--email", "boss@example.com")

    assert User.objects.get().check_password(PASSWORD)


def test_two_different_passwords_make_nothing(monkeypatch):
    type_in(monkeypatch, PASSWORD, "Another-kettle-7")

    assert refusal_of("--email", "boss@example.com") == "The two passwords differ. Nothing has been made."
    assert not User.objects.exists()


def test_it_makes_a_password_and_prints_it_once():
    said = run("--email", "boss@example.com", "--generate").splitlines()

    assert said[0] == "boss@example.com is an admin now."
    assert said[2] == "It is not shown again."
    password = said[1].removeprefix("Password: ")
    assert len(password) == 16
    assert User.objects.get().check_password(password)


def test_a_weak_password_is_refused_with_the_reason(monkeypatch):
    monkeypatch.setenv("SAMOVAR_ADMIN_PASSWORD", "tea")

    assert refusal_of("--email", "boss@example.com") == (
        "This password is too short. It must contain at least 10 characters."
    )
    assert not User.objects.exists()


def test_without_a_terminal_it_says_where_to_put_the_password():
    assert refusal_of("--email", "boss@example.com") == (
        "There is no terminal to ask for a password. Set SAMOVAR_ADMIN_PASSWORD, or use --generate."
    )


def test_what_is_no_email_is_refused(monkeypatch):
    monkeypatch.setenv("SAMOVAR_ADMIN_PASSWORD", PASSWORD)

    assert refusal_of("--email", "boss") == "Enter a valid email address."
    assert not User.objects.exists()


def test_a_second_run_with_the_same_email_says_what_to_do_and_changes_nothing(boss, monkeypatch):
    monkeypatch.setenv("SAMOVAR_ADMIN_PASSWORD", "Another-kettle-7")

    assert refusal_of("--email", "BOSS@example.com") == (
        "boss@example.com has an account already. Use --reset-password to set a new password for it."
    )
    assert User.objects.get().check_password(PASSWORD)


def test_reset_password_sets_a_new_one(boss, monkeypatch):
    monkeypatch.setenv("SAMOVAR_ADMIN_PASSWORD", "Another-kettle-7")

    assert run("--email", "boss@example.com", "--reset-password") == "boss@example.com has a new password.\n"
    assert User.objects.get().check_password("Another-kettle-7")


def test_reset_password_of_nobody_says_so():
    assert refusal_of("--email", "boss@example.com", "--reset-password", "--generate") == (
        "There is no account boss@example.com. Leave --reset-password out to make it."
    )


def test_reset_password_is_not_a_way_into_other_accounts(boss, person):
    vera = person("barista", email="vera@example.com")
    other = person("admin", email="other@example.com")
    accounts.deactivate_user(user_id=other.pk)

    for user in (vera, other):
        assert refusal_of("--email", user.email, "--reset-password", "--generate") == (
            f"{user.email} is no active admin. Only an active admin's password is reset here."
        )
        assert User.objects.get(pk=user.pk).check_password(PASSWORD)


def test_without_tables_it_says_what_to_run_first():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE users_user RENAME TO elsewhere")

    assert refusal_of("--email", "boss@example.com", "--generate") == (
        "The database has no tables yet. Run manage.py migrate first."
    )


def test_createsuperuser_points_to_create_admin():
    with pytest.raises(CommandError, match="no superusers, only roles"):
        call_command("createsuperuser")
