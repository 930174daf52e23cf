"""Importing and exporting as a manager does: choose a file, look, confirm."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client, RequestFactory

from foundation.models import KeptFile
from inventory.admin.exchange_pages import ImportPage
from inventory.exchange.limits import LARGEST_FILE
from inventory.models import Ingredient, Product
from tests.inventory.admin_pages import page, queries_of, said, signed_in, text_of
from tests.inventory.spreadsheets import csv_file, xlsx_file
from tests.shop import Shop, user_of

pytestmark = pytest.mark.django_db
PRICES = csv_file("category,name,price", "Tea,Latte,75", "Tea,Mocha,80")


@pytest.fixture
def bar() -> Shop:
    bar = Shop.open()
    bar.product("Latte", "70.00", {bar.ingredient("Milk", "ml"): 200})
    return bar


def hand_in(client: Client, content: bytes, subject: str = "products", to: str = "product", name: str = "") -> Any:
    ending = "xlsx" if content.startswith(b"PK") else "csv"
    file = SimpleUploadedFile(name or f"prices.{ending}", content)
    return client.post(page(f"{to}_import"), {"subject": subject, "file": file})


def confirmation(response: HttpResponse) -> dict[str, str]:
    """What the button of the preview sends."""
    return dict(re.findall(r'name="(subject|kept|once)" value="([^"]+)"', response.content.decode()))


def prices() -> dict[str, str]:
    return {name: str(price) for name, price in Product.objects.values_list("name", "price")}


# --- the way through --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [PRICES, xlsx_file(("category", "name", "price"), ("Tea", "Latte", 75), ("Tea", "Mocha", "80"))]
)
def test_a_file_is_looked_at_confirmed_and_imported(bar: Shop, content: bytes) -> None:
    manager = signed_in("manager")

    preview = hand_in(manager, content)
    assert prices() == {"Latte": "70.00"}
    assert "1 new 1 changed Nothing has been changed yet." in text_of(preview)
    assert "changed Latte price 70.00 → 75.00" in text_of(preview)

    done = manager.post(page("product_import"), confirmation(preview))
    assert (done.status_code, done["Location"]) == (302, page("product_changelist"))
    assert said(done) == ["Imported: 1 new, 1 changed."]
    assert prices() == {"Latte": "75.00", "Mocha": "80.00"}
    assert not KeptFile.objects.exists()


def test_what_was_imported_stands_in_the_history_of_each_record(bar: Shop) -> None:
    manager = signed_in("manager")

    manager.post(page("product_import"), confirmation(hand_in(manager, PRICES)))

    written = LogEntry.objects.order_by("object_repr").values_list("object_repr", "action_flag", "change_message")
    assert list(written) == [
        ("Latte", CHANGE, "Changed by the import of a file (Products)."),
        ("Mocha", ADDITION, "Imported from a file."),
    ]


def test_pressing_the_button_twice_imports_once(bar: Shop) -> None:
    manager = signed_in("manager")
    sent = confirmation(hand_in(manager, PRICES))

    first, second = (manager.post(page("product_import"), sent) for _time in range(2))

    assert (first["Location"], second["Location"]) == (page("product_changelist"),) * 2
    assert LogEntry.objects.count() == 2


def test_a_file_that_was_imported_is_gone_for_another_form_too(bar: Shop) -> None:
    manager = signed_in("manager")
    sent = confirmation(hand_in(manager, PRICES))
    manager.post(page("product_import"), sent)
    Product.objects.filter(name="Latte").update(price="60.00")

    again = manager.post(page("product_import"), {**sent, "once": "f" * 32})

    assert "This file is kept no longer" in text_of(again)
    assert prices()["Latte"] == "60.00"


def test_a_file_that_changes_nothing_says_so_and_is_not_kept(bar: Shop) -> None:
    response = hand_in(signed_in("manager"), csv_file("name,price", "Latte,70"))

    assert "1 unchanged Everything in the file is so already: there is nothing to import." in text_of(response)
    assert not confirmation(response)
    assert not KeptFile.objects.exists()


def test_what_is_wrong_stands_on_the_page_line_by_line(bar: Shop) -> None:
    response = hand_in(signed_in("manager"), csv_file("name,price", "Latte,dear", "Latte,5"))

    text = text_of(response)
    assert "Nothing has been imported. Correct these lines, then choose the file again. 2" in text
    assert "2 price “dear” is not a number. Write it like 12.5." in text
    assert "3 name “Latte” stands in line 2 already. Keep one of them." in text
    assert not KeptFile.objects.exists()


def test_a_file_that_can_not_be_read_is_refused_at_its_field(bar: Shop) -> None:
    manager = signed_in("manager")

    assert "neither CSV nor XLSX" in text_of(hand_in(manager, b"%PDF", name="menu.pdf"))
    assert "The file is empty." in text_of(hand_in(manager, b""))
    assert "Choose a file." in text_of(manager.post(page("product_import"), {"subject": "products"}))


def test_what_a_file_says_is_shown_as_text(bar: Shop) -> None:
    content = csv_file("category,name,price", "Tea,<script>alert(1)</script>,5", "<b>,Tea,5")

    response = hand_in(signed_in("manager"), content, name="<i>.csv")

    assert b"<script>alert" not in response.content
    assert b"<b>" not in response.content.replace(b"<b>name</b>", b"").replace(b"<b>product</b>", b"").replace(
        b"<b>ingredient</b>", b""
    )


# --- between preview and confirmation ---------------------------------------------------------------------


def test_when_the_menu_changes_after_the_preview_it_is_shown_anew(bar: Shop) -> None:
    manager = signed_in("manager")
    sent = confirmation(hand_in(manager, PRICES))
    Product.objects.update(price="72.00")

    response = manager.post(page("product_import"), sent)

    assert "The catalogue has changed since this preview." in text_of(response)
    assert "price 72.00 → 75.00" in text_of(response)
    assert prices() == {"Latte": "72.00"}

    done = manager.post(page("product_import"), confirmation(response))
    assert said(done)[-1] == "Imported: 1 new, 1 changed."
    assert prices() == {"Latte": "75.00", "Mocha": "80.00"}


def test_when_a_line_has_become_wrong_after_the_preview_it_says_so(bar: Shop) -> None:
    manager = signed_in("manager")
    sent = confirmation(hand_in(manager, PRICES))
    bar.category.name = "Drinks"
    bar.category.save()

    response = manager.post(page("product_import"), sent)

    assert "2 category There is no category “Tea”. Add it first." in text_of(response)
    assert prices() == {"Latte": "70.00"}


def test_nobody_confirms_the_file_of_somebody_else(bar: Shop) -> None:
    sent = confirmation(hand_in(signed_in("manager"), PRICES))
    other = Client()
    other.force_login(user_of("manager", "other@shop.example"))

    response = other.post(page("product_import"), sent)

    assert "This file is kept no longer" in text_of(response)
    assert prices() == {"Latte": "70.00"}
    assert KeptFile.objects.count() == 1


@pytest.mark.parametrize("kept", ["", "5", "milk", "a\x00b", "9" * 400, "00000000-0000-0000-0000-000000000000"])
def test_a_file_that_nobody_handed_in_is_not_there(bar: Shop, kept: str) -> None:
    response = signed_in("manager").post(page("product_import"), {"subject": "products", "kept": kept})

    assert "This file is kept no longer" in text_of(response)


def test_a_file_is_imported_as_what_it_was_looked_at(bar: Shop) -> None:
    """A file of ingredients is no file of products, and not to be confirmed at another list."""
    manager = signed_in("manager")
    sent = confirmation(hand_in(manager, csv_file("name,unit", "Oat,ml"), "ingredients", "ingredient"))

    for to, subject in (("product", "products"), ("product", "ingredients"), ("ingredient", "products")):
        manager.post(page(f"{to}_import"), {**sent, "subject": subject})
    assert not Ingredient.objects.filter(name="Oat").exists()

    manager.post(page("ingredient_import"), sent)
    assert Ingredient.objects.filter(name="Oat").exists()


def test_a_person_keeps_one_file_of_a_kind(bar: Shop) -> None:
    manager = signed_in("manager")

    first = confirmation(hand_in(manager, PRICES))
    hand_in(manager, csv_file("name,price", "Latte,99"))

    assert KeptFile.objects.count() == 1
    assert "This file is kept no longer" in text_of(manager.post(page("product_import"), first))


# --- size, permissions, export ----------------------------------------------------------------------------


class UnreadableBody:
    """A body that nobody may touch."""

    def read(self, *args: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def test_100_megabytes_are_refused_before_they_are_read(bar: Shop) -> None:
    manager = signed_in("manager")

    response = manager.generic(
        "POST",
        page("product_import"),
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(100 * 1024 * 1024),
        **{"wsgi.input": UnreadableBody()},
    )

    assert response.status_code == 413
    assert "The file is larger than 5 MB." in text_of(response)


def test_a_file_a_little_too_large_is_refused_at_its_field(bar: Shop) -> None:
    response = hand_in(signed_in("manager"), b"n" * (LARGEST_FILE + 1))

    assert response.status_code == 200
    assert "The file is larger than 5 MB." in text_of(response)


def test_a_length_that_is_no_number_is_no_length() -> None:
    request = RequestFactory().post("/", CONTENT_LENGTH="long")

    assert not ImportPage().is_too_long(request)


def test_a_form_from_elsewhere_is_refused(bar: Shop) -> None:
    manager = Client(enforce_csrf_checks=True)
    manager.force_login(user_of("manager"))

    assert hand_in(manager, PRICES).status_code == 403
    assert not KeptFile.objects.exists()


def test_a_barista_neither_imports_nor_exports(bar: Shop) -> None:
    barista = signed_in("barista")

    for name in ("product", "ingredient", "category", "optiongroup"):
        assert barista.get(page(f"{name}_import")).status_code == 403
        assert barista.get(page(f"{name}_export"), {"subject": "products", "format": "csv"}).status_code == 403
        listed = barista.get(page(f"{name}_changelist"))
        assert f"/{name}/import/" not in listed.content.decode()
        assert f"/{name}/export/" not in listed.content.decode()
    assert hand_in(barista, PRICES).status_code == 403


def test_the_lists_lead_to_the_pages(bar: Shop) -> None:
    manager = signed_in("manager")

    for name in ("product", "ingredient", "category", "optiongroup"):
        listed = manager.get(page(f"{name}_changelist")).content.decode()
        assert page(f"{name}_import") in listed
        assert page(f"{name}_export") in listed


def test_a_file_is_handed_over_under_its_name(bar: Shop) -> None:
    manager = signed_in("manager")

    file = manager.get(page("product_export"), {"subject": "recipes", "format": "csv"})

    assert file["Content-Type"] == "text/csv; charset=utf-8"
    assert file["Content-Disposition"] == 'attachment; filename="recipes.csv"'
    assert "no-store" in file["Cache-Control"]
    assert file.content.decode("utf-8-sig").splitlines() == [
        "product,ingredient,quantity,unit,scales",
        "Latte,Milk,200,ml,no",
    ]


@pytest.mark.parametrize(
    "asked", [{}, {"subject": "ingredients", "format": "csv"}, {"subject": "products", "format": "exe"}]
)
def test_what_the_list_does_not_export_shows_the_page(bar: Shop, asked: dict[str, str]) -> None:
    response = signed_in("manager").get(page("product_export"), asked)

    assert response["Content-Type"].startswith("text/html")
    assert "XLSX" in text_of(response)


def test_the_pages_take_few_queries_whatever_there_is(bar: Shop) -> None:
    for number in range(30):
        bar.product(f"Tea {number}")
    manager = signed_in("manager")

    for name in ("product", "ingredient", "category", "optiongroup"):
        assert queries_of(manager, page(f"{name}_import")) <= 25
        assert queries_of(manager, page(f"{name}_export")) <= 25
        assert queries_of(manager, page(f"{name}_changelist")) <= 25
    for subject in ("products", "recipes"):
        assert queries_of(manager, f"{page('product_export')}?subject={subject}&format=xlsx") <= 25


def test_a_long_report_shows_its_changes_first_and_says_how_much_it_leaves_out(bar: Shop) -> None:
    for number in range(305):
        Product.objects.create(category=bar.category, name=f"Tea {number}", price="5.00")
    lines = [f"Tea {number},{6 if number == 304 else 5}" for number in range(305)]

    text = text_of(hand_in(signed_in("manager"), csv_file("name,price", *lines)))

    assert "1 changed 304 unchanged" in text
    assert "Differences 306 changed Tea 304 price 5.00 → 6.00 2 unchanged Tea 0" in text
    assert "And 5 more lines." in text
