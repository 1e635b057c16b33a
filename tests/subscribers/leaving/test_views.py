"""subscribers/leaving/views.py"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from subscribers.mail import links
from subscribers.mail import message as mail_message
from subscribers.mail.links import Purpose
from subscribers.models import Preferences, Subscriber, Suppression
from subscribers.signup import lifecycle
from tests import factories

pytestmark = pytest.mark.django_db

Status, Reason = Subscriber.Status, Subscriber.LeftReason
NOW = factories.NOW
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ADA = "ada@example.org"
SUBSCRIBE = "/subscribe/"
PAGES = {
    Purpose.CONFIRM: Status.PENDING,
    Purpose.PREFERENCES: Status.ACTIVE,
    Purpose.UNSUBSCRIBE: Status.ACTIVE,
    Purpose.RESUBSCRIBE: Status.LEFT,
}


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


@pytest.fixture
def ada():
    ada = factories.subscriber(email=ADA, topics=["robotics"])
    ada.reschedule_digest(NOW)
    return ada


def path(purpose: Purpose, subscriber: Subscriber) -> str:
    return reverse(f"subscribers:{purpose}", args=[links.signed_token(purpose, subscriber)])


def all_rows() -> list[Any]:
    """Return all rows, to check that nothing has changed."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Subscriber, Preferences, Preferences.topics.through, Suppression)
    ]


def text(response: HttpResponse) -> str:
    return response.content.decode()


@pytest.mark.parametrize("method", ["get", "head", "options"])
@pytest.mark.parametrize("purpose", PAGES)
def test_opening_a_link_changes_nothing_at_all(browser, purpose, method):
    subscriber = factories.subscriber(status=PAGES[purpose], topics=["robotics"])
    if PAGES[purpose] == Status.LEFT:
        Subscriber.objects.update(left_at=NOW)
    before = all_rows()

    response = getattr(browser, method)(path(purpose, subscriber))

    assert response.status_code in {200, 405}
    assert all_rows() == before


@pytest.mark.parametrize("purpose", PAGES)
def test_a_page_behind_a_link_is_private(browser, purpose):
    subscriber = factories.subscriber(status=PAGES[purpose])

    response = browser.get(path(purpose, subscriber))

    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Robots-Tag"] == "noindex"


@pytest.mark.parametrize("purpose", PAGES)
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("token", ["x" * 5000, "%F0%9F"], ids=["long", "invalid UTF-8"])
def test_an_invalid_link_changes_nothing_and_causes_no_server_error(
    browser, purpose, method, token
):
    factories.subscriber()
    before = all_rows()

    response = getattr(browser, method)(f"/{purpose}/{token}/")

    one_click = (purpose, method) == (Purpose.UNSUBSCRIBE, "post")
    no_page = (purpose, method) == (Purpose.RESUBSCRIBE, "get")
    assert response.status_code == (200 if one_click else 405 if no_page else 400)
    assert all_rows() == before


@pytest.mark.parametrize("purpose", [Purpose.CONFIRM, Purpose.PREFERENCES, Purpose.RESUBSCRIBE])
def test_an_expired_link_is_reported_and_changes_nothing(browser, purpose):
    subscriber = factories.subscriber(status=PAGES[purpose])
    address, before = path(purpose, subscriber), all_rows()

    with time_machine.travel(NOW + 365 * DAY, tick=False):
        response = browser.post(address, {})

    assert response.status_code == 400
    assert response.context["expired"]
    assert all_rows() == before


def test_the_button_confirms_and_redirects_to_the_preferences(browser):
    ada = factories.subscriber(email=ADA, status=Status.PENDING)
    address = path(Purpose.CONFIRM, ada)
    assert '<form method="post">' in text(browser.get(address))

    response = browser.post(address)

    assert response.status_code == 303
    ada.refresh_from_db()
    assert (ada.status, ada.confirmed_at) == ("active", NOW)
    page = browser.get(response.url)
    assert (page.status_code, page.context["subscriber"], page.context["welcome"]) == (
        200,
        ada,
        True,
    )


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_used_confirmation_link_shows_already_confirmed(browser, method):
    ada = factories.subscriber(status=Status.PENDING)
    address = path(Purpose.CONFIRM, ada)
    browser.post(address)
    before = all_rows()

    response = getattr(browser, method)(address)

    assert response.status_code == 200
    assert response.templates[0].name == "subscribers/already_confirmed.html"
    assert links.signed_token(Purpose.PREFERENCES, ada) not in text(response)
    assert all_rows() == before


def test_an_old_confirmation_link_does_not_resubscribe(browser):
    ada = factories.subscriber(status=Status.PENDING)
    address = path(Purpose.CONFIRM, ada)
    lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW)

    assert browser.post(address).status_code == 400

    assert not Subscriber.objects.mailable().exists()


ONE_CLICK = "List-Unsubscribe=One-Click"
MULTIPART = (
    "--frontier\r\nContent-Disposition: form-data; name=List-Unsubscribe\r\n\r\n"
    "One-Click\r\n--frontier--\r\n"
)
BODIES = {
    "urlencoded": (ONE_CLICK, "application/x-www-form-urlencoded"),
    "multipart": (MULTIPART, "multipart/form-data; boundary=frontier"),
    "empty": ("", ""),
    "no content type": (ONE_CLICK, ""),
    "JSON": ("{}", "application/json"),
    "another charset": (ONE_CLICK, "application/x-www-form-urlencoded; charset=utf-16"),
    "truncated": (MULTIPART[:40], "multipart/form-data; boundary=frontier"),
    "no boundary": (MULTIPART, "multipart/form-data"),
    "many fields": ("a=b&" * 2000, "application/x-www-form-urlencoded"),
    "too large": ("x" * 6_000_000, "application/x-www-form-urlencoded"),
}


@pytest.mark.parametrize("body", BODIES)
def test_one_click_unsubscribes_with_any_body(browser, ada, body):
    content, content_type = BODIES[body]

    response = browser.post(path(Purpose.UNSUBSCRIBE, ada), content, content_type=content_type)

    assert response.status_code == 200
    ada.refresh_from_db()
    assert (ada.status, ada.left_at, ada.next_digest_at) == ("left", NOW, None)


@pytest.mark.parametrize("token_kind", ["active", "left", "erased", "tampered", "foreign"])
@pytest.mark.parametrize("body", ["urlencoded", "multipart"])
def test_one_click_gets_the_same_answer_for_every_token(browser, ada, token_kind, body):
    token = links.signed_token(Purpose.UNSUBSCRIBE, ada)
    match token_kind:
        case "left":
            lifecycle.leave(ada, Reason.BOUNCED, NOW)
        case "erased":
            ada.delete()
        case "tampered":
            token = token[:-1] + ("A" if token[-1] != "A" else "B")
        case "foreign":
            token = links.signed_token(Purpose.CONFIRM, ada)
    content, content_type = BODIES[body]

    response = browser.post(f"/unsubscribe/{token}/", content, content_type=content_type)

    assert (response.status_code, response.content) == (200, b"You are unsubscribed.\n")
    assert response.cookies == {}


@pytest.mark.parametrize("secure", [False, True])
def test_the_url_of_the_header_is_not_redirected(browser, ada, secure, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    address = links.signed_url(Purpose.UNSUBSCRIBE, ada).removeprefix(settings.SITE_URL)

    response = browser.post(address, *BODIES["urlencoded"], secure=secure)

    assert response.status_code == 200


def test_the_header_of_a_mail_follows_rfc_8058(browser, ada, settings):
    """The header's own URL accepts both form encodings, and only POST changes anything."""
    header = mail_message.build_message("already", ada, {"preferences_url": "x"}).extra_headers[
        "List-Unsubscribe"
    ]
    address = header.partition(">")[0].removeprefix(f"<{settings.SITE_URL}")

    for method in ("get", "head", "options"):
        before = all_rows()
        assert getattr(browser, method)(address).status_code in {200, 405}
        assert all_rows() == before
    for body in ("urlencoded", "multipart"):
        Subscriber.objects.update(status="active", left_at=None, left_reason="")
        content, content_type = BODIES[body]
        response = browser.post(address, content, content_type=content_type)
        assert (response.status_code, response.cookies, "Location" in response) == (200, {}, False)
        assert Subscriber.objects.get().left_reason == "unsubscribed"


def test_unsubscribing_twice_is_harmless(browser, ada):
    for _ in range(2):
        assert browser.post(path(Purpose.UNSUBSCRIBE, ada)).status_code == 200


def test_the_button_unsubscribes_and_offers_to_rejoin(browser, ada):
    address = path(Purpose.UNSUBSCRIBE, ada)
    assert '<form method="post">' in text(browser.get(address))

    page = browser.post(address)

    assert page.status_code == 200
    ada.refresh_from_db()
    assert ada.status == Status.LEFT
    rejoin_url = reverse("subscribers:resubscribe", args=[page.context["resubscribe_token"]])
    assert rejoin_url in text(page)

    response = browser.post(rejoin_url)

    assert response.status_code == 303
    ada.refresh_from_db()
    assert (ada.status, ada.next_digest_at) == ("active", NOW + HOUR)
    assert browser.get(response.url).context["welcome"]


def test_rejoining_is_not_offered_after_a_day(browser, ada):
    lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW - DAY)

    page = browser.post(path(Purpose.UNSUBSCRIBE, ada))

    assert (page.status_code, "resubscribe_token" in page.context) == (200, False)


def test_rejoining_is_refused_when_it_needs_a_confirmation(browser, ada):
    address = path(Purpose.RESUBSCRIBE, ada)
    lifecycle.leave(ada, Reason.COMPLAINED, NOW)

    assert browser.post(address).status_code == 400

    assert not Subscriber.objects.mailable().exists()


def test_an_erased_reader_sees_the_unsubscribed_page(browser, ada):
    address = path(Purpose.UNSUBSCRIBE, ada)
    ada.delete()

    assert browser.get(address).status_code == 200
    assert browser.post(address).status_code == 200


@pytest.mark.parametrize(
    ("purpose", "queries"),
    [(Purpose.CONFIRM, 1), (Purpose.PREFERENCES, 7), (Purpose.UNSUBSCRIBE, 1)],
)
@pytest.mark.parametrize("topics", [1, 3])
def test_a_page_costs_the_same_for_any_number_of_topics(
    browser, purpose, queries, topics, django_assert_num_queries
):
    slugs = [f"topic-{number}" for number in range(topics)]
    subscriber = factories.subscriber(status=PAGES[purpose], topics=slugs)
    address = path(purpose, subscriber)

    with django_assert_num_queries(queries):
        browser.get(address)
