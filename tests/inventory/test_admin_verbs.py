"""Verb buttons, on the pages and in the list of products."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from foundation.admin.verbs import ReasonForm, Verb
from foundation.errors import Conflict, InvalidInput
from inventory.admin.products import ProductAdmin
from inventory.models import Product
from tests.inventory.admin_pages import page, said, signed_in, text_of, token_in
from tests.shop import Shop, user_of

pytestmark = pytest.mark.django_db


def renames(request: Any, product: Product, data: dict[str, Any]) -> None:
    """Stands for a service: renames the product to the reason, and refuses some reasons."""
    if data["reason"] == "conflict":
        Product.objects.filter(pk=product.pk).update(name="half done")
        raise Conflict("Not in this state of the shop.")
    if data["reason"] == "invalid":
        raise InvalidInput.at("reason", "Write a better reason.")
    Product.objects.filter(pk=product.pk).update(name=data["reason"])


RENAME = Verb(
    name="rename",
    label="Rename",
    permission="inventory.change_product",
    run=renames,
    done="%(object)s has another name.",
    form=ReasonForm,
    warning="Think twice.",
)


@pytest.fixture
def latte(monkeypatch: pytest.MonkeyPatch) -> Product:
    monkeypatch.setattr(ProductAdmin, "verbs", (*ProductAdmin.verbs, RENAME))
    return Shop.open().product("Latte")


def verb(product: Product, name: str) -> str:
    return page("product_verb", product.pk, name)


def test_a_button_takes_a_product_off_the_menu(latte: Product) -> None:
    client = signed_in("manager")

    response = client.post(verb(latte, "unlist"))

    latte.refresh_from_db()
    assert not latte.is_listed
    assert response["Location"] == page("product_change", latte.pk)
    assert said(response) == ["Latte is off the menu."]
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Take off the menu"]


def test_only_the_buttons_that_fit_the_object_are_shown(latte: Product) -> None:
    client = signed_in("manager")
    assert [one.verb.name for one in client.get(page("product_change", latte.pk)).context["verb_buttons"]] == [
        "unlist",
        "rename",
    ]
    assert signed_in("barista").get(page("product_change", latte.pk)).context["verb_buttons"] == []


def test_a_get_changes_nothing(latte: Product) -> None:
    client = signed_in("manager")

    assert client.get(verb(latte, "unlist"))["Location"] == page("product_change", latte.pk)
    asked = client.get(verb(latte, "rename"))

    assert asked.status_code == 200
    assert "Think twice." in text_of(asked)
    latte.refresh_from_db()
    assert (latte.is_listed, latte.name) == (True, "Latte")


@pytest.mark.parametrize("name", ["unlist", "rename"])
def test_a_hand_made_post_without_the_permission_is_refused(latte: Product, name: str) -> None:
    response = signed_in("barista").post(verb(latte, name), {"rename-reason": "Mine"})

    assert response.status_code == 403
    latte.refresh_from_db()
    assert (latte.is_listed, latte.name) == (True, "Latte")


def test_a_post_from_another_site_is_refused(latte: Product) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user_of("manager"))

    assert client.post(verb(latte, "unlist")).status_code == 403
    latte.refresh_from_db()
    assert latte.is_listed


def test_what_does_not_exist_is_not_found(latte: Product) -> None:
    client = signed_in("manager")
    assert client.post(page("product_verb", "9" * 30, "unlist")).status_code == 404
    assert client.post(page("product_verb", "latte", "unlist")).status_code == 404
    assert client.post(verb(latte, "burn")).status_code == 404


def test_a_form_that_is_wrong_is_shown_again_with_the_sentence(latte: Product) -> None:
    response = signed_in("manager").post(verb(latte, "rename"), {"rename-reason": ""})

    assert response.status_code == 200
    assert "This field is required." in text_of(response)


def test_what_the_service_refuses_at_a_field_is_said_there(latte: Product) -> None:
    response = signed_in("manager").post(verb(latte, "rename"), {"rename-reason": "invalid"})

    assert response.status_code == 200
    assert "Write a better reason." in text_of(response)
    latte.refresh_from_db()
    assert latte.name == "Latte"
    assert not LogEntry.objects.exists()


def test_any_other_refusal_is_a_message_and_nothing_has_changed(latte: Product) -> None:
    response = signed_in("manager").post(verb(latte, "rename"), {"rename-reason": "conflict"})

    assert response["Location"] == page("product_change", latte.pk)
    assert said(response) == ["Not in this state of the shop."]
    latte.refresh_from_db()
    assert latte.name == "Latte"


def test_a_button_that_is_pressed_twice_acts_once(latte: Product) -> None:
    client = signed_in("manager")
    sent = {"rename-reason": "Flat white", "once": token_in(client.get(verb(latte, "rename")))}

    client.post(verb(latte, "rename"), sent)
    Product.objects.update(name="Latte")  # would be overwritten if the second one acted
    second = client.post(verb(latte, "rename"), sent)

    latte.refresh_from_db()
    assert latte.name == "Latte"
    assert set(said(second)) == {"Latte has another name."}
    assert LogEntry.objects.count() == 1


def test_the_switch_in_the_list_comes_back_to_the_same_list(latte: Product) -> None:
    client = signed_in("manager")
    here = f"http://testserver{page('product_changelist')}?listed=yes"
    shown = client.get(here).content.decode()
    assert f'formaction="{verb(latte, "unlist")}?next=list"' in shown

    response = client.post(f"{verb(latte, 'unlist')}?next=list", headers={"Referer": here})
    assert response["Location"] == here

    elsewhere = client.post(f"{verb(latte, 'list')}?next=list", headers={"Referer": "https://evil.example/"})
    assert elsewhere["Location"] == page("product_changelist")
    latte.refresh_from_db()
    assert latte.is_listed


def test_a_barista_sees_no_switch_in_the_list(latte: Product) -> None:
    shown = signed_in("barista").get(page("product_changelist")).content.decode()
    assert "formaction" not in shown
    assert "on the menu" in shown
