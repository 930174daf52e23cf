"""Files of sales for tests: the shipped one, and small ones written line by line."""

import io
from pathlib import Path

from inventory.models import Location
from orders.sales_dates import DateFormat
from orders.sales_file import SalesFile, read_sales
from orders.sales_survey import SalesSurvey, survey_sales

BAKERY = Path(__file__).resolve().parents[2] / "demo" / "bakery_sales_2016_2017.csv"
HEADER = "Date,Time,Transaction,Item"


def sales(*lines: str, header: str = HEADER) -> bytes:
    """The bytes of a file with these lines below its header."""
    return "\n".join([header, *lines, ""]).encode()


def read(content: bytes, date_format: DateFormat | None = None) -> SalesFile:
    return read_sales(io.BytesIO(content), date_format=date_format)


def survey_of(location: Location, *lines: str, till: str = "") -> SalesSurvey:
    """What a file with these lines would bring in."""
    return survey_sales(file=read(sales(*lines)), location=location, till=till)
