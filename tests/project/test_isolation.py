"""No state of one test reaches another: each of these fails if its other case left something."""

from __future__ import annotations

import pytest
from django.core import mail
from django.core.cache import cache

from papers.models import Topic
from papers.web import ratelimit
from tests import factories

CASES = ["one order", "the other order"]


@pytest.mark.parametrize("case", CASES)
def test_the_cache_starts_empty(case):
    assert cache.get("left-over") is None

    cache.set("left-over", case)


@pytest.mark.django_db
@pytest.mark.parametrize("case", CASES)
def test_the_rate_limits_start_at_zero(case):
    assert ratelimit.hit("1/hour", "isolation").allowed

    assert not ratelimit.hit("1/hour", "isolation").allowed


@pytest.mark.django_db
@pytest.mark.parametrize("case", CASES)
def test_the_database_starts_without_rows_of_another_test(case):
    assert not Topic.objects.filter(slug="left-over").exists()

    factories.topic("left-over")


@pytest.mark.parametrize("case", CASES)
def test_settings_are_restored(case, settings):
    assert settings.SITE_NAME != "left over"

    settings.SITE_NAME = "left over"


@pytest.mark.parametrize("case", CASES)
def test_the_outbox_starts_empty(case, mailoutbox):
    assert mailoutbox == []

    mail.send_mail("left over", case, None, ["ada@example.org"])
