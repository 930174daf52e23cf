"""Calling the data part of a migration on the tables as they are now."""

from importlib import import_module

from django.apps import apps


def forwards_of(migration: str, function: str) -> None:
    getattr(import_module(f"orders.migrations.{migration}"), function)(apps, None)
