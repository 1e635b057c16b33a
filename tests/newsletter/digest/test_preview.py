"""newsletter/digest/preview.py and its view"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from newsletter.models import Edition
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.models import Follow, Preferences, Subscriber, TopicChoice
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOW
FORM_DATA = {
    "length": "5",
    "minimum": "1",
    "detail": "short",
    "frequency": "daily",
    "hour": "18",
    "timezone": "Asia/Tokyo",
}


@pytest.fixture(autouse=True)
def _morning() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def edition() -> Edition:
    papers = [
        factories.paper(title="Robots that fold", topics=["robotics"]),
        factories.paper(title="Voices & songs", topics=["speech"], authors=["Emmy Noether"]),
        factories.paper(title="A state space model", topics=["vision"]),
    ]
    return factories.edition(papers=papers)


def preview(reader: Subscriber, changes: dict[str, str] | None = None, **options: bool) -> Any:
    token = links.signed_token(Purpose.PREFERENCES, reader)
    headers = {"HX-Request": "true"} if options.get("by_script", True) else {}
    return Client(enforce_csrf_checks=True).post(
        f"/preferences/{token}/preview/", FORM_DATA | (changes or {}), headers=headers
    )


def titles(response: Any) -> list[str]:
    return re.findall(r'<a href="/papers/[^"]+">(.*?)</a>', response.content.decode())


def test_the_preview_shows_the_digest_of_the_unsaved_form_and_saves_nothing(
    edition: Edition,
) -> None:
    reader = factories.subscriber(topics=["robotics"])
    before = list(Preferences.objects.values()), list(TopicChoice.objects.values())

    response = preview(
        reader,
        {"attitudes-speech": "follow", "keywords": "State space models", "authors": "E. Noether"},
    )

    page = response.content.decode()
    assert response.status_code == 200
    assert titles(response) == ["Voices &amp; songs", "A state space model"]
    assert "<strong>by E. Noether, whom you follow</strong>" in page
    assert "<strong>mentions State space models</strong>" in page
    assert "2 of 2 matching papers from the edition of 12 May." in page
    assert "Next: Tuesday 12 May, 18:00." in page
    assert "<html" not in page
    assert (list(Preferences.objects.values()), list(TopicChoice.objects.values())) == before
    assert not Follow.objects.exists()


def test_without_scripts_the_whole_page_is_returned_with_the_unsaved_form(edition: Edition) -> None:
    reader = factories.subscriber()

    response = preview(reader, {"attitudes-speech": "prefer", "length": "4"}, by_script=False)

    page = response.content.decode()
    assert titles(response) == ["Voices &amp; songs"]
    assert 'name="attitudes-speech" value="prefer" checked' in page
    assert re.search(r'name="length" value="4"', page)
    assert "Not saved yet." in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"minimum": "4"}, "3 papers match, but your minimum is 4: nothing would be sent today"),
        ({"keywords": "zymurgy"}, "No paper matches: nothing would be sent today"),
        (
            {"attitudes-robotics": "follow", "minimum": "2"},
            "1 paper matches, but your minimum is 2",
        ),
    ],
)
def test_the_preview_explains_why_no_digest_would_be_sent(
    edition: Edition, changes: dict[str, str], sentence: str
) -> None:
    assert sentence in preview(factories.subscriber(), changes).content.decode()


def test_the_preview_of_a_weekly_digest_covers_a_week(edition: Edition) -> None:
    factories.edition(
        day=factories.TODAY - timedelta(days=5), papers=[factories.paper(title="Of Thursday")]
    )

    weekly = preview(factories.subscriber(), {"frequency": "weekly", "weekday": "0"})

    assert "Of Thursday" in titles(weekly)
    assert "Of Thursday" not in titles(preview(factories.subscriber()))


@pytest.mark.parametrize("by_script", [True, False])
def test_an_invalid_form_gets_its_errors_and_no_papers(
    edition: Edition,
    by_script: bool,  # noqa: FBT001
) -> None:
    response = preview(
        factories.subscriber(), {"categories": "cs.ROB", "length": "99"}, by_script=by_script
    )

    page = response.content.decode()
    assert response.status_code == (200 if by_script else 400)
    assert "arXiv has no category" in page
    assert titles(response) == []


def test_before_the_first_edition_the_preview_is_empty() -> None:
    assert "There is no edition yet." in preview(factories.subscriber()).content.decode()


@pytest.mark.parametrize("method", ["get", "head", "put"])
def test_only_post_is_allowed(method: str) -> None:
    token = links.signed_token(Purpose.PREFERENCES, factories.subscriber())

    response = getattr(Client(), method)(f"/preferences/{token}/preview/")

    assert (response.status_code, response.headers["Referrer-Policy"]) == (405, "no-referrer")


def test_a_token_of_another_purpose_is_rejected(edition: Edition) -> None:
    token = links.signed_token(Purpose.UNSUBSCRIBE, factories.subscriber())

    assert Client().post(f"/preferences/{token}/preview/", FORM_DATA).status_code == 400


@pytest.mark.parametrize("count", [1, 4])
def test_a_preview_costs_the_same_queries_for_any_number(
    count: int, django_assert_num_queries: Any
) -> None:
    factories.edition(papers=[factories.paper(topics=["robotics"]) for _ in range(count)])
    reader = factories.subscriber()
    for _ in range(count):
        factories.vote(reader, factories.paper(topics=["robotics"]))
    keywords = ",".join(f"thing {n}" for n in range(count))

    # reader, preferences, attitudes, follows, topics, votes, edition, entries, papers, topics; and
    # for each of six constraints Django runs a check in a savepoint
    with django_assert_num_queries(10 + 6 * 3):
        preview(reader, {"keywords": keywords, "attitudes-robotics": "prefer"})
