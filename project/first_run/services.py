"""The verbs of the first-run page. Each is one transaction; those of two admins at once follow one another."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from foundation.locks import lock_record
from foundation.models import Shop
from foundation.models.shop import ONLY_ID
from foundation.services.records import add_record, change_record, check_record
from inventory.menu_file import MenuRow
from inventory.models import Location, StockDocument
from inventory.services.lines import StockLine
from inventory.services.menu_import import MenuImport, import_menu
from inventory.services.stock import receive_stock
from orders.models import Employee, Position
from project.first_run.code import is_setup_code
from project.first_run.errors import HasAccounts, NoLocation, StockPosted
from users.choices import Role
from users.locks import lock_admins
from users.models import User
from users.services.accounts import create_user, set_password, update_user
from users.services.passwords import random_password
from users.services.sign_in_limit import count_attempt

STAFF_ROLES = (Role.MANAGER, Role.BARISTA)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who is going to work here: as what, and what they may do in the program."""

    name: str
    email: str
    role: str
    position: str
    hired_on: datetime.date


@dataclass(frozen=True, slots=True)
class Hired:
    """A new account, with the password that nobody can read again."""

    name: str
    email: str
    role: str
    password: str


def create_first_admin(
    *, code: str, email: str, name: str, password: str, address: str, now: datetime.datetime
) -> User:
    """Makes the first account of the shop, an admin's, for who has the setup code; `address` is where they come from.

    Every try counts as an attempt to sign in. Raises TooManySignIns, HasAccounts, and InvalidInput at `code` and at
    the account's fields.
    """
    count_attempt(email=email, address=address, now=now)
    if User.objects.exists():
        raise HasAccounts
    if not is_setup_code(code):
        raise InvalidInput.at("code", _("This is not the setup code. It stands where the shop was started."))
    with transaction.atomic():
        # Of two at once the second waits here, and then finds the first one's account.
        lock_admins()
        if User.objects.exists():
            raise HasAccounts
        return create_user(email=email, name=name, role=Role.ADMIN, password=password)


@transaction.atomic
def take_over(*, user_id: int, email: str, name: str, password: str) -> User:
    """Makes the admin's account that a demo has left somebody's own: another e-mail, name and password.

    Raises UserMissing, and InvalidInput at the fields.
    """
    update_user(user_id=user_id, email=email, name=name, role=Role.ADMIN, is_active=True)
    return set_password(user_id=user_id, password=password)


@transaction.atomic
def keep_location(*, name: str, address: str, day_starts_at: datetime.time) -> Location:
    """Adds the first location, in the shop's time zone; where there is one already, changes it. Raises InvalidInput."""
    shop = lock_record(Shop, ONLY_ID)
    fields = {"name": name.strip(), "address": address.strip(), "day_starts_at": day_starts_at}
    first = Location.objects.order_by("pk").first()
    if first is None:
        return add_record(record=Location(**fields, time_zone=shop.time_zone))
    return change_record(model=Location, record_id=first.pk, changes=fields)


@transaction.atomic
def keep_menu(*, rows: Sequence[MenuRow]) -> MenuImport:
    """Brings the menu up to these rows. The same rows again change nothing. Raises UnitDiffers."""
    lock_record(Shop, ONLY_ID)
    return import_menu(rows=rows)


@transaction.atomic
def post_opening_stock(*, lines: Sequence[StockLine], user_id: int) -> StockDocument:
    """Receives what is on the shelves when the shop opens, in one document. Raises StockPosted, NoLocation,
    InvalidInput."""
    lock_record(Shop, ONLY_ID)
    if StockDocument.objects.exists():
        raise StockPosted
    return receive_stock(location=open_location(), lines=lines, comment=_("Opening stock"), created_by_id=user_id)


@transaction.atomic
def hire(*, newcomers: Sequence[Newcomer]) -> list[Hired]:
    """Makes an account and an employee's record for each, all or none.

    Raises NoLocation, and InvalidInput at "lines[2].email" and the like.
    """
    lock_record(Shop, ONLY_ID)
    if not newcomers:
        raise InvalidInput.at("lines", _("Add at least one person, or leave this step out."))
    location = open_location()
    hired = []
    for place, newcomer in enumerate(newcomers):
        try:
            hired.append(hire_one(newcomer, location))
        except InvalidInput as refusal:
            raise InvalidInput(
                refusal.detail,
                errors={f"lines[{place}].{field}": said for field, said in refusal.errors.items()},
            ) from None
    return hired


def hire_one(newcomer: Newcomer, location: Location) -> Hired:
    if newcomer.role not in STAFF_ROLES:
        raise InvalidInput.at("role", _("Choose manager or barista."))
    password = random_password()
    user = create_user(email=newcomer.email, name=newcomer.name, role=newcomer.role, password=password)
    title = newcomer.position.strip() or user.role_label
    position = Position.objects.filter(name__iexact=title).first() or add_record(record=Position(name=title))
    employee = Employee(
        user=user, name=newcomer.name.strip(), position=position, location=location, hired_on=newcomer.hired_on
    )
    check_record(employee)
    employee.save(force_insert=True)
    return Hired(employee.name, user.email, user.role_label, password)


def open_location() -> Location:
    """The shop's first open location. Raises NoLocation."""
    found = Location.objects.filter(is_active=True).order_by("pk").first()
    if found is None:
        raise NoLocation
    return found
