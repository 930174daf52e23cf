"""How suppliers and their packs are shown and written."""

from typing import Any

from rest_framework import serializers

from foundation.api.fields import AmountField, IdField
from foundation.api.serializers import StrictModelSerializer, StrictSerializer, list_of
from inventory.models import Supplier, SupplierPack
from inventory.services.suppliers import MOST_PACKS, PackEntry

COLUMNS = ("name", "contact", "phone", "email", "address", "comment", "is_active")


class SupplierPackSerializer(serializers.ModelSerializer):
    """How a supplier sells an ingredient; `quantity` is its content in the ingredient's base unit, `price` money for
    one pack, null if unknown."""

    ingredient_name = serializers.CharField(source="ingredient.name", read_only=True)
    unit = serializers.CharField(source="ingredient.unit", read_only=True)

    class Meta:
        model = SupplierPack
        fields = (
            "id",
            "ingredient",
            "ingredient_name",
            "unit",
            "name",
            "quantity",
            "price",
            "article",
            "is_preferred",
        )


class SupplierSerializer(serializers.ModelSerializer):
    """Somebody who delivers, with what they sell."""

    packs = SupplierPackSerializer(many=True)

    class Meta:
        model = Supplier
        fields = ("id", *COLUMNS, "packs")


class SupplierPackBodySerializer(StrictSerializer):
    """A pack of the list, written whole. With the `id` of one that is there it changes that one, and then names all
    fields, so that none is emptied by being left out. `quantity` is in `unit` ("kg", "l", "dozen"), or in the
    ingredient's base unit."""

    id = IdField(required=False)
    ingredient = IdField()
    name = serializers.CharField(max_length=100)
    quantity = serializers.DecimalField(max_digits=20, decimal_places=9)
    unit = serializers.CharField(max_length=20, required=False, allow_blank=True)
    price = AmountField(max_digits=12, decimal_places=2, required=False, allow_null=True)
    article = serializers.CharField(max_length=60, required=False, allow_blank=True)
    is_preferred = serializers.BooleanField(required=False)

    def to_internal_value(self, data: Any) -> PackEntry:
        values = super().to_internal_value(data)
        left_out = [name for name in ("price", "article", "is_preferred") if "id" in values and name not in values]
        if left_out:
            raise serializers.ValidationError(
                {name: [self.fields[name].error_messages["required"]] for name in left_out}
            )
        return PackEntry(ingredient_id=values.pop("ingredient"), **values)


class SupplierBodySerializer(StrictModelSerializer):
    """A supplier and, as a whole, the packs: the ones that the list leaves out are deleted."""

    packs = list_of(SupplierPackBodySerializer(), most=MOST_PACKS, required=False)

    class Meta:
        model = Supplier
        fields = (*COLUMNS, "packs")
