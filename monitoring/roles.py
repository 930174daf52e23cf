"""What the roles may do with alerts."""

MANAGER = ["monitoring.view_alert", "monitoring.acknowledge_alert"]

ROLES: dict[str, list[str]] = {"manager": MANAGER, "admin": MANAGER}
