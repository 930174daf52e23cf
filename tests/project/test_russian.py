"""The interface speaks Russian, all of it: in the catalogue, and on every page of the admin."""

import gettext
import re
import shutil
import subprocess
import sys
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings
from django.contrib.admin import site
from django.db.models import Choices, Model
from django.test import Client
from django.utils import translation

from foundation.currencies import CURRENCIES
from foundation.phone_regions import PHONE_REGIONS
from inventory.models import StockDocument
from inventory.services.lines import StockLine
from inventory.services.stock import transfer_stock, write_off_stock
from monitoring.models import Alert
from monitoring.services.alerts import notify
from orders.models import BatchRun, Customer, Employee, Position
from orders.services.transitions import complete_order, prepare_order
from project.borrowed_texts import OF_DJANGO, OF_UNFOLD
from project.embedded.places import BASE_DIR
from tests.project.russian_pages import said_by
from tests.shop import NOBODY, Shop, user_of
from users.services.tokens import issue_token

CATALOGUE = Path("locale", "ru", "LC_MESSAGES", "django.po")
OUR_APPS = ("project", "backups", "orders", "inventory", "users", "monitoring", "foundation")
NOT_COPIED = {"var", "tests", "benchmarks", "demo", "docs", "deploy"}

LINK = re.compile(r'href="([^"#]+)"')
# What is written alike in both languages: names of things, of formats, of keys.
ALIKE = {"Samovar", "API", "JSON", "CSV", "XLSX", "JPEG", "PNG", "WebP", "JavaScript", "Control", "Command", "Mac"}
# The languages' own names and codes, time zones, keys of the keyboard.
ALIKE |= {"English", "en", "ru", "id", "ID", "UTC", "esc", "t", "PIN-", "z"}
# The database, and what its log is called.
ALIKE |= {"WAL", "PostgreSQL"}
# PostgreSQL's own words, and what the health page calls the shop's folders.
ALIKE |= {"VACUUM", "FULL", "SELECT", "var", "media", "backups", "spool", "logs"}
# Programs and their commands.
ALIKE |= {"celery", "app", "project", "worker", "beat", "watchdog", "POST", "URL", "Apprise"}
# Ways to reach somebody, and what Telegram calls its own.
ALIKE |= {
    "SMS",
    "SMS-",
    "ntfys",
    "my-secret-topic",
    "ABC-DEF",
    "Telegram",
    "BotFather",
    "newbot",
    "bot",
    "Slack",
    "Matrix",
    "ntfy",
    "Pushover",
    "WhatsApp",
    "phone",
}
# The example of a code.
ALIKE |= {"SPRING", "SPRING-"}
# Marketplaces, what they call their keys, and schemes of sale.
ALIKE |= {
    "Allegro",
    "Ozon",
    "Wildberries",
    "Client",
    "secret",
    "Api-Key",
    "FBS",
    "FBO",
    "FBP",
    "realFBS",
    "UUID",
    "Admin",
    "Seller",
    "device",
}
# Codes of currencies and countries.
ALIKE |= {*CURRENCIES, *PHONE_REGIONS}
# Columns that no page shows: of API tokens, of kept files, of channels and messages, of reports.
HIDDEN = {"digest", "beginning", "SHA-256"}
HIDDEN |= {"claimed by", "claimed until", "version", "key", "data", "rendered at", "sending since", "place"}
# Time zones; then addresses, file names, numbers in hexadecimal and other names that are no words.
NAMES = re.compile(r"\b[A-Z]\w+/[A-Z][\w/+ -]*|\S*\w[@/._]\w\S*|\b\w*\d\w*")
LATIN = re.compile(r"[A-Za-z][A-Za-z’'-]*")


@pytest.fixture
def catalogue_of_the_code(tmp_path: Path) -> Path:
    """The catalogue, brought up to date with the code in a copy of the project."""
    copy = tmp_path / "samovar"
    copy.mkdir()
    for part in BASE_DIR.iterdir():
        if part.name.startswith(".") or part.name in NOT_COPIED:
            continue
        if part.is_dir():
            shutil.copytree(part, copy / part.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(part, copy)
    made = subprocess.run(
        [sys.executable, "manage.py", "makemessages"], cwd=copy, capture_output=True, encoding="utf-8"
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return copy / CATALOGUE


def sentences(catalogue: Path, which: str) -> list[str]:
    """The sentences of one kind, as gettext's own tool finds them."""
    found = subprocess.run(
        ["msgattrib", "--no-wrap", "--no-location", which, str(catalogue)],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return re.findall(r'^(?:#~ )?msgid "(?!"\nmsgstr ""\n"Project-Id)(.*(?:\n".*)*)"$', found.stdout, re.MULTILINE)


@pytest.mark.gettext
def test_every_sentence_of_the_code_is_said_in_russian(catalogue_of_the_code: Path) -> None:
    assert sentences(catalogue_of_the_code, "--untranslated") == []
    assert sentences(catalogue_of_the_code, "--only-fuzzy") == []


@pytest.mark.gettext
def test_the_catalogue_keeps_no_sentence_that_the_code_has_given_up(catalogue_of_the_code: Path) -> None:
    assert sentences(catalogue_of_the_code, "--only-obsolete") == []


@pytest.mark.gettext
def test_the_compiled_catalogue_is_what_the_written_one_says(tmp_path: Path) -> None:
    written = BASE_DIR / CATALOGUE
    subprocess.run(["msgfmt", "--check", "-o", str(tmp_path / "django.mo"), str(written)], check=True)
    assert compiled(tmp_path / "django.mo") == compiled(written.with_suffix(".mo"))


def compiled(path: Path) -> Any:
    with path.open("rb") as file:
        return gettext.GNUTranslations(file)._catalog


def all_choices(kind: type[Choices] = Choices) -> set[type[Choices]]:
    below = {one for child in kind.__subclasses__() for one in all_choices(child)}
    return below | {one for one in kind.__subclasses__() if one.__module__.split(".")[0] in OUR_APPS}


def test_every_status_role_and_reason_has_a_russian_word() -> None:
    kinds = all_choices()
    assert {"Status", "Role", "WriteOffReason", "Reason", "Severity"} <= {kind.__name__ for kind in kinds}
    with translation.override("ru"):
        english = [f"{one.__qualname__}: {label}" for one in kinds for label in one.labels if latin_words(str(label))]
    assert english == []


def test_every_model_and_field_has_a_russian_name() -> None:
    models: list[type[Model]] = [model for model in site._registry if model._meta.app_label in OUR_APPS]
    with translation.override("ru"):
        names = {
            str(name)
            for model in models
            for name in (
                model._meta.verbose_name,
                model._meta.verbose_name_plural,
                *(field.verbose_name for field in model._meta.get_fields() if hasattr(field, "verbose_name")),
            )
        }
        assert {name for name in names if latin_words(name)} == HIDDEN


def test_what_django_and_unfold_say_is_said_as_the_shop_says_it() -> None:
    with translation.override("ru"):
        assert [text for text in (*OF_UNFOLD, *OF_DJANGO) if isinstance(text, str) and _same(text)] == []
        assert translation.gettext("The {name} “{obj}” was added successfully.") == "Добавлено: {name} «{obj}»."


def _same(text: str) -> bool:
    return translation.gettext(text) == text


def latin_words(text: str) -> set[str]:
    """Words in Latin letters that are no names."""
    return {word for word in LATIN.findall(NAMES.sub(" ", text)) if word not in ALIKE}


@pytest.fixture
def russian_shop(db: None) -> Client:
    """A shop in which everything has a Russian name, so that what is left in Latin letters is the interface's own."""
    bar, river = Shop.open("Арбат"), Shop.open("Набережная")
    bar.category.name = "Чай с молоком"
    bar.category.save()
    milk = bar.ingredient("Молоко", "ml", stock=10_000, unit_cost="0.05")
    pearls = bar.ingredient("Тапиока", "g", stock=100, minimum=500)
    cups = bar.ingredient("Стакан", "pc", stock=50, minimum=10)
    size, topping = bar.group("Размер"), bar.group("Топпинг", most=3, free=1)
    large = bar.scales(bar.option(size, "Большой", "10.00", is_default=True), "1.4")
    bar.adds(bar.option(topping, "Шарики", "15.00"), pearls, 50)
    bar.replaces(bar.option(topping, "Без молока"), milk, bar.ingredient("Овсяное молоко", "ml", stock=10))
    latte = bar.product("Чай", "70.00", {milk: 200, cups: 1}, scales=[milk], groups=[size, topping])
    bar.product("Чай с тапиокой", "90.00", {pearls: 50})
    bar.product("Вода", "20.00", is_listed=False)
    manager = user_of("admin")
    manager.name, manager.language = "Вера", "ru"
    manager.save()
    guest = Customer.objects.create(name="Анна", phone="+7 900 000-00-00", email="anna@shop.example")
    barista = Position.objects.create(name="Бариста")
    Employee.objects.create(name="Олег", position=barista, location=bar.location, hired_on="2026-01-01")
    kept, *done = (bar.sell(latte, 3, [large], customer_id=guest.pk) for _ in range(3))
    bar.cancel_part(kept, 1, reason="Передумали", restock=False)
    prepare_order(order_id=done[0].pk, actor=NOBODY)
    complete_order(order_id=done[1].pk, actor=NOBODY, allow_unpaid=True)
    bar.cancel(bar.sell(latte), reason="Ошибка", restock=True)
    line = [StockLine(milk.pk, Decimal(10))]
    spoilage = StockDocument.WriteOffReason.SPOILAGE
    write_off_stock(location=bar.location, lines=line, reason=spoilage, created_by_id=manager.pk)
    transfer_stock(source=bar.location, destination=river.location, lines=line, created_by_id=manager.pk)
    BatchRun.objects.create(verb=BatchRun.Verb.COMPLETE, order_ids=[kept.pk])
    issue_token(user=manager, name="Касса")
    notify(event="inventory.low_stock", subject="1:1", message="Тапиока: осталось 100.")
    client = Client()
    client.force_login(manager)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ru"
    return client


# The scheduler's own pages are for whoever runs the servers.
ELSEWHERE = ("/admin/django_celery_beat/", "/admin/jsi18n/", "/admin/logout/")


@pytest.mark.slow
def test_every_page_of_the_admin_is_in_russian(russian_shop: Client) -> None:
    waiting, seen, english = ["/admin/"], {"/admin/"}, {}
    while waiting:
        address = waiting.pop()
        answer = russian_shop.get(address, follow=True)
        if answer.status_code != 200 or "html" not in answer.headers["Content-Type"]:
            continue
        page = answer.content.decode()
        for text in said_by(page):
            if latin_words(text):
                english.setdefault(text[:100], address)
        for link in LINK.findall(page):
            target = urlsplit(urljoin(address, unescape(link)))
            path = target.path
            if target.netloc or not path.startswith("/admin/") or path.startswith(ELSEWHERE) or path in seen:
                continue
            seen.add(path)
            waiting.append(target.geturl())
    assert english == {}
    assert len(seen) > 60


def test_an_alert_tells_each_reader_in_their_own_language(db: None) -> None:
    bar = Shop.open("Арбат")
    milk = bar.ingredient("Молоко", "ml", stock=100, minimum=80)
    bar.sell(bar.product("Чай с молоком", "70.00", {milk: 50}))

    alert = Alert.objects.get()

    assert alert.message == str(alert) == "Молоко at Арбат is low: 50 ml left, the minimum is 80 ml."
    with translation.override("ru"):
        assert str(alert) == "Молоко, Арбат: осталось 50 мл, минимум 80 мл."


def test_an_alert_whose_details_do_not_tell_is_read_as_it_was_written(db: None) -> None:
    notify(event="inventory.low_stock", subject="1:1", message="Milk is low", details={"location": 1})
    notify(event="users.sign_in_locked", message="Too many", details={})

    assert {str(alert) for alert in Alert.objects.all()} == {"Milk is low", "Too many"}


@pytest.mark.parametrize("address", ["/admin/login/", "/admin/logout/"])
def test_who_has_not_signed_in_is_spoken_to_in_russian(db: None, address: str) -> None:
    answer = Client().get(address, headers={"Accept-Language": "ru"}, follow=True)
    assert [text for text in said_by(answer.content.decode()) if latin_words(text)] == []
