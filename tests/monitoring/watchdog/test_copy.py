"""Whom to tell while the database is away: sealed, and as the database says."""

import datetime

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from pytest_django import Settings

from foundation.shop import CurrentShop, remember_shop
from monitoring.models import Channel
from monitoring.spool import Spool
from monitoring.watchdog.copy import KeptCopy, copy_now
from tests.monitoring.conftest import LATE
from tests.monitoring.watching import channel, rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(spool: Spool) -> KeptCopy:
    return KeptCopy(spool)


def test_what_was_kept_comes_back(kept: KeptCopy) -> None:
    remember_shop(CurrentShop("Tea", "GBP", "Europe/London", "GB"))
    quiet = datetime.time(23, 0), datetime.time(7, 30)
    night = channel("Night", address="http://a.example/x", secret="k", quiet_from=quiet[0], quiet_until=quiet[1])
    day, off = channel("Day", language="ru", hourly_limit=5), channel("Off", is_enabled=False)
    rule(night, day, off, events=[LATE], severity="error", repeat_minutes=15, group_seconds=7)
    rule(off)
    rule(day, is_enabled=False)
    channel("Of no rule")

    kept.keep()
    copy = kept.read()

    assert copy is not None
    assert copy == copy_now()
    assert (list(copy.channels), copy.shop.name) == ([night.pk, day.pk], "Tea")
    back = copy.channels[night.pk]
    assert (back.address, back.secret, back.quiet_from, back.quiet_until) == ("http://a.example/x", "k", *quiet)
    (only,) = copy.rules
    assert (only.events, only.weight, only.channel_ids) == ({LATE}, 2, (night.pk, day.pk))
    assert (only.wish.group_seconds, only.wish.repeat_minutes) == (7, 15)


def test_nobody_reads_addresses_in_it(kept: KeptCopy) -> None:
    rule(channel(address="https://a.example/s3cr3t", secret="hush-hush"))
    kept.keep()

    text = kept.path.read_text()
    assert not [word for word in ("s3cr3t", "hush", "Chat", "example") if word in text]
    assert kept.path.stat().st_mode & 0o777 == 0o600


def test_a_channel_that_no_key_opens_keeps_no_other_out_of_it(kept: KeptCopy) -> None:
    sealed, fine = channel("Sealed"), channel("Fine")
    rule(sealed, fine)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE monitoring_channel SET address = 'gAAAAA-nobody-opens' WHERE id = %s", [sealed.pk])

    kept.keep()
    copy = kept.read()

    assert copy is not None
    assert list(copy.channels) == [fine.pk]


def test_it_is_written_when_something_has_changed(kept: KeptCopy, spool: Spool) -> None:
    rule(made := channel())
    kept.keep()
    first = kept.path.read_text()
    kept.keep()
    KeptCopy(spool).keep()
    assert kept.path.read_text() == first

    Channel.objects.filter(pk=made.pk).update(address="https://b.example/")
    kept.keep()
    copy = kept.read()
    assert copy is not None
    assert copy.channels[made.pk].address == "https://b.example/"


def test_it_is_sealed_anew_with_a_new_key(kept: KeptCopy, spool: Spool, settings: Settings) -> None:
    rule(channel())
    kept.keep()
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
    KeptCopy(spool).keep()

    now = copy_now()
    settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS[:1]
    assert kept.read() == now


def test_without_a_copy_or_its_key_nobody_is_told(kept: KeptCopy, settings: Settings) -> None:
    assert kept.read() is None
    rule(channel())
    kept.keep()
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert kept.read() is None
    kept.path.write_text("half a li")
    assert kept.read() is None
