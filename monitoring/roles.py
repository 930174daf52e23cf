"""What the roles may do with what watches the shop."""

MANAGER = [
    "monitoring.view_alert",
    "monitoring.acknowledge_alert",
    "monitoring.view_dailyreport",
    "monitoring.view_health",
    "monitoring.view_channel",
    "monitoring.view_alertrule",
    "monitoring.view_delivery",
]
ADMIN = [
    *MANAGER,
    # Statements of the database tell how the shop is built, and its sizes how it does.
    "monitoring.view_database",
    # Lines say who did what, and how the shop fails.
    "monitoring.view_logs",
    # Who is told what. An address holds keys, and whoever changes one reads along.
    "monitoring.add_channel",
    "monitoring.change_channel",
    "monitoring.delete_channel",
    "monitoring.test_channel",
    "monitoring.add_alertrule",
    "monitoring.change_alertrule",
    "monitoring.delete_alertrule",
    "monitoring.retry_delivery",
]

ROLES: dict[str, list[str]] = {"manager": MANAGER, "admin": ADMIN}
