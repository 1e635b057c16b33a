"""static/js/signup.js and htmx, in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from subscribers import doors
from subscribers.models import Subscriber

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("light_work"),
]


@pytest.fixture
def browse(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Do something with a page, in a thread of its own: Playwright's loop and Django's rows differ.

    Only who has done the work may pass, and forms are good at once.
    """
    monkeypatch.setattr(doors, "UNPROVEN_PER_HOUSEHOLD", "0/hour")
    monkeypatch.setattr(doors, "QUICKEST", timedelta(seconds=-1))

    def run(visit: Callable[[Page, str], Any]) -> Any:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            page = chromium.new_page()
            complaints: list[str] = []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text))
            try:
                return visit(page, live_server.url), complaints
            finally:
                chromium.close()

    with ThreadPoolExecutor(1) as thread:
        yield lambda visit: thread.submit(run, visit).result()


def press(page: Page, email: str) -> None:
    page.fill("#email", email)
    page.press("#email", "Enter")


@pytest.mark.parametrize("path", ["/", "/subscribe/embed/"])
def test_the_work_is_done_and_the_answer_stands_where_the_form_was(browse, path):
    def visit(page: Page, url: str) -> tuple[str, str]:
        page.goto(url + path)
        press(page, "ada@example.org")
        page.wait_for_selector(".asked")
        return page.url, page.evaluate("document.activeElement.className")

    (address, focused), complaints = browse(visit)

    assert (address.endswith(path), focused, complaints) == (True, "asked", [])
    assert Subscriber.objects.get().email == "ada@example.org"


def test_a_mistake_is_marked_in_place_and_set_right_at_once(browse):
    def visit(page: Page, url: str) -> str:
        page.goto(f"{url}/subscribe/")
        press(page, "ada@nowhere")
        page.wait_for_selector("#email-error")
        focused = str(page.evaluate("document.activeElement.id"))
        page.wait_for_timeout(300)  # so that the next proof is there before the press
        press(page, "ada@example.org")
        page.wait_for_selector(".asked")
        return focused

    focused, _ = browse(visit)

    assert focused == "email"
    assert Subscriber.objects.get().email == "ada@example.org"
