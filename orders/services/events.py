"""Writing down what happened to orders."""

from typing import Any

from orders.models import Order, OrderEvent
from orders.services.actor import Actor


def event(
    order: Order,
    kind: str,
    actor: Actor,
    *,
    from_status: str,
    reason: str = "",
    details: dict[str, Any] | None = None,
    at: Any = None,
) -> OrderEvent:
    """An event of the order in its present status, not saved yet."""
    when = {"created_at": at} if at is not None else {}
    return OrderEvent(
        order=order,
        kind=kind,
        from_status=from_status,
        to_status=order.status,
        reason=reason,
        details=details or {},
        door=actor.door,
        created_by_id=actor.user_id,
        **when,
    )
