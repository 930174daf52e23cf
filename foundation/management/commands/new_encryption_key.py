from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Prints a fresh key for FIELD_ENCRYPTION_KEYS. Put it in front of the others: the first one encrypts."
    # A key is wanted exactly when the ones in the settings are wrong.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(Fernet.generate_key().decode())
