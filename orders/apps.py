from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from orders import watching  # noqa: PLC0415  (the registry needs the models, which are ready only now)

        watching.register()
