"""Customers: who they are, how to reach them, what they bought, their points."""

import datetime
from typing import Any, ClassVar

import structlog
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from foundation import moments
from foundation.admin.model_admin import ShopChangeList, ShopModelAdmin
from foundation.admin.refusals import RefusalsInForms
from foundation.admin.verbs import VerbButtons
from foundation.money import money
from foundation.shop import current_shop
from orders.admin.customer_form import CustomerForm
from orders.admin.customer_verbs import CUSTOMER_VERBS
from orders.admin.words import items_in_words
from orders.customer_data import customer_data
from orders.customer_duplicates import duplicates_of, with_duplicates
from orders.loyalty_selectors import points_expiring, standing_of, tiers_of
from orders.models import Customer, EveryOrder, LoyaltyEntry
from orders.models.finding import digits_of_phone
from orders.phones import shown_phone
from orders.selectors import customer_figures, figures_of_customers, refunded_to
from orders.services.customer_records import add_customer, change_customer

logger = structlog.get_logger("orders")
ORDERS_ON_PAGE = 10
ENTRIES_ON_PAGE = 10
SOON = 30  # days


class CustomerList(ShopChangeList):
    """The list, with the figures and the tiers of those on the page: three queries for all of them. In the list's own
    query they would be counted for everybody, also where only the number of rows is asked for."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        shown: list[Any] = list(self.result_list)  # type: ignore[has-type]
        ids = [customer.pk for customer in shown]
        tiers, figures = tiers_of(ids, timezone.now()), figures_of_customers(ids)
        for customer in shown:
            customer.tier, customer.figures = tiers[customer.pk], figures[customer.pk]
        self.result_list = shown


class DuplicatesFilter(DropdownFilter):
    title = _("likely duplicates")
    parameter_name = "duplicates"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("share a phone or an e-mail"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        return with_duplicates(queryset) if self.value() == "yes" else queryset


@admin.register(Customer)
class CustomerAdmin(VerbButtons, RefusalsInForms, ShopModelAdmin):
    form = CustomerForm
    list_display = ("name", "phone_shown", "email", "points_shown", "tier_shown", "orders_link", "spent", "last_order")
    list_filter = ("consent", DuplicatesFilter)
    list_per_page = 50
    search_fields = ("name", "phone", "email")
    search_help_text = _("Name, phone or e-mail")
    sortable_by = ("name", "points_shown")
    readonly_fields = ("created_at",)
    autocomplete_fields = ("user",)
    verbs = CUSTOMER_VERBS
    change_form_outer_before_template = "orders_admin/customer_top.html"
    change_form_outer_after_template = "orders_admin/customer_orders.html"

    class Media:
        css: ClassVar = {"all": ["samovar/orders.css"]}

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export_view)
        return [path("<path:object_id>/export/", export, name="orders_customer_export"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """All of them for a page of one; for the list, and for whoever looks a customer up, those who go on."""
        customers = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and "object_id" in match.kwargs:
            return customers.select_related("merged_into")
        return customers.current()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CustomerList]:
        return CustomerList

    def get_fields(self, request: HttpRequest, obj: Customer | None = None) -> list[str]:
        fields = ["name", "phone", "email", "birthday", "consent", "notes"]
        if request.user.has_perm("users.view_user"):
            fields.append("user")
        return [*fields, "created_at"] if obj else fields

    def has_change_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        """A record that was merged or erased is only looked at."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_current)

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        """Nobody's orders lose their customer."""
        return False

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Customer:
        """Nothing is written by the form: the service that `save_model` calls does."""
        customer: Customer = super().save_form(request, form, change)
        customer.form_values = {name: form.cleaned_data[name] for name in form.changed_data}  # type: ignore[attr-defined]
        return customer

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            saved = change_customer(customer_id=obj.pk, changes=obj.form_values)
        else:
            saved = add_customer(values=form.cleaned_data)
        obj.__dict__.update({field.attname: getattr(saved, field.attname) for field in Customer._meta.concrete_fields})
        obj._state.adding, obj._state.db = False, saved._state.db

    @display(description=_("phone"))
    def phone_shown(self, customer: Customer) -> str:
        return shown_phone(customer.phone)

    @display(description=_("points"), ordering="-points")
    def points_shown(self, customer: Customer) -> int:
        return customer.points

    @display(description=_("tier"), empty_value="")
    def tier_shown(self, customer: Any) -> str | None:
        return customer.tier and customer.tier.name

    @display(description=_("orders"))
    def orders_link(self, customer: Any) -> SafeString | int:
        number = customer.figures.orders
        if not number:
            return 0
        url = reverse("admin:orders_order_changelist")
        return format_html('<a class="ord-link" href="{}?customer={}">{}</a>', url, customer.pk, number)

    @display(description=_("spent"))
    def spent(self, customer: Any) -> str:
        return money(customer.figures.spent)

    @display(description=_("last order"), empty_value="")
    def last_order(self, customer: Any) -> str | None:
        if customer.figures.last_placed_at is None:
            return None
        return gettext("%(time)s ago") % {"time": moments.span(timezone.now() - customer.figures.last_placed_at)}

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        customer = kwargs.get("obj")
        if customer is not None:
            context |= self.loyalty_of(request, customer)
            if request.user.has_perm("orders.view_order"):
                context |= self.orders_of(customer)
        return super().render_change_form(request, context, **kwargs)

    def verb_buttons(self, request: HttpRequest, obj: Any) -> list[Any]:
        # Asked once, for the form that merges and for the page.
        obj.likely_duplicates = list(duplicates_of(obj)[:5]) if obj.is_current else []
        return super().verb_buttons(request, obj)

    def orders_of(self, customer: Customer) -> dict[str, Any]:
        """What they bought: the figures and the latest orders."""
        orders = EveryOrder.objects.filter(customer=customer).select_related("location").prefetch_related("items")
        latest: list[Any] = list(orders[:ORDERS_ON_PAGE])
        for order in latest:
            order.words = items_in_words(order)
        return {
            "latest_orders": latest,
            "figures": customer_figures(customer),
            "refunded": refunded_to(customer),
        }

    def loyalty_of(self, request: HttpRequest, customer: Customer) -> dict[str, Any]:
        """Their points: where they stand, what expires soon, the ledger page by page."""
        now = timezone.now()
        shown: dict[str, Any] = {
            "standing": standing_of(customer, now),
            "points_soon": points_expiring(customer, now + datetime.timedelta(days=SOON)),
            "soon_days": SOON,
            "shop_zone": current_shop().time_zone,
            "can_export": request.user.has_perm("orders.export_customer"),
        }
        if request.user.has_perm("orders.view_loyaltyentry"):
            entries = LoyaltyEntry.objects.filter(customer=customer).select_related("created_by", "order")
            pages = Paginator(entries.order_by("-pk"), ENTRIES_ON_PAGE)
            shown["entries"] = pages.get_page(request.GET.get("points_page"))
        return shown

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """A phone is found by its digits, however it is written; all else as in other lists."""
        if digits_of_phone(search_term):
            return queryset.search(search_term), False  # type: ignore[attr-defined]
        return super().get_search_results(request, queryset, search_term)

    def export_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Everything that is known of the person, as a file; the shop's log says who took it."""
        if not request.user.has_perm("orders.export_customer"):
            raise PermissionDenied
        customer = self.get_object(request, unquote(object_id))
        if customer is None:
            raise Http404
        logger.info("customer_exported", customer_id=customer.pk)
        answer = JsonResponse(customer_data(customer), json_dumps_params={"indent": 1, "ensure_ascii": False})
        answer["Content-Disposition"] = f'attachment; filename="customer-{customer.pk}.json"'
        return answer
