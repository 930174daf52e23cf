"""The API's errors have one shape, and never show the inside."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from rest_framework.exceptions import ErrorDetail
from rest_framework.test import APIClient

from foundation.api.errors import (
    as_conflict,
    bad_request,
    exception_handler,
    failed,
    flat_errors,
    page_not_found,
    permission_denied,
)
from monitoring.models import Alert
from users.models import User

pytestmark = [pytest.mark.urls("tests.foundation.small_api"), pytest.mark.django_db]


@pytest.fixture
def quiet(person: User) -> APIClient:
    """A client that takes a 500 as an answer, as the world does."""
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(person)
    return client


@pytest.mark.parametrize(
    ("what", "status", "body"),
    [
        ("refusal", 400, {"type": "refused", "detail": "Refused.", "more": "1.00"}),
        (
            "invalid",
            400,
            {"type": "invalid", "detail": "Too few.", "errors": {"items[0].quantity": ["Too few."]}},
        ),
        ("missing", 404, {"type": "not_found", "detail": "Not there."}),
        ("forbidden", 403, {"type": "permission_denied", "detail": "Not you."}),
        ("conflict", 409, {"type": "conflict", "detail": "Not now.", "shortages": []}),
        ("django-invalid", 400, {"type": "invalid", "detail": "Taken.", "errors": {"name": ["Taken."]}}),
        ("twice", 409, {"type": "conflict", "detail": "The same record exists already."}),
        (
            "overflow",
            400,
            {
                "type": "invalid",
                "detail": "A number is too large or a text too long.",
                "errors": {"non_field_errors": ["A number is too large or a text too long."]},
            },
        ),
        (
            "nul",
            400,
            {
                "type": "invalid",
                "detail": "A text must not contain the character NUL.",
                "errors": {"non_field_errors": ["A text must not contain the character NUL."]},
            },
        ),
    ],
)
def test_what_a_service_raises_becomes_an_answer_and_nothing_is_written(
    api: APIClient, what: str, status: int, body: dict[str, Any]
) -> None:
    response = api.get(f"/api/v1/raise/{what}/")

    assert (response.status_code, response.json()) == (status, body)
    assert Alert.objects.count() == 0


def test_errors_of_fields_are_named_by_their_path(api: APIClient) -> None:
    response = api.post(
        "/api/v1/orders/",
        {"comment": "a" * 21, "items": [{"quantity": "1"}, {"quantity": "0", "options": [1, "x", 2, "y"]}, {}]},
    )

    assert response.status_code == 400
    assert response.json() == {
        "type": "invalid",
        "detail": "5 fields need correcting.",
        "errors": {
            "comment": ["Ensure this field has no more than 20 characters."],
            "items[1].quantity": ["Ensure this value is greater than or equal to 1."],
            "items[1].options[1]": ["A valid integer is required."],
            "items[1].options[3]": ["A valid integer is required."],
            "items[2].quantity": ["This field is required."],
        },
    }


def test_an_error_of_the_whole_request_has_a_place_of_its_own(api: APIClient) -> None:
    response = api.post("/api/v1/orders/", {"items": [{"quantity": "1"}] * 4})

    assert response.json() == {
        "type": "invalid",
        "detail": "At most three lines.",
        "errors": {"non_field_errors": ["At most three lines."]},
    }


@pytest.mark.parametrize("body", [[], "text", 5, None])
def test_json_that_is_no_object_is_refused(api: APIClient, body: Any) -> None:
    response = api.post("/api/v1/orders/", json.dumps(body), content_type="application/json")

    assert response.status_code == 400
    assert response.json()["type"] == "invalid"


def test_errors_of_a_list_of_objects_are_numbered() -> None:
    assert flat_errors([{}, {"name": ["Missing."]}]) == {"[1].name": ["Missing."]}
    assert flat_errors(["Wrong.", "Very wrong."]) == {"non_field_errors": ["Wrong.", "Very wrong."]}
    assert flat_errors({"items": {"non_field_errors": ["Empty."]}}) == {"items": ["Empty."]}
    assert flat_errors(ErrorDetail("Wrong.")) == {"non_field_errors": ["Wrong."]}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"a": NaN}', b"\xff\xfe", b'{"a": 1}}', b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5_000],
    ids=["empty", "open", "nan", "not utf-8", "closed twice", "deep list", "deep object", "5,000 digits"],
)
def test_what_is_no_json_is_refused(api: APIClient, content: bytes) -> None:
    response = api.generic("POST", "/api/v1/orders/", content, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["type"] == "invalid"


@pytest.mark.parametrize(
    ("content", "errors"),
    [
        ({"comment": "a\0b", "items": []}, {"comment": ["A text must not contain the character NUL."]}),
        (
            {"items": [{"quantity": "1", "options": [1, 10**30]}]},
            {"items[0].options[1]": ["This number is too large."]},
        ),
        ({"items": [{"quantity": -(2**63)}]}, {"items[0].quantity": ["This number is too large."]}),
        ({"details": {"a\0": 1}}, {"details": ["A text must not contain the character NUL."]}),
        ([{"comment": "\0"}], {"[0].comment": ["A text must not contain the character NUL."]}),
    ],
)
def test_values_that_no_column_holds_are_refused_at_their_place(
    api: APIClient, content: Any, errors: dict[str, list[str]]
) -> None:
    response = api.post("/api/v1/orders/", json.dumps(content), content_type="application/json")

    assert response.status_code == 400
    assert response.json()["errors"] == errors


def test_half_a_character_is_refused(api: APIClient) -> None:
    response = api.post("/api/v1/alerts/", '{"message": "\\ud800"}', content_type="application/json")

    assert response.status_code == 400
    assert list(response.json()["errors"]) == ["message"]


def test_an_infinite_number_is_refused(api: APIClient) -> None:
    response = api.post("/api/v1/orders/", '{"items": [{"quantity": 1e400}]}', content_type="application/json")

    assert response.json()["errors"] == {"items[0].quantity": ["This number is too large."]}


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1_000)
def test_a_body_beyond_the_limit_is_refused(api: APIClient) -> None:
    response = api.post("/api/v1/orders/", {"comment": "a" * 1_001})

    assert (response.status_code, response.json()["type"]) == (413, "too_large")


def test_another_content_type_is_refused(api: APIClient) -> None:
    response = api.generic("POST", "/api/v1/orders/", b"<order/>", content_type="application/xml")

    assert (response.status_code, response.json()["type"]) == (415, "unsupported_media_type")


def test_an_unknown_charset_is_refused(api: APIClient) -> None:
    response = api.generic("POST", "/api/v1/orders/", b"{}", content_type="application/json; charset=bz2_codec")

    assert (response.status_code, response.json()["type"]) == (400, "invalid")


def test_another_method_is_refused(api: APIClient) -> None:
    response = api.put("/api/v1/orders/", {})

    assert (response.status_code, response.json()["type"]) == (405, "method_not_allowed")


def test_who_has_not_signed_in_is_asked_to() -> None:
    response = APIClient().get("/api/v1/alerts/")

    assert (response.status_code, response.json()["type"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Token")


def test_who_asks_too_often_is_told_when_to_come_back(api: APIClient) -> None:
    response = api.get("/api/v1/throttled/")

    assert (response.status_code, response.json()["type"]) == (429, "throttled")
    assert response["Retry-After"] == "42"


@pytest.mark.parametrize("pk", ["9" * 30, "9" * 5_000, "0", "-1", "1.5", "abc", "%00", "%F0%9F%8D%B5"])
def test_an_id_that_nothing_has_is_not_found(api: APIClient, pk: str) -> None:
    response = api.get(f"/api/v1/alerts/{pk}/")

    assert (response.status_code, response.json()["type"]) == (404, "not_found")


def test_an_unknown_address_is_json_under_api_and_a_page_elsewhere(client: Client) -> None:
    response = client.get("/api/v1/nothing-here/")
    assert response.status_code == 404
    assert response.json() == {"type": "not_found", "detail": "There is nothing at this address."}

    page = client.get("/nothing-here/")
    assert page.status_code == 404
    assert page["Content-Type"].startswith("text/html")


def test_a_mistake_of_ours_says_nothing_of_the_inside(quiet: APIClient) -> None:
    response = quiet.get("/api/v1/raise/mistake/")

    assert response.status_code == 500
    assert response.json() == {
        "type": "server_error",
        "detail": "Something went wrong on our side. Nothing was changed.",
        "request_id": response["X-Request-ID"],
    }
    assert Alert.objects.count() == 0


@override_settings(DEBUG=True)
def test_a_mistake_of_ours_says_nothing_in_debug_mode_either(quiet: APIClient) -> None:
    response = quiet.get("/api/v1/raise/mistake/")

    assert set(response.json()) == {"type", "detail", "request_id"}


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        (lambda request: bad_request(request, SuspiciousOperation()), 400, "invalid"),
        (lambda request: permission_denied(request, PermissionDenied()), 403, "permission_denied"),
        (lambda request: page_not_found(request, Http404()), 404, "not_found"),
        (failed, 500, "server_error"),
    ],
)
def test_errors_outside_of_views_are_json_under_api_and_pages_elsewhere(
    answer: Callable[[HttpRequest], HttpResponse], status: int, kind: str
) -> None:
    inside, outside = (answer(RequestFactory().get(path)) for path in ("/api/v1/x/", "/admin/x/"))

    assert (inside.status_code, json.loads(inside.content)["type"]) == (status, kind)
    assert (outside.status_code, outside["Content-Type"].split(";")[0]) == (status, "text/html")


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (PermissionDenied(), 403, "permission_denied"),
        (SuspiciousOperation("inside"), 400, "invalid"),
        (Http404("inside"), 404, "not_found"),
    ],
)
def test_django_s_own_refusals_have_the_same_shape(error: Exception, status: int, kind: str) -> None:
    response = exception_handler(error, {})

    assert (response.status_code, response.data["type"]) == (status, kind)
    assert "inside" not in response.data["detail"]


@pytest.mark.django_db(transaction=True)
def test_a_row_that_points_to_nothing_is_a_conflict_and_other_broken_rules_are_mistakes_of_ours() -> None:
    with pytest.raises(IntegrityError) as points_to_nothing:
        Alert.objects.create(event="test", severity="info", message="m", acknowledged_by_id=-1)
    with pytest.raises(IntegrityError) as too_little:
        Alert.objects.create(event="test", severity="info", message="m", count=-1)

    assert as_conflict(points_to_nothing.value).status_code == 409
    assert as_conflict(too_little.value) is None


def test_what_is_still_used_can_not_be_deleted() -> None:
    response = exception_handler(ProtectedError("", set()), {})

    assert (response.status_code, response.data["type"]) == (409, "conflict")


def test_every_answer_names_its_request(api: APIClient) -> None:
    first, second = api.get("/api/v1/alerts/"), api.get("/api/v1/alerts/")

    assert len(first["X-Request-ID"]) == 36
    assert first["X-Request-ID"] != second["X-Request-ID"]
