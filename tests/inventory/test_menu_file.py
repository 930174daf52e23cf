"""Menu files as they come: right, odd, and wrong. A wrong one changes nothing and says which line to correct."""

from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from inventory.errors import WrongMenuFile
from inventory.menu_file import MenuRow, read_menu, read_menu_file
from inventory.models import Category, Ingredient, OptionGroup, Product

HEADER = "category,name,price_from_thb,choose_sweetness,choose_toppings"
DEMO_MENU = Path(__file__).resolve().parents[2] / "demo" / "bubble_tea_menu.csv"


def menu(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines, ""]).encode()


def refusal(content: bytes) -> str:
    with pytest.raises(WrongMenuFile) as caught:
        read_menu(content)
    return caught.value.detail


def test_the_demo_menu_is_read_whole():
    file = read_menu_file(DEMO_MENU)
    assert file.encoding == "utf-8"
    assert len(file.rows) == 35
    assert file.rows[0] == MenuRow(2, "Flavored Tea", "Assam Black Tea", Decimal("45.00"), True, True)
    assert file.rows[17] == MenuRow(19, "Milk Tea", "Chocolate Milk", Decimal("70.00"), False, True)
    assert file.rows[-1] == MenuRow(36, "Fresh Milk", "Coffee Jelly Fresh Milk", Decimal("90.00"), False, False)


@pytest.mark.parametrize(
    "content",
    [
        menu("Tea,Чай,45.00,yes,no"),
        b"\xef\xbb\xbf" + menu("Tea,Чай,45.00,yes,no"),
        menu("Tea,Чай,45.00,yes,no").replace(b"\n", b"\r\n"),
        menu("Tea,Чай,45.00,yes,no").rstrip(b"\n"),
        menu("", "Tea,Чай,45.00,yes,no", ",,,,", "").replace(b"\n", b"\r\n"),
        menu("  Tea , Чай ,45.00, YES ,No"),
        menu('Tea,"Чай","45,00",yes,no'),
        menu("Tea,Чай,45,yes,no"),
        menu("Tea;Чай;45,00;yes;no").replace(HEADER.encode(), HEADER.replace(",", ";").encode()),
        menu("Tea\tЧай\t45.0\tyes\tno").replace(HEADER.encode(), HEADER.replace(",", "\t").encode()),
        b"name,category,choose_toppings,choose_sweetness,Price_From_THB\n" + "Чай,Tea,no,yes,45.00\n".encode(),
    ],
    ids=[
        "plain",
        "byte order mark",
        "CRLF",
        "no newline at the end",
        "empty lines",
        "blanks around the cells",
        "quotes and a decimal comma",
        "a whole price",
        "semicolons",
        "tabs",
        "columns in another order",
    ],
)
def test_the_ways_in_which_spreadsheets_write_are_all_read_the_same(content):
    file = read_menu(content)
    (row,) = file.rows
    assert (row.category, row.name, row.price) == ("Tea", "Чай", Decimal("45.00"))
    assert (row.choose_sweetness, row.choose_toppings) == (True, False)
    assert str(row.price) == "45.00"
    assert file.encoding == "utf-8"


def test_windows_1251_is_read_and_said():
    file = read_menu(menu("Чаи,Чай с молоком,45.00,yes,no").decode().encode("cp1251"))
    assert file.encoding == "windows-1251"
    assert file.rows[0].category == "Чаи"
    assert file.rows[0].name == "Чай с молоком"


def test_a_name_may_hold_commas_and_quotes():
    assert read_menu(menu('Tea,"Tea ""No. 1"", large",45.00,yes,no')).rows[0].name == 'Tea "No. 1", large'


def test_a_line_break_in_a_name_is_a_blank_and_lines_are_counted_past_it():
    file = read_menu(menu('Tea,"Black\ntea",45.00,yes,no', "Tea,Green tea,45.00,yes,no"))
    assert [(row.line, row.name) for row in file.rows] == [(2, "Black tea"), (4, "Green tea")]


def test_an_empty_file_is_told_what_its_first_line_must_be():
    for content in (b"", b"\n\n", b"\xef\xbb\xbf", b" , ,\n"):
        assert refusal(content) == f"The file is empty. Its first line must be: {HEADER}"


def test_a_header_without_drinks_is_refused():
    assert refusal(menu()) == "The file has a header but no drinks. Add a line for each drink."


@pytest.mark.parametrize(
    "found",
    [
        "Date,Time,Transaction,Item",
        "category,name,price",
        HEADER + ",colour",
        HEADER + ",name",
        "Tea,Black tea,45.00,yes,no",
    ],
)
def test_a_wrong_header_is_named_with_the_right_one(found):
    sentence = refusal(f"{found}\nTea,Black tea,45.00,yes,no\n".encode())
    assert sentence == f"Line 1: the header must be {HEADER}. Found: {found}. Correct this line."


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused(encoding):
    sentence = refusal(menu("Tea,Чай,45.00,yes,no").decode().encode(encoding))
    assert "Save" in sentence
    assert "CSV UTF-8" in sentence


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"PK\x03\x04\x14\x00\x06\x00",
        menu("Tea,Bl\x00ack,45,yes,no"),
        b"\x98\xff",
    ],
    ids=["a picture", "a spreadsheet", "a NUL byte", "no encoding"],
)
def test_what_is_not_text_is_refused(content):
    assert refusal(content) == "This is not a text file. Save the menu as “CSV UTF-8” and import it again."


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Tea,Black tea,,yes,no", "The price is missing. Write it like 45.00."),
        ("Tea,Black tea,-45.00,yes,no", "The price -45.00 is below 0. Write it like 45.00."),
        ("Tea,Black tea,abc,yes,no", "The price “abc” is not a number. Write it like 45.00."),
        ("Tea,Black tea,฿45,yes,no", "The price “฿45” is not a number. Write it like 45.00."),
        ("Tea,Black tea,1e3,yes,no", "The price “1e3” is not a number. Write it like 45.00."),
        ("Tea,Black tea,NaN,yes,no", "The price “NaN” is not a number. Write it like 45.00."),
        ("Tea,Black tea,٤٥,yes,no", "The price “٤٥” is not a number. Write it like 45.00."),
        ("Tea,Black tea,45.005,yes,no", "The price “45.005” is not a number. Write it like 45.00."),
        ('Tea,Black tea,"1,000",yes,no', "The price “1,000” is not a number. Write it like 45.00."),
        ("Tea,Black tea,99999999,yes,no", "The price 99999999 is above 1000000. Check it."),
        (",Black tea,45.00,yes,no", "The category is missing. Fill it in."),
        ("Tea,,45.00,yes,no", "The name is missing. Fill it in."),
        (
            f"Tea,{'x' * 500},45.00,yes,no",
            f"The name “{'x' * 60}…” has 500 characters. Use at most 150.",
        ),
        (
            f"{'y' * 101},Black tea,45.00,yes,no",
            f"The category “{'y' * 60}…” has 101 characters. Use at most 100.",
        ),
        ("Tea,Black tea,45.00,maybe,no", "choose_sweetness is “maybe”. Write yes or no."),
        ("Tea,Black tea,45.00,yes,", "choose_toppings is “”. Write yes or no."),
        ("Tea,Black tea,45,00,yes,no", "6 cells instead of 5. A name with a comma needs quotation marks."),
        ("Tea,Black tea", "2 cells instead of 5. A name with a comma needs quotation marks."),
        ("Tea,GREEN tea,45.00,yes,no", "“GREEN tea” stands in line 2 already. Keep one of them."),
    ],
)
def test_a_wrong_line_is_named_with_what_to_do(line, sentence):
    content = menu("Tea,Green Tea,45.00,yes,no", line, "Tea,White tea,45.00,yes,no")
    with pytest.raises(WrongMenuFile) as caught:
        read_menu(content)
    assert caught.value.detail == f"Line 3: {sentence}"
    assert caught.value.errors == {"line 3": [sentence]}


def test_all_wrong_lines_are_named_at_once():
    assert refusal(menu("Tea,Black tea,,yes,no", "Tea,Green tea,45.00,yes,no", "Tea,,abc,yes,no")) == (
        "Line 2: The price is missing. Write it like 45.00.\n"
        "Line 4: The name is missing. Fill it in. The price “abc” is not a number. Write it like 45.00."
    )


def test_of_very_many_wrong_lines_twenty_are_named():
    sentences = refusal(menu(*["Tea,Black tea,,yes,no"] * 100)).splitlines()
    assert len(sentences) == 21
    assert sentences[-1] == "And 80 more lines."


def test_an_open_quotation_mark_is_named_with_its_line():
    for wrong in ('Tea,"Black tea,45.00,yes,no', 'Tea,"Black" tea,45.00,yes,no'):
        assert refusal(menu("Tea,Green tea,45.00,yes,no", wrong)) == (
            "Line 3: a quotation mark is open or stands in the wrong place. Write a quote in a name twice."
        )


def test_a_file_far_too_large_is_refused():
    assert refusal(menu("Tea,Black tea,45.00,yes,no") + b"\n" * 3_000_000) == (
        "The file is larger than 2 MB. A menu is smaller: check that this is the right file."
    )


def test_more_than_five_thousand_drinks_are_refused():
    assert refusal(menu(*(f"Tea,Tea {number},45.00,yes,no" for number in range(5001)))) == (
        "A menu has at most 5000 drinks. Split the file."
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty."),
        (b"a,b\n1,2\n", "the header must be"),
        (menu("Tea,Black tea,45.00,yes,no", "Tea,Green tea,,yes,no"), "Line 3: The price is missing."),
        (menu("Tea,Black tea,45.00,yes,no").decode().encode("utf-16"), "UTF-16"),
    ],
)
def test_the_command_refuses_a_wrong_file_and_changes_nothing(tmp_path, content, words):
    path = tmp_path / "menu.csv"
    path.write_bytes(content)
    out = StringIO()
    with pytest.raises(CommandError, match=words) as caught:
        call_command("import_menu", str(path), stdout=out)
    assert str(caught.value).endswith("\nNothing has been changed.")
    assert out.getvalue() == ""
    for model in (Category, Product, Ingredient, OptionGroup):
        assert not model.objects.exists()


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(CommandError, match=r"There is no file .*nowhere\.csv\. Check the path\."):
        call_command("import_menu", str(tmp_path / "nowhere.csv"))
    with pytest.raises(CommandError, match=r"is a folder\. Name a CSV file in it\."):
        call_command("import_menu", str(tmp_path))
    with pytest.raises(CommandError, match="can't be read"):
        call_command("import_menu", "menu\0.csv")
