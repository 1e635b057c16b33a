"""A reader's whole journey in a real browser: with scripts, without, and by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import time_machine

from newsletter import tasks
from newsletter.delivery import mailbox
from newsletter.editions import publish
from newsletter.models import Delivery
from subscribers.models import Follow, Subscriber, TopicChoice, UnsubscribeFeedback, Vote
from subscribers.signup import abuse_protection
from tests import factories
from tests.browser import Tab
from tests.browser_input import KeyboardUser, MouseUser

pytestmark = pytest.mark.django_db(transaction=True)

SIX, DAY = factories.NOW, factories.TODAY
RETURN_DATE = DAY + timedelta(days=2)  # from a holiday
ADA = "ada@example.org"


@dataclass(frozen=True)
class Setup:
    """How a person uses the pages."""

    user: type[MouseUser]
    scripts: bool


SETUPS = {
    "with a mouse and scripts": Setup(MouseUser, scripts=True),
    "without scripts": Setup(MouseUser, scripts=False),
    "by keyboard": Setup(KeyboardUser, scripts=True),
}


@pytest.fixture(autouse=True)
def file_mailbox_settings(
    settings: Any, tmp_path: Path, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep mail in a folder that the site shows, with links that lead to this server."""
    settings.DEBUG = True
    settings.EMAIL_PROVIDER = "file"
    settings.EMAIL_BACKEND = "newsletter.delivery.mailbox.EmailBackend"
    settings.MAILBOX_DIR = tmp_path
    settings.SITE_URL = live_server.url
    # A program fills in a form faster than a person.
    monkeypatch.setattr(abuse_protection, "MIN_FILL_TIME", timedelta(seconds=-1))


def sent(kind: str) -> list[mailbox.Mail]:
    return [mail for mail in mailbox.list_messages() if mail.kind == kind]


def create_papers() -> None:
    factories.paper(title="Robots that fold", topics=["robotics"], upvotes=40)
    factories.paper(title="Robots that sing", topics=["robotics", "speech"], upvotes=90)
    factories.paper(title="Compilers that dream", authors=["Grace Hopper"], upvotes=10)
    factories.paper(title="How proteins fold", topics=["biology"], upvotes=8)
    factories.paper(title="Cities from above", topics=["vision"], upvotes=99)


def create_later_paper() -> None:
    factories.paper(
        title="Robots that knit",
        topics=["robotics", "agents"],
        abstract="Knitting is hard. " * 40 + "The last sentence.",
        listed_on=DAY + timedelta(days=1),
        upvotes=30,
    )


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS.keys())
def test_sign_up_confirm_choose_read_vote_and_leave(
    setup: Setup, open_tab: Callable[..., Tab]
) -> None:
    create_papers()
    tab = open_tab(scripts=setup.scripts, timezone_id="Europe/Berlin")

    def do(action: Callable[..., Any], *arguments: Any) -> Any:
        return tab(lambda page: action(setup.user(page), *arguments))

    at = partial(time_machine.travel, tick=True)
    with at(SIX):
        publish.publish_edition(DAY, at=SIX)
        assert "asked" in do(join) if setup.scripts else "/check-your-inbox/" in do(join)
        ada = Subscriber.objects.get()
        assert (ada.email, ada.status) == (ADA, Subscriber.Status.PENDING)
        assert attitudes(ada) == {"robotics": "follow"}
        zone = ada.preferences.timezone
        assert zone == ("Europe/Berlin" if setup.scripts else "UTC")

        [confirmation] = sent("confirmation")
        do(open_mail, confirmation, "Confirm my subscription")
        ada.refresh_from_db()
        assert ada.status == Subscriber.Status.PENDING  # opening the link does not confirm
        assert "Welcome." in do(press_button, "Confirm my subscription")
        ada.refresh_from_db()
        assert ada.status == Subscriber.Status.ACTIVE

        before, after = do(choose, setup)
        assert before == ["Robots that sing", "Robots that fold"]
        assert after == ["Robots that fold", "Compilers that dream", "How proteins fold"]
        assert attitudes(ada) == {"robotics": "follow"}  # a preview saves nothing
        assert "Saved." in do(press_button, "Save")
        preferences = Subscriber.objects.get().preferences
        assert attitudes(ada) == {"robotics": "prefer", "speech": "mute"}
        assert set(Follow.objects.values_list("kind", "key")) == {
            ("author", "hopper grace"),
            ("keyword", "protein"),
        }
        assert (preferences.length, preferences.detail, preferences.paused_until) == (
            5,
            "full",
            RETURN_DATE,
        )
        seven = datetime(
            RETURN_DATE.year, RETURN_DATE.month, RETURN_DATE.day, 7, tzinfo=preferences.zone
        )
        assert Subscriber.objects.get().next_digest_at == seven

    with at(SIX + timedelta(hours=6)):
        tasks.dispatch()
        assert sent("digest") == []  # on holiday

    with at(SIX + timedelta(days=2, hours=2)):
        create_later_paper()
        publish.publish_edition(RETURN_DATE, at=SIX + timedelta(days=2))
        tasks.dispatch()
        [digest] = sent("digest")
        text = mailbox.read_message(digest.name).text
        assert ("Robots that knit" in text, "The last sentence." in text) == (True, True)

        do(open_mail, digest, "More like this")
        assert Vote.objects.count() == 0
        assert "More like this." in do(press_button, "More like this")
        assert list(Vote.objects.values_list("paper__title", "verb")) == [
            ("Robots that knit", "more")
        ]
        do(open_mail, digest, "Mute Agents")
        assert "Agents is muted." in do(press_button, "Mute Agents")
        assert attitudes(ada)["agents"] == "mute"

        do(open_mail, digest, "Unsubscribe")
        assert "You are unsubscribed." in do(press_button, "Unsubscribe")
        assert Subscriber.objects.get().left_reason == Subscriber.LeftReason.UNSUBSCRIBED
        assert "Welcome." in do(press_button, "Subscribe again")
        assert Subscriber.objects.get().status == Subscriber.Status.ACTIVE

        do(open_mail, digest, "Unsubscribe")
        do(press_button, "Unsubscribe")
        assert "Thank you." in do(answer_exit_survey)
        assert list(UnsubscribeFeedback.objects.values_list("reason", "words")) == [
            ("no_time", "It was good while it lasted.")
        ]
        assert Subscriber.objects.get().status == Subscriber.Status.LEFT

    with at(SIX + timedelta(days=3, hours=2)):
        factories.paper(
            title="Robots too late", topics=["robotics"], listed_on=RETURN_DATE, upvotes=50
        )
        publish.publish_edition(RETURN_DATE + timedelta(days=1), at=SIX + timedelta(days=3))
        tasks.dispatch()
        assert sent("digest") == [digest]
        assert Delivery.objects.count() == 1


def attitudes(reader: Subscriber) -> dict[str, str]:
    choices = TopicChoice.objects.filter(preferences__subscriber=reader)
    return dict(choices.values_list("topic__slug", "attitude"))


def heading(user: MouseUser) -> str:
    """Return the note, if there is one, and the heading of the page."""
    return " ".join(user.page.locator("main .note, main h1").all_inner_texts())


def press_button(user: MouseUser, name: str) -> str:
    with user.page.expect_navigation():
        user.press(user.button(name))
    return heading(user)


def join(user: MouseUser) -> str:
    """Sign up; return the focused element with scripts, or the URL without."""
    user.page.goto("/")
    user.fill(user.page.get_by_label("Email address"), ADA)
    user.check_option("topics", "robotics")
    user.press(user.button("Subscribe"))
    user.page.get_by_text("Check your inbox.").wait_for()
    focused = user.page.evaluate("document.activeElement.className")
    return str(focused) or user.page.url


def open_mail(user: MouseUser, mail: mailbox.Mail, link: str) -> None:
    user.page.goto(f"/mailbox/{mail.name}/body/")
    with user.page.expect_navigation():
        user.press(user.link(link))


def choose(user: MouseUser, setup: Setup) -> tuple[list[str], list[str]]:
    """Change the form without saving; return the papers of the preview before and after."""
    page = user.page
    shown = page.locator(".preview-papers a")
    if not setup.scripts:
        press_button(user, "Preview")
    shown.nth(1).wait_for()
    before = shown.all_inner_texts()
    user.check_option("attitudes-robotics", "prefer")
    user.press(page.locator(".unfold summary"))
    user.check_option("attitudes-speech", "mute")
    user.fill(page.get_by_label("Authors"), "Grace Hopper")
    user.fill(page.get_by_label("Keywords and phrases"), "proteins")
    user.fill_date(page.get_by_label("Pause until"), RETURN_DATE)
    user.fill(page.get_by_label("Papers in a digest"), "5")
    user.select(page.get_by_label("Of each paper"), "Full abstracts")
    if not setup.scripts:
        press_button(user, "Preview")
    page.locator(".preview-papers :text('How proteins fold')").wait_for()
    return before, shown.all_inner_texts()


def answer_exit_survey(user: MouseUser) -> str:
    user.check_option("reason", "no_time")
    user.fill(user.page.get_by_label("Anything else?"), "It was good while it lasted.")
    return press_button(user, "Send")
