"""Who sees what ingredients cost."""

from typing import Any

from inventory.costs import PERMISSION


class ShowsCosts:
    """Mixed into a view: tells its serializers whether the person may see costs."""

    def get_serializer_context(self) -> dict[str, Any]:
        context: dict[str, Any] = super().get_serializer_context()  # type: ignore[misc]
        request = context.get("request")
        return {**context, "shows_costs": request is None or request.user.has_perm(PERMISSION)}
