"""A person is forgotten: afterwards the whole database knows nothing of them, and its books still add up."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from foundation.errors import InvalidInput
from foundation.models import IdempotencyKey
from inventory.models import StockMovement
from monitoring.models import Alert
from orders.errors import CannotErase, CustomerGone, UnknownCustomer
from orders.models import Customer, ErasedPerson, EveryOrder, LoyaltyEntry, Order, Payment
from orders.pricing import OrderLine
from orders.services.archive import archive_orders
from orders.services.customer_records import add_customer
from orders.services.erasing import erase_customer, repeat_erasures
from orders.services.merging import merge_customers
from orders.services.points import adjust_points
from orders.services.transitions import complete_order
from tests.inventory.admin_pages import signed_in
from tests.orders.admin_orders import page
from tests.rest import Rest
from tests.shop import NOBODY, Shop, user_of
from users.models import ApiToken, OutgoingMail, User

pytestmark = pytest.mark.django_db

WHY = "asked for it by letter"


def erase(customer: Customer, reason: str = WHY) -> Customer:
    return erase_customer(customer_id=customer.pk, reason=reason, actor=NOBODY)


def whole_database() -> str:
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        rows = []
        for table in tables:
            cursor.execute(f'SELECT one::text FROM "{table}" AS one')
            rows += [f"{table}: {row}" for (row,) in cursor.fetchall()]
    return "\n".join(rows).casefold()


def forwards(words: list[str]) -> list[str]:
    """What of these words the database still says, and where."""
    database = whole_database().splitlines()
    return [line for line in database if any(word.casefold() in line for word in words)]


def a_life(bar: Shop) -> tuple[Customer, list[str]]:
    """Somebody of whom the shop knows much, wherever it keeps things; and the words that it knows."""
    account = user_of("customer", "vera.n@mail.example")
    account.name = "Вера Нежданова"
    account.save()
    person = add_customer(
        values={
            "name": "Вера Нежданова",
            "phone": "+44 7700 900777",
            "email": "Vera@Home.example",
            "birthday": datetime.date(1987, 11, 3),
            "notes": "allergic to quinoa",
            "consent": True,
            "user": account,
        }
    )
    twin = add_customer(values={"name": "Nezhdanova Quux", "phone": "+44 7700 900778", "email": "verka@work.example"})
    tea = bar.product("Tea", recipe={bar.ingredient("Milk", "ml", stock=1000): 10})
    barista = Rest.of("barista")
    body = {"customer": person.pk, "items": [{"product": tea.pk, "quantity": 2}], "comment": "for Вера, ring twice"}
    first = barista.post("orders/", body, **{"Idempotency-Key": "one"})
    barista.patch(f"orders/{first['id']}/", {"comment": "for Вера, leave at the lilac door"})
    barista.patch(f"customers/{person.pk}/", {"notes": "allergic to quinoa and kale"})
    Payment.objects.create(order_id=first["id"], method="card", amount=1, reference="card of ВЕРА НЕЖДАНОВА")
    order = Order.objects.get(pk=first["id"])
    bar.cancel_part(order, 1, reason="Вера Нежданова called from +44 7700 900777", restock=False)
    complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)
    archive_orders(before=timezone.now())
    own = Rest(account)
    second = own.post("orders/", {"items": body["items"], "comment": "the third bell"}, **{"Idempotency-Key": "two"})
    bar.cancel(Order.objects.get(pk=second["id"]), reason="vera@home.example wrote")
    adjust_points(customer_id=twin.pk, points=7, reason="sorry, Nezhdanova Quux", actor=NOBODY)
    merge_customers(survivor_id=person.pk, duplicate_id=twin.pk, actor=NOBODY)
    Alert.objects.create(event="x", severity="info", subject="vera.n@mail.example", message="tried: Вера Нежданова")
    EmailAddress.objects.create(user=account, email=account.email, verified=True)
    Authenticator.objects.create(user=account, type=Authenticator.Type.TOTP, data={"secret": "vera.n@mail.example"})
    OutgoingMail.objects.create(kind="x", to="vera.n@mail.example", user=account, site="http://shop.example")
    Client().force_login(account)
    admin = signed_in("manager")
    data = {"name": "Вера Нежданова", "phone": "+44 7700 900777", "email": "vera@home.example", "notes": "allergic"}
    admin.post(page("customer_change", person.pk), {**data, "birthday": "1987-11-03", "consent": "on"})
    words = ["Вера", "Нежданова", r"\u0412\u0435\u0440\u0430", "Nezhdanova", "Quux", "7700900777", "7700 900777"]
    words += ["7700900778", "home.example", "work.example", "mail.example", "1987-11-03", "quinoa", "lilac", "bell"]
    return person, words


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


def test_afterwards_the_whole_database_says_nothing_of_the_person(bar: Shop) -> None:
    person, words = a_life(bar)
    known = {line.split(":")[0] for line in forwards(words)}
    assert {
        "users_user",
        "users_outgoingmail",
        "account_emailaddress",
        "mfa_authenticator",
        "orders_customer",
        "orders_order",
        "orders_archivedorder",
        "orders_archivedevent",
        "orders_archivedcancelleditem",
        "orders_orderevent",
        "orders_payment",
        "orders_loyaltyentry",
        "inventory_stockmovement",
        "monitoring_alert",
        "foundation_idempotencykey",
        "django_admin_log",
    } <= known
    before = books()

    erase(person)

    assert forwards(words) == []
    assert books() == before


def books() -> tuple[Any, ...]:
    """What the shop has booked, which no erasure changes. Points that are left are written off."""
    orders = EveryOrder.objects.aggregate(Sum("total"), Sum("paid"))
    return orders, EveryOrder.objects.count(), StockMovement.objects.count(), Payment.objects.count()


def test_the_account_is_shut_for_good(bar: Shop) -> None:
    person, _words = a_life(bar)
    account = User.objects.get(email="vera.n@mail.example")
    other = Client()
    other.force_login(user_of("customer", "bob@mail.example"))

    erase(person)

    account.refresh_from_db()
    assert (account.email, account.name) == (f"erased-{account.pk}@erased.invalid", "")
    assert not account.is_active
    assert not account.has_usable_password()
    assert not ApiToken.objects.filter(user=account).exists()
    # Those of the manager and of Bob go on.
    assert Session.objects.count() == 2


def test_two_people_of_whom_the_same_alert_is_open_are_erased(bar: Shop) -> None:
    people = [add_customer(values={"name": name, "email": f"{name}@mail.example"}) for name in ("Vera", "Boris")]
    for one in people:
        Alert.objects.create(event="users.sign_in_locked", severity="warning", subject=one.email)

    for one in people:
        erase(one)

    assert forwards(["vera", "boris"]) == []
    assert Alert.objects.filter(subject__startswith="[erased] ").count() == 2


def test_a_sign_up_that_somebody_began_with_their_email_is_forgotten(bar: Shop, client: Client) -> None:
    account = user_of("customer", "vera@mail.example")
    person = add_customer(values={"name": "Vera", "user": account})
    client.post("/accounts/signup/", {"email": "Vera@mail.example", "password1": "a long enough one"})
    assert Session.objects.count() == 1

    erase(person)

    assert Session.objects.count() == 0


def test_points_that_are_left_are_written_off_by_the_ledger(bar: Shop) -> None:
    person, _words = a_life(bar)

    erase(person)

    person.refresh_from_db()
    entry = LoyaltyEntry.objects.filter(customer=person).first()
    assert entry is not None
    assert (person.points, entry.points, entry.reason) == (0, -7, "written off: the person's data was erased")
    assert LoyaltyEntry.objects.filter(customer=person).aggregate(sum=Sum("points"))["sum"] == 0


def test_a_repeat_of_an_old_request_still_does_nothing_twice(bar: Shop) -> None:
    person, _words = a_life(bar)
    keys, orders = IdempotencyKey.objects.count(), EveryOrder.objects.count()

    erase(person)

    assert IdempotencyKey.objects.count() == keys
    assert EveryOrder.objects.count() == orders
    assert all(json.loads(body) is not None for body in IdempotencyKey.objects.values_list("body", flat=True))
    assert not LogEntry.objects.filter(object_repr__contains="Вера").exists()


def test_other_peoples_words_stay(bar: Shop) -> None:
    ann, bob = Customer.objects.create(name="Ann"), Customer.objects.create(name="Bob", notes="Annual tea")
    order = bar.sell(bar.product("Tea"), customer_id=bob.pk, comment="for Bob and Ann")

    erase(ann)

    bob.refresh_from_db()
    order = Order.objects.get(pk=order.pk)
    assert (bob.name, bob.notes, order.comment) == ("Bob", "Annual tea", "for Bob and Ann")


def test_erasing_twice_is_erasing_once(bar: Shop) -> None:
    person, _words = a_life(bar)
    erase(person)
    before = whole_database()

    erase(person, "once more")

    assert whole_database() == before
    assert ErasedPerson.objects.get().reason == WHY


def test_nobody_is_erased_while_an_order_of_theirs_is_active(bar: Shop) -> None:
    ann = Customer.objects.create(name="Ann")
    twin = Customer.objects.create(name="Anna", merged_into=ann)
    order = bar.sell(bar.product("Tea"), customer_id=ann.pk)
    Order.objects.filter(pk=order.pk).update(customer=twin)

    with pytest.raises(CannotErase, match=f"#{order.number} of this customer is not finished"):
        erase(ann)

    ann.refresh_from_db()
    assert (ann.name, ann.erased_at) == ("Ann", None)
    assert not ErasedPerson.objects.exists()


def test_who_works_here_keeps_their_account() -> None:
    kai = Customer.objects.create(name="Kai", user=user_of("barista"))

    with pytest.raises(CannotErase, match="works here"):
        erase(kai)

    assert User.objects.get().is_active


@pytest.mark.parametrize("reason", ["", "  ", "ann lee asked", "from +44 7700 900123", "x" * 301])
def test_a_reason_is_given_and_does_not_name_the_person(reason: str) -> None:
    ann = Customer.objects.create(name="Ann Lee", phone="+447700900123")

    with pytest.raises(InvalidInput) as refused:
        erase(ann, reason)

    assert set(refused.value.errors) == {"reason"}
    assert not ErasedPerson.objects.exists()


def test_of_a_duplicate_the_one_it_was_merged_into_is_erased() -> None:
    ann = Customer.objects.create(name="Ann")
    twin = Customer.objects.create(name="Anna", merged_into=ann)

    with pytest.raises(CustomerGone):
        erase(twin)
    with pytest.raises(UnknownCustomer):
        erase_customer(customer_id=10**9, reason=WHY, actor=NOBODY)
    erase(ann)

    twin.refresh_from_db()
    assert (twin.name, twin.merged_into_id) == ("erased person", ann.pk)


def test_after_a_restore_whoever_was_erased_is_erased_again(bar: Shop, tmp_path: Path) -> None:
    ann, bob = Customer.objects.create(name="Ann Lee"), Customer.objects.create(name="Bob Ray")
    for customer in (ann, bob):
        erase(customer)
    when = ErasedPerson.objects.get(pk=ann.pk).erased_at
    call_command("repeat_erasures", write=str(tmp_path / "erased.json"))
    # The restored database is of the day before.
    ErasedPerson.objects.all().delete()
    Customer.objects.filter(pk=ann.pk).update(name="Ann Lee", erased_at=None)
    Customer.objects.filter(pk=bob.pk).update(name="Bob Ray", erased_at=None)
    order = bar.place(OrderLine(bar.product("Tea").pk, 1), customer_id=bob.pk)

    with pytest.raises(CommandError, match="run this again"):
        call_command("repeat_erasures", read=str(tmp_path / "erased.json"))

    names = dict(Customer.objects.values_list("pk", "name"))
    assert names == {ann.pk: "erased person", bob.pk: "Bob Ray"}
    assert ErasedPerson.objects.get(pk=ann.pk).erased_at == when
    bar.cancel(order)
    assert repeat_erasures(actor=NOBODY).erased == [bob.pk]
    assert repeat_erasures(actor=NOBODY).erased == []


def test_a_file_that_is_no_list_of_erased_persons_is_told(tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_text("[1]")

    with pytest.raises(CommandError, match="no list of erased persons"):
        call_command("repeat_erasures", read=str(tmp_path / "wrong.json"))
