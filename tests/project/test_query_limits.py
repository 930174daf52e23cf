"""Every page of the admin takes at most 25 queries, whatever is in the shop: with 60 of each thing as with 3.

The pages are those that are registered: a new one is walked by itself. A page with a key in its address is walked with
the newest record of its model, which is a large one: lines, options, effects, movements, as many as there are things.
"""

import datetime
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from inventory.models import Category, Ingredient, Preparation, Product, Shelf
from inventory.services.counts import count_lines, post_count, start_count, submit_count
from inventory.services.shelves import add_shelf
from monitoring.models import Alert, DailyReport
from orders.models import ArchivedOrder, BatchRun, Customer, Employee, Order, Position
from orders.pricing import OrderLine
from orders.services.archive import archive_orders
from orders.services.cancel import cancel_item
from orders.services.promo_codes import save_promo_code
from orders.services.promotions import save_promotion
from orders.services.shifts import close_shift, correct_shift, move_cash
from orders.services.transitions import complete_order
from tests.inventory.admin_pages import signed_in
from tests.inventory.deliveries import Deliveries
from tests.inventory.kitchen import cook, dated, makes, tracked
from tests.orders.money import open_till, pay, refund
from tests.project.admin_premises import kept_sales
from tests.shop import NOBODY, Shop, user_of
from users.models import User
from users.services.tokens import issue_token

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

MOST = 25
FULL_LISTS = 2
# Pages of the shop's own that do not answer to a look: they are questions of a script, or take a document's state.
NOT_WALKED = {"quote", "edit_quote", "edit", "preview"}


class Filled:
    """A shop with several places, that gets so many of each thing, and one large one of each."""

    def __init__(self) -> None:
        self.shops = [Shop.open("Main Street"), Shop.open("Riverside")]
        self.position = Position.objects.create(name="Barista")
        self.there = 0

    def up_to(self, number: int) -> None:
        things = range(self.there, number)
        self.there = number
        for n in things:
            self.one(n)
        self.large(number)

    def one(self, n: int) -> None:
        """A thing of each kind."""
        bar = self.shops[n % 2]
        for shop in self.shops:
            milk = shop.ingredient(f"Milk {n}", "ml", stock=100_000, minimum=10)
            shop.ingredient(f"Sugar {n}", stock=5, minimum=50)
        group = bar.group(f"Group {n}")
        bar.adds(bar.option(group, "More"), milk, 5)
        latte = bar.product(f"Latte {n}", "70", {milk: 5}, groups=[group])
        Product.objects.filter(pk=latte.pk).update(category=Category.objects.create(name=f"Shelf {n}"))
        Position.objects.create(name=f"Position {n}")
        employee = Employee.objects.create(
            name=f"Kai {n}", position=self.position, location=bar.location, hired_on="2026-01-01"
        )
        customer = Customer.objects.create(name=f"Ann {n}", phone=f"+66 {n:07}")
        named = {"products": [latte.pk], "categories": [bar.category.pk]}
        save_promotion(fields={"name": f"Hour {n}", "value": 5, **named, "locations": [bar.location.pk]})
        save_promo_code(fields={"code": f"CODE-{n}", "value": 5, **named})
        order = bar.sell(latte, customer_id=customer.pk, employee_id=employee.pk, promo_code=f"CODE-{n}")
        self.till(bar, f"Till {n}", order, 1)
        old = bar.sell(latte, customer_id=customer.pk, at=timezone.now() - datetime.timedelta(days=500))
        complete_order(order_id=old.pk, actor=NOBODY, allow_unpaid=True, at=old.placed_at)
        Alert.objects.create(
            event="inventory.low_stock", severity="warning", subject=f"milk {n}", message="Milk is low"
        )
        day, name = datetime.date(2026, 1, 1 + n // 2), f"Place {n % 2}"
        DailyReport.objects.create(place=name, place_name=name, time_zone="UTC", day=day, until=timezone.now())
        issue_token(user=user_of("barista", f"barista{n}@shop.example"), name="Till")
        dairy = Deliveries(bar, f"Dairy {n}")
        dairy.ordered((dairy.pack(milk, 1000, "5.00"), 1))
        dated(bar, f"Cake {n}", "pc", {-1: 2, 20: 3})
        cream = makes(bar, tracked(bar.ingredient(f"Cream {n}", "ml"), shelf_life_hours=8), 80, {milk: 100})
        cook(bar, cream)
        add_shelf(location=bar.location, name=f"Shelf {n}")

    def till(self, bar: Shop, name: str, order: Order, number: int) -> None:
        """A shift with so many payments, refunds and movements, closed and corrected as often."""
        shift = open_till(bar, name)
        for n in range(number):
            pay(order, "5", "cash" if n % 2 else "card", shift_id=shift.pk)
        refund(order, amount=2 * number)
        for _ in range(number):
            move_cash(shift_id=shift.pk, amount=Decimal(1), reason="found", actor=NOBODY)
        close_shift(shift_id=shift.pk, counted=Decimal(1), actor=NOBODY)
        for _ in range(number):
            correct_shift(shift_id=shift.pk, counted=Decimal(2), reason="again", actor=NOBODY)

    def large(self, number: int) -> None:
        """One of each kind that has as many parts as there are things."""
        bar, name = self.shops[0], f"{number} of all"
        milks = list(Ingredient.objects.filter(name__startswith="Milk").order_by("pk"))
        groups = [bar.group(f"Group {name} {n}") for n in range(number)]
        for group in groups:
            bar.adds(bar.option(group, "More"), milks[0], 5)
        latte = bar.product(f"Latte {name}", "70", dict.fromkeys(milks, 5), groups=groups)
        group = bar.group(f"Group {name}", most=99)
        for n in range(number):
            option = bar.option(group, f"Option {n}")
            bar.adds(option, milks[0], 5)
        for milk in milks:
            bar.adds(option, milk, 5)
        ann = Customer.objects.create(name=f"Ann {name}")
        teas = Product.objects.exclude(pk=latte.pk).order_by("pk")[:number]
        all_of_them = {"products": [tea.pk for tea in teas]}
        save_promotion(fields={"name": f"Hour {name}", "value": 5, **all_of_them})
        save_promo_code(fields={"code": f"ALL-{number}", "value": 5, "products": [latte.pk, *all_of_them["products"]]})
        for _ in range(number):
            bar.sell(latte, customer_id=ann.pk, promo_code=f"ALL-{number}")
        order = bar.place(*(OrderLine(tea.pk, 2) for tea in teas), customer_id=ann.pk)
        for item in order.items.all():
            cancel_item(order_id=order.pk, item_id=item.pk, quantity=1, actor=NOBODY)
        self.till(bar, name, order, number)
        BatchRun.objects.create(verb=BatchRun.Verb.COMPLETE, order_ids=[order.pk] * number)
        archive_orders(before=timezone.now() - datetime.timedelta(days=365), limit=max(number // 2, 1))
        dairy = Deliveries(bar, f"Dairy {name}")
        bought = dairy.ordered(*((dairy.pack(milk, 1000, "5.00"), 2) for milk in milks))
        dairy.receive(bought, dict.fromkeys(milks, 1))
        bar.receive(dict.fromkeys(milks, 5))
        makes(bar, tracked(bar.ingredient(f"Cream {name}", "ml"), shelf_life_hours=8), 80, dict.fromkeys(milks, 1))
        cook(bar, Ingredient.objects.get(name=f"Cream {name}"))
        Shelf.objects.filter(name__startswith="All").delete()
        add_shelf(location=bar.location, name=f"All {name}", ingredient_ids=[milk.pk for milk in milks])
        ids = [milk.pk for milk in milks]
        count = start_count(location=bar.location, ingredient_ids=ids, created_by_id=None)
        count_lines(count_id=count.pk, counted=dict.fromkeys(ids, Decimal(90_000)), counted_by_id=None)
        submit_count(count_id=count.pk)
        post_count(count_id=count.pk, posted_by_id=None)


def addresses() -> Iterator[tuple[str, str]]:
    """(name, address) of every page that somebody can look at."""
    for model, own in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        newest = newest_of(model)
        yield f"{name} list", reverse(f"admin:{name}_changelist")
        for page in ("change", "history", *(one.name for one in getattr(own, "pages", ()))):
            if page in NOT_WALKED:
                continue
            try:
                yield f"{name} {page}", reverse(f"admin:{name}_{page}")
            except NoReverseMatch:
                if newest is not None:
                    yield f"{name} {page}", reverse(f"admin:{name}_{page}", args=[newest.pk])
    yield "home", reverse("admin:index")


def newest_of(model: type[Model]) -> Model | None:
    rows = model._default_manager.all()
    if model is User:
        rows = rows.filter(email="admin@shop.example")
    return rows.order_by("pk").last()


def walked(client: Client) -> dict[str, int]:
    """{name of the page: its queries}; one that leads elsewhere is left out."""
    found = {}
    for name, address in addresses():
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
        if answer.status_code == 200:
            found[name] = len(captured)
    return found


@pytest.mark.slow
def test_every_page_of_the_admin_takes_few_queries_and_no_more_for_sixty_things_than_for_three() -> None:
    filled, client = Filled(), signed_in("admin")
    kept_sales(filled.shops[0])
    filled.up_to(3)
    walked(client)  # What a process reads once, such as content types, is read now.
    few = walked(client)
    filled.up_to(60)
    many = walked(client)

    assert len(few) > 60
    assert {name: number for name, number in many.items() if number > MOST} == {}
    # One or two more where a list of ten is full, or where one kind of document more stands in the ledger.
    assert {name: (few[name], number) for name, number in many.items() if abs(number - few[name]) > FULL_LISTS} == {}
    assert ArchivedOrder.objects.exists()
    assert Preparation.objects.exists()
