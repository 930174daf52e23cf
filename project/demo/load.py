"""Filling an empty shop with the demo, all of it or nothing."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from foundation.models import Shop
from foundation.services.records import add_record
from foundation.services.shop import open_demo_shop
from inventory.menu_file import read_menu_file
from inventory.models import DefaultLocation, Location, Product
from inventory.services.menu_import import import_menu
from orders.models import Customer, Employee, Order, Position
from orders.phones import normalised_phone
from project.demo.accounts import Account, AccountsFile, invent_accounts
from project.demo.crew import Crew
from project.demo.errors import ShopNotEmpty
from project.demo.market import sell_on_marketplaces
from project.demo.offers import make_offers
from project.demo.people import GUESTS, WORKERS, email_of
from project.demo.places import CURRENCY, NAME, PHONE_REGION, PLACES, SIAM, TIME_ZONE
from project.demo.staff import pay_people
from project.demo.storekeeping import arrange_shelves, know_suppliers, look_ahead
from project.demo.telling import customers_were_told, tell_the_manager
from project.demo.week import DAYS_BEFORE_TODAY, live_through_the_week
from users.choices import Role
from users.models import User
from users.services.accounts import create_user

MENU = Path(settings.BASE_DIR) / "demo" / "bubble_tea_menu.csv"
SEED = "samovar"
# Any number will do, as long as nothing else of the shop takes an advisory lock with it.
LOADING = 5_368_206


@dataclass(frozen=True, slots=True)
class DemoShop:
    """What there is after the load."""

    locations: int
    drinks: int
    guests: int
    orders: int


def load_demo(
    *, accounts_path: Path, now: datetime.datetime, if_empty: bool = False, seed: str = SEED
) -> DemoShop | None:
    """Fills an empty shop with the menu, two locations, people and the week before `now`, in one transaction.

    The same `seed` and `now` give the same shop, but for the passwords, which are random and kept at
    `accounts_path`. A shop that has locations or products already is left alone: None if `if_empty`, else
    ShopNotEmpty is raised; `if_empty` also leaves alone one that has an account or settings. Killed at any point, it
    has done nothing, or the next call finishes it.
    """
    accounts_file = AccountsFile(accounts_path)
    with alone():
        accounts_file.settle()
        if Location.objects.exists() or Product.objects.exists():
            if if_empty:
                return None
            raise ShopNotEmpty
        if if_empty and (Shop.objects.exists() or User.objects.exists()):
            # Somebody is setting up a shop of their own, or has just removed the demo.
            return None
        accounts_file.discard()
        accounts = invent_accounts()
        accounts_file.write_draft(accounts)
        try:
            with transaction.atomic():
                shop = fill(accounts, now=now, seed=seed)
        except BaseException:
            accounts_file.discard()
            raise
        accounts_file.confirm()
    return shop


@contextmanager
def alone() -> Iterator[None]:
    """Of two loads at the same moment, one waits and then finds the shop full. The lock is the session's: a
    process that is killed lets go of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOADING])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOADING])


def fill(accounts: Sequence[Account], *, now: datetime.datetime, seed: str) -> DemoShop:
    """Writes the whole shop inside the caller's transaction."""
    open_demo_shop(name=NAME, currency=CURRENCY, time_zone=TIME_ZONE, phone_region=PHONE_REGION, now=now)
    drinks = import_menu(rows=read_menu_file(MENU).rows).total
    users = {
        account.role: create_user(
            email=account.email, role=account.role, password=account.password, name=name_of(account.role)
        )
        for account in accounts
    }
    locations = {
        place.name: add_record(
            record=Location(
                name=place.name,
                address=place.address,
                time_zone=TIME_ZONE,
                day_starts_at=place.day_starts_at,
                report_at=place.report_at,
                tells_ready=Location.TellsReady.EMAIL,
            )
        )
        for place in PLACES
    }
    for role in (Role.MANAGER, Role.BARISTA):
        add_record(record=DefaultLocation(user=users[role], location=locations[SIAM]))
    suppliers = know_suppliers()
    for location in locations.values():
        arrange_shelves(location)
    crews = hire(locations, users, today=locations[SIAM].today(now))
    pay_people(admin_id=users[Role.ADMIN].pk, now=now)
    guests = welcome(users[Role.CUSTOMER], now=now)
    make_offers(now)
    live_through_the_week(crews=crews, guests=guests, manager_id=users[Role.MANAGER].pk, now=now, seed=seed)
    look_ahead(locations[SIAM], suppliers=suppliers, user_id=users[Role.MANAGER].pk, now=now)
    sell_on_marketplaces(locations, user_id=users[Role.MANAGER].pk, now=now)
    customers_were_told()
    tell_the_manager(now=now)
    return DemoShop(len(locations), drinks, len(guests), Order.objects.count())


def name_of(role: str) -> str:
    """Who holds the account of a role."""
    names = {worker.role.value: worker.name for worker in WORKERS if worker.role}
    return names.get(role) or next(guest.name for guest in GUESTS if guest.email == email_of(Role(role)))


def hire(locations: Mapping[str, Location], users: Mapping[str, User], *, today: datetime.date) -> dict[str, Crew]:
    """Writes positions and employees; returns who still works at each place."""
    positions = {
        name: add_record(record=Position(name=name)) for name in dict.fromkeys(one.position for one in WORKERS)
    }
    employees = []
    for worker in WORKERS:
        left_on = None if worker.left_days_ago is None else today - datetime.timedelta(days=worker.left_days_ago)
        employees.append(
            add_record(
                record=Employee(
                    user=users[worker.role] if worker.role else None,
                    name=worker.name,
                    position=positions[worker.position],
                    location=locations[worker.location],
                    hired_on=today - datetime.timedelta(days=worker.hired_days_ago),
                    left_on=left_on,
                )
            )
        )
    return {
        place.name: Crew(
            location=locations[place.name],
            workers=[
                one
                for one in employees
                if one.location_id == locations[place.name].pk and one.left_on is None and one.position.name != "Owner"
            ],
            user_id=users[Role.BARISTA if place.name == SIAM else Role.MANAGER].pk,
        )
        for place in PLACES
    }


def welcome(account: User, *, now: datetime.datetime) -> list[Customer]:
    """Writes the customers, known to the shop since before the week; the first of them has an account."""
    return [
        add_record(
            record=Customer(
                user=account if guest.email == account.email else None,
                name=guest.name,
                phone=normalised_phone(guest.phone),
                email=guest.email,
                birthday=guest.born,
                consent=guest.consent,
                notes=guest.notes,
                created_at=now - datetime.timedelta(days=DAYS_BEFORE_TODAY + 11 * (len(GUESTS) - number)),
            )
        )
        for number, guest in enumerate(GUESTS)
    ]
