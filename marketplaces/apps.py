from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MarketplacesConfig(AppConfig):
    name = "marketplaces"
    verbose_name = _("Marketplaces")

    def ready(self) -> None:
        # The registries need the models, which are ready only now.
        from marketplaces import daily_report, in_ledger, watching  # noqa: PLC0415
        from marketplaces.services import erasing  # noqa: PLC0415
        from orders.services.personal_data import register_personal_data  # noqa: PLC0415

        watching.register()
        daily_report.register()
        in_ledger.register()
        register_personal_data(erasing.BUYERS)
