"""Every retention rule of docs/operators/data-map.md, in one place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session

from newsletter.events import reports
from papers.web import ratelimit
from subscribers import bounces
from subscribers.leaving import exit_survey
from subscribers.signup import unconfirmed

LOGIN_ATTEMPT_RETENTION = timedelta(days=30)
ADMIN_LOG_RETENTION = timedelta(days=365)


def purge_reports(*, now: datetime) -> int:
    purged = 0
    while count := reports.purge_old_reports(now=now):
        purged += count
    return purged


def purge_sessions(*, now: datetime) -> int:
    return Session.objects.filter(expire_date__lt=now).delete()[0]


def purge_login_attempts(*, now: datetime) -> int:
    cutoff = now - LOGIN_ATTEMPT_RETENTION
    return sum(
        model.objects.filter(attempt_time__lt=cutoff).delete()[0]
        for model in (AccessAttempt, AccessFailureLog, AccessLog)
    )


def purge_admin_log(*, now: datetime) -> int:
    return LogEntry.objects.filter(action_time__lt=now - ADMIN_LOG_RETENTION).delete()[0]


def purge_rate_limit_counters(*, now: datetime) -> int:
    return ratelimit.purge_expired(now=now)


# By what they delete, as the command prints it. Each uses an index or a small table, because the
# service applies all of them with every tick.
RULES: dict[str, Callable[..., int]] = {
    "unconfirmed sign-ups": unconfirmed.purge_unconfirmed,
    "provider reports": purge_reports,
    "soft bounces": bounces.purge_old_bounces,
    "exit survey comments": exit_survey.purge_old_comments,
    "admin sessions": purge_sessions,
    "login attempts": purge_login_attempts,
    "admin log entries": purge_admin_log,
    "rate limit counters": purge_rate_limit_counters,
}


def apply_retention_rules(*, now: datetime) -> dict[str, int]:
    """Apply every rule; return how many rows each has deleted. Safe to repeat."""
    return {name: rule(now=now) for name, rule in RULES.items()}
