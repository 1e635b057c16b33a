"""subscribers/signup/views.py"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from subscribers import suppression
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.models import Consent, Preferences, Subscriber, Suppression
from subscribers.signup import abuse_protection, lifecycle
from subscribers.signup.consent import FormKind
from tests import factories
from tests.subscribers.pow_solver import solve_challenge

pytestmark = pytest.mark.django_db

Status, Reason = Subscriber.Status, Subscriber.LeftReason
NOW = factories.NOW
DAY = timedelta(days=1)
ADA = "ada@example.org"
SUBSCRIBE, EMBED = "/subscribe/", "/subscribe/embed/"
CHECK_INBOX = "/subscribe/check-your-inbox/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        factories.topic("robotics")
        factories.topic("speech")
        yield


@pytest.fixture
def browser():
    """Return a client that fails if a page requires a CSRF token."""
    return Client(enforce_csrf_checks=True)


def text(response: HttpResponse) -> str:
    return response.content.decode()


def value_of(name: str, response: HttpResponse) -> str:
    match = re.search(rf'name="{name}" value="([^"]*)"', text(response))
    assert match, name
    return match[1]


def test_the_form_is_public_and_cacheable(browser):
    response = browser.get(SUBSCRIBE)

    assert response.status_code == 200
    assert 'name="email"' in text(response)
    assert 'value="robotics"' in text(response)
    assert response.headers["Cache-Control"] == "public, max-age=60"
    assert (response.cookies, response.headers.get("Vary")) == ({}, None)


def test_signing_up_sends_a_confirmation_and_redirects_to_check_your_inbox(
    browser, mailoutbox, django_capture_on_commit_callbacks
):
    form = factories.signup_form_data(topics=["robotics"], timezone="Europe/Berlin")

    with django_capture_on_commit_callbacks(execute=True):
        response = browser.post(SUBSCRIBE, form)

    assert (response.status_code, response.url) == (303, "/subscribe/check-your-inbox/")
    assert response.cookies == {}
    assert browser.get(response.url).status_code == 200
    [message] = mailoutbox
    assert message.to == [ADA]
    assert links.signed_url(Purpose.CONFIRM, Subscriber.objects.get()) in message.body


@pytest.mark.parametrize("status", [None, *Status])
@pytest.mark.parametrize("suppressed", [False, True])
def test_the_answer_does_not_reveal_who_is_subscribed(browser, status, suppressed):
    if status:
        factories.subscriber(email=ADA, status=status)
    if suppressed:
        suppression.suppress(ADA, Suppression.Reason.COMPLAINED, NOW)

    response = browser.post(SUBSCRIBE, factories.signup_form_data("Ada@example.org"))

    assert (response.status_code, response.url) == (303, "/subscribe/check-your-inbox/")
    assert (response.content, response.cookies) == (b"", {})


@pytest.mark.services  # databases differ in what text they accept
@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"email": ""}, "Please enter your email address."),
        ({"email": "ada"}, "An email address must have an @-sign."),
        ({"email": "a" * 10_000 + "@example.org"}, "This address is too long"),
        (
            {"email": "ada@example.org\nBcc: eve@example.org"},
            "An address cannot contain line breaks",
        ),
        ({"email": "ada@example.org, eve@example.org"}, "Please enter one address, not several."),
        ({"email": "ada\x00@example.org"}, "Null characters are not allowed."),
        ({"email": ADA, "topics": ["astrology"]}, "One of these topics does not exist"),
        ({"email": ADA, "topics": ["ro\x00botics"]}, "Null characters are not allowed."),
    ],
)
def test_invalid_input_shows_an_error_and_stores_nothing(browser, form, sentence):
    response = browser.post(SUBSCRIBE, factories.signup_form_data(**form))

    assert response.status_code == 400
    assert sentence in text(response)
    assert "no-store" in response.headers["Cache-Control"]
    assert not Subscriber.objects.exists()


def test_a_form_with_an_error_keeps_its_values(browser):
    response = browser.post(SUBSCRIBE, factories.signup_form_data("<b>ada", topics=["speech"]))

    assert "&lt;b&gt;ada" in text(response)
    assert 'value="speech" checked' in text(response)


@pytest.mark.services  # databases differ in what text they accept
@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "x" * 10_000, "\x00"])
def test_an_unknown_time_zone_means_utc(browser, zone):
    assert browser.post(SUBSCRIBE, factories.signup_form_data(timezone=zone)).status_code == 303

    assert Preferences.objects.get().timezone == "UTC"


@pytest.mark.parametrize("address", ["/", "/papers/", "/topics/", "/editions/", SUBSCRIBE, EMBED])
def test_every_page_has_the_form_and_is_cacheable(browser, address):
    response = browser.get(address)

    assert value_of("seal", response)
    assert value_of("proof", response) == value_of("subject", response) == ""
    assert 'data-challenge="/subscribe/challenge/"' in text(response)
    assert response.headers["Cache-Control"] == "public, max-age=60"
    assert response.cookies == {}


def test_a_cached_form_works_for_several_visitors(browser):
    seal = value_of("seal", browser.get(SUBSCRIBE))

    with time_machine.travel(NOW + DAY, tick=False):
        statuses = [
            browser.post(SUBSCRIBE, {"email": email, "seal": seal}).status_code
            for email in (ADA, "ben@example.org")
        ]

    assert statuses == [303, 303]


@pytest.mark.services  # databases differ in what text they accept
@pytest.mark.parametrize(
    ("delay", "changed", "sentence"),
    [
        (timedelta(seconds=1), {}, abuse_protection.TOO_QUICK_MESSAGE),
        (3 * DAY, {}, abuse_protection.STALE_FORM_MESSAGE),
        (timedelta(minutes=1), {"subject": "cheap watches"}, abuse_protection.HONEYPOT_MESSAGE),
        (timedelta(minutes=1), {"seal": ""}, abuse_protection.INVALID_TOKEN_MESSAGE),
        (
            timedelta(minutes=1),
            {"seal": "page~2026-11.x.y"},
            abuse_protection.INVALID_TOKEN_MESSAGE,
        ),
        (timedelta(minutes=1), {"seal": "ü\x00" * 3000}, abuse_protection.INVALID_TOKEN_MESSAGE),
    ],
    ids=["too quick", "stale", "honeypot", "no token", "forged", "garbage"],
)
@pytest.mark.parametrize("address", [SUBSCRIBE, EMBED])
def test_a_suspicious_form_must_be_submitted_again(browser, address, delay, changed, sentence):
    form = {"email": ADA, "topics": ["speech"], "seal": value_of("seal", browser.get(address))}

    with time_machine.travel(NOW + delay, tick=False):
        response = browser.post(address, form | changed)
        assert not Subscriber.objects.exists()
        # A person presses the button again at once.
        form = {"email": value_of("email", response), "seal": value_of("seal", response)}
        second = browser.post(address, form)

    assert (response.status_code, second.status_code) == (400, 303)
    assert sentence.replace("'", "&#x27;") in text(response)
    assert value_of("subject", response) == ""
    assert Subscriber.objects.get().email == ADA


def test_a_plain_form_on_another_site_must_be_submitted_again_on_our_page(browser):
    """The form has no token and comes from another origin: see docs/embedding.md."""
    form = {"email": ADA, "topics": ["speech"]}

    response = browser.post(SUBSCRIBE, form, headers={"Origin": "https://lab.example.org"})

    assert value_of("email", response) == ADA
    assert 'value="speech" checked' in text(response)
    assert browser.post(SUBSCRIBE, form | {"seal": value_of("seal", response)}).status_code == 303


def test_htmx_gets_only_the_answer(browser):
    response = browser.post(SUBSCRIBE, factories.signup_form_data(), headers=HTMX)

    assert response.status_code == 200
    assert text(response).lstrip().startswith('<div class="asked" role="status"')
    assert "<html" not in text(response)
    assert Subscriber.objects.get().email == ADA


def test_htmx_gets_only_the_form_with_its_error_and_values(browser):
    response = browser.post(
        SUBSCRIBE, factories.signup_form_data("ada", topics=["speech"]), headers=HTMX
    )

    assert response.status_code == 400
    assert "<html" not in text(response)
    assert 'id="email-error" role="alert"' in text(response)
    assert (value_of("email", response), 'value="speech" checked' in text(response)) == (
        "ada",
        True,
    )


@pytest.mark.parametrize("status", [None, *Status])
def test_no_mail_is_sent_during_the_request(browser, status, mailoutbox):
    """Sending would take longer for some addresses and so reveal who is subscribed."""
    if status:
        factories.subscriber(email=ADA, status=status)

    browser.post(SUBSCRIBE, factories.signup_form_data())

    assert mailoutbox == []
    assert Subscriber.objects.get().confirmation_requested_at == NOW


@pytest.mark.usefixtures("cheap_proof_of_work")
def test_a_proof_of_work_raises_the_limit(browser):
    def post_form(number: int, **fields: Any) -> HttpResponse:
        return browser.post(
            SUBSCRIBE, factories.signup_form_data(f"reader{number}@example.org", **fields)
        )

    without = [post_form(number).status_code for number in range(5)]
    proof = solve_challenge(browser.get("/subscribe/challenge/").json())
    with_proof, replayed = post_form(6, proof=proof), post_form(7, proof=proof)

    assert without == [303, 303, 303, 429, 429]
    assert (with_proof.status_code, replayed.status_code) == (303, 429)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_rate_limited_visitor_gets_a_waiting_time_and_keeps_the_form(browser, headers):
    for number in range(3):
        browser.post(SUBSCRIBE, factories.signup_form_data(f"reader{number}@example.org"))

    response = browser.post(
        SUBSCRIBE, factories.signup_form_data(topics=["speech"]), headers=headers
    )

    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 3600
    assert "Please turn JavaScript on and reload this page" in text(response)
    assert "or try again in 60 minutes." in text(response)
    assert value_of("email", response) == ADA
    assert 'value="speech" checked' in text(response)


def test_every_challenge_is_new_and_not_cacheable(browser):
    first, second = (browser.get("/subscribe/challenge/") for _ in range(2))

    assert first.json() != second.json()
    assert "no-store" in first.headers["Cache-Control"]
    assert first.cookies == {}


@pytest.mark.parametrize("address", [EMBED, "/subscribe/embed/check-your-inbox/"])
def test_other_sites_may_frame_the_embedded_form(browser, address):
    response = browser.get(address)

    assert "frame-ancestors *;" in response.headers["Content-Security-Policy"] + ";"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in response.headers


@pytest.mark.parametrize("address", ["/", SUBSCRIBE, CHECK_INBOX])
def test_other_sites_may_not_frame_other_pages(browser, address):
    response = browser.get(address)

    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Frame-Options"] == "DENY"


def test_the_answer_to_the_embedded_form_can_be_framed(browser):
    response = browser.post(EMBED, factories.signup_form_data(form=FormKind.EMBED))

    assert (response.status_code, response.url) == (303, "/subscribe/embed/check-your-inbox/")
    assert "Check your inbox." in text(browser.get(response.url))
    assert Consent.objects.get().form == "embed"


@pytest.mark.services  # databases differ in what text they accept
def test_the_embedding_site_chooses_among_existing_topics(browser):
    response = browser.get(EMBED, {"topics": ["speech", "astrology", "\x00", "<script>"]})

    assert '<input type="hidden" name="topics" value="speech">' in text(response)
    assert text(response).count('name="topics"') == 1


def expired_token(purpose: Purpose, subscriber: Subscriber) -> str:
    with time_machine.travel(NOW - 365 * DAY, tick=False):
        return links.signed_token(purpose, subscriber)


@pytest.mark.parametrize(
    ("purpose", "status", "path_part"),
    [
        (Purpose.PREFERENCES, Status.ACTIVE, "preferences"),
        (Purpose.CONFIRM, Status.PENDING, "confirm"),
    ],
)
def test_an_expired_link_can_be_exchanged_for_a_new_one(
    browser, mailoutbox, django_capture_on_commit_callbacks, purpose, status, path_part
):
    ada = factories.subscriber(email=ADA, status=status)
    token = expired_token(purpose, ada)
    page = browser.get(reverse(f"subscribers:{purpose}", args=[token]))
    assert page.status_code == 400
    assert f'<form method="post" action="/fresh-link/{token}/">' in text(page)

    with django_capture_on_commit_callbacks(execute=True):
        response = browser.post(f"/fresh-link/{token}/")

    assert (response.status_code, response.url) == (303, CHECK_INBOX)
    [message] = mailoutbox
    assert message.to == [ADA]
    assert f"/{path_part}/" in message.body


@pytest.mark.parametrize("token_kind", ["left", "erased", "garbage", "huge", "unsubscribe"])
def test_requesting_a_new_link_reveals_nothing(
    browser, mailoutbox, django_capture_on_commit_callbacks, token_kind
):
    ada = factories.subscriber(email=ADA)
    token = expired_token(Purpose.PREFERENCES, ada)
    match token_kind:
        case "left":
            lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW)
        case "erased":
            ada.delete()
        case "unsubscribe":
            token = links.signed_token(Purpose.UNSUBSCRIBE, ada)
    token = {"garbage": "a.b.c", "huge": "x" * 5000}.get(token_kind, token)

    with django_capture_on_commit_callbacks(execute=True):
        response = browser.post(f"/fresh-link/{token}/")

    assert (response.status_code, response.url) == (303, CHECK_INBOX)
    assert mailoutbox == []


def test_new_links_count_against_the_limit_of_the_address(
    browser, mailoutbox, django_capture_on_commit_callbacks
):
    token = expired_token(Purpose.PREFERENCES, factories.subscriber(email=ADA))

    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(5):
            browser.post(f"/fresh-link/{token}/")

    assert len(mailoutbox) == 1


def test_opening_the_url_for_a_new_link_sends_nothing(browser):
    token = expired_token(Purpose.PREFERENCES, factories.subscriber(email=ADA))

    responses = [browser.get(f"/fresh-link/{token}/"), browser.head(f"/fresh-link/{token}/")]

    assert [response.status_code for response in responses] == [405, 405]
    assert Subscriber.objects.get().confirmation_requested_at is None
