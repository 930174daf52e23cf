"""What an import of sales would do: the file read to its end, and compared with the shop. Nothing is written."""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.moments import day_and_time
from inventory.models import Location
from inventory.services.named_products import products_named
from orders.errors import WrongSalesFile
from orders.models import SalesImport
from orders.sales_file import UTF8, SalesFile
from orders.sales_orders import Findings, SalesOrder, orders_of
from orders.sales_selectors import known_import_keys

# Orders that are written in one transaction.
PART = 1000


@dataclass(frozen=True, slots=True)
class SalesSurvey:
    """What is in a file of sales. `known` of its orders are in the shop already; `new_products` are the names that
    no product has; `notices` are sentences to be read before it is imported."""

    file: SalesFile
    location: Location
    till: str
    now: datetime.datetime
    findings: Findings
    known: int
    new_products: list[str]
    notices: list[str]

    def orders(self) -> Iterator[list[SalesOrder]]:
        """The orders, some thousand at a time: the file is read again."""
        return in_parts(orders_of(self.file, location=self.location, till=self.till, now=self.now, findings=Findings()))


def survey_sales(
    *, file: SalesFile, location: Location, till: str = "", now: datetime.datetime | None = None
) -> SalesSurvey:
    """Reads the whole file. Wrong lines are in the findings; `now` is what lies in the future of.

    Raises WrongSalesFile: see `orders_of`, and for a till whose name is too long.
    """
    till = " ".join(till.split())
    longest = SalesImport._meta.get_field("till").max_length
    if longest is not None and len(till) > longest:
        sentence = _("The till's name has more than %(most)d characters.") % {"most": longest}
        raise WrongSalesFile(sentence, errors={"till": [sentence]})
    now = now or timezone.now()
    findings, known = Findings(), 0
    for part in in_parts(orders_of(file, location=location, till=till, now=now, findings=findings)):
        known += len(known_import_keys([order.key for order in part]))
    names = list(findings.names.values())
    products = products_named(names)
    return SalesSurvey(
        file=file,
        location=location,
        till=till,
        now=now,
        findings=findings,
        known=known,
        new_products=sorted(name for name in names if name not in products),
        notices=[*notices_of(file, location), *findings.notices()],
    )


def notices_of(file: SalesFile, location: Location) -> Iterator[str]:
    """What is to be known of the file before its lines are looked at."""
    if file.encoding != UTF8:
        yield _("The file is not UTF-8 and was read as %(encoding)s: check the names.") % {"encoding": file.encoding}
    before = (
        SalesImport.objects.filter(sha256=file.sha256, status=SalesImport.Status.FINISHED)
        .select_related("location")
        .first()
    )
    if before is not None and before.finished_at is not None:
        yield _("This very file was imported on %(when)s, for %(location)s.") % {
            "when": day_and_time(before.finished_at, location.time_zone),
            "location": before.location,
        }


def in_parts(orders: Iterable[SalesOrder]) -> Iterator[list[SalesOrder]]:
    """The orders, as many at a time as are written in one transaction."""
    waiting = iter(orders)
    while part := list(islice(waiting, PART)):
        yield part
