"""The preferences page with its live preview, in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, sync_playwright

from subscribers import links
from subscribers.models import Subscriber, TopicChoice
from tests import make

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def reader() -> Subscriber:
    papers = [
        make.paper(title="Robots that fold", topics=["robotics"]),
        make.paper(title="Voices that sing", topics=["speech"]),
    ]
    make.edition(day=timezone.now().date(), papers=papers)
    return make.subscriber(topics=["robotics"])


@pytest.fixture
def browse(live_server: Any, reader: Subscriber) -> Iterator[Callable[..., Any]]:
    """Do something with the page, in a thread of its own: Playwright's loop and Django's differ."""
    token = links.token(links.Purpose.PREFERENCES, reader)

    def run(visit: Callable[[Page], Any], scripts: Any) -> Any:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            page = chromium.new_page(
                java_script_enabled=scripts, viewport={"width": 360, "height": 800}
            )
            complaints: list[str] = []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text))
            try:
                page.goto(f"{live_server.url}/preferences/{token}/")
                return visit(page), complaints
            finally:
                chromium.close()

    with ThreadPoolExecutor(1) as thread:
        yield lambda visit, scripts: thread.submit(run, visit, scripts).result()


def test_the_preview_follows_the_form_by_keyboard_and_nothing_is_saved(browse: Any) -> None:
    def visit(page: Page) -> list[Any]:
        titles = page.locator(".preview-papers a")
        titles.first.wait_for()
        before = titles.all_inner_texts()
        page.locator("[name=attitudes-robotics][value=follow]").focus()
        page.keyboard.press("ArrowRight")  # prefer
        page.keyboard.press("ArrowRight")  # mute
        page.get_by_text("Voices that sing").wait_for()
        after = titles.all_inner_texts()
        page.fill("#id_categories", "cs.ROB")
        page.get_by_text("Did you mean Robotics (cs.RO)").first.wait_for()
        return [before, after, Axe().run(page).violations_count]

    (before, after, violations), complaints = browse(visit, True)  # noqa: FBT003

    assert (before, after) == (["Robots that fold"], ["Voices that sing"])
    assert (violations, complaints) == (0, [])
    assert TopicChoice.objects.get().attitude == "follow"


def test_without_scripts_a_button_previews_and_another_saves(browse: Any) -> None:
    def visit(page: Page) -> list[str]:
        page.locator("summary").click()
        page.locator("label").filter(
            has=page.locator("[name=attitudes-speech][value=follow]")
        ).click()
        page.get_by_role("button", name="Preview").click()
        shown = page.locator(".preview-papers a").all_inner_texts()
        page.get_by_role("button", name="Save").click()
        return [*shown, page.locator(".note").inner_text()]

    found, _ = browse(visit, False)  # noqa: FBT003

    assert found == ["Robots that fold", "Voices that sing", "Saved."]
    assert TopicChoice.objects.count() == 2
