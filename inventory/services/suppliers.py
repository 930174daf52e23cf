"""Suppliers and the packs in which they sell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.errors import InUse, InvalidInput
from foundation.locks import lock_record
from foundation.services.records import add_record, change_record
from inventory.locks import lock_packs
from inventory.models import Ingredient, PurchaseOrder, PurchaseOrderLine, Supplier, SupplierPack
from inventory.services.lines import quantity_fault
from inventory.services.prices import price_fault
from inventory.units import to_base

MOST_PACKS = 1000
LONGEST_PACK_NAME, LONGEST_ARTICLE = 100, 60
COLUMNS = ["name", "quantity", "price", "article", "is_preferred"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackEntry:
    """A pack as its supplier is to have it: the one with this `id`, else a new one.

    `quantity` is its content in `unit` ("kg"), in the ingredient's base unit if that is empty. The ingredient of a
    pack that is there stays what it is.
    """

    ingredient_id: int
    name: str
    quantity: Decimal
    unit: str = ""
    price: Decimal | None = None
    article: str = ""
    is_preferred: bool = False
    id: int | None = None


@transaction.atomic
def add_supplier(*, fields: Mapping[str, Any], packs: Sequence[PackEntry] = ()) -> Supplier:
    """Makes a supplier with these packs. Raises InvalidInput at the fields."""
    supplier = add_record(record=Supplier(**fields))
    write_packs(supplier, packs)
    return supplier


@transaction.atomic
def change_supplier(
    *, supplier_id: int, fields: Mapping[str, Any], packs: Sequence[PackEntry] | None = None
) -> Supplier:
    """Changes the supplier's columns, and makes it sell exactly these packs if they are given: others are deleted.

    Orders that were sent keep the pack as it was then. An ingredient has one preferred pack: a pack that is chosen
    here takes the mark from any other, of whatever supplier.
    Raises Missing, InvalidInput at the fields, and InUse for a pack that stands on a draft.
    """
    supplier = lock_record(Supplier, supplier_id)
    if fields:
        supplier = change_record(model=Supplier, record_id=supplier_id, changes=fields)
    if packs is not None:
        write_packs(supplier, packs)
    return supplier


def write_packs(supplier: Supplier, entries: Sequence[PackEntry]) -> None:
    """Makes the supplier sell these packs and no others."""
    lock_packs()
    existing = {pack.pk: pack for pack in supplier.packs.all()}
    contents = check_packs(entries, existing)
    wanted = {entry.id for entry in entries}
    delete_packs([pack for pack in existing.values() if pack.pk not in wanted])
    preferred = [entry.ingredient_id for entry in entries if entry.is_preferred]
    SupplierPack.objects.filter(ingredient_id__in=preferred, is_preferred=True).update(is_preferred=False)
    kept: list[SupplierPack] = []
    added: list[SupplierPack] = []
    for entry, content in zip(entries, contents, strict=True):
        pack = existing[entry.id] if entry.id else SupplierPack(supplier=supplier, ingredient_id=entry.ingredient_id)
        for name in COLUMNS:
            setattr(pack, name, content if name == "quantity" else getattr(entry, name))
        (kept if entry.id else added).append(pack)
    save_kept(kept)
    SupplierPack.objects.bulk_create(added)


def save_kept(packs: Sequence[SupplierPack]) -> None:
    """Saves packs that are there already. Two that swap their names would collide on the way: they step aside first."""
    names = {pack.pk: pack.name for pack in packs}
    for pack in packs:
        pack.name = f"{pack.pk} "
    SupplierPack.objects.bulk_update(packs, ["name"])
    for pack in packs:
        pack.name = names[pack.pk]
    SupplierPack.objects.bulk_update(packs, COLUMNS)


def delete_packs(packs: Sequence[SupplierPack]) -> None:
    """Deletes packs. Raises InUse for one that somebody is about to order."""
    line = (
        PurchaseOrderLine.objects.filter(pack__in=packs, order__status=PurchaseOrder.Status.DRAFT)
        .select_related("order")
        .first()
    )
    if line is not None:
        raise InUse(
            _("The pack “%(pack)s” stands on the draft %(order)s. Take it out there first.")
            % {"pack": line.pack_name, "order": line.order}
        )
    SupplierPack.objects.filter(pk__in=[pack.pk for pack in packs]).delete()


def check_packs(entries: Sequence[PackEntry], existing: Mapping[int, SupplierPack]) -> list[Decimal]:
    """What each pack holds, in base units. Raises InvalidInput at each pack that makes no sense."""
    if len(entries) > MOST_PACKS:
        raise InvalidInput.at("packs", _("A supplier has at most %(most)d packs.") % {"most": MOST_PACKS})
    units = dict(Ingredient.objects.filter(pk__in={entry.ingredient_id for entry in entries}).values_list("pk", "unit"))
    contents: list[Decimal] = []
    errors: dict[str, list[str]] = {}
    names: set[tuple[int, str]] = set()
    preferred: set[int] = set()
    ids: set[int] = set()
    for place, entry in enumerate(entries):
        faults = pack_faults(entry, existing)
        if entry.ingredient_id in units:
            try:
                contents.append(content_of(entry, units[entry.ingredient_id]))
            except InvalidInput as refusal:
                faults |= {name: sentences[0] for name, sentences in refusal.errors.items()}
        else:
            faults["ingredient"] = _("There is no ingredient %(id)s.") % {"id": entry.ingredient_id}
        if (entry.ingredient_id, entry.name) in names:
            faults["name"] = _("Another pack of this ingredient has this name.")
        names.add((entry.ingredient_id, entry.name))
        if entry.is_preferred and entry.ingredient_id in preferred:
            faults["is_preferred"] = _("Another pack of this ingredient is preferred already.")
        if entry.is_preferred:
            preferred.add(entry.ingredient_id)
        if entry.id is not None and entry.id in ids:
            faults["id"] = _("This pack stands in the list already. Name it once.")
        ids |= {entry.id} if entry.id is not None else set()
        errors |= {f"packs[{place}].{field}": [sentence] for field, sentence in faults.items()}
    if errors:
        raise InvalidInput(_("The packs can't be written like this."), errors=errors)
    return contents


def content_of(entry: PackEntry, base_unit: str) -> Decimal:
    """What the pack holds, in base units. Raises InvalidInput at "quantity" or "price"."""
    content = to_base(entry.quantity, entry.unit or base_unit, base_unit)
    if sentence := quantity_fault(content):
        raise InvalidInput.at("quantity", sentence)
    if entry.price is not None and (sentence := price_fault(entry.price, pack_quantity=content)):
        raise InvalidInput.at("price", sentence)
    return content


def pack_faults(entry: PackEntry, existing: Mapping[int, SupplierPack]) -> dict[str, str]:
    """What is wrong with the words of one pack, whatever the others are: {field: sentence}."""
    faults: dict[str, str] = {}
    if entry.id is not None and entry.id not in existing:
        faults["id"] = _("The supplier has no pack %(id)s. Leave the id out for a new one.") % {"id": entry.id}
    elif entry.id is not None and existing[entry.id].ingredient_id != entry.ingredient_id:
        faults["ingredient"] = _("A pack keeps its ingredient. Take it out and add a new one.")
    if not entry.name.strip():
        faults["name"] = _("Give the pack a name, such as “case of 12 × 1 l”.")
    elif len(entry.name) > LONGEST_PACK_NAME:
        faults["name"] = _("A pack's name has at most %(most)d letters.") % {"most": LONGEST_PACK_NAME}
    if len(entry.article) > LONGEST_ARTICLE:
        faults["article"] = _("An article number has at most %(most)d letters.") % {"most": LONGEST_ARTICLE}
    return faults
