"""What removing the demo empties and what it keeps: every table is decided here, by rule where there is one.

A test fails for a model that no rule and no name decides.
"""

from collections.abc import Iterator

from django.apps import apps
from django.db.models import CASCADE, ForeignKey, Model

from users.models import User

# The shop's business: every table of these apps is emptied, those that do not exist yet included.
BUSINESS = ("marketplaces", "orders", "inventory")
# Emptied too: what was done, said and asked in the demo.
TRACES = (
    "backups.DeletedOrder",
    "foundation.IdempotencyKey",
    "foundation.KeptFile",
    "foundation.Shop",
    "monitoring.Alert",
    "monitoring.DailyReport",
    "monitoring.DailyReport_deliveries",
    "monitoring.Delivery",
    "monitoring.DeliveryAlert",
    "users.ApiToken",
    "users.OutgoingMail",
    "admin.LogEntry",
)
# Kept: what the folder of backups holds, who is told what, roles, their permissions, the timetable of the tasks, and
# how often strangers tried to sign in. Sessions are decided one by one: the one of who removes the demo stays.
KEPT = (
    "backups.Backup",
    "backups.ClusterEvent",
    "backups.RestoreRun",
    "backups.WalCheck",
    "monitoring.AlertRule",
    "monitoring.AlertRule_channels",
    "monitoring.Channel",
    "monitoring.Heartbeat",
    "monitoring.SpoolReceipt",
    "auth.Permission",
    "auth.Group",
    "auth.Group_permissions",
    "contenttypes.ContentType",
    "sessions.Session",
    "users.SignInCount",
    "django_celery_beat.SolarSchedule",
    "django_celery_beat.IntervalSchedule",
    "django_celery_beat.ClockedSchedule",
    "django_celery_beat.CrontabSchedule",
    "django_celery_beat.PeriodicTasks",
    "django_celery_beat.PeriodicTask",
)


def tables() -> list[type[Model]]:
    """Every model with a table of its own, those between two models included."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and not model._meta.swapped
    ]


def business() -> list[type[Model]]:
    """The models whose tables are emptied at once."""
    return [model for model in tables() if model._meta.app_label in BUSINESS]


def traces() -> list[type[Model]]:
    """The models whose rows are deleted. One that the shop has not (yet) is no trace."""
    named = {label.lower() for label in TRACES}
    return [model for model in tables() if model._meta.label_lower in named]


def go_with_accounts() -> list[type[Model]]:
    """The models whose rows belong to an account and are deleted with it, and the accounts themselves."""
    found: list[type[Model]] = [User]
    rest = [model for model in tables() if model not in {User, *business(), *traces()}]
    while more := [model for model in rest if model not in found and belongs_to(model, found)]:
        found += more
    return found


def belongs_to(model: type[Model], owners: list[type[Model]]) -> bool:
    """Whether rows of the model are deleted with a row of one of these."""
    return any(
        isinstance(field, ForeignKey) and field.remote_field.model in owners and field.remote_field.on_delete is CASCADE
        for field in model._meta.get_fields()
    )


def undecided() -> Iterator[str]:
    """The models about which nothing is said."""
    decided = {*business(), *traces(), *go_with_accounts()}
    kept = {label.lower() for label in KEPT}
    for model in tables():
        if model not in decided and model._meta.label_lower not in kept:
            yield model._meta.label
