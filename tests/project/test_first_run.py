"""The first-run page: from an empty database to a shop that sells, and who may do that."""

import io
import threading
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from foundation import shop as memory
from foundation.models import Shop
from inventory.models import Location, Product, StockDocument, StockLevel
from orders.models import Employee
from project.demo.people import email_of
from project.first_run import gate
from project.first_run.code import is_setup_code, keep_code, setup_code
from tests.shop import Shop as TeaBar
from tests.shop import user_of
from users.choices import Role
from users.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery 7"
ACCOUNT = {"name": "Ada", "email": "Ada@Shop.Example", "password": PASSWORD}
SETTINGS = {"name": "Tea & Co", "currency": "PLN", "time_zone": "Europe/Warsaw", "phone_region": "PL"}
PLACE = {"name": "Main Street", "address": "1, Main Street", "day_starts_at": "04:00"}
MENU = b"category,name,price\nTea,Green tea,12.50\nMilk tea,Bubble Black Tea,14\n"


@pytest.fixture(autouse=True)
def new_shop(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    """Nothing is remembered from one request to the next: a test never commits."""
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(memory, "MEMORY", -1.0)
    monkeypatch.setattr(gate, "MEMORY", -1.0)
    memory.forget_shop()
    gate.look_again()


@pytest.fixture
def admin() -> Client:
    """The first admin, who has made their account and nothing else."""
    client = Client()
    answer = client.post("/setup/account/", {**ACCOUNT, "code": setup_code()})
    assert answer["Location"] == "/setup/shop/"
    return client


@pytest.fixture
def owner(admin: Client) -> Client:
    """The same, with a shop and its location."""
    assert admin.post("/setup/shop/", SETTINGS)["Location"] == "/setup/location/"
    assert admin.post("/setup/location/", PLACE)["Location"] == "/setup/menu/"
    return admin


def lines(*rows: dict[str, Any]) -> dict[str, Any]:
    fields = {f"lines-{place}-{name}": value for place, row in enumerate(rows) for name, value in row.items()}
    return {"lines-TOTAL_FORMS": len(rows), "lines-INITIAL_FORMS": 0, **fields}


def file(content: bytes, name: str = "menu.csv") -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, content)}


def said(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


# --- who comes in ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("entrance", ["/", "/admin/", "/admin/login/"])
def test_every_entrance_of_a_shop_without_accounts_leads_to_the_first_step(client: Client, entrance: str) -> None:
    assert client.get(entrance)["Location"] == "/setup/"
    assert client.get(entrance, follow=True).redirect_chain[-1] == ("/setup/account/", 302)


def test_an_open_shop_costs_its_entrances_no_query(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MEMORY", 60.0)
    user_of("admin")
    TeaBar.open()
    assert not gate.is_new_shop()
    with CaptureQueriesContext(connection) as queries:
        assert not gate.is_new_shop()
    assert not queries.captured_queries


@pytest.mark.parametrize(
    "step", ["", "account/", "shop/", "location/", "menu/", "menu/sample.csv", "stock/", "staff/", "done/"]
)
@pytest.mark.parametrize("role", ["anonymous", "customer", "barista", "manager"])
def test_once_there_is_an_account_only_an_admin_sets_the_shop_up(client: Client, step: str, role: str) -> None:
    user_of("admin")
    if role != "anonymous":
        client.force_login(user_of(role, f"{role}@shop.example"))

    for answer in (client.get(f"/setup/{step}"), client.post(f"/setup/{step}", {**ACCOUNT, "code": setup_code()})):
        if role == "anonymous":
            assert answer["Location"].startswith("/admin/login/?next=")
        else:
            assert answer.status_code == 403
    assert not Shop.objects.exists()
    assert not User.objects.filter(email="ada@shop.example").exists()


def test_the_first_account_is_an_admins_and_signed_in_and_the_code_is_used_up(client: Client, tmp_path: Path) -> None:
    keep_code(tmp_path / "setup-code", is_needed=True)
    assert (tmp_path / "setup-code").stat().st_mode & 0o777 == 0o600

    client.post("/setup/account/", {**ACCOUNT, "code": setup_code().lower().replace("-", " ")})

    user = User.objects.get()
    assert (user.email, user.role, user.name) == ("ada@shop.example", "admin", "Ada")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert not (tmp_path / "setup-code").exists()
    assert client.post("/setup/account/", {**ACCOUNT, "code": setup_code()})["Location"] == "/setup/shop/"
    stranger = Client().post("/setup/account/", {**ACCOUNT, "email": "eve@shop.example", "code": setup_code()})
    assert stranger["Location"].startswith("/admin/login/")
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"code": "AAAA-BBBB-CCCC"}, "This is not the setup code."),
        ({"code": ""}, "This field is required."),
        ({"code": "x" * 10_000}, "at most 40 characters"),
        ({"password": "short"}, "too short"),
        ({"password": "ada@shop.example"}, "too similar"),
        ({"email": "ada"}, "valid email"),
        ({"name": "x" * 10_000}, "at most 150 characters"),
    ],
)
def test_a_wrong_account_is_refused_at_its_field(client: Client, wrong: dict[str, str], sentence: str) -> None:
    answer = client.post("/setup/account/", {**ACCOUNT, "code": setup_code(), **wrong})

    assert answer.status_code == 200
    assert sentence in said(answer)
    assert not User.objects.exists()


def test_guesses_at_the_code_are_limited(client: Client, settings: Any) -> None:
    settings.SIGN_IN_RATE = "3/hour"
    for _number in range(3):
        assert client.post("/setup/account/", {**ACCOUNT, "code": "AAAA"}).status_code == 200

    answer = client.post("/setup/account/", {**ACCOUNT, "code": setup_code()})

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert not User.objects.exists()


def test_the_code_depends_on_the_shops_secret(settings: Any) -> None:
    code = setup_code()
    settings.SECRET_KEY = "another"
    assert setup_code() != code
    assert not is_setup_code(code)


def test_a_shop_with_an_account_has_no_setup_code() -> None:
    user_of("barista")
    with pytest.raises(CommandError, match="account already"):
        call_command("setup_code")


# --- the steps --------------------------------------------------------------------------------------------


def test_all_steps_make_a_shop_whose_first_product_can_be_sold(owner: Client) -> None:
    location = Location.objects.get()
    assert (location.name, location.time_zone, str(location.day_starts_at)) == (
        "Main Street",
        "Europe/Warsaw",
        "04:00:00",
    )

    assert owner.post("/setup/menu/", file(MENU))["Location"] == "/setup/stock/"
    level_of = {one.pk: f"quantity-{one.pk}" for one in owner.get("/setup/stock/").context["form"].ingredients}
    stock = dict.fromkeys(level_of.values(), "1000") | {f"cost-{pk}": "0,5" for pk in level_of}
    assert owner.post("/setup/stock/", stock)["Location"] == "/setup/staff/"
    person = {"name": "Max", "email": "max@shop.example", "role": "barista", "hired_on": "2026-11-01"}
    shown = owner.post("/setup/staff/", lines(person))
    assert owner.post("/setup/done/")["Location"] == "/admin/"

    tea = Product.objects.get(name="Green tea")
    assert set(StockLevel.objects.values_list("quantity", "average_cost")) == {(Decimal(1000), Decimal("0.5"))}
    bar = TeaBar(location, tea.category)
    assert bar.sell(tea).total == Decimal("12.50")
    employee, account = Employee.objects.select_related("position").get(), User.objects.get(email="max@shop.example")
    assert (employee.name, str(employee.position), employee.user_id) == ("Max", "Barista", account.pk)
    assert account.role == "barista"
    password = shown.context["hired"][0].password
    assert password in said(shown)
    assert account.check_password(password)
    assert Shop.objects.get().set_up_at is not None
    assert "Left to set up" not in said(owner.get("/admin/"))


def test_a_step_waits_for_those_that_are_needed_before_it(admin: Client) -> None:
    for step in ("location", "menu", "stock", "staff", "done"):
        assert admin.get(f"/setup/{step}/")["Location"] == "/setup/shop/"
        assert admin.post(f"/setup/{step}/", {"skip": "1"})["Location"] == "/setup/shop/"
    assert not Shop.objects.exists()


def test_it_can_be_left_and_goes_on_where_it_was(owner: Client) -> None:
    assert owner.get("/setup/")["Location"] == "/setup/menu/"
    owner.post("/setup/menu/", {"skip": "1"})
    assert owner.get("/setup/")["Location"] == "/setup/stock/"
    assert "Left to set up" in said(owner.get("/admin/"))


def test_going_back_changes_what_was_said_and_adds_nothing(owner: Client) -> None:
    owner.post("/setup/shop/", {**SETTINGS, "name": "Coffee & Co"})
    owner.post("/setup/location/", {**PLACE, "name": "Side Street"})
    owner.post("/setup/menu/", file(MENU))
    owner.post("/setup/menu/", file(MENU))

    assert Shop.objects.get().name == "Coffee & Co"
    assert Location.objects.get().name == "Side Street"
    assert Product.objects.count() == 2


def test_stock_is_posted_once(owner: Client) -> None:
    owner.post("/setup/menu/", file(MENU))
    first = owner.get("/setup/stock/").context["form"].ingredients[0]
    for _number in range(2):
        answer = owner.post("/setup/stock/", {f"quantity-{first.pk}": "500", "once": "the same form"})
        assert answer["Location"] == "/setup/staff/"
    again = owner.post("/setup/stock/", {f"quantity-{first.pk}": "500"})

    assert "The shop has stock already." in said(again)
    assert StockDocument.objects.count() == 1
    assert StockLevel.objects.get(ingredient=first).quantity == 500


def test_what_is_left_out_is_remembered_on_the_home_page_until_it_is_done(owner: Client) -> None:
    for step in ("menu", "stock", "staff"):
        owner.post(f"/setup/{step}/", {"skip": "1"})
    owner.post("/setup/done/")

    assert [step.name for step in owner.get("/admin/").context["left_to_set_up"]] == ["menu", "stock", "staff"]
    owner.post("/setup/menu/", file(MENU))
    assert [step.name for step in owner.get("/admin/").context["left_to_set_up"]] == ["stock", "staff"]


def test_products_are_written_by_hand(owner: Client) -> None:
    rows = [
        {"category": "Tea", "name": "House tea", "price": "9,50"},
        {"category": "tea", "name": "Iced tea", "price": "10"},
        {"category": "", "name": "", "price": ""},
    ]
    assert owner.post("/setup/menu/", {"by_hand": "1", **lines(*rows)})["Location"] == "/setup/stock/"

    assert list(Product.objects.order_by("id").values_list("category__name", "name", "price")) == [
        ("Tea", "House tea", Decimal("9.50")),
        ("Tea", "Iced tea", Decimal("10.00")),
    ]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"category": "Tea", "name": "Tea", "price": "-1"}, "A price can&#x27;t be below 0."),
        ({"category": "Tea", "name": "x" * 10_000, "price": "1"}, "at most"),
        ({"category": "", "name": "Tea", "price": "1"}, "This field is required."),
        ({}, "Write at least one product"),
    ],
)
def test_a_wrong_product_is_refused_at_its_line(owner: Client, row: dict[str, str], sentence: str) -> None:
    answer = owner.post("/setup/menu/", {"by_hand": "1", **lines(row)})

    assert sentence in said(answer)
    assert not Product.objects.exists()


def zip_bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", b" " * 60 * 1024 * 1024)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "menu.csv", "empty"),
        (b"category,name\nTea,Green tea\n", "menu.csv", "The column “price” is missing."),
        (b"category,name,price\n", "menu.csv", "no lines below it"),
        (b"category,name,price\nTea,Green tea,-5\n", "menu.csv", "Line 2: The price -5 is below 0."),
        (b"category,name,price\nTea,Green tea,5\nTea,green TEA,6\n", "menu.csv", "stands in line 2 already"),
        (bytes(range(256)) * 20, "menu.csv", "not"),
        (b"MZ" + b"\x00" * 500, "menu.exe", "XLSX"),
        (b"PK\x03\x04 damaged", "menu.xlsx", ""),
    ],
)
def test_a_wrong_menu_file_is_refused_in_words(owner: Client, content: bytes, name: str, sentence: str) -> None:
    answer = owner.post("/setup/menu/", file(content, name))

    assert answer.status_code == 200
    assert answer.context["form"].errors["file"]
    assert sentence in said(answer)
    assert not Product.objects.exists()


def test_a_zip_bomb_is_not_unpacked(owner: Client) -> None:
    answer = owner.post("/setup/menu/", file(zip_bomb(), "menu.xlsx"))

    assert answer.context["form"].errors["file"]
    assert not Product.objects.exists()


def test_a_file_that_is_too_large_is_not_read(owner: Client) -> None:
    answer = owner.post("/setup/menu/", file(b"x" * (6 * 1024 * 1024)), follow=True)

    assert "5 MB" in said(answer)
    assert not Product.objects.exists()


def test_the_example_is_a_menu_that_can_be_uploaded(owner: Client) -> None:
    answer: Any = owner.get("/setup/menu/sample.csv")
    sample = b"".join(answer.streaming_content)
    owner.post("/setup/menu/", file(sample))
    assert Product.objects.count() == 35


@pytest.mark.parametrize("quantity", ["-1", "1e30", "NaN", "many", "0.0001"])
def test_a_wrong_quantity_is_refused_at_its_ingredient(owner: Client, quantity: str) -> None:
    owner.post("/setup/menu/", file(MENU))
    first = owner.get("/setup/stock/").context["form"].ingredients[0]
    answer = owner.post("/setup/stock/", {f"quantity-{first.pk}": quantity})

    assert f"quantity-{first.pk}" in answer.context["form"].errors
    assert not StockDocument.objects.exists()


def test_nothing_on_the_shelves_is_no_receipt(owner: Client) -> None:
    owner.post("/setup/menu/", file(MENU))
    assert "leave this step out" in said(owner.post("/setup/stock/", {}))
    assert not StockDocument.objects.exists()


@pytest.mark.parametrize(
    ("second", "field"),
    [
        ({"email": "ada@shop.example"}, "email"),
        ({"email": "no mail"}, "email"),
        ({"role": "admin"}, "role"),
        ({"hired_on": "yesterday"}, "hired_on"),
        ({"name": "x" * 10_000}, "name"),
    ],
)
def test_of_two_people_neither_is_hired_if_one_is_wrong(owner: Client, second: dict[str, str], field: str) -> None:
    max_ = {"name": "Max", "email": "max@shop.example", "role": "barista", "hired_on": "2026-11-01"}
    answer = owner.post("/setup/staff/", lines(max_, {**max_, "email": "eva@shop.example", **second}))

    assert answer.context["formset"].forms[1].errors[field]
    assert User.objects.count() == 1
    assert not Employee.objects.exists()


@pytest.mark.parametrize(
    ("field", "wrong"), [("currency", "XXX"), ("time_zone", "Mars/Olympus"), ("name", "x" * 10_000)]
)
def test_wrong_settings_are_refused_at_their_field(admin: Client, field: str, wrong: str) -> None:
    answer = admin.post("/setup/shop/", {**SETTINGS, field: wrong})

    assert answer.context["form"].errors[field]
    assert not Shop.objects.exists()


def test_the_demos_own_account_is_made_somebodys_own_first(client: Client) -> None:
    demo = user_of("admin", email_of(Role.ADMIN))
    client.force_login(demo)
    assert client.get("/setup/")["Location"] == "/setup/account/"
    assert client.get("/setup/shop/")["Location"] == "/setup/account/"

    assert "too short" in said(client.post("/setup/account/", {**ACCOUNT, "password": "short"}))
    assert User.objects.get().email == email_of(Role.ADMIN)
    assert client.post("/setup/account/", ACCOUNT)["Location"] == "/setup/shop/"

    assert User.objects.get().email == "ada@shop.example"
    assert User.objects.get().check_password(PASSWORD)
    assert client.get("/setup/shop/").status_code == 200


def test_every_step_takes_few_queries(owner: Client) -> None:
    owner.post("/setup/menu/", file((Path(__file__).parents[2] / "demo" / "bubble_tea_menu.csv").read_bytes()))
    for step in ("account", "shop", "location", "menu", "stock", "staff", "done"):
        with CaptureQueriesContext(connection) as queries:
            assert owner.get(f"/setup/{step}/").status_code == 200
        assert len(queries) <= 25, step


@pytest.mark.django_db(transaction=True)
def test_of_two_who_come_first_at_once_one_gets_the_shop(transactional_db: None) -> None:
    answers: list[str] = []

    def come(email: str) -> None:
        answers.append(Client().post("/setup/account/", {**ACCOUNT, "email": email, "code": setup_code()})["Location"])
        connections.close_all()

    both = [threading.Thread(target=come, args=[f"{name}@shop.example"]) for name in ("ada", "eve")]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()

    assert User.objects.count() == 1
    assert answers.count("/setup/shop/") == 1
