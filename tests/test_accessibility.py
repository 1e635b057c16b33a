"""Every kind of page in a real browser: axe-core finds nothing, and nothing is wider than a phone."""

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
# No colour depends on a width, so two looks are both schemes at both widths.
LOOKS: list[tuple[Literal["light", "dark"], int]] = [("light", 1280), ("dark", 360)]
# A mail is shown within a page of the reader's mail program, which has these.
NOT_OF_MAILS = {rule: {"enabled": False} for rule in ("landmark-one-main", "region")}
NARROWEST = 320


@pytest.fixture(autouse=True)
def a_laptop(
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
    """Every kind of page, with what is hardest to fit."""
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
    for asking in (reader, newcomer):
        lifecycle.request_confirmation(asking.email, (), "", factories.NOW)
    tasks.dispatch()

    def link(purpose: Purpose, whose: Subscriber = reader) -> str:
        return f"/{purpose}/{links.signed_token(purpose, whose)}/"

    voices = factories.topic("voices")
    with time_machine.travel("2025-01-01"):
        too_old = link(Purpose.PREFERENCES)
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
        "an old link": too_old,
        "no such page": "/nowhere/",
        "the API": "/api/v1/",
        "mailbox": "/mailbox/",
        "a mail": f"{mails['confirmation']}?show=text",
    }


def findings(page: Page, address: str) -> list[str]:
    """What is wrong with a page, in both looks; one load."""
    page.goto(address)
    if page.locator("#preview").count():
        page.locator(".preview-papers a").first.wait_for()
    return looked_at(page)


def looked_at(page: Page, rules: dict[str, Any] | None = None) -> list[str]:
    """With everything unfolded that can be."""
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.evaluate(Axe().axe_script)
    options = {"resultTypes": ["violations"], "rules": rules or {}}
    found = []
    for scheme, width in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        said = page.evaluate("options => axe.run(options)", options)
        found += [
            f"{scheme}, {width}: {each['id']} {node['html'][:120]}"
            for each in said["violations"]
            for node in each["nodes"]
        ]
    page.set_viewport_size({"width": NARROWEST, "height": 800})
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*found, f"{wider} pixels too wide"] if wider > 0 else found


def test_no_page_shuts_anybody_out_in_light_or_dark_on_a_phone_or_a_desk(
    open_tab: Callable[..., Tab], pages: dict[str, str], settings: Any
) -> None:
    tab = open_tab()
    found: dict[str, list[str]] = {}
    for kind, address in pages.items():
        settings.DEBUG = kind in {"mailbox", "a mail"}  # a laptop's
        found[kind] = tab(partial(findings, address=address))

    assert {kind: what for kind, what in found.items() if what} == {}


@pytest.mark.usefixtures("pages")
def test_no_mail_shuts_anybody_out(open_tab: Callable[..., Tab]) -> None:
    def look(page: Page, mail: mailbox.Mail) -> list[str]:
        page.set_content(mail.html)
        return looked_at(page, NOT_OF_MAILS)

    mails = [mailbox.read_message(mail.name) for mail in mailbox.list_messages()]
    tab = open_tab()
    found = {mail.kind: tab(partial(look, mail=mail)) for mail in mails}

    assert found == {"digest": [], "already": [], "confirmation": []}


@pytest.mark.parametrize(
    ("kind", "mistake", "button"),
    [("preferences", "#id_categories", "Save"), ("unsubscribe", "", "Unsubscribe")],
    ids=["mistakes are marked", "who has left is asked why"],
)
def test_what_a_form_answers_shuts_nobody_out(
    open_tab: Callable[..., Tab], pages: dict[str, str], kind: str, mistake: str, button: str
) -> None:
    def answer(page: Page) -> list[str]:
        page.goto(pages[kind])
        if mistake:
            page.fill(mistake, "no such thing")
        page.get_by_role("button", name=button, exact=True).first.click()
        page.locator("main .error, main .farewell").first.wait_for()
        return looked_at(page)

    assert open_tab()(answer) == []
