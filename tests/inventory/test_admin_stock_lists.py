"""The lists of levels, movements and documents, and what is low."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from inventory.models import StockDocument, StockLevel, StockMovement
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock, transfer_stock, write_off_stock
from tests.inventory.admin_pages import formset, page, said, signed_in, text_of
from tests.shop import Shop, user_of

pytestmark = pytest.mark.django_db
GAP = "\N{NO-BREAK SPACE}"


def found(role: str, name: str, **query: Any) -> list[Any]:
    """What the list shows for a query."""
    response = signed_in(role).get(page(name), query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


# --- levels -------------------------------------------------------------------------------------------------


def test_the_low_ones_come_first() -> None:
    here, there = Shop.open("Main Street"), Shop.open("Riverside")
    for shop in (here, there):
        shop.ingredient("Apple", "g", stock=100)
        shop.ingredient("Milk", "ml", stock=100)
    there.ingredient("Milk", "ml", minimum=500)

    levels = found("barista", "stocklevel_changelist")

    assert [(level.location.name, level.ingredient.name) for level in levels] == [
        ("Riverside", "Milk"),
        ("Main Street", "Apple"),
        ("Main Street", "Milk"),
        ("Riverside", "Apple"),
    ]


def test_levels_are_filtered_and_searched() -> None:
    here, there = Shop.open("Main Street"), Shop.open("Riverside")
    milk = here.ingredient("Milk", "ml", stock=100, minimum=500)
    there.receive({milk: 5})
    here.ingredient("Tea", "g", stock=5)

    def names(**query: Any) -> list[str]:
        return [str(level.ingredient) for level in found("manager", "stocklevel_changelist", **query)]

    assert names(location=there.location.pk) == ["Milk"]
    assert names(low="yes") == ["Milk"]
    assert names(ingredient=milk.pk) == ["Milk", "Milk"]
    assert names(q="te") == ["Tea"]
    for nonsense in ({"location": "9" * 30}, {"location": "x"}, {"ingredient": "-1"}):
        assert names(**nonsense) == []


def test_with_a_single_location_the_list_does_not_show_it() -> None:
    Shop.open("Main Street").ingredient("Milk", "ml", stock=5)
    client = signed_in("manager")
    assert "Main Street" not in text_of(client.get(page("stocklevel_changelist")))
    assert "Transfer" not in text_of(client.get(page("stocklevel_changelist")))
    Shop.open("Riverside")
    assert "Main Street" in text_of(client.get(page("stocklevel_changelist")))
    assert "Transfer" in text_of(client.get(page("stocklevel_changelist")))


def change_minimum(role: str, level: StockLevel, minimum: str, **more: str) -> Any:
    rows = [{"id": level.pk, "minimum": minimum, **more}]
    return signed_in(role).post(page("stocklevel_changelist"), {**formset("form", rows, initial=1), "_save": "Save"})


def test_a_minimum_is_set_in_the_list_and_a_quantity_is_not() -> None:
    shop = Shop.open()
    shop.ingredient("Milk", "ml", stock=100)
    level = StockLevel.objects.get()

    change_minimum("manager", level, "12,5", quantity="99999", average_cost="7")

    level.refresh_from_db()
    assert (level.minimum, level.quantity, level.average_cost) == (Decimal("12.5"), 100, 0)


@pytest.mark.parametrize("minimum", ["-1", "1e20", "0.0001", "", "much"])
def test_a_minimum_that_makes_no_sense_is_refused_in_the_list(minimum: str) -> None:
    Shop.open().ingredient("Milk", "ml", stock=100, minimum=7)
    level = StockLevel.objects.get()

    response = change_minimum("manager", level, minimum)

    assert response.status_code == 200
    assert list(response.context["cl"].formset.errors[0]) == ["minimum"]
    level.refresh_from_db()
    assert level.minimum == 7


def test_a_minimum_beyond_what_the_service_takes_is_refused_with_its_sentence() -> None:
    Shop.open().ingredient("Milk", "ml", stock=100, minimum=7)
    level = StockLevel.objects.get()

    response = change_minimum("manager", level, "99999999999")

    assert said(response) == ["The quantity can't be above 99999999."]
    level.refresh_from_db()
    assert level.minimum == 7


def test_a_barista_sets_no_minimum() -> None:
    Shop.open().ingredient("Milk", "ml", stock=100, minimum=7)
    level = StockLevel.objects.get()

    shown = signed_in("barista").get(page("stocklevel_changelist"))
    assert shown.context["cl"].formset is None
    change_minimum("barista", level, "0")

    level.refresh_from_db()
    assert level.minimum == 7


def test_levels_are_neither_made_nor_deleted() -> None:
    Shop.open().ingredient("Milk", "ml", stock=100)
    level = StockLevel.objects.get()
    client = signed_in("admin")

    assert client.get(page("stocklevel_add")).status_code == 403
    assert client.post(page("stocklevel_add"), {"quantity": "5"}).status_code == 403
    assert client.post(page("stocklevel_delete", level.pk), {"post": "yes"}).status_code == 403


def test_the_page_of_a_level_is_the_one_of_its_ingredient() -> None:
    milk = Shop.open().ingredient("Milk", "ml", stock=100)
    client = signed_in("barista")
    level = StockLevel.objects.get()

    assert client.get(page("stocklevel_change", level.pk))["Location"] == page("ingredient_change", milk.pk)
    client.post(page("stocklevel_change", level.pk), {"quantity": "5", "minimum": "5"})
    level.refresh_from_db()
    assert (level.quantity, level.minimum) == (100, 0)
    assert client.get(page("stocklevel_change", "9" * 30))["Location"] == page("stocklevel_changelist")


# --- what is low --------------------------------------------------------------------------------------------


def test_what_is_low_stands_by_location_with_links_to_receive_it() -> None:
    here, there = Shop.open("Main Street"), Shop.open("Riverside")
    milk = here.ingredient("Milk", "ml", stock=100, minimum=500)
    tea = here.ingredient("Tea", "g", stock=1, minimum=100)
    there.ingredient("Milk", "ml", stock=1000, minimum=10)

    response = signed_in("barista").get(page("stocklevel_low"))

    main_street, riverside = response.context["by_place"]
    assert [(row["level"].ingredient, row["missing"], row["share"]) for row in main_street["rows"]] == [
        (tea, f"99{GAP}g", 1),
        (milk, f"400{GAP}ml", 20),
    ]
    assert riverside["rows"] == []
    assert main_street["receive_all"] == (
        f"{page('stocklevel_receive')}?location={here.location.pk}&ingredient={tea.pk}&ingredient={milk.pk}"
    )
    assert "Riverside" not in text_of(response)


def test_nothing_low_is_said_so() -> None:
    Shop.open().ingredient("Milk", "ml", stock=100)
    assert "Nothing is low" in text_of(signed_in("manager").get(page("stocklevel_low")))


# --- the ledger ---------------------------------------------------------------------------------------------


def test_the_ledger_names_the_document_the_person_and_the_change() -> None:
    shop = Shop.open(time_zone="Asia/Bangkok")
    milk = shop.ingredient("Milk", "ml")
    person = user_of("manager")
    person.name = "Mali"
    person.save()
    at = datetime.datetime(2026, 3, 14, 20, 30, tzinfo=datetime.UTC)
    receive_stock(
        location=shop.location,
        lines=[StockLine(milk.pk, Decimal(1000))],
        comment="Delivery 7",
        created_by_id=person.pk,
        at=at,
    )
    order = shop.sell(shop.product("Latte", "70", {milk: 200}))

    response = signed_in("barista").get(page("stockmovement_changelist"))

    shown = text_of(response)
    assert "15 Mar 2026, 03:30" in shown
    for words in ("+1,000 ml", "−200 ml", f"receipt {StockDocument.objects.get().pk}", f"#{order.number}", "Mali"):
        assert words in shown
    assert "Delivery 7" in shown


def test_the_ledger_is_filtered_and_searched() -> None:
    here, there = Shop.open("Main Street"), Shop.open("Riverside")
    milk = here.ingredient("Milk", "ml", stock=1000)
    tea = there.ingredient("Tea", "g", stock=500)
    here.sell(here.product("Latte", "70", {milk: 200}))
    write_off_stock(
        location=there.location,
        lines=[StockLine(tea.pk, Decimal(5))],
        reason="tasting",
        comment="For the new menu",
        created_by_id=None,
        at=timezone.now() - datetime.timedelta(days=40),
    )

    def reasons(**query: Any) -> list[str]:
        return [movement.reason for movement in found("barista", "stockmovement_changelist", **query)]

    assert reasons(ingredient=milk.pk) == ["sale", "receipt"]
    assert reasons(location=there.location.pk) == ["write_off", "receipt"]
    assert reasons(reason="sale") == ["sale"]
    assert reasons(document="order") == ["sale"]
    assert reasons(document="write_off") == ["write_off"]
    assert reasons(period="30") == ["sale", "receipt", "receipt"]
    assert reasons(period="365", reason="write_off") == ["write_off"]
    assert reasons(q="new menu") == ["write_off"]
    assert reasons(q="tea") == ["write_off", "receipt"]
    assert reasons(q=str(StockDocument.objects.get(kind="write_off").pk), reason="write_off") == ["write_off"]
    assert reasons(ingredient="9" * 30) == []
    assert reasons(reason="nonsense") == []
    assert len(reasons(period="nonsense")) == 4


@pytest.mark.parametrize("role", ["barista", "manager", "admin"])
def test_nobody_writes_to_the_ledger(role: str) -> None:
    shop = Shop.open()
    shop.ingredient("Milk", "ml", stock=1000)
    movement = StockMovement.objects.get()
    client = signed_in(role)

    assert client.get(page("stockmovement_change", movement.pk)).status_code == 200
    sent = {"delta": "5", "comment": "mine"}
    assert client.post(page("stockmovement_change", movement.pk), sent).status_code == 403
    assert client.post(page("stockmovement_add"), sent).status_code == 403
    assert client.post(page("stockmovement_delete", movement.pk), {"post": "yes"}).status_code == 403
    client.post(
        page("stockmovement_changelist"),
        {"action": "delete_selected", "_selected_action": [movement.pk], "post": "yes"},
    )
    movement.refresh_from_db()
    assert (movement.delta, movement.comment) == (1000, "")


def test_a_movement_of_an_unknown_document_is_shown_without_a_link() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml", stock=1000)
    StockMovement.objects.create(
        location=shop.location,
        ingredient=milk,
        delta=1,
        reason="count",
        unit_cost=0,
        value=0,
        document_type="stock_count",
        document_id="7",
    )

    assert "stock_count 7" in text_of(signed_in("barista").get(page("stockmovement_changelist")))


# --- documents ----------------------------------------------------------------------------------------------


def test_a_document_shows_its_lines_and_what_they_are_worth() -> None:
    here, there = Shop.open("Main Street"), Shop.open("Riverside")
    milk = here.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")
    lid = here.ingredient("Lid", "pc", stock=10)
    document = transfer_stock(
        source=here.location,
        destination=there.location,
        lines=[StockLine(milk.pk, Decimal("400.5")), StockLine(lid.pk, Decimal(3))],
        comment="For the weekend",
        created_by_id=None,
    )

    response = signed_in("manager").get(page("stockdocument_change", document.pk))

    assert [(line["quantity"], line["unit_cost"], line["worth"]) for line in response.context["document_lines"]] == [
        (f"400.5{GAP}ml", f"฿0.05{GAP}/{GAP}ml", "฿20.03"),
        (f"3{GAP}pc", "—", "—"),
    ]
    shown = text_of(response)
    assert "Main Street → Riverside" in shown
    assert "For the weekend" in shown


def test_the_list_of_documents_says_what_is_in_each() -> None:
    shop = Shop.open()
    milk, lid = shop.ingredient("Milk", "ml", stock=100), shop.ingredient("Lid", "pc")
    shop.receive({milk: 12000, lid: 50})
    write_off_stock(
        location=shop.location, lines=[StockLine(milk.pk, Decimal(1))], reason="spoilage", created_by_id=None
    )

    documents = found("barista", "stockdocument_changelist")

    assert [document.lines_shown for document in documents] == [
        [f"Milk 1{GAP}ml"],
        [f"Milk 12,000{GAP}ml", f"Lid 50{GAP}pc"],
        [f"Milk 100{GAP}ml"],
    ]
    assert len(found("barista", "stockdocument_changelist", kind__exact="write_off")) == 1
    assert len(found("barista", "stockdocument_changelist", q=str(documents[0].pk))) == 1
    assert len(found("barista", "stockdocument_changelist", location=shop.location.pk)) == 3


@pytest.mark.parametrize("role", ["barista", "manager", "admin"])
def test_nobody_changes_a_document(role: str) -> None:
    shop = Shop.open()
    shop.ingredient("Milk", "ml", stock=100)
    document = StockDocument.objects.get()
    client = signed_in(role)

    assert client.post(page("stockdocument_change", document.pk), {"comment": "mine"}).status_code == 403
    assert client.post(page("stockdocument_add"), {"kind": "receipt"}).status_code == 403
    assert client.post(page("stockdocument_delete", document.pk), {"post": "yes"}).status_code == 403
    document.refresh_from_db()
    assert document.comment == ""
