from typing import Any

import pytest
from rest_framework.test import APIClient

from users.models import User


@pytest.fixture
def person(db: Any) -> User:
    """Somebody who may do everything."""
    return User.objects.create_superuser("person@example.com")


@pytest.fixture
def api(person: User) -> APIClient:
    """A client of the API, signed in as that person."""
    client = APIClient()
    client.force_authenticate(person)
    return client
