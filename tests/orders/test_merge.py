"""Two records of one person become one."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone

from orders.errors import CannotMerge, CustomerGone, UnknownCustomer
from orders.loyalty_selectors import points_expiring
from orders.models import Customer, EveryOrder, LoyaltyEntry, LoyaltyProgram, Order, PromoCode, PromoRedemption
from orders.selectors import customer_figures, find_customers
from orders.services import whole_customer
from orders.services.archive import archive_orders
from orders.services.loyalty import write_entries
from orders.services.merging import merge_customers
from orders.services.points import adjust_points, expire_points
from orders.services.transitions import complete_order
from tests.races.threads import at_once, kinds
from tests.shop import NOBODY, Shop, user_of

NOW = timezone.now()
DAY = datetime.timedelta(days=1)


def customer(name: str = "Ann", **fields: Any) -> Customer:
    return Customer.objects.create(name=name, **fields)


def merge(survivor: Customer, duplicate: Customer) -> Customer:
    return merge_customers(survivor_id=survivor.pk, duplicate_id=duplicate.pk, actor=NOBODY)


def earn(whom: Customer, points: int, days: int, **fields: Any) -> None:
    entry = LoyaltyEntry(customer_id=whom.pk, kind="earned", points=points, expires_at=NOW + days * DAY, **fields)
    write_entries([entry])


def balances() -> dict[int, int]:
    """What each customer has, which is what their ledger sums to."""
    sums = dict.fromkeys(Customer.objects.values_list("pk", flat=True), 0)
    sums |= dict(
        LoyaltyEntry.objects.order_by().values("customer").annotate(sum=Sum("points")).values_list("customer", "sum")
    )
    assert sums == dict(Customer.objects.values_list("pk", "points"))
    return sums


@pytest.fixture
def bar(db: None) -> Shop:
    return Shop.open()


def test_orders_live_and_archived_go_to_the_survivor(bar: Shop) -> None:
    tea, ann, anna = bar.product("Tea"), customer(), customer("Anna")
    old = bar.sell(tea, customer_id=anna.pk)
    complete_order(order_id=old.pk, actor=NOBODY, allow_unpaid=True)
    archive_orders(before=timezone.now())
    live, own = bar.sell(tea, customer_id=anna.pk), bar.sell(tea, customer_id=ann.pk)

    merge(ann, anna)

    assert set(EveryOrder.objects.filter(customer=ann).values_list("pk", flat=True)) == {old.pk, live.pk, own.pk}
    assert EveryOrder.objects.get(pk=old.pk).is_archived
    assert not EveryOrder.objects.filter(customer=anna).exists()
    assert customer_figures(ann).spent == Decimal("60.00")


def test_uses_of_promo_codes_go_along_and_count_for_the_survivor(bar: Shop) -> None:
    ann, anna = customer(), customer("Anna")
    PromoCode.objects.create(code="TEN", value=10, per_customer_limit=1)
    order = bar.sell(bar.product("Tea"), customer_id=anna.pk, promo_code="TEN")

    merge(ann, anna)

    assert PromoRedemption.objects.get(order_id=order.pk).customer_id == ann.pk


@pytest.mark.django_db
def test_points_move_by_the_ledger_and_expire_when_they_would_have() -> None:
    ann, anna = customer(), customer("Anna")
    earn(ann, 5, 30)
    earn(anna, 100, 10)
    earn(anna, 40, 20)
    write_entries([LoyaltyEntry(customer_id=anna.pk, kind="redeemed", points=-70)])

    assert merge(ann, anna).points == 75

    assert balances() == {ann.pk: 75, anna.pk: 0}
    moved = LoyaltyEntry.objects.filter(kind="adjusted").order_by("pk").values_list("customer", "points", "expires_at")
    assert list(moved) == [(anna.pk, -70, None), (ann.pk, 30, NOW + 10 * DAY), (ann.pk, 40, NOW + 20 * DAY)]
    assert [points_expiring(ann, NOW + days * DAY) for days in (9, 10, 20, 30)] == [0, 30, 70, 75]
    assert expire_points(now=NOW + 20 * DAY) == 70


def test_what_the_duplicates_order_had_earned_is_taken_back_from_the_survivor(bar: Shop) -> None:
    """The order is refunded after the merge: the ledger of the order and of the person still add up."""
    LoyaltyProgram.objects.create(is_active=True)
    ann, anna = customer(), customer("Anna")
    earn(anna, 50, 10, order_id=1)

    merge(ann, anna)
    entry = {"order_id": 1, "kind": "reversed", "reverses": "earned", "expires_at": NOW + 10 * DAY}
    write_entries([LoyaltyEntry(customer_id=ann.pk, points=-20, **entry)])

    assert balances() == {ann.pk: 30, anna.pk: 0}
    assert points_expiring(ann, NOW + 10 * DAY) == 30


@pytest.mark.django_db
def test_the_survivor_gets_the_contacts_that_they_lack_and_keeps_their_own() -> None:
    born = datetime.date(1990, 5, 1)
    ann = customer("+447700900123", phone="+447700900123", notes="soy milk", consent=False)
    anna = customer(
        "Anna", phone="+447700900124", email="anna@tea.example", birthday=born, notes="no ice", consent=True
    )
    Customer.objects.filter(pk=anna.pk).update(created_at=NOW - 100 * DAY)

    merge(ann, anna)

    ann.refresh_from_db()
    assert (ann.name, ann.phone, ann.email) == ("Anna", "+447700900123", "anna@tea.example")
    assert (ann.birthday, ann.notes, ann.consent) == (born, "soy milk\nno ice", False)
    assert ann.created_at == NOW - 100 * DAY


@pytest.mark.django_db
def test_the_duplicates_account_goes_to_a_survivor_without_one() -> None:
    ann, anna = customer(), customer("Anna", user=user_of("customer"))

    merge(ann, anna)

    ann.refresh_from_db()
    anna.refresh_from_db()
    assert (ann.user_id, anna.user_id) == (user_of_customers(), None)


def user_of_customers() -> int:
    return Customer.objects.exclude(user=None).get().user_id


@pytest.mark.django_db
def test_two_accounts_are_not_merged() -> None:
    ann = customer(user=user_of("customer", "ann@shop.example"))
    anna = customer("Anna", user=user_of("customer", "anna@shop.example"))
    earn(anna, 10, 1)

    with pytest.raises(CannotMerge, match="an account of their own"):
        merge(ann, anna)

    assert balances() == {ann.pk: 0, anna.pk: 10}
    assert not Customer.objects.exclude(merged_into=None).exists()


@pytest.mark.django_db
def test_nobody_is_merged_with_themselves_or_with_who_is_gone() -> None:
    ann, gone = customer(), customer("Gone", erased_at=NOW)
    anna = customer("Anna", merged_into=ann)

    with pytest.raises(CannotMerge, match="themselves"):
        merge(ann, ann)
    for one, other in [(ann, anna), (anna, ann), (ann, gone), (gone, ann)]:
        with pytest.raises(CustomerGone):
            merge(one, other)
    with pytest.raises(UnknownCustomer):
        merge_customers(survivor_id=ann.pk, duplicate_id=10**9, actor=NOBODY)


@pytest.mark.django_db
def test_a_pointer_always_leads_to_who_goes_on() -> None:
    ann, anna, annie = customer(), customer("Anna"), customer("Annie")

    merge(anna, annie)
    merge(ann, anna)

    assert set(Customer.objects.filter(merged_into=ann).values_list("name", flat=True)) == {"Anna", "Annie"}


def test_the_duplicate_is_found_nowhere_and_nothing_new_is_written_for_them(bar: Shop) -> None:
    ann, anna = customer(phone="+447700900123"), customer("Anna", phone="+447700900123")
    merge(ann, anna)

    assert list(find_customers("+44 7700 900123")) == [ann]
    with pytest.raises(CustomerGone) as refused:
        bar.sell(bar.product("Tea"), customer_id=anna.pk)
    assert refused.value.extra == {"merged_into": ann.pk}
    assert not Order.objects.exists()


def test_every_table_that_names_a_customer_is_known_to_merging() -> None:
    """A new one has to be moved, too; then it gets its line here."""
    keys = {
        f"{field.related_model._meta.object_name}.{field.field.name}"
        for field in Customer._meta.get_fields(include_hidden=True)
        if field.one_to_many or (field.one_to_one and field.auto_created)
    }
    assert {key for key in keys if not key.startswith("Every")} == {
        "ArchivedOrder.customer",
        "Customer.merged_into",
        "LoyaltyEntry.customer",
        "Order.customer",
        "PromoRedemption.customer",
    }


@pytest.mark.django_db(transaction=True)
def test_two_merges_each_into_the_other_at_once_leave_one_of_them() -> None:
    ann, anna = customer(), customer("Anna")
    earn(ann, 10, 1)
    earn(anna, 20, 1)

    outcomes = at_once([lambda: merge(ann, anna), lambda: merge(anna, ann)] * 3)

    assert kinds(outcomes) == {"Customer": 1, "CustomerGone": 5}
    assert sorted(balances().values()) == [0, 30]
    assert Customer.objects.filter(merged_into=None).get().points == 30


@pytest.mark.django_db(transaction=True)
def test_orders_and_points_that_come_during_a_merge_are_lost_to_nobody() -> None:
    bar = Shop.open()
    tea, ann, anna = bar.product("Tea"), customer(), customer("Anna")

    def order() -> Any:
        return bar.sell(tea, customer_id=anna.pk)

    def give() -> Any:
        return adjust_points(customer_id=anna.pk, points=1, reason="why", actor=NOBODY)

    outcomes = at_once([order, give, lambda: merge(ann, anna), order, give, order, give])

    happened = kinds(outcomes)
    assert happened.pop("Customer") == 1
    assert EveryOrder.objects.filter(customer=ann).count() == happened.get("Order", 0)
    assert balances() == {ann.pk: happened.get("LoyaltyEntry", 0), anna.pk: 0}
    assert set(happened) <= {"Order", "LoyaltyEntry", "CustomerGone"}


def test_an_order_that_slips_in_between_the_locks_makes_the_merge_begin_anew(
    bar: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    tea, ann, anna = bar.product("Tea"), customer(), customer("Anna")
    attempts, real = [], whole_customer.lock_customers

    def slow_lock(ids: Any) -> Any:
        attempts.append(ids)
        if len(attempts) == 1:
            # Committed before the customer was locked, and after their orders were.
            bar.sell(tea, customer_id=anna.pk)
        return real(ids)

    monkeypatch.setattr(whole_customer, "lock_customers", slow_lock)

    merge(ann, anna)

    assert len(attempts) == 2
    assert not EveryOrder.objects.filter(customer=anna).exists()
