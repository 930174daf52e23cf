"""Who sees what ingredients cost."""

from typing import Any

# There is no permission of its own: costs are for those who answer for the stock.
PERMISSION = "inventory.change_stocklevel"


class ShowsCosts:
    """Mixed into a view: tells its serializers whether the person may see costs."""

    def get_serializer_context(self) -> dict[str, Any]:
        context: dict[str, Any] = super().get_serializer_context()  # type: ignore[misc]
        request = context.get("request")
        return {**context, "shows_costs": request is None or request.user.has_perm(PERMISSION)}
