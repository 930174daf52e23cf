"""Codes at every door, each of them once."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from monitoring.models import Alert
from tests.users.codes import HERE, App
from tests.users.conftest import NOON, PASSWORD
from tests.users.letters import subjects
from users.errors import CodeNeeded, SecondFactorIsOff, SecondFactorIsOn, SignInRefused, TooManySignIns, WrongCode
from users.models import ApiToken, User
from users.services import password_reset, second_factor
from users.services.sign_in import sign_in

pytestmark = pytest.mark.django_db

LOGIN, CODE, TOKEN = "/accounts/login/", "/accounts/2fa/authenticate/", "/api/v1/auth/token/"
ADMIN = "/admin/login/?next=/admin/users/apitoken/"
WRONG = "This code is wrong or has been used already. Wait for the next one and try again."


@pytest.fixture
def vera(person) -> User:
    return person("barista", email="vera@example.com")


@pytest.fixture
def app(vera: User) -> App:
    return App(vera)


def signed_in_as(client: Client) -> str:
    me = client.get("/api/v1/users/me/")
    return me.json()["email"] if me.status_code == 200 else ""


def for_token(**body: str) -> Any:
    asked = {"email": "vera@example.com", "password": PASSWORD, **body}
    return Client().post(TOKEN, asked, content_type="application/json")


def first_step(door: str) -> tuple[Client, Any]:
    client = Client()
    name = "username" if door == ADMIN else "login"
    return client, client.post(door, {name: "vera@example.com", "password": PASSWORD})


# --- the three doors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("door", "then"), [(LOGIN, "/profile/"), (ADMIN, "/admin/users/apitoken/")])
def test_the_password_alone_opens_no_page(app: App, door: str, then: str) -> None:
    client, answer = first_step(door)

    assert (answer.status_code, answer.headers["Location"]) == (302, CODE)
    assert signed_in_as(client) == ""
    assert client.get("/admin/users/apitoken/").status_code == 302

    refused = client.post(CODE, {"code": app.wrong_code()})
    assert refused.context["form"].errors == {"code": [WRONG]}
    assert signed_in_as(client) == ""

    opened = client.post(CODE, {"code": app.code()})
    assert opened.headers["Location"] == then
    assert signed_in_as(client) == "vera@example.com"


def test_the_admins_form_takes_a_code_at_once_from_a_program(app: App) -> None:
    client = Client()
    posted = {"username": "vera@example.com", "password": PASSWORD, "code": app.code()}

    assert client.post(ADMIN, posted).headers["Location"] == "/admin/users/apitoken/"
    assert Client().post(ADMIN, posted).status_code == 200


def test_a_customer_with_codes_is_refused_at_the_admin_before_the_code(person) -> None:
    App(person("customer", email="nina@example.com"))

    answer = Client().post(ADMIN, {"username": "nina@example.com", "password": PASSWORD})

    assert answer.status_code == 200
    assert "may not enter here" in str(answer.context["form"].non_field_errors())


def test_a_token_asks_for_the_code_and_refuses_a_wrong_one_as_a_wrong_password(app: App) -> None:
    without = for_token()
    assert (without.status_code, without.json()["type"]) == (401, "mfa_required")
    assert without.headers["WWW-Authenticate"] == "Token"

    wrong_code, wrong_password = for_token(code=app.wrong_code()), for_token(password="wrong", code=app.code())
    assert (wrong_code.status_code, wrong_code.json()) == (400, wrong_password.json())
    assert not ApiToken.objects.exists()

    assert set(for_token(code=app.code()).json()) == {"token", "expires_at"}
    assert for_token(password="wrong").status_code == 400


def test_who_has_no_codes_is_asked_for_none_and_a_code_does_no_harm(vera: User) -> None:
    assert for_token(code="123456").status_code == 200
    _client, answer = first_step(ADMIN)
    assert answer.headers["Location"] == "/admin/users/apitoken/"


@pytest.mark.parametrize("code", ["", " ", "😀😀😀😀😀😀", "1" * 10_000, "12\x0056", "١٢٣٤٥٦"])
def test_what_is_no_code_is_refused(app: App, code: str) -> None:
    client, _answer = first_step(LOGIN)

    assert client.post(CODE, {"code": code}).status_code == 200
    assert for_token(code=code).status_code in (400, 401)
    assert client.post(CODE, {"credential": "{}"}).status_code == 200
    assert (signed_in_as(client), ApiToken.objects.count()) == ("", 0)


def test_nobody_gives_a_code_without_a_password_first(app: App) -> None:
    client = Client()

    assert client.post(CODE, {"code": app.code()}).headers["Location"] == LOGIN
    assert signed_in_as(client) == ""


def test_whoever_is_between_password_and_code_can_begin_anew(app: App) -> None:
    client, _answer = first_step(LOGIN)

    assert client.get("/accounts/logout/").headers["Location"] == LOGIN
    assert client.get(LOGIN).status_code == 200
    assert client.post(CODE, {"code": app.code()}).headers["Location"] == LOGIN


# --- each code once ---------------------------------------------------------------------------------------------


def test_a_code_opens_one_door_once(app: App) -> None:
    code = app.code()
    assert for_token(code=code).status_code == 200

    for door in (LOGIN, ADMIN):
        client, _answer = first_step(door)
        assert client.post(CODE, {"code": code}).context["form"].errors == {"code": [WRONG]}
    assert for_token(code=code).status_code == 400


def test_after_a_code_none_of_the_same_half_minute_or_before_counts(app: App) -> None:
    def give(later: int) -> None:
        second_factor.check_code(user=app.user, code=app.code(at=moment, later=later), address=HERE, now=moment)

    moment = NOON + timedelta(hours=1)
    give(0)
    for used_up in (0, -1):
        with pytest.raises(WrongCode):
            give(used_up)
    give(1)
    with pytest.raises(WrongCode):
        give(2)


def test_the_code_that_switched_codes_on_opens_nothing(app: App) -> None:
    with pytest.raises(WrongCode):
        second_factor.check_code(user=app.user, code=app.code(at=NOON), address=HERE, now=NOON)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_of_two_who_bring_the_same_code_at_once_one_gets_in(person, kind: str) -> None:
    app = App(person("barista", email="vera@example.com"))
    moment = NOON + timedelta(hours=1)
    code = app.code(at=moment) if kind == "app" else app.recovery_codes()[0]
    together, outcomes = threading.Barrier(4), []

    def enter() -> None:
        together.wait()
        try:
            second_factor.check_code(user=app.user, code=code, address=HERE, now=moment)
            outcomes.append("in")
        except WrongCode:
            outcomes.append("out")
        finally:
            connection.close()

    threads = [threading.Thread(target=enter) for _who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["in", "out", "out", "out"]


def test_a_recovery_code_works_once_and_nine_are_left(app: App) -> None:
    code = app.recovery_codes()[3]

    assert for_token(code=f"{code[:4]} {code[4:]}").status_code == 200
    assert for_token(code=code).status_code == 400
    assert len(app.recovery_codes()) == 9


def test_new_recovery_codes_put_the_old_ones_out_of_use(app: App) -> None:
    old = app.recovery_codes()

    second_factor.renew_recovery_codes(user_id=app.user.pk)

    assert not set(old) & set(app.recovery_codes())
    assert for_token(code=old[0]).status_code == 400


# --- the limit --------------------------------------------------------------------------------------------------


def test_codes_are_limited_for_the_account_at_all_doors_together(app: App, settings) -> None:
    settings.CODE_RATE = "4/day"
    # One was counted when codes were switched on, on another day.
    client, _answer = first_step(LOGIN)
    for _time in range(2):
        client.post(CODE, {"code": app.wrong_code()})
        for_token(code=app.wrong_code())

    page, token = client.post(CODE, {"code": app.code()}), for_token(code=app.code())

    assert (page.status_code, token.status_code) == (429, 429)
    assert int(page.headers["Retry-After"]) > 0
    assert token.json()["type"] == "throttled"
    assert (signed_in_as(client), ApiToken.objects.count()) == ("", 0)


# --- on and off -------------------------------------------------------------------------------------------------


def test_codes_are_switched_on_with_the_picture_and_the_first_code(vera: User, client: Client) -> None:
    client.force_login(vera)
    page = "/accounts/2fa/totp/activate/"
    assert client.get(page).headers["Location"].startswith("/accounts/reauthenticate/")
    client.post(f"/accounts/reauthenticate/?next={page}", {"password": PASSWORD})

    shown = client.get(page)
    secret = shown.context["form"].secret
    assert "<svg" in shown.content.decode()
    assert secret in shown.content.decode()
    app = App.__new__(App)
    app.user, app.secret = vera, secret
    assert client.post(page, {"code": app.wrong_code()}).context["form"].errors == {"code": [WRONG]}

    done = client.post(page, {"code": app.code()})

    assert done.headers["Location"] == "/accounts/2fa/recovery-codes/"
    codes = client.get(done.headers["Location"]).content.decode()
    assert all(code in codes for code in app.recovery_codes())
    assert subjects() == [("vera@example.com", "Sign-in codes are on at Samovar")]
    assert for_token().status_code == 401


def test_no_secret_stands_readable_in_the_database(vera: User, client: Client) -> None:
    client.force_login(vera)
    page = "/accounts/2fa/totp/activate/"
    client.post(f"/accounts/reauthenticate/?next={page}", {"password": PASSWORD})
    secret = client.get(page).context["form"].secret
    kept_while_setting_up = str([session.get_decoded() for session in Session.objects.all()])
    app = App(vera)

    kept = str(list(Authenticator.objects.values_list("data", flat=True)))

    assert secret not in kept_while_setting_up
    assert app.secret not in kept
    assert Authenticator.objects.count() == 2


def test_the_password_alone_does_not_switch_codes_off(app: App, client: Client) -> None:
    client.force_login(app.user)
    page = "/accounts/2fa/totp/deactivate/"

    assert client.get(page).headers["Location"].startswith("/accounts/2fa/reauthenticate/")
    client.post(f"/accounts/reauthenticate/?next={page}", {"password": PASSWORD})
    assert client.post(page).headers["Location"].startswith("/accounts/2fa/reauthenticate/")
    assert Authenticator.objects.exists()

    client.post(f"/accounts/2fa/reauthenticate/?next={page}", {"code": app.code()})
    assert client.post(page).headers["Location"] == "/accounts/2fa/"
    assert not Authenticator.objects.exists()
    assert for_token().status_code == 200


def test_switching_on_twice_and_off_twice_is_refused(app: App) -> None:
    later = NOON + timedelta(hours=1)
    with pytest.raises(SecondFactorIsOn):
        second_factor.turn_on(user_id=app.user.pk, secret=app.secret, code=app.code(at=later), address=HERE, now=later)
    second_factor.turn_off(user_id=app.user.pk)
    with pytest.raises(SecondFactorIsOff):
        second_factor.turn_off(user_id=app.user.pk)
    with pytest.raises(SecondFactorIsOff):
        second_factor.renew_recovery_codes(user_id=app.user.pk)


def test_a_new_password_does_not_take_the_codes_away(app: App) -> None:
    password_reset.ask_for_new_password(email=app.user.email, site="http://testserver", language="en", address=HERE)
    from_mail = subjects()
    assert from_mail[-1] == ("vera@example.com", "A new password for Samovar")

    with pytest.raises(CodeNeeded):
        sign_in(email=app.user.email, password=PASSWORD, address=HERE)
    with pytest.raises(SignInRefused):
        sign_in(email=app.user.email, password=PASSWORD, code=app.wrong_code(), address=HERE)


def test_an_admin_switches_somebodys_codes_off_which_is_logged_and_told(app: App, boss: User, client: Client) -> None:
    client.force_login(boss)
    page = f"/admin/users/user/{app.user.pk}/"
    shown = client.get(f"{page}change/").content.decode()
    assert "codes-off" in shown
    assert "(&#x27;on" not in shown

    answer = client.post(f"{page}verb/codes-off/")

    assert answer.headers["Location"] == f"{page}change/"
    assert not Authenticator.objects.exists()
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (boss, str(app.user.pk), "Switch the codes off")
    assert subjects()[-1] == ("vera@example.com", "Sign-in codes are off at Samovar")
    assert "codes-off" not in client.get(f"{page}change/").content.decode()


def test_nobody_but_an_admin_switches_somebodys_codes_off(app: App, person, client: Client) -> None:
    client.force_login(person("manager"))

    assert client.post(f"/admin/users/user/{app.user.pk}/verb/codes-off/").status_code == 403
    assert Authenticator.objects.exists()


def test_codes_guessed_by_somebody_who_knows_the_password_are_told_to_the_staff(app: App, settings) -> None:
    settings.CODE_RATE = "1/day"
    moment = NOON + timedelta(days=2)
    with pytest.raises(WrongCode):
        second_factor.check_code(user=app.user, code=app.wrong_code(), address=HERE, now=moment)
    with pytest.raises(TooManySignIns):
        second_factor.check_code(user=app.user, code=app.wrong_code(), address=HERE, now=moment)

    assert Alert.objects.get().subject == "vera@example.com"
