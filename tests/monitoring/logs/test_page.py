"""The page "Logs", and the way to it from an alert about an error."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.asserts import assertContains, assertNotContains
from pytest_django.fixtures import DjangoAssertNumQueries

from foundation.models import Shop
from foundation.shop import remember_shop
from monitoring.logs.raising import EVENT
from monitoring.models import Alert
from tests.monitoring.logs.written import line_of
from users.models import User

pytestmark = pytest.mark.django_db

PAGE = "/admin/monitoring/alert/logs/"
TRACE = 'Traceback (most recent call last):\n  File "<shop>", line 1\nValueError: no tea & no milk'


@pytest.fixture
def logs(tmp_path: Path, settings: Settings) -> Path:
    settings.LOG_DIR = tmp_path
    failed = line_of("request_failed", level="error", request="GET /tea/", request_id="r-1", exception=TRACE)
    (tmp_path / "app.jsonl").write_text(
        line_of("request_finished", request="GET /menu/", code=200, request_id="r-0")
        + failed
        + line_of("task_started", program="worker", request_id="r-1", task_id="t-1")
        + line_of("<script>alert(1)</script>", level="warning")
    )
    (tmp_path / "errors.jsonl").write_text(failed)
    return tmp_path


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin@shop.example", "secret-tea-pot"))
    return client


def test_the_newest_lines_are_shown_with_their_counts(
    admin: Client, logs: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(25):
        page = admin.get(PAGE)
    assert [row["line"].event for row in page.context["rows"]] == [
        "<script>alert(1)</script>",
        "task_started",
        "request_failed",
        "request_finished",
    ]
    assert [(chip["label"], chip["number"]) for chip in page.context["levels"]] == [
        ("error", 1),
        ("warning", 1),
        ("info", 2),
    ]
    assert [(chip["label"], chip["number"]) for chip in page.context["programs"]] == [("web", 3), ("worker", 1)]
    assertContains(page, "&lt;script&gt;alert(1)&lt;/script&gt;")
    assertNotContains(page, "<script>alert(1)")
    assertContains(page, "ValueError: no tea &amp; no milk")


def test_a_search_keeps_what_the_links_chose_and_the_other_way_round(admin: Client, logs: Path) -> None:
    page = admin.get(PAGE, {"request": "r-1", "level": "error"})
    assert [row["line"].event for row in page.context["rows"]] == ["request_failed"]
    assertContains(page, '<input type="hidden" name="level" value="error">', html=True)
    (level,) = [chip for chip in page.context["levels"] if chip["is_on"]]
    assert level["url"] == "?request=r-1"
    # The line's own link would lead to this very page.
    assert page.context["rows"][0]["request_url"] == ""
    found = admin.get(PAGE, {"text": "/MENU/"}).context["rows"]
    assert [row["request_url"] for row in found] == ["?request=r-0"]


@pytest.mark.parametrize("asked", [{"since": "never"}, {"before": "x-y"}, {"level": "loud"}, {"text": "x" * 300}])
def test_what_makes_no_sense_is_no_error(admin: Client, logs: Path, asked: dict[str, str]) -> None:
    assert admin.get(PAGE, asked).status_code == 200


def test_moments_are_meant_by_the_shops_clocks(admin: Client, logs: Path) -> None:
    remember_shop(Shop(name="Tea", currency="THB", time_zone="Asia/Bangkok", phone_region="TH"))
    (logs / "app.jsonl").write_text(line_of("at nine there", at=datetime(2026, 5, 1, 2, tzinfo=UTC)))
    page = admin.get(PAGE, {"since": "2026-05-01T08:59", "until": "2026-05-01T09:01"})
    assertContains(page, "1 May 2026, 09:00:00")
    assert admin.get(PAGE, {"since": "2026-05-01T09:01"}).context["rows"] == []


def test_without_files_the_page_says_what_to_do(admin: Client, settings: Settings, tmp_path: Path) -> None:
    settings.LOG_DIR = None
    assertContains(admin.get(PAGE), "Set LOG_DIR to a folder.")
    settings.LOG_DIR = tmp_path / "nowhere"
    assertContains(admin.get(PAGE), "There are no files of the log")


def test_an_alert_about_an_error_leads_to_its_lines(admin: Client, logs: Path) -> None:
    details = {"request_id": "r-1", "error_at": "orders/tea.py brew", "trace": TRACE, "what": "w", "program": "web"}
    alert = Alert.objects.create(event=EVENT, severity="error", subject="s", message="m", details=details)
    page = admin.get(f"/admin/monitoring/alert/{alert.pk}/change/")
    assertContains(page, f'href="{PAGE}?request=r-1"')
    assertContains(page, f'href="{PAGE}?level=error&amp;text=orders%2Ftea.py+brew"')
    assertContains(page, "ValueError: no tea &amp; no milk")

    other = Alert.objects.create(event="test.low", severity="error", subject="s", message="m")
    assertNotContains(admin.get(f"/admin/monitoring/alert/{other.pk}/change/"), "What the log says")
