"""The WSGI entry point that gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = get_wsgi_application()

# Not before the settings, which say where it counts.
from monitoring.measuring.processes import WEB, introduce  # noqa: E402

introduce(WEB)

# All modules are loaded now and not in the first request, and they stay: the garbage collector need not walk them
# again and again, which took every tenth request 100 ms longer.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
