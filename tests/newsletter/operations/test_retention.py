"""newsletter/operations/retention.py, its command and the data map"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt, AccessLog
from django.apps import apps
from django.conf import settings as project
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import models

from newsletter import tasks
from newsletter.dispatch import Tick
from newsletter.events import reports
from newsletter.models import ProviderReport
from newsletter.operations import retention
from papers.web.models import RateLimitCounter
from subscribers import bounces
from subscribers.leaving import exit_survey
from subscribers.models import SoftBounce, Subscriber, UnsubscribeFeedback
from subscribers.signup import unconfirmed
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOW
SECOND = timedelta(seconds=1)
PAGE = (Path(project.BASE_DIR) / "docs/operators/data-map.md").read_text()


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def set_times(row: models.Model, **times: Any) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**times)


def create_rows(extra: timedelta) -> None:
    """Create a row for each rule, `extra` older than its retention time."""
    pending = factories.subscriber(status=Subscriber.Status.PENDING)
    set_times(pending, created_at=NOW - unconfirmed.UNCONFIRMED_RETENTION - extra)
    ProviderReport.objects.create(
        provider="x", body=b"x", digest="x", received_at=NOW - reports.REPORT_RETENTION - extra
    )
    SoftBounce.objects.create(
        subscriber=factories.subscriber(),
        message="m",
        happened_at=NOW - bounces.BOUNCE_RETENTION - extra,
    )
    commented_at = NOW - exit_survey.COMMENT_RETENTION - extra
    UnsubscribeFeedback.objects.create(reason="other", words="x", said_on=commented_at.date())
    Session.objects.create(session_key="x", session_data="x", expire_date=NOW - extra)
    for model in (AccessAttempt, AccessLog):
        attempt = model.objects.create(
            username="x", **({"failures_since_start": 1} if model is AccessAttempt else {})
        )
        set_times(attempt, attempt_time=NOW - retention.LOGIN_ATTEMPT_RETENTION - extra)
    user = get_user_model().objects.create(username="operator")
    log_entry = LogEntry.objects.create(user=user, action_flag=CHANGE, object_repr="#1")
    set_times(log_entry, action_time=NOW - retention.ADMIN_LOG_RETENTION - extra)
    RateLimitCounter.objects.create(key="x", count=1, expires_at=(NOW - extra).timestamp())


def test_rows_past_their_retention_are_deleted_once() -> None:
    create_rows(SECOND)
    output = StringIO()

    for _ in range(2):
        call_command("forget", stdout=output)

    assert output.getvalue().splitlines() == [
        "Deleted: 1 unconfirmed sign-ups, 1 provider reports, 1 soft bounces, "
        "1 exit survey comments, 1 admin sessions, 2 login attempts, "
        "1 admin log entries, 1 rate limit counters.",
        "Deleted: " + ", ".join(f"0 {name}" for name in retention.RULES) + ".",
    ]
    assert [(row.reason, row.words) for row in UnsubscribeFeedback.objects.all()] == [("other", "")]


def test_younger_rows_stay() -> None:
    create_rows(-timedelta(days=1))

    assert set(retention.apply_retention_rules(now=NOW).values()) == {0}


def test_every_tick_applies_the_rules() -> None:
    create_rows(SECOND)

    tasks.enqueue_for_tick(
        Tick(counts=Counter(), should_fetch=False, should_publish=False, pending_by_edition={})
    )

    assert set(retention.apply_retention_rules(now=NOW).values()) == {0}


def test_the_rules_are_cheap_when_nothing_is_due(
    django_assert_max_num_queries: Any,
) -> None:
    with django_assert_max_num_queries(25):
        retention.apply_retention_rules(now=NOW)


def documented_tables() -> list[str]:
    """Return every name in the first column of a table of the data map."""
    tables, _, _ = PAGE.partition("## Outside the database")
    first_column = re.findall(r"^\| (`[^|]+) \|", tables, re.MULTILINE)
    return [name for cell in first_column for name in re.findall(r"`(\w+)`", cell)]


def test_every_table_is_in_the_data_map_once() -> None:
    tables = [model.__name__ for model in apps.get_models(include_auto_created=True)]

    assert Counter(documented_tables()) == Counter(tables)


@pytest.mark.parametrize(
    ("table", "retention_time"),
    [
        ("Subscriber", unconfirmed.UNCONFIRMED_RETENTION),
        ("SoftBounce", bounces.BOUNCE_RETENTION),
        ("UnsubscribeFeedback", exit_survey.COMMENT_RETENTION),
        ("ProviderReport", reports.REPORT_RETENTION),
        ("AccessAttempt", retention.LOGIN_ATTEMPT_RETENTION),
        ("LogEntry", retention.ADMIN_LOG_RETENTION),
        ("Session", timedelta(seconds=project.SESSION_COOKIE_AGE)),
    ],
)
def test_the_data_map_states_the_retention_of_the_code(
    table: str, retention_time: timedelta
) -> None:
    [row] = re.findall(rf"^\| `{table}`.*$", PAGE, re.MULTILINE)

    assert f"{retention_time.days} days" in row
