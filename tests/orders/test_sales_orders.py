"""What the lines of a file of sales become: orders, and errors by line. No database."""

import datetime
import tracemalloc
from pathlib import Path

import pytest

from inventory.models import Location
from orders.errors import WrongSalesFile
from orders.sales_file import SalesFile, open_sales
from orders.sales_orders import ERRORS_KEPT, Findings, SalesOrder, as_json, from_json, orders_of
from tests.orders.sales_files import read, sales

NOW = datetime.datetime(2017, 6, 1, 12, tzinfo=datetime.UTC)


def taken(
    *lines: str, zone: str = "Europe/London", location_id: int = 3, till: str = "", now: datetime.datetime = NOW
) -> tuple[list[SalesOrder], Findings]:
    """The orders of these lines, and what was found on the way."""
    return taken_from(read(sales(*lines)), zone=zone, location_id=location_id, till=till, now=now)


def taken_from(
    file: SalesFile, *, zone: str = "UTC", location_id: int = 3, till: str = "", now: datetime.datetime = NOW
) -> tuple[list[SalesOrder], Findings]:
    findings = Findings()
    location = Location(pk=location_id, name="Bakery", time_zone=zone)
    return list(orders_of(file, location=location, till=till, now=now, findings=findings)), findings


def told(*lines: str, **more: str) -> dict[int, str]:
    """{line: what is wrong with it}."""
    return dict(taken(*lines, **more)[1].errors)


def test_equal_items_of_a_transaction_become_one_line_with_a_quantity() -> None:
    orders, findings = taken(
        "2016-10-30,10:05:34,2,Scandinavian",
        "2016-10-30,10:05:34,2,Bread",
        "2016-10-30,10:05:34,2, SCANDINAVIAN ",
        "2016-10-30,10:07:57,3,Hot chocolate",
    )

    assert [(order.transaction, order.line, order.items) for order in orders] == [
        ("2", 2, (("Scandinavian", 2), ("Bread", 1))),
        ("3", 5, (("Hot chocolate", 1),)),
    ]
    assert (findings.lines, findings.orders, findings.items, findings.wrong) == (4, 2, 4, 0)
    assert findings.names == {"scandinavian": "Scandinavian", "bread": "Bread", "hot chocolate": "Hot chocolate"}


def test_times_are_those_of_the_locations_clocks() -> None:
    winter, summer = "2016-12-01,09:58,1,Tea", "2017-05-01,9:58:11,2,Tea"

    (first, second), findings = taken(winter, summer)

    assert first.placed_at == datetime.datetime(2016, 12, 1, 9, 58, tzinfo=datetime.UTC)
    assert second.placed_at == datetime.datetime(2017, 5, 1, 8, 58, 11, tzinfo=datetime.UTC)
    assert (findings.first_at, findings.last_at) == (first.placed_at, second.placed_at)
    (there,), _findings = taken(winter, zone="Asia/Bangkok")
    assert there.placed_at == datetime.datetime(2016, 12, 1, 2, 58, tzinfo=datetime.UTC)


def test_lines_without_an_item_are_counted_and_skipped() -> None:
    orders, findings = taken(
        "2016-10-30,10:00,1,NONE", "2016-10-30,10:00,1,Tea", "2016-10-30,10:05,2,none", "2016-10-30,10:07,3,Nonetheless"
    )

    assert [order.items for order in orders] == [(("Tea", 1),), (("Nonetheless", 1),)]
    assert (findings.none, findings.wrong, findings.left_out) == (2, 0, 0)


def test_lines_of_a_transaction_belong_together_however_they_stand_among_those_of_their_date() -> None:
    orders, findings = taken(
        "2016-10-30,10:05,2,Tea", "2016-10-30,10:00,1,Tea", "2016-10-30,10:04,2,Cake", "2016-10-31,09:00,4,Tea"
    )

    assert [(order.transaction, order.items) for order in orders] == [
        ("1", (("Tea", 1),)),
        ("2", (("Tea", 1), ("Cake", 1))),
        ("4", (("Tea", 1),)),
    ]
    assert [f"{order.placed_at:%H:%M}" for order in orders] == ["10:00", "10:04", "09:00"], "the earliest of its times"
    assert findings.notices() == []


def test_dates_may_run_backwards_but_not_come_again() -> None:
    orders, _findings = taken("2016-10-31,10:00,2,Tea", "2016-10-30,10:00,1,Tea")
    assert [order.transaction for order in orders] == ["2", "1"]

    with pytest.raises(WrongSalesFile, match=r"Line 4 is of 2016-10-31 again, after lines of another date\. Sort"):
        taken("2016-10-31,10:00,2,Tea", "2016-10-30,10:00,1,Tea", "2016-10-31,10:00,2,Cake")


def test_the_same_number_on_another_date_is_another_order_and_said_where_one_goes_on() -> None:
    orders, findings = taken("2016-10-30,23:59,7,Tea", "2016-10-31,00:01,7,Cake", "2016-10-31,09:00,1,Tea")

    assert [(order.transaction, order.items) for order in orders] == [
        ("7", (("Tea", 1),)),
        ("7", (("Cake", 1),)),
        ("1", (("Tea", 1),)),
    ]
    assert findings.notices() == [
        "1 transaction goes on with the same number on another date: that is an order of its own."
    ]


def test_a_key_tells_location_till_time_and_transaction_apart_and_not_the_time_zone() -> None:
    line = "2016-10-30,10:00,1,Tea"

    def key(line: str = line, **more: str | int) -> str:
        return taken(line, **more)[0][0].key  # type: ignore[arg-type]

    assert key() == "3\t2016-10-30T10:00:00\t\t1"
    assert key(zone="Asia/Tokyo") == key("2016-10-30,10:00:00,1,Cake") == key()
    others = [key(location_id=4), key(till="2"), key("2016-10-30,10:01,1,Tea"), key("2016-10-30,10:00,2,Tea")]
    assert len({key(), *others}) == 5


def test_what_waits_in_a_part_is_what_was_read() -> None:
    orders, _findings = taken("2016-10-30,10:00,1,Tea", "2016-10-30,10:00,1,Чай", "2016-10-30,10:00:30,2,Tea")

    assert from_json(as_json(orders)) == orders


# --- wrong lines: each is told, and leaves out its whole transaction ---


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("2016-10-30,10:00,2", "3 cells instead of 4. A name with a comma needs quotation marks."),
        ("2016-10-30,10:00,2,Cake, large", "5 cells instead of 4. A name with a comma needs quotation marks."),
        ("2016-10-32,10:00,2,Tea", "The date “2016-10-32” is not one. Here dates are written YYYY-MM-DD."),
        (",10:00,2,Tea", "The date “” is not one. Here dates are written YYYY-MM-DD."),
        ("1666-09-02,10:00,2,Tea", "The date 1666-09-02 is too long ago to be right."),
        ("2017-06-02,10:00,2,Tea", "The date 2017-06-02 lies in the future."),
        ("2016-10-30,10:00,,Tea", "The transaction is missing. Fill it in."),
        (f"2016-10-30,10:00,{'2' * 41},Tea", f"The transaction “{'2' * 41}” has 41 characters. Use at most 40."),
        ("2016-10-30,25:00,2,Tea", "The time “25:00” is not one. Write it like 09:58 or 09:58:11."),
        ("2016-10-30,10:00 AM,2,Tea", "The time “10:00 AM” is not one. Write it like 09:58 or 09:58:11."),
        ("2016-10-30,,2,Tea", "The time “” is not one. Write it like 09:58 or 09:58:11."),
        ("2016-10-30,10:00,2,", "The item is missing. Fill it in, or write NONE."),
        (f"2016-10-30,10:00,2,{'ы' * 151}", f"The item “{'ы' * 60}…” has 151 characters. Use at most 150."),
    ],
)
def test_a_wrong_line_is_told_and_the_others_are_read(line: str, sentence: str) -> None:
    orders, findings = taken("2016-10-30,09:00,1,Tea", line, "2016-10-30,11:00,3,Tea")

    assert findings.errors == [(3, sentence)]
    assert findings.wrong == 1
    assert [order.transaction for order in orders] == ["1", "3"]


@pytest.mark.parametrize(
    "line",
    [
        "2016-10-30,10:00,2",
        "2016-10-30,10:00,2,Cake, large",
        "2016-13-30,10:00,2,Cake",
        "2016-10-30,2 pm,2,Cake",
        "2016-10-30,10:00,2,",
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "between", "last"])
def test_a_wrong_line_leaves_out_its_whole_transaction(line: str, place: int) -> None:
    transaction = ["2016-10-30,10:00,2,Tea", "2016-10-30,10:00,2,Bread"]
    transaction.insert(place, line)

    orders, findings = taken("2016-10-30,09:00,1,Tea", *transaction, "2016-10-30,11:00,3,Tea")

    assert [order.transaction for order in orders] == ["1", "3"]
    assert (findings.wrong, findings.left_out, findings.orders) == (1, 1, 2)
    assert findings.names == {"tea": "Tea"}, "what is left out makes no product"


def test_the_number_of_kept_errors_is_bounded() -> None:
    orders, findings = taken(*["2016-10-30,10:00,1"] * (ERRORS_KEPT + 50), "2016-10-30,10:00,2,Tea")

    assert (len(findings.errors), findings.wrong) == (ERRORS_KEPT, ERRORS_KEPT + 50)
    assert len(orders) == 1


def test_a_moment_that_no_clock_showed_is_wrong() -> None:
    night = ["2017-03-26,00:59:59,1,Tea", "2017-03-26,01:30:00,2,Tea", "2017-03-26,02:00:00,3,Tea"]

    orders, findings = taken(*night)

    assert [order.transaction for order in orders] == ["1", "3"]
    assert findings.errors == [(3, "01:30 was on no clock in Europe/London on that date: clocks were put forward.")]
    assert findings.left_out == 1
    assert told(*night, zone="Asia/Bangkok") == {}


def test_of_a_moment_that_came_twice_the_first_is_taken_and_that_is_said() -> None:
    orders, findings = taken("2016-10-30,01:30,1,Tea", "2016-10-30,02:30,2,Tea")

    assert [order.placed_at.hour for order in orders] == [0, 2]
    assert findings.wrong == 0
    assert findings.notices() == [
        "1 order was placed in an hour that came twice, when the clocks were put back: the first of the two is taken."
    ]


def test_a_moment_later_today_lies_in_the_future() -> None:
    orders, findings = taken("2017-06-01,12:59,1,Tea", "2017-06-01,13:01,2,Tea", zone="Europe/London")

    assert [order.transaction for order in orders] == ["1"]
    assert findings.errors == [(3, "The moment 2017-06-01 13:01:00 lies in the future.")]


def test_a_file_with_the_columns_mixed_up_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.sales_orders.MOST_NAMES", 10)
    with pytest.raises(WrongSalesFile, match="more than 10 different items"):
        taken(*(f"2016-10-30,10:00,{number},Tea {number}" for number in range(12)))
    monkeypatch.setattr("orders.sales_orders.MOST_LINES_OF_A_DAY", 10)
    with pytest.raises(WrongSalesFile, match="Line 12: more than 10 lines of one date"):
        taken(*["2016-10-30,10:00,1,Tea"] * 12)


# --- however large the file is ---


def long_file(days: int) -> bytes:
    """Many days with a hundred sales each, about 3 kB a day."""
    first = datetime.date(1980, 1, 1)
    return sales(
        *(
            f"{first + datetime.timedelta(days=day)},{8 + number // 60:02}:{number % 60:02},{number},Tea {number % 40}"
            for day in range(days)
            for number in range(100)
        )
    )


def peak_of(path: Path, days: int) -> tuple[int, int]:
    """The most memory that reading such a file takes, and how many orders are in it."""
    path.write_bytes(long_file(days))
    tracemalloc.start()
    try:
        with open_sales(path) as file:
            return peak_and_number(file)
    finally:
        tracemalloc.stop()


def peak_and_number(file: SalesFile) -> tuple[int, int]:
    location = Location(pk=3, name="Bakery", time_zone="UTC")
    number = sum(1 for _order in orders_of(file, location=location, till="", now=NOW, findings=Findings()))
    return tracemalloc.get_traced_memory()[1], number


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.sales_file.PIECE", 16 * 1024)
    path = tmp_path / "long.csv"
    small, number = peak_of(path, 50)
    large, four_times = peak_of(path, 200)

    assert four_times == 4 * number == 20_000
    assert large < small + 100_000 < path.stat().st_size
