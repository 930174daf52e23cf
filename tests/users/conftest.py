"""What the tests of people share."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from users.choices import Role
from users.models import User
from users.services import accounts

PASSWORD = "Kettle-on-the-boil-42"
NOON = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def quick_hashes(settings):
    """Hashing is slow on purpose; here it only has to be a hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def person() -> Callable[..., User]:
    """Makes somebody: `person("barista")`, `person("admin", email="a@example.com")`."""

    def make(role: str, *, email: str = "", **fields) -> User:
        return accounts.create_user(
            email=email or f"{role}@example.com", role=role, password=fields.pop("password", PASSWORD), **fields
        )

    return make


@pytest.fixture
def boss(db, person) -> User:
    """The shop's only admin."""
    return person(Role.ADMIN, email="boss@example.com", name="The Boss")
