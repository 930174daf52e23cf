"""Takes the place of Django's own `createsuperuser`: this shop has one system of permissions, its roles."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Points to create_admin."

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError("Samovar has no superusers, only roles. Use: manage.py create_admin --email you@example.com")
