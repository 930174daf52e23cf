"""What the API says and hears about seller accounts. Their keys go in and never out."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from foundation.api.fields import MomentField, RecordField, WordField
from foundation.api.serializers import StrictModelSerializer, StrictSerializer
from inventory.models import Location
from marketplaces.keys import KEY_NAMES
from marketplaces.models import SellerAccount, SyncRun

SETTINGS = (
    *("name", "location", "mode", "is_active", "push_warehouse_id"),
    *("orders_every", "stock_every", "max_changes_per_run"),
)


@extend_schema_field(
    {
        "oneOf": [
            {
                "type": "object",
                "title": marketplace,
                "required": list(names),
                "properties": {name: {"type": "string", "minLength": 1, "writeOnly": True} for name in names},
                "additionalProperties": False,
            }
            for marketplace, names in KEY_NAMES.items()
        ],
        "writeOnly": True,
    }
)
class CredentialsField(serializers.Field):
    """The keys as they came; which ones the marketplace needs is for the service to say."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"write_only": True, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        return data


class AccountSerializer(StrictModelSerializer):
    """A seller account. `last_orders_sync_at` and `last_stock_sync_at` are the ends of the last successful runs."""

    location = serializers.IntegerField(source="location_id")
    key_age_days = serializers.SerializerMethodField()
    last_orders_sync_at = serializers.SerializerMethodField()
    last_stock_sync_at = serializers.SerializerMethodField()

    class Meta:
        model = SellerAccount
        fields = (
            *("id", "marketplace", "external_user_id", *SETTINGS, "is_demo"),
            *("connection", "seller_name", "credentials_changed_at", "key_age_days", "key_expires_at"),
            *("last_orders_sync_at", "last_stock_sync_at", "created_at"),
        )
        read_only_fields = fields

    @extend_schema_field({"type": "integer", "nullable": True})
    def get_key_age_days(self, account: SellerAccount) -> int | None:
        stored_at = account.credentials_changed_at
        return None if stored_at is None else (self.context["now"] - stored_at).days

    @extend_schema_field({"type": "string", "format": "date-time", "nullable": True})
    def get_last_orders_sync_at(self, account: SellerAccount) -> str | None:
        return self.last_success(account, SyncRun.What.ORDERS)

    @extend_schema_field({"type": "string", "format": "date-time", "nullable": True})
    def get_last_stock_sync_at(self, account: SellerAccount) -> str | None:
        return self.last_success(account, SyncRun.What.INVENTORY)

    def last_success(self, account: SellerAccount, what: SyncRun.What) -> str | None:
        found = (state.last_success_at for state in account.sync_states.all() if state.what == what)
        moment = next(found, None)
        return None if moment is None else serializers.DateTimeField().to_representation(moment)


class AccountBodySerializer(StrictModelSerializer):
    """A new account: what it sells from, and its keys. Without `location` it is the caller's own."""

    location = RecordField(queryset=Location.objects.all(), required=False)
    credentials = CredentialsField(required=False)

    class Meta:
        model = SellerAccount
        fields = ("marketplace", "external_user_id", *SETTINGS, "credentials")
        extra_kwargs = {"push_warehouse_id": {"required": False}}


class AccountChangesSerializer(StrictModelSerializer):
    """What can be changed of an account. To whom it belongs can't."""

    location = RecordField(queryset=Location.objects.all())
    credentials = CredentialsField()

    class Meta:
        model = SellerAccount
        fields = ("marketplace", "external_user_id", *SETTINGS, "credentials")
        read_only_fields = ("marketplace", "external_user_id")


class TestedSerializer(serializers.Serializer):
    """Whether the keys work: the seller's name on the marketplace, or a sentence that says what is wrong."""

    ok = serializers.BooleanField()
    seller_name = serializers.CharField(required=False)
    error = serializers.CharField(required=False)


class SyncBodySerializer(StrictSerializer):
    """What is to be read now; `since` has all orders read again that changed from that moment on."""

    what = WordField(choices=[SyncRun.What.ORDERS.value, SyncRun.What.INVENTORY.value])
    since = MomentField(required=False, allow_null=True)


class BegunRunSerializer(serializers.Serializer):
    """The run that has begun; sync-runs/ tells how it goes on."""

    run = serializers.UUIDField()
