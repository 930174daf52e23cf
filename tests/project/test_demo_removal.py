"""Removing the demo: what goes, what stays, and who may do it; all of it or nothing."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.module_loading import import_string
from django_celery_beat.models import IntervalSchedule

from foundation import shop as memory
from foundation.errors import InvalidInput
from foundation.models import IdempotencyKey, Shop
from foundation.services.shop import open_demo_shop
from inventory.models import Location, Product, StockMovement
from monitoring.models import AlertRule, Channel
from monitoring.services.channels import add_channel
from monitoring.services.rules import add_rule
from orders.models import Customer, Order
from project.demo import removal
from project.demo.errors import NoDemo, SomebodyIsWorking
from project.demo.load import load_demo
from project.demo.removal import remove_demo, what_goes
from project.demo.tables import business, go_with_accounts, tables, traces, undecided
from project.demo.telling import tell_the_manager
from project.first_run import gate
from tests.shop import Shop as TeaBar
from tests.shop import user_of
from users.models import User

PAGE = "/admin/foundation/shop/remove-demo/"
SETTINGS = {"name": "Samovar Tea", "currency": "THB", "time_zone": "Asia/Bangkok", "phone_region": "TH"}


@pytest.fixture
def demo(db: None, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> TeaBar:
    """A small demo: what was sold, by whom, to whom. Nothing is remembered: a test never commits."""
    settings.VAR_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "media"
    monkeypatch.setattr(memory, "MEMORY", -1.0)
    monkeypatch.setattr(gate, "MEMORY", -1.0)
    memory.forget_shop()
    gate.look_again()
    (tmp_path / "demo-accounts.json").write_text("[]")
    open_demo_shop(**SETTINGS, now=timezone.now())
    bar = TeaBar.open()
    milk = bar.ingredient("Milk", "ml", stock=1000)
    tea = bar.product("Tea", recipe={milk: 100})
    Product.objects.update(image=default_storage.save("tea.png", ContentFile(b"a picture")))
    bar.sell(tea)
    Customer.objects.create(name="Ann")
    return bar


@pytest.fixture
def owner(demo: TeaBar) -> User:
    return user_of("admin")


def remove(owner: User, tmp_path: Path, name: str = "Samovar Tea", **more: Any) -> None:
    remove_demo(typed_name=name, keeper_id=owner.pk, accounts_path=tmp_path / "demo-accounts.json", **more)


def rows() -> dict[str, int]:
    """How many rows every table has."""
    return {model._meta.label: model._base_manager.count() for model in tables()}


# --- what is decided ------------------------------------------------------------------------------------


def test_every_table_is_decided() -> None:
    assert list(undecided()) == []


def test_every_table_of_the_database_is_a_models(db: None) -> None:
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} | {"django_migrations"}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = current_schema()::regnamespace"
        )
        assert {name for (name,) in cursor.fetchall()} - known == set()


def test_a_table_that_is_emptied_as_a_whole_is_pointed_to_by_emptied_ones_only() -> None:
    """Else PostgreSQL would refuse to empty it."""
    emptied = set(business())
    for model in set(tables()) - emptied:
        pointed = {field.related_model for field in model._meta.get_fields() if field.many_to_one and field.concrete}
        assert not pointed & emptied, model


# --- what goes and what stays -----------------------------------------------------------------------------


def test_all_business_goes_and_the_owner_the_roles_and_the_timetable_stay(
    demo: TeaBar, owner: User, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    user_of("barista")
    IntervalSchedule.objects.create(every=5, period="hours")
    picture = str(Product.objects.get().image)
    groups = Group.objects.count()

    with django_capture_on_commit_callbacks(execute=True):
        remove(owner, tmp_path)

    left = rows()
    assert {label for label in left if label.partition(".")[0] in {"orders", "inventory"} and left[label]} == set()
    assert all(not left[model._meta.label] for model in traces())
    assert User.objects.get() == owner
    assert owner.role == "admin"
    assert Group.objects.count() == groups
    assert IntervalSchedule.objects.filter(every=5).exists()
    assert not default_storage.exists(picture)
    assert not (tmp_path / "demo-accounts.json").exists()


def test_the_demo_managers_mailbox_goes_and_a_channel_of_ones_own_stays(
    demo: TeaBar, owner: User, tmp_path: Path
) -> None:
    tell_the_manager(now=Shop.objects.get().demo_since)
    mine = add_channel(kind="email", name="Mine", address="mine@example.com", at=timezone.now())
    rule = add_rule(name="Mine", channel_ids=[mine.pk], at=timezone.now())
    remove(owner, tmp_path)
    assert list(Channel.objects.all()) == [mine]
    assert list(AlertRule.objects.all()) == [rule]


def test_the_next_shop_counts_from_one(demo: TeaBar, owner: User, tmp_path: Path) -> None:
    demo.sell(Product.objects.get())
    remove(owner, tmp_path)

    bar = TeaBar.open()
    order = bar.sell(bar.product("Tea"))

    assert (order.pk, order.number, bar.location.pk) == (1, 1, 1)


def test_the_triggers_guard_the_ledger_as_before(demo: TeaBar, owner: User, tmp_path: Path) -> None:
    remove(owner, tmp_path)
    bar = TeaBar.open()
    bar.ingredient("Milk", "ml", stock=1000)
    with pytest.raises(Exception, match=r"(?i)delete"):
        StockMovement.objects.all().delete()


def test_the_page_says_exactly_what_goes(demo: TeaBar, owner: User) -> None:
    user_of("barista")
    with CaptureQueriesContext(connection) as queries:
        going = {str(one.kind): one.number for one in what_goes(keeper_id=owner.pk)}

    assert len(queries) == 2
    assert going["Orders"] == going["Customers"] == going["Products"] == going["Accounts"] == 1
    assert 0 not in going.values()
    demo.sell(Product.objects.get())
    assert {str(one.kind): one.number for one in what_goes(keeper_id=owner.pk)}["Orders"] == 2


def test_all_that_an_account_owns_goes_with_it() -> None:
    labels = {model._meta.label for model in go_with_accounts()}
    assert {"users.User", "users.User_groups", "account.EmailAddress", "mfa.Authenticator"} <= labels


# --- refusals ---------------------------------------------------------------------------------------------


def refused(owner: User, tmp_path: Path, error: type[BaseException], **asked: Any) -> None:
    before = rows()
    with pytest.raises(error):
        remove(owner, tmp_path, **asked)
    assert rows() == before
    assert (tmp_path / "demo-accounts.json").exists()


@pytest.mark.parametrize("name", ["", "Samovar", "x" * 10_000, "'; DROP TABLE orders_order"])
def test_another_name_removes_nothing(demo: TeaBar, owner: User, tmp_path: Path, name: str) -> None:
    refused(owner, tmp_path, InvalidInput, name=name)


def test_a_shop_of_ones_own_is_never_emptied(demo: TeaBar, owner: User, tmp_path: Path) -> None:
    Shop.objects.update(demo_since=None)
    refused(owner, tmp_path, NoDemo)
    Shop.objects.all().delete()
    refused(owner, tmp_path, NoDemo)


@pytest.mark.parametrize("role", ["customer", "barista", "manager"])
def test_who_stays_must_be_an_admin(demo: TeaBar, tmp_path: Path, role: str) -> None:
    refused(user_of(role), tmp_path, InvalidInput)


def test_an_admin_who_was_switched_off_is_not_kept(demo: TeaBar, owner: User, tmp_path: Path) -> None:
    User.objects.update(is_active=False)
    refused(owner, tmp_path, InvalidInput)


def test_it_stops_in_the_middle_and_nothing_has_happened(
    demo: TeaBar, owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(cursor: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(removal, "restart_numbers", killed)
    refused(owner, tmp_path, KeyboardInterrupt)
    assert default_storage.exists(str(Product.objects.get().image))


# --- the page ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["anonymous", "customer", "barista", "manager"])
def test_only_an_admin_sees_the_page_and_presses_the_button(demo: TeaBar, client: Client, role: str) -> None:
    if role != "anonymous":
        client.force_login(user_of(role))
    before = rows()

    for answer in (client.get(PAGE), client.post(PAGE, {"name": "Samovar Tea"})):
        assert answer.status_code == (403 if role in {"barista", "manager"} else 302)

    assert rows() == before


def test_the_button_empties_the_shop_once_and_leads_to_the_first_step(
    demo: TeaBar, owner: User, client: Client
) -> None:
    client.force_login(owner)
    other = Client()
    other.force_login(user_of("barista"))
    assert "Remove the demo" in client.get("/admin/").content.decode()
    form = {"name": " samovar tea ", "once": "the same form"}

    first, second = client.post(PAGE, form), client.post(PAGE, form)

    assert first["Location"] == second["Location"] == "/setup/"
    assert client.get("/setup/")["Location"] == "/setup/shop/"
    assert Session.objects.count() == 1
    assert IdempotencyKey.objects.count() == 1
    assert other.get("/admin/", follow=True).redirect_chain
    again = client.post(PAGE, {"name": "Samovar Tea"})
    assert "has been removed already" in again.content.decode()
    assert client.get(PAGE)["Location"] == "/admin/"


def test_what_a_browser_had_chosen_in_the_demo_is_not_chosen_in_the_next_shop(
    demo: TeaBar, owner: User, client: Client
) -> None:
    client.force_login(owner)
    session = client.session
    session["counter_seller"] = session["place"] = 1
    session.save()

    client.post(PAGE, {"name": "Samovar Tea", "once": "the same form"})

    assert {"counter_seller", "place"}.isdisjoint(client.session.keys())
    assert client.get("/setup/shop/").status_code == 200


def test_the_command_keeps_one_admin(demo: TeaBar, owner: User) -> None:
    with pytest.raises(CommandError):
        call_command("remove_demo", keep="nobody@shop.example", name="Samovar Tea")
    with pytest.raises(CommandError, match="Type the shop's name"):
        call_command("remove_demo", keep=owner.email, name="Samovar")
    assert Order.objects.exists()

    call_command("remove_demo", keep=owner.email, name="Samovar Tea")

    assert not Order.objects.exists()
    assert User.objects.get() == owner


def test_the_next_start_does_not_bring_the_demo_back(demo: TeaBar, owner: User, tmp_path: Path) -> None:
    remove(owner, tmp_path)
    assert load_demo(accounts_path=tmp_path / "demo-accounts.json", now=timezone.now(), if_empty=True) is None
    assert not Location.objects.exists()


def test_every_task_of_the_timetable_finds_nothing_to_do_and_is_content(
    demo: TeaBar, owner: User, tmp_path: Path, settings: Any
) -> None:
    remove(owner, tmp_path)
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        import_string(entry["task"]).apply(entry.get("args", ()), throw=True)


# --- at the same time -------------------------------------------------------------------------------------


@pytest.fixture
def committed_demo(transactional_db: None, settings: Any, tmp_path: Path) -> User:
    settings.VAR_DIR = tmp_path
    memory.forget_shop()
    (tmp_path / "demo-accounts.json").write_text(json.dumps([]))
    open_demo_shop(**SETTINGS, now=timezone.now())
    bar = TeaBar.open()
    bar.sell(bar.product("Tea"))
    return user_of("admin")


def test_of_two_who_press_at_once_one_is_told_that_it_is_done(committed_demo: User, tmp_path: Path) -> None:
    outcomes: list[str] = []

    def press() -> None:
        try:
            remove(committed_demo, tmp_path)
            outcomes.append("removed")
        except NoDemo:
            outcomes.append("told")
        finally:
            connections.close_all()

    both = [threading.Thread(target=press) for _number in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()

    assert sorted(outcomes) == ["removed", "told"]
    assert not Order.objects.exists()


def test_somebody_who_is_selling_is_not_cut_off(
    committed_demo: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "PATIENCE", "50ms")
    selling, done = threading.Event(), threading.Event()

    def sell() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE orders_order IN ROW EXCLUSIVE MODE")
            selling.set()
            done.wait(30)
            cursor.execute("COMMIT")
        connections.close_all()

    thread = threading.Thread(target=sell)
    thread.start()
    selling.wait(30)
    with pytest.raises(SomebodyIsWorking):
        remove(committed_demo, tmp_path)
    assert Order.objects.exists()
    done.set()
    thread.join()

    remove(committed_demo, tmp_path)
    assert not Order.objects.exists()
