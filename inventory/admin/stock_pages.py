"""The pages that move stock: receive, write off, transfer; and what is low."""

from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.ids import as_id
from foundation.admin.once import Done
from foundation.admin.pages import AdminPage, FormPage
from foundation.decimals import plain
from foundation.errors import Refusal
from foundation.money import money_format
from inventory.admin.ingredient_choice import ingredient_choices
from inventory.admin.lot_choice import WriteOffLines, lot_choices
from inventory.admin.places import open_places, shows_places, usual_place
from inventory.admin.shown import quantity_shown
from inventory.admin.stock_forms import ReceiptForm, ReceiptLines, StockLines, TransferForm, WriteOffForm
from inventory.errors import InsufficientStock, Shortage
from inventory.models import Location, StockDocument, StockLevel
from inventory.selectors import low_stock
from inventory.services.stock import receive_stock, transfer_stock, write_off_stock


class StockPage(FormPage):
    """A page that moves stock. `?ingredient=5&ingredient=7&location=2` opens it for these."""

    template_name = "inventory/move_stock.html"
    # What the page is for, in a sentence below its title.
    hint: Any = ""

    def asked_place(self) -> Location | None:
        """The location that the address names, else the one where the person works."""
        wanted = as_id(self.request.GET.get("location"))
        return next((place for place in open_places(self.request) if place.pk == wanted), usual_place(self.request))

    def initial(self) -> dict[str, Any]:
        place = self.asked_place()
        return {"location": place.pk if place else None}

    def form_kwargs(self) -> dict[str, Any]:
        return {"places": open_places(self.request), "initial": self.initial()}

    def formset_kwargs(self) -> dict[str, Any]:
        offered = ingredient_choices(self.request)
        known = {one.id for one in offered}
        asked = [as_id(text) for text in self.request.GET.getlist("ingredient")]
        return {"offered": offered, "chosen": [pk for pk in dict.fromkeys(asked) if pk in known]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        place = self.asked_place()
        return super().get_context_data(
            has_ingredients=bool(ingredient_choices(self.request)),
            has_place=bool(open_places(self.request)),
            levels=self.levels(),
            money_format=money_format().as_json(),
            only_place=place.pk if place and len(open_places(self.request)) == 1 else None,
            **kwargs,
        )

    def levels(self) -> dict[str, dict[str, str]]:
        """{location id: {ingredient id: quantity}}, which the page shows beside each line."""
        levels: dict[str, dict[str, str]] = {}
        for location_id, ingredient_id, quantity in (
            StockLevel.objects.filter(location__in=open_places(self.request))
            .order_by()
            .values_list("location_id", "ingredient_id", "quantity")
        ):
            levels.setdefault(str(location_id), {})[str(ingredient_id)] = plain(quantity)
        return levels

    def place(self, refusal: Refusal, form: Any, lines: list[Any]) -> None:
        """A shortage stands at the quantity of its line."""
        if not isinstance(refusal, InsufficientStock):
            return super().place(refusal, form, lines)
        for shortage in refusal.shortages:
            line = next(line for line in reversed(lines) if is_about(shortage, line.cleaned_data))
            sentence = (
                _("The lot holds %(available)s %(unit)s.")
                if shortage.lot_id
                else _("Only %(available)s %(unit)s there.")
            )
            line.add_error("quantity", sentence % {"available": plain(shortage.available), "unit": shortage.shown_unit})
        return form.add_error(None, refusal.detail)

    def done(self, document: StockDocument, sentence: str) -> Done:
        """The message that names the document, and the way to it."""
        return Done(
            message=sentence % {"document": str(document)},
            url=reverse("admin:inventory_stockdocument_change", args=[document.pk]),
        )


def is_about(shortage: Shortage, data: dict[str, Any]) -> bool:
    """Whether a line said so is what lacks something."""
    if shortage.lot_id:
        return bool(data.get("lot") == shortage.lot_id)
    return bool(data["ingredient"] == shortage.ingredient_id)


class ReceivePage(StockPage):
    path, name = "receive/", "receive"
    title = gettext_lazy("Receive stock")
    hint = gettext_lazy("What came in, by the delivery note. A cost moves the average cost of the ingredient.")
    permission = "inventory.receive_stock"
    form_class, formset_class = ReceiptForm, ReceiptLines
    submit_label, submit_icon = gettext_lazy("Receive"), "move_to_inbox"

    def act(self, form: ReceiptForm, lines: list[Any]) -> Done:
        document = receive_stock(
            location=form.place(),
            lines=[line.stock_line() for line in lines],
            comment=form.cleaned_data["comment"],
            created_by_id=self.request.user.pk,
        )
        return self.done(document, _("Received: %(document)s."))


class WriteOffPage(StockPage):
    path, name = "write-off/", "write_off"
    title = gettext_lazy("Write off")
    hint = gettext_lazy("What is spoiled, broken, tasted or was a mistake. It leaves at its average cost.")
    permission = "inventory.write_off_stock"
    form_class, formset_class = WriteOffForm, WriteOffLines
    submit_label, submit_icon = gettext_lazy("Write off"), "delete_sweep"

    def formset_kwargs(self) -> dict[str, Any]:
        return {**super().formset_kwargs(), "lots": lot_choices(self.request)}

    def act(self, form: WriteOffForm, lines: list[Any]) -> Done:
        document = write_off_stock(
            location=form.place(),
            lines=[line.stock_line() for line in lines],
            reason=form.cleaned_data["reason"],
            comment=form.cleaned_data["comment"],
            created_by_id=self.request.user.pk,
        )
        return self.done(document, _("Written off: %(document)s."))


class TransferPage(StockPage):
    path, name = "transfer/", "transfer"
    title = gettext_lazy("Transfer stock")
    hint = gettext_lazy("What is carried from one location to another, with the cost that it has there.")
    permission = "inventory.transfer_stock"
    form_class, formset_class = TransferForm, StockLines
    submit_label, submit_icon = gettext_lazy("Transfer"), "local_shipping"

    def initial(self) -> dict[str, Any]:
        place = self.asked_place()
        return {"source": place.pk if place else None}

    def act(self, form: TransferForm, lines: list[Any]) -> Done:
        document = transfer_stock(
            source=form.place("source"),
            destination=form.place("destination"),
            lines=[line.stock_line() for line in lines],
            comment=form.cleaned_data["comment"],
            created_by_id=self.request.user.pk,
        )
        return self.done(document, _("Transferred: %(document)s."))


class LowStockPage(AdminPage):
    """What is below its minimum, the emptiest first, by location."""

    path, name = "low/", "low"
    title = gettext_lazy("Low stock")
    permission = "inventory.view_stocklevel"
    template_name = "inventory/low_stock.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        levels: dict[int, list[StockLevel]] = {}
        for level in low_stock():
            levels.setdefault(level.location_id, []).append(level)
        may_receive = self.request.user.has_perm(ReceivePage.permission)
        may_order = self.request.user.has_perm("inventory.add_purchaseorder")
        return super().get_context_data(
            by_place=[
                {
                    "name": place.name if shows_places(self.request) else "",
                    "rows": [low_row(level) for level in levels.get(place.pk, ())],
                    "order_url": order_url(place) if may_order else "",
                    "receive_all": receive_url(levels[place.pk]) if may_receive and place.pk in levels else "",
                }
                for place in open_places(self.request)
            ],
            may_receive=may_receive,
            is_empty=not levels,
            **kwargs,
        )


def low_row(level: StockLevel) -> dict[str, Any]:
    """A level below its minimum, as the page shows it."""
    return {
        "level": level,
        "url": reverse("admin:inventory_ingredient_change", args=[level.ingredient_id]),
        "quantity": quantity_shown(level.quantity, level.ingredient),
        "minimum": quantity_shown(level.minimum, level.ingredient),
        "missing": quantity_shown(level.minimum - level.quantity, level.ingredient),
        "share": int(level.quantity / level.minimum * 100),
        "receive_url": receive_url([level]),
    }


def receive_url(levels: list[StockLevel]) -> str:
    """The receive page, opened for the ingredients of these levels, which are of one location."""
    query = [("location", levels[0].location_id), *(("ingredient", level.ingredient_id) for level in levels)]
    return f"{reverse('admin:inventory_stocklevel_receive')}?{urlencode(query)}"


def order_url(place: Location) -> str:
    """What the location should order."""
    return f"{reverse('admin:inventory_purchaseorder_suggestions')}?{urlencode({'location': place.pk})}"


def receive_link(level: StockLevel) -> SafeString:
    return format_html('<a class="sv-link" href="{}">{}</a>', receive_url([level]), _("Receive"))
