"""Rows of a list are drawn as the theme draws them, and what is the same in all of them is made once."""

import re

import pytest
from django.utils import translation
from unfold.admin import checkbox
from unfold.templatetags import unfold_list

from foundation.admin.quick_rows import row_checkbox
from orders.models import Position
from tests.inventory.admin_pages import signed_in

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/position/"


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("key", [7, "9f1c", '<b>"&'])
def test_a_rows_checkbox_is_the_themes_own(language: str, key: object) -> None:
    with translation.override(language):
        assert row_checkbox(key) == checkbox.render("_selected_action", str(key))


def test_the_headers_of_a_list_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        Position.objects.create(name=f"Position {number}")
    manager, made = signed_in("manager"), []
    label = unfold_list.label_for_field
    monkeypatch.setattr(
        unfold_list, "label_for_field", lambda name, *args, **more: made.append(name) or label(name, *args, **more)
    )

    html = manager.get(LIST).content.decode()

    assert sorted(made) == sorted(set(made)), "each column's header once, however many rows there are"
    assert made
    keys = set(re.findall(r'name="_selected_action" value="(\d+)"', html))
    assert keys == {str(pk) for pk in Position.objects.values_list("pk", flat=True)}
