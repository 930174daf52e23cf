"""Importing sales in the admin: hand the file in, look at what it holds, start it, watch it."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.http import HttpResponse
from django.test import Client, RequestFactory

from inventory.models import Category, Location
from orders.admin import sales_upload
from orders.models import Order, OrderEvent, SalesImport, SalesImportPart
from orders.services.actor import Actor
from orders.services.sales_import import import_next_part, import_sales, keep_survey, start_import
from orders.tasks import run_sales_import
from tests.inventory.admin_pages import queries_of, said, signed_in, text_of
from tests.orders.admin_orders import page
from tests.orders.sales_files import BAKERY, sales, survey_of
from tests.shop import NOBODY, Shop, user_of

pytestmark = pytest.mark.django_db
UPLOAD = "/admin/orders/salesimport/upload/"
LINES = ("2017-05-01,10:00,1,Tea", "2017-05-01,10:00,1,Tea", "2017-05-01,10:05,2,NONE", "2017-05-02,11:30,3,Scone")
WRONG = (*LINES, "2017-05-02,11:40,4,Tea", "2017-05-02,11:40,4", "2017-05-02,99:40,5,<b>Tea</b>")


@pytest.fixture
def bakery() -> Location:
    return Location.objects.create(name="Bakery", time_zone="Europe/London")


@pytest.fixture
def manager(bakery: Location) -> Client:
    return signed_in("manager")


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would go to the worker."""
    sent: list[str] = []
    monkeypatch.setattr(run_sales_import, "delay", sent.append)
    return sent


def hand_in(client: Client, content: bytes, name: str = "till.csv", **fields: Any) -> HttpResponse:
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, content), "till": "", "date_format": "", **fields})


def errors_of(response: Any) -> dict[str, list[str]]:
    """What is wrong, by field; and nothing has been kept."""
    assert response.status_code == 200
    assert not SalesImport.objects.exists()
    assert not SalesImportPart.objects.exists()
    return dict(response.context["form"].errors)


def waiting(location: Location, *lines: str) -> SalesImport:
    return keep_survey(survey=survey_of(location, *lines), file_name="till.csv", actor=NOBODY)


def verb(sales_import: SalesImport, name: str) -> str:
    return page("salesimport_verb", sales_import.pk, name)


# --- handing it in ---


def test_a_file_that_is_handed_in_is_looked_at_and_nothing_is_imported(manager: Client, bakery: Location) -> None:
    response = hand_in(manager, sales(*LINES), name="may.csv")

    sales_import = SalesImport.objects.get()
    assert response.url == page("salesimport_change", sales_import.pk)
    assert (sales_import.status, sales_import.order_count, sales_import.door) == ("checked", 2, "admin")
    assert (sales_import.file_name, sales_import.location, sales_import.till) == ("may.csv", bakery, "")
    assert sales_import.created_by.email == "manager@shop.example"
    assert not Order.objects.exists()
    text = text_of(manager.get(response.url))
    for words in ("What will happen", "2 new orders", "3 items", "1 lines of NONE, skipped", "2 new products", "Scone"):
        assert words in text
    assert "1 May 2017, 10:00 – 2 May 2017, 11:30" in text


def test_the_shipped_file_is_looked_at_whole(manager: Client) -> None:
    response = hand_in(manager, BAKERY.read_bytes(), name=BAKERY.name)

    text = text_of(manager.get(response.url))
    for words in ("9,465 new orders", "0 there already", "20,507 items", "786 lines of NONE, skipped", "0 wrong lines"):
        assert words in text
    assert "94 new products" in text
    assert SalesImportPart.objects.count() == 10


def test_a_file_too_large_for_memory_is_read_from_where_it_was_put(manager: Client, bakery: Location) -> None:
    file = TemporaryUploadedFile("till.csv", "text/csv", 0, None)
    file.write(sales(*LINES))
    file.seek(0)

    response = manager.post(UPLOAD, {"file": file})

    assert response.status_code == 302
    assert SalesImport.objects.get().order_count == 2


def test_the_till_the_location_and_the_dates_may_be_said(manager: Client) -> None:
    river = Location.objects.create(name="Riverside", is_active=False)
    lines = [line.replace("2017-05-", "05/") for line in ("05/01/2017,10:00,1,Tea", "05/02/2017,10:00,2,Tea")]

    hand_in(manager, sales(*lines), location=river.pk, till=" garden  2 ", date_format="MM/DD/YYYY")

    sales_import = SalesImport.objects.get()
    assert (sales_import.location, sales_import.till, sales_import.date_format) == (river, "garden 2", "MM/DD/YYYY")
    assert (sales_import.first_at.month, sales_import.last_at.day) == (5, 2)


@pytest.mark.parametrize(
    ("content", "field", "sentence"),
    [
        (b"", "file", "The file is empty."),
        (b"\n\n", "file", "The file is empty."),
        (b"\x89PNG\r\n\x1a\n\x00", "file", "Line 2 holds characters that no text has."),
        (b"Date,Time,Item\n2017-05-01,10:00,Tea\n", "file", "the header must be Date,Time,Transaction,Item"),
        (sales(LINES[0]).decode().encode("utf-16"), "file", "The file is in UTF-16."),
        (sales(LINES[0], LINES[3], LINES[0]), "file", "Line 4 is of 2017-05-01 again"),
        (sales("01/02/2017,10:00,1,Tea"), "date_format", "could be day/month or month/day, as in line 2: 01/02/2017"),
        (sales("2017-01-02,10:00,1,Tea", "1.2.2017,10:00,1,Tea"), "date_format", "Write all dates in one way"),
    ],
)
def test_a_wrong_file_is_refused_at_its_field_and_nothing_is_kept(
    manager: Client, content: bytes, field: str, sentence: str
) -> None:
    errors = errors_of(hand_in(manager, content))

    assert list(errors) == [field]
    assert sentence in errors[field][0]


def test_no_file_no_location_and_a_long_till_are_told(manager: Client) -> None:
    Location.objects.create(name="Riverside")

    errors = errors_of(manager.post(UPLOAD, {"till": "t" * 41, "date_format": "nonsense", "location": "99"}))

    assert sorted(errors) == ["date_format", "file", "location", "till"]


def test_a_shop_without_a_location_says_what_to_do(db: None) -> None:
    client = signed_in("manager")

    assert "The shop has no location yet." in text_of(client.get(UPLOAD))


# --- what is too large is not read ---


class Unread:
    """A body that nobody may read."""

    def read(self, *size: int) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def test_a_body_above_the_limit_is_refused_before_it_is_read(bakery: Location) -> None:
    request = RequestFactory().post(UPLOAD, content_type="multipart/form-data; boundary=x")
    request.META["CONTENT_LENGTH"] = str(100 * 1024 * 1024)
    request.META["wsgi.input"] = request._stream = Unread()  # type: ignore[attr-defined]
    request.user = user_of("manager")
    view = sales_upload.UploadPage.as_view(model_admin=admin.site.get_model_admin(SalesImport))

    response: Any = view(request)

    assert response.status_code == 413
    assert response.context_data["refusals"] == [
        "The file is larger than 10 MB. Split it, or have it imported on the server: manage.py import_sales."
    ]
    assert "The file is larger than 10 MB." in response.render().content.decode()
    assert not SalesImport.objects.exists()


def test_a_file_just_above_the_limit_is_refused_at_its_field(manager: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sales_upload, "LARGEST_UPLOAD", 100)
    monkeypatch.setattr(sales_upload, "AROUND_THE_FILE", 10_000)

    errors = errors_of(hand_in(manager, sales(*LINES * 5)))

    assert errors["file"][0].startswith("The file is larger than 10 MB.")


def test_the_page_looks_for_its_csrf_token_although_it_does_so_itself(bakery: Location) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user_of("manager"))

    assert hand_in(client, sales(*LINES)).status_code == 403
    token = client.get(UPLOAD).cookies["csrftoken"].value
    assert hand_in(client, sales(*LINES), csrfmiddlewaretoken=token).status_code == 302


@pytest.mark.parametrize("role", ["barista", "customer"])
def test_who_may_not_import_is_refused_before_anything_is_read(bakery: Location, role: str) -> None:
    client = Client()
    client.force_login(user_of(role))

    assert hand_in(client, sales(*LINES)).status_code in (302, 403)
    assert not SalesImport.objects.exists()


# --- looking, starting, watching ---


def test_an_import_that_is_started_goes_on_in_the_background(
    manager: Client, bakery: Location, messages: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    sales_import = waiting(bakery, *LINES)

    with django_capture_on_commit_callbacks(execute=True):
        response = manager.post(verb(sales_import, "start"))

    assert said(response) == ["The import of till.csv has begun."]
    assert messages == [str(sales_import.pk)]
    assert not Order.objects.exists(), "nothing is done before the task runs"
    progress = page("salesimport_progress", sales_import.pk)
    before = manager.get(progress).json()
    run_sales_import(messages[0])
    after = manager.get(progress).json()

    assert (before["done"], before["total"], before["is_running"], before["status"]) == (0, 2, True, "running")
    assert (after["done"], after["imported"], after["already_there"], after["is_running"]) == (2, 2, 0, False)
    assert after["status_label"] == "finished"
    text = text_of(manager.get(response.url))
    assert "What the file holds" in text
    assert "To the imported orders" in text
    assert "Import without the wrong lines" not in text


def test_a_broker_that_is_down_loses_no_import(
    manager: Client, bakery: Location, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def unreachable(import_id: str) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr(run_sales_import, "delay", unreachable)
    sales_import = waiting(bakery, *LINES)
    with django_capture_on_commit_callbacks(execute=True):
        response = manager.post(verb(sales_import, "start"))

    assert response.status_code == 302
    sales_import.refresh_from_db()
    assert sales_import.status == "running"


def test_wrong_lines_are_listed_and_only_the_other_button_is_there(manager: Client, bakery: Location) -> None:
    sales_import = waiting(bakery, *WRONG)

    response = manager.get(page("salesimport_change", sales_import.pk))
    text = text_of(response)

    assert "2 wrong lines" in text
    assert "2 transactions left out" in text
    assert "7 3 cells instead of 4." in text
    assert "The time “99:40” is not one." in text
    assert "Import without the wrong lines" in text
    assert [button.verb.name for button in response.context["verb_buttons"]] == ["start_without", "discard"]
    assert "<b>Tea</b>" not in response.content.decode()


def test_wrong_lines_are_left_out_only_by_who_says_so(manager: Client, bakery: Location, messages: list[str]) -> None:
    sales_import = waiting(bakery, *WRONG)

    refused = manager.post(verb(sales_import, "start"))
    assert said(refused) == ["2 lines are wrong. Correct them, or leave out their transactions."]
    sales_import.refresh_from_db()
    assert sales_import.status == "checked"

    manager.post(verb(sales_import, "start_without"))
    import_next_part(import_id=sales_import.pk)
    assert Order.objects.count() == 2


def test_what_is_there_already_is_said_and_there_is_nothing_to_start(manager: Client, bakery: Location) -> None:
    import_sales(survey=survey_of(bakery, *LINES), file_name="till.csv", actor=NOBODY)
    sales_import = waiting(bakery, *LINES)

    response = manager.get(page("salesimport_change", sales_import.pk))

    assert "Nothing to import: all 2 orders are there already." in text_of(response)
    assert "This very file was imported on" in text_of(response)
    assert [button.verb.name for button in response.context["verb_buttons"]] == ["discard"]


def test_a_discarded_import_can_not_be_started(manager: Client, bakery: Location, messages: list[str]) -> None:
    sales_import = waiting(bakery, *LINES)

    assert said(manager.post(verb(sales_import, "discard"))) == ["The import of till.csv is discarded."]
    refused = manager.post(verb(sales_import, "start"))

    assert "The import of till.csv is not waiting any more. Its status: discarded." in said(refused)
    assert not Order.objects.exists()


def test_an_import_is_only_looked_at(manager: Client, bakery: Location) -> None:
    sales_import = waiting(bakery, *LINES)

    assert manager.get(page("salesimport_add")).status_code == 403
    assert manager.post(page("salesimport_delete", sales_import.pk), {"post": "yes"}).status_code == 403
    assert manager.post(page("salesimport_change", sales_import.pk), {"till": "x"}).status_code == 405
    assert manager.get(page("salesimport_progress", uuid4())).status_code == 404
    assert manager.get(page("salesimport_change", uuid4())).status_code == 302


def test_the_pages_take_the_same_queries_for_1_import_and_for_10(manager: Client, bakery: Location) -> None:
    def pages(sales_import: SalesImport) -> list[int]:
        addresses = (page("salesimport_changelist"), page("salesimport_change", sales_import.pk), UPLOAD)
        return [queries_of(manager, address) for address in addresses]

    few = pages(waiting(bakery, LINES[0]))
    for number in range(9):
        waiting(bakery, *WRONG, *(f"2017-05-03,10:{place:02},{place},Cake {place}" for place in range(number)))
    many = pages(SalesImport.objects.order_by("pk")[0])

    assert few == many
    assert max(many) <= 25


def test_the_list_shows_what_became_of_each(manager: Client, bakery: Location) -> None:
    import_sales(survey=survey_of(bakery, *LINES), file_name="may.csv", actor=Actor(None, OrderEvent.Door.COMMAND))
    waiting(bakery, "2017-05-03,10:00,1,NONE")

    text = text_of(manager.get(page("salesimport_changelist")))

    assert "may.csv finished" in text
    assert "2 / 2" in text
    assert "command line" in text
    assert "till.csv waits to be started — 0 / 0 command line" in text


# --- an imported order in the pages of orders ---


def test_the_page_of_an_imported_order_says_where_it_comes_from_and_has_no_prices(
    manager: Client, bakery: Location
) -> None:
    survey = survey_of(bakery, *LINES, till="garden")
    import_sales(survey=survey, file_name="may.csv", actor=NOBODY)
    order = Order.objects.order_by("pk")[0]

    response = manager.get(page("order_change", order.pk))
    text = text_of(response)

    assert "1 May 2017, 10:00" in text
    assert "without prices" in text
    assert "transaction 1, line 2 of may.csv" in text
    assert "till: garden" in text
    assert "An imported order moves no stock." in text
    assert "฿" not in text
    assert response.context["verb_buttons"] == []


def test_the_list_of_orders_shows_imported_ones_without_an_amount(manager: Client, bakery: Location) -> None:
    import_sales(survey=survey_of(bakery, *LINES), file_name="may.csv", actor=NOBODY)
    sales_import = SalesImport.objects.get()

    link = manager.get(page("salesimport_change", sales_import.pk)).context["orders_url"]
    text = text_of(manager.get(link))

    assert "2 × Tea" in text
    assert "1 × Scone" in text
    assert "฿" not in text


def test_products_of_imported_sales_fill_no_shelf_of_the_new_order_page(manager: Client, bakery: Location) -> None:
    Shop(bakery, Category.objects.create(name="Tea")).product("Latte")
    import_sales(survey=survey_of(bakery, *LINES), file_name="may.csv", actor=NOBODY)

    menu = manager.get(f"/admin/orders/order/menu/?location={bakery.pk}").json()

    assert [category["name"] for category in menu["categories"]] == ["Tea"]
    assert {product["name"]: product["is_listed"] for product in menu["products"]} == {
        "Latte": True,
        "Scone": False,
        "Tea": False,
    }


def test_an_import_that_goes_on_may_be_watched_by_two(manager: Client, bakery: Location) -> None:
    sales_import = waiting(bakery, *LINES)
    start_import(import_id=sales_import.pk)
    other = signed_in("admin")

    for client in (manager, other):
        assert client.get(page("salesimport_progress", sales_import.pk)).json()["is_running"] is True
