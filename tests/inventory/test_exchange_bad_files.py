"""Files that can't be read: each is refused with a sentence, and nothing is changed."""

import io
import zipfile
from collections.abc import Iterator

import pytest

from foundation.errors import InvalidInput
from inventory.exchange.limits import LARGEST_FILE, MEGABYTE, MOST_LINES
from inventory.models import Ingredient
from inventory.services.exchange import preview_import
from tests.inventory.spreadsheets import bring_in, csv_file, look_at, outcomes, sheet_of, with_sheet, xlsx_file
from tests.shop import Shop

pytestmark = pytest.mark.django_db
HEADER = ("name", "unit")
MILK = ("Milk", "ml")


@pytest.fixture(autouse=True)
def nothing_is_imported() -> Iterator[None]:
    yield
    assert not Ingredient.objects.exists()


def refusal(content: bytes, name: str = "") -> str:
    """What is said of a file of ingredients."""
    with pytest.raises(InvalidInput) as caught:
        preview_import(
            subject="ingredients",
            file_name=name or ("shop.xlsx" if content.startswith(b"PK") else "shop.csv"),
            content=content,
        )
    assert "file" in caught.value.errors
    return caught.value.detail


# --- what kind of file it is ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["menu.pdf", "menu.xls", "menu.ods", "menu", "", ".csv"])
def test_a_file_of_another_kind_is_refused(name: str) -> None:
    assert "neither CSV nor XLSX" in refusal(csv_file("name,unit", "Milk,ml"), name or " ")


def test_an_old_or_protected_workbook_is_named_as_such() -> None:
    assert "old or a protected Excel file" in refusal(b"\xd0\xcf\x11\xe0" + b"\x00" * 100, "menu.xlsx")


def test_a_file_whose_ending_lies_is_refused() -> None:
    lie = "What the file holds is not what its ending says"

    assert lie in refusal(xlsx_file(HEADER, MILK), "menu.csv")
    assert lie in refusal(csv_file("name,unit", "Milk,ml"), "menu.xlsx")


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\x00\x00", b"name,unit\r\nMi\x00lk,ml\r\n", bytes(range(256))])
def test_a_binary_file_is_no_csv_file(content: bytes) -> None:
    assert "not a text file" in refusal(content)


def test_utf_16_is_refused_with_the_way_out() -> None:
    assert "UTF-16" in refusal("name,unit\r\nMilk,ml\r\n".encode("utf-16"))


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n\r\n", b",,,\r\n"])
def test_an_empty_file_is_refused(content: bytes) -> None:
    assert refusal(content).startswith("The file is empty. Its first line names the columns: name, unit,")


def test_an_empty_workbook_is_refused() -> None:
    assert refusal(xlsx_file()).startswith("The file is empty.")


def test_a_header_alone_is_refused() -> None:
    assert "no lines below it" in refusal(csv_file("name,unit"))
    assert "no lines below it" in refusal(xlsx_file(HEADER, ("  ", None)))


def test_a_quotation_mark_that_stays_open_is_found_at_its_line() -> None:
    assert refusal(csv_file("name,unit", "Milk,ml", '"Oat,ml')).startswith("Line 3: a quotation mark is open")


# --- the header -------------------------------------------------------------------------------------------


def test_an_unknown_column_is_named_and_so_are_the_known_ones() -> None:
    assert refusal(csv_file("name,units", "Milk,ml")) == (
        "Unknown column: units. The columns are: name, unit, tracks_expiry, shelf_life_hours. Correct line 1."
    )


def test_a_column_may_not_stand_there_twice() -> None:
    assert refusal(csv_file("name,unit, Name ", "Milk,ml,Oat")) == "A column stands there twice: name. Keep one."


def test_the_column_that_says_what_a_line_is_about_must_be_there() -> None:
    assert refusal(csv_file("unit", "ml")) == "A column is missing: name. Line 1 must name it."


def test_what_is_missing_of_a_recipe_is_named() -> None:
    with pytest.raises(InvalidInput, match="A column is missing: ingredient"):
        look_at("recipes", csv_file("product,quantity", "Latte,5"))


def test_a_header_with_a_formula_is_refused() -> None:
    assert "B1 holds a formula" in refusal(xlsx_file(("name", '="unit"'), MILK))


# --- how large it is --------------------------------------------------------------------------------------


def test_a_large_file_is_refused() -> None:
    assert refusal(b"name,unit\r\n" + b"a" * LARGEST_FILE) == (
        "The file is larger than 5 MB. Split it, or check that this is the right file."
    )


def test_a_small_workbook_that_unpacks_to_a_quarter_of_a_gigabyte_is_refused_before_it_is_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx_file(HEADER, MILK))) as before, zipfile.ZipFile(out, "w") as bomb:
        for part in before.infolist():
            bomb.writestr(part, before.read(part))
        with bomb.open(zipfile.ZipInfo("xl/media/large.bin"), "w", force_zip64=True) as large:
            large.write(b"")
        info = zipfile.ZipInfo("xl/sharedStrings.xml")
        info.compress_type = zipfile.ZIP_DEFLATED
        with bomb.open(info, "w", force_zip64=True) as strings:
            for _megabyte in range(256):
                strings.write(b"\x00" * MEGABYTE)

    assert len(out.getvalue()) < MEGABYTE / 2
    assert "unpacks to more than 20 MB" in refusal(out.getvalue())


def test_a_workbook_with_millions_of_empty_cells_is_refused_before_it_is_read() -> None:
    one_row = f'<row r="1">{"<c/>" * 2_000_000}</row>'

    assert "too many cells" in refusal(with_sheet(xlsx_file(HEADER), sheet_of(one_row)))


def test_a_line_of_a_million_cells_is_refused() -> None:
    assert "Unknown column: …" in refusal(b"name" + b",name" * 1_000_000 + b"\r\nMilk\r\n")
    with pytest.raises(InvalidInput) as caught:
        look_at("ingredients", b"name,unit\r\nMilk" + b",ml" * 1_000_000)
    assert "line 2" in caught.value.errors


def test_an_archive_that_lies_about_its_size_is_not_read() -> None:
    content = xlsx_file(HEADER, MILK)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.getinfo("xl/worksheets/sheet1.xml")
    true = sheet.file_size.to_bytes(4, "little")

    assert "can't be read" in refusal(content.replace(true, (10).to_bytes(4, "little")))


def test_xml_that_unfolds_itself_is_refused() -> None:
    laughs = '<!DOCTYPE a [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(8)
    )
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>&i;</t></is></c></row>'

    assert "can't be read" in refusal(with_sheet(xlsx_file(HEADER), sheet_of(rows, f"{laughs}]>")))


def test_300_000_lines_are_refused_without_reading_them_all() -> None:
    assert (
        refusal(b"name,unit\r\n" + b"Milk,ml\r\n" * 300_000) == f"The file has more than {MOST_LINES} lines. Split it."
    )
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(2, MOST_LINES + 3))
    header = '<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>'

    assert "more than" in refusal(with_sheet(xlsx_file(HEADER), sheet_of(header + rows)))


def test_a_row_far_below_is_found_and_one_that_no_sheet_has_is_refused() -> None:
    header = '<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>'
    far = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>Milk</t></is></c></row>'

    with pytest.raises(InvalidInput) as caught:
        look_at("ingredients", with_sheet(xlsx_file(HEADER), sheet_of(header + far.format(1_048_576))))
    assert "line 1048576.unit" in caught.value.errors

    assert "can't be read" in refusal(with_sheet(xlsx_file(HEADER), sheet_of(header + far.format(9_999_999_999))))


@pytest.mark.parametrize(
    "sheet",
    [
        "",
        "<worksheet",
        sheet_of("<row r='x'/>"),
        sheet_of('<row r="1"><c r="A1" t="s"><v>99</v></c></row>'),
        sheet_of(f'<row r="1"><c r="A1"><v>{"9" * 5000}</v></c></row>'),
        sheet_of('<row r="1"><c r="1A"><v>5</v></c></row>'),
    ],
)
def test_a_damaged_workbook_is_refused(sheet: str) -> None:
    assert "can't be read" in refusal(with_sheet(xlsx_file(HEADER, MILK), sheet))


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("photo.jpg", b"no")

    assert "can't be read" in refusal(out.getvalue())
    assert "can't be read" in refusal(out.getvalue()[:40], "menu.xlsx")


# --- what else a workbook may have ------------------------------------------------------------------------


def test_merged_cells_are_refused_by_their_range() -> None:
    assert refusal(xlsx_file(HEADER, MILK, ("Oat", "ml"), merge="B2:B3")) == (
        "The cells B2:B3 are merged. Unmerge them and fill in each one: a line needs its own values."
    )


def test_of_several_sheets_the_first_is_read_and_the_report_says_so() -> None:
    report = look_at("ingredients", xlsx_file(HEADER, MILK, sheets=("Ours", "Theirs")))

    assert outcomes(report) == [(2, "new", "Milk")]
    assert report.notes == ("Only the first sheet, “Ours”, is read.",)


def test_a_file_that_is_not_utf_8_is_read_as_russian_excel_writes_it_and_says_so() -> None:
    report = look_at("ingredients", csv_file("name;unit", "Молоко;ml", encoding="cp1251"))

    assert outcomes(report) == [(2, "new", "Молоко")]
    assert "windows-1251" in report.notes[0]


def test_lines_are_numbered_as_in_the_spreadsheet() -> None:
    content = csv_file("", "name,unit", "", '"Milk', 'of today",', "Oat,")

    with pytest.raises(InvalidInput) as caught:
        look_at("ingredients", content)

    assert list(caught.value.errors) == ["line 4.unit", "line 5.unit"]


def test_an_import_of_a_bad_file_changes_nothing_either() -> None:
    with pytest.raises(InvalidInput):
        bring_in("ingredients", xlsx_file(HEADER, MILK, ("Oat", "litres and more")))
    assert Shop.open().location
