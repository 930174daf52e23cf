"""Log lines: one for a request, with its ids, and never a secret or somebody's contact in them."""

import json
import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.test import Client
from django_structlog.celery.receivers import CeleryReceiver
from rest_framework.test import APIClient

from foundation.logs import LONGEST_TEXT, MASK, mask_secrets, mask_text
from users.models import User


def formatted(name: str) -> tuple[logging.Handler, StringIO]:
    """A handler that writes as the settings say for LOG_FORMAT=`name`."""
    options = dict(settings.LOGGING["formatters"][name])
    formatter = options.pop("()")(**options)
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    return handler, stream


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What has been logged so far, as the JSON that production writes."""
    handler, stream = formatted("json")
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)


TOKEN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
FERNET = "gAAAAABh" + "x" * 92
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"Authorization: Token {TOKEN}", TOKEN),
        (f"Authorization: Bearer {JWT}", "eyJ"),
        ("authorization=Basic dXNlcjpwYXNz", "dXNl"),
        (f"sent Token {TOKEN} twice", TOKEN),
        ("password=hunter2 was wrong", "hunter2"),
        ("{'password': 'hunter2', 'a': 1}", "hunter2"),
        ('{"old_password": "hunt\\"er2"}', "er2"),
        ('{"api_key":"hunter2"}', "hunter2"),
        ("api-key: hunter2", "hunter2"),
        ("CLIENT_SECRET=hunter2", "hunter2"),
        ("GET /callback?access_token=hunter2&state=1", "hunter2"),
        ("Set-Cookie: sessionid=hunter2", "hunter2"),
        ("sessionid=abc; csrftoken=hunter2", "hunter2"),
        ("FIELD_ENCRYPTION_KEYS=hunter2", "hunter2"),
        (f"stored {FERNET}", "gAAAA"),
        (f"digest {TOKEN}.", TOKEN),
        ("postgres://samovar:hunter2@db.internal:5432/shop", "hunter2"),
        ("redis://:hunter2@cache/0", "hunter2"),
        ("dear ivan.petrov+tea@mail.example.ru!", "ivan"),
        ("GET /?search=ivan%40mail.ru", "ivan"),
        ("call +7 (916) 123-45-67 now", "123"),
        ("call +66812345678", "8123"),
        ("GET /?phone_like=%2B66812345678", "8123"),
        ("call 89161234567.", "8916"),
        ("call 8 (916) 123-45-67", "916"),
        ("call 081-234-5678", "234"),
        ("call 0812345678", "0812"),
        ("Key (email)=(ivan@mail.ru) already exists.", "ivan"),
    ],
)
def test_secrets_and_contacts_in_a_text_are_masked(text: str, secret: str) -> None:
    assert secret not in mask_text(text)
    assert MASK in mask_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/v1/orders/1234567890/?status=pending",
        "2026-11-21T10:41:59.798108Z",
        "order 2026-000123, total 1250.00",
        str(uuid.UUID("12345678-0123-4567-8901-081234567890")),
        "idempotency key form-1",
        "cursor=WyJhZnRlciIsMV0:abc",
        "the password is wrong",
        "line 812, in dispatch",
        "9999999999999",
        "3.14159265358979",
        "чай 🧋",
    ],
)
def test_ordinary_texts_are_left_alone(text: str) -> None:
    assert mask_text(text) == text


class Order:
    def __repr__(self) -> str:
        return "<Order of ivan@mail.ru>"


def test_values_are_masked_by_their_name_at_any_depth() -> None:
    number = uuid.uuid4()
    event = {
        "event": "order placed",
        "password": "hunter2",
        "Authorization": ["a", "b"],
        "access_token": {"a": 1},
        "api_key": 12345,
        "customer_email": "somebody",
        "phone": 79161234567,
        "email_sent": True,
        "token": None,
        "order": {"id": 5, "customer": {"phone": "x", "credentials": {"a": "b"}, "name": "ivan@mail.ru"}},
        "pair": ("a", {"secret": "b"}),
        "object": Order(),
        "content": b"password=hunter2",
        "error": ValueError("password=hunter2"),
        "total": Decimal("1.50"),
        "count": 89161234567,
        "at": datetime(2026, 5, 1, tzinfo=UTC),
        "uuid": number,
        "_record": "kept as it is: password=hunter2",
    }

    assert mask_secrets(None, "info", event) == {
        "event": "order placed",
        "password": MASK,
        "Authorization": MASK,
        "access_token": MASK,
        "api_key": MASK,
        "customer_email": MASK,
        "phone": MASK,
        "email_sent": True,
        "token": None,
        "order": {"id": 5, "customer": {"phone": MASK, "credentials": MASK, "name": MASK}},
        "pair": ["a", {"secret": MASK}],
        "object": f"<Order of {MASK}>",
        "content": f"password={MASK}",
        "error": f"ValueError('password={MASK}')",
        "total": Decimal("1.50"),
        "count": 89161234567,
        "at": datetime(2026, 5, 1, tzinfo=UTC),
        "uuid": number,
        "_record": "kept as it is: password=hunter2",
    }


def test_a_value_that_contains_itself_is_no_endless_loop() -> None:
    loop: dict[str, Any] = {}
    loop["again"] = loop

    assert "again" in mask_secrets(None, "info", {"loop": loop})["loop"]


@pytest.mark.parametrize(
    "text",
    ["a" * 1_000_000, "a@" * 500_000, "+" + "1 " * 500_000, "password=" * 100_000, '"' * 1_000_000, "eyJ" * 300_000],
)
def test_a_hostile_text_is_cut_before_it_is_read(text: str) -> None:
    assert len(mask_text(text)) <= LONGEST_TEXT * 2


def test_an_exception_is_written_as_text_without_its_secrets(lines: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        raise ValueError("password=hunter2 of ivan@mail.ru")
    except ValueError:
        structlog.get_logger("test").exception("it failed", api_key="hunter2")
        logging.getLogger("test").exception("it failed for %s", "ivan@mail.ru")

    native, foreign = lines()
    assert (native["event"], native["api_key"], native["level"]) == ("it failed", MASK, "error")
    assert foreign["event"] == f"it failed for {MASK}"
    for line in (native, foreign):
        assert line["exception"].startswith("Traceback (most recent call last):")
        assert line["exception"].endswith(f"ValueError: password={MASK} of {MASK}")


def test_lines_for_people_are_masked_too() -> None:
    handler, stream = formatted("console")
    logger = logging.getLogger("test.console")
    logger.addHandler(handler)
    try:
        raise ValueError("password=hunter2")
    except ValueError:
        logger.exception("the token=%s failed", "hunter2")
    finally:
        logger.removeHandler(handler)

    assert "hunter2" not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


@pytest.mark.urls("tests.foundation.small_api")
@pytest.mark.django_db
def test_a_request_is_one_line_with_its_id_its_user_and_its_time(
    lines: Callable[[], list[dict[str, Any]]], api: APIClient, person: User
) -> None:
    response = api.get("/api/v1/alerts/?search=ivan%40mail.ru")

    (line,) = lines()
    assert line["event"] == "request_finished"
    assert line["request"] == f"GET /api/v1/alerts/?search={MASK}"
    assert (line["code"], line["user_id"], line["level"]) == (200, person.pk, "info")
    assert line["request_id"] == response["X-Request-ID"]
    assert line["duration_ms"] > 0
    assert set(line) == {
        "event", "request", "code", "user_id", "level", "request_id", "duration_ms", "logger", "timestamp",
    }  # fmt: skip


@pytest.mark.urls("tests.foundation.small_api")
@pytest.mark.django_db
def test_a_failed_request_is_one_line_with_the_exception(
    lines: Callable[[], list[dict[str, Any]]], person: User
) -> None:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(person)

    response = client.get("/api/v1/raise/mistake/", headers={"Authorization": "Token hunter2"})

    (line,) = lines()
    assert (line["event"], line["code"], line["level"]) == ("request_failed", 500, "error")
    assert line["request_id"] == response["X-Request-ID"] == response.json()["request_id"]
    assert line["exception"].endswith(f"RuntimeError: password={MASK}")
    assert "hunter2" not in json.dumps(line)


@pytest.mark.django_db
def test_an_unknown_page_is_one_line(lines: Callable[[], list[dict[str, Any]]], client: Client) -> None:
    response = client.get("/nothing-here/")

    (line,) = lines()
    assert (line["event"], line["code"], line["request_id"]) == ("request_finished", 404, response["X-Request-ID"])


def test_a_task_is_sent_with_ids_only() -> None:
    with structlog.contextvars.bound_contextvars(request_id="r", user_id=5, basket="large", task_id="t"):
        headers: dict[str, Any] = {}
        CeleryReceiver().receiver_before_task_publish(headers=headers)

    assert headers["__django_structlog__"] == {"request_id": "r", "user_id": 5, "parent_task_id": "t"}


def test_lines_of_a_task_carry_its_id_and_that_of_the_request(lines: Callable[[], list[dict[str, Any]]]) -> None:
    class Task:
        name = "foundation.tasks.forget_old_idempotency_keys"

        class request:  # noqa: N801 (as Celery has it)
            __django_structlog__ = {"request_id": "r", "user_id": 5}

    receiver = CeleryReceiver()
    receiver.receiver_task_prerun("t", Task)
    structlog.get_logger("test").info("at work")
    structlog.contextvars.clear_contextvars()

    started, at_work = lines()
    assert (started["event"], started["task"]) == ("task_started", Task.name)
    assert (at_work["task_id"], at_work["request_id"], at_work["user_id"]) == ("t", "r", 5)
