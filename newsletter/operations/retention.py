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
KEEP_ATTEMPTS = timedelta(days=30)
KEEP_DOINGS = timedelta(days=365)


def old_reports(*, now: datetime) -> int:
    forgotten = 0
    while page := processing.forget(now=now):
        forgotten += page
    return forgotten


def old_sessions(*, now: datetime) -> int:
    return Session.objects.filter(expire_date__lt=now).delete()[0]


def old_attempts(*, now: datetime) -> int:
    before = now - KEEP_ATTEMPTS
    return sum(
        model.objects.filter(attempt_time__lt=before).delete()[0]
        for model in (AccessAttempt, AccessFailureLog, AccessLog)
    )


def old_doings(*, now: datetime) -> int:
    return LogEntry.objects.filter(action_time__lt=now - KEEP_DOINGS).delete()[0]


def old_counts(*, now: datetime) -> int:
    return ratelimit.forget(now=now)


# By what they forget, as the command says it. Each looks by an index or at a small table: the
# service does them all with every tick.
RULES: dict[str, Callable[..., int]] = {
    "who never confirmed": unconfirmed.forget,
    "reports of providers": old_reports,
    "soft bounces": bounces.forget,
    "words of farewell": exit_survey.forget,
    "sessions of operators": old_sessions,
    "attempts to log in": old_attempts,
    "doings of operators": old_doings,
    "counts of requests": old_counts,
}


def forget(*, now: datetime) -> dict[str, int]:
    """Do all of it; how many rows each rule has forgotten. Again forgets nothing more."""
    return {name: rule(now=now) for name, rule in RULES.items()}
