"""subscribers/preferences/views.py"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.models import Follow, Preferences, Subscriber, TopicChoice, Vote
from subscribers.preferences import feedback
from subscribers.preferences.feedback import FeedbackAction
from subscribers.signup import lifecycle
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOW
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WANTED = {
    "attitudes-robotics": "",
    "attitudes-speech": "follow",
    "authors": "Emmy Noether\r\nLovelace, Ada",
    "keywords": "State space models, Mamba",
    "categories": ["cs.RO", "cs.lg; stat.ML"],
    "length": "5",
    "minimum": "2",
    "detail": "full",
    "frequency": "weekly",
    "weekday": "2",
    "hour": "18",
    "timezone": "Asia/Tokyo",
    "paused_until": "",
    "learning": "on",
}


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        factories.topic("robotics")
        factories.topic("speech")
        yield


@pytest.fixture
def browser():
    """One that would be refused if a page asked for a cookie or a CSRF token."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def ada():
    ada = factories.subscriber(topics=["robotics"])
    ada.reschedule_digest(NOW)
    return ada


def path(subscriber: Subscriber) -> str:
    token = links.signed_token(Purpose.PREFERENCES, subscriber)
    return reverse("subscribers:preferences", args=[token])


def everything() -> list[Any]:
    models = (Subscriber, Preferences, TopicChoice, Follow, Vote)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def text(response: HttpResponse) -> str:
    return response.content.decode()


def test_the_page_shows_what_is_chosen_and_when_the_next_digest_comes(browser, ada):
    Preferences.objects.update(timezone="Asia/Tokyo", hour=18)
    ada.follows.create(kind="author", key="noether e", label="E. Noether")
    ada.follows.create(kind="category", key="cs.RO", label="cs.RO")
    ada.reschedule_digest(NOW)

    response = browser.get(path(ada))

    assert response.status_code == 200
    page = text(response)
    checked = set(re.findall(r'name="(attitudes-\w+)" value="(\w*)" checked', page))
    assert checked == {("attitudes-robotics", "follow"), ("attitudes-speech", "")}
    assert re.search(r"<textarea[^>]*>\s*E. Noether</textarea>", page)
    assert 'name="categories" value="cs.RO" checked' in page
    assert '<option value="Asia/Tokyo" selected>' in page
    assert "Tuesday 12 May, 18:00" in page
    assert "/unsubscribe/" in page


def test_a_digest_that_is_due_already_comes_any_minute(browser, ada):
    Preferences.objects.update(hour=NOW.hour)
    ada.reschedule_digest(NOW + timedelta(minutes=20))

    with time_machine.travel(NOW + timedelta(minutes=20), tick=False):
        assert "any minute now" in text(browser.get(path(ada)))


def test_who_left_is_told_that_nothing_is_sent(browser, ada):
    lifecycle.leave(ada, Subscriber.LeftReason.UNSUBSCRIBED, NOW)

    page = text(browser.get(path(ada)))

    assert "You are not subscribed." in page
    assert 'href="/subscribe/"' in page


def test_choosing_keeps_everything_and_moves_the_next_digest(browser, ada):
    address = path(ada)

    response = browser.post(address, WANTED)

    assert (response.status_code, response.url) == (303, f"{address}?saved")
    assert browser.get(response.url).context["saved"]
    kept: dict[str, Any] = dict(Preferences.objects.values().get())
    assert {name: kept[name] for name in WANTED if name in kept} == {
        "length": 5,
        "minimum": 2,
        "detail": "full",
        "frequency": "weekly",
        "weekday": 2,
        "hour": 18,
        "timezone": "Asia/Tokyo",
        "paused_until": None,
        "learning": True,
    }
    assert list(TopicChoice.objects.values_list("topic__slug", "attitude")) == [
        ("speech", "follow")
    ]
    assert list(Follow.objects.order_by("pk").values_list("kind", "key", "label")) == [
        ("author", "noether emmy", "Emmy Noether"),
        ("author", "lovelace ada", "Lovelace, Ada"),
        ("keyword", "state space model", "State space models"),
        ("keyword", "mamba", "Mamba"),
        ("category", "cs.RO", "cs.RO"),
        ("category", "cs.LG", "cs.LG"),
        ("category", "stat.ML", "stat.ML"),
    ]
    ada.refresh_from_db()
    assert ada.next_digest_at == NOW + DAY + 3 * HOUR  # Wednesday, 18:00 in Tokyo


def test_what_the_page_shows_can_be_saved_again_without_a_change(browser, ada):
    browser.post(path(ada), WANTED)
    before = [
        list(model._default_manager.order_by("pk").values_list("label")) for model in (Follow,)
    ]
    form = browser.get(path(ada)).context["form"]
    shown = {
        "attitudes-speech": "follow",
        "categories": form["categories"].value(),
        **{name: form[name].value() or "" for name in WANTED if name in form.fields},
    }

    assert browser.post(path(ada), shown).status_code == 303

    assert before == [list(Follow.objects.order_by("pk").values_list("label"))]


def test_with_nothing_followed_everything_is_meant(browser, ada):
    nothing = {"attitudes-speech": "", "authors": "", "keywords": " \n,", "categories": ""}

    assert browser.post(path(ada), {**WANTED, **nothing}).status_code == 303

    assert not TopicChoice.objects.exists()
    assert not Follow.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"attitudes-astrology": "follow"}, "attitudes"),
        ({"attitudes-speech": "adore"}, "attitudes"),
        ({"attitudes-": "follow"}, "attitudes"),
        ({"authors": "Ada Lovelace\n???"}, "authors"),
        ({"authors": "\n".join(f"Ada Lovelace{n}" for n in range(51))}, "authors"),
        ({"authors": "A" * 201}, "authors"),
        ({"authors": "\ufdfa" * 199}, "authors"),
        ({"authors": "Ada\x00 Lovelace"}, "authors"),
        ({"keywords": "the"}, "keywords"),
        ({"keywords": ",".join(f"word{n}" for n in range(51))}, "keywords"),
        ({"keywords": " ".join(["\ufb03" * 45] * 4)}, "keywords"),
        ({"categories": "cs.ROB"}, "categories"),
        ({"categories": "\x00"}, "categories"),
        ({"categories": ["x" * 100_000]}, "categories"),
        ({"length": "2"}, "length"),
        ({"length": "21"}, "length"),
        ({"length": "9" * 5000}, "length"),
        ({"length": ""}, "length"),
        ({"minimum": "0"}, "minimum"),
        ({"minimum": "21"}, "minimum"),
        ({"detail": "everything"}, "detail"),
        ({"frequency": "hourly"}, "frequency"),
        ({"weekday": "7"}, "weekday"),
        ({"hour": "24"}, "hour"),
        ({"hour": "-1"}, "hour"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"timezone": ""}, "timezone"),
        ({"paused_until": "tomorrow"}, "paused_until"),
        ({"paused_until": "9999-12-31"}, "paused_until"),
        ({"paused_until": "2026-02-30"}, "paused_until"),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "replace").decode().replace("\x00", "0"),
)
def test_a_bad_choice_is_answered_with_a_sentence_and_changes_nothing(browser, ada, changed, field):
    before = everything()

    response = browser.post(path(ada), WANTED | changed)

    assert response.status_code == 400
    assert list(response.context["form"].errors) == [field]
    assert "Not saved yet." in text(response)
    assert everything() == before


def test_nothing_at_all_is_not_a_choice(browser, ada):
    assert browser.post(path(ada)).status_code == 400


def test_a_category_that_is_not_one_stays_in_its_line_with_a_proposal(browser, ada):
    response = browser.post(path(ada), WANTED | {"categories": ["cs.LG", "cs.ROB"]})

    page = text(response)
    assert "arXiv has no category “cs.ROB”. Did you mean Robotics (cs.RO)" in page
    assert 'name="categories" value="cs.LG" checked' in page
    assert 'value="cs.ROB"' in page


def test_a_pause_lasts_until_its_day_where_the_reader_lives(browser, ada):
    browser.post(
        path(ada), WANTED | {"frequency": "daily", "paused_until": "2026-06-01", "hour": "7"}
    )

    ada.refresh_from_db()
    assert ada.next_digest_at.isoformat() == "2026-05-31T22:00:00+00:00"
    assert Preferences.objects.get().paused_until == date(2026, 6, 1)
    assert 'value="2026-06-01"' in text(browser.get(path(ada)))


@pytest.mark.parametrize("past", ["2026-05-12", "2026-01-01", "0001-01-01"])
def test_a_pause_that_is_over_is_none(browser, ada, past):
    assert browser.post(path(ada), WANTED | {"paused_until": past}).status_code == 303

    assert Preferences.objects.get().paused_until is None


@pytest.mark.parametrize("many", [1, 3])
def test_a_page_costs_the_same_however_much_is_chosen(browser, many, django_assert_num_queries):
    reader = factories.subscriber(
        topics=[f"topic-{n}" for n in range(many)],
        follows=[("author", f"noether {n}", f"{n} Noether") for n in range(many)],
    )
    for _ in range(many):
        factories.vote(reader, factories.paper(topics=["topic-0"]))
    address = path(reader)

    # the reader, their preferences, attitudes, follows, topics, preferences as saved, votes
    with django_assert_num_queries(7):
        browser.get(address)


def test_what_votes_have_taught_is_shown_and_can_be_forgotten(browser, ada):
    for _ in range(3):
        factories.vote(ada, factories.paper(topics=["speech"]), "more")
    factories.vote(ada, factories.paper(topics=["robotics"]), "less")

    page = text(browser.get(path(ada)))
    assert re.findall(r"<li>(More|Less) of <strong>(\w+)</strong> <span>(.*?)</span>", page) == [
        ("More", "Speech", "+15%"),
        ("Less", "Robotics", "−8%"),
    ]

    response = browser.post(f"{path(ada)}forget-votes/")
    assert (response.status_code, response.url) == (303, f"{path(ada)}?forgotten")
    assert not Vote.objects.exists()
    assert "Nothing learned so far." in text(browser.get(response.url))


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_forgetting_takes_a_button(browser, ada, method):
    factories.vote(ada, factories.paper(topics=["speech"]))

    assert getattr(browser, method)(f"{path(ada)}forget-votes/").status_code == 405
    assert Vote.objects.exists()


# A word on one paper or topic


def word(reader: Subscriber, verb: FeedbackAction, number: int) -> str:
    return feedback.action_url(reader, verb, number).split("8000", 1)[1]


@pytest.fixture
def paper():
    return factories.paper(title="Robots <that> fold", topics=["robotics"])


@pytest.mark.parametrize("verb", FeedbackAction)
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_opening_a_word_changes_nothing_at_all(browser, ada, paper, verb, method):
    number = factories.topic("robotics").pk if verb == FeedbackAction.MUTE else paper.pk
    before = everything()

    response = getattr(browser, method)(word(ada, verb, number))

    assert response.status_code in {200, 405}
    assert everything() == before


@pytest.mark.parametrize("verb", [FeedbackAction.MORE, FeedbackAction.LESS])
def test_one_press_votes_and_another_takes_it_back(browser, ada, paper, verb):
    address = word(ada, verb, paper.pk)
    page = text(browser.get(address))
    assert page.count("<button") == 1
    assert "Robots &lt;that&gt; fold" in page

    done = browser.post(address)
    assert (done.status_code, done.url) == (303, f"{address}?before=")
    browser.post(address)
    vote = Vote.objects.get()
    assert (vote.subscriber, vote.paper, vote.verb, vote.at) == (ada, paper, verb, NOW)

    after = text(browser.get(done.url))
    assert after.count("<button") == 1
    assert "Undo" in after
    browser.post(address, {"undo": ""})
    assert not Vote.objects.exists()


def test_the_latest_word_counts_and_undoing_brings_back_the_one_before(browser, ada, paper):
    browser.post(word(ada, FeedbackAction.MORE, paper.pk))

    done = browser.post(word(ada, FeedbackAction.LESS, paper.pk))
    assert done.url.endswith("?before=more")
    assert Vote.objects.get().verb == "less"

    browser.post(word(ada, FeedbackAction.LESS, paper.pk), {"undo": "more"})
    assert Vote.objects.get().verb == "more"


def test_muting_a_topic_hides_it_and_undoing_follows_it_again(browser, ada):
    address = word(ada, FeedbackAction.MUTE, factories.topic("robotics").pk)

    done = browser.post(address)
    assert TopicChoice.objects.get().attitude == "mute"
    assert "Robotics is muted." in text(browser.get(done.url))

    browser.post(address, {"undo": "follow"})
    assert TopicChoice.objects.get().attitude == "follow"


@pytest.mark.parametrize("undo", ["mute-everything", "\x00", "<script>", "x" * 5000])
def test_a_forged_undo_only_takes_the_word_back(browser, ada, paper, undo):
    browser.post(word(ada, FeedbackAction.MORE, paper.pk))

    assert browser.post(word(ada, FeedbackAction.MORE, paper.pk), {"undo": undo}).status_code == 303
    assert not Vote.objects.exists()


def test_a_word_is_for_its_reader_and_about_its_paper_alone(browser, ada, paper):
    ben, other = factories.subscriber(), factories.paper(topics=["robotics"])

    browser.post(word(ben, FeedbackAction.LESS, other.pk))

    assert Vote.objects.filter(subscriber=ben, paper=other).exists()
    assert Vote.objects.count() == 1


@pytest.mark.parametrize("about", [b"", b"\xff" * 9, b"\x09" + bytes(8), b"\x00" + bytes(40)])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_word_about_nothing_is_a_bad_link(browser, ada, about, method):
    token = links.signed_token(Purpose.FEEDBACK, ada, about)

    response = getattr(browser, method)(reverse("subscribers:feedback", args=[token]))

    assert response.status_code == 400
    assert "Nothing was changed." in text(response)


def test_a_word_about_a_paper_that_has_gone_is_a_bad_link(browser, ada, paper):
    address = word(ada, FeedbackAction.MORE, paper.pk)
    paper.delete()

    assert browser.post(address).status_code == 400


def test_a_word_of_half_a_year_ago_is_too_late(browser, ada, paper):
    address = word(ada, FeedbackAction.MORE, paper.pk)

    with time_machine.travel(NOW + 182 * DAY, tick=False):
        assert browser.post(address).status_code == 400
    assert not Vote.objects.exists()
