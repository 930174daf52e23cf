"""Signing up: the page, the mail, the link, and that nobody learns who has an account."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.contrib.auth import hashers
from django.core import signing
from django.test import Client

from tests.users.conftest import PASSWORD
from tests.users.letters import delivered, link_in, subjects
from users.models import OutgoingMail, SignInCount, User
from users.services import email_addresses, sign_up
from users.services.sign_in import sign_in

pytestmark = pytest.mark.django_db

PAGE, SENT, LOGIN = "/accounts/signup/", "/accounts/confirm-email/", "/accounts/login/"


def ask(client: Client, email: str = "nina@example.com", password: str = PASSWORD, **more: Any) -> Any:
    return client.post(PAGE, {"email": email, "password1": password, "name": "Nina", **more})


def enter(client: Client, email: str = "nina@example.com", password: str = PASSWORD, **more: Any) -> Any:
    return client.post(LOGIN, {"login": email, "password": password, **more})


def signed_in_as(client: Client) -> str:
    me = client.get("/api/v1/users/me/")
    return me.json()["email"] if me.status_code == 200 else ""


def test_a_customer_signs_up_opens_the_link_and_is_in(client: Client) -> None:
    answer = ask(client, "Nina@Example.com", next="/accounts/email/")

    assert (answer.status_code, answer.headers["Location"]) == (302, SENT)
    nina = User.objects.get()
    assert (nina.email, nina.name, nina.role, nina.is_staff) == ("nina@example.com", "Nina", "customer", False)
    assert subjects() == [("nina@example.com", "Confirm your e-mail for Samovar")]
    link = link_in(delivered()[0])
    assert "nina@example.com" in client.get(link).content.decode()
    assert signed_in_as(client) == ""

    opened = client.post(link)

    assert opened.headers["Location"] == "/accounts/email/"
    assert signed_in_as(client) == "nina@example.com"


def test_the_link_signs_nobody_in_who_opens_it_in_another_browser(client: Client) -> None:
    ask(client)
    elsewhere = Client()

    elsewhere.post(link_in(delivered()[0]))

    assert signed_in_as(elsewhere) == ""
    assert EmailAddress.objects.get().verified
    assert enter(elsewhere).headers["Location"] == "/profile/"


def test_before_the_link_is_opened_no_door_opens_and_signing_in_sends_it_again(client: Client, settings) -> None:
    ask(client)

    answer = enter(Client())
    token = client.post(
        "/api/v1/auth/token/", {"email": "nina@example.com", "password": PASSWORD}, content_type="application/json"
    )

    assert answer.headers["Location"] == SENT
    assert (token.status_code, token.json()["type"]) == (400, "invalid")
    assert token.json()["detail"].startswith("This e-mail is not confirmed yet.")
    assert [subject for _to, subject in subjects()] == ["Confirm your e-mail for Samovar"] * 2


@pytest.mark.parametrize("role", ["customer", "admin"])
def test_an_email_that_exists_gets_the_same_answer_and_only_its_mailbox_is_told(person, role: str) -> None:
    old = person(role, email="old@example.com", password="Something-else-7")
    before = old.password
    new, taken = Client(), Client()

    answers = [ask(new, "new@example.com"), ask(taken, "OLD@example.com")]
    pages = [client.get(SENT).content.decode() for client in (new, taken)]

    assert [(answer.status_code, answer.headers["Location"]) for answer in answers] == [(302, SENT)] * 2
    assert [set(answer.cookies) for answer in answers] == [{"sessionid"}] * 2
    without_tokens = [page.split("csrfmiddlewaretoken")[0] for page in pages]
    assert without_tokens[0] == without_tokens[1]
    assert subjects() == [
        ("new@example.com", "Confirm your e-mail for Samovar"),
        ("old@example.com", "Your account at Samovar"),
    ]
    old.refresh_from_db()
    assert (old.password, old.role, User.objects.count()) == (before, role, 2)
    assert signed_in_as(taken) == ""


def test_an_email_that_exists_takes_the_same_work(person, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash is what takes time: one is made either way."""
    person("customer", email="old@example.com")
    hashes: list[str] = []
    make = hashers.make_password
    monkeypatch.setattr("users.services.accounts.make_password", lambda raw: hashes.append(raw) or make(raw))

    ask(Client(), "new@example.com")
    ask(Client(), "old@example.com")

    assert hashes == [PASSWORD, PASSWORD]


def test_the_link_works_once(client: Client) -> None:
    ask(client)
    link = link_in(delivered()[0])
    client.post(link)

    again = Client().post(link)
    looked = Client().get(link)

    assert (again.status_code, looked.status_code) == (404, 404)
    assert "This link has been used already, or is too old." in again.content.decode()


def test_a_link_that_is_too_old_or_tampered_with_confirms_nothing(client: Client, monkeypatch) -> None:
    ask(client)
    link = link_in(delivered()[0])
    key = link.split("/")[-2]
    forged = key[:-3] + ("AAA" if key[-3:] != "AAA" else "BBB")

    assert Client().post(link.replace(key, forged)).status_code == 404
    four_days = timedelta(days=4).total_seconds()
    late = signing.time.time() + four_days
    monkeypatch.setattr(signing.time, "time", lambda: late)
    assert Client().post(link).status_code == 404
    assert not EmailAddress.objects.get().verified


def test_a_link_for_an_email_that_somebody_else_has_got_meanwhile_confirms_nothing(person, client: Client) -> None:
    vera = person("customer", email="vera@example.com")
    pending = EmailAddress.objects.create(user=vera, email="shared@example.com")
    person("customer", email="shared@example.com")

    answer = client.post(f"{SENT}{EmailConfirmationHMAC.create(pending).key}/")

    assert answer.status_code == 409
    vera.refresh_from_db()
    assert vera.email == "vera@example.com"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"email": "nonsense"}, "email"),
        ({"email": "a" * 10_000 + "@example.com"}, "email"),
        ({"email": "a\0b@example.com"}, "email"),
        ({"email": "😀@example.com"}, "email"),
        ({"password": "short"}, "password1"),
        ({"password": "12345678901"}, "password1"),
        ({"password": "x" * 10_000}, "password1"),
        ({"password": "Kettle\0on-the-boil"}, "password1"),
        ({"name": "N" * 10_000}, "name"),
        ({"name": "Ni\0na"}, "name"),
    ],
)
def test_bad_input_is_said_at_its_field_and_makes_nothing(client: Client, typed: dict[str, str], field: str) -> None:
    answer = ask(client, **typed)

    assert (answer.status_code, set(answer.context["form"].errors)) == (200, {field})
    assert not User.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_emoji_are_welcome_where_people_write_freely(client: Client) -> None:
    ask(client, name="Nina 🧋", password="🫖-on-the-boil-42")

    nina = User.objects.get()
    assert (nina.name, nina.check_password("🫖-on-the-boil-42")) == ("Nina 🧋", True)


def test_so_many_mails_go_to_one_address_and_the_refusal_does_not_tell_either(person, client, settings) -> None:
    settings.MAIL_RATE = "2/day"
    person("customer", email="old@example.com")
    for _time in range(2):
        ask(Client(), "old@example.com")
        ask(Client(), "new@example.com")

    answers = [ask(Client(), email) for email in ("old@example.com", "new@example.com")]

    assert [answer.status_code for answer in answers] == [429, 429]
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert len({str(answer.context["form"].non_field_errors()) for answer in answers}) == 1
    assert len(delivered()) == 4


def test_mails_from_one_network_address_are_limited_whatever_the_email(settings) -> None:
    settings.MAILS_FROM_ADDRESS_RATE = "3/day"
    for number in range(3):
        ask(Client(), f"n{number}@example.com")

    assert ask(Client(), "n4@example.com").status_code == 429
    assert User.objects.count() == 3


def test_the_limit_of_mails_keeps_nobody_from_signing_in(person, settings) -> None:
    settings.MAIL_RATE = "1/day"
    vera = person("customer", email="vera@example.com")
    ask(Client(), vera.email)
    ask(Client(), vera.email)

    assert sign_in(email=vera.email, password=PASSWORD, address="192.0.2.1") == vera


def test_what_strangers_type_is_not_kept(client: Client) -> None:
    ask(client, "secret-place@example.com")

    assert "secret" not in "".join(SignInCount.objects.values_list("key", flat=True))


def test_account_and_mail_are_written_together_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**mail: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("users.services.sign_up.post_mail", full)
    with pytest.raises(RuntimeError):
        sign_up.sign_up(
            email="nina@example.com", password=PASSWORD, site="http://testserver", language="en", address="192.0.2.1"
        )

    assert not User.objects.exists()


def test_the_mail_speaks_the_language_of_the_page(client: Client) -> None:
    client.cookies["django_language"] = "ru"
    ask(client)

    assert OutgoingMail.objects.get().language == "ru"
    assert User.objects.get().language == "ru"


def test_a_change_of_email_waits_for_its_link_and_tells_the_old_one(person) -> None:
    vera = person("customer", email="vera@example.com")
    asked = {"site": "http://testserver", "language": "en", "address": "192.0.2.1"}
    email_addresses.ask_to_change_email(user_id=vera.pk, email="New@example.com", **asked)
    vera.refresh_from_db()
    assert vera.email == "vera@example.com"

    Client().post(link_in(delivered()[0]))

    vera.refresh_from_db()
    assert vera.email == "new@example.com"
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [("new@example.com", True, True)]
    assert subjects() == [
        ("new@example.com", "Confirm your e-mail for Samovar"),
        ("vera@example.com", "Your e-mail at Samovar has changed"),
    ]


def test_a_change_to_an_email_that_exists_tells_only_its_mailbox(person) -> None:
    person("manager", email="boss@example.com")
    vera = person("customer", email="vera@example.com")
    asked = {"site": "http://testserver", "language": "en", "address": "192.0.2.1"}

    email_addresses.ask_to_change_email(user_id=vera.pk, email="boss@example.com", **asked)

    assert subjects() == [("boss@example.com", "Your account at Samovar")]
