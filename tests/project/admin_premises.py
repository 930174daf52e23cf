"""The shop that the admin's doors are tried at: one object of each kind, somebody of each role, and a look at
all tables that shows whether anything has changed."""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django_celery_beat import models as beat

from foundation.encryption import encrypt
from inventory.models import Category, Ingredient, StockDocument, StockLevel, StockMovement
from inventory.services.counts import count_lines, start_count, submit_count
from inventory.services.shelves import add_shelf
from orders.models import (
    ArchivedOrder,
    BatchRun,
    Customer,
    LoyaltyProgram,
    LoyaltyTier,
    Position,
    PromoCode,
    Promotion,
    SalesImport,
)
from orders.services.archive import archive_orders
from orders.services.sales_import import keep_survey
from orders.services.transitions import complete_order, prepare_order, ready_order
from tests.inventory.kitchen import cook, dated, lot_of, makes, tracked
from tests.orders.sales_files import survey_of
from tests.project.admin_doors import HERE, LOGIN, ROLES, STAFF, Answer, Attempt
from tests.project.admin_exchange import handed_in
from tests.project.admin_money import tills
from tests.project.admin_purchasing import purchases
from tests.project.admin_staff import staff_of
from tests.project.backup_doors import backups_of
from tests.project.market_accounts import accounts_of
from tests.project.market_connecting import connecting_of
from tests.project.market_listings import listings_of
from tests.project.market_operations import operations_of
from tests.project.monitoring_doors import watching_of
from tests.shop import NOBODY as NO_ACTOR
from tests.shop import Shop, user_of
from users.services.tokens import issue_token

# What comes and goes with every request.
PASSING = {"django_session", "users_signincount", "django_migrations"}
# What is written beside a deed and is not the deed.
TRACES = {"django_admin_log", "foundation_idempotencykey"}
LOGIN_ADDRESS = "/admin/login/"


@dataclass
class Premises:
    """`keys` are the objects', `own_keys` those that each role has of its own; `sessions` sign a role in."""

    keys: dict[str, Any]
    own_keys: dict[str, dict[str, Any]]
    sessions: dict[str, str]
    before: dict[str, tuple[Any, ...]]
    browser: Client = field(default_factory=Client)

    def keys_of(self, role: str) -> dict[str, Any]:
        return self.keys | self.own_keys.get(role, self.own_keys["barista"])

    def path(self, address: str, role: str, unknown: str = "") -> str:
        """The address, as somebody of the role writes it; with `unknown` in the place of every object's key."""
        keys = self.keys_of(role)
        return f"/admin/{address.format(**(dict.fromkeys(keys, unknown) if unknown else keys))}"

    def browser_of(self, role: str) -> Client:
        """A browser in which somebody of this role has signed in; one for all, as a new one costs a while."""
        self.browser.cookies.clear()
        if role in self.sessions:
            self.browser.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[role]
        return self.browser

    def send(self, attempt: Attempt, role: str, unknown: str = "") -> HttpResponse:
        client, path = self.browser_of(role), self.path(attempt.address, role, unknown)
        if attempt.method == "GET":
            return client.get(path)
        body = attempt.body(self.keys_of(role))
        if attempt.is_json:
            return client.post(path, json.dumps(body), content_type="application/json")
        return client.post(path, body)

    def gets(self, answer: HttpResponse, attempt: Attempt, role: str) -> Answer:
        """What came back, in the words of the table."""
        path = self.path(attempt.address, role)
        location = answer.headers.get("Location", "")
        if location.startswith(f"{LOGIN_ADDRESS}?"):
            return LOGIN
        expected = attempt.answer_to(role)
        if expected == HERE and (answer.status_code == 200 or location == path):
            return HERE
        if isinstance(expected, str) and location and fnmatchcase(location, self.path(expected, role)):
            return expected
        return location or answer.status_code

    def changed(self) -> set[str]:
        """The tables in which anything at all differs from what it was when the shop opened."""
        now = contents()
        return {table for table, content in self.before.items() if now[table] != content}


@functools.cache
def digests() -> str:
    tables = sorted(set(connection.introspection.table_names()) - PASSING)
    return " UNION ALL ".join(
        f"SELECT '{table}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM \"{table}\" t"
        for table in tables
    )


def contents() -> dict[str, tuple[Any, ...]]:
    """{table: the number of its rows and a digest of all that stands in them}."""
    with connection.cursor() as cursor:
        cursor.execute(digests())
        return {table: tuple(content) for table, *content in cursor.fetchall()}


def opened() -> Premises:
    """Makes all that the table's addresses name."""
    bar, river = Shop.open("Main Street"), Shop.open("Riverside")
    milk = bar.ingredient("Milk", "ml", stock=10_000)
    sugar = bar.ingredient("Sugar", "g", stock=100, minimum=500)
    group = bar.group("Size")
    option = bar.adds(bar.option(group, "Large", "10.00"), milk, 50)
    latte = bar.product("Latte", "70.00", {milk: 200}, groups=[group])
    preparing, ready = bar.sell(latte), bar.sell(latte)
    for begun in (preparing, ready):
        prepare_order(order_id=begun.pk, actor=NO_ACTOR)
    ready_order(order_id=ready.pk, actor=NO_ACTOR)
    pending = bar.sell(latte, 2)
    old = bar.sell(latte, at=datetime(2024, 3, 1, 12, tzinfo=UTC))
    complete_order(order_id=old.pk, actor=NO_ACTOR, allow_unpaid=True, at=old.placed_at)
    archive_orders(before=datetime(2025, 1, 1, tzinfo=UTC))
    cream = makes(bar, tracked(bar.ingredient("Cream", "ml"), shelf_life_hours=8), 80, {milk: 100})
    made = cook(bar, cream)
    dated(bar, "Cake", "pc", {-1: 2})
    people = {role: user_of(role) for role in ROLES if role != "anonymous"}
    counting = start_count(location=bar.location, ingredient_ids=[sugar.pk], created_by_id=None)
    count_lines(count_id=counting.pk, counted={sugar.pk: Decimal(90)}, counted_by_id=None)
    reviewed = start_count(location=river.location, ingredient_ids=[milk.pk], created_by_id=None)
    count_lines(count_id=reviewed.pk, counted={milk.pk: Decimal(50)}, counted_by_id=None)
    submit_count(count_id=reviewed.pk)
    position = Position.objects.create(name="Barista")
    keys = {
        "main_street": bar.location,
        "riverside": river.location,
        "spare_location": Shop.open("Cellar").location,
        "category": bar.category,
        "spare_category": Category.objects.create(name="Cakes"),
        "milk": milk,
        "cream": cream,
        "made": made,
        "preparation_recipe": cream.preparation_recipe,
        "lot": lot_of(bar, cream),
        "sugar": sugar,
        "spare_ingredient": Ingredient.objects.create(name="Rum", unit="ml"),
        "group": group,
        "spare_group": bar.group("Sauce"),
        "option": option,
        "spare_option": bar.option(group, "Tiny"),
        "latte": latte,
        "unlisted": bar.product("Punch", is_listed=False),
        "level": StockLevel.objects.get(location=bar.location, ingredient=sugar),
        "movement": StockMovement.objects.order_by("pk")[0],
        "document": StockDocument.objects.order_by("pk")[0],
        "counting": counting,
        "reviewed": reviewed,
        "shelf": add_shelf(location=bar.location, name="Fridge", ingredient_ids=[milk.pk]),
        "pending": pending,
        "archived": ArchivedOrder.objects.get(),
        "preparing": preparing,
        "ready": ready,
        "item": pending.items.get(),
        "sales_import": kept_sales(bar),
        "batch": BatchRun.objects.create(verb=BatchRun.Verb.COMPLETE, order_ids=[pending.pk]),
        "customer": Customer.objects.create(name="Ann", phone="+66 80 000 0000"),
        "twin": Customer.objects.create(name="Twin"),
        "programme": LoyaltyProgram.objects.create(),
        "tier": LoyaltyTier.objects.create(name="Gold", spending_from=5000, points_per_hundred=10),
        "promotion": Promotion.objects.create(name="Happy hour", value=20),
        "switched_off": Promotion.objects.create(name="Winter", value=5, is_active=False),
        "code": PromoCode.objects.create(code="WELCOME10", value=10),
        "code_switched_off": PromoCode.objects.create(code="OLD", value=10, is_active=False),
        "position": position,
        "spare_position": Position.objects.create(name="Cook"),
        **staff_of(bar, position),
        "colleague": user_of("barista", "colleague@shop.example"),
        "left": user_of("barista", "left@shop.example"),
        "product_type": ContentType.objects.get_for_model(latte),
        **purchases(bar, milk, sugar),
        **tills(bar, latte, ready),
        **accounts_of(bar),
        **operations_of(bar, latte),
        **connecting_of(bar),
        **listings_of(bar, latte),
        **backups_of(),
        **watching_of(),
        **schedules(),
    }
    Authenticator.objects.create(user=keys["colleague"], type=Authenticator.Type.TOTP, data={"secret": encrypt("JBSW")})
    keys["left"].is_active = False
    keys["left"].save()
    keys["theirs"] = issue_token(user=keys["colleague"], name="Till 9").record
    own = {
        role: {
            "own": issue_token(user=people[role], name="Till 1").record.pk,
            "kept": handed_in(people[role].pk),
        }
        for role in STAFF
    }
    sessions = {}
    for role, user in people.items():
        client = Client()
        client.force_login(user)
        sessions[role] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return Premises(
        keys={name: one.pk for name, one in keys.items()} | {"not_theirs": handed_in(keys["colleague"].pk)},
        own_keys=own,
        sessions=sessions,
        before=contents(),
    )


def kept_sales(bar: Shop) -> SalesImport:
    """A file of sales that waits to be imported."""
    return keep_survey(survey=survey_of(bar.location, "2017-05-01,10:00,1,Tea"), file_name="till.csv", actor=NO_ACTOR)


def schedules() -> dict[str, Any]:
    """One record of each kind that the scheduler has pages for."""
    interval = beat.IntervalSchedule.objects.create(every=1, period=beat.IntervalSchedule.HOURS)
    return {
        "interval": interval,
        "crontab": beat.CrontabSchedule.objects.create(minute="0"),
        "solar": beat.SolarSchedule.objects.create(event="sunset", latitude=13, longitude=100),
        "clocked": beat.ClockedSchedule.objects.create(clocked_time=datetime(2027, 1, 1, tzinfo=UTC)),
        "task": beat.PeriodicTask.objects.create(name="hourly", task="nothing", interval=interval),
    }


@pytest.fixture(scope="module")
def premises(django_db_setup: None, django_db_blocker: Any) -> Iterator[Premises]:
    """The shop, made once for all attempts; each of them is taken back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield opened()
        transaction.set_rollback(True)
