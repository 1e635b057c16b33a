"""subscribers/leaving/exit_survey.py, and its form and pages"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from django.core.serializers.json import DjangoJSONEncoder
from django.test import Client

from subscribers.leaving import exit_survey
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.models import Subscriber, UnsubscribeFeedback
from subscribers.signup import lifecycle
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOW
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def browser():
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def ada():
    return factories.subscriber(email="ada@example.org")


def survey_url(browser, ada) -> str:
    """Unsubscribe and return the URL of the survey on the page that follows."""
    page = browser.post(f"/unsubscribe/{links.signed_token(Purpose.UNSUBSCRIBE, ada)}/")
    address = f"/farewell/{page.context['farewell_token']}/"
    assert f'action="{address}"' in page.content.decode()
    return address


def test_an_answer_is_stored_with_its_date(browser, ada):
    response = browser.post(
        survey_url(browser, ada), {"reason": "too_many", "words": " Weekly, please "}
    )

    assert (response.status_code, response.url) == (303, "/farewell/")
    assert browser.get(response.url).status_code == 200
    assert list(UnsubscribeFeedback.objects.values_list("reason", "words", "said_on")) == [
        ("too_many", "Weekly, please", NOW.date())
    ]


def test_a_stored_answer_does_not_identify_the_reader(browser, ada):
    browser.post(survey_url(browser, ada), {"reason": "other", "words": "x"})

    stored = json.dumps(list(UnsubscribeFeedback.objects.values()), cls=DjangoJSONEncoder)
    assert json.loads(stored) == [
        {
            "id": UnsubscribeFeedback.objects.get().pk,
            "reason": "other",
            "words": "x",
            "said_on": "2026-05-12",
        }
    ]


def test_a_form_sent_twice_is_stored_once(browser, ada):
    address = survey_url(browser, ada)

    statuses = [browser.post(address, {"reason": "other"}).status_code for _ in range(2)]

    assert (statuses, UnsubscribeFeedback.objects.count()) == ([303, 303], 1)


def test_the_survey_is_shown_once_per_departure(browser, ada):
    survey_url(browser, ada)
    token = links.signed_token(Purpose.UNSUBSCRIBE, ada)

    assert "farewell_token" not in browser.post(f"/unsubscribe/{token}/").context


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"reason": ""},
        {"reason": "boredom"},
        {"reason": "other", "words": "x" * 501},
        {"reason": "other", "words": "a\x00b"},
        {"words": "a comment without a reason"},
    ],
)
def test_an_invalid_answer_shows_an_error_and_can_be_corrected(browser, ada, posted):
    address = survey_url(browser, ada)

    response = browser.post(address, posted)

    assert response.status_code == 400
    assert 'role="alert"' in response.content.decode() or "_error" in response.content.decode()
    assert not UnsubscribeFeedback.objects.exists()
    assert browser.post(address, {"reason": "other"}).status_code == 303


@pytest.mark.parametrize(
    "purpose", [purpose for purpose in Purpose if purpose != Purpose.EXIT_SURVEY]
)
def test_a_token_for_another_purpose_stores_nothing(browser, ada, purpose):
    lifecycle.leave(ada, Subscriber.LeftReason.UNSUBSCRIBED, NOW)

    response = browser.post(f"/farewell/{links.signed_token(purpose, ada)}/", {"reason": "other"})

    assert (response.status_code, UnsubscribeFeedback.objects.count()) == (400, 0)


def test_the_survey_link_expires_after_a_day(browser, ada):
    address = survey_url(browser, ada)

    with time_machine.travel(NOW + DAY + timedelta(seconds=1), tick=False):
        response = browser.post(address, {"reason": "other"})

    assert (response.status_code, UnsubscribeFeedback.objects.count()) == (400, 0)


def test_answering_does_not_prevent_rejoining(browser, ada):
    browser.post(survey_url(browser, ada), {"reason": "other"})
    assert lifecycle.rejoin(Subscriber.objects.get(), NOW)


def test_an_answer_does_not_invalidate_a_new_confirmation_link(browser, ada):
    address = survey_url(browser, ada)
    pending = lifecycle.request_confirmation("ada@example.org", (), "", NOW)
    token = links.signed_token(Purpose.CONFIRM, pending)

    browser.post(address, {"reason": "other"})

    assert links.read_token(Purpose.CONFIRM, token) == pending
    assert not UnsubscribeFeedback.objects.exists()


@pytest.mark.parametrize("method", ["get", "head", "put"])
def test_only_post_is_allowed(browser, ada, method):
    assert getattr(browser, method)(survey_url(browser, ada)).status_code == 405


def test_comments_are_blanked_after_a_year_and_reasons_stay():
    UnsubscribeFeedback.objects.create(reason="other", words="I am Ada", said_on=NOW.date())

    assert exit_survey.purge_old_comments(now=NOW + exit_survey.COMMENT_RETENTION - DAY) == 0
    assert exit_survey.purge_old_comments(now=NOW + exit_survey.COMMENT_RETENTION) == 1
    assert [(row.reason, row.words) for row in UnsubscribeFeedback.objects.all()] == [("other", "")]
