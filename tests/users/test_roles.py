"""The roles after `migrate`: exactly what the apps declare, whatever the database held before."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from users import roles
from users.choices import Role
from users.errors import RoleDeclarationError


def permissions_of(role: str) -> set[str]:
    return {
        f"{app_label}.{codename}"
        for app_label, codename in Permission.objects.filter(group__name=role).values_list(
            "content_type__app_label", "codename"
        )
    }


def permission(name: str) -> Permission:
    app_label, codename = name.split(".")
    return Permission.objects.get(content_type__app_label=app_label, codename=codename)


@pytest.fixture
def declare(monkeypatch):
    """Lets inventory declare other roles for one test."""
    return lambda declared: monkeypatch.setattr("inventory.roles.ROLES", declared)


@pytest.mark.django_db
def test_migrate_has_made_the_four_roles_with_exactly_their_declared_permissions():
    declared = roles.declared_roles()

    assert set(Group.objects.values_list("name", flat=True)) == {"admin", "manager", "barista", "customer"}
    assert {role: permissions_of(role) for role in Role} == {role: set(declared[role]) for role in Role}


@pytest.mark.django_db
def test_an_admin_may_all_that_a_manager_may_and_a_manager_all_that_a_barista_may():
    assert permissions_of("barista") < permissions_of("manager") < permissions_of("admin")


@pytest.mark.django_db
def test_only_an_admin_manages_accounts():
    managing = {"users.view_user", "users.add_user", "users.change_user"}

    assert managing <= permissions_of("admin")
    assert {role: permissions_of(role) & managing for role in ("manager", "barista", "customer")} == {
        "manager": set(),
        "barista": set(),
        "customer": set(),
    }


@pytest.mark.django_db
def test_a_customer_gets_nothing_from_the_ladder_of_the_staff(declare):
    declare({"barista": ["inventory.view_stocklevel"], "customer": ["inventory.view_product"]})

    declared = roles.declared_roles()

    assert "inventory.view_stocklevel" not in declared[Role.CUSTOMER]
    assert "inventory.view_product" not in declared[Role.BARISTA]


@pytest.mark.django_db
def test_nobody_may_delete_a_user():
    assert not Permission.objects.filter(codename="delete_user", content_type__app_label="users").exists()


@pytest.mark.django_db
def test_a_permission_given_by_hand_is_taken_away_by_the_next_migrate():
    Group.objects.get(name="barista").permissions.add(permission("users.change_user"))

    call_command("migrate", verbosity=0)

    assert permissions_of("barista") == set(roles.declared_roles()[Role.BARISTA])


@pytest.mark.django_db
def test_a_permission_taken_by_hand_is_given_back_by_the_next_migrate():
    Group.objects.get(name="admin").permissions.remove(permission("users.change_user"))
    Group.objects.get(name="customer").delete()

    call_command("migrate", verbosity=0)

    assert "users.change_user" in permissions_of("admin")
    assert permissions_of("customer") == set(roles.declared_roles()[Role.CUSTOMER])


@pytest.mark.django_db
def test_an_admin_keeps_the_role_when_migrate_puts_it_right(boss):
    Group.objects.get(name="admin").permissions.clear()

    call_command("migrate", verbosity=0)

    assert boss.role == "admin"
    assert type(boss).objects.get(pk=boss.pk).has_perm("users.change_user")


@pytest.mark.django_db
def test_roles_that_are_right_cost_three_queries_and_no_write(django_assert_num_queries):
    with django_assert_num_queries(3) as captured:
        roles.sync_roles()

    assert all(query["sql"].startswith("SELECT") for query in captured.captured_queries)


@pytest.mark.django_db
def test_one_migrate_puts_the_roles_right_once(monkeypatch):
    calls = []
    monkeypatch.setattr(roles, "sync_roles", lambda **kwargs: calls.append(kwargs))

    call_command("migrate", verbosity=0)

    assert len(calls) == 1


@pytest.mark.django_db(transaction=True)
def test_a_flushed_database_has_its_roles_back():
    call_command("flush", interactive=False, verbosity=0)

    assert {role: permissions_of(role) for role in Role} == {
        role: set(permissions) for role, permissions in roles.declared_roles().items()
    }


@pytest.mark.django_db
def test_an_unknown_permission_stops_with_its_name_and_changes_nothing(declare):
    before = {role: permissions_of(role) for role in Role}
    declare({"barista": ["inventory.view_product", "inventory.brew_coffee"]})

    with pytest.raises(RoleDeclarationError) as stopped:
        call_command("migrate", verbosity=0)

    assert str(stopped.value) == (
        "inventory.roles gives the role 'barista' permissions that no model has: inventory.brew_coffee."
    )
    assert {role: permissions_of(role) for role in Role} == before


@pytest.mark.django_db
def test_an_unknown_role_stops_with_its_name(declare):
    declare({"waiter": []})

    with pytest.raises(RoleDeclarationError) as stopped:
        roles.declared_roles()

    assert str(stopped.value) == (
        "inventory.roles declares the role 'waiter'. The roles are admin, manager, barista, customer."
    )


@pytest.mark.django_db
def test_a_permission_whose_table_is_not_there_yet_waits_for_the_next_migrate():
    """`migrate inventory zero` takes permissions away that the code still declares."""
    permission("inventory.view_product").delete()

    roles.sync_roles(app_registry=apps)

    assert permissions_of("customer") == set(roles.declared_roles()[Role.CUSTOMER]) - {"inventory.view_product"}
