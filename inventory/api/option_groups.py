"""option-groups/"""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.fields import AmountField, IdField, WordField
from foundation.api.records import DeletableRecordViewSet, permissions_of
from foundation.api.serializers import StrictModelSerializer, StrictSerializer, list_of, validated
from inventory.models import Option, OptionEffect, OptionGroup
from inventory.services.effects import EffectEntry
from inventory.services.option_groups import MOST_OPTIONS, OptionEntry, add_option_group, change_option_group


class EffectSerializer(serializers.ModelSerializer):
    """What an option does to the recipe: replace an ingredient, scale lines, add an ingredient."""

    class Meta:
        model = OptionEffect
        fields = ("kind", "ingredient", "replacement", "factor", "quantity")


class OptionSerializer(serializers.ModelSerializer):
    """One answer. `is_available` is the switch; whether its ingredients are in stock, `products/` says."""

    effects = EffectSerializer(many=True, help_text="Only for who may see recipes.")

    class Meta:
        model = Option
        fields = ("id", "name", "price_delta", "is_default", "is_available", "position", "effects")

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        if not self.context.get("shows_effects", True):
            del fields["effects"]
        return fields


class OptionGroupSerializer(serializers.ModelSerializer):
    """A question asked about a product, with its answers."""

    options = OptionSerializer(many=True)

    class Meta:
        model = OptionGroup
        fields = ("id", "name", "min_choices", "max_choices", "free_choices", "position", "options")


class EffectBodySerializer(StrictSerializer):
    """`replace` takes `ingredient` and `replacement`; `scale` a `factor` and, for one ingredient only, that
    `ingredient`; `add` an `ingredient` and a `quantity` in its base unit."""

    kind = WordField(choices=OptionEffect.Kind.choices)
    ingredient = IdField(required=False, allow_null=True)
    replacement = IdField(required=False, allow_null=True)
    factor = AmountField(max_digits=8, decimal_places=4, required=False, allow_null=True)
    quantity = AmountField(max_digits=14, decimal_places=3, required=False, allow_null=True)

    def to_internal_value(self, data: Any) -> EffectEntry:
        values = super().to_internal_value(data)
        return EffectEntry(
            kind=values["kind"],
            ingredient_id=values.get("ingredient"),
            replacement_id=values.get("replacement"),
            factor=values.get("factor"),
            quantity=values.get("quantity"),
        )


class OptionBodySerializer(StrictModelSerializer):
    """An option of the list. With the `id` or the name of one that is there it changes that one, and what the
    body leaves out stays as it is."""

    id = IdField(required=False)
    effects = EffectBodySerializer(many=True, required=False)

    class Meta:
        model = Option
        fields = ("id", "name", "price_delta", "is_default", "is_available", "effects")

    def to_internal_value(self, data: Any) -> OptionEntry:
        values = super().to_internal_value(data)
        return OptionEntry(
            id=values.pop("id", None), name=values.pop("name"), effects=values.pop("effects", None), fields=values
        )


class OptionGroupBodySerializer(StrictModelSerializer):
    """A group and, as a whole and in their order, its options: the ones that the list leaves out are deleted."""

    options = list_of(OptionBodySerializer(), most=MOST_OPTIONS, required=False)

    class Meta:
        model = OptionGroup
        fields = ("name", "min_choices", "max_choices", "free_choices", "position", "options")


@extend_schema(tags=["option-groups"])
class OptionGroupViewSet(DeletableRecordViewSet):
    """The questions asked about products: size, sweetness, ice, milk, toppings."""

    serializer_class = OptionGroupSerializer
    search_fields = ("name",)
    ordering = ("position", "name")
    action_permissions = permissions_of("inventory.optiongroup")

    def get_queryset(self) -> QuerySet[OptionGroup]:
        return OptionGroup.objects.prefetch_related("options__effects")

    def get_serializer_context(self) -> dict[str, Any]:
        return {
            **super().get_serializer_context(),
            "shows_effects": self.request is None or self.request.user.has_perm("inventory.view_optioneffect"),
        }

    @extend_schema(request=OptionGroupBodySerializer)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        values = validated(OptionGroupBodySerializer, request)
        group = add_option_group(options=values.pop("options", ()), fields=values)
        return self.answer(group, status.HTTP_201_CREATED)

    @extend_schema(request=OptionGroupBodySerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        values = validated(OptionGroupBodySerializer, request, changes_only=True)
        group = change_option_group(group_id=kwargs["pk"], options=values.pop("options", None), fields=values)
        return self.answer(group, status.HTTP_200_OK)

    def answer(self, group: OptionGroup, code: int) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=group.pk)).data, status=code)
