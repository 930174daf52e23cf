"""Who may do what: the roles, declared in code and written into Django's groups by `migrate`.

Every app says in its own `roles.py` which permissions of its own each role holds:

    ROLES = {"barista": ["inventory.view_product"], "manager": ["inventory.change_product"]}

A manager may do everything that a barista may, an admin everything that a manager may; a customer stands
apart. The groups then hold exactly that: a permission given or taken by hand in the database is put right by
the next `migrate`.
"""

from importlib import import_module
from itertools import pairwise
from typing import Any

from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.contrib.auth import get_permission_codename
from django.contrib.auth.management import create_permissions
from django.db import DEFAULT_DB_ALIAS
from django.utils.module_loading import module_has_submodule

from users.choices import Role
from users.errors import RoleDeclarationError

ROLES = {
    # Everybody who may enter the admin makes and revokes API tokens, each their own.
    "barista": ["users.view_apitoken", "users.add_apitoken", "users.delete_apitoken"],
    "admin": ["users.view_user", "users.add_user", "users.change_user"],
}

# From the narrowest to the widest: each may do everything that the one before it may.
LADDER = (Role.BARISTA, Role.MANAGER, Role.ADMIN)


def declared_roles() -> dict[Role, frozenset[str]]:
    """Returns the permissions ("app.codename") of every role, from the roles.py of all installed apps.

    Raises RoleDeclarationError for a role that does not exist, and for a permission that no model has.
    """
    declared: dict[Role, set[str]] = {role: set() for role in Role}
    known = _known_permissions()
    for app_config in apps.get_app_configs():
        if app_config.module is None or not module_has_submodule(app_config.module, "roles"):
            continue
        module = import_module(f"{app_config.name}.roles")
        for role, permissions in getattr(module, "ROLES", {}).items():
            if role not in Role.values:
                raise RoleDeclarationError(
                    f"{module.__name__} declares the role {role!r}. The roles are {', '.join(Role.values)}."
                )
            unknown = sorted(set(permissions) - known)
            if unknown:
                raise RoleDeclarationError(
                    f"{module.__name__} gives the role {role!r} permissions that no model has: {', '.join(unknown)}."
                )
            declared[Role(role)].update(permissions)
    for narrower, wider in pairwise(LADDER):
        declared[wider] |= declared[narrower]
    return {role: frozenset(permissions) for role, permissions in declared.items()}


def sync_roles(*, using: str = DEFAULT_DB_ALIAS, app_registry: Apps | Any = apps) -> None:
    """Makes the groups of the roles and sets exactly their permissions.

    Writes nothing if all is right already. `app_registry` is the state that a migration has reached: tables
    and permissions that it does not have yet (`migrate inventory 0001`) wait for the next `migrate`.
    Raises RoleDeclarationError, as `declared_roles` does.
    """
    roles = declared_roles()
    try:
        group_model = app_registry.get_model("auth", "Group")
        permission_model = app_registry.get_model("auth", "Permission")
    except LookupError:
        return
    groups = group_model.objects.using(using)
    memberships = group_model.permissions.through.objects.using(using)

    existing = {group.name: group for group in groups.filter(name__in=Role.values)}
    absent = [group_model(name=role.value) for role in Role if role.value not in existing]
    if absent:
        groups.bulk_create(absent, ignore_conflicts=True)
        existing = {group.name: group for group in groups.filter(name__in=Role.values)}
    permission_ids = {
        f"{app_label}.{codename}": pk
        for pk, app_label, codename in permission_model.objects.using(using).values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    wanted = {
        (existing[role.value].pk, permission_ids[name])
        for role, names in roles.items()
        for name in names
        if name in permission_ids
    }
    held = {
        (group_id, permission_id): pk
        for pk, group_id, permission_id in memberships.filter(
            group_id__in=[group.pk for group in existing.values()]
        ).values_list("pk", "group_id", "permission_id")
    }
    superfluous = [pk for pair, pk in held.items() if pair not in wanted]
    if superfluous:
        memberships.filter(pk__in=superfluous).delete()
    lacking = sorted(wanted - held.keys())
    if lacking:
        memberships.bulk_create(
            [memberships.model(group_id=group_id, permission_id=permission_id) for group_id, permission_id in lacking],
            ignore_conflicts=True,
        )


def sync_roles_after_migrate(
    sender: AppConfig, using: str = DEFAULT_DB_ALIAS, apps: Apps | Any = apps, **kwargs: Any
) -> None:
    """The receiver of post_migrate: works once, after the last app, when every app's permissions are there."""
    if sender is not _last_app_with_models():
        return
    # Of the last app itself they may not be there yet: receivers are called in the order of INSTALLED_APPS.
    create_permissions(sender, verbosity=0, using=using, apps=apps)
    sync_roles(using=using, app_registry=apps)


def _last_app_with_models() -> AppConfig:
    return [config for config in apps.get_app_configs() if config.models_module][-1]


def _known_permissions() -> set[str]:
    """Every permission that some installed model declares, as "app.codename"."""
    known: set[str] = set()
    for model in apps.get_models():
        options = model._meta
        codenames = [get_permission_codename(action, options) for action in options.default_permissions]
        codenames += [codename for codename, _name in options.permissions]
        known.update(f"{options.app_label}.{codename}" for codename in codenames)
    return known
