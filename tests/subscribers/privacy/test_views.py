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
    """One that would be refused if a page asked for a cookie or a CSRF token."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def ada():
    return factories.subscriber(email=ADA, topics=["robotics"])


def address(page: str, ada: Subscriber) -> str:
    return reverse(f"subscribers:{page}", args=[links.signed_token(Purpose.PREFERENCES, ada)])


def everything() -> list[Any]:
    return [list(model._default_manager.order_by("pk").values()) for model in apps.get_models()]


def test_the_preferences_lead_to_both(browser, ada):
    page = browser.get(address("preferences", ada)).content.decode()

    assert [f'href="{address(name, ada)}"' in page for name in PAGES] == [True, True]


def test_a_reader_downloads_what_is_kept_about_them(browser, ada):
    factories.subscriber(email="ben@example.org")

    response = browser.get(address("about_me", ada))

    assert response["Content-Disposition"] == 'attachment; filename="about-me.json"'
    assert response["Content-Type"] == "application/json"
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    kept = json.loads(response.content)
    assert (kept["subscriber"]["email"], kept["topics"]) == (ADA, {"robotics": "follow"})
    assert b"ben@" not in response.content
    assert not response.cookies


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_a_program_that_opens_every_link_changes_nothing(browser, ada, page, method):
    before = everything()

    getattr(browser, method)(address(page, ada))

    assert everything() == before


def test_a_reader_is_erased_by_one_press_and_shown_the_same_page_ever_after(browser, ada):
    link = address("erase", ada)
    assert b"keyed hash" in browser.get(link).content

    pressed = [browser.post(link) for _ in range(2)]
    later = browser.get(link)
    unknown = browser.post(reverse("subscribers:erase", args=["no-token"]))

    assert not Subscriber.objects.exists()
    assert suppression.is_suppressed(ADA)
    assert {response.status_code for response in [*pressed, later, unknown]} == {200}
    assert len({response.content for response in [*pressed, later, unknown]}) == 1
    assert b"Nothing is kept." in later.content
    assert not pressed[0].cookies


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_is_too_old_opens_nothing(browser, ada, page, method):
    link = address(page, ada)

    with time_machine.travel(NOW + timedelta(days=200), tick=False):
        response = getattr(browser, method)(link)

    assert response.status_code == (405 if (page, method) == ("about_me", "post") else 400)
    assert Subscriber.objects.exists()


@pytest.mark.parametrize("purpose", [each for each in Purpose if each != Purpose.PREFERENCES])
def test_a_link_for_something_else_neither_shows_nor_erases(browser, ada, purpose):
    token = links.signed_token(purpose, ada)

    shown = browser.get(reverse("subscribers:about_me", args=[token]))
    asked = browser.get(reverse("subscribers:erase", args=[token]))
    browser.post(reverse("subscribers:erase", args=[token]))

    assert (shown.status_code, asked.status_code) == (400, 400)
    assert ADA.encode() not in shown.content + asked.content
    assert Subscriber.objects.exists()


def test_who_left_can_read_and_erase_what_is_kept_too(browser):
    gone = factories.subscriber(email=ADA, status=Subscriber.Status.LEFT)

    assert browser.get(address("about_me", gone)).status_code == 200
    browser.post(address("erase", gone))

    assert not Subscriber.objects.exists()
