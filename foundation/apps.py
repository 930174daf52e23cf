from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FoundationConfig(AppConfig):
    name = "foundation"
    verbose_name = _("Foundation")

    def ready(self) -> None:
        # Imported for their effect: Django learns of the checks, and what a new connection means is noticed.
        from foundation import checks, request_logs  # noqa: F401, PLC0415
        from foundation.admin import quick_rows  # noqa: PLC0415
        from foundation.database import leader, waiting  # noqa: F401, PLC0415

        request_logs.connect()
        quick_rows.install()
