"""What people and robots write into the admin's address bar: no answer to it is an error of ours."""

import pytest
from django.contrib import admin
from django.test import RequestFactory

from tests.project.admin_premises import Premises, premises  # noqa: F401  (a fixture)
from users.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LISTS = sorted(
    (f"{model._meta.app_label}/{model._meta.model_name}/", model)
    for model in admin.site._registry
    if model._meta.app_label != "django_celery_beat"
)
ODD = ("x", "9" * 30, "%00")


@pytest.mark.parametrize(("address", "model"), LISTS, ids=[address for address, _model in LISTS])
def test_a_list_takes_any_odd_parameter(premises: Premises, address: str, model: type) -> None:  # noqa: F811
    browser = premises.browser_of("admin")
    request = RequestFactory().get(f"/admin/{address}")
    request.user = User.objects.get(email="admin@shop.example")
    filters = admin.site._registry[model].get_changelist_instance(request).filter_specs
    names = {name for one in filters for name in one.expected_parameters()}

    for name in sorted({*names, "p", "o", "q"}):
        for value in ODD:
            answer = browser.get(f"/admin/{address}?{name}={value}")
            assert answer.status_code in (200, 302), f"{name}={value}"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("orders/order/?nonsense=1", 302),
        ("orders/order/?created_by__password__startswith=a", 400),
        ("orders/order/?" + "status=pending&" * 999, 200),
        ("orders/order/add/?location=x&customer=%00", 200),
        ("orders/order/menu/?location=x", 400),
        ("orders/order/customers/?q=%00", 200),
        ("inventory/stocklevel/receive/?location=%00&ingredient=x", 200),
        ("autocomplete/?app_label=orders&model_name=employee&field_name=user&term=%00", 200),
        ("autocomplete/?app_label=orders&model_name=employee&field_name=user&page=x", 404),
        ("autocomplete/?app_label=orders&model_name=employee&field_name=name", 403),
        ("autocomplete/?app_label=x&model_name=x&field_name=x", 403),
        ("autocomplete/", 403),
        ("search/?s=%00", 200),
        ("search/?s=e&page=x", 404),
        ("search/?s=e&page=99", 404),
    ],
)
def test_an_odd_address_has_its_answer(premises: Premises, address: str, status: int) -> None:  # noqa: F811
    assert premises.browser_of("admin").get(f"/admin/{address}").status_code == status
