"""Salaries: a table on the employee's page, and the page on which one is put right."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.refusals import RefusalsInForms
from foundation.moments import day_of_year
from foundation.money import money
from inventory.admin.places import places
from orders.models import Employee, Salary
from orders.payroll_selectors import salaries_of
from orders.services.salaries import change_salary

SEES_SALARIES = "orders.view_salary"


@admin.register(Salary)
class SalaryAdmin(RefusalsInForms, ShopModelAdmin):
    """One salary. They are listed on the employee's page, where new ones begin."""

    fields = ("employee", "amount", "per", "valid_from", "valid_to", "note")
    readonly_fields = ("employee",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A salary begins with a button on the employee's page."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The history stays; what was written down wrongly is put right."""
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Salaries have no list of their own to lead to."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:orders_employee_changelist"))

    def save_model(self, request: HttpRequest, obj: Salary, form: Any, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        change_salary(salary_id=obj.pk, changes=changes)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:orders_employee_change", args=[obj.employee_id]))


def salary_rows(request: HttpRequest, employee: Employee) -> list[dict[str, Any]]:
    """The salaries of an employee, the latest first, as their page shows them."""
    may_change = request.user.has_perm("orders.change_salary")
    here = next((place for place in places(request) if place.pk == employee.location_id), None)
    today = here.today() if here else None
    return [
        {
            "first": day_of_year(salary.valid_from),
            "last": day_of_year(salary.valid_to) if salary.valid_to else "",
            "amount": money(salary.amount),
            "per": salary.get_per_display(),
            "note": salary.note,
            "by": salary.created_by,
            "is_now": today is not None
            and salary.valid_from <= today
            and (salary.valid_to is None or salary.valid_to >= today),
            "url": reverse("admin:orders_salary_change", args=[salary.pk]) if may_change else "",
        }
        for salary in salaries_of(employee.pk).select_related("created_by")
    ]
