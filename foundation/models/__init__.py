from foundation.models.idempotency import IdempotencyKey
from foundation.models.kept_file import KeptFile

__all__ = ["IdempotencyKey", "KeptFile"]
