"""A moment in a form, by the shop's clock: what is for all locations has no clock of its own."""

import datetime
import zoneinfo
from typing import Any

from django.utils import timezone

from foundation.shop import current_shop
from inventory.admin.valuation_pages import FIELD_FORMAT, MomentField


class ShopMomentField(MomentField):
    """A day and a time as the shop's clock shows them; empty for no limit. It knows no seconds."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, datetime.datetime):
            return value.astimezone(zoneinfo.ZoneInfo(current_shop().time_zone)).strftime(FIELD_FORMAT)
        return value

    def to_python(self, value: Any) -> datetime.datetime | None:
        with timezone.override(zoneinfo.ZoneInfo(current_shop().time_zone)):
            moment: datetime.datetime | None = super().to_python(value)
        return moment

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (self.prepare_value(initial) or "") != (data or "")
