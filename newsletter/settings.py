"""The only settings file: what differs between machines is an environment variable.

`.env.example` lists every variable with its meaning. Policy numbers (digest length, age, leases) are
not settings: they are constants of the code that uses them.
"""

import json
import os
import re
import secrets
from email.headerregistry import Address
from email.utils import getaddresses
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anymail.backends
import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


def env(name: str, default: str = "") -> str:
    """Return the value of a variable; an empty one counts as not set."""
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, *, default: bool) -> bool:
    value = env(name, str(default)).lower()
    if value not in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")
    return value in {"1", "true", "yes", "on"}


def env_number(name: str, default: float) -> float:
    value = env(name, str(default))
    try:
        number = float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {value!r}.") from None
    if not 0 <= number < float("inf"):
        raise ImproperlyConfigured(f"{name} must be zero or more, not {value!r}.")
    return number


# Data of this machine: the SQLite file, the mailbox, the broker, a development key.
DATA_DIR = Path(env("DATA_DIR", str(BASE_DIR / "var"))).resolve()

SITE_URL = env("SITE_URL", f"http://localhost:{env('PORT', '8000')}").rstrip("/")
SITE_HOST = urlsplit(SITE_URL).hostname or ""
if not SITE_HOST or urlsplit(SITE_URL).scheme not in {"http", "https"}:
    raise ImproperlyConfigured(
        f"SITE_URL must be an address such as https://papers.example.org, not {SITE_URL!r}."
    )
SITE_NAME = env("SITE_NAME", "Trending Papers")
if not SITE_NAME.isprintable():
    raise ImproperlyConfigured(f"SITE_NAME must be one line of text, not {SITE_NAME!r}.")
API_URL = f"{SITE_URL}/api/v1"

# DEBUG is on by default for localhost only.
DEBUG = env_bool("DEBUG", default=SITE_HOST in LOCAL_HOSTS)


def load_or_create_secret_key() -> str:
    """Return SECRET_KEY; in development create one at the first start and store it in DATA_DIR."""
    if key := env("SECRET_KEY"):
        return key
    if not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Links in emails are signed with it, so it must be secret and "
            "never change. Create one with: python -c 'import secrets; "
            "print(secrets.token_urlsafe(50))' and set it in the environment."
        )
    path = DATA_DIR / "secret_key"
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(key := secrets.token_urlsafe(50))
    return key


SECRET_KEY = load_or_create_secret_key()
# Replaced keys: links signed with them, and suppressions hashed with them, stay valid.
SECRET_KEY_FALLBACKS = env("SECRET_KEY_FALLBACKS").split()

ALLOWED_HOSTS = [SITE_HOST, *(LOCAL_HOSTS if DEBUG else [])]
CSRF_TRUSTED_ORIGINS = [SITE_URL]
# How many entries of X-Forwarded-For our own proxies add; with 0 the header is ignored.
TRUSTED_PROXIES = int(env_number("TRUSTED_PROXIES", 0))

INSTALLED_APPS = [
    "newsletter",
    "subscribers",
    "papers",
    "anymail",
    "csp",
    "newsletter.apps.OperatorAdminConfig",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "django_htmx",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    # Before the sessions: the API has none, and errors after it become problem details.
    "newsletter.api.middleware.api_middleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "newsletter.urls"
WSGI_APPLICATION = "newsletter.wsgi.application"

CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "newsletter.context_processors.site",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "NAME": "html",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS},
    },
    {
        # For subjects and text bodies: text is not HTML, so nothing is escaped.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "NAME": "text",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"autoescape": False},
    },
]


def database_config() -> dict[str, Any]:
    """Return DATABASE_URL or an SQLite file, with options that make SQLite safe under writers."""
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = dict(
        dj_database_url.parse(
            env("DATABASE_URL", f"sqlite:///{DATA_DIR / 'db.sqlite3'}"),
            conn_max_age=600,
            conn_health_checks=True,
        )
    )
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = {
            # Take the write lock at BEGIN: upgrading a read lock later would fail, not wait.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            **config.get("OPTIONS", {}),
        }
    elif config["ENGINE"] == "django.db.backends.postgresql":
        # A database that does not respond is an error within seconds, not minutes.
        config["OPTIONS"] = {"connect_timeout": 5, **config.get("OPTIONS", {})}
    return config


DATABASES = {"default": database_config()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# In development, serve static files without collectstatic.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG

# Security. One-click unsubscribe must be answered at the exact URL, so HTTPS redirects are the
# proxy's job (docs/operators/running.md), never this process's.
if SITE_URL.startswith("https://"):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 30 * 24 * 3600
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # HSTS for subdomains: this site cannot speak for its neighbours
    "security.W008",  # SSL redirect: see above
    "security.W021",  # HSTS preload: the operator's decision, made at the proxy
]
SESSION_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"  # links hold tokens
X_FRAME_OPTIONS = "DENY"
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
    }
}
# Larger than any form, and than a provider's largest webhook request.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# Only operators log in, with a password and a one-time code (`add_operator`).
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
OTP_TOTP_ISSUER = SITE_NAME
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 1  # hours
# Not by user name alone: anybody could lock an operator out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "papers.web.client_ip.get_client_ip"
AXES_LOCKOUT_TEMPLATE = "newsletter/locked_out.html"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Mail
EMAIL_PROVIDER = env("EMAIL_PROVIDER", "file").lower()
MAILBOX_DIR = DATA_DIR / "mailbox"
DEFAULT_FROM_EMAIL = env(
    "DEFAULT_FROM_EMAIL",
    # Quotes a name that needs it, such as "Papers, Inc."
    str(Address(SITE_NAME, username="papers", domain=SITE_HOST)),
)
if len(getaddresses([DEFAULT_FROM_EMAIL])) != 1 or "@" not in DEFAULT_FROM_EMAIL:
    raise ImproperlyConfigured(
        f"DEFAULT_FROM_EMAIL must be one address, not {DEFAULT_FROM_EMAIL!r}. Put a name that "
        'holds a comma in quotes: "Papers, Inc." <papers@example.org>'
    )
SERVER_EMAIL = DEFAULT_FROM_EMAIL
POSTAL_ADDRESS = env("POSTAL_ADDRESS")
if not DEBUG and not POSTAL_ADDRESS:
    raise ImproperlyConfigured(
        "POSTAL_ADDRESS is not set. The law requires a postal address in bulk mail: set yours."
    )
POSTAL_ADDRESS = POSTAL_ADDRESS or f"{SITE_NAME}, development (set POSTAL_ADDRESS)"
SEND_RATE = env_number("SEND_RATE", 0)

BACKENDS = Path(anymail.backends.__path__[0])
if EMAIL_PROVIDER == "file":
    EMAIL_BACKEND = "newsletter.delivery.mailbox.EmailBackend"
elif EMAIL_PROVIDER == "smtp":
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
elif (BACKENDS / f"{EMAIL_PROVIDER}.py").is_file() and EMAIL_PROVIDER.isidentifier():
    EMAIL_BACKEND = f"anymail.backends.{EMAIL_PROVIDER}.EmailBackend"
else:
    raise ImproperlyConfigured(
        f"EMAIL_PROVIDER must be file, smtp or one of Anymail's names, not {EMAIL_PROVIDER!r}."
    )
EMAIL_HOST = env("EMAIL_HOST", "localhost")
EMAIL_PORT = int(env_number("EMAIL_PORT", 25))
EMAIL_HOST_USER = env("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = env_bool("EMAIL_USE_SSL", default=False)
EMAIL_TIMEOUT = 20

# The domain of the unsubscribe addresses, if the provider receives mail for it.
INBOUND_DOMAIN = env("INBOUND_DOMAIN").lower()
if INBOUND_DOMAIN and not re.fullmatch(
    r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+", INBOUND_DOMAIN
):
    raise ImproperlyConfigured(
        f"INBOUND_DOMAIN must be a domain such as in.example.org, not {INBOUND_DOMAIN!r}."
    )
# Accepted Amazon SNS topics; empty accepts every topic with a valid signature.
SNS_TOPICS = env("SNS_TOPICS").split()


def anymail_settings() -> dict[str, Any]:
    """Return the provider's own variables, as Anymail names them: ANYMAIL_* and <PROVIDER>_*."""
    options: dict[str, Any] = {}
    for name, value in os.environ.items():
        if not name.startswith(("ANYMAIL_", f"{EMAIL_PROVIDER.upper()}_")) or not value:
            continue
        key = name.removeprefix("ANYMAIL_")
        options[key] = json.loads(value) if value.startswith(("{", "[")) else value
    if EMAIL_PROVIDER == "amazon_ses":
        # Amazon's client would retry a call by itself, even one that may have sent the message.
        client = options.setdefault("AMAZON_SES_CLIENT_PARAMS", {})
        client.setdefault(
            "config",
            {"retries": {"total_max_attempts": 1}, "connect_timeout": 5, "read_timeout": 20},
        )
    return options


ANYMAIL = {
    # Seconds to connect, and to wait for a response; together less than a batch's lease.
    "REQUESTS_TIMEOUT": (5, 20),
    # Without a configured secret a random one closes the webhooks; they are never open.
    "WEBHOOK_SECRET": f"closed:{secrets.token_urlsafe(32)}",
    **anymail_settings(),
}

# Signup (docs/operators/signup.md)
CONFIRMATIONS_PER_HOUR = int(env_number("CONFIRMATIONS_PER_HOUR", 1000))
REFUSE_DISPOSABLE = env_bool("REFUSE_DISPOSABLE", default=False)
DISPOSABLE_DOMAINS_FILE = env("DISPOSABLE_DOMAINS_FILE")
if DISPOSABLE_DOMAINS_FILE and not Path(DISPOSABLE_DOMAINS_FILE).is_file():
    raise ImproperlyConfigured(
        f"DISPOSABLE_DOMAINS_FILE is not there: {DISPOSABLE_DOMAINS_FILE}. Make the file, with one"
        " domain a line, or leave the variable empty."
    )
SIGNUP_ORIGINS = env("SIGNUP_ORIGINS").split()
if invalid := [url for url in SIGNUP_ORIGINS if not re.fullmatch(r"https?://[^/?#]+", url)]:
    raise ImproperlyConfigured(
        f"SIGNUP_ORIGINS must be origins such as https://lab.example.org, not {invalid[0]!r}."
    )
CONSENT_IP = env_bool("CONSENT_IP", default=False)

# Count clicks on links of digests, in total (docs/operators/data-map.md).
CLICKS = env_bool("CLICKS", default=False)

# Sources
SOURCES = env("SOURCES", "huggingface,arxiv").replace(",", " ").split()
ARXIV_CATEGORIES = env("ARXIV_CATEGORIES").replace(",", " ").split()
HUGGINGFACE_URL = env("HUGGINGFACE_URL", "https://huggingface.co").rstrip("/")
ARXIV_URL = env("ARXIV_URL", "https://export.arxiv.org").rstrip("/")
ARXIV_RSS_URL = env("ARXIV_RSS_URL", "https://rss.arxiv.org").rstrip("/")
ARXIV_OAI_URL = env("ARXIV_OAI_URL", "https://oaipmh.arxiv.org").rstrip("/")
SEMANTIC_SCHOLAR_URL = env("SEMANTIC_SCHOLAR_URL", "https://api.semanticscholar.org").rstrip("/")
OPENALEX_URL = env("OPENALEX_URL", "https://api.openalex.org").rstrip("/")
GITHUB_URL = env("GITHUB_URL", "https://api.github.com").rstrip("/")
SEMANTIC_SCHOLAR_KEY = env("SEMANTIC_SCHOLAR_KEY")
OPENALEX_KEY = env("OPENALEX_KEY")
GITHUB_TOKEN = env("GITHUB_TOKEN")

# Celery. Without a broker, tasks run at once in this process.
REDIS_URL = env("REDIS_URL")
DISPATCH_SECONDS = env_number("DISPATCH_SECONDS", 60)
CELERY_BROKER_URL = REDIS_URL or "memory://localhost"
CELERY_TASK_ALWAYS_EAGER = not REDIS_URL
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
# Let running tasks finish: a repeated task is harmless, but a task killed during a provider call
# leaves a message with an unknown outcome.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A page must not wait for a missing broker: the row is stored, and the next tick finds it.
    "max_retries": 0,
    "visibility_timeout": 600,
    "socket_timeout": 30,
    "socket_connect_timeout": 2,
    # Return the task of a killed worker within seconds, not after ten thousand polls.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
CELERY_TASK_PUBLISH_RETRY = False
# Otherwise Celery 5.7 closes the database connection after every task.
CELERY_DB_REUSE_MAX = 100
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "subscribers.tasks.send_confirmation": {"queue": "confirmations"},
    "newsletter.tasks.deliver": {"queue": "delivery"},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "dispatch": {
        "task": "newsletter.tasks.dispatch",
        "schedule": DISPATCH_SECONDS,
        "options": {"expires": DISPATCH_SECONDS},
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        name: {"level": "INFO", "propagate": True}
        for name in ("newsletter", "subscribers", "papers")
    },
}
