"""Alerts of what is looked at again and again."""

import pytest

from monitoring.models import Alert
from monitoring.registry import Event, events
from monitoring.services.alerts import AlertText
from monitoring.services.standing import tell_what_stands

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(events.entries, "fire", Event("fire", "error", "Fire"))


def look(*rooms: str, smoke: int = 1, tells_changes: bool = False) -> None:
    alerts = [AlertText(room, f"{room}: smoke {smoke}", {"smoke": smoke}) for room in rooms]
    tell_what_stands(event="fire", alerts=alerts, tells_changes=tells_changes)


def said() -> list[tuple[str, int, bool]]:
    return [(one.message, one.count, one.resolved_at is None) for one in Alert.objects.order_by("id")]


def test_it_opens_once_and_is_closed_when_it_is_over() -> None:
    look("kitchen", "store")
    look("kitchen", "store")
    look("store")
    assert said() == [("kitchen: smoke 1", 1, False), ("store: smoke 1", 1, True)]


def test_what_has_changed_is_said_from_then_on_without_being_news() -> None:
    look("kitchen")
    look("kitchen", smoke=2)
    assert said() == [("kitchen: smoke 2", 1, True)]


def test_where_changes_are_news_they_count() -> None:
    look("kitchen")
    look("kitchen", smoke=2, tells_changes=True)
    look("kitchen", smoke=2, tells_changes=True)
    assert said() == [("kitchen: smoke 2", 2, True)]


def test_what_begins_again_is_a_new_alert() -> None:
    look("kitchen")
    look()
    look("kitchen")
    assert said() == [("kitchen: smoke 1", 1, False), ("kitchen: smoke 1", 1, True)]
