"""Many guesses of one PIN at the same moment are not more than many in a row."""

from threading import Barrier

import pytest

from orders.models import Employee, WrongPins
from orders.services import pins
from orders.services.pins import check_pin, set_pin
from orders.staff_errors import WrongPin
from tests.orders.staff import employed
from tests.races.threads import PATIENCE, at_once, kinds
from tests.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kai() -> Employee:
    """Somebody with a PIN, for whom a wrong one has been given once."""
    employee = employed(Shop.open())
    set_pin(employee_id=employee.pk, pin="2580", set_by_id=None)
    with pytest.raises(WrongPin):
        check_pin(employee_id=employee.pk, pin="0000", address="192.0.2.7")
    return employee


def guesses(kai: Employee) -> dict[str, int]:
    """Sixteen wrong PINs at once."""
    return kinds(at_once([lambda: check_pin(employee_id=kai.pk, pin="0000", address="192.0.2.7")] * 16))


def test_of_sixteen_guesses_at_once_four_more_are_looked_at(kai: Employee) -> None:
    assert guesses(kai) == {"TooManyPins": 12, "WrongPin": 4}


def test_without_the_lock_all_of_them_are(kai: Employee, monkeypatch: pytest.MonkeyPatch) -> None:
    all_have_read = Barrier(16)

    def unlocked(*, employee_id: int, address: str) -> list[WrongPins]:
        counts = list(WrongPins.objects.all())
        all_have_read.wait(PATIENCE)
        return counts

    monkeypatch.setattr(pins, "lock_wrong_pins", unlocked)

    assert guesses(kai) == {"WrongPin": 16}
