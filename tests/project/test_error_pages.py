"""What a person sees where there is nothing to see: a sentence, and the way home."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.test import Client, RequestFactory
from django.utils import translation

from foundation.api.errors import bad_request, failed, page_not_found, permission_denied
from tests.shop import user_of


@pytest.mark.parametrize(
    ("answer", "status", "sentence", "home"),
    [
        (lambda request: bad_request(request, SuspiciousOperation()), 400, "The request can't be read.", "/admin/"),
        (lambda request: permission_denied(request, PermissionDenied()), 403, "You may not do this.", "/admin/"),
        (lambda request: page_not_found(request, Http404()), 404, "There is nothing at this address.", "/admin/"),
        (failed, 500, "Look whether it was done before you try again.", "/"),
    ],
)
@pytest.mark.parametrize("language", ["en", "ru"])
def test_an_error_page_says_what_is_wrong_and_leads_home(
    answer, status: int, sentence: str, home: str, language: str
) -> None:
    with translation.override(language):
        page = answer(RequestFactory().get("/admin/nothing/"))
        sentence = translation.gettext(sentence)

    assert page.status_code == status
    assert sentence in page.content.decode()
    assert f'href="{home}"' in page.content.decode()


def test_a_guest_is_led_back_to_the_menu() -> None:
    assert 'href="/"' in page_not_found(RequestFactory().get("/menu/999/"), Http404()).content.decode()


@pytest.mark.django_db
def test_a_form_from_before_another_sign_in_says_so() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user_of("manager"))

    page = client.post("/admin/orders/order/", {"action": "complete_selected"})

    assert page.status_code == 403
    assert "This page is out of date." in page.content.decode()
