"""Writing the shop's own settings. Every change makes this process read them anew after the commit."""

import datetime

from django.db import connection, transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from foundation.locks import lock_record
from foundation.models import Shop
from foundation.models.shop import ONLY_ID
from foundation.services.records import check_record
from foundation.shop import forget_shop, from_environment

# What was sold for money of the shop; the apps above name it when they are ready.
_sold: list[type[Model]] = []


def register_sold(model: type[Model]) -> None:
    """Fixes the currency from the first row of `model` on."""
    _sold.append(model)


def currency_is_fixed() -> bool:
    """Whether the currency can't be changed any more."""
    return any(model._default_manager.exists() for model in _sold)


def lock_sold() -> None:
    """Lets nobody sell until the end of the transaction: a first sale in the old currency is not missed."""
    tables = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in _sold)
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")


@transaction.atomic
def keep_shop(*, name: str, currency: str, time_zone: str, phone_region: str) -> Shop:
    """Writes the shop's settings; makes its row if there is none.

    Raises InvalidInput at its fields; at `currency` also when another one was sold in already.
    """
    asked = {
        "name": name.strip(),
        "currency": currency.strip().upper(),
        "time_zone": time_zone.strip(),
        "phone_region": phone_region.strip().upper(),
    }
    # Where two set the shop up at once, the second waits here and then changes what the first has written.
    Shop.objects.bulk_create([Shop(**row_of_environment())], ignore_conflicts=True)
    shop = lock_record(Shop, ONLY_ID)
    if asked["currency"] != shop.currency:
        lock_sold()
        if currency_is_fixed():
            raise InvalidInput.at(
                "currency",
                _(
                    "The shop has sold in %(currency)s already: its orders and payments are in it, so the currency "
                    "can't be changed any more."
                )
                % {"currency": shop.currency},
            )
    for field, value in asked.items():
        setattr(shop, field, value)
    check_record(shop)
    shop.save(update_fields=list(asked))
    transaction.on_commit(forget_shop)
    return shop


@transaction.atomic
def open_demo_shop(*, name: str, currency: str, time_zone: str, phone_region: str, now: datetime.datetime) -> Shop:
    """Writes the settings of a shop that is a demo since `now`, and needs no first-run page."""
    keep_shop(name=name, currency=currency, time_zone=time_zone, phone_region=phone_region)
    shop = lock_record(Shop, ONLY_ID)
    shop.demo_since = shop.set_up_at = now
    shop.save(update_fields=["demo_since", "set_up_at"])
    return shop


@transaction.atomic
def skip_step(*, step: str) -> None:
    """Notes that a step of the first-run page is left out. Raises Missing before the shop has its settings."""
    shop = lock_record(Shop, ONLY_ID)
    if step not in shop.skipped_steps:
        shop.skipped_steps = [*shop.skipped_steps, step]
        shop.save(update_fields=["skipped_steps"])
        transaction.on_commit(forget_shop)


@transaction.atomic
def finish_setting_up(*, now: datetime.datetime) -> None:
    """Notes that the first-run page is done with; a second time changes nothing. Raises Missing."""
    shop = lock_record(Shop, ONLY_ID)
    if shop.set_up_at is None:
        shop.set_up_at = now
        shop.save(update_fields=["set_up_at"])
        transaction.on_commit(forget_shop)


def row_of_environment() -> dict[str, str]:
    """The columns of a new row."""
    new = from_environment()
    return {
        "name": new.name,
        "currency": new.currency,
        "time_zone": new.time_zone,
        "phone_region": new.phone_region,
    }
