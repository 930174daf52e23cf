"""The Celery application. Every app keeps its tasks in its own `tasks.py`."""

import os

from celery import Celery
from celery.signals import setup_logging
from django_structlog.celery.steps import DjangoStructLogInitStep

from backups.waiting import PatientTask
from monitoring.worker_step import PulseStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("samovar", task_cls=PatientTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)
app.steps["consumer"].add(PulseStep)


@setup_logging.connect
def keep_the_log_settings_of_the_project(**kwargs: object) -> None:
    """Stops Celery from replacing the structured log: Django has set it up already."""
