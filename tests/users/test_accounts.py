"""Making, changing, deactivating and reactivating accounts."""

import pytest
from django.db import IntegrityError, transaction

from foundation.errors import InvalidInput
from tests.users.conftest import NOON, PASSWORD
from users.errors import EmailTaken, LastAdmin, UserMissing, WeakPassword
from users.models import ApiToken, User
from users.services import accounts, tokens

pytestmark = pytest.mark.django_db


def test_a_new_account_has_its_role_and_a_password_that_works():
    made = accounts.create_user(email="  Vera@Example.COM ", name=" Vera ", role="barista", password=PASSWORD)

    user = User.objects.get()
    assert user == made
    assert (user.email, user.name, user.role, user.is_active) == ("vera@example.com", "Vera", "barista", True)
    assert user.check_password(PASSWORD)
    assert PASSWORD not in user.password
    assert not user.is_superuser


@pytest.mark.parametrize(
    ("role", "enters"), [("admin", True), ("manager", True), ("barista", True), ("customer", False)]
)
def test_everybody_but_a_customer_may_enter_the_admin(role, enters):
    assert accounts.create_user(email="a@example.com", role=role, password=PASSWORD).is_staff is enters


def test_without_a_password_nobody_can_sign_in_to_the_account():
    user = accounts.create_user(email="a@example.com", role="barista", password=None)

    assert not user.has_usable_password()


def test_an_email_opens_one_account_whatever_its_case(person):
    person("barista", email="vera@example.com")

    with pytest.raises(EmailTaken) as refused:
        accounts.create_user(email="VERA@example.com", role="admin", password=PASSWORD)

    assert refused.value.errors == {"email": ["vera@example.com is taken by another account. Choose another e-mail."]}
    assert User.objects.count() == 1


def test_the_table_itself_refuses_an_email_in_capitals():
    with pytest.raises(IntegrityError, match="user_email_is_lower_case"), transaction.atomic():
        User.objects.create(email="Vera@example.com")

    assert not User.objects.exists()


@pytest.mark.parametrize(
    "email", ["", "vera", "vera@", "vera@example", "a" * 250 + "@example.com", "vera@exa mple.com"]
)
def test_what_is_no_email_is_refused_at_the_field(email):
    with pytest.raises(InvalidInput) as refused:
        accounts.create_user(email=email, role="barista", password=PASSWORD)

    assert list(refused.value.errors) == ["email"]
    assert not User.objects.exists()


def test_an_unknown_role_is_refused_at_the_field():
    with pytest.raises(InvalidInput) as refused:
        accounts.create_user(email="a@example.com", role="waiter", password=PASSWORD)

    assert refused.value.errors == {
        "role": ["There is no role waiter. Choose one of: admin, manager, barista, customer."]
    }
    assert not User.objects.exists()


def test_a_language_that_the_shop_does_not_speak_is_refused_at_the_field():
    with pytest.raises(InvalidInput) as refused:
        accounts.create_user(email="a@example.com", role="barista", password=PASSWORD, language="tlh")

    assert refused.value.errors == {"language": ["Value 'tlh' is not a valid choice."]}
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("tea", "This password is too short. It must contain at least 10 characters."),
        ("password123", "This password is too common."),
        ("9471920381", "This password is entirely numeric."),
        ("vera@example.com", "The password is too similar to the e-mail."),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(password, reason):
    with pytest.raises(WeakPassword) as refused:
        accounts.create_user(email="vera@example.com", role="barista", password=password)

    assert reason in refused.value.errors["password"]
    assert not User.objects.exists()


def test_one_call_changes_everything_that_the_page_of_an_account_shows(boss, person):
    vera = person("barista", email="vera@example.com")

    accounts.update_user(
        user_id=vera.pk, email="Vera.P@example.com", name="Vera P", role="customer", is_active=False, language="ru"
    )

    vera = User.objects.get(pk=vera.pk)
    assert (vera.email, vera.name, vera.role, vera.is_active, vera.language, vera.is_staff) == (
        "vera.p@example.com",
        "Vera P",
        "customer",
        False,
        "ru",
        False,
    )


def test_a_taken_email_leaves_the_whole_account_as_it_was(boss, person):
    vera = person("barista", email="vera@example.com", name="Vera")

    with pytest.raises(EmailTaken):
        accounts.update_user(user_id=vera.pk, email="boss@example.com", name="X", role="manager", is_active=False)

    vera = User.objects.get(pk=vera.pk)
    assert (vera.email, vera.name, vera.role, vera.is_active) == ("vera@example.com", "Vera", "barista", True)


def test_a_new_role_takes_the_place_of_the_old_one(person):
    vera = person("barista")

    accounts.change_role(user_id=vera.pk, role="manager")

    vera = User.objects.get(pk=vera.pk)
    assert list(vera.groups.values_list("name", flat=True)) == ["manager"]
    assert vera.has_perm("inventory.change_product")


def test_the_only_admin_cannot_lose_the_role(boss):
    with pytest.raises(LastAdmin) as refused:
        accounts.change_role(user_id=boss.pk, role="manager")

    assert refused.value.detail == (
        "This is the last active admin. Make another account an admin first, then change this one."
    )
    assert User.objects.get(pk=boss.pk).role == "admin"


def test_the_only_admin_cannot_be_deactivated(boss):
    with pytest.raises(LastAdmin):
        accounts.deactivate_user(user_id=boss.pk)

    assert User.objects.get(pk=boss.pk).is_active


def test_a_deactivated_admin_does_not_count(boss, person):
    other = person("admin", email="other@example.com")
    accounts.deactivate_user(user_id=other.pk)

    with pytest.raises(LastAdmin):
        accounts.deactivate_user(user_id=boss.pk)
    with pytest.raises(LastAdmin):
        accounts.update_user(user_id=boss.pk, email=boss.email, name="", role="admin", is_active=False)

    assert User.objects.get(pk=boss.pk).is_active


def test_a_deactivated_admin_may_lose_the_role(boss, person):
    other = person("admin", email="other@example.com")
    accounts.deactivate_user(user_id=other.pk)

    accounts.change_role(user_id=other.pk, role="barista")

    assert User.objects.get(pk=other.pk).role == "barista"


def test_one_of_two_admins_may_go(boss, person):
    other = person("admin", email="other@example.com")

    accounts.change_role(user_id=boss.pk, role="barista")

    assert User.objects.get(pk=boss.pk).role == "barista"
    assert User.objects.get(pk=other.pk).role == "admin"


def test_all_admins_at_once_cannot_be_deactivated(boss, person):
    other = person("admin", email="other@example.com")
    barista = person("barista")

    with pytest.raises(LastAdmin):
        accounts.deactivate_users(user_ids=[boss.pk, other.pk, barista.pk])

    assert User.objects.filter(is_active=True).count() == 3


def test_deactivating_deletes_the_api_tokens_and_reactivating_brings_none_back(boss, person):
    vera, boris = person("barista"), person("manager")
    tokens.issue_token(user=vera, name="Till", now=NOON)
    tokens.issue_token(user=boris, name="Report", now=NOON)

    accounts.deactivate_user(user_id=vera.pk)
    accounts.reactivate_user(user_id=vera.pk)

    assert list(ApiToken.objects.values_list("user", flat=True)) == [boris.pk]
    vera = User.objects.get(pk=vera.pk)
    assert (vera.is_active, vera.role, vera.check_password(PASSWORD)) == (True, "barista", True)


def test_a_new_password_deletes_the_api_tokens(person):
    vera = person("barista")
    tokens.issue_token(user=vera, name="Till", now=NOON)

    accounts.set_password(user_id=vera.pk, password="Another-kettle-7")

    assert not ApiToken.objects.exists()
    assert User.objects.get(pk=vera.pk).check_password("Another-kettle-7")


def test_a_weak_new_password_changes_nothing(person):
    vera = person("barista")
    tokens.issue_token(user=vera, name="Till", now=NOON)

    with pytest.raises(WeakPassword):
        accounts.set_password(user_id=vera.pk, password="short")

    assert ApiToken.objects.count() == 1
    assert User.objects.get(pk=vera.pk).check_password(PASSWORD)


@pytest.mark.parametrize(
    "act",
    [
        lambda pk: accounts.deactivate_user(user_id=pk),
        lambda pk: accounts.reactivate_user(user_id=pk),
        lambda pk: accounts.change_role(user_id=pk, role="manager"),
        lambda pk: accounts.set_password(user_id=pk, password=PASSWORD),
    ],
)
def test_an_unknown_user_is_named(act, boss):
    with pytest.raises(UserMissing) as refused:
        act(10**12)

    assert refused.value.detail == "There is no user 1000000000000."


def test_a_session_ends_when_its_account_is_deactivated(client, boss, person):
    vera = person("barista")
    client.force_login(vera)
    assert client.get("/api/v1/users/me/").status_code == 200

    accounts.deactivate_user(user_id=vera.pk)

    assert client.get("/api/v1/users/me/").status_code == 401


def test_a_session_ends_when_its_password_changes(client, person):
    vera = person("barista")
    client.force_login(vera)
    assert client.get("/api/v1/users/me/").status_code == 200

    accounts.set_password(user_id=vera.pk, password="Another-kettle-7")

    assert client.get("/api/v1/users/me/").status_code == 401
