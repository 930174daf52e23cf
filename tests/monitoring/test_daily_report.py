"""Daily reports: each is made once, said in each channel's language, and one broken section spoils no other."""

import datetime as dt
import threading
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.db import connection, connections
from PIL import Image

from monitoring import registry as watched
from monitoring.errors import AlreadyRegistered, CheckFailed
from monitoring.models import Channel, DailyReport, Delivery
from monitoring.registry import Check
from monitoring.report import registry
from monitoring.report.chart import day_chart
from monitoring.report.picture import picture_of
from monitoring.report.registry import Asked, Hours, Place, ReportSection, Shown, Slot
from monitoring.services.alerts import notify, resolve
from monitoring.services.dispatch import post_message
from monitoring.services.reports import make_report, send_due_reports
from monitoring.services.sending import send_due
from tests.monitoring.conftest import LATE, LOW
from tests.monitoring.receiver import Receiver
from tests.monitoring.watching import receiver  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 5, 1)
EVENING = dt.datetime(2026, 5, 1, 22, 30, tzinfo=dt.UTC)
HOURS = Hours(
    DAY, DAY - dt.timedelta(days=7), [Slot("10", Decimal(120), Decimal(60)), Slot("11", Decimal(0), Decimal(30))]
)


def bounds(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    start = dt.datetime.combine(day, dt.time(0), tzinfo=dt.UTC)
    return start, start + dt.timedelta(days=1)


def place(key: str = "1", name: str = "Quay") -> Place:
    return Place(key, name, "UTC", dt.time(0), dt.time(22, 30), bounds)


def section(name: str = "sales", order: int = 1, **more: Any) -> ReportSection:
    given: dict[str, Any] = {
        "build": lambda asked: {"sold": 3},
        "show": lambda figures: Shown(sentence=f"{figures['sold']} sold"),
        "brief": lambda figures: [f"{name}: {figures['sold']}"],
        **more,
    }
    return ReportSection(name=name, title=name.title(), order=order, **given)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """One place, and no sections but the test's; no checks."""
    places = [place()]
    monkeypatch.setattr(registry._sections, "entries", {})
    monkeypatch.setattr(registry, "_providers", [lambda: places])
    monkeypatch.setattr(watched.checks, "entries", {})
    return places


def channel(name: str, kind: str = "telegram", language: str = "en", **more: Any) -> Channel:
    given = {"gets_daily_report": True, **more}
    return Channel.objects.create(name=name, kind=kind, address="1", language=language, **given)


def test_a_report_is_made_when_its_hour_has_come_and_only_once() -> None:
    registry.register_section(section())
    channel("Managers")

    assert send_due_reports(at=EVENING - dt.timedelta(minutes=1)) == []
    [report] = send_due_reports(at=EVENING)
    assert send_due_reports(at=EVENING + dt.timedelta(minutes=1)) == []

    assert (report.place, report.day, report.until) == ("1", DAY, EVENING)
    assert report.data == {"sections": [{"name": "sales", "figures": {"sold": 3}}]}
    [message] = report.deliveries.all()
    assert (message.kind, message.status, message.title, message.text) == (
        "report",
        "waiting",
        "Report of Fri, 1 May",
        "sales: 3",
    )
    assert message.rendered_at is not None, "its words stand: it gathers no alerts"


def test_a_lost_evening_is_made_up_for_with_the_whole_of_what_happened() -> None:
    registry.register_section(section(build=lambda asked: {"sold": 3, "is_whole": asked.is_whole}))

    [report] = send_due_reports(at=EVENING + dt.timedelta(hours=3))

    assert (report.day, report.until) == (DAY, bounds(DAY)[1])
    assert report.data["sections"][0]["figures"]["is_whole"] is True


def test_each_channel_is_told_in_its_language_and_who_gets_no_reports_is_not() -> None:
    registry.register_section(section(chart=lambda figures: HOURS))
    channel("Managers")
    channel("Владелец", language="ru")
    channel("Kitchen", gets_daily_report=False)
    channel("Old", is_enabled=False)

    [report] = send_due_reports(at=EVENING)

    told = {one.channel.name: one for one in report.deliveries.select_related("channel")}
    assert set(told) == {"Managers", "Владелец"}
    assert "1 May" in told["Managers"].title
    assert "1 мая" in told["Владелец"].title
    pictures = [bytes(one.picture) for one in told.values()]
    assert pictures[0] != pictures[1], "the words in it are the channel's"
    assert Image.open(BytesIO(pictures[0])).size == (1000, 500)


def test_it_goes_out_with_its_picture_after_what_waited_before(receiver: Receiver) -> None:  # noqa: F811
    registry.register_section(section(chart=lambda figures: HOURS))
    managers = channel("Managers")
    post_message(channel_id=managers.pk, kind=Delivery.Kind.ALERT, title="Alert", text="First", at=EVENING)

    send_due_reports(at=EVENING)
    send_due(sender="watchdog", at=EVENING)
    send_due(sender="watchdog", at=EVENING)

    first, second = receiver.received["Managers"]
    assert first.text == "First"
    assert (second.title, second.text, second.severity) == ("Report of Fri, 1 May", "sales: 3", "info")
    assert second.picture is not None
    assert second.picture.startswith(b"\x89PNG")
    assert (second.data["kind"], second.data["day"]) == ("report", "2026-05-01")


def test_a_channel_whose_address_can_not_be_opened_keeps_nobody_from_being_told() -> None:
    registry.register_section(section())
    channel("Managers")
    lost = channel("Lost")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE monitoring_channel SET address = 'no key opens it' WHERE id = %s", [lost.pk])

    [report] = send_due_reports(at=EVENING)

    assert report.deliveries.count() == 2


def test_a_text_message_is_cut_between_lines_where_three_parts_end() -> None:
    registry.register_section(section(brief=lambda figures: ["a" * 90, "b" * 80, "c" * 30]))
    channel("Owner", kind="sms")

    [report] = send_due_reports(at=EVENING)

    message = report.deliveries.get()
    assert message.text == f"{'a' * 90}\n{'b' * 80}"
    assert len(message.title) + 1 + len(message.text) <= 201


def test_several_places_are_named() -> None:
    registry.register_section(section())
    registry._providers[0]().append(place("2", "Station"))  # type: ignore[attr-defined]
    channel("Managers")

    send_due_reports(at=EVENING)

    assert list(Delivery.objects.order_by("pk").values_list("title", flat=True)) == [
        "Quay: report of Fri, 1 May",
        "Station: report of Fri, 1 May",
    ]


def broken(asked: Asked) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    return {}


def test_a_section_that_fails_is_named_and_the_others_are_told() -> None:
    registry.register_section(section("broken", 1, build=broken))
    registry.register_section(section("odd", 2, build=lambda asked: {"sold": object()}))
    registry.register_section(section("none", 3, build=lambda asked: None))
    registry.register_section(section("sales", 4))
    channel("Managers")

    [report] = send_due_reports(at=EVENING)

    assert report.data["sections"] == [{"name": "broken"}, {"name": "odd"}, {"name": "sales", "figures": {"sold": 3}}]
    assert report.deliveries.get().text.splitlines() == [
        "Broken: could not be read.",
        "Odd: could not be read.",
        "sales: 3",
    ]


def test_a_failure_between_report_and_messages_leaves_neither_and_the_next_try_makes_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry.register_section(section())
    channel("Managers")

    def dies(**arguments: Any) -> None:
        raise RuntimeError("the worker was killed")

    with monkeypatch.context() as patched:
        patched.setattr("monitoring.services.reports.post_message", dies)
        with pytest.raises(RuntimeError):
            send_due_reports(at=EVENING)
    assert not DailyReport.objects.exists()

    [report] = send_due_reports(at=EVENING)
    assert report.deliveries.count() == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_that_find_the_same_report_missing_make_it_once() -> None:
    """Both have looked, and neither found it: only then they meet."""
    meeting = threading.Barrier(2, timeout=20)

    def build(asked: Asked) -> dict[str, Any]:
        meeting.wait()
        return {"sold": 3}

    registry.register_section(section(build=build))
    channel("Managers")
    made: list[DailyReport] = []

    def worker() -> None:
        try:
            made.extend(send_due_reports(at=EVENING))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert (len(made), DailyReport.objects.count(), Delivery.objects.count()) == (1, 1, 1)


def test_the_checks_run_once_for_all_places_and_their_faults_are_told() -> None:
    from monitoring.report import own  # noqa: PLC0415

    runs: list[str] = []

    def full() -> None:
        runs.append("disk")
        raise CheckFailed("The disk is full.")

    watched.register_check(Check("disk", full, title="Disk"))
    own.register()
    registry._providers[0]().append(place("2", "Station"))  # type: ignore[attr-defined]
    channel("Managers")
    notify(event=LATE, message="Late")
    notify(event=LOW, subject="milk", message="Milk is low")
    notify(event=LOW, subject="tea", message="Tea is low")
    resolve(event=LOW, subjects=["tea"])

    first, second = send_due_reports(at=EVENING)

    assert runs == ["disk"]
    figures = first.data["sections"][0]["figures"]
    assert figures["open"] == {"critical": 1, "warning": 1}
    assert [one["message"] for one in figures["alerts"]] == ["Late", "Milk is low"], "the worst first"
    assert second.data == first.data
    assert first.deliveries.get().text == "Health: Disk\n2 open alerts, 1 of them grave"


def test_alerts_that_another_section_tells_of_are_left_out() -> None:
    from monitoring.report import own  # noqa: PLC0415

    own.register()
    registry.register_section(section(events=(LOW,)))
    notify(event=LOW, message="Milk is low")

    report = make_report(place=place(), day=DAY, at=EVENING)

    assert report is not None
    assert report.data["sections"][1]["figures"]["open"] == {}


def test_only_one_app_tells_which_places_there_are() -> None:
    with pytest.raises(AlreadyRegistered):
        registry.register_places(list)


def test_a_chart_shows_the_hours_between_the_first_sale_and_the_last() -> None:
    slots = [Slot(f"{hour:02}", Decimal(0), Decimal(0)) for hour in range(24)]
    slots[9] = Slot("09", Decimal(0), Decimal(300))
    slots[11] = Slot("11", Decimal(450), Decimal(0))

    chart = day_chart(Hours(DAY, DAY, slots))

    assert chart is not None
    assert [hour.label for hour in chart.hours] == ["09", "10", "11"]
    assert [(hour.bar.height, hour.before.height) for hour in chart.hours] == [(0, 66.67), (0, 0), (100, 0)]
    assert [line.amount for line in chart.lines] == [150, 300, 450]
    assert day_chart(Hours(DAY, DAY, [Slot("09", Decimal(0), Decimal(0))])) is None


@pytest.mark.parametrize("count", [1, 2, 25])
def test_a_picture_is_drawn_of_any_day(count: int) -> None:
    slots = [Slot(f"{hour:02}", Decimal("0.01") * hour**5, Decimal(99_999_999 - hour)) for hour in range(1, count + 1)]
    chart = day_chart(Hours(DAY, DAY, slots))
    assert chart is not None

    image = Image.open(BytesIO(picture_of(chart)))

    assert (image.format, image.size) == ("PNG", (1000, 500))
    assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255), "a ground of its own: chats are light or dark"
