"""The pages of people in the admin."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.urls import reverse

from tests.users.conftest import NOON, PASSWORD
from users.errors import LastAdmin
from users.models import ApiToken, User
from users.services import accounts, tokens

pytestmark = pytest.mark.django_db

LIST, ADD = "/admin/users/user/", "/admin/users/user/add/"


@pytest.fixture
def office(client, boss):
    """The admin, as the boss sees it."""
    client.force_login(boss)
    return client


@pytest.fixture
def vera(person) -> User:
    return person("barista", email="vera@example.com", name="Vera")


def page_of(user: User, page: str = "change") -> str:
    return f"/admin/users/user/{user.pk}/{page}/"


def account(**changes) -> dict[str, str]:
    """What the form of an account posts."""
    return {
        "email": "vera@example.com",
        "name": "Vera",
        "role": "barista",
        "language": "",
        "is_active": "on",
        **changes,
    }


def new_account(**changes) -> dict[str, str]:
    posted = account(password1=PASSWORD, password2=PASSWORD, **changes)
    del posted["is_active"]
    return posted


def errors_of(answer) -> dict[str, list[str]]:
    form = answer.context["adminform"].form
    return {field: [str(sentence) for sentence in sentences] for field, sentences in form.errors.items()}


def select(action: str, *users: User) -> dict[str, object]:
    return {"action": action, "_selected_action": [user.pk for user in users]}


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_the_list_shows_people_with_role_and_state(office, vera):
    accounts.deactivate_user(user_id=vera.pk)

    page = office.get(LIST).content.decode()

    assert "The Boss" in page
    assert "vera@example.com" in page
    assert "Barista" in page


def test_the_list_takes_the_same_queries_for_two_people_and_for_forty(
    office, vera, person, django_assert_max_num_queries
):
    with django_assert_max_num_queries(12) as few:
        office.get(LIST)
    for number in range(38):
        person("customer", email=f"c{number}@example.com")

    with django_assert_max_num_queries(12) as many:
        office.get(LIST)

    assert len(many.captured_queries) == len(few.captured_queries)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("role=barista", {"vera@example.com"}),
        ("role=admin", {"boss@example.com"}),
        ("role=nonsense", {"boss@example.com", "vera@example.com"}),
        ("active=no", {"vera@example.com"}),
        ("active=yes", {"boss@example.com"}),
        ("q=ver", {"vera@example.com"}),
        ("q=the+boss", {"boss@example.com"}),
    ],
)
def test_people_are_found_by_role_state_name_and_email(office, vera, query, found):
    accounts.deactivate_user(user_id=vera.pk)

    answer = office.get(f"{LIST}?{query}")

    assert {user.email for user in answer.context["cl"].result_list} == found


def test_an_admin_adds_an_account_with_its_role(office):
    answer = office.post(ADD, new_account(email="Vera@Example.com", language="ru"))

    assert answer.status_code == 302
    vera = User.objects.get(email="vera@example.com")
    assert (vera.name, vera.role, vera.language, vera.is_staff, vera.is_active) == ("Vera", "barista", "ru", True, True)
    assert vera.check_password(PASSWORD)
    assert LogEntry.objects.get().object_id == str(vera.pk)


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"email": "BOSS@example.com"}, {"email": ["This e-mail is taken already."]}),
        ({"email": "boss"}, {"email": ["Enter a valid email address."]}),
        ({"email": ""}, {"email": ["This field is required."]}),
        (
            {"role": "waiter"},
            {"role": ["Select a valid choice. waiter is not one of the available choices."]},
        ),
        ({"password2": "Another-kettle-7"}, {"password2": ["The two password fields didn’t match."]}),
        (
            {"password1": "tea", "password2": "tea"},
            {"password2": ["This password is too short. It must contain at least 10 characters."]},
        ),
        ({"language": "tlh"}, {"language": ["Select a valid choice. tlh is not one of the available choices."]}),
    ],
)
def test_a_mistake_in_a_new_account_is_said_at_its_field(office, changes, errors):
    answer = office.post(ADD, {**new_account(), **changes})

    assert answer.status_code == 200
    assert errors_of(answer) == errors
    assert User.objects.count() == 1


def test_the_page_never_shows_a_typed_password_again(office):
    answer = office.post(ADD, {**new_account(), "email": "boss@example.com"})

    assert PASSWORD not in answer.content.decode()


def test_an_admin_changes_an_account_and_its_role(office, vera):
    answer = office.post(page_of(vera), account(name="Vera Pavlova", role="manager"))

    assert answer.status_code == 302
    vera = User.objects.get(pk=vera.pk)
    assert (vera.name, vera.role) == ("Vera Pavlova", "manager")


def test_the_page_of_an_account_shows_its_role(office, vera):
    form = office.get(page_of(vera)).context["adminform"].form

    assert form["role"].value() == "barista"
    assert {"password", "is_superuser", "is_staff", "groups", "user_permissions"}.isdisjoint(form.fields)


def test_a_superuser_cannot_be_made_by_a_hand_made_post(office, vera):
    office.post(page_of(vera), account(is_superuser="on", is_staff="on", groups="1", user_permissions="1"))

    vera = User.objects.get(pk=vera.pk)
    assert (vera.is_superuser, vera.role, vera.user_permissions.count()) == (False, "barista", 0)


def test_the_last_admin_who_gives_the_role_away_is_told_on_the_page(office, boss):
    answer = office.post(page_of(boss), account(email=boss.email, name="Changed", role="manager"))

    assert answer.status_code == 200
    assert errors_of(answer) == {
        "__all__": ["This is the last active admin. Make another account an admin first, then change this one."]
    }
    # What was typed is still there.
    assert answer.context["adminform"].form["name"].value() == "Changed"
    assert (User.objects.get(pk=boss.pk).role, User.objects.get(pk=boss.pk).name) == ("admin", "The Boss")
    assert not LogEntry.objects.exists()


def test_an_email_taken_while_the_form_was_being_saved_is_said_at_its_field(office, vera, monkeypatch):
    """Both forms were valid; the table decides who was first."""
    monkeypatch.setattr(User, "validate_unique", lambda *args, **kwargs: None)

    answer = office.post(page_of(vera), account(email="boss@example.com"))

    assert errors_of(answer) == {"email": ["boss@example.com is taken by another account. Choose another e-mail."]}
    assert User.objects.get(pk=vera.pk).email == "vera@example.com"


def test_switching_an_account_off_on_its_page_ends_its_tokens(office, vera):
    tokens.issue_token(user=vera, name="Till", now=NOON)
    posted = account()
    del posted["is_active"]

    office.post(page_of(vera), posted)

    assert not User.objects.get(pk=vera.pk).is_active
    assert not ApiToken.objects.exists()


def test_ticked_accounts_are_switched_off_and_on_again(office, vera, person):
    boris = person("manager", email="boris@example.com")

    off = office.post(LIST, select("deactivate", vera, boris), follow=True)
    assert said(off) == ["2 accounts are switched off."]
    assert set(User.objects.filter(is_active=False)) == {vera, boris}

    on = office.post(LIST, select("reactivate", vera), follow=True)
    assert said(on) == ["1 account is active."]
    assert set(User.objects.filter(is_active=False)) == {boris}
    assert LogEntry.objects.count() == 3


def test_ticking_all_admins_switches_nobody_off(office, boss, vera):
    answer = office.post(LIST, select("deactivate", vera, boss), follow=True)

    assert said(answer) == [LastAdmin().detail]
    assert not User.objects.filter(is_active=False).exists()


def test_nobody_is_deleted(office, vera):
    assert "delete_selected" not in office.get(LIST).content.decode()
    assert office.post(page_of(vera, "delete"), {"post": "yes"}).status_code == 403
    office.post(LIST, {**select("delete_selected", vera), "post": "yes"})

    assert User.objects.filter(pk=vera.pk).exists()


def test_an_admin_sets_somebodys_password(office, vera):
    tokens.issue_token(user=vera, name="Till", now=NOON)

    answer = office.post(
        page_of(vera, "password"), {"password1": "Another-kettle-7", "password2": "Another-kettle-7"}, follow=True
    )

    assert said(answer) == ["Vera has a new password; old sessions and API tokens have ended."]
    assert User.objects.get(pk=vera.pk).check_password("Another-kettle-7")
    assert not ApiToken.objects.exists()


def test_an_admin_who_sets_their_own_password_there_stays_signed_in(office, boss):
    office.post(page_of(boss, "password"), {"password1": "Another-kettle-7", "password2": "Another-kettle-7"})

    assert office.get(LIST).status_code == 200


def test_a_weak_password_for_somebody_is_refused_at_its_field(office, vera):
    answer = office.post(page_of(vera, "password"), {"password1": "tea", "password2": "tea"})

    assert answer.context["form"].errors["password2"] == [
        "This password is too short. It must contain at least 10 characters."
    ]
    assert User.objects.get(pk=vera.pk).check_password(PASSWORD)


def test_a_password_page_of_nobody_is_404(office):
    assert office.get("/admin/users/user/999999/password/").status_code == 404


def test_the_button_on_the_page_leads_to_the_password_page(office, vera):
    answer = office.get(f"/admin/users/user/{vera.pk}/set-password/")

    assert answer.headers["Location"] == page_of(vera, "password")


def test_somebody_changes_their_own_password_and_stays_signed_in(client, vera):
    client.force_login(vera)
    tokens.issue_token(user=vera, name="Till", now=NOON)

    answer = client.post(
        "/admin/password_change/",
        {"old_password": PASSWORD, "new_password1": "Another-kettle-7", "new_password2": "Another-kettle-7"},
    )

    assert answer.headers["Location"] == reverse("admin:password_change_done")
    assert User.objects.get(pk=vera.pk).check_password("Another-kettle-7")
    assert not ApiToken.objects.exists()
    assert client.get("/admin/password_change/").status_code == 200


def test_without_the_old_password_nobody_changes_it(client, vera):
    client.force_login(vera)

    answer = client.post(
        "/admin/password_change/",
        {"old_password": "wrong", "new_password1": "Another-kettle-7", "new_password2": "Another-kettle-7"},
    )

    assert answer.status_code == 200
    assert User.objects.get(pk=vera.pk).check_password(PASSWORD)


@pytest.mark.parametrize("role", ["manager", "barista"])
def test_only_admins_reach_the_people(client, boss, person, role):
    client.force_login(person(role))

    doors = [LIST, ADD, page_of(boss), page_of(boss, "password"), f"/admin/users/user/{boss.pk}/set-password/"]
    assert [client.get(door).status_code for door in doors] == [403] * 5
    assert client.post(ADD, new_account()).status_code == 403
    assert client.post(page_of(boss), account(role="barista")).status_code == 403
    assert client.post(LIST, select("deactivate", boss)).status_code == 403
    assert (
        client.post(
            page_of(boss, "password"), {"password1": "Kettle-2-kettle", "password2": "Kettle-2-kettle"}
        ).status_code
        == 403
    )
    assert set(User.objects.values_list("email", "groups__name", "is_active")) == {
        ("boss@example.com", "admin", True),
        (f"{role}@example.com", role, True),
    }
    assert User.objects.get(pk=boss.pk).check_password(PASSWORD)


def test_a_customer_is_sent_to_the_sign_in(client, person):
    client.force_login(person("customer"))

    assert client.get(LIST).headers["Location"] == "/admin/login/?next=/admin/users/user/"


def test_somebody_who_may_only_look_sees_the_account_without_a_form(client, vera, boss):
    Group.objects.get(name="admin").permissions.remove(
        *Group.objects.get(name="admin").permissions.filter(codename__in=["change_user", "add_user"])
    )
    client.force_login(boss)

    page = client.get(page_of(vera))

    assert page.status_code == 200
    assert "vera@example.com" in page.content.decode()
    assert 'name="role"' not in page.content.decode()
    assert client.post(page_of(vera), account(role="admin")).status_code == 403


def test_there_is_no_page_of_groups(office):
    assert not admin.site.is_registered(Group)
    assert office.get("/admin/auth/group/").status_code == 404
