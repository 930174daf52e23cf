"""Two records of one person become one."""

from django.utils.translation import gettext as _

from orders.errors import CannotMerge, UnknownCustomer
from orders.loyalty_selectors import lots_of
from orders.models import ArchivedOrder, Customer, LoyaltyEntry, Order, PromoRedemption
from orders.services.actor import Actor
from orders.services.loyalty import check_still_there, write_entries
from orders.services.whole_customer import lock_whole, unless_overtaken

LONGEST_NOTES = 2000


def merge_customers(*, survivor_id: int, duplicate_id: int, actor: Actor) -> Customer:
    """Makes the duplicate a pointer to the survivor, who gets its orders, uses of codes and points, the contacts that
    they lack, and its account if they have none. Returns the survivor.

    Raises UnknownCustomer, CustomerGone for one that was merged or erased before, and CannotMerge for one and the same
    record, for two accounts, and while somebody keeps ordering for the duplicate.
    """
    if survivor_id == duplicate_id:
        raise CannotMerge(_("A customer can't be merged with themselves. Choose the other record."))
    return unless_overtaken(
        lambda: merge(survivor_id, duplicate_id, actor),
        otherwise=CannotMerge(_("Somebody is ordering for this customer. Try again in a moment.")),
    )


def merge(survivor_id: int, duplicate_id: int, actor: Actor) -> Customer:
    """One attempt, in a transaction. Raises Overtaken as well."""
    customers = lock_whole(duplicate_id, also=[survivor_id])
    for pk in (survivor_id, duplicate_id):
        if pk not in customers:
            raise UnknownCustomer(pk)
        check_still_there(customers[pk])
    survivor, duplicate = customers[survivor_id], customers[duplicate_id]
    if survivor.user_id is not None and duplicate.user_id is not None:
        raise CannotMerge(
            _("Both customers have an account of their own. Take one of them off its customer before you merge.")
        )
    Order.objects.filter(customer_id=duplicate_id).update(customer_id=survivor_id)
    ArchivedOrder.objects.filter(customer_id=duplicate_id).update(customer_id=survivor_id)
    PromoRedemption.objects.filter(customer_id=duplicate_id).update(customer_id=survivor_id)
    # What pointed to the duplicate points to the survivor, so that one step always leads to who goes on.
    Customer.objects.filter(merged_into=duplicate_id).update(merged_into=survivor_id)
    write_entries(moved_points(survivor, duplicate, actor))
    survivor.points, duplicate.points = survivor.points + duplicate.points, 0
    fill_in(survivor, duplicate)
    account_id, duplicate.user_id, duplicate.merged_into_id = duplicate.user_id, None, survivor_id
    # First off the one: an account belongs to one customer at a time.
    duplicate.save(update_fields=["user", "merged_into"])
    if account_id is not None:
        survivor.user_id = account_id
    survivor.save(update_fields=["user", "name", "phone", "email", "birthday", "notes", "created_at"])
    return survivor


def moved_points(survivor: Customer, duplicate: Customer, actor: Actor) -> list[LoyaltyEntry]:
    """The lines that take the duplicate's points and give them to the survivor, to expire when they would have."""
    if not duplicate.points:
        return []

    def line(customer: Customer, points: int, reason: str, **more: object) -> LoyaltyEntry:
        return LoyaltyEntry(
            customer=customer,
            kind=LoyaltyEntry.Kind.ADJUSTED,
            points=points,
            reason=reason,
            created_by_id=actor.user_id,
            **more,
        )

    gave = _("merged into customer %(id)d") % {"id": survivor.pk}
    got = _("merged with customer %(id)d") % {"id": duplicate.pk}
    given = [line(survivor, points, got, expires_at=expires_at) for expires_at, points in lots_of(duplicate)]
    return [line(duplicate, -duplicate.points, gave), *given]


def fill_in(survivor: Customer, duplicate: Customer) -> None:
    """Gives the survivor the contacts that they lack. Consent to messages is not given for anybody by merging."""
    if survivor.name == survivor.phone and duplicate.name:
        survivor.name = duplicate.name  # Nobody had asked for it at the counter.
    survivor.phone = survivor.phone or duplicate.phone
    survivor.email = survivor.email or duplicate.email
    survivor.birthday = survivor.birthday or duplicate.birthday
    if duplicate.notes and duplicate.notes not in survivor.notes:
        survivor.notes = "\n".join(filter(None, [survivor.notes, duplicate.notes]))[:LONGEST_NOTES]
    survivor.created_at = min(survivor.created_at, duplicate.created_at)
