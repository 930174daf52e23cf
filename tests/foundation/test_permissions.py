"""A door opens to those who hold the permission that the view names, and to nobody else."""

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from monitoring.models import Alert
from monitoring.severity import Severity
from users.models import User

pytestmark = [pytest.mark.urls("tests.foundation.small_api"), pytest.mark.django_db]

LIST = "/api/v1/alerts/"


def client_of(*codenames: str) -> APIClient:
    user = User.objects.create_user("barista@example.com")
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = APIClient()
    client.force_authenticate(user)
    return client


def make_alert() -> int:
    return Alert.objects.create(event="test", severity=Severity.INFO, message="m").pk


def test_the_permission_of_the_action_opens_it() -> None:
    assert client_of("view_alert").get(LIST).status_code == 200


def test_without_the_permission_the_action_is_refused() -> None:
    response = client_of("acknowledge_alert").get(LIST)

    assert (response.status_code, response.json()["type"]) == (403, "permission_denied")


def test_head_asks_for_what_get_asks_for() -> None:
    assert client_of().head(LIST).status_code == 403


def test_an_extra_action_has_a_permission_of_its_own() -> None:
    pk = make_alert()

    assert client_of("acknowledge_alert").post(f"{LIST}{pk}/acknowledge/").status_code == 200


def test_none_admits_everybody_who_has_signed_in() -> None:
    pk = make_alert()

    assert client_of().get(f"{LIST}{pk}/").status_code == 200
    assert APIClient().get(f"{LIST}{pk}/").status_code == 401


def test_an_action_that_is_not_named_is_refused_to_everybody(api: APIClient) -> None:
    pk = make_alert()

    assert api.post(f"{LIST}{pk}/forgotten/").status_code == 403
    assert api.put(f"{LIST}{pk}/", {}).status_code == 403


def test_a_plain_view_names_its_methods() -> None:
    client = client_of()

    assert client.post("/api/v1/write/", {}).status_code == 201
    assert client.get("/api/v1/write/").status_code == 405


def test_a_method_that_does_not_exist_is_no_question_of_permission() -> None:
    assert client_of().put(LIST, {}).status_code == 405


def test_a_deactivated_account_stays_outside() -> None:
    user = User.objects.create_user("gone@example.com", is_active=False)
    client = APIClient()
    client.force_login(user)

    assert client.get(LIST).status_code == 401
