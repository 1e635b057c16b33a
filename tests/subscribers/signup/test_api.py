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
OTHER_SITE = "https://lab.example.org"


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        factories.topic("robotics")
        yield


@pytest.fixture
def program():
    """A client that fails if a view requires a CSRF token."""
    return Client(enforce_csrf_checks=True)


def proof(program: Client) -> str:
    return solve_challenge(program.get(CHALLENGE).json())


def post_signup(program: Client, **changed: Any) -> Any:
    headers = changed.pop("headers", {})
    payload = {"email": ADA, "consent": consent.CURRENT_VERSION, **changed}
    if "proof" not in payload:
        payload["proof"] = proof(program)
    return program.post(SUBSCRIPTIONS, payload, content_type="application/json", headers=headers)


def test_a_challenge_includes_the_consent_text(program):
    response = program.get(CHALLENGE)

    assert response.json()["consent"] == {
        "version": consent.CURRENT_VERSION,
        "text": consent.CONSENT_TEXTS[consent.CURRENT_VERSION],
    }
    assert set(response.json()) == {"parameters", "signature", "consent"}
    assert "no-store" in response.headers["Cache-Control"]


def test_a_request_sends_a_confirmation_mail(
    program, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        response = post_signup(program, topics=["robotics"], timezone="Europe/Berlin")

    assert response.status_code == 202
    assert response.cookies == {}
    [message] = mailoutbox
    assert message.to == [ADA]
    preferences = Preferences.objects.get()
    assert ([topic.slug for topic in preferences.topics.all()], preferences.timezone) == (
        ["robotics"],
        "Europe/Berlin",
    )
    assert Consent.objects.get().form == "api"


@pytest.mark.parametrize("status", [None, *Subscriber.Status])
@pytest.mark.parametrize("suppressed", [False, True])
def test_the_answer_does_not_reveal_who_is_subscribed(program, status, suppressed):
    if status:
        factories.subscriber(email=ADA, status=status)
    if suppressed:
        suppression.suppress(ADA, Suppression.Reason.COMPLAINED, NOW)

    response = post_signup(program)

    assert (response.status_code, response.json()) == (
        202,
        {"detail": "If the address can receive mail, an email with the next step is on its way."},
    )


@pytest.mark.parametrize(
    ("changed", "parameter", "sentence"),
    [
        ({"email": ""}, "email", "Please enter your email address."),
        ({"email": "ada"}, "email", "must have an @-sign"),
        ({"email": "ada@example.org\nBcc: eve@example.org"}, "email", "cannot contain line breaks"),
        ({"email": "ada\x00@example.org"}, "email", "Null characters are not allowed."),
        ({"topics": ["astrology"]}, "topics", "does not exist"),
        ({"topics": ["ro\x00botics"]}, "topics", "Null characters are not allowed."),
        ({"consent": "1999-01"}, "consent", "Unknown version"),
        ({"proof": ""}, "proof", "Get a new challenge"),
        ({"proof": "QUFB"}, "proof", "Get a new challenge"),
    ],
)
def test_an_invalid_field_is_reported_as_a_problem_and_nothing_is_stored(
    program, changed, parameter, sentence
):
    response = post_signup(program, **changed)

    assert (response.status_code, response.headers["Content-Type"]) == (422, PROBLEM)
    [error] = response.json()["errors"]
    assert error["parameter"] == parameter
    assert sentence in error["detail"]
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
def test_garbage_is_refused_without_a_server_error(program, body):
    response = program.post(SUBSCRIPTIONS, body, content_type="application/json")

    assert response.status_code in {400, 413, 422}
    assert not Subscriber.objects.exists()


def test_a_proof_works_for_one_request_and_survives_a_typing_error(program):
    one_proof = proof(program)

    statuses = [
        post_signup(program, email=email, proof=one_proof).status_code
        for email in ("ada", ADA, "ben@example.org")
    ]

    assert statuses == [422, 202, 422]


def test_a_rate_limited_client_gets_a_waiting_time(program, monkeypatch):
    monkeypatch.setattr(abuse_protection, "PER_IP_LIMIT", "1/hour")
    post_signup(program)

    response = post_signup(program, email="ben@example.org")

    assert (response.status_code, response.headers["Content-Type"]) == (429, PROBLEM)
    assert 0 < int(response.headers["Retry-After"]) <= 3600
    assert "Please try again in 60 minutes." in response.json()["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_content_types_that_need_no_preflight_are_refused(program, content_type):
    """Browsers send these to other sites without a preflight request."""
    payload = {"email": ADA, "consent": consent.CURRENT_VERSION, "proof": proof(program)}

    response = program.post(SUBSCRIPTIONS, json.dumps(payload), content_type=content_type)

    assert response.status_code == 415
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize(("origins", "allowed"), [([], False), ([OTHER_SITE], True)])
def test_only_pages_of_listed_origins_may_sign_up_readers(program, settings, origins, allowed):
    settings.SIGNUP_ORIGINS = origins
    headers = {"Origin": OTHER_SITE}

    preflight = program.options(SUBSCRIPTIONS, headers=headers)
    answer = post_signup(program, headers=headers)

    assert (preflight.status_code, answer.status_code) == ((204, 202) if allowed else (403, 403))
    assert preflight.headers.get("Access-Control-Allow-Headers") == (
        "Content-Type" if allowed else None
    )
    assert answer.headers.get("Access-Control-Allow-Origin") == (OTHER_SITE if allowed else None)
    assert Subscriber.objects.exists() is allowed


@pytest.mark.parametrize("origin", ["null", "https://lab.example.org.evil.example", ""])
def test_an_origin_that_resembles_a_listed_one_is_refused(program, settings, origin):
    settings.SIGNUP_ORIGINS = [OTHER_SITE]

    assert post_signup(program, headers={"Origin": origin}).status_code == 403
