"""papers/api/routes.py and papers/api/schemas.py, through the addresses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from django.test import Client

from papers.models import Paper
from papers.search import engine
from tests import factories

pytestmark = pytest.mark.django_db

PAPERS = "/api/v1/papers"
TOPICS = "/api/v1/topics"
LONG_AGO = factories.TODAY - timedelta(days=90)


@pytest.fixture(autouse=True)
def now() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(factories.NOW, tick=False) as clock:
        yield clock


@pytest.fixture(autouse=True)
def addresses(settings: Any) -> None:
    settings.SITE_URL = "https://papers.example.org"
    settings.API_URL = "https://papers.example.org/api/v1"


def read(client: Client, address: str = PAPERS, **asked: Any) -> Any:
    response = client.get(address, asked)
    assert (response.status_code, response["Content-Type"]) == (
        200,
        "application/json; charset=utf-8",
    )
    return response.json()


def titles(client: Client, **asked: Any) -> list[str]:
    return [each["title"] for each in read(client, **asked)["items"]]


def indexed(**fields: Any) -> Paper:
    paper = factories.paper(**fields)
    engine.update_index([paper])
    return paper


def pages(client: Client, **asked: Any) -> Iterator[list[str]]:
    """Each page's ids, by following `next`."""
    answer = read(client, **asked)
    while True:
        yield [each["id"] for each in answer["items"]]
        if not answer["next"]:
            return
        query = dict(parse_qsl(urlsplit(answer["next"]).query))
        answer = read(client, **query)


def test_a_paper_is_told_in_full(client: Client) -> None:
    factories.paper(
        arxiv_id="2605.04321",
        title="Grasping <b>",
        abstract="We grasp.",
        machine_summary="A hand.",
        organization="ACME",
        categories=["cs.RO"],
        keywords=["hands"],
        code_url="https://github.com/example/grasping",
        topics=["robotics"],
        score=4.5,
        upvotes=None,
        stars=3,
        scored_at=factories.NOW,
    )

    assert read(client, f"{PAPERS}/2605.04321") == {
        "id": "2605.04321",
        "url": "https://papers.example.org/papers/2605.04321/",
        "arxiv_id": "2605.04321",
        "arxiv_url": "https://arxiv.org/abs/2605.04321",
        "pdf_url": "https://arxiv.org/pdf/2605.04321",
        "code_url": "https://github.com/example/grasping",
        "project_url": None,
        "discussion_url": "https://huggingface.co/papers/2605.04321",
        "title": "Grasping <b>",
        "abstract": "We grasp.",
        "machine_summary": "A hand.",
        "authors": ["Ada Lovelace", "Émilie du Châtelet"],
        "organization": "ACME",
        "categories": ["cs.RO"],
        "keywords": ["hands"],
        "topics": [{"slug": "robotics", "name": "Robotics"}],
        "published_on": "2026-05-10",
        "day": "2026-05-11",
        "doi": None,
        "withdrawn": False,
        "listed_on": "2026-05-11",
        "score": 4.5,
        "upvotes": 0,
        "comments": 0,
        "stars": 3,
        "scored_at": "2026-05-12T06:00:00Z",
    }


@pytest.mark.parametrize("asked", ["math/0309136", "math%2F0309136", "math/0309136v2"])
def test_a_paper_is_found_by_its_id_with_a_slash_or_a_version(client: Client, asked: str) -> None:
    factories.paper(arxiv_id="math/0309136")

    assert read(client, f"{PAPERS}/{asked}")["id"] == "math/0309136"


@pytest.mark.parametrize(
    "asked",
    ["2605.99999", "%00", "a%0Ab", "%ED%A0%80", "..", "%F0%9F%98%80", "x" * 5000, "a//b/", "'--"],
)
def test_a_paper_that_is_not_there_is_not_found(client: Client, asked: str) -> None:
    response = client.get(f"{PAPERS}/{asked}")

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_papers_come_newest_first(client: Client) -> None:
    factories.paper(title="Old", listed_on=LONG_AGO)
    factories.paper(title="New", listed_on=factories.TODAY)
    factories.paper(title="Between")

    assert titles(client) == ["New", "Between", "Old"]


def test_what_trends_comes_hottest_first_and_is_of_this_week(client: Client) -> None:
    factories.paper(title="Warm", score=1.0)
    factories.paper(title="Hot", score=9.0)
    factories.paper(title="Hot long ago", score=99.0, listed_on=LONG_AGO)
    factories.paper(title="Of tomorrow", score=5.0, listed_on=factories.TODAY + timedelta(days=1))

    assert titles(client, sort="trending") == ["Hot", "Warm"]


def test_papers_may_be_asked_for_by_topic_and_by_days(client: Client) -> None:
    for days, title in [(0, "Today"), (1, "Yesterday"), (2, "Before")]:
        factories.paper(
            title=title,
            listed_on=factories.TODAY - timedelta(days=days),
            topics=["robotics", "theory"],
        )
    factories.paper(title="Other", topics=["vision"])

    assert titles(client, topic="vision") == ["Other"]
    assert titles(client, topic="robotics") == ["Today", "Yesterday", "Before"]
    assert titles(client, topic="robotics", day="2026-05-11") == ["Yesterday"]
    assert titles(client, topic="robotics", since="2026-05-11") == ["Today", "Yesterday"]
    assert titles(client, topic="robotics", until="2026-05-11") == ["Yesterday", "Before"]
    assert titles(client, since="2026-05-12", until="2026-05-11") == []
    assert titles(client, day="2026-05-12", until="2026-05-11") == []


def test_a_topic_that_is_not_there_is_said_not_to_be(client: Client) -> None:
    answer = client.get(PAPERS, {"topic": "no-such-topic"})

    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no topic of this name.")


def test_a_search_gives_the_best_matches_first(client: Client) -> None:
    indexed(title="A thing", abstract="It has a robot.", listed_on=factories.TODAY)
    indexed(title="A robot", abstract="It is a thing.", listed_on=LONG_AGO)
    indexed(title="Nothing of the kind")

    assert titles(client, q="robot") == ["A robot", "A thing"]
    assert titles(client, q="robot", sort="newest") == ["A thing", "A robot"]
    assert titles(client, q="robot", sort="trending") == ["A thing"]
    assert titles(client, q="robot since:2026-05-01") == ["A thing"]


def test_a_search_is_narrowed_by_the_other_parameters(client: Client) -> None:
    indexed(title="A robot arm", topics=["robotics"], listed_on=LONG_AGO)
    indexed(title="A robot", topics=["robotics"], listed_on=factories.TODAY)
    indexed(title="A robot's eye", topics=["computer-vision"], listed_on=factories.TODAY)
    # Its words hold the topic's name, and yet it is not in it.
    indexed(title="A robot too", categories=["robotics"], listed_on=factories.TODAY)

    assert titles(client, q="robot", topic="robotics", until="2026-05-01") == ["A robot arm"]
    assert titles(client, q="robot", topic="robotics", since="2026-05-01") == ["A robot"]
    assert titles(client, q="robot", day="2026-05-12", topic="computer-vision") == ["A robot's eye"]
    assert titles(client, q="robot", day="1999-01-01") == []


def test_until_finds_what_newer_matches_would_hide(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(engine, "MAX_RESULTS", 2)
    for days in range(4):
        indexed(title=f"Robot {days}", listed_on=factories.TODAY - timedelta(days=days))

    assert titles(client, q="robot", day="2026-05-09") == ["Robot 3"]


@pytest.mark.parametrize("typed", [" ", "-robot", "!?", '"', "since:2026-05-01", "\x00", "'; --"])
def test_a_search_for_nothing_finds_nothing(client: Client, typed: str) -> None:
    indexed(title="A robot")

    assert titles(client, q=typed) == []


@pytest.mark.parametrize("asked", [{}, {"q": "robot"}, {"sort": "trending"}, {"topic": "robotics"}])
def test_following_next_gives_every_paper_once(client: Client, asked: dict[str, str]) -> None:
    for number in range(7):
        day = factories.TODAY - timedelta(days=number // 3)
        indexed(title="A robot", listed_on=day, score=float(number // 2), topics=["robotics"])

    found = list(pages(client, limit=3, **asked))

    assert [len(each) for each in found] == [3, 3, 1]
    assert [each for page in found for each in page] == next(pages(client, limit=100, **asked))


@pytest.mark.parametrize("asked", [{}, {"sort": "trending"}])
def test_what_is_added_meanwhile_moves_nothing(client: Client, asked: dict[str, str]) -> None:
    for _ in range(4):
        factories.paper(score=1.0)
    paging = pages(client, limit=2, **asked)

    first = next(paging)
    factories.paper(listed_on=factories.TODAY, score=9.0)
    second = next(paging)

    assert len({*first, *second}) == 4


def test_the_next_page_is_in_the_header_too_and_keeps_what_was_asked(client: Client) -> None:
    for _ in range(3):
        factories.paper(topics=["robotics"])

    response = client.get(PAPERS, {"topic": "robotics", "limit": "2", "utm_source": "<x>"})

    address = response.json()["next"]
    assert response["Link"] == f'<{address}>; rel="next"'
    assert address.startswith("https://papers.example.org/api/v1/papers?")
    assert parse_qsl(urlsplit(address).query)[:2] == [("limit", "2"), ("topic", "robotics")]
    assert "utm_source" not in address
    last = client.get(address)
    assert (last.json()["next"], last.headers.get("Link")) == (None, None)


def test_a_cursor_of_another_question_names_no_page(client: Client) -> None:
    for _ in range(3):
        indexed(title="A robot")
    cursor = dict(parse_qsl(urlsplit(read(client, limit=1)["next"]).query))["cursor"]

    for asked in ("sort=trending", "q=robot", "since=2026-01-01"):
        answer = client.get(f"{PAPERS}?cursor={cursor}&{asked}")
        assert answer.status_code == 404
        assert answer.json()["detail"].startswith("There is no such page")
    assert client.get("/api/v1/editions", {"cursor": cursor}).status_code == 404
    assert client.get(PAPERS, {"cursor": cursor, "limit": "50"}).status_code == 200


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "-1"),
        ("limit", "9" * 5000),
        ("limit", "1e3"),
        ("limit", "NaN"),
        ("limit", ""),
        ("day", "2026-02-30"),
        ("day", "0000-00-00"),
        ("day", "1747008000"),
        ("since", "12 May 2026"),
        ("until", "٢٠٢٦-٠٥-١٢"),
        ("topic", ""),
        ("topic", "a b"),
        ("topic", "\x00"),
        ("topic", "x" * 65),
        ("sort", "hottest"),
        ("q", ""),
        ("q", "x" * 501),
        ("cursor", "x" * 301),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named_but_not_repeated(
    client: Client, parameter: str, value: str
) -> None:
    response = client.get(PAPERS, {parameter: value})

    assert response.status_code == 422
    (fault,) = response.json()["errors"]
    assert fault["parameter"] == parameter
    assert response.json()["detail"] == f"{parameter}: {fault['detail']}"
    assert len(value) < 3 or value not in response.content.decode()


def test_topics_come_busiest_first(client: Client) -> None:
    factories.topic("theory", description="Proofs.")
    factories.paper(topics=["robotics"])

    answer = read(client, TOPICS)

    assert answer["next"] is None
    assert [(each["slug"], each["trending"]) for each in answer["items"]] == [
        ("robotics", 1),
        ("theory", 0),
    ]
    assert read(client, f"{TOPICS}/theory") == {
        "slug": "theory",
        "name": "Theory",
        "description": "Proofs.",
        "trending": 0,
        "url": "https://papers.example.org/topics/theory/",
        "feed_url": "https://papers.example.org/feeds/theory.xml",
        "papers_url": "https://papers.example.org/api/v1/papers?topic=theory&sort=trending",
    }


@pytest.mark.parametrize(("slug", "status"), [("nothing", 404), ("a b", 422), ("%00", 422)])
def test_a_topic_that_is_not_there_is_not_found(client: Client, slug: str, status: int) -> None:
    assert client.get(f"{TOPICS}/{slug}").status_code == status


@pytest.mark.parametrize(
    ("address", "queries"),
    [
        (PAPERS, 2),
        (f"{PAPERS}?topic=robotics&sort=trending", 3),
        (f"{PAPERS}?q=robot", 4),
        (f"{PAPERS}?q=robot&sort=newest&topic=robotics", 4),
        (TOPICS, 3),
        (f"{TOPICS}/robotics", 3),
    ],
)
def test_more_rows_need_no_more_queries(
    client: Client, django_assert_num_queries: Any, settings: Any, address: str, queries: int
) -> None:
    counted = 0 if settings.REDIS_URL else 2
    client.get(TOPICS)
    for number in (1, 4):
        for _ in range(number):
            indexed(title="A robot", topics=["robotics", f"topic-{number}"])
        with django_assert_num_queries(queries + counted):
            assert client.get(address).status_code == 200


@pytest.mark.parametrize("address", [PAPERS, f"{PAPERS}/2605.04321", TOPICS, f"{TOPICS}/robotics"])
def test_who_has_it_already_is_told_so(client: Client, address: str) -> None:
    paper = factories.paper(arxiv_id="2605.04321", topics=["robotics"])
    first = client.get(address)

    by_tag = client.get(address, headers={"If-None-Match": first["ETag"]})
    by_date = client.get(address, headers={"If-Modified-Since": first["Last-Modified"]})
    assert (by_tag.status_code, by_tag.content) == (304, b"")
    assert (by_date.status_code, by_date.content) == (304, b"")
    assert by_tag["ETag"] == first["ETag"]

    later = factories.NOW + timedelta(minutes=1)
    Paper.objects.filter(pk=paper.pk).update(score=9.0, scored_at=later)
    factories.paper(topics=["robotics"])
    by_tag = client.get(address, headers={"If-None-Match": first["ETag"]})
    by_date = client.get(address, headers={"If-Modified-Since": first["Last-Modified"]})
    assert (by_tag.status_code, by_date.status_code) == (200, 200)


def test_a_page_with_a_next_one_has_the_same_tag_a_minute_later(
    client: Client, now: time_machine.Traveller
) -> None:
    for _ in range(2):
        factories.paper()
    first = client.get(PAPERS, {"limit": 1})
    now.shift(timedelta(minutes=1))

    assert client.get(PAPERS, {"limit": 1})["ETag"] == first["ETag"]


def test_an_empty_catalogue_has_empty_lists(client: Client) -> None:
    assert read(client) == {"items": [], "next": None}
    assert read(client, TOPICS) == {"items": [], "next": None}
