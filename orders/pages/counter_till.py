"""The till: which one this browser stands at, its shift and its cash, and who sells there."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from foundation.admin.ids import as_id
from foundation.errors import InvalidInput
from inventory.models import Location
from inventory.selectors import location_for
from orders.admin.answers import answer, once
from orders.admin.cart import read_object
from orders.models import CounterPin, Employee, Shift
from orders.pages.counter_door import (
    SELLER,
    CounterQuestion,
    Till,
    actor_of,
    keep_till,
    require_seller,
    seller_of,
)
from orders.pages.counter_input import read_amount, read_one_id, read_text
from orders.selectors import employee_of
from orders.services.pins import check_pin, has_pin
from orders.services.shifts import close_shift, move_cash, open_shift
from orders.shift_selectors import shift_report
from orders.staff_errors import UnknownEmployee
from users.request import client_address

LONGEST_TILL = Shift._meta.get_field("till").max_length or 0


def shift_as_json(shift: Shift | None) -> dict[str, Any] | None:
    """The shift as the page's bar shows it. What the till should hold is not told before it was counted."""
    if shift is None:
        return None
    return {
        "id": shift.pk,
        "till": shift.till,
        "opened_at": shift.opened_at.isoformat(),
        "opening_float": str(shift.opening_float),
    }


class TillPage(CounterQuestion):
    """Lets this browser stand at a till from now on; a till is called whatever the shop calls it."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        chosen: list[Till] = []

        def choose() -> dict[str, Any]:
            data = read_object(request)
            name = " ".join(read_text(data, "till").split())
            if not name or len(name) > LONGEST_TILL:
                raise InvalidInput.at("till", _("Name the till in up to %(most)d characters.") % {"most": LONGEST_TILL})
            location = location_for(user=request.user, location_id=read_one_id(data, "location"))
            chosen.append(Till(location, name))
            return {"till": name, "location": location.pk, "shift": shift_as_json(chosen[0].open_shift())}

        response = answer(choose)
        if chosen:
            keep_till(response, chosen[0], is_secure=request.is_secure())
        return response


class ShiftPage(CounterQuestion):
    """The open shift of a till, with what was taken in it, or none."""

    permissions = ("orders.view_order", "orders.view_shift")
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        def show() -> dict[str, Any]:
            location = location_for(user=request.user, location_id=as_id(request.GET.get("location")))
            shift = Till(location, request.GET.get("till", "").replace("\x00", "")[:LONGEST_TILL]).open_shift()
            return {"shift": shift_as_json(shift)}

        return answer(show)


class ShiftVerb(CounterQuestion):
    """Something that is done with a till's cash, once for each form that is sent."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        return answer(lambda: once(request, lambda: self.do(request, read_object(request))))

    def do(self, request: HttpRequest, data: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def shift_id(self, data: dict[str, Any]) -> int:
        shift_id = read_one_id(data, "shift")
        if shift_id is None:
            raise InvalidInput.at("shift", _("Say which shift is meant."))
        return shift_id


class OpenShiftPage(ShiftVerb):
    permissions = ("orders.view_order", "orders.add_shift")

    def do(self, request: HttpRequest, data: dict[str, Any]) -> dict[str, Any]:
        require_seller(request)
        shift = open_shift(
            location=location_for(user=request.user, location_id=read_one_id(data, "location")),
            till=read_text(data, "till"),
            opening_float=read_amount(data, "opening_float"),
            actor=actor_of(request),
        )
        return {"shift": shift_as_json(shift)}


class CloseShiftPage(ShiftVerb):
    """Closes the till that somebody has counted, and says how it differs from what it should hold."""

    permissions = ("orders.view_order", "orders.close_shift")

    def do(self, request: HttpRequest, data: dict[str, Any]) -> dict[str, Any]:
        require_seller(request)
        shift = close_shift(
            shift_id=self.shift_id(data),
            counted=read_amount(data, "counted"),
            comment=read_text(data, "comment"),
            actor=actor_of(request),
        )
        return {
            "shift": None,
            "closed": {
                "expected": str(shift.expected),
                "counted": str(shift.counted),
                "difference": str(shift.difference),
                "methods": [[capfirst(one.label), str(one.net)] for one in shift_report(shift).methods],
            },
        }


class MoveCashPage(ShiftVerb):
    """Cash put into the till, or taken out of it, otherwise than by a sale."""

    permissions = ("orders.view_order", "orders.add_cashmovement")

    def do(self, request: HttpRequest, data: dict[str, Any]) -> dict[str, Any]:
        require_seller(request)
        amount = read_amount(data, "amount")
        movement = move_cash(
            shift_id=self.shift_id(data),
            amount=-amount if data.get("is_out") is True else amount,
            reason=read_text(data, "reason"),
            actor=actor_of(request),
        )
        return {"amount": str(movement.amount)}


class SellerPage(CounterQuestion):
    """Somebody says who they are, with their PIN. The account's own employee needs none while they have none."""

    http_method_names = ["post"]

    @sensitive_variables("data")
    def post(self, request: HttpRequest) -> HttpResponse:
        return answer(lambda: self.choose(request))

    def choose(self, request: HttpRequest) -> dict[str, Any]:
        data = read_object(request)
        employee_id = read_one_id(data, "employee")
        if employee_id is None:
            raise UnknownEmployee(employee_id)
        own = employee_of(request.user)
        if own is not None and own.pk == employee_id and not has_pin(employee_id):
            employee = own
        else:
            employee = check_pin(employee_id=employee_id, pin=read_text(data, "pin"), address=client_address(request))
        request.session[SELLER] = employee.pk
        return {"seller": employee_as_json(employee)}


class LockPage(CounterQuestion):
    """Nobody sells here until they say who they are."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        request.session.pop(SELLER, None)
        seller = seller_of(request)
        return JsonResponse({"seller": employee_as_json(seller.employee), "is_needed": seller.is_needed})


def employee_as_json(employee: Employee | None) -> dict[str, Any] | None:
    return {"id": employee.pk, "name": employee.name} if employee else None


def people_of(location: Location, own: Employee | None) -> list[dict[str, Any]]:
    """Who can say who they are here: those with a PIN, of this location first, and the account's own employee."""
    with_pins = set(CounterPin.objects.values_list("employee_id", flat=True))
    asked = {*with_pins, own.pk} if own else with_pins
    working = Employee.objects.filter(left_on=None, pk__in=asked).order_by("name", "id")
    return [
        {"id": one.pk, "name": one.name, "has_pin": one.pk in with_pins}
        for one in sorted(working, key=lambda one: one.location_id != location.pk)
    ]
