from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        # The registries need the models, which are ready only now.
        from foundation.services.shop import register_sold  # noqa: PLC0415
        from orders import daily_report, in_ledger, watching  # noqa: PLC0415
        from orders.models import ArchivedOrder, Order  # noqa: PLC0415

        watching.register()
        daily_report.register()
        in_ledger.register()
        for sold in (Order, ArchivedOrder):
            register_sold(sold)
