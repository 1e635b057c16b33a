"""Every kind of page in a real browser: no axe-core violation, and no sideways scrolling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from newsletter import tasks, views
from newsletter.delivery import mailbox, schedule
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.models import Subscriber
from subscribers.preferences import feedback
from subscribers.preferences.feedback import FeedbackAction
from subscribers.signup import lifecycle
from tests import factories
from tests.browser import Tab

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "Multilingual speech-to-speech-translation and voice"
# No colour depends on the width, so two combinations cover both schemes and both widths.
LOOKS: list[tuple[Literal["light", "dark"], int]] = [("light", 1280), ("dark", 360)]
# Rules about landmarks: a mail is shown inside the page of a mail program, which has them.
RULES_OFF_FOR_MAILS = {rule: {"enabled": False} for rule in ("landmark-one-main", "region")}
MIN_WIDTH = 320


@pytest.fixture(autouse=True)
def file_mailbox_settings(
    settings: Any, tmp_path: Path, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    settings.EMAIL_PROVIDER = "file"
    settings.EMAIL_BACKEND = "newsletter.delivery.mailbox.EmailBackend"
    settings.MAILBOX_DIR = tmp_path
    settings.SITE_URL = live_server.url
    monkeypatch.setattr(
        views, "MAX_DETAILED_PAPERS", 2
    )  # of an edition in full; the others are below them
    with time_machine.travel(factories.NOW, tick=True):
        yield


@pytest.fixture
def pages() -> dict[str, str]:
    """Return the address of every kind of page, with content that is hard to fit."""
    paper = factories.paper(
        title="A very-long-title-without-a-place-to-break-" * 3,
        abstract="We study things. " * 40,
        authors=[f"Ada-Augusta Lovelace the {number}th" for number in range(20)],
        topics=["speech", "robotics"],
        code_url="https://github.com/ada/engine",
        organization="The Institute for Very Long Names of Institutes",
        upvotes=1200,
    )
    factories.topic("voices", name=LONG)
    others = [factories.paper(topics=["voices"], upvotes=9) for _ in range(3)]
    factories.edition(
        day=factories.TODAY.replace(day=11), papers=[factories.paper(topics=["robotics"])]
    )
    edition = factories.edition(papers=[paper, *others])
    reader = factories.subscriber(
        topics=["robotics"],
        follows=[("category", "cs.RO", "cs.RO"), ("author", "noether emmy", "Emmy Noether")],
    )
    factories.vote(reader, paper)
    newcomer = factories.subscriber(status=Subscriber.Status.PENDING)
    schedule.open_unscheduled(edition, now=factories.NOW, subscriber_ids=[reader.pk])
    tasks.deliver(edition.pk)
    for subscriber in (reader, newcomer):
        lifecycle.request_confirmation(subscriber.email, (), "", factories.NOW)
    tasks.dispatch()

    def link(purpose: Purpose, subscriber: Subscriber = reader) -> str:
        return f"/{purpose}/{links.signed_token(purpose, subscriber)}/"

    voices = factories.topic("voices")
    with time_machine.travel("2025-01-01"):
        expired = link(Purpose.PREFERENCES)
    mails = {mail.kind: f"/mailbox/{mail.name}/" for mail in mailbox.list_messages()}
    assert mails.keys() == {"digest", "already", "confirmation"}
    return {
        "home": "/",
        "papers": "/papers/",
        "results": "/papers/?q=things",
        "no results": "/papers/?q=nowhere",
        "a paper": paper.get_absolute_url(),
        "topics": "/topics/",
        "a topic": voices.get_absolute_url(),
        "editions": "/editions/",
        "an edition": edition.get_absolute_url(),
        "subscribe": "/subscribe/",
        "embed": "/subscribe/embed/?topics=robotics",
        "embed, asked": "/subscribe/embed/check-your-inbox/",
        "check your inbox": "/subscribe/check-your-inbox/",
        "confirm": link(Purpose.CONFIRM, newcomer),
        "preferences": f"{link(Purpose.PREFERENCES)}?saved",
        "more like this": feedback.action_url(reader, FeedbackAction.MORE, paper.pk),
        "mute": feedback.action_url(reader, FeedbackAction.MUTE, voices.pk),
        "unsubscribe": link(Purpose.UNSUBSCRIBE),
        "thanks": "/farewell/",
        "a bad link": "/confirm/nonsense/",
        "an expired link": expired,
        "no such page": "/nowhere/",
        "the API": "/api/v1/",
        "mailbox": "/mailbox/",
        "a mail": f"{mails['confirmation']}?show=text",
    }


def load_and_inspect(page: Page, address: str) -> list[str]:
    """Load a page once, and return what is wrong with it."""
    page.goto(address)
    if page.locator("#preview").count():
        page.locator(".preview-papers a").first.wait_for()
    return inspect(page)


def inspect(page: Page, rules: dict[str, Any] | None = None) -> list[str]:
    """Return what is wrong with the current page, with all details open, in both schemes."""
    page.evaluate("document.querySelectorAll('details').forEach(element => element.open = true)")
    page.evaluate(Axe().axe_script)
    options = {"resultTypes": ["violations"], "rules": rules or {}}
    problems = []
    for scheme, width in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        report = page.evaluate("options => axe.run(options)", options)
        problems += [
            f"{scheme}, {width}: {violation['id']} {node['html'][:120]}"
            for violation in report["violations"]
            for node in violation["nodes"]
        ]
    page.set_viewport_size({"width": MIN_WIDTH, "height": 800})
    excess = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*problems, f"{excess} pixels too wide"] if excess > 0 else problems


def test_every_page_is_accessible_in_light_and_dark_on_phone_and_desktop(
    open_tab: Callable[..., Tab], pages: dict[str, str], settings: Any
) -> None:
    tab = open_tab()
    problems: dict[str, list[str]] = {}
    for kind, address in pages.items():
        settings.DEBUG = kind in {"mailbox", "a mail"}  # pages for development only
        problems[kind] = tab(partial(load_and_inspect, address=address))

    assert {kind: found for kind, found in problems.items() if found} == {}


@pytest.mark.usefixtures("pages")
def test_every_mail_is_accessible(open_tab: Callable[..., Tab]) -> None:
    def show(page: Page, mail: mailbox.Mail) -> list[str]:
        page.set_content(mail.html)
        return inspect(page, RULES_OFF_FOR_MAILS)

    mails = [mailbox.read_message(mail.name) for mail in mailbox.list_messages()]
    tab = open_tab()
    problems = {mail.kind: tab(partial(show, mail=mail)) for mail in mails}

    assert problems == {"digest": [], "already": [], "confirmation": []}


@pytest.mark.parametrize(
    ("kind", "mistake", "button"),
    [("preferences", "#id_categories", "Save"), ("unsubscribe", "", "Unsubscribe")],
    ids=["errors are marked", "the exit survey follows"],
)
def test_the_response_to_a_form_is_accessible(
    open_tab: Callable[..., Tab], pages: dict[str, str], kind: str, mistake: str, button: str
) -> None:
    def answer(page: Page) -> list[str]:
        page.goto(pages[kind])
        if mistake:
            page.fill(mistake, "no such thing")
        page.get_by_role("button", name=button, exact=True).first.click()
        page.locator("main .error, main .farewell").first.wait_for()
        return inspect(page)

    assert open_tab()(answer) == []
