"""The preferences page with its live preview, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from subscribers.mail import links
from subscribers.models import TopicChoice
from tests import factories
from tests.browser import Tab

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def settings_page(open_tab: Callable[..., Tab]) -> Callable[..., Tab]:
    """A reader of robotics opens their preferences, on the day of an edition."""
    papers = [
        factories.paper(title="Robots that fold", topics=["robotics"]),
        factories.paper(title="Voices that sing", topics=["speech"]),
    ]
    factories.edition(day=timezone.now().date(), papers=papers)
    token = links.signed_token(links.Purpose.PREFERENCES, factories.subscriber(topics=["robotics"]))

    def open_page(**options: Any) -> Tab:
        tab = open_tab(**options)
        tab(lambda page: page.goto(f"/preferences/{token}/"))
        return tab

    return open_page


def test_the_preview_updates_with_the_form_and_saves_nothing(settings_page):
    def act(page: Page) -> list[list[str]]:
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
        return [before, after]

    assert settings_page()(act) == [["Robots that fold"], ["Voices that sing"]]
    assert TopicChoice.objects.get().attitude == "follow"


def test_without_scripts_there_are_buttons_to_preview_and_to_save(settings_page):
    def act(page: Page) -> list[str]:
        page.locator("summary").click()
        page.locator("label").filter(
            has=page.locator("[name=attitudes-speech][value=follow]")
        ).click()
        page.get_by_role("button", name="Preview").click()
        titles = page.locator(".preview-papers a").all_inner_texts()
        page.get_by_role("button", name="Save").click()
        return [*titles, page.locator(".note").inner_text()]

    texts = settings_page(scripts=False)(act)

    assert texts == ["Robots that fold", "Voices that sing", "Saved."]
    assert TopicChoice.objects.count() == 2
