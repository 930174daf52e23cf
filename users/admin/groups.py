"""Django's own page of groups goes: roles are declared in code, and `migrate` would undo what it changes."""

# Its import registers the page; only then can it be taken away.
import django.contrib.auth.admin  # noqa: F401
from django.contrib import admin
from django.contrib.auth.models import Group


def take_groups_away() -> None:
    if admin.site.is_registered(Group):
        admin.site.unregister(Group)
