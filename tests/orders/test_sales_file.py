"""Files of sales as tills and spreadsheets write them: right, odd, and wrong."""

import io
from pathlib import Path

import pytest

from orders.errors import WrongSalesFile
from orders.sales_dates import DateFormat
from orders.sales_file import LONGEST_LINE, SalesRow, open_sales, read_sales
from tests.orders.sales_files import BAKERY, HEADER, read, sales

LINE = "2016-10-30,09:58:11,1,Чай с молоком"


def refusal(content: bytes, date_format: DateFormat | None = None) -> str:
    with pytest.raises(WrongSalesFile) as caught:
        list(read(content, date_format).rows())
    return caught.value.detail


def dates(*texts: str) -> bytes:
    return sales(*(f"{text},10:00,{number},Tea" for number, text in enumerate(texts)))


def test_the_shipped_file_is_read_whole():
    with open_sales(BAKERY) as file:
        rows = list(file.rows())
    assert (file.encoding, file.date_format, file.size) == ("utf-8", DateFormat.ISO, 710_518)
    assert len(rows) == 21_293
    assert rows[0] == SalesRow(2, "2016-10-30", "09:58:11", "1", "Bread")
    assert rows[-1] == SalesRow(21_294, "2017-04-09", "15:04:24", "9684", "Smoothies")
    assert sum(row.item == "NONE" for row in rows) == 786


@pytest.mark.parametrize(
    "content",
    [
        sales(LINE),
        b"\xef\xbb\xbf" + sales(LINE),
        sales(LINE).replace(b"\n", b"\r\n"),
        sales(LINE).rstrip(b"\n"),
        sales("", LINE, ",,,", ""),
        sales(' 2016-10-30 , 09:58:11 ,1 , "Чай  с молоком" '.replace(', "', ',"').replace('" ', '"')),
        sales(LINE).replace(b",", b";"),
        sales(LINE).replace(b",", b"\t"),
        sales(LINE, header="DATE,time,Transaction,ITEM"),
        sales("Чай с молоком,1,09:58:11,2016-10-30", header="Item,Transaction,Time,Date"),
    ],
    ids=[
        "plain",
        "byte order mark",
        "CRLF",
        "no newline at the end",
        "empty lines",
        "blanks around the cells",
        "semicolons",
        "tabs",
        "another case in the header",
        "columns in another order",
    ],
)
def test_the_ways_in_which_tills_write_are_all_read_the_same(content):
    file = read(content)
    (row,) = file.rows()
    assert (row.date, row.time, row.transaction, row.item) == ("2016-10-30", "09:58:11", "1", "Чай с молоком")
    assert file.encoding == "utf-8"


def test_windows_1251_is_read_and_known_as_such():
    file = read(sales(LINE).decode().encode("cp1251"))
    assert file.encoding == "windows-1251"
    assert [row.item for row in file.rows()] == ["Чай с молоком"]


def test_a_file_is_read_as_often_as_needed():
    file = read(sales(LINE, LINE))
    assert list(file.rows()) == list(file.rows())


def test_a_name_may_hold_commas_quotes_and_a_line_break_and_lines_are_counted_past_it():
    rows = list(read(sales('2016-10-30,10:00,1,"Tea ""No. 1"",\nlarge"', LINE)).rows())
    assert [(row.line, row.item) for row in rows] == [(2, 'Tea "No. 1", large'), (4, "Чай с молоком")]


def test_a_line_with_too_few_or_too_many_cells_is_told_and_keeps_what_it_has():
    rows = list(read(sales("2016-10-30,10:00,1", "2016-10-30,10:00,2,Cake, large", LINE)).rows())
    assert [(row.found, row.is_whole, row.transaction) for row in rows] == [
        (3, False, "1"),
        (5, False, "2"),
        (4, True, "1"),
    ]


# --- what is refused as a whole ---


def test_an_empty_file_is_told_what_its_first_line_must_be():
    for content in (b"", b"\n\n", b"\xef\xbb\xbf", b" , ,\n"):
        assert refusal(content) == f"The file is empty. Its first line must be: {HEADER}"


def test_a_header_without_sales_is_refused():
    assert refusal(sales()) == "The file has a header but no sales. Add a line for each item sold."


@pytest.mark.parametrize(
    "header", ["Date,Time,Item", "Date,Time,Transaction,Item,Quantity", "Date,Date,Time,Item", "a"]
)
def test_missing_doubled_and_further_columns_are_refused(header):
    assert refusal(sales(LINE, header=header)) == (
        f"Line 1: the header must be {HEADER}. Found: {header}. Correct this line."
    )


def test_a_file_without_a_header_is_refused():
    assert refusal(f"{LINE}\n{LINE}\n".encode()).startswith(f"Line 1: the header must be {HEADER}. Found: 2016-10-30")


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"PK\x03\x04\x14\x00\x06\x00",
        b"\x00" * 50,
        sales("2016-10-30,10:00,1,T\0a"),
    ],
    ids=["picture", "spreadsheet", "zeros", "a NUL in a name"],
)
def test_what_is_no_text_is_refused(content):
    assert "holds characters that no text has" in refusal(content)


def test_bytes_of_no_encoding_are_refused():
    assert refusal(sales(LINE) + b"\xff\x98,\n") == (
        "This is not a text file. Save the sales as “CSV UTF-8” and import it again."
    )


def test_utf_16_is_refused_with_the_way_out():
    assert refusal(sales(LINE).decode().encode("utf-16")) == (
        "The file is in UTF-16. Save it as “CSV UTF-8” and import it again."
    )


def test_an_open_quotation_mark_is_told_with_its_line():
    assert refusal(sales(LINE, '2016-10-30,10:00,2,"Tea', LINE)).startswith("Line 3: a quotation mark is open")


def test_an_open_quotation_mark_does_not_swallow_a_large_file():
    assert "a quotation mark is open" in refusal(sales('2016-10-30,10:00,2,"Tea', *[LINE] * 20_000))


def test_a_line_without_end_is_refused_before_it_is_read():
    class Endless(io.RawIOBase):
        """A file of one line that would fill any memory."""

        asked = 0

        def seekable(self) -> bool:
            return True

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

        def read(self, size: int = -1) -> bytes:
            self.asked += 1
            return b"a" * size if self.asked < 100 else b""

        def readline(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert 0 < size <= LONGEST_LINE + 1
            return b"a" * size

    with pytest.raises(WrongSalesFile, match=r"Line 1 has more than 10000 characters"):
        read_sales(Endless())


def test_paths_that_are_no_file_are_refused(tmp_path: Path):
    for path, sentence in ((tmp_path / "none.csv", "There is no file"), (tmp_path, "is a folder")):
        with pytest.raises(WrongSalesFile, match=sentence), open_sales(path):
            pass


# --- how dates are written: the whole column decides ---


@pytest.mark.parametrize(
    ("texts", "written"),
    [
        (["2016-10-30", "2016-1-2"], DateFormat.ISO),
        (["30.10.2016", "1.2.2017"], DateFormat.DOTTED),
        (["01/02/2017", "10/30/2016"], DateFormat.MONTH_FIRST),
        (["01/02/2017", "30/10/2016"], DateFormat.DAY_FIRST),
        (["05/05/2017", "7/7/2017"], DateFormat.DAY_FIRST),
        (["nonsense", "2016-10-30", "31.02"], DateFormat.ISO),
    ],
)
def test_dates_in_three_formats_are_told_apart(texts, written):
    assert read(dates(*texts)).date_format == written


def test_a_column_that_could_be_both_is_refused_until_somebody_says_which_it_is():
    content = dates("01/02/2017", "03/04/2017")
    assert refusal(content) == (
        "The dates could be day/month or month/day, as in line 2: 01/02/2017, and no line decides it. Say which it is."
    )
    for written in (DateFormat.DAY_FIRST, DateFormat.MONTH_FIRST):
        assert read(content, written).date_format == written


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        (["2016-10-30", "2016-10-30", "30.10.2016"], ("Line 2 ", "line 4 ")),
        (["2017-01-02", "30/10/2016"], ("Line 2 ", "line 3 ")),
        (["30/10/2016", "10/30/2016"], ("Line 2 ", "line 3 ")),
    ],
)
def test_dates_written_in_several_ways_are_refused_with_a_line_of_each(texts, lines):
    sentence = refusal(dates(*texts))
    assert all(line in sentence for line in lines)
    assert "may have swapped days and months" in sentence
    assert read(dates(*texts), DateFormat.DAY_FIRST).date_format == DateFormat.DAY_FIRST


def test_a_column_without_any_date_is_refused():
    assert "No line has a date that is known." in refusal(dates("yesterday", "2016-13-45"))


def test_the_refusal_of_a_column_stands_at_the_choice_of_its_format():
    with pytest.raises(WrongSalesFile) as caught:
        read(dates("01/02/2017"))
    assert list(caught.value.errors) == ["date_format"]
