"""subscribers/signup/api.py"""

from __future__ import annotations

import json
from typing import Any

import pytest
import time_machine
from django.test import Client

from subscribers import suppression
from subscribers.models import Consent, Preferences, Subscriber, Suppression
from subscribers.signup import abuse_protection, consent
from tests import factories
from tests.subscribers.pow_solver import solve_challenge

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cheap_proof_of_work")]

NOW = factories.NOW
ADA = "ada@example.org"
CHALLENGE, SUBSCRIPTIONS = "/api/v1/subscriptions/challenge", "/api/v1/subscriptions"
PROBLEM = "application/problem+json"
ELSEWHERE = "https://lab.example.org"


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        factories.topic("robotics")
        yield


@pytest.fixture
def program():
    """Without cookies, and it would be refused if a CSRF token were asked for."""
    return Client(enforce_csrf_checks=True)


def proof(program: Client) -> str:
    return solve_challenge(program.get(CHALLENGE).json())


def ask(program: Client, **changed: Any) -> Any:
    headers = changed.pop("headers", {})
    wish = {"email": ADA, "consent": consent.CURRENT_VERSION, **changed}
    if "proof" not in wish:
        wish["proof"] = proof(program)
    return program.post(SUBSCRIPTIONS, wish, content_type="application/json", headers=headers)


def test_a_challenge_comes_with_the_words_to_show(program):
    response = program.get(CHALLENGE)

    assert response.json()["consent"] == {
        "version": consent.CURRENT_VERSION,
        "text": consent.CONSENT_TEXTS[consent.CURRENT_VERSION],
    }
    assert set(response.json()) == {"parameters", "signature", "consent"}
    assert "no-store" in response.headers["Cache-Control"]


def test_who_asks_is_asked_whether_it_was_them(
    program, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        response = ask(program, topics=["robotics"], timezone="Europe/Berlin")

    assert response.status_code == 202
    assert response.cookies == {}
    [message] = mailoutbox
    assert message.to == [ADA]
    wanted = Preferences.objects.get()
    assert ([topic.slug for topic in wanted.topics.all()], wanted.timezone) == (
        ["robotics"],
        "Europe/Berlin",
    )
    assert Consent.objects.get().form == "api"


@pytest.mark.parametrize("status", [None, *Subscriber.Status])
@pytest.mark.parametrize("suppressed", [False, True])
def test_the_answer_is_the_same_whoever_is_known(program, status, suppressed):
    if status:
        factories.subscriber(email=ADA, status=status)
    if suppressed:
        suppression.suppress(ADA, Suppression.Reason.COMPLAINED, NOW)

    response = ask(program)

    assert (response.status_code, response.json()) == (
        202,
        {
            "detail": "If the address can be written to, an email is on its way to it, to be confirmed."
        },
    )


@pytest.mark.parametrize(
    ("changed", "parameter", "words"),
    [
        ({"email": ""}, "email", "Please give your email address."),
        ({"email": "ada"}, "email", "must have an @-sign"),
        ({"email": "ada@example.org\nBcc: eve@example.org"}, "email", "no line breaks"),
        ({"email": "ada\x00@example.org"}, "email", "Null characters are not allowed."),
        ({"topics": ["astrology"]}, "topics", "does not exist"),
        ({"topics": ["ro\x00botics"]}, "topics", "Null characters are not allowed."),
        ({"consent": "1999-01"}, "consent", "names no text of ours"),
        ({"proof": ""}, "proof", "Get a new challenge"),
        ({"proof": "QUFB"}, "proof", "Get a new challenge"),
    ],
)
def test_what_is_wrong_is_named_in_a_problem_and_changes_nothing(
    program, changed, parameter, words
):
    response = ask(program, **changed)

    assert (response.status_code, response.headers["Content-Type"]) == (422, PROBLEM)
    [fault] = response.json()["errors"]
    assert fault["parameter"] == parameter
    assert words in fault["detail"]
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"email": "ada\\ud800@example.org", "consent": "2026-11", "proof": "x"}',
        b'{"email": "a@example.org", "topics": ["\\ud800"], "consent": "2026-11", "proof": "x"}',
        b'{"email": ["ada@example.org"], "consent": "2026-11", "proof": "x"}',
        b'{"email": "ada@example.org", "consent": "2026-11", "proof": "x", "name": "Ada"}',
        json.dumps({"email": "a" * 100_000, "consent": "2026-11", "proof": "x"}).encode(),
        json.dumps({"email": ADA, "consent": "2026-11", "proof": "x" * 100_000}).encode(),
        json.dumps({"email": ADA, "topics": ["x"] * 1000, "consent": "", "proof": ""}).encode(),
        b"[" * 10_000,
    ],
)
def test_garbage_is_refused_and_is_never_a_server_error(program, body):
    response = program.post(SUBSCRIPTIONS, body, content_type="application/json")

    assert response.status_code in {400, 413, 422}
    assert not Subscriber.objects.exists()


def test_a_proof_is_good_for_one_request_and_not_lost_by_a_typing_error(program):
    done = proof(program)

    statuses = [
        ask(program, email=email, proof=done).status_code
        for email in ("ada", ADA, "ben@example.org")
    ]

    assert statuses == [422, 202, 422]


def test_who_asks_too_often_is_told_how_long_to_wait(program, monkeypatch):
    monkeypatch.setattr(abuse_protection, "PER_IP_LIMIT", "1/hour")
    ask(program)

    response = ask(program, email="ben@example.org")

    assert (response.status_code, response.headers["Content-Type"]) == (429, PROBLEM)
    assert 0 < int(response.headers["Retry-After"]) <= 3600
    assert "Please try again in 60 minutes." in response.json()["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_what_a_browser_sends_without_asking_first_is_refused(program, content_type):
    """A page of any site can have its visitors send these."""
    wish = {"email": ADA, "consent": consent.CURRENT_VERSION, "proof": proof(program)}

    response = program.post(SUBSCRIPTIONS, json.dumps(wish), content_type=content_type)

    assert response.status_code == 415
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize(("named", "allowed"), [([], False), ([ELSEWHERE], True)])
def test_pages_of_other_sites_may_ask_where_the_operator_names_them(
    program, settings, named, allowed
):
    settings.SIGNUP_ORIGINS = named
    headers = {"Origin": ELSEWHERE}

    before = program.options(SUBSCRIPTIONS, headers=headers)
    asked = ask(program, headers=headers)

    assert (before.status_code, asked.status_code) == ((204, 202) if allowed else (403, 403))
    assert before.headers.get("Access-Control-Allow-Headers") == (
        "Content-Type" if allowed else None
    )
    assert asked.headers.get("Access-Control-Allow-Origin") == (ELSEWHERE if allowed else None)
    assert Subscriber.objects.exists() is allowed


@pytest.mark.parametrize("origin", ["null", "https://lab.example.org.evil.example", ""])
def test_an_origin_that_only_looks_like_one_that_is_named_is_refused(program, settings, origin):
    settings.SIGNUP_ORIGINS = [ELSEWHERE]

    assert ask(program, headers={"Origin": origin}).status_code == 403
