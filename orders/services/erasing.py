"""A person is forgotten: what they told the shop goes, what the shop has booked stays.

Ledgers, orders and payments keep their rows and amounts; names, contacts, comments and what repeats them elsewhere go.
"""

import datetime
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput, Refusal
from foundation.services.forgetting import MARK, forget_in_memory, forget_log_of, forget_words, pattern_of
from inventory.services.forgetting import forget_in_ledger
from monitoring.models import Alert
from orders.errors import CannotErase, CustomerGone, UnknownCustomer
from orders.models import (
    ArchivedCancelledItem,
    ArchivedEvent,
    ArchivedOrder,
    BatchRun,
    CancelledItem,
    Customer,
    Employee,
    ErasedPerson,
    EveryEvent,
    EveryOrder,
    LoyaltyEntry,
    Order,
    OrderEvent,
    Payment,
    Refund,
)
from orders.phones import shown_phone
from orders.services.actor import Actor
from orders.services.deduction import DOCUMENT_TYPE
from orders.services.loyalty import write_entries
from orders.services.personal_data import Contacts, all_personal_data, personal_data
from orders.services.whole_customer import lock_whole, orders_of, unless_overtaken
from users.models import User
from users.services.erasure import erase_account

LONGEST_REASON = 300
# Answers are kept for a few days only: older texts are in none.
MOST_COMMENTS = 100


@dataclass(slots=True)
class Repeated:
    """What came of repeating erasures: whom it was done for, why it could not be done for others, and how many records
    of other apps (of people who are no customers here) were emptied again."""

    erased: list[int] = field(default_factory=list)
    refused: dict[int, Refusal] = field(default_factory=dict)
    elsewhere: int = 0


def erase_customer(*, customer_id: int, reason: str, actor: Actor) -> Customer:
    """Takes everything personal off a customer, off those who were merged into them, and off their account, and out of
    what other apps keep of somebody with their contacts.

    Their orders, payments and points stay, points that are left are written off. `ErasedPerson` remembers that it was
    done, and nothing of whom. Once more changes nothing.

    Raises UnknownCustomer, CustomerGone for a duplicate (erase the customer it was merged into), InvalidInput at
    `reason` for none and for one that names the person, and CannotErase while an order of theirs is active, or while
    their account is that of somebody who works here.
    """
    reason = reason.strip()
    if not reason:
        raise InvalidInput.at("reason", _("Say why, for example: asked for it by letter. Do not name the person."))
    if len(reason) > LONGEST_REASON:
        raise InvalidInput.at("reason", _("Say it in %(limit)d characters.") % {"limit": LONGEST_REASON})
    return unless_overtaken(
        lambda: erase(customer_id, reason, actor),
        otherwise=CannotErase(_("Somebody is ordering for this customer. Try again in a moment.")),
    )


def erase(customer_id: int, reason: str, actor: Actor) -> Customer:
    """One attempt, in a transaction. Raises Overtaken as well."""
    family = lock_whole(customer_id)
    customer = family.get(customer_id)
    if customer is None:
        raise UnknownCustomer(customer_id)
    if customer.merged_into_id is not None:
        raise CustomerGone(customer_id, merged_into=customer.merged_into_id)
    if customer.erased_at is not None:
        return customer
    active = EveryOrder.objects.filter(customer_id__in=family).active().order_by("pk").first()
    if active is not None:
        raise CannotErase(
            _("Order #%(number)s of this customer is not finished. Complete or cancel it first.")
            % {"number": active.number}
        )
    account = User.objects.filter(pk=customer.user_id).first() if customer.user_id else None
    if account is not None and works_here(account):
        raise CannotErase(
            _("This customer's account is that of somebody who works here. Take it off the customer first.")
        )
    words = list(words_of(family.values(), account))
    if naming(reason, words):
        raise InvalidInput.at("reason", _("The reason stays. Say it without the person's name and contacts."))
    orders = orders_of(family)
    pattern = pattern_of([*words, *texts_of(orders)])
    forget_in_orders(orders, family, pattern)
    forget_in_memory(pattern)
    forget_log_of(model="orders.customer", object_ids=family)
    now = timezone.now()
    contacts = contacts_of(family.values(), account)
    for data in all_personal_data():
        data.erase(contacts, reason, actor.user_id, now)
    write_off(family.values(), actor, at=now)
    Customer.objects.filter(pk__in=family).update(
        name=_("erased person"), phone="", email="", birthday=None, notes="", consent=False, user=None, erased_at=now
    )
    if account is not None:
        erase_account(user_id=account.pk)
    # Whoever repeats it after a restore is not who did it, nor is it done then.
    ErasedPerson.objects.get_or_create(
        customer_id=customer_id, defaults={"reason": reason, "erased_at": now, "erased_by_id": actor.user_id}
    )
    return Customer.objects.get(pk=customer_id)


def repeat_erasures(*, actor: Actor) -> Repeated:
    """Erases once more whoever was erased before a restore brought them back. To be run after every restore."""
    done = Repeated()
    back = Customer.objects.filter(pk__in=ErasedPerson.objects.values("pk"), erased_at=None).order_by("pk")
    reasons = dict(ErasedPerson.objects.values_list("pk", "reason"))
    for pk in list(back.values_list("pk", flat=True)):
        try:
            erase_customer(customer_id=pk, reason=reasons[pk], actor=actor)
            done.erased.append(pk)
        except Refusal as refusal:
            done.refused[pk] = refusal
    done.elsewhere = sum(data.repeat() for data in all_personal_data())
    return done


def erased_people() -> list[dict[str, Any]]:
    """Who was erased, in what JSON can hold, to be kept outside of the database that a restore replaces."""
    customers = [
        {"customer_id": person.pk, "reason": person.reason, "erased_at": person.erased_at.isoformat()}
        for person in ErasedPerson.objects.order_by("pk")
    ]
    return customers + [{"kind": data.name, **entry} for data in all_personal_data() for entry in data.erased()]


def remember_erased(people: Iterable[dict[str, Any]]) -> None:
    """Adds those of the list that this database does not know. Raises KeyError, ValueError for what is no such list."""
    people = list(people)
    for person in people:
        if "kind" in person:
            personal_data(person["kind"]).remember(person)
    ErasedPerson.objects.bulk_create(
        [
            ErasedPerson(
                customer_id=int(person["customer_id"]),
                reason=str(person["reason"])[:LONGEST_REASON],
                erased_at=datetime.datetime.fromisoformat(person["erased_at"]),
            )
            for person in people
            if "kind" not in person
        ],
        ignore_conflicts=True,
    )


def works_here(account: User) -> bool:
    return account.is_staff or Employee.objects.filter(user_id=account.pk).exists()


def words_of(family: Iterable[Customer], account: User | None) -> Iterator[str]:
    """What tells who the person is, as it may stand elsewhere."""
    for one in family:
        yield from (one.name, one.phone, shown_phone(one.phone), one.phone.removeprefix("+"), one.email)
        yield from one.notes.splitlines()
        if one.birthday is not None:
            yield one.birthday.isoformat()
    if account is not None:
        yield from (account.email, account.name)


def contacts_of(family: Iterable[Customer], account: User | None) -> Contacts:
    """By what other apps know the person."""
    people = list(family)
    emails = {one.email for one in people} | ({account.email} if account is not None else set())
    return Contacts(
        emails=frozenset(email.strip().lower() for email in emails if email.strip()),
        phones=frozenset(one.phone for one in people if one.phone),
    )


def texts_of(order_ids: Collection[int]) -> Iterator[str]:
    """What the person wrote on their orders, which answers that are kept for repeats may hold."""
    comments = EveryOrder.objects.filter(pk__in=order_ids).exclude(comment="").order_by("-pk")
    yield from comments.values_list("comment", flat=True)[:MOST_COMMENTS]
    edits = EveryEvent.objects.filter(order_id__in=order_ids, details__has_key="comment").order_by("-pk")
    for details in edits.values_list("details", flat=True)[:MOST_COMMENTS]:
        yield from (text for text in details["comment"] if isinstance(text, str))


def naming(reason: str, words: Collection[str]) -> bool:
    return any(word and word.casefold() in reason.casefold() for word in words if len(word) > 2)


def forget_in_orders(order_ids: Collection[int], customer_ids: Collection[int], pattern: str) -> None:
    """Takes comments off these locked orders, and the person's words out of what was written about them."""
    for orders in (Order, ArchivedOrder):
        orders.objects.filter(pk__in=order_ids).exclude(comment="").update(comment="")
        forget_words(orders.objects.filter(pk__in=order_ids), ["discounts"], pattern)
    for events in (OrderEvent, ArchivedEvent):
        edits = events.objects.filter(order_id__in=order_ids, details__has_key="comment")
        edits.update(details=Func(F("details"), Value("comment"), template="%(expressions)s", arg_joiner=" - "))
        forget_words(events.objects.filter(order_id__in=order_ids), ["reason", "details"], pattern)
    for cancelled in (CancelledItem, ArchivedCancelledItem):
        forget_words(cancelled.objects.filter(item__order_id__in=order_ids), ["reason"], pattern)
    forget_words(Payment.objects.filter(order_id__in=order_ids), ["reference"], pattern)
    forget_words(Refund.objects.filter(order_id__in=order_ids), ["reason"], pattern)
    forget_words(BatchRun.objects.all(), ["reason"], pattern)
    forget_in_alerts(pattern)
    entries = LoyaltyEntry.objects.filter(customer_id__in=customer_ids)
    forget_words(entries, ["reason"], pattern, trigger="orders.LoyaltyEntry:loyalty_append_only")
    forget_in_ledger(document_type=DOCUMENT_TYPE, document_ids=order_ids, pattern=pattern)


def forget_in_alerts(pattern: str) -> None:
    """Takes the person's words out of what the shop was told of. One of each event and subject is open at most: two
    whose subject is forgotten stay two."""
    if pattern:
        forgotten = Concat(Value(f"{MARK} "), Cast("pk", TextField()))
        Alert.objects.order_by().filter(subject__iregex=pattern).update(subject=forgotten)
    forget_words(Alert.objects.all(), ["message", "details"], pattern)


def write_off(family: Iterable[Customer], actor: Actor, *, at: datetime.datetime) -> None:
    """Takes the points that are left: nobody can come for them any more."""
    write_entries(
        [
            LoyaltyEntry(
                customer=one,
                kind=LoyaltyEntry.Kind.ADJUSTED,
                points=-one.points,
                reason=_("written off: the person's data was erased"),
                created_by_id=actor.user_id,
                created_at=at,
            )
            for one in family
            if one.points
        ]
    )
