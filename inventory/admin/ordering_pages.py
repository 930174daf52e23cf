"""The pages on which purchase orders are written: a new one, a draft's lines, the suggestions; and on paper."""

from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from foundation.admin.ids import as_id
from foundation.admin.once import Done
from foundation.admin.pages import AdminPage, FormPage
from foundation.money import money, money_format
from inventory.admin.pack_choice import PackOptions
from inventory.admin.places import open_places, shows_places, usual_place
from inventory.admin.purchase_forms import MOST_LINES, OrderedLines, PurchaseOrderForm, SuggestionLines
from inventory.admin.purchase_tables import order_rows
from inventory.admin.shown import amount_shown
from inventory.models import Ingredient, Location, PurchaseOrder, Supplier, SupplierPack
from inventory.purchasing_selectors import Need, Suggestions, suggest_purchase_orders, total_of
from inventory.services.purchasing import draft_purchase_order, edit_purchase_order
from inventory.services.reordering import draft_suggested


class OrderFormPage(FormPage):
    """A purchase order's lines, chosen from its supplier's packs, with what they come to."""

    template_name = "inventory/purchase_order_form.html"
    form_class, formset_class = PurchaseOrderForm, OrderedLines
    submit_icon = "save"

    @property
    def supplier(self) -> Supplier | None:
        raise NotImplementedError

    @cached_property
    def packs(self) -> list[SupplierPack]:
        """What the supplier sells."""
        if self.supplier is None:
            return []
        packs = self.supplier.packs.select_related("ingredient")
        return list(packs.order_by("ingredient__name", "name"))

    def form_kwargs(self) -> dict[str, Any]:
        return {"places": open_places(self.request), "initial": self.initial()}

    def initial(self) -> dict[str, Any]:
        place = usual_place(self.request)
        return {"location": place.pk if place else None}

    def formset_kwargs(self) -> dict[str, Any]:
        return {"offered": PackOptions(self.packs)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            supplier=self.supplier,
            has_packs=bool(self.packs),
            has_place=bool(open_places(self.request)),
            money_format=money_format().as_json(),
            **kwargs,
        )


class NewOrderPage(OrderFormPage):
    """First the supplier is chosen (`?supplier=3`), then what is ordered."""

    path, name = "new/", "new"
    title = gettext_lazy("New purchase order")
    permission = "inventory.add_purchaseorder"
    submit_label = gettext_lazy("Save the draft")

    @cached_property
    def supplier(self) -> Supplier | None:
        if "supplier" not in self.request.GET:
            return None
        return get_object_or_404(Supplier, pk=as_id(self.request.GET["supplier"]) or 0, is_active=True)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        suppliers = [] if self.supplier else list(Supplier.objects.filter(is_active=True).order_by("name"))
        return super().get_context_data(suppliers=suppliers, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.supplier is None or not open_places(request):
            # There is nothing yet to be sent: the page says what is missing.
            return HttpResponseRedirect(request.get_full_path())
        return super().post(request, *args, **kwargs)

    def act(self, form: PurchaseOrderForm, lines: list[Any]) -> Done:
        order = draft_purchase_order(
            supplier=cast("Supplier", self.supplier),
            location=form.place(),
            lines=[line.ordered_line() for line in lines],
            expected_on=form.cleaned_data["expected_on"],
            comment=form.cleaned_data["comment"],
            created_by_id=self.request.user.pk,
        )
        return Done(message=_("Drafted: %(order)s.") % {"order": order}, url=order_url(order))


class EditOrderPage(OrderFormPage):
    """The lines of a draft."""

    path, name = "<int:pk>/edit/", "edit"
    title = gettext_lazy("Change the draft")
    permission = "inventory.change_purchaseorder"
    submit_label = gettext_lazy("Save")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.has_perm(self.permission) and self.order.status != PurchaseOrder.Status.DRAFT:
            return HttpResponseRedirect(order_url(self.order))
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def order(self) -> PurchaseOrder:
        return found_order(self.kwargs["pk"])

    @property
    def supplier(self) -> Supplier:
        return self.order.supplier

    def initial(self) -> dict[str, Any]:
        order = self.order
        return {"location": order.location_id, "expected_on": order.expected_on, "comment": order.comment}

    def form_kwargs(self) -> dict[str, Any]:
        """Its own location can stay, also when it is closed by now: the service says so."""
        offered = {place.pk: place for place in (self.order.location, *open_places(self.request))}
        return {"places": list(offered.values()), "initial": self.initial()}

    def formset_kwargs(self) -> dict[str, Any]:
        if self.request.method == "POST":
            return super().formset_kwargs()
        filled = [{"pack": line.pack_id, "packs": line.packs, "price": line.price} for line in self.order.lines.all()]
        return {**super().formset_kwargs(), "filled": filled}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        seen = self.request.POST.get("seen") or ",".join(str(line.pk) for line in self.order.lines.all())
        return super().get_context_data(
            order=self.order, seen=seen, is_too_long=self.order.lines.count() > MOST_LINES, **kwargs
        )

    def act(self, form: PurchaseOrderForm, lines: list[Any]) -> Done:
        seen = self.request.POST.get("seen", "")
        order = edit_purchase_order(
            order_id=self.order.pk,
            lines=[line.ordered_line() for line in lines],
            details={
                "location": form.place(),
                "expected_on": form.cleaned_data["expected_on"],
                "comment": form.cleaned_data["comment"],
            },
            seen_line_ids=[pk for text in seen.split(",") if (pk := as_id(text))] if seen else None,
        )
        return Done(message=_("Saved: %(order)s.") % {"order": order}, url=order_url(order))


class SuggestionsPage(FormPage):
    """What a location is low on, in packs that can be changed; sending it makes the drafts."""

    path, name = "suggestions/", "suggestions"
    title = gettext_lazy("What to order")
    permission = "inventory.add_purchaseorder"
    template_name = "inventory/purchase_suggestions.html"
    form_class, formset_class = PurchaseOrderForm, SuggestionLines
    submit_label, submit_icon = gettext_lazy("Make drafts"), "draft_orders"

    @cached_property
    def place_shown(self) -> Location | None:
        """The location that the address names, else the one where the person works, else the first."""
        offered = open_places(self.request)
        wanted = as_id(self.request.GET.get("location"))
        asked = next((place for place in offered if place.pk == wanted), usual_place(self.request))
        return asked or next(iter(offered), None)

    @cached_property
    def suggestions(self) -> Suggestions:
        if self.place_shown is None:
            return Suggestions([], [])
        return suggest_purchase_orders(location=self.place_shown)

    @cached_property
    def packs(self) -> dict[int, list[SupplierPack]]:
        """All that can be ordered, by ingredient: what is low, and what a form that was sent is about."""
        asked = {as_id(self.request.POST.get(name)) for name in self.request.POST if name.endswith("-ingredient")}
        wanted = {*self.suggestions.lines(), *(pk for pk in asked if pk)}
        packs: dict[int, list[SupplierPack]] = {}
        for pack in (
            SupplierPack.objects.filter(ingredient__in=wanted, supplier__is_active=True)
            .select_related("supplier", "ingredient")
            .order_by("supplier__name", "name")
        ):
            packs.setdefault(pack.ingredient_id, []).append(pack)
        return packs

    def form_kwargs(self) -> dict[str, Any]:
        return {"places": [self.place_shown] if self.place_shown else []}

    def formset_kwargs(self) -> dict[str, Any]:
        if self.request.method == "POST":
            return {"packs": self.packs}
        lines = list(self.suggestions.lines().values())[:MOST_LINES]
        filled = [{"ingredient": line.need.ingredient.pk, "pack": line.pack.pk, "packs": line.packs} for line in lines]
        return {"packs": self.packs, "filled": filled}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.place_shown is None:
            return HttpResponseRedirect(request.get_full_path())
        return super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        suggested = self.suggestions.lines()
        rows: list[dict[str, Any]] = []
        supplier = None
        for line in kwargs["formset"].forms:
            found = suggested.get(line.about.pk) if line.about else None
            row = {"line": line, "ingredient": line.about, "need": need_shown(found.need) if found else None}
            if found and found.pack.supplier != supplier:
                # A heading above the first line of each supplier.
                row["supplier"] = supplier = found.pack.supplier
            rows.append(row)
        context = super().get_context_data(
            rows=rows,
            most_lines=MOST_LINES,
            lines_number=len(suggested),
            is_cut=len(suggested) > MOST_LINES,
            unsupplied=[
                {
                    "ingredient": one.need.ingredient,
                    "need": need_shown(one.need),
                    "sentence": one.sentence,
                    "url": reverse("admin:inventory_ingredient_change", args=[one.need.ingredient.pk]),
                }
                for one in self.suggestions.unsupplied
            ],
            money_format=money_format().as_json(),
            **kwargs,
        )
        if shows_places(self.request):
            context["places"] = open_places(self.request)
        return {**context, "place_shown": self.place_shown}

    def act(self, form: Any, lines: list[Any]) -> Done:
        orders = draft_suggested(
            location=cast("Location", self.place_shown),
            lines=[line.ordered_line() for line in lines],
            created_by_id=self.request.user.pk,
        )
        sentence = ngettext("%(count)d order is drafted.", "%(count)d orders are drafted.", len(orders))
        url = order_url(orders[0]) if len(orders) == 1 else reverse("admin:inventory_purchaseorder_changelist")
        return Done(message=sentence % {"count": len(orders)}, url=url)


class PrintOrderPage(AdminPage):
    """The order as a supplier gets it: plain HTML for paper."""

    path, name = "<int:pk>/print/", "print"
    title = gettext_lazy("Purchase order")
    permission = "inventory.view_purchaseorder"
    template_name = "inventory/purchase_order_print.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        order = found_order(self.kwargs["pk"])
        shows_prices = self.request.user.has_perm("inventory.change_stocklevel")
        lines = list(order.lines.select_related("ingredient", "pack"))
        return super().get_context_data(
            order=order,
            rows=order_rows(lines),
            shows_prices=shows_prices,
            total=money(total_of(lines)),
            **kwargs,
        )


def need_shown(need: Need) -> dict[str, str]:
    """The figures of a need, as people read them."""
    ingredient: Ingredient = need.ingredient
    return {
        "there": amount_shown(need.there, ingredient),
        "minimum": amount_shown(need.minimum, ingredient),
        "on_order": amount_shown(need.on_order, ingredient) if need.on_order else "",
        "used": amount_shown(need.used, ingredient) if need.used else "",
    }


def found_order(order_id: int) -> PurchaseOrder:
    """The order that an address names. Raises Http404."""
    if order_id >= 2**63:
        raise Http404
    return get_object_or_404(PurchaseOrder.objects.select_related("supplier", "location", "created_by"), pk=order_id)


def order_url(order: PurchaseOrder) -> str:
    return reverse("admin:inventory_purchaseorder_change", args=[order.pk])
