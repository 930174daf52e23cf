from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        # Models may only be imported once all apps are there.
        from monitoring import checks, metrics  # noqa: PLC0415

        checks.register()
        metrics.register()
