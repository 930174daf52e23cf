from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InventoryConfig(AppConfig):
    name = "inventory"
    verbose_name = _("Stock and menu")

    def ready(self) -> None:
        from inventory import watching  # noqa: PLC0415  (the registry needs the models, which are ready only now)

        watching.register()
