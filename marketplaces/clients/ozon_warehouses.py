"""The seller's own warehouses on Ozon."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from marketplaces.choices import Scheme
from marketplaces.clients.answers import optional
from marketplaces.clients.http import ApiSession
from marketplaces.clients.ozon_lists import all_pages
from marketplaces.clients.ozon_values import name_of, needed_name
from marketplaces.errors import Refused

LIST = "/v2/warehouse/list"
PAGE = 200
LONGEST_NAME = 200
ACTIVE = "created"


@dataclass(frozen=True, slots=True)
class Warehouse:
    id: str
    name: str
    scheme: Scheme
    is_active: bool


def warehouses(session: ApiSession) -> list[Warehouse]:
    """All of them, also those that are paused or archived: goods may lie there. Raises BadAnswer if one can't be read:
    what lies in it would be missing."""
    return [
        Warehouse(
            id=needed_name(row, "warehouse_id"),
            name=name_of(row, "name")[:LONGEST_NAME],
            scheme=Scheme.REALFBS if optional(row, "is_rfbs", bool) else Scheme.FBS,
            is_active=name_of(row, "status") in (ACTIVE, ""),
        )
        for page in all_pages(session, LIST, rows="warehouses", request={"limit": PAGE})
        for row in page
    ]


def the_only_one(found: Sequence[Warehouse]) -> Warehouse | None:
    """The warehouse that is meant when none is chosen: the only active one for FBS, or else for realFBS."""
    for scheme in (Scheme.FBS, Scheme.REALFBS):
        of_scheme = [warehouse for warehouse in found if warehouse.is_active and warehouse.scheme == scheme]
        if of_scheme:
            return of_scheme[0] if len(of_scheme) == 1 else None
    return None


def warehouse_number(id: str) -> int:
    """The id as Ozon takes it. Raises Refused for what can't be a warehouse of Ozon."""
    if not id.isascii() or not id.isdecimal():
        raise Refused(_("%(id)s is no warehouse of Ozon: their ids are numbers.") % {"id": id[:40]})
    return int(id)
