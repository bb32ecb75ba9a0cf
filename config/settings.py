"""Settings, read from the environment (README, "Settings"). A bad value stops the start with one line that names it."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config import embedded
from config.storage import storages_from_url

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()  # every NAME may also come as NAME_FILE

T = TypeVar("T")


def read(name: str, cast: Callable[[str], T], default: T) -> T:
    """The variable `name`, or `default` when it is unset; a value that does not fit ends the process, naming it."""
    value = env.str(name, default="")
    if not value:
        return default
    try:
        return cast(value)
    except (ValueError, ImproperlyConfigured) as error:
        sys.exit(f"loupe: {name} does not fit: {error}")


def boolean(value: str) -> bool:
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError(f"{value!r} is neither 1 nor 0")


def positive(value: str) -> int:
    number = int(value)
    if number <= 0:
        raise ValueError(f"{number} is not positive")
    return number


def natural(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number


def share(value: str) -> float:
    number = float(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{number} is not between 0 and 1")
    return number


def listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


DEBUG = read("DEBUG", boolean, default=False)
DATA_DIR = read("LOUPE_DATA_DIR", Path, default=BASE_DIR / "var").expanduser().resolve()
DATASETS_DIR = read("LOUPE_DATASETS_DIR", Path, default=DATA_DIR / "datasets").expanduser().resolve()
EXPORT_DAYS = read("LOUPE_EXPORT_DAYS", natural, default=90)  # for files of a data set since its last use; 0: kept
SHARED_DIR = read("LOUPE_SHARED", Path, default=BASE_DIR.parent / "shared")
PUBLIC_URL = read("LOUPE_PUBLIC_URL", str, default="http://127.0.0.1:8000").rstrip("/")


# A local desk is one whose PostgreSQL is the embedded one, running or not.
found = embedded.locate(DATA_DIR)
given_database = read("DATABASE_URL", str, default="")
LOCAL = not given_database or (found is not None and given_database == found.database_url)


def kept_secret(folder: Path) -> str:
    """A random key made once for this data folder, readable by its owner alone; all local processes share it."""
    path = folder / "secret_key"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text()


SECRET_KEY = read("SECRET_KEY", str, default="")
if not SECRET_KEY:
    if not LOCAL or (env.str("DEBUG", default="") and not DEBUG):
        sys.exit(
            "loupe: SECRET_KEY is not set; it is required when DEBUG=0"
            " (only a local desk on embedded services makes its own)"
        )
    SECRET_KEY = kept_secret(DATA_DIR)
ALLOWED_HOSTS = read("ALLOWED_HOSTS", listed, default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = read("CSRF_TRUSTED_ORIGINS", listed, default=list[str]())

# --- stores -----------------------------------------------------------------------------------------------------------
database_url = given_database or (found.database_url if found else "postgres://localhost/loupe")
REDIS_URL = read("REDIS_URL", str, default=found.redis_url if found else "redis://127.0.0.1:1/0")
CELERY_BROKER_URL = read("CELERY_BROKER_URL", str, default=REDIS_URL)

try:
    database: dict[str, Any] = dict(env.db_url_config(database_url))
except (ValueError, KeyError, ImproperlyConfigured) as error:
    sys.exit(f"loupe: DATABASE_URL does not fit: {error}")
if database.get("ENGINE") != "django.db.backends.postgresql":
    sys.exit("loupe: DATABASE_URL does not fit: Loupe needs PostgreSQL (postgres://…)")
if not given_database and not found:
    # A socket folder that does not exist: the connection error then says what is missing.
    database["HOST"] = f"{DATA_DIR}/no-DATABASE_URL-set-and-no-embedded-PostgreSQL-running"
database["ENGINE"] = "config.postgresql"
database["CONN_HEALTH_CHECKS"] = True  # so the pool hands out no connection that a restart of PostgreSQL broke
database["OPTIONS"] = {
    **database.get("OPTIONS", {}),
    # Statements of `moderation.statements.prepared` are prepared when they come a third time. A pooler that hands one
    # connection to several sessions has to know of that (PgBouncer: max_prepared_statements), or it is switched off.
    "prepare_threshold": 2 if read("LOUPE_DB_PREPARE", boolean, default=True) else None,
    # One pool a process; the web server's threads share it.
    "pool": {
        "min_size": 0,
        "max_size": read("LOUPE_DB_POOL", positive, default=16),
        "timeout": 10,
        # A pool that goes on trying waits longer and longer, and everyone with it, when PostgreSQL has long returned.
        "reconnect_timeout": 2,
    },
}
DATABASES = {"default": database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
STORAGES = {
    **read("LOUPE_STORAGE", storages_from_url, default=storages_from_url((DATA_DIR / "store").as_uri())),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Loupe's own ------------------------------------------------------------------------------------------------------
MAX_IMAGE_BYTES = read("LOUPE_MAX_IMAGE_BYTES", positive, default=20 * 2**20)
MAX_IMAGE_PIXELS = read("LOUPE_MAX_IMAGE_PIXELS", positive, default=50_000_000)
TRIAGE_BATCH = read("LOUPE_TRIAGE_BATCH", positive, default=32)
TRIAGE_BATCH_MAX = read("LOUPE_TRIAGE_BATCH_MAX", positive, default=TRIAGE_BATCH)  # worth raising on a GPU
TRIAGE_LATENCY_TARGET_MS = read("LOUPE_TRIAGE_LATENCY_TARGET_MS", positive, default=2000)  # a batch
TRIAGE_LEASE_SECONDS = read("LOUPE_TRIAGE_LEASE_SECONDS", positive, default=60)
TRIAGE_MAX_ATTEMPTS = 4
TRIAGE_CLASSIFIER_SECONDS = read("LOUPE_CLASSIFIER_SECONDS", positive, default=20)  # a batch; a card may say other
TRIAGE_OPEN_SECONDS = 20  # more, for the first batch
TRIAGE_HUNG_THREADS = read("LOUPE_HUNG_THREADS", positive, default=3)  # then the worker process ends itself
BREAKER_REST_SECONDS = read("LOUPE_BREAKER_REST_SECONDS", positive, default=5)
TRIAGE_THREADS = read("LOUPE_TRIAGE_THREADS", positive, default=2)
NEIGHBOUR_WINDOW = read("LOUPE_NEIGHBOUR_WINDOW", positive, default=1_000_000)  # images that a copy is sought among
LIKENESS_WINDOW = read("LOUPE_LIKENESS_WINDOW", positive, default=2000)  # images that a crop is sought among
SHADOW_SECONDS = read("LOUPE_SHADOW_SECONDS", positive, default=5)  # a batch and shadow version, then it is given up on
REVIEW_LEASE_SECONDS = read("LOUPE_REVIEW_LEASE_SECONDS", positive, default=300)
REVIEW_MOST_HELD = read("LOUPE_REVIEW_MOST_HELD", positive, default=30)  # leases of one person
GOLD_SHARE = read("LOUPE_GOLD_SHARE", share, default=0.03)  # until a lead sets it on the quality page
UNAIDED_SHARE = read("LOUPE_UNAIDED_SHARE", share, default=0.1)  # of uncertain images; likewise
SECOND_APPROVER = read("LOUPE_SECOND_APPROVER", boolean, default=True)  # guidelines and plans take two people
PROMOTION_GATES = (
    "review.promotion.gates.answers"  # what `moderation.admission` asks of a version that a plan newly pins
)
REVIEW_UNDO_SECONDS = read("LOUPE_UNDO_SECONDS", natural, default=10)
HOLD_SEVERITY = read("LOUPE_HOLD_SEVERITY", natural, default=3)  # blocks from here on need two people; 5: none does
HOLD_BULK = read("LOUPE_HOLD_BULK", natural, default=100)  # actions on more submissions than this need two people
TRAINING_THREADS = read("LOUPE_TRAINING_THREADS", positive, default=max(1, (os.cpu_count() or 2) // 2))
IMAGE_URL_SECONDS = 300
BACKLOG_LIMIT = read("LOUPE_BACKLOG_LIMIT", positive, default=0)  # images; 0: all are taken in, however many wait
METRICS_TOKEN = read("LOUPE_METRICS_TOKEN", str, default="")

API_RATE = read("LOUPE_API_RATE", positive, default=6000)  # requests a minute, each key and each person

# A multipart body holds one image and its fields; a JSON batch holds up to a hundred images in base64.
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_IMAGE_BYTES * 2
FILE_UPLOAD_MAX_MEMORY_SIZE = MAX_IMAGE_BYTES

# --- Django -----------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "config",
    "review",
    "moderation",
    "classifiers",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.RequestIdMiddleware",
    "config.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
if LOCAL:  # WhiteNoise warns when it is missing; elsewhere collectstatic makes it
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

AUTH_USER_MODEL = "moderation.User"
AUTHENTICATION_BACKENDS = ["moderation.accounts.PersonBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "config.accounts.ClosedSignup"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
SESSION_ENGINE = "config.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PUBLIC_URL.startswith("https://"):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
globals().update(EMAIL_CONFIG)  # EMAIL_BACKEND, EMAIL_HOST, …
DEFAULT_FROM_EMAIL = read("LOUPE_MAIL_FROM", str, default="loupe@localhost")

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO" if DEBUG else "WARNING"},
    # An export is no news to an operator.
    "loggers": {name: {"level": "WARNING"} for name in ("onnx_ir", "onnxscript")},
}

# --- API --------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "moderation.api.authentication.ApiKeyAuthentication",
        "moderation.api.authentication.PersonAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["moderation.api.permissions.ScopeRequired"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "moderation.api.negotiation.Negotiation",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["moderation.api.parsers.JSONParser", "rest_framework.parsers.MultiPartParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_THROTTLE_CLASSES": ["moderation.api.throttling.RateLimit"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "moderation.api.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Loupe",
    "DESCRIPTION": "The moderation desk for generated images.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "moderation.api.schema.add_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "StatusEnum": "moderation.models.Status",
        "CategoryEnum": "moderation.taxonomy.Category",
        "TrainingKindEnum": "review.models.TrainingKind",
        "TrainingStateEnum": "review.models.TrainingState",
    },
}

# --- Celery -----------------------------------------------------------------------------------------------------------
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "moderation.tasks.triage": {"queue": "triage"},
    "review.tasks.run_trainings": {"queue": "training"},
    "review.tasks.audit_labels": {"queue": "training"},
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 180  # a process reads its classifiers before it says that it lives
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    # Who sends a message does not wait for a broker that is away: messages are hints. Workers reconnect by other rules.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
}
CELERY_BEAT_SCHEDULE = {
    # The row is the truth: whatever a lost message left behind is picked up here.
    "sweep": {"task": "moderation.tasks.sweep", "schedule": 5.0, "options": {"expires": 5}},
    "seal": {"task": "moderation.tasks.seal_audit", "schedule": 300.0},
    "join-clusters": {"task": "moderation.tasks.join_clusters", "schedule": 60.0, "options": {"expires": 60}},
    "apply-decisions": {"task": "review.tasks.apply_decisions", "schedule": 2.0, "options": {"expires": 2}},
    "run-bulk": {"task": "review.tasks.run_bulk", "schedule": 10.0, "options": {"expires": 10}},
    "run-trainings": {"task": "review.tasks.run_trainings", "schedule": 15.0, "options": {"expires": 15}},
    "evaluate": {"task": "review.tasks.evaluate", "schedule": 60.0, "options": {"expires": 60}},
    "run-exports": {"task": "review.tasks.run_exports", "schedule": 10.0, "options": {"expires": 10}},
    "remove-old-exports": {"task": "review.tasks.remove_old_exports", "schedule": crontab(hour="3", minute="17")},
    "tell-of-held": {"task": "review.tasks.tell_of_held", "schedule": 60.0, "options": {"expires": 60}},
    "publish-due": {"task": "moderation.tasks.publish_due", "schedule": 10.0, "options": {"expires": 10}},
    "watch-guardrails": {"task": "moderation.tasks.watch_guardrails", "schedule": 300.0, "options": {"expires": 300}},
    "settle-queues": {"task": "moderation.tasks.settle_queues", "schedule": 10.0, "options": {"expires": 10}},
    "watch-certificates": {"task": "review.tasks.watch_certificates", "schedule": 30.0, "options": {"expires": 30}},
    "roll-up-quality": {"task": "review.tasks.roll_up_quality", "schedule": 600.0, "options": {"expires": 600}},
    "monitor": {"task": "review.tasks.monitor", "schedule": 1800.0, "options": {"expires": 1800}},
    "audit-labels": {"task": "review.tasks.audit_labels", "schedule": 60.0, "options": {"expires": 60}},
    "select-learning": {"task": "review.tasks.select_learning", "schedule": 600.0, "options": {"expires": 600}},
    "free-ended-leases": {"task": "review.tasks.free_ended_leases", "schedule": 15.0, "options": {"expires": 15}},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread a process; processes = cores
