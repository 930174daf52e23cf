"""Alerts in the admin: read by who may, acknowledged by who may, written by nobody."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from monitoring.models import Alert
from monitoring.services.alerts import AlertText, notify, notify_many
from tests.monitoring.conftest import LOW
from users.models import User

pytestmark = pytest.mark.django_db

LIST = "/admin/monitoring/alert/"


def signed_in(*codenames: str) -> Client:
    user = User.objects.create_user("manager@example.com", is_staff=True, name="Maria")
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="monitoring", codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def acknowledge(client: Client, *pks: int) -> str:
    response = client.post(LIST, {"action": "acknowledge", "_selected_action": pks}, follow=True)
    return response.content.decode()


def test_the_list_shows_severity_and_title(client: Client) -> None:
    notify(event=LOW, subject="milk", message="Milk is low")

    page = signed_in("view_alert").get(LIST).content.decode()

    for text in ("warning", "Low stock", "Milk is low", "open"):
        assert text in page


def test_the_page_shows_a_sentence_first_and_what_programs_know_below() -> None:
    notify(
        event=LOW, subject="2:23", message="Milk is low", details={"name": "Milk <3%", "left": "5", "of": ["a", "b"]}
    )
    page = signed_in("view_alert").get(f"{LIST}{Alert.objects.get().pk}/change/").content.decode()
    assert page.index("Milk is low") < page.index("What programs know of it") < page.index("2:23")
    assert "<div><dt>left</dt><dd>5</dd></div><div><dt>name</dt><dd>Milk &lt;3%</dd></div>" in page
    assert "<div><dt>of</dt><dd>a, b</dd></div>" in page


def test_an_alert_of_an_app_that_is_gone_shows_its_name() -> None:
    Alert.objects.create(event="gone.event", severity="info", message="m")

    assert "gone.event" in signed_in("view_alert").get(LIST).content.decode()


def test_open_and_resolved_ones_are_told_apart() -> None:
    notify(event=LOW, subject="milk", message="Milk is low")
    Alert.objects.create(event=LOW, severity="info", subject="tea", message="Tea was low", resolved_at=timezone.now())
    client = signed_in("view_alert")

    still_open = client.get(f"{LIST}?open=yes").content.decode()
    resolved = client.get(f"{LIST}?open=no").content.decode()

    assert ("Milk is low" in still_open, "Tea was low" in still_open) == (True, False)
    assert ("Milk is low" in resolved, "Tea was low" in resolved) == (False, True)


def test_who_may_acknowledges() -> None:
    notify_many(event=LOW, alerts=[AlertText("milk", "m"), AlertText("tea", "m")])
    milk = Alert.objects.get(subject="milk")
    client = signed_in("view_alert", "acknowledge_alert")

    page = acknowledge(client, milk.pk)

    assert "1 alert acknowledged." in page
    assert "seen by Maria" in page
    assert list(Alert.objects.filter(acknowledged_at=None).values_list("subject", flat=True)) == ["tea"]


def test_who_may_only_look_acknowledges_nothing_even_by_a_hand_made_post() -> None:
    notify(event=LOW, subject="milk", message="m")
    client = signed_in("view_alert")

    acknowledge(client, Alert.objects.get().pk)

    assert Alert.objects.get().acknowledged_at is None


def test_nobody_writes_an_alert_by_hand(admin_client: Client) -> None:
    notify(event=LOW, subject="milk", message="Milk is low")
    pk = Alert.objects.get().pk

    page = admin_client.get(f"{LIST}{pk}/change/")
    assert page.status_code == 200
    assert b'name="message"' not in page.content
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(f"{LIST}{pk}/change/", {"message": "other"}).status_code == 403
    assert admin_client.post(f"{LIST}{pk}/delete/", {"post": "yes"}).status_code == 403
    assert Alert.objects.get().message == "Milk is low"


def test_without_the_permission_the_list_is_closed() -> None:
    assert signed_in().get(LIST).status_code == 403
