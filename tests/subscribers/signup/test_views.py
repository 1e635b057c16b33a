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
ASKED = "/subscribe/check-your-inbox/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        factories.topic("robotics")
        factories.topic("speech")
        yield


@pytest.fixture
def browser():
    """One that would be refused if a page asked for a cookie or a CSRF token."""
    return Client(enforce_csrf_checks=True)


def text(response: HttpResponse) -> str:
    return response.content.decode()


def value_of(name: str, response: HttpResponse) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text(response))
    assert found, name
    return found[1]


def test_the_form_is_shown_to_anybody_and_to_caches(browser):
    response = browser.get(SUBSCRIBE)

    assert response.status_code == 200
    assert 'name="email"' in text(response)
    assert 'value="robotics"' in text(response)
    assert response.headers["Cache-Control"] == "public, max-age=60"
    assert (response.cookies, response.headers.get("Vary")) == ({}, None)


def test_joining_asks_for_confirmation_and_says_look_into_your_inbox(
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
def test_the_answer_is_the_same_whoever_is_known(browser, status, suppressed):
    if status:
        factories.subscriber(email=ADA, status=status)
    if suppressed:
        suppression.suppress(ADA, Suppression.Reason.COMPLAINED, NOW)

    response = browser.post(SUBSCRIBE, factories.signup_form_data("Ada@example.org"))

    assert (response.status_code, response.url) == (303, "/subscribe/check-your-inbox/")
    assert (response.content, response.cookies) == (b"", {})


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"email": ""}, "Please give your email address."),
        ({"email": "ada"}, "An email address must have an @-sign."),
        ({"email": "a" * 10_000 + "@example.org"}, "That is too long for an address"),
        ({"email": "ada@example.org\nBcc: eve@example.org"}, "An address has no line breaks"),
        ({"email": "ada@example.org, eve@example.org"}, "Please give one address, not several."),
        ({"email": "ada\x00@example.org"}, "Null characters are not allowed."),
        ({"email": ADA, "topics": ["astrology"]}, "One of these topics does not exist"),
        ({"email": ADA, "topics": ["ro\x00botics"]}, "Null characters are not allowed."),
    ],
)
def test_bad_input_is_answered_with_a_sentence_and_changes_nothing(browser, form, sentence):
    response = browser.post(SUBSCRIBE, factories.signup_form_data(**form))

    assert response.status_code == 400
    assert sentence in text(response)
    assert "no-store" in response.headers["Cache-Control"]
    assert not Subscriber.objects.exists()


def test_a_form_with_an_error_keeps_what_was_typed(browser):
    response = browser.post(SUBSCRIBE, factories.signup_form_data("<b>ada", topics=["speech"]))

    assert "&lt;b&gt;ada" in text(response)
    assert 'value="speech" checked' in text(response)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "x" * 10_000, "\x00"])
def test_an_unknown_time_zone_of_the_browser_is_utc(browser, zone):
    assert browser.post(SUBSCRIBE, factories.signup_form_data(timezone=zone)).status_code == 303

    assert Preferences.objects.get().timezone == "UTC"


@pytest.mark.parametrize("address", ["/", "/papers/", "/topics/", "/editions/", SUBSCRIBE, EMBED])
def test_every_page_has_the_form_and_a_cache_may_keep_it(browser, address):
    response = browser.get(address)

    assert value_of("seal", response)
    assert value_of("proof", response) == value_of("subject", response) == ""
    assert 'data-challenge="/subscribe/challenge/"' in text(response)
    assert response.headers["Cache-Control"] == "public, max-age=60"
    assert response.cookies == {}


def test_a_form_from_a_cache_is_good_for_everybody_who_gets_it(browser):
    seal = value_of("seal", browser.get(SUBSCRIBE))

    with time_machine.travel(NOW + DAY, tick=False):
        statuses = [
            browser.post(SUBSCRIBE, {"email": email, "seal": seal}).status_code
            for email in (ADA, "ben@example.org")
        ]

    assert statuses == [303, 303]


@pytest.mark.parametrize(
    ("later", "changed", "sentence"),
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
    ids=["quick", "stale", "trapped", "without a seal", "forged", "garbage"],
)
@pytest.mark.parametrize("address", [SUBSCRIBE, EMBED])
def test_what_no_person_would_send_is_asked_for_once_more(
    browser, address, later, changed, sentence
):
    form = {"email": ADA, "topics": ["speech"], "seal": value_of("seal", browser.get(address))}

    with time_machine.travel(NOW + later, tick=False):
        response = browser.post(address, form | changed)
        assert not Subscriber.objects.exists()
        # A person presses the button again, at once.
        form = {"email": value_of("email", response), "seal": value_of("seal", response)}
        second = browser.post(address, form)

    assert (response.status_code, second.status_code) == (400, 303)
    assert sentence.replace("'", "&#x27;") in text(response)
    assert value_of("subject", response) == ""
    assert Subscriber.objects.get().email == ADA


def test_a_plain_form_of_another_site_leads_to_one_more_press(browser):
    """docs/operators/embedding.md: without a seal, and from another origin."""
    form = {"email": ADA, "topics": ["speech"]}

    response = browser.post(SUBSCRIBE, form, headers={"Origin": "https://lab.example.org"})

    assert value_of("email", response) == ADA
    assert 'value="speech" checked' in text(response)
    assert browser.post(SUBSCRIBE, form | {"seal": value_of("seal", response)}).status_code == 303


def test_htmx_gets_the_answer_alone_to_put_in_the_form_s_place(browser):
    response = browser.post(SUBSCRIBE, factories.signup_form_data(), headers=HTMX)

    assert response.status_code == 200
    assert text(response).lstrip().startswith('<div class="asked" role="status"')
    assert "<html" not in text(response)
    assert Subscriber.objects.get().email == ADA


def test_htmx_gets_the_form_alone_with_its_error_and_what_was_typed(browser):
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
def test_nothing_is_sent_while_the_page_is_answered(browser, status, mailoutbox):
    """A mail is a task's work, so an answer takes no longer for one address than another."""
    if status:
        factories.subscriber(email=ADA, status=status)

    browser.post(SUBSCRIBE, factories.signup_form_data())

    assert mailoutbox == []
    assert Subscriber.objects.get().confirmation_requested_at == NOW


@pytest.mark.usefixtures("cheap_proof_of_work")
def test_with_a_proof_of_work_there_is_room_where_there_is_none_without(browser):
    def ask(number: int, **fields: Any) -> HttpResponse:
        return browser.post(
            SUBSCRIBE, factories.signup_form_data(f"reader{number}@example.org", **fields)
        )

    without = [ask(number).status_code for number in range(5)]
    proof = solve_challenge(browser.get("/subscribe/challenge/").json())
    with_proof, replayed = ask(6, proof=proof), ask(7, proof=proof)

    assert without == [303, 303, 303, 429, 429]
    assert (with_proof.status_code, replayed.status_code) == (303, 429)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_who_has_to_wait_is_told_how_long_and_loses_nothing(browser, headers):
    for number in range(3):
        browser.post(SUBSCRIBE, factories.signup_form_data(f"reader{number}@example.org"))

    response = browser.post(
        SUBSCRIBE, factories.signup_form_data(topics=["speech"]), headers=headers
    )

    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 3600
    assert "Turn JavaScript on, open the page anew" in text(response)
    assert "or try again in 60 minutes." in text(response)
    assert value_of("email", response) == ADA
    assert 'value="speech" checked' in text(response)


def test_a_challenge_is_new_for_everybody_and_kept_by_no_cache(browser):
    first, second = (browser.get("/subscribe/challenge/") for _ in range(2))

    assert first.json() != second.json()
    assert "no-store" in first.headers["Cache-Control"]
    assert first.cookies == {}


@pytest.mark.parametrize("address", [EMBED, "/subscribe/embed/check-your-inbox/"])
def test_other_sites_may_frame_the_form_that_is_made_for_them(browser, address):
    response = browser.get(address)

    assert "frame-ancestors *;" in response.headers["Content-Security-Policy"] + ";"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in response.headers


@pytest.mark.parametrize("address", ["/", SUBSCRIBE, ASKED])
def test_other_sites_may_frame_nothing_else(browser, address):
    response = browser.get(address)

    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Frame-Options"] == "DENY"


def test_the_answer_within_another_site_stays_within_its_frame(browser):
    response = browser.post(EMBED, factories.signup_form_data(form=FormKind.EMBED))

    assert (response.status_code, response.url) == (303, "/subscribe/embed/check-your-inbox/")
    assert "Check your inbox." in text(browser.get(response.url))
    assert Consent.objects.get().form == "embed"


def test_a_site_may_choose_the_topics_of_its_form_among_those_there_are(browser):
    response = browser.get(EMBED, {"topics": ["speech", "astrology", "\x00", "<script>"]})

    assert '<input type="hidden" name="topics" value="speech">' in text(response)
    assert text(response).count('name="topics"') == 1


def too_old(purpose: Purpose, subscriber: Subscriber) -> str:
    with time_machine.travel(NOW - 365 * DAY, tick=False):
        return links.signed_token(purpose, subscriber)


@pytest.mark.parametrize(
    ("purpose", "status", "word"),
    [
        (Purpose.PREFERENCES, Status.ACTIVE, "preferences"),
        (Purpose.CONFIRM, Status.PENDING, "confirm"),
    ],
)
def test_a_link_that_is_too_old_is_good_for_a_new_one(
    browser, mailoutbox, django_capture_on_commit_callbacks, purpose, status, word
):
    ada = factories.subscriber(email=ADA, status=status)
    token = too_old(purpose, ada)
    page = browser.get(reverse(f"subscribers:{purpose}", args=[token]))
    assert page.status_code == 400
    assert f'<form method="post" action="/fresh-link/{token}/">' in text(page)

    with django_capture_on_commit_callbacks(execute=True):
        response = browser.post(f"/fresh-link/{token}/")

    assert (response.status_code, response.url) == (303, ASKED)
    [message] = mailoutbox
    assert message.to == [ADA]
    assert f"/{word}/" in message.body


@pytest.mark.parametrize("whose", ["left", "erased", "garbage", "huge", "of leaving"])
def test_asking_for_a_fresh_link_tells_nothing(
    browser, mailoutbox, django_capture_on_commit_callbacks, whose
):
    ada = factories.subscriber(email=ADA)
    token = too_old(Purpose.PREFERENCES, ada)
    match whose:
        case "left":
            lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW)
        case "erased":
            ada.delete()
        case "of leaving":
            token = links.signed_token(Purpose.UNSUBSCRIBE, ada)
    token = {"garbage": "a.b.c", "huge": "x" * 5000}.get(whose, token)

    with django_capture_on_commit_callbacks(execute=True):
        response = browser.post(f"/fresh-link/{token}/")

    assert (response.status_code, response.url) == (303, ASKED)
    assert mailoutbox == []


def test_a_fresh_link_keeps_to_the_budget_of_the_address(
    browser, mailoutbox, django_capture_on_commit_callbacks
):
    token = too_old(Purpose.PREFERENCES, factories.subscriber(email=ADA))

    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(5):
            browser.post(f"/fresh-link/{token}/")

    assert len(mailoutbox) == 1


def test_a_scanner_that_opens_the_address_of_a_fresh_link_sends_nothing(browser):
    token = too_old(Purpose.PREFERENCES, factories.subscriber(email=ADA))

    statuses = [browser.get(f"/fresh-link/{token}/"), browser.head(f"/fresh-link/{token}/")]

    assert [each.status_code for each in statuses] == [405, 405]
    assert Subscriber.objects.get().confirmation_requested_at is None
