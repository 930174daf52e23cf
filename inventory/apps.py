from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InventoryConfig(AppConfig):
    name = "inventory"
    verbose_name = _("Stock and menu")

    def ready(self) -> None:
        # The registries need the models, which are ready only now.
        from inventory import daily_report, watching  # noqa: PLC0415

        watching.register()
        daily_report.register()
