"""Products: what is sold, its price, its place on the menu and what it asks about. Recipes have a file of their own."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model, Prefetch, QuerySet
from django.utils.translation import gettext as _

from inventory.exchange.columns import Column, NameCell, NameListCell, Names, NumberCell, TextCell, WholeCell, YesNoCell
from inventory.exchange.resource import ExchangeMeta, ExchangeResource, by_name
from inventory.models import Category, OptionGroup, Product, ProductOptionGroup
from inventory.services.catalogue import add_product, change_product


def unknown_category(name: str) -> str:
    return _("There is no category “%(name)s”. Add it first.") % {"name": name}


def unknown_group(name: str) -> str:
    return _("There is no option group “%(name)s”. Add it first.") % {"name": name}


class GroupsColumn(Column):
    """The option groups of a product, in the order in which it asks about them."""

    def get_value(self, instance: Product) -> tuple[OptionGroup, ...]:
        chosen: tuple[OptionGroup, ...] | None = instance.__dict__.get("chosen_groups")
        if chosen is None:
            # Kept, because the library compares with a copy, and a copy forgets what was prefetched.
            chosen = tuple(link.group for link in instance.group_links.all()) if instance.pk else ()
            instance.__dict__["chosen_groups"] = chosen
        return chosen

    def save(self, instance: Any, row: Mapping[str, str], is_m2m: bool = False, **kwargs: Any) -> None:
        instance.chosen_groups = self.clean(row, **kwargs)


class ProductResource(ExchangeResource):
    category = Column(
        "category", NameCell(Names(lambda: by_name(Category.objects.all()), unknown_category)), is_needed=True
    )
    name = Column("name", TextCell(), is_needed=True)
    price = Column("price", NumberCell(decimals=2, is_padded=True), is_needed=True)
    sku = Column("sku", TextCell(), may_be_empty=True)
    barcode = Column("barcode", TextCell(), may_be_empty=True)
    description = Column("description", TextCell(), may_be_empty=True)
    is_listed = Column("is_listed", YesNoCell())
    position = Column("position", WholeCell())
    option_groups = GroupsColumn(
        "option_groups",
        NameListCell(Names(lambda: by_name(OptionGroup.objects.all()), unknown_group)),
        may_be_empty=True,
    )

    class Meta(ExchangeMeta):
        model = Product
        fields = (
            "category",
            "name",
            "price",
            "sku",
            "barcode",
            "description",
            "is_listed",
            "position",
            "option_groups",
        )
        import_id_fields = ("name",)

    def get_queryset(self) -> QuerySet[Product]:
        links = ProductOptionGroup.objects.select_related("group").order_by("position", "id")
        return Product.objects.select_related("category").prefetch_related(Prefetch("group_links", links))

    def write(self, instance: Product, changes: Mapping[str, Any]) -> Model:
        fields = {name: value for name, value in changes.items() if name != "option_groups"}
        groups = [group.pk for group in changes["option_groups"]] if "option_groups" in changes else None
        if self.is_new:
            return add_product(fields=fields, option_group_ids=groups or ())
        return change_product(product_id=instance.pk, fields=fields, option_group_ids=groups)
