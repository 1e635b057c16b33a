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
from tests.subscribers.preferences.form_data import VALID_DATA

pytestmark = pytest.mark.django_db

NOW = factories.NOW
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        factories.topic("robotics")
        factories.topic("speech")
        yield


@pytest.fixture
def browser():
    """Return a client that enforces CSRF checks: the pages need neither a token nor a cookie."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def ada():
    ada = factories.subscriber(topics=["robotics"])
    ada.reschedule_digest(NOW)
    return ada


def path(subscriber: Subscriber) -> str:
    token = links.signed_token(Purpose.PREFERENCES, subscriber)
    return reverse("subscribers:preferences", args=[token])


def all_rows() -> list[Any]:
    models = (Subscriber, Preferences, TopicChoice, Follow, Vote)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def text(response: HttpResponse) -> str:
    return response.content.decode()


def test_the_page_shows_the_stored_choices_and_the_next_digest(browser, ada):
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


def test_the_page_says_that_a_due_digest_comes_any_minute(browser, ada):
    Preferences.objects.update(hour=NOW.hour)
    ada.reschedule_digest(NOW + timedelta(minutes=20))

    with time_machine.travel(NOW + timedelta(minutes=20), tick=False):
        assert "any minute now" in text(browser.get(path(ada)))


def test_the_page_says_that_a_reader_who_left_is_not_subscribed(browser, ada):
    lifecycle.leave(ada, Subscriber.LeftReason.UNSUBSCRIBED, NOW)

    page = text(browser.get(path(ada)))

    assert "You are not subscribed." in page
    assert 'href="/subscribe/"' in page


def test_saving_stores_all_choices_and_reschedules_the_next_digest(browser, ada):
    url = path(ada)

    response = browser.post(url, VALID_DATA)

    assert (response.status_code, response.url) == (303, f"{url}?saved")
    assert browser.get(response.url).context["saved"]
    stored: dict[str, Any] = dict(Preferences.objects.values().get())
    assert {name: stored[name] for name in VALID_DATA if name in stored} == {
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


def test_saving_the_values_that_the_page_shows_changes_nothing(browser, ada):
    browser.post(path(ada), VALID_DATA)
    before = list(Follow.objects.order_by("pk").values_list("label"))
    form = browser.get(path(ada)).context["form"]
    shown = {
        "attitudes-speech": "follow",
        "categories": form["categories"].value(),
        **{name: form[name].value() or "" for name in VALID_DATA if name in form.fields},
    }

    assert browser.post(path(ada), shown).status_code == 303

    assert before == list(Follow.objects.order_by("pk").values_list("label"))


def test_all_attitudes_and_follows_can_be_deleted(browser, ada):
    nothing = {"attitudes-speech": "", "authors": "", "keywords": " \n,", "categories": ""}

    assert browser.post(path(ada), {**VALID_DATA, **nothing}).status_code == 303

    assert not TopicChoice.objects.exists()
    assert not Follow.objects.exists()


def test_invalid_values_are_rejected_with_a_message_and_change_nothing(browser, ada):
    before = all_rows()

    response = browser.post(path(ada), VALID_DATA | {"length": "21", "timezone": "Mars/Olympus"})

    assert response.status_code == 400
    assert list(response.context["form"].errors) == ["length", "timezone"]
    assert "Not saved yet." in text(response)
    assert "Unknown time zone." in text(response)
    assert all_rows() == before


def test_an_empty_form_is_rejected(browser, ada):
    assert browser.post(path(ada)).status_code == 400


def test_an_unknown_category_stays_in_the_input_with_a_suggestion(browser, ada):
    response = browser.post(path(ada), VALID_DATA | {"categories": ["cs.LG", "cs.ROB"]})

    page = text(response)
    assert "arXiv has no category “cs.ROB”. Did you mean Robotics (cs.RO)" in page
    assert 'name="categories" value="cs.LG" checked' in page
    assert 'value="cs.ROB"' in page


def test_a_pause_ends_on_its_date_in_the_readers_time_zone(browser, ada):
    browser.post(
        path(ada), VALID_DATA | {"frequency": "daily", "paused_until": "2026-06-01", "hour": "7"}
    )

    ada.refresh_from_db()
    assert ada.next_digest_at.isoformat() == "2026-05-31T22:00:00+00:00"
    assert Preferences.objects.get().paused_until == date(2026, 6, 1)
    assert 'value="2026-06-01"' in text(browser.get(path(ada)))


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_needs_the_same_queries_for_any_number_of_choices(
    browser, count, django_assert_num_queries
):
    reader = factories.subscriber(
        topics=[f"topic-{n}" for n in range(count)],
        follows=[("author", f"noether {n}", f"{n} Noether") for n in range(count)],
    )
    for _ in range(count):
        factories.vote(reader, factories.paper(topics=["topic-0"]))
    url = path(reader)

    # subscriber, preferences, attitudes, follows, topics, preferences as stored, votes
    with django_assert_num_queries(7):
        browser.get(url)


def test_topic_adjustments_are_shown_and_votes_can_be_deleted(browser, ada):
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
    assert "Your votes have had no effect so far." in text(browser.get(response.url))


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_votes_are_deleted_on_post_only(browser, ada, method):
    factories.vote(ada, factories.paper(topics=["speech"]))

    assert getattr(browser, method)(f"{path(ada)}forget-votes/").status_code == 405
    assert Vote.objects.exists()


# Feedback links


def feedback_path(reader: Subscriber, action: FeedbackAction, target_id: int) -> str:
    return feedback.action_url(reader, action, target_id).split("8000", 1)[1]


@pytest.fixture
def paper():
    return factories.paper(title="Robots <that> fold", topics=["robotics"])


@pytest.mark.parametrize("action", FeedbackAction)
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_opening_a_feedback_link_changes_nothing(browser, ada, paper, action, method):
    target_id = factories.topic("robotics").pk if action == FeedbackAction.MUTE else paper.pk
    before = all_rows()

    response = getattr(browser, method)(feedback_path(ada, action, target_id))

    assert response.status_code in {200, 405}
    assert all_rows() == before


@pytest.mark.parametrize("action", [FeedbackAction.MORE, FeedbackAction.LESS])
def test_one_button_votes_and_another_undoes_it(browser, ada, paper, action):
    url = feedback_path(ada, action, paper.pk)
    page = text(browser.get(url))
    assert page.count("<button") == 1
    assert "Robots &lt;that&gt; fold" in page

    response = browser.post(url)
    assert (response.status_code, response.url) == (303, f"{url}?before=")
    browser.post(url)
    vote = Vote.objects.get()
    assert (vote.subscriber, vote.paper, vote.verb, vote.at) == (ada, paper, action, NOW)

    done_page = text(browser.get(response.url))
    assert done_page.count("<button") == 1
    assert "Undo" in done_page
    browser.post(url, {"undo": ""})
    assert not Vote.objects.exists()


def test_a_new_vote_replaces_the_earlier_one_and_undoing_restores_it(browser, ada, paper):
    browser.post(feedback_path(ada, FeedbackAction.MORE, paper.pk))

    response = browser.post(feedback_path(ada, FeedbackAction.LESS, paper.pk))
    assert response.url.endswith("?before=more")
    assert Vote.objects.get().verb == "less"

    browser.post(feedback_path(ada, FeedbackAction.LESS, paper.pk), {"undo": "more"})
    assert Vote.objects.get().verb == "more"


def test_a_topic_can_be_muted_and_undoing_follows_it_again(browser, ada):
    url = feedback_path(ada, FeedbackAction.MUTE, factories.topic("robotics").pk)

    assert "<title>Mute Robotics · " in text(browser.get(url))

    response = browser.post(url)
    assert TopicChoice.objects.get().attitude == "mute"
    assert "Robotics is muted." in text(browser.get(response.url))

    browser.post(url, {"undo": "follow"})
    assert TopicChoice.objects.get().attitude == "follow"


@pytest.mark.services  # databases differ in what text they accept
@pytest.mark.parametrize("undo", ["mute-everything", "\x00", "<script>", "x" * 5000])
def test_an_invalid_undo_value_deletes_the_vote(browser, ada, paper, undo):
    browser.post(feedback_path(ada, FeedbackAction.MORE, paper.pk))

    assert (
        browser.post(feedback_path(ada, FeedbackAction.MORE, paper.pk), {"undo": undo}).status_code
        == 303
    )
    assert not Vote.objects.exists()


def test_a_vote_is_stored_for_its_reader_and_paper_alone(browser, ada, paper):
    ben, other = factories.subscriber(), factories.paper(topics=["robotics"])

    browser.post(feedback_path(ben, FeedbackAction.LESS, other.pk))

    assert Vote.objects.filter(subscriber=ben, paper=other).exists()
    assert Vote.objects.count() == 1


@pytest.mark.services  # databases differ in what text they accept
@pytest.mark.parametrize("payload", [b"", b"\xff" * 9, b"\x09" + bytes(8), b"\x00" + bytes(40)])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_with_an_invalid_payload_is_a_bad_link(browser, ada, payload, method):
    token = links.signed_token(Purpose.FEEDBACK, ada, payload)

    response = getattr(browser, method)(reverse("subscribers:feedback", args=[token]))

    assert response.status_code == 400
    assert "Nothing was changed." in text(response)


def test_a_link_for_a_deleted_paper_is_a_bad_link(browser, ada, paper):
    url = feedback_path(ada, FeedbackAction.MORE, paper.pk)
    paper.delete()

    assert browser.post(url).status_code == 400


def test_a_feedback_link_expires_after_half_a_year(browser, ada, paper):
    url = feedback_path(ada, FeedbackAction.MORE, paper.pk)

    with time_machine.travel(NOW + 182 * DAY, tick=False):
        assert browser.post(url).status_code == 400
    assert not Vote.objects.exists()
