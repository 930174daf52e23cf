from monitoring.admin.alert import AlertAdmin

__all__ = ["AlertAdmin"]
