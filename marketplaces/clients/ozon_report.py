"""Ozon's report on products: asked for, waited for, fetched."""

from collections.abc import Collection, Iterator

from django.utils.translation import gettext as _

from marketplaces.clients import http
from marketplaces.clients.answers import need, optional
from marketplaces.clients.base import Problem
from marketplaces.clients.http import ApiSession
from marketplaces.clients.ozon_report_file import ReportRow, read_report
from marketplaces.errors import BadAnswer, MarketplaceError, Timeout

CREATE = "/v1/report/products/create"
INFO = "/v1/report/info"

# Seconds before each look at the report; about five minutes in all.
LOOK_AFTER = (0.5, 1, 2, 3, 5, 8, *(15,) * 19)
WORDS_FOR_MAKING = ("waiting", "processing")


def report_rows(session: ApiSession, *, allowed_hosts: Collection[str]) -> Iterator[ReportRow | Problem]:
    """The rows of a new report, while its file comes.

    Raises Timeout if it is not made in time, Refused if its file lies at an address that is not allowed.
    """
    # The language decides how the columns are called.
    asked = {"language": "RU", "visibility": "ALL"}
    code = need(session.call("POST", CREATE, json=asked, is_safe=True).data, "result.code", str)
    address = address_of_file(session, code)
    yield from read_report(session.download(address, allowed_hosts=allowed_hosts))


def address_of_file(session: ApiSession, code: str) -> str:
    """Waits until the report is made. Raises Timeout, BadAnswer or, if Ozon could not make it, MarketplaceError."""
    for seconds in LOOK_AFTER:
        http.pause(seconds)
        data = session.call("POST", INFO, json={"code": code}, is_safe=True).data
        status = need(data, "result.status", str)
        if status == "success":
            return need(data, "result.file", str)
        if status == "failed":
            reason = optional(data, "result.error", str) or "-"
            raise MarketplaceError(_("Ozon could not make the report: %(reason)s.") % {"reason": reason[:200]})
        if status not in WORDS_FOR_MAKING:
            raise BadAnswer(_("Unknown status: %(status)s.") % {"status": status[:60]})
    raise Timeout(_("Ozon has not made the report in time."))
