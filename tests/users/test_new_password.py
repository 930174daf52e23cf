"""Forgetting a password, the link, changing it, and being invited."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.test import Client

from foundation.logs import mask_text
from tests.users.conftest import PASSWORD
from tests.users.letters import delivered, link_in, subjects
from users.errors import AccountIsOff, LinkUsedUp
from users.models import OutgoingMail, User
from users.services import accounts, password_reset, tokens
from users.services.sign_in import sign_in

pytestmark = pytest.mark.django_db

PAGE, DONE, KEY_DONE = (
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/done/",
)
NEW = "Another-kettle-7"
HERE = "192.0.2.1"


@pytest.fixture
def vera(person) -> User:
    return person("barista", email="vera@example.com", name="Vera")


def ask(email: str, client: Client | None = None) -> Any:
    return (client or Client()).post(PAGE, {"email": email})


def choose(link: str, password: str = NEW, client: Client | None = None) -> Any:
    """Follows the link to the form and sends it."""
    client = client or Client()
    shown = client.get(link, follow=True)
    if shown.context.get("token_fail"):
        return shown
    return client.post(shown.redirect_chain[-1][0], {"password1": password, "password2": password})


def test_the_link_sets_a_new_password_and_ends_what_the_old_one_opened(vera: User) -> None:
    tokens.issue_token(user=vera, name="Till")
    before = Client()
    before.force_login(vera)

    ask("Vera@Example.com")
    answer = choose(link_in(delivered()[0]))

    assert answer.headers["Location"] == KEY_DONE
    assert sign_in(email=vera.email, password=NEW, address=HERE) == vera
    assert before.get("/api/v1/users/me/").status_code == 401
    assert not vera.api_tokens.exists()
    assert subjects() == [
        ("vera@example.com", "A new password for Samovar"),
        ("vera@example.com", "Your password at Samovar has changed"),
    ]


def test_an_email_that_exists_gets_the_same_answer_as_one_that_does_not(vera: User, person) -> None:
    accounts.deactivate_user(user_id=person("manager", email="gone@example.com").pk)

    answers = [ask(email) for email in ("vera@example.com", "nobody@example.com", "gone@example.com")]

    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {(302, DONE)}
    assert {tuple(answer.cookies) for answer in answers} == {()}
    assert subjects() == [
        ("vera@example.com", "A new password for Samovar"),
        ("nobody@example.com", "You have no account at Samovar"),
        ("gone@example.com", "You have no account at Samovar"),
    ]


def test_the_link_works_once_also_for_two_who_had_the_form_open(vera: User) -> None:
    ask(vera.email)
    link = link_in(delivered()[0])
    early = Client()
    form = early.get(link, follow=True).redirect_chain[-1][0]
    choose(link)

    late = early.post(form, {"password1": "A-third-kettle-9", "password2": "A-third-kettle-9"})
    again = choose(link)

    assert late.context["token_fail"]
    assert again.context["token_fail"]
    assert sign_in(email=vera.email, password=NEW, address=HERE) == vera


def test_the_service_looks_at_the_key_again_under_the_lock(vera: User) -> None:
    ask(vera.email)
    key = link_in(delivered()[0]).split("/")[-2].partition("-")[2]
    password_reset.reset_password(user_id=vera.pk, key=key, password=NEW)

    for user_id, used in ((vera.pk, key), (vera.pk, "nonsense"), (vera.pk + 1, key)):
        with pytest.raises(LinkUsedUp):
            password_reset.reset_password(user_id=user_id, key=used, password="A-third-kettle-9")


def test_a_link_dies_with_time_with_the_email_and_with_the_account(vera: User, monkeypatch) -> None:
    ask(vera.email)
    link = link_in(delivered()[0])
    with monkeypatch.context() as late:
        now = datetime.now()  # noqa: DTZ005 - as Django counts it
        late.setattr(PasswordResetTokenGenerator, "_now", lambda self: now + timedelta(days=3, minutes=1))
        assert choose(link).context["token_fail"]
    with monkeypatch.context() as changed:
        User.objects.filter(pk=vera.pk).update(email="other@example.com")
        EmailAddress.objects.filter(user=vera).update(email="other@example.com")
        assert choose(link).context["token_fail"]
        changed.undo()
    User.objects.filter(pk=vera.pk).update(email="vera@example.com", is_active=False)
    EmailAddress.objects.filter(user=vera).update(email="vera@example.com")
    answer = choose(link)
    assert "This link has been used already" in answer.content.decode()
    assert User.objects.get(pk=vera.pk).check_password(PASSWORD)


def test_the_key_of_the_link_does_not_stay_in_the_address(vera: User) -> None:
    ask(vera.email)

    shown = Client().get(link_in(delivered()[0]), follow=True)

    assert shown.redirect_chain[-1][0].endswith("-set-password/")


def test_no_log_line_shows_what_a_link_opens(vera: User, person) -> None:
    nina = person("customer", email="nina@example.com", is_confirmed=False)
    ask(vera.email)
    confirm = f"/accounts/confirm-email/{EmailConfirmationHMAC.create(EmailAddress.objects.get(user=nina)).key}/"
    reset = link_in(delivered()[0])

    assert mask_text(f"GET {reset}") == "GET /accounts/password/reset/key/[masked]/"
    assert mask_text(f"POST {confirm}?next=/cart/") == "POST /accounts/confirm-email/[masked]/?next=/cart/"
    assert mask_text("GET /accounts/password/reset/key/done/") == "GET /accounts/password/reset/key/done/"


def test_the_link_confirms_the_email_that_it_came_to(person) -> None:
    nina = person("customer", email="nina@example.com", is_confirmed=False)
    ask(nina.email)

    choose(link_in(delivered()[0]))

    assert sign_in(email=nina.email, password=NEW, address=HERE) == nina


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        ("tea", "tea", "password1"),
        (NEW, "Another-kettle-8", "password2"),
        ("x" * 10_000, "x" * 10_000, "password1"),
        ("Kettle\0on-the-boil", "Kettle\0on-the-boil", "password1"),
    ],
)
def test_a_password_that_will_not_do_is_said_at_its_field(vera: User, first: str, second: str, field: str) -> None:
    ask(vera.email)
    client = Client()
    form = client.get(link_in(delivered()[0]), follow=True).redirect_chain[-1][0]

    answer = client.post(form, {"password1": first, "password2": second})

    assert field in answer.context["form"].errors
    assert User.objects.get(pk=vera.pk).check_password(PASSWORD)


@pytest.mark.parametrize("email", ["", "nonsense", "a" * 10_000 + "@example.com", "a\0@example.com", "😀"])
def test_what_is_no_email_sends_nothing(email: str) -> None:
    assert set(ask(email).context["form"].errors) == {"email"}
    assert not OutgoingMail.objects.exists()


def test_mails_are_limited_alike_for_known_and_unknown_emails(vera: User, settings) -> None:
    settings.MAIL_RATE = "1/day"
    for email in (vera.email, "nobody@example.com"):
        ask(email)

    answers = [ask(email) for email in (vera.email, "nobody@example.com")]

    assert [answer.status_code for answer in answers] == [429, 429]
    assert len(delivered()) == 2


def test_somebody_changes_their_password_with_the_old_one(vera: User, client: Client) -> None:
    client.force_login(vera)
    elsewhere = Client()
    elsewhere.force_login(vera)
    page = "/accounts/password/change/"

    refused = client.post(page, {"oldpassword": "wrong", "password1": NEW, "password2": NEW})
    assert set(refused.context["form"].errors) == {"oldpassword"}
    assert client.post(page, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}).status_code == 302

    assert client.get("/api/v1/users/me/").status_code == 200
    assert elsewhere.get("/api/v1/users/me/").status_code == 401
    assert sign_in(email=vera.email, password=NEW, address=HERE) == vera


def test_the_old_password_is_not_guessed_at_an_open_session(vera: User, client: Client, settings) -> None:
    settings.SIGN_IN_RATE = "2/day"
    client.force_login(vera)
    posts = [
        ("/accounts/password/change/", {"oldpassword": "wrong", "password1": NEW, "password2": NEW}),
        ("/accounts/reauthenticate/", {"password": "wrong"}),
        ("/accounts/reauthenticate/", {"password": PASSWORD}),
        ("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}),
    ]

    assert [client.post(page, body).status_code for page, body in posts] == [200, 200, 429, 429]
    assert User.objects.get(pk=vera.pk).check_password(PASSWORD)


def test_an_account_without_a_password_gets_an_invitation(boss: User, client: Client) -> None:
    client.force_login(boss)
    posted = {"email": "new@example.com", "name": "New", "role": "barista", "language": ""}

    answer = client.post("/admin/users/user/add/", {**posted, "password1": "", "password2": ""}, follow=True)

    assert "An invitation is on its way to new@example.com." in [str(said) for said in answer.context["messages"]]
    assert subjects() == [("new@example.com", "Your account at Samovar")]
    assert not User.objects.get(email="new@example.com").has_usable_password()
    assert choose(link_in(delivered()[0])).headers["Location"] == KEY_DONE
    assert sign_in(email="new@example.com", password=NEW, address=HERE).role == "barista"


def test_a_password_typed_once_makes_no_account(boss: User, client: Client) -> None:
    client.force_login(boss)
    posted = {"email": "new@example.com", "name": "New", "role": "barista", "language": "", "password1": PASSWORD}

    assert client.post("/admin/users/user/add/", {**posted, "password2": ""}).status_code == 200
    assert not User.objects.filter(email="new@example.com").exists()


def test_an_admin_sends_a_link_and_the_old_password_holds_until_it_is_used(
    boss: User, vera: User, client: Client
) -> None:
    client.force_login(boss)

    client.post(f"/admin/users/user/{vera.pk}/verb/send-link/")

    assert subjects() == [("vera@example.com", "A new password for Samovar")]
    assert sign_in(email=vera.email, password=PASSWORD, address=HERE) == vera
    accounts.deactivate_user(user_id=vera.pk)
    with pytest.raises(AccountIsOff):
        password_reset.send_password_link(user_id=vera.pk, site="http://testserver")


def test_people_made_in_the_admin_count_as_confirmed_and_the_list_shows_who_does_not(
    boss: User, vera: User, person, client: Client
) -> None:
    person("customer", email="nina@example.com", is_confirmed=False)
    client.force_login(boss)

    people = client.get("/admin/users/user/").context["cl"].result_list

    assert {user.email: (user.is_confirmed, user.has_codes) for user in people} == {
        "boss@example.com": (True, False),
        "nina@example.com": (False, False),
        "vera@example.com": (True, False),
    }
