from foundation.models.idempotency import IdempotencyKey
from foundation.models.kept_file import KeptFile
from foundation.models.shop import Shop

__all__ = ["IdempotencyKey", "KeptFile", "Shop"]
