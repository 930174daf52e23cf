from monitoring.models.alert import Alert

__all__ = ["Alert"]
