"""What is kept for a time only, and for how long: every rule of docs/data-map.md, in one place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session

from newsletter.events import processing
from papers.web import ratelimit
from subscribers import bounces
from subscribers.leaving import exit_survey
from subscribers.signup import unconfirmed

# Who tried to log in as an operator, and what operators did at their desk.
LOGIN_ATTEMPT_RETENTION = timedelta(days=30)
ADMIN_LOG_RETENTION = timedelta(days=365)


def purge_reports(*, now: datetime) -> int:
    forgotten = 0
    while page := processing.purge_old_reports(now=now):
        forgotten += page
    return forgotten


def purge_sessions(*, now: datetime) -> int:
    return Session.objects.filter(expire_date__lt=now).delete()[0]


def purge_login_attempts(*, now: datetime) -> int:
    before = now - LOGIN_ATTEMPT_RETENTION
    return sum(
        model.objects.filter(attempt_time__lt=before).delete()[0]
        for model in (AccessAttempt, AccessFailureLog, AccessLog)
    )


def purge_admin_log(*, now: datetime) -> int:
    return LogEntry.objects.filter(action_time__lt=now - ADMIN_LOG_RETENTION).delete()[0]


def purge_rate_limit_counters(*, now: datetime) -> int:
    return ratelimit.purge_expired(now=now)


# By what they forget, as the command says it. Each looks by an index or at a small table: the
# service does them all with every tick.
RULES: dict[str, Callable[..., int]] = {
    "who never confirmed": unconfirmed.purge_unconfirmed,
    "reports of providers": purge_reports,
    "soft bounces": bounces.purge_old_bounces,
    "words of farewell": exit_survey.purge_old_comments,
    "sessions of operators": purge_sessions,
    "attempts to log in": purge_login_attempts,
    "doings of operators": purge_admin_log,
    "counts of requests": purge_rate_limit_counters,
}


def apply_retention_rules(*, now: datetime) -> dict[str, int]:
    """Do all of it; how many rows each rule has forgotten. Again forgets nothing more."""
    return {name: rule(now=now) for name, rule in RULES.items()}
