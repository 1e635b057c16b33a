"""static/js/signup.js and htmx, in a real browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page

from subscribers.models import Subscriber
from subscribers.signup import abuse_protection

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("cheap_proof_of_work"),
]


@pytest.fixture(autouse=True)
def require_proof_of_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse requests without a proof, and accept forms at once."""
    monkeypatch.setattr(abuse_protection, "PER_IP_LIMIT_WITHOUT_POW", "0/hour")
    monkeypatch.setattr(abuse_protection, "MIN_FILL_TIME", timedelta(seconds=-1))


def submit_form(page: Page, email: str) -> None:
    page.fill("#email", email)
    page.press("#email", "Enter")


@pytest.mark.parametrize("path", ["/", "/subscribe/embed/"])
def test_the_script_solves_the_challenge_and_the_answer_replaces_the_form(open_tab, path):
    def act(page: Page) -> tuple[str, str]:
        page.goto(path)
        submit_form(page, "ada@example.org")
        page.wait_for_selector(".asked")
        return page.url, page.evaluate("document.activeElement.className")

    address, focused = open_tab()(act)

    assert (address.endswith(path), focused) == (True, "asked")
    assert Subscriber.objects.get().email == "ada@example.org"


def test_an_error_is_shown_in_place_and_can_be_corrected_at_once(open_tab):
    def act(page: Page) -> str:
        page.goto("/subscribe/")
        submit_form(page, "ada@nowhere")
        page.wait_for_selector("#email-error")
        focused = str(page.evaluate("document.activeElement.id"))
        page.wait_for_timeout(300)  # Wait for the next proof.
        submit_form(page, "ada@example.org")
        page.wait_for_selector(".asked")
        return focused

    focused = open_tab()(act)

    assert focused == "email"
    assert Subscriber.objects.get().email == "ada@example.org"
