"""Every alert that the shop may raise arrives in a chat and at a program, once and in order."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone, translation

from monitoring.models import Alert, Channel
from monitoring.registry import events
from monitoring.services.alerts import notify, resolve
from monitoring.services.channels import add_channel
from monitoring.services.dispatch import plan_deliveries
from monitoring.services.rules import add_rule
from monitoring.services.sending import send_due
from tests.marketplaces.faulty_server import FaultyServer, Reply, faulty_server
from tests.monitoring.bot_api import TOKEN, BotApiStandin, bot_api

pytestmark = pytest.mark.django_db
CHAT = 4711
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def telegram(settings: Any) -> Iterator[BotApiStandin]:
    with bot_api() as standin:
        settings.TELEGRAM_API_URL = standin.url
        standin.add_chat(CHAT, first_name="Ann")
        yield standin


@pytest.fixture
def program() -> Iterator[FaultyServer]:
    with faulty_server() as server:
        server.answer(Reply(200, {}))
        yield server


@pytest.fixture
def channels(telegram: BotApiStandin, program: FaultyServer) -> list[Channel]:
    now = timezone.now()
    made = [
        add_channel(
            kind="telegram", name="Chat", address=str(CHAT), secret=TOKEN, language="ru", hourly_limit=1000, at=now
        ),
        add_channel(kind="webhook", name="Program", address=f"{program.url}/hook", hourly_limit=1000, at=now),
    ]
    add_rule(name="Everything", severity="info", channel_ids=[one.pk for one in made], at=now)
    return made


def watch(at: datetime.datetime) -> None:
    plan_deliveries(at=at)
    send_due(sender="test", at=at)


@pytest.mark.usefixtures("channels")
def test_all_of_them_at_once_are_one_message_and_their_end_another(
    telegram: BotApiStandin, program: FaultyServer
) -> None:
    now = timezone.now()
    names = [event.name for event in events.all()]
    for name in names:
        notify(event=name, subject="it", message=f"What {name} says.")
    watch(now)
    watch(now + MINUTE)
    told = [alert["event"] for request in program.received for alert in request.json["data"]["alerts"]]
    assert told == names
    for name in names:
        resolve(event=name, subjects=["it"])
    watch(now + MINUTE)
    watch(now + 2 * MINUTE)
    watch(now + 3 * MINUTE)
    lasting = [event.name for event in events.all() if not event.is_news]
    over = program.received[-1].json["data"]["alerts"]
    assert [alert["event"] for alert in over] == lasting
    assert {alert["kind"] for alert in over} == {"resolution"}
    assert len(program.received) == len({request.headers["Idempotency-Key"] for request in program.received}) == 2
    assert len(telegram.texts(CHAT)) == 2


@pytest.mark.usefixtures("channels")
def test_one_alone_says_its_title_and_its_sentence(telegram: BotApiStandin, program: FaultyServer) -> None:
    now = timezone.now()
    for event in events.all():
        notify(event=event.name, message="What happened.")
        watch(now)
        watch(now := now + MINUTE)
        title = f"{str(event.severity.label).capitalize()}: {event.title} – "
        assert program.received[-1].json["title"].startswith(title)
        with translation.override("ru"):
            title = f"{str(event.severity.label).capitalize()}: {event.title} – "
        assert telegram.texts(CHAT)[-1].startswith(title)
        assert "What happened." in telegram.texts(CHAT)[-1]
    assert len(program.received) == len(telegram.texts(CHAT)) == len(events.all())
    assert not Alert.objects.filter(dispatched_at=None).exists()
