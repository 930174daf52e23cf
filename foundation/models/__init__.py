from foundation.models.idempotency import IdempotencyKey

__all__ = ["IdempotencyKey"]
