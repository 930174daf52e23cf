"""Starting a count, and counting: the page that somebody holds in front of the shelf."""

import datetime
import json
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.forms import ThemedForm
from foundation.admin.ids import as_id, is_id
from foundation.admin.once import Done
from foundation.admin.pages import AdminPage, FormPage
from foundation.decimals import plain
from foundation.errors import Conflict, InvalidInput, Refusal
from inventory.admin.checklist import ChecklistField
from inventory.admin.count_verbs import FINISH
from inventory.admin.ingredient_choice import ingredient_choices
from inventory.admin.places import open_places, shows_places, usual_place
from inventory.admin.shown import quantity_shown
from inventory.count_selectors import lines_of_count
from inventory.errors import UnknownLocation
from inventory.models import Location, Shelf, StockCount, StockCountLine, StockLevel
from inventory.services.counts import count_lines, start_count
from inventory.units import SHOWN_UNITS, parse_quantity

EVERYTHING, LIST, SHELF = "all", "list", "shelf-"
# What a phone may say that an entry has waited for a connection; older ones are as old.
LONGEST_WAIT = datetime.timedelta(days=2)


class StartForm(ThemedForm):
    """What to count at a location: all of it, a shelf, or what is ticked."""

    scope = forms.ChoiceField(label=gettext_lazy("What"), widget=forms.RadioSelect, initial=EVERYTHING)
    ingredients = ChecklistField(label=gettext_lazy("Ingredients"), required=False)
    comment = forms.CharField(label=gettext_lazy("Comment"), max_length=500, required=False)

    def __init__(self, *args: Any, shelves: list[Any], offered: Any, notes: dict[int, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["scope"]
        field.choices = [
            (EVERYTHING, _("Everything here")),
            *((f"{SHELF}{shelf.pk}", shelf.name) for shelf in shelves),
            (LIST, _("What is ticked below")),
        ]
        ticked: Any = self.fields["ingredients"]
        ticked.offer(offered, notes)

    def what(self) -> dict[str, Any]:
        """What a valid form says, in the words of the service."""
        scope = self.cleaned_data["scope"]
        if scope == LIST:
            return {"ingredient_ids": self.cleaned_data["ingredients"]}
        return {"shelf_id": int(scope.removeprefix(SHELF)) if scope != EVERYTHING else None}


class StartCountPage(FormPage):
    """`?location=2` opens it for a location; where the shop has several, links above the form do so."""

    path, name, title = "start/", "start", gettext_lazy("Start a count")
    permission = "inventory.add_stockcount"
    template_name = "inventory/start_count.html"
    form_class = StartForm
    submit_label, submit_icon = gettext_lazy("Start counting"), "fact_check"
    refusal_fields = {"shelf": "scope", "location": "scope"}

    def where(self) -> Location | None:
        """The location that is counted: the one that the address names, else where the person works."""
        wanted = as_id(self.request.GET.get("location"))
        offered = open_places(self.request)
        first = usual_place(self.request) or (offered[0] if offered else None)
        return next((one for one in offered if one.pk == wanted), first)

    def shelves(self) -> list[Shelf]:
        shelves = Shelf.objects.filter(location=self.where()).annotate(number=Count("stock_levels"))
        return list(shelves.order_by("position", "name"))

    def form_kwargs(self) -> dict[str, Any]:
        levels = StockLevel.objects.filter(location=self.where(), shelf__isnull=False)
        notes = dict(levels.order_by().values_list("ingredient_id", "shelf__name"))
        return {"shelves": self.shelves(), "offered": ingredient_choices(self.request), "notes": notes}

    def act(self, form: StartForm, lines: list[Any]) -> Done:
        place = self.where()
        if place is None:
            raise UnknownLocation.at("location", _("The shop has no open location."))
        count = start_count(
            location=place, comment=form.cleaned_data["comment"], created_by_id=self.request.user.pk, **form.what()
        )
        return Done(message=_("Begun: %(count)s.") % {"count": count}, url=counting_url(count))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        place = self.where()
        numbers = {f"{SHELF}{shelf.pk}": shelf.number for shelf in self.shelves()}  # type: ignore[attr-defined]
        several = len(open_places(self.request)) > 1
        return super().get_context_data(
            has_place=place is not None,
            place=place,
            numbers=numbers,
            chips=[
                {"label": one.name, "url": f"?{urlencode({'location': one.pk})}", "is_on": one == place}
                for one in open_places(self.request)
                if several
            ],
            **kwargs,
        )


class CountingPage(AdminPage):
    """The list in the order of the shelves. Each entry is saved as it is typed, by the page's script (JSON); without
    one, a button saves all that has changed."""

    path, name = "<path:object_id>/count/", "count"
    title = gettext_lazy("Count")
    permission = "inventory.change_stockcount"
    template_name = "inventory/counting.html"

    def count(self) -> StockCount:
        counts = StockCount.objects.select_related("location", "shelf")
        count = counts.filter(pk=as_id(self.kwargs["object_id"]) or 0).first()
        if count is None:
            raise Http404
        return count

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        count = self.count()
        if count.status != StockCount.Status.COUNTING:
            return HttpResponseRedirect(count_url(count))
        return self.show(count, lines_of_count(count), {}, {})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        count = self.count()
        if request.content_type == "application/json":
            return self.save_entry(count)
        return self.save_all(count)

    def save_entry(self, count: StockCount) -> HttpResponse:
        """Saves one entry: {ingredient, text, age}. `age` is how many seconds ago it was typed."""
        now = timezone.now()
        try:
            entry = json.loads(self.request.body)
            ingredient_id, text, age = entry["ingredient"], entry["text"], float(entry.get("age") or 0)
            if not (is_id(ingredient_id) and isinstance(text, str) and 0 <= age < float("inf")):
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError):
            return JsonResponse({"error": _("The request can't be read.")}, status=400)
        line = count.lines.select_related("ingredient").filter(ingredient_id=ingredient_id).first()
        if line is None:
            return JsonResponse({"error": _("This ingredient is not on the list.")}, status=400)
        at = now - min(datetime.timedelta(seconds=min(age, 1e9)), LONGEST_WAIT) if age else None
        try:
            quantity = parse_quantity(text, line.ingredient.unit) if text.strip() else None
            count_lines(count_id=count.pk, counted={ingredient_id: quantity}, counted_by_id=self.request.user.pk, at=at)
        except Refusal as refusal:
            gone = isinstance(refusal, Conflict)
            return JsonResponse(
                {"error": sentence_of(refusal), **({"url": count_url(count)} if gone else {})},
                status=409 if gone else 400,
            )
        # What stands there now: somebody may have counted it after an entry that had to wait.
        line.refresh_from_db(fields=["counted_quantity"])
        return JsonResponse(
            {
                "text": text_of(line),
                "shown": shown_of(line),
                "left": count.lines.filter(counted_quantity=None).count(),
            }
        )

    def save_all(self, count: StockCount) -> HttpResponse:
        """Saves what has changed on the page, all of it or nothing."""
        lines = lines_of_count(count)
        typed = {line.ingredient_id: self.request.POST.get(field_of(line), text_of(line)).strip() for line in lines}
        changed, faults = {}, {}
        for line in lines:
            text = typed[line.ingredient_id]
            if text == text_of(line):
                continue
            try:
                changed[line.ingredient_id] = parse_quantity(text, line.ingredient.unit) if text else None
            except InvalidInput as refusal:
                faults[line.ingredient_id] = sentence_of(refusal)
        if faults:
            return self.show(count, lines, typed, faults)
        if changed:
            try:
                count_lines(count_id=count.pk, counted=changed, counted_by_id=self.request.user.pk)
            except Refusal as refusal:
                self.model_admin.message_user(self.request, sentence_of(refusal), messages.ERROR)
                return HttpResponseRedirect(count_url(count))
            self.model_admin.message_user(self.request, _("Saved."), messages.SUCCESS)
        is_counting = count.status == StockCount.Status.COUNTING
        return HttpResponseRedirect(self.request.path if is_counting else count_url(count))

    def show(
        self, count: StockCount, lines: list[StockCountLine], typed: dict[int, str], faults: dict[int, str]
    ) -> HttpResponse:
        shelves = dict(
            StockLevel.objects.filter(location_id=count.location_id, ingredient__count_lines__count=count)
            .order_by()
            .values_list("ingredient_id", "shelf__name")
        )
        has_sections = count.shelf_id is None and any(shelves.values())
        rows: list[dict[str, Any]] = []
        section = None
        for line in lines:
            shelf = shelves.get(line.ingredient_id) or _("No shelf")
            rows.append(
                {
                    "line": line,
                    "field": field_of(line),
                    "text": typed.get(line.ingredient_id, text_of(line)),
                    "unit": line.ingredient.get_unit_display(),
                    "units": [str(unit.label) for unit in SHOWN_UNITS if unit.base == line.ingredient.unit][::-1],
                    "shown": shown_of(line),
                    "fault": faults.get(line.ingredient_id, ""),
                    "section": shelf if has_sections and shelf != section else "",
                }
            )
            section = shelf
        left = sum(line.counted_quantity is None for line in lines)
        return self.render_to_response(
            self.get_context_data(
                count=count,
                title=str(count),
                rows=rows,
                left=left,
                number=len(lines),
                shows_place=shows_places(self.request),
                # Its own page and no dialog of this one, which would not know what has been counted since.
                finish_url=self.model_admin.verb_url(count, FINISH.name),
                url=count_url(count),
                texts=page_texts(),
            )
        )


def page_texts() -> dict[str, str]:
    """What the page's script says."""
    return {
        "saving": _("saving…"),
        "waiting": _("not saved yet"),
        "offline": _("No connection. Entries that wait to be saved:"),
        "signed_out": _("You are signed out. Sign in again in another tab. Entries that wait to be saved:"),
        "unsaved": _("Wait until everything is saved. Entries that wait:"),
    }


def field_of(line: StockCountLine) -> str:
    """The name of the field for a line."""
    return f"line-{line.ingredient_id}"


def text_of(line: StockCountLine) -> str:
    """What stands in the field of a line: what was counted, in the base unit."""
    return "" if line.counted_quantity is None else plain(line.counted_quantity)


def shown_of(line: StockCountLine) -> str:
    """What was counted, for reading; empty if nothing was."""
    return "" if line.counted_quantity is None else quantity_shown(line.counted_quantity, line.ingredient)


def sentence_of(refusal: Refusal) -> str:
    """What to say about one line."""
    if isinstance(refusal, InvalidInput):
        return next((sentence for sentences in refusal.errors.values() for sentence in sentences), refusal.detail)
    return refusal.detail


def count_url(count: StockCount) -> str:
    return reverse("admin:inventory_stockcount_change", args=[count.pk])


def counting_url(count: StockCount) -> str:
    return reverse("admin:inventory_stockcount_count", args=[count.pk])
