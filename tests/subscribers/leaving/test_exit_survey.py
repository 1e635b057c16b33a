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


def left(browser, ada) -> str:
    """Where the page that follows leaving lets them say why."""
    page = browser.post(f"/unsubscribe/{links.signed_token(Purpose.UNSUBSCRIBE, ada)}/")
    address = f"/farewell/{page.context['farewell_token']}/"
    assert f'action="{address}"' in page.content.decode()
    return address


def test_who_leaves_may_say_why(browser, ada):
    answer = browser.post(left(browser, ada), {"reason": "too_many", "words": " Weekly, please "})

    assert (answer.status_code, answer.url) == (303, "/farewell/")
    assert browser.get(answer.url).status_code == 200
    assert list(UnsubscribeFeedback.objects.values_list("reason", "words", "said_on")) == [
        ("too_many", "Weekly, please", NOW.date())
    ]


def test_nothing_of_it_tells_who_it_was(browser, ada):
    browser.post(left(browser, ada), {"reason": "other", "words": "x"})

    kept = json.dumps(list(UnsubscribeFeedback.objects.values()), cls=DjangoJSONEncoder)
    assert json.loads(kept) == [
        {
            "id": UnsubscribeFeedback.objects.get().pk,
            "reason": "other",
            "words": "x",
            "said_on": "2026-05-12",
        }
    ]


def test_pressing_twice_says_it_once(browser, ada):
    address = left(browser, ada)

    answers = [browser.post(address, {"reason": "other"}).status_code for _ in range(2)]

    assert (answers, UnsubscribeFeedback.objects.count()) == ([303, 303], 1)


def test_it_is_asked_once_each_time_they_leave(browser, ada):
    left(browser, ada)
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
        {"words": "only words"},
    ],
)
def test_what_cannot_be_taken_is_answered_with_a_sentence(browser, ada, posted):
    address = left(browser, ada)

    answer = browser.post(address, posted)

    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode() or "_error" in answer.content.decode()
    assert not UnsubscribeFeedback.objects.exists()
    assert browser.post(address, {"reason": "other"}).status_code == 303


@pytest.mark.parametrize("purpose", [each for each in Purpose if each != Purpose.EXIT_SURVEY])
def test_a_token_for_something_else_says_nothing(browser, ada, purpose):
    lifecycle.leave(ada, Subscriber.LeftReason.UNSUBSCRIBED, NOW)

    answer = browser.post(f"/farewell/{links.signed_token(purpose, ada)}/", {"reason": "other"})

    assert (answer.status_code, UnsubscribeFeedback.objects.count()) == (400, 0)


def test_a_day_later_it_is_too_late(browser, ada):
    address = left(browser, ada)

    with time_machine.travel(NOW + DAY + timedelta(seconds=1), tick=False):
        answer = browser.post(address, {"reason": "other"})

    assert (answer.status_code, UnsubscribeFeedback.objects.count()) == (400, 0)


def test_saying_why_does_not_spoil_the_way_back(browser, ada):
    browser.post(left(browser, ada), {"reason": "other"})
    assert lifecycle.rejoin(Subscriber.objects.get(), NOW)


def test_who_has_asked_to_come_back_keeps_their_link_to_confirm(browser, ada):
    address = left(browser, ada)
    asked = lifecycle.request_confirmation("ada@example.org", (), "", NOW)
    token = links.signed_token(Purpose.CONFIRM, asked)

    browser.post(address, {"reason": "other"})

    assert links.read_token(Purpose.CONFIRM, token) == asked
    assert not UnsubscribeFeedback.objects.exists()


@pytest.mark.parametrize("method", ["get", "head", "put"])
def test_only_a_post_says_something(browser, ada, method):
    assert getattr(browser, method)(left(browser, ada)).status_code == 405


def test_words_are_forgotten_after_a_year_and_the_count_stays():
    UnsubscribeFeedback.objects.create(reason="other", words="I am Ada", said_on=NOW.date())

    assert exit_survey.purge_old_comments(now=NOW + exit_survey.COMMENT_RETENTION - DAY) == 0
    assert exit_survey.purge_old_comments(now=NOW + exit_survey.COMMENT_RETENTION) == 1
    assert [(row.reason, row.words) for row in UnsubscribeFeedback.objects.all()] == [("other", "")]
