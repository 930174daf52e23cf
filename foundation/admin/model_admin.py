"""What every admin of the shop starts from."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db import models
from django.db.models import Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.forms import PaginationInlineFormSet
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminExpandableTextareaWidget

from foundation.admin.numbers import PlainDecimalField, PlainDecimalInput
from foundation.admin.quick_rows import row_checkbox
from foundation.counting import CappedPaginator

DECIMALS: dict[Any, Any] = {models.DecimalField: {"form_class": PlainDecimalField, "widget": PlainDecimalInput}}
NUL = "\x00"
LONG_TEXTS: dict[Any, Any] = {models.TextField: {"widget": UnfoldAdminExpandableTextareaWidget}}


class ShopChangeList(ChangeList):
    """A list that offers to show all only where a filter or a search leaves something out."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        if any(NUL in value for _name, values in request.GET.lists() for value in values):
            # The database takes no such character; Django then shows the list without the filters.
            raise IncorrectLookupParameters
        return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            # Otherwise unknown: the theme compares it with `result_count`, and would offer all of them again.
            self.full_result_count = self.result_count


class ShopModelAdmin(ModelAdmin):
    """Unfold's ModelAdmin, which never counts a large table and shows decimals as people write them."""

    paginator = CappedPaginator
    show_full_result_count = False
    formfield_overrides = {**DECIMALS, **LONG_TEXTS}
    # The theme asks for them at every row of a list; what is not there, Django searches the whole ModelAdmin for.
    list_sections: ClassVar[Sequence[Any]] = ()
    list_sections_classes = ""
    # Labels stand above their fields: two of them fit side by side.
    compressed_fields = False
    # Counting each choice of each filter would read the whole table.
    show_facets = admin.ShowFacets.NEVER
    # Filters act when the button is pressed: several of them make one request.
    list_filter_submit = True

    @display(description=ModelAdmin.action_checkbox.short_description)
    def action_checkbox(self, obj: Model) -> SafeString:
        return row_checkbox(obj.pk)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ShopChangeList]:
        return ShopChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Numbers, and what the list computes, can't be asked for in the address: `?average_cost__gt=1` would tell a
        cost, digit by digit, to who may see the list but not that column. The filters of the list are not meant."""
        if lookup in {getattr(one, "parameter_name", None) for one in self.get_list_filter(request)}:
            return True
        name = lookup.split(LOOKUP_SEP)[0]
        numbers = {field.name for field in self.opts.fields if isinstance(field, models.DecimalField)}
        if name in numbers or name in self.get_queryset(request).query.annotations:
            return False
        return bool(super().lookup_allowed(lookup, value, request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, search_term.replace(NUL, ""))
        return found


class ShopTabularInline(TabularInline):
    """Unfold's rows of an inline, with the same decimals and no empty rows waiting."""

    formfield_overrides = {**TabularInline.formfield_overrides, **DECIMALS}
    extra = 0
    hide_title = True


class AtTheEnd(PaginationInlineFormSet):
    """Rows with a `position`: a new one that nobody has put anywhere comes after all others."""

    def save_new(self, form: Any, commit: bool = True) -> Any:
        if not form.instance.position:
            saved = [*(one.instance for one in self.initial_forms), *getattr(self, "new_objects", ())]
            form.instance.position = max((one.position + 1 for one in saved), default=0)
        return super().save_new(form, commit)


class OrderedInline(ShopTabularInline):
    """Rows that are dragged into their order, which their `position` keeps."""

    ordering_field = "position"
    hide_ordering_field = True
    formset = AtTheEnd


class ReadOnlyAdmin:
    """Mixin, before ShopModelAdmin: looking only, with Django's view permission. Services write, forms don't."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        declared = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        opts: Any = self.opts  # type: ignore[attr-defined]
        return [*declared, *(field.name for field in (*opts.fields, *opts.many_to_many) if field.name not in declared)]


class WrittenOutAdmin(ReadOnlyAdmin):
    """The same, of objects whose page is written out by a template of its own
    (`change_form_outer_before_template`): Django shows no fields."""

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return []

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return []
