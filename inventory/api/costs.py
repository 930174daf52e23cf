"""Who sees what ingredients cost."""

from typing import Any

from inventory.costs import PERMISSION


class ShowsCosts:
    """Mixed into a view: tells its serializers whether the person may see costs."""

    request: Any

    @property
    def shows_costs(self) -> bool:
        return self.request is None or self.request.user.has_perm(PERMISSION)

    def get_serializer_context(self) -> dict[str, Any]:
        context: dict[str, Any] = super().get_serializer_context()  # type: ignore[misc]
        return {**context, "shows_costs": self.shows_costs}
