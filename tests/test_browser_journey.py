"""A reader from the first page to the last in a real browser: with scripts, without, by keyboard."""

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
BACK = DAY + timedelta(days=2)  # from a holiday
ADA = "ada@example.org"


@dataclass(frozen=True)
class Way:
    """How somebody uses the pages."""

    hand: type[MouseUser]
    scripts: bool


WAYS = {
    "with a mouse and scripts": Way(MouseUser, scripts=True),
    "without scripts": Way(MouseUser, scripts=False),
    "by keyboard": Way(KeyboardUser, scripts=True),
}


@pytest.fixture(autouse=True)
def a_laptop(
    settings: Any, tmp_path: Path, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mail lies in a folder with pages of its own, and its links lead to this very server."""
    settings.DEBUG = True
    settings.EMAIL_PROVIDER = "file"
    settings.EMAIL_BACKEND = "newsletter.delivery.mailbox.EmailBackend"
    settings.MAILBOX_DIR = tmp_path
    settings.SITE_URL = live_server.url
    # Programs type faster than people.
    monkeypatch.setattr(abuse_protection, "MIN_FILL_TIME", timedelta(seconds=-1))


def sent(kind: str) -> list[mailbox.Mail]:
    return [mail for mail in mailbox.list_messages() if mail.kind == kind]


def a_day_s_papers() -> None:
    factories.paper(title="Robots that fold", topics=["robotics"], upvotes=40)
    factories.paper(title="Robots that sing", topics=["robotics", "speech"], upvotes=90)
    factories.paper(title="Compilers that dream", authors=["Grace Hopper"], upvotes=10)
    factories.paper(title="How proteins fold", topics=["biology"], upvotes=8)
    factories.paper(title="Cities from above", topics=["vision"], upvotes=99)


def the_next_papers() -> None:
    factories.paper(
        title="Robots that knit",
        topics=["robotics", "agents"],
        abstract="Knitting is hard. " * 40 + "The last sentence.",
        listed_on=DAY + timedelta(days=1),
        upvotes=30,
    )


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_join_confirm_choose_read_say_and_leave(way: Way, open_tab: Callable[..., Tab]) -> None:
    a_day_s_papers()
    tab = open_tab(scripts=way.scripts, timezone_id="Europe/Berlin")

    def do(act: Callable[..., Any], *told: Any) -> Any:
        return tab(lambda page: act(way.hand(page), *told))

    at = partial(time_machine.travel, tick=True)
    with at(SIX):
        publish.publish_edition(DAY, at=SIX)
        assert "asked" in do(join) if way.scripts else "/check-your-inbox/" in do(join)
        ada = Subscriber.objects.get()
        assert (ada.email, ada.status) == (ADA, Subscriber.Status.PENDING)
        assert attitudes(ada) == {"robotics": "follow"}
        zone = ada.preferences.timezone
        assert zone == ("Europe/Berlin" if way.scripts else "UTC")

        [confirmation] = sent("confirmation")
        do(open_mail, confirmation, "Confirm my subscription")
        ada.refresh_from_db()
        assert ada.status == Subscriber.Status.PENDING  # to open it is not to press
        assert "Welcome." in do(press_button, "Confirm my subscription")
        ada.refresh_from_db()
        assert ada.status == Subscriber.Status.ACTIVE

        before, after = do(choose, way)
        assert before == ["Robots that sing", "Robots that fold"]
        assert after == ["Robots that fold", "Compilers that dream", "How proteins fold"]
        assert attitudes(ada) == {"robotics": "follow"}  # to look is not to save
        assert "Saved." in do(press_button, "Save")
        wanted = Subscriber.objects.get().preferences
        assert attitudes(ada) == {"robotics": "prefer", "speech": "mute"}
        assert set(Follow.objects.values_list("kind", "key")) == {
            ("author", "hopper grace"),
            ("keyword", "protein"),
        }
        assert (wanted.length, wanted.detail, wanted.paused_until) == (5, "full", BACK)
        seven = datetime(BACK.year, BACK.month, BACK.day, 7, tzinfo=wanted.zone)
        assert Subscriber.objects.get().next_digest_at == seven

    with at(SIX + timedelta(hours=6)):
        tasks.dispatch()
        assert sent("digest") == []  # on holiday

    with at(SIX + timedelta(days=2, hours=2)):
        the_next_papers()
        publish.publish_edition(BACK, at=SIX + timedelta(days=2))
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
        assert "Thank you." in do(say_why)
        assert list(UnsubscribeFeedback.objects.values_list("reason", "words")) == [
            ("no_time", "It was good while it lasted.")
        ]
        assert Subscriber.objects.get().status == Subscriber.Status.LEFT

    with at(SIX + timedelta(days=3, hours=2)):
        factories.paper(title="Robots too late", topics=["robotics"], listed_on=BACK, upvotes=50)
        publish.publish_edition(BACK + timedelta(days=1), at=SIX + timedelta(days=3))
        tasks.dispatch()
        assert sent("digest") == [digest]
        assert Delivery.objects.count() == 1


def attitudes(reader: Subscriber) -> dict[str, str]:
    said = TopicChoice.objects.filter(preferences__subscriber=reader)
    return dict(said.values_list("topic__slug", "attitude"))


def heading(hand: MouseUser) -> str:
    """What a person sees first: the note, if there is one, and the heading."""
    return " ".join(hand.page.locator("main .note, main h1").all_inner_texts())


def press_button(hand: MouseUser, name: str) -> str:
    with hand.page.expect_navigation():
        hand.press(hand.button(name))
    return heading(hand)


def join(hand: MouseUser) -> str:
    """With scripts: where the focus is then; without: which page."""
    hand.page.goto("/")
    hand.fill(hand.page.get_by_label("Email address"), ADA)
    hand.check_option("topics", "robotics")
    hand.press(hand.button("Subscribe"))
    hand.page.get_by_text("Check your inbox.").wait_for()
    focused = hand.page.evaluate("document.activeElement.className")
    return str(focused) or hand.page.url


def open_mail(hand: MouseUser, mail: mailbox.Mail, link: str) -> None:
    hand.page.goto(f"/mailbox/{mail.name}/body/")
    with hand.page.expect_navigation():
        hand.press(hand.link(link))


def choose(hand: MouseUser, way: Way) -> tuple[list[str], list[str]]:
    """What the preview showed before and after; nothing is saved."""
    page = hand.page
    shown = page.locator(".preview-papers a")
    if not way.scripts:
        press_button(hand, "Preview")
    shown.nth(1).wait_for()
    before = shown.all_inner_texts()
    hand.check_option("attitudes-robotics", "prefer")
    hand.press(page.locator(".unfold summary"))
    hand.check_option("attitudes-speech", "mute")
    hand.fill(page.get_by_label("Authors"), "Grace Hopper")
    hand.fill(page.get_by_label("Keywords and phrases"), "proteins")
    hand.fill_date(page.get_by_label("Pause until"), BACK)
    hand.fill(page.get_by_label("Papers in a digest"), "5")
    hand.select(page.get_by_label("Of each paper"), "Full abstracts")
    if not way.scripts:
        press_button(hand, "Preview")
    page.locator(".preview-papers :text('How proteins fold')").wait_for()
    return before, shown.all_inner_texts()


def say_why(hand: MouseUser) -> str:
    hand.check_option("reason", "no_time")
    hand.fill(hand.page.get_by_label("Anything else?"), "It was good while it lasted.")
    return press_button(hand, "Send")
