"""Receiving, writing off and transferring on the admin's pages."""

from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from inventory.models import DefaultLocation, Location, StockDocument, StockLevel, StockMovement
from tests.inventory.admin_pages import lines, page, queries_of, said, signed_in, text_of, token_in
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to, user_of

pytestmark = pytest.mark.django_db
RECEIVE, WRITE_OFF, TRANSFER = "stocklevel_receive", "stocklevel_write_off", "stocklevel_transfer"


def nothing_moved() -> bool:
    return not StockDocument.objects.exists() and not StockMovement.objects.exists()


def test_a_barista_receives_milk_and_finds_it_in_the_ledger() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml")
    client = signed_in("barista")

    response = client.post(page(RECEIVE), lines([(milk, "12000")], comment="Delivery 7"))

    document = StockDocument.objects.get()
    assert response.status_code == 302
    assert response["Location"] == page("stockdocument_change", document.pk)
    assert said(response) == [f"Received: receipt {document.pk}."]
    assert (document.kind, document.location, document.comment) == ("receipt", shop.location, "Delivery 7")
    assert document.created_by.email == "barista@shop.example"
    assert shop.quantity(milk) == 12000
    assert shop.ledger(milk) == [("receipt", Decimal("12000.000"))]


def test_what_a_line_costs_may_be_written_for_one_unit_or_for_all() -> None:
    shop = Shop.open()
    milk, lid, cup = shop.ingredient("Milk", "ml"), shop.ingredient("Lid", "pc"), shop.ingredient("Cup", "pc")
    rows = [
        {"ingredient": milk.pk, "quantity": "12000", "paid": "540"},
        {"ingredient": lid.pk, "quantity": "3", "paid": "100"},
        {"ingredient": cup.pk, "quantity": "10", "unit_cost": "2,5"},
    ]

    signed_in("manager").post(page(RECEIVE), lines(rows))

    costs = dict(StockLevel.objects.values_list("ingredient__name", "average_cost"))
    assert costs == {"Milk": Decimal("0.045"), "Lid": Decimal("33.333333"), "Cup": Decimal("2.5")}


def test_a_cost_of_one_and_of_all_at_once_is_refused_at_the_line() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml")
    row = {"ingredient": milk.pk, "quantity": "10", "unit_cost": "1", "paid": "10"}

    response = signed_in("manager").post(page(RECEIVE), lines([row]))

    assert response.context["formset"].forms[0].errors == {"paid": ["Write the cost of one or of all, not both."]}
    assert nothing_moved()


def test_empty_lines_and_those_taken_out_do_not_count() -> None:
    shop = Shop.open()
    milk, lid = shop.ingredient("Milk", "ml"), shop.ingredient("Lid", "pc")
    rows = [
        {"ingredient": "", "quantity": ""},
        {"ingredient": lid.pk, "quantity": "nonsense", "DELETE": "on"},
        {"ingredient": milk.pk, "quantity": "5"},
    ]

    signed_in("manager").post(page(RECEIVE), lines(rows))

    assert (shop.quantity(milk), shop.quantity(lid)) == (5, 0)


def test_writing_off_needs_a_reason() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml", stock=1000)
    client = signed_in("barista")

    refused = client.post(page(WRITE_OFF), lines([(milk, "100")]))
    assert refused.context["form"].errors == {"reason": ["This field is required."]}
    assert shop.quantity(milk) == 1000

    client.post(page(WRITE_OFF), lines([(milk, "100")], reason="breakage"))
    assert shop.quantity(milk) == 900
    assert StockDocument.objects.get(kind="write_off").reason == "breakage"


def test_writing_off_more_than_there_is_says_at_each_line_how_much_there_is() -> None:
    shop = Shop.open()
    milk, lid = shop.ingredient("Milk", "ml", stock=1000), shop.ingredient("Lid", "pc", stock=3)
    tea = shop.ingredient("Tea", "g", stock=50)
    movements = StockMovement.objects.count()

    response = signed_in("barista").post(
        page(WRITE_OFF), lines([(milk, "1000.5"), (tea, "1"), (lid, "4")], reason="spoilage")
    )

    assert [form.errors for form in response.context["formset"]] == [
        {"quantity": ["Only 1000 ml there."]},
        {},
        {"quantity": ["Only 3 pc there."]},
    ]
    assert "Not enough in stock" in text_of(response)
    assert StockMovement.objects.count() == movements
    assert not StockDocument.objects.filter(kind="write_off").exists()


def test_what_is_transferred_leaves_one_location_and_comes_to_the_other() -> None:
    here, there = Shop.open("Main Street"), Shop.open("Riverside")
    milk = here.ingredient("Milk", "ml", stock=1000)

    response = signed_in("manager").post(
        page(TRANSFER), lines([(milk, "400")], source=here.location.pk, destination=there.location.pk)
    )

    assert response.status_code == 302
    assert (here.quantity(milk), there.quantity(milk)) == (600, 400)
    assert_levels_are_what_the_ledger_sums_to()


def test_a_transfer_to_where_it_came_from_is_refused_at_the_field() -> None:
    here, _there = Shop.open("Main Street"), Shop.open("Riverside")
    milk = here.ingredient("Milk", "ml", stock=1000)

    response = signed_in("manager").post(
        page(TRANSFER), lines([(milk, "400")], source=here.location.pk, destination=here.location.pk)
    )

    assert list(response.context["form"].errors) == ["destination"]
    assert here.quantity(milk) == 1000


def test_a_form_that_is_sent_twice_makes_one_document() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml")
    client = signed_in("manager")
    sent = lines([(milk, "500")], once=token_in(client.get(page(RECEIVE))))

    first, second = client.post(page(RECEIVE), sent), client.post(page(RECEIVE), sent)

    assert StockDocument.objects.count() == 1
    assert shop.quantity(milk) == 500
    assert first["Location"] == second["Location"]
    assert set(said(first)) == set(said(second))


def test_a_form_that_was_sent_and_then_changed_is_refused() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml")
    client = signed_in("manager")
    token = token_in(client.get(page(RECEIVE)))
    client.post(page(RECEIVE), lines([(milk, "500")], once=token))

    response = client.post(page(RECEIVE), lines([(milk, "600")], once=token))

    assert "has been sent once already, with other content" in text_of(response)
    assert shop.quantity(milk) == 500


def test_a_refused_form_may_be_sent_again_once_it_is_put_right() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml")
    client = signed_in("manager")
    token = token_in(client.get(page(RECEIVE)))

    refused = client.post(page(RECEIVE), lines([(milk, "0")], once=token))
    client.post(page(RECEIVE), lines([(milk, "7")], once=token_in(refused)))

    assert shop.quantity(milk) == 7


def test_a_damaged_token_is_refused() -> None:
    milk = Shop.open().ingredient("Milk", "ml")

    response = signed_in("manager").post(page(RECEIVE), lines([(milk, "5")], once="x" * 300))

    assert "This form is damaged. Open it anew." in text_of(response)
    assert nothing_moved()


# --- where -------------------------------------------------------------------------------------------------


def test_with_a_single_location_the_page_does_not_ask_for_it() -> None:
    Shop.open().ingredient("Milk", "ml")

    response = signed_in("manager").get(page(RECEIVE))

    assert "location" not in response.context["form"].fields


def test_with_several_locations_one_must_be_named() -> None:
    shop = Shop.open("Main Street")
    Shop.open("Riverside")
    milk = shop.ingredient("Milk", "ml")

    response = signed_in("manager").post(page(RECEIVE), lines([(milk, "5")]))

    assert list(response.context["form"].errors) == ["location"]
    assert nothing_moved()


def test_the_page_opens_at_the_persons_own_location_or_at_the_one_that_the_link_names() -> None:
    Shop.open("Main Street").ingredient("Milk", "ml")
    riverside, airport = Shop.open("Riverside").location, Shop.open("Airport").location
    client = signed_in("manager")
    assert client.get(page(RECEIVE)).context["form"]["location"].value() is None

    DefaultLocation.objects.create(user_id=client.session["_auth_user_id"], location=riverside)

    assert client.get(page(RECEIVE)).context["form"]["location"].value() == riverside.pk
    named = client.get(page(RECEIVE), {"location": airport.pk})
    assert named.context["form"]["location"].value() == airport.pk


def test_a_closed_location_is_not_offered_and_takes_nothing() -> None:
    shop, closed = Shop.open("Main Street"), Shop.open("Riverside", is_active=False)
    Shop.open("Airport")
    milk = shop.ingredient("Milk", "ml")

    response = signed_in("manager").post(page(RECEIVE), lines([(milk, "5")], location=closed.location.pk))

    assert list(response.context["form"].errors) == ["location"]
    assert nothing_moved()


def test_a_location_that_closes_between_showing_and_sending_takes_nothing() -> None:
    shop = Shop.open("Main Street")
    milk = shop.ingredient("Milk", "ml")
    client = signed_in("manager")
    client.get(page(RECEIVE))
    Location.objects.update(is_active=False)

    response = client.post(page(RECEIVE), lines([(milk, "5")]))

    assert response.status_code == 200
    assert "The shop has no open location." in text_of(response)
    assert nothing_moved()


# --- what the page is opened for ----------------------------------------------------------------------------


def test_a_link_opens_the_page_with_a_line_for_each_of_its_ingredients() -> None:
    shop = Shop.open()
    milk, lid = shop.ingredient("Milk", "ml"), shop.ingredient("Lid", "pc")
    client = signed_in("manager")
    address = f"{page(RECEIVE)}?ingredient={milk.pk}&ingredient={lid.pk}&ingredient=999&ingredient=x"

    opened = client.get(address)
    assert [form["ingredient"].value() for form in opened.context["formset"]] == [milk.pk, lid.pk]

    # A line that waits for its quantity is no line until somebody writes one.
    client.post(address, lines([(milk, "5"), (lid, "")]))
    assert (shop.quantity(milk), shop.quantity(lid)) == (5, 0)


def test_the_page_says_how_much_there_is_of_everything() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml", stock="1250.500")

    response = signed_in("manager").get(page(WRITE_OFF))

    assert response.context["levels"] == {str(shop.location.pk): {str(milk.pk): "1250.5"}}


def test_a_shop_without_ingredients_or_without_a_location_says_so() -> None:
    client = signed_in("manager")
    assert "The shop has no open location." in text_of(client.get(page(RECEIVE)))
    Shop.open()
    assert "There are no ingredients yet." in text_of(client.get(page(RECEIVE)))


def test_the_pages_take_as_many_queries_for_thirty_ingredients_as_for_three() -> None:
    shop = Shop.open()
    Shop.open("Riverside")
    client = signed_in("manager")
    counts = []
    for number in (3, 27):
        for _ in range(number):
            shop.ingredient(f"Ingredient {timezone.now().timestamp()}", stock=5)
        counts.append([queries_of(client, page(name)) for name in (RECEIVE, WRITE_OFF, TRANSFER)])
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 12


# --- who ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [RECEIVE, WRITE_OFF, TRANSFER])
def test_somebody_without_the_permission_is_refused_also_for_a_hand_made_post(name: str) -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml")
    person = user_of("barista")
    person.groups.clear()
    client = Client()
    client.force_login(person)

    assert client.get(page(name)).status_code == 403
    assert client.post(page(name), lines([(milk, "5")])).status_code == 403
    assert nothing_moved()


def test_a_customer_and_a_stranger_are_sent_to_the_sign_in() -> None:
    milk = Shop.open().ingredient("Milk", "ml")
    for client in (Client(), signed_in("customer")):
        response = client.post(page(RECEIVE), lines([(milk, "5")]))
        assert response.status_code == 302
        assert "/login/" in response["Location"]
    assert nothing_moved()


def test_a_form_from_another_site_is_refused() -> None:
    milk = Shop.open().ingredient("Milk", "ml")
    client = Client(enforce_csrf_checks=True)
    client.force_login(user_of("manager"))

    assert client.post(page(RECEIVE), lines([(milk, "5")])).status_code == 403
    assert nothing_moved()


def test_a_form_that_comes_back_keeps_its_token() -> None:
    milk = Shop.open().ingredient("Milk", "ml")
    client = signed_in("manager")
    token = token_in(client.get(page(RECEIVE)))

    refused = client.post(page(RECEIVE), lines([(milk, "0")], once=token))

    assert token_in(refused) == token
