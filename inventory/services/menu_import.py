"""Importing a menu: new drinks come with a recipe and options, known ones only take the file's price."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from inventory.errors import UnitDiffers
from inventory.house_options import HouseGroup, groups_of
from inventory.house_recipes import UNITS, HouseDrink, house_drink
from inventory.locks import lock_menu
from inventory.menu_file import MenuRow
from inventory.models import (
    Category,
    Ingredient,
    Option,
    OptionEffect,
    OptionGroup,
    Product,
    ProductOptionGroup,
    RecipeLine,
)


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A drink that costs something else than before the import."""

    name: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class MenuImport:
    """What an import did. `without_recipe` names the new drinks that the house has no recipe for: they sell
    without touching the stock until somebody writes one."""

    created: tuple[str, ...]
    changed: tuple[PriceChange, ...]
    unchanged: tuple[str, ...]
    without_recipe: tuple[str, ...]

    @property
    def total(self) -> int:
        return len(self.created) + len(self.changed) + len(self.unchanged)


@dataclass(frozen=True, slots=True)
class _NewDrink:
    row: MenuRow
    known: HouseDrink | None

    @property
    def takes(self) -> dict[str, Decimal]:
        return dict(self.known.takes) if self.known else {}

    @property
    def groups(self) -> list[HouseGroup]:
        return groups_of(
            self.takes, choose_sweetness=self.row.choose_sweetness, choose_toppings=self.row.choose_toppings
        )


@transaction.atomic
def import_menu(*, rows: Sequence[MenuRow]) -> MenuImport:
    """Brings the menu up to the rows of a file, as a whole. The same rows again change nothing.

    A drink is known by its name, whatever the case of its letters. Of one that is there already only the
    price follows the file: its recipe, description, category, options and whether it is listed are the
    manager's. A new one comes with what the house knows of it. Categories, ingredients and option groups that
    are missing are made, in the order of the file; those that exist are used as they are. What the file no
    longer names stays on the menu.

    Raises UnitDiffers.
    """
    lock_menu()
    products = list(Product.objects.order_by("id").only("id", "name", "price"))
    present = {product.name.casefold(): product for product in products} | {one.name: one for one in products}
    new: list[_NewDrink] = []
    repriced: list[Product] = []
    changes: list[PriceChange] = []
    unchanged: list[str] = []
    for row in rows:
        product = present.get(row.name) or present.get(row.name.casefold())
        if product is None:
            new.append(_NewDrink(row, house_drink(row.name)))
        elif product.price != row.price:
            changes.append(PriceChange(product.name, product.price, row.price))
            product.price = row.price
            repriced.append(product)
        else:
            unchanged.append(product.name)
    Product.objects.bulk_update(repriced, ["price"])
    if new:
        create_drinks(new)
    return MenuImport(
        created=tuple(drink.row.name for drink in new),
        changed=tuple(changes),
        unchanged=tuple(unchanged),
        without_recipe=tuple(drink.row.name for drink in new if drink.known is None),
    )


def create_drinks(new: Sequence[_NewDrink]) -> None:
    """Writes new drinks with their recipes and option groups, each table once."""
    categories = ensure_categories([drink.row.category for drink in new])
    asked = {group.name: group for drink in new for group in drink.groups}
    missing = [group for name, group in asked.items() if not OptionGroup.objects.filter(name=name).exists()]
    ingredients = ensure_ingredients(
        {name for drink in new for name in drink.takes} | {name for group in missing for name in group.ingredients}
    )
    create_groups(missing, ingredients)
    groups = {group.name: group for group in OptionGroup.objects.filter(name__in=asked)}
    free_places = {
        category.pk: 1 + max((product.position for product in category.products.all()), default=-1)
        for category in Category.objects.filter(pk__in={one.pk for one in categories.values()}).prefetch_related(
            "products"
        )
    }
    products: list[Product] = []
    for drink in new:
        category = categories[drink.row.category.casefold()]
        products.append(
            Product(
                category=category,
                name=drink.row.name,
                description=drink.known.description if drink.known else "",
                price=drink.row.price,
                position=free_places[category.pk],
            )
        )
        free_places[category.pk] += 1
    Product.objects.bulk_create(products)
    RecipeLine.objects.bulk_create(
        RecipeLine(
            product=product,
            ingredient=ingredients[name],
            quantity=quantity,
            scales=drink.known.scales(name),
        )
        for drink, product in zip(new, products, strict=True)
        if drink.known
        for name, quantity in drink.known.takes.items()
    )
    ProductOptionGroup.objects.bulk_create(
        ProductOptionGroup(product=product, group=groups[group.name], position=position)
        for drink, product in zip(new, products, strict=True)
        for position, group in enumerate(drink.groups)
    )


def ensure_categories(names: Sequence[str]) -> dict[str, Category]:
    """{folded name: category}; those that are missing come after the others, in the order of the names."""
    found = {category.name.casefold(): category for category in Category.objects.order_by("-id")}
    place = 1 + max((category.position for category in found.values()), default=-1)
    for name in names:
        if name.casefold() not in found:
            found[name.casefold()] = Category.objects.create(name=name, position=place)
            place += 1
    return found


def ensure_ingredients(names: Collection[str]) -> dict[str, Ingredient]:
    """{name: ingredient} of the house; missing ones are made. Raises UnitDiffers."""
    found = {one.name: one for one in Ingredient.objects.filter(name__in=names)}
    for ingredient in found.values():
        if ingredient.unit != UNITS[ingredient.name]:
            raise UnitDiffers(
                name=ingredient.name,
                unit=ingredient.get_unit_display(),
                expected=str(UNITS[ingredient.name].label),
            )
    made = Ingredient.objects.bulk_create(
        Ingredient(name=name, unit=unit) for name, unit in UNITS.items() if name in names and name not in found
    )
    return found | {ingredient.name: ingredient for ingredient in made}


def create_groups(missing: Sequence[HouseGroup], ingredients: dict[str, Ingredient]) -> None:
    """Writes option groups of the house, after those that are there, with their options and effects."""
    place = 1 + max(OptionGroup.objects.values_list("position", flat=True), default=-1)
    for position, group in enumerate(missing, start=place):
        written = OptionGroup.objects.create(
            name=group.name, min_choices=group.least, max_choices=group.most, position=position
        )
        options = Option.objects.bulk_create(
            Option(
                group=written,
                name=option.name,
                price_delta=option.price,
                is_default=option.is_default,
                position=number,
            )
            for number, option in enumerate(group.options)
        )
        OptionEffect.objects.bulk_create(
            OptionEffect(
                option=row,
                kind=effect.kind,
                ingredient=None if effect.ingredient is None else ingredients[effect.ingredient],
                replacement=None if effect.replacement is None else ingredients[effect.replacement],
                factor=effect.factor,
                quantity=effect.quantity,
            )
            for row, option in zip(options, group.options, strict=True)
            for effect in option.effects
        )
