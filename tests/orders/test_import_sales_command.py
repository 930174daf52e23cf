"""`manage.py import_sales`: what it says and does, and what it refuses."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inventory.models import Location, Product
from orders.models import Order, SalesImport
from tests.orders.sales_files import sales

pytestmark = pytest.mark.django_db


@pytest.fixture
def bakery() -> Location:
    return Location.objects.create(name="Bakery", time_zone="Europe/London")


@pytest.fixture
def file(tmp_path: Path, bakery: Location) -> Path:
    path = tmp_path / "till.csv"
    path.write_bytes(
        sales(
            "2017-05-01,10:00,1,Tea",
            "2017-05-01,10:00,1,Tea",
            "2017-05-01,10:05,2,NONE",
            "2017-05-02,11:30,3,Scone",
        )
    )
    return path


def run(path: Path, *options: str) -> list[str]:
    out, err = StringIO(), StringIO()
    call_command("import_sales", str(path), *options, stdout=out, stderr=err)
    return [*err.getvalue().splitlines(), *out.getvalue().splitlines()]


def refusal(path: Path, *options: str) -> tuple[list[str], list[str]]:
    """Why it is refused, and what was said before; nothing has changed."""
    before = Order.objects.count(), SalesImport.objects.count(), Product.objects.count()
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("import_sales", str(path), *options, stdout=out, stderr=err)
    assert (Order.objects.count(), SalesImport.objects.count(), Product.objects.count()) == before
    return str(caught.value).splitlines(), err.getvalue().splitlines()


def test_it_says_what_the_file_holds_and_what_was_imported(file: Path) -> None:
    assert run(file) == [
        "Location: Bakery",
        "Lines: 4",
        "Orders: 2",
        "Items: 3",
        "Period: 1 May 2017, 10:00 – 2 May 2017, 11:30",
        "Lines of NONE, skipped: 1",
        "New products, unlisted and without a price: 2 (Scone, Tea)",
        "2 orders imported.",
    ]
    done = SalesImport.objects.get()
    assert (done.file_name, done.door, done.status, done.imported_count) == ("till.csv", "command", "finished", 2)


def test_a_second_run_says_that_all_is_there(file: Path) -> None:
    run(file)
    again = run(file)

    assert again[0].startswith("This very file was imported on ")
    assert again[-1] == "Nothing to import: 2 already there."
    assert Order.objects.count() == 2


def test_what_was_there_is_counted(file: Path) -> None:
    run(file)
    with file.open("a") as more:
        more.write("2017-05-03,09:00,4,Tea\n")

    assert run(file)[-1] == "1 order imported, 2 already there."


def test_a_dry_run_only_says_it(file: Path) -> None:
    said = run(file, "--dry-run")

    assert said[:4] == ["Location: Bakery", "Lines: 4", "Orders: 2", "Items: 3"]
    assert not Order.objects.exists()
    assert not SalesImport.objects.exists()


def test_wrong_lines_are_named_and_stop_it_until_they_are_left_out(file: Path) -> None:
    with file.open("a") as more:
        more.write("2017-05-03,09:00,4\n" * 25)

    why, told = refusal(file)
    assert why == [
        "25 lines are wrong. Correct them, or leave out their transactions.",
        "Options: --leave-out-wrong",
        "Nothing has been imported.",
    ]
    assert told[0] == "Line 6: 3 cells instead of 4. A name with a comma needs quotation marks."
    assert (len(told), told[-1]) == (21, "And 5 more lines.")

    assert run(file, "--leave-out-wrong")[-1] == "2 orders imported."


def test_dates_that_could_mean_two_things_are_refused_with_the_option_that_helps(file: Path) -> None:
    file.write_bytes(sales("01/02/2017,10:00,1,Tea"))

    why, _told = refusal(file)
    assert why[1:] == [
        "Options: --date-format YYYY-MM-DD|DD.MM.YYYY|DD/MM/YYYY|MM/DD/YYYY",
        "Nothing has been imported.",
    ]

    assert run(file, "--date-format", "MM/DD/YYYY")[4] == "Period: 2 Jan 2017, 10:00 – 2 Jan 2017, 10:00"


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"a;b\n1;2\n", "Date,Time\n".encode("utf-16")])
def test_what_is_no_file_of_sales_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    why, _told = refusal(file)
    assert why[-1] == "Nothing has been imported."


def test_a_file_that_is_not_there_is_refused(file: Path) -> None:
    assert refusal(file.parent / "none.csv")[0][0].startswith("There is no file ")
    assert refusal(file.parent)[0][0].endswith("is a folder. Name a CSV file in it.")


def test_the_location_is_the_first_open_one_or_the_one_that_is_named(file: Path, bakery: Location) -> None:
    river = Location.objects.create(name="Riverside")
    closed = Location.objects.create(name="Harbour", is_active=False)

    for option, place in (("", bakery), ("riverside", river), (str(closed.pk), closed)):
        run(file, *(["--location", option] if option else []))
        assert Order.objects.latest("pk").location == place

    assert refusal(file, "--location", "Moon")[0] == [
        "There is no location “Moon”. Locations: Bakery, Riverside, Harbour."
    ]
    Location.objects.update(is_active=False)
    assert refusal(file)[0] == ["The shop has no open location yet. Add one first."]


def test_a_till_counts_for_itself(file: Path) -> None:
    run(file)
    assert run(file, "--till", "garden")[-1] == "2 orders imported."


def test_windows_1251_is_read_and_said(file: Path) -> None:
    file.write_bytes(sales("2017-05-01,10:00,1,Чай с молоком").decode().encode("cp1251"))

    assert run(file)[0] == "The file is not UTF-8 and was read as windows-1251: check the names."
    assert Product.objects.get().name == "Чай с молоком"


def test_who_watches_sees_how_far_it_is(file: Path, monkeypatch: Any) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    call_command("import_sales", str(file), stdout=out)

    assert "\r2 / 2 \n" in out.getvalue()
