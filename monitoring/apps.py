from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        # Models may only be imported once all apps are there.
        from monitoring import (  # noqa: PLC0415
            checks,
            database_metrics,
            disk_metrics,
            metrics,
            own_events,
            server_errors,
            work_metrics,
        )
        from monitoring.logs import crashes  # noqa: PLC0415
        from monitoring.logs import event as error_event  # noqa: PLC0415
        from monitoring.measuring import processes, work  # noqa: PLC0415
        from monitoring.report import own  # noqa: PLC0415
        from monitoring.watchdog import health  # noqa: PLC0415

        checks.register()
        metrics.register()
        processes.introduce()
        work.connect()
        work_metrics.register()
        database_metrics.register()
        disk_metrics.register()
        own.register()
        own_events.register()
        error_event.register()
        crashes.install()
        health.register()
        server_errors.register()
