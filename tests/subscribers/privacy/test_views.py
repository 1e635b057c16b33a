"""subscribers/privacy/views.py"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.test import Client
from django.urls import reverse

from subscribers import suppression
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.models import Subscriber
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOW
ADA = "ada@example.org"
PAGES = ["about_me", "erase"]


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def browser():
    """Return a client that enforces CSRF checks: the pages need neither a token nor a cookie."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def ada():
    return factories.subscriber(email=ADA, topics=["robotics"])


def path(page: str, reader: Subscriber) -> str:
    return reverse(f"subscribers:{page}", args=[links.signed_token(Purpose.PREFERENCES, reader)])


def all_rows() -> list[Any]:
    return [list(model._default_manager.order_by("pk").values()) for model in apps.get_models()]


def test_the_preferences_page_links_to_both(browser, ada):
    page = browser.get(path("preferences", ada)).content.decode()

    assert [f'href="{path(name, ada)}"' in page for name in PAGES] == [True, True]


def test_a_reader_can_download_their_data(browser, ada):
    factories.subscriber(email="ben@example.org")

    response = browser.get(path("about_me", ada))

    assert response["Content-Disposition"] == 'attachment; filename="about-me.json"'
    assert response["Content-Type"] == "application/json"
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    data = json.loads(response.content)
    assert (data["subscriber"]["email"], data["topics"]) == (ADA, {"robotics": "follow"})
    assert b"ben@" not in response.content
    assert not response.cookies


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_opening_a_link_changes_nothing(browser, ada, page, method):
    before = all_rows()

    getattr(browser, method)(path(page, ada))

    assert all_rows() == before


def test_erasing_takes_one_button_and_always_shows_the_same_page(browser, ada):
    link = path("erase", ada)
    assert b"keyed hash" in browser.get(link).content

    posts = [browser.post(link) for _ in range(2)]
    later = browser.get(link)
    bad_token = browser.post(reverse("subscribers:erase", args=["no-token"]))

    assert not Subscriber.objects.exists()
    assert suppression.is_suppressed(ADA)
    assert {response.status_code for response in [*posts, later, bad_token]} == {200}
    assert len({response.content for response in [*posts, later, bad_token]}) == 1
    assert b"No data is stored." in later.content
    assert not posts[0].cookies


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_expired_link_is_rejected(browser, ada, page, method):
    link = path(page, ada)

    with time_machine.travel(NOW + timedelta(days=200), tick=False):
        response = getattr(browser, method)(link)

    assert response.status_code == (405 if (page, method) == ("about_me", "post") else 400)
    assert Subscriber.objects.exists()


@pytest.mark.parametrize(
    "purpose", [purpose for purpose in Purpose if purpose != Purpose.PREFERENCES]
)
def test_a_link_for_another_purpose_neither_shows_nor_erases(browser, ada, purpose):
    token = links.signed_token(purpose, ada)

    download = browser.get(reverse("subscribers:about_me", args=[token]))
    question = browser.get(reverse("subscribers:erase", args=[token]))
    browser.post(reverse("subscribers:erase", args=[token]))

    assert (download.status_code, question.status_code) == (400, 400)
    assert ADA.encode() not in download.content + question.content
    assert Subscriber.objects.exists()


def test_a_reader_who_left_can_download_and_erase_their_data(browser):
    ada = factories.subscriber(email=ADA, status=Subscriber.Status.LEFT)

    assert browser.get(path("about_me", ada)).status_code == 200
    browser.post(path("erase", ada))

    assert not Subscriber.objects.exists()
