"""Employees and their positions."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Func, IntegerField, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.pages import OwnPages
from foundation.admin.refusals import RefusalsInForms
from foundation.admin.verbs import VerbButtons
from foundation.counting import COUNTED_UP_TO, capped
from inventory.admin.places import places, shows_places
from inventory.errors import UnknownLocation
from orders.admin.employee_sales import SEES_SALES, SalesByEmployeePage, figures_of
from orders.admin.salaries import SEES_SALARIES, salary_rows
from orders.admin.staff_verbs import VERBS
from orders.models import Employee, EveryOrder, Position
from orders.services.employees import change_employee, hire_employee


class WorksHereFilter(DropdownFilter):
    title = _("works here")
    parameter_name = "works_here"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("works here")), ("no", _("has left"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Employee]) -> QuerySet[Employee]:
        if self.value() in ("yes", "no"):
            return queryset.filter(left_on__isnull=self.value() == "yes")
        return queryset


@admin.register(Employee)
class EmployeeAdmin(RefusalsInForms, VerbButtons, OwnPages, ShopModelAdmin):
    """Who works here. What they sell is shown to managers, what they are paid to who may see salaries."""

    pages = (SalesByEmployeePage,)
    verbs = VERBS
    list_display = ("name", "position", "location", "hired_on", "left_on", "orders_link")
    list_filter = (WorksHereFilter, "position", "location")
    list_filter_submit = True
    list_select_related = ("position", "location")
    list_per_page = 50
    search_fields = ("name", "position__name")
    autocomplete_fields = ("user",)
    fields = ("name", "position", "location", "hired_on", "left_on", "user")
    change_form_outer_after_template = "orders_admin/employee.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Employee]:
        orders = EveryOrder.objects.filter(employee=OuterRef("pk")).order_by()
        # Counted to the limit, as lists are: somebody who has worked here for years has sold a hundred thousand.
        some = ArraySubquery(orders.values("pk")[: COUNTED_UP_TO + 1])
        return (
            super()
            .get_queryset(request)
            .annotate(number=Func(some, function="cardinality", output_field=IntegerField()))
        )

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        shown = super().get_list_display(request)
        return shown if shows_places(request) else [name for name in shown if name != "location"]

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        filters = super().get_list_filter(request)
        return filters if shows_places(request) else [name for name in filters if name != "location"]

    class Media:
        css: ClassVar = {"all": ["samovar/orders.css"]}

    def get_fields(self, request: HttpRequest, obj: Employee | None = None) -> list[str]:
        """The account is chosen by those who see the accounts; the location where there are several."""
        hidden = set()
        if not request.user.has_perm("users.view_user"):
            hidden.add("user")
        if len(places(request)) == 1:
            hidden.add("location")
        return [name for name in self.fields or () if name not in hidden]

    def save_model(self, request: HttpRequest, obj: Employee, form: Any, change: bool) -> None:
        """Hires somebody, or changes what was changed in the form."""
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            change_employee(employee_id=obj.pk, changes=changes)
            return
        fields = dict(form.cleaned_data)
        if "location" not in fields:
            if not places(request):
                raise UnknownLocation.at("location", gettext("The shop has no location yet."))
            fields["location"] = places(request)[0]
        # The form's own object is what the page goes on with.
        obj.pk = hire_employee(**fields).pk

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        employee: Employee | None = kwargs.get("obj")
        if employee is not None and not context.get("is_popup"):
            if request.user.has_perm(SEES_SALES):
                context["sales_figures"] = figures_of(request, employee)
            if request.user.has_perm(SEES_SALARIES):
                context["salary_rows"] = salary_rows(request, employee)
                context["shows_salaries"] = True
        return super().render_change_form(request, context, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Employee | None = None) -> bool:
        """Who leaves gets a last day: orders name them."""
        return False

    @display(description=_("orders"))
    def orders_link(self, employee: Any) -> SafeString | int:
        if not employee.number:
            return 0
        url = reverse("admin:orders_order_changelist")
        shown = capped(employee.number)
        return format_html('<a class="ord-link" href="{}?employee={}">{}</a>', url, employee.pk, shown)


@admin.register(Position)
class PositionAdmin(ShopModelAdmin):
    list_display = ("name", "number")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Position]:
        return super().get_queryset(request).annotate(number=Count("employees"))

    @display(description=_("employees"), ordering="number")
    def number(self, position: Any) -> int:
        return int(position.number)
