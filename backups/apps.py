from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BackupsConfig(AppConfig):
    name = "backups"
    verbose_name = _("Backups")

    def ready(self) -> None:
        # The registries need the models, which are ready only now; the checks register themselves.
        from backups import checks, daily_report, watching  # noqa: F401, PLC0415

        watching.register()
        daily_report.register()
