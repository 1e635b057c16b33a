"""papers/api/routes.py and papers/api/schemas.py"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from django.test import Client
from pydantic import ValidationError

from papers.api.routes import PaperFilters
from papers.models import Paper
from papers.search import engine
from papers.web.problems import field_errors
from tests import factories

pytestmark = pytest.mark.django_db

PAPERS = "/api/v1/papers"
TOPICS = "/api/v1/topics"
LONG_AGO = factories.TODAY - timedelta(days=90)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(factories.NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def site_url(settings: Any) -> None:
    settings.SITE_URL = "https://papers.example.org"
    settings.API_URL = "https://papers.example.org/api/v1"


def get_json(client: Client, url: str = PAPERS, **params: Any) -> Any:
    response = client.get(url, params)
    assert (response.status_code, response["Content-Type"]) == (
        200,
        "application/json; charset=utf-8",
    )
    return response.json()


def titles(client: Client, **params: Any) -> list[str]:
    return [paper["title"] for paper in get_json(client, **params)["items"]]


def indexed_paper(**fields: Any) -> Paper:
    paper = factories.paper(**fields)
    engine.update_index([paper])
    return paper


def pages(client: Client, **params: Any) -> Iterator[list[str]]:
    """Yield the ids of each page, following `next`."""
    page = get_json(client, **params)
    while True:
        yield [paper["id"] for paper in page["items"]]
        if not page["next"]:
            return
        page = get_json(client, **dict(parse_qsl(urlsplit(page["next"]).query)))


def test_a_paper_has_all_fields(client: Client) -> None:
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

    assert get_json(client, f"{PAPERS}/2605.04321") == {
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


@pytest.mark.parametrize("identity", ["math/0309136", "math%2F0309136", "math/0309136v2"])
def test_a_paper_is_found_by_an_id_with_a_slash_or_a_version(client: Client, identity: str) -> None:
    factories.paper(arxiv_id="math/0309136")

    assert get_json(client, f"{PAPERS}/{identity}")["id"] == "math/0309136"


@pytest.mark.parametrize(
    "identity",
    ["2605.99999", "%00", "a%0Ab", "%ED%A0%80", "..", "%F0%9F%98%80", "x" * 5000, "a//b/", "'--"],
)
def test_an_unknown_paper_is_a_404(client: Client, identity: str) -> None:
    response = client.get(f"{PAPERS}/{identity}")

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_papers_come_newest_first(client: Client) -> None:
    factories.paper(title="Old", listed_on=LONG_AGO)
    factories.paper(title="New", listed_on=factories.TODAY)
    factories.paper(title="Between")

    assert titles(client) == ["New", "Between", "Old"]


def test_trending_papers_are_of_this_week_highest_score_first(client: Client) -> None:
    factories.paper(title="Warm", score=1.0)
    factories.paper(title="Hot", score=9.0)
    factories.paper(title="Hot long ago", score=99.0, listed_on=LONG_AGO)
    factories.paper(title="Of tomorrow", score=5.0, listed_on=factories.TODAY + timedelta(days=1))

    assert titles(client, sort="trending") == ["Hot", "Warm"]


def test_papers_are_filtered_by_topic_and_by_day(client: Client) -> None:
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


def test_filtering_by_an_unknown_topic_is_a_404(client: Client) -> None:
    response = client.get(PAPERS, {"topic": "no-such-topic"})

    assert response.status_code == 404
    assert response.json()["detail"] == "There is no topic with this name."


def test_a_search_returns_the_best_matches_first(client: Client) -> None:
    indexed_paper(title="A thing", abstract="It has a robot.", listed_on=factories.TODAY)
    indexed_paper(title="A robot", abstract="It is a thing.", listed_on=LONG_AGO)
    indexed_paper(title="Nothing of the kind")

    assert titles(client, q="robot") == ["A robot", "A thing"]
    assert titles(client, q="robot", sort="newest") == ["A thing", "A robot"]
    assert titles(client, q="robot", sort="trending") == ["A thing"]
    assert titles(client, q="robot since:2026-05-01") == ["A thing"]


def test_a_search_is_narrowed_by_the_other_parameters(client: Client) -> None:
    indexed_paper(title="A robot arm", topics=["robotics"], listed_on=LONG_AGO)
    indexed_paper(title="A robot", topics=["robotics"], listed_on=factories.TODAY)
    indexed_paper(title="A robot's eye", topics=["computer-vision"], listed_on=factories.TODAY)
    # Contains the word of the topic, but is not assigned to it.
    indexed_paper(title="A robot too", categories=["robotics"], listed_on=factories.TODAY)

    assert titles(client, q="robot", topic="robotics", until="2026-05-01") == ["A robot arm"]
    assert titles(client, q="robot", topic="robotics", since="2026-05-01") == ["A robot"]
    assert titles(client, q="robot", day="2026-05-12", topic="computer-vision") == ["A robot's eye"]
    assert titles(client, q="robot", day="1999-01-01") == []


def test_a_day_filter_applies_before_the_limit_on_search_results(
    client: Client, monkeypatch: Any
) -> None:
    monkeypatch.setattr(engine, "MAX_RESULTS", 2)
    for days in range(4):
        indexed_paper(title=f"Robot {days}", listed_on=factories.TODAY - timedelta(days=days))

    assert titles(client, q="robot", day="2026-05-09") == ["Robot 3"]


@pytest.mark.services  # databases differ in what text they accept
@pytest.mark.parametrize("q", [" ", "-robot", "!?", '"', "since:2026-05-01", "\x00", "'; --"])
def test_a_query_without_search_terms_matches_nothing(client: Client, q: str) -> None:
    indexed_paper(title="A robot")

    assert titles(client, q=q) == []


@pytest.mark.parametrize(
    "params", [{}, {"q": "robot"}, {"sort": "trending"}, {"topic": "robotics"}]
)
def test_following_next_returns_every_paper_once(client: Client, params: dict[str, str]) -> None:
    for number in range(7):
        day = factories.TODAY - timedelta(days=number // 3)
        indexed_paper(title="A robot", listed_on=day, score=float(number // 2), topics=["robotics"])

    small_pages = list(pages(client, limit=3, **params))

    assert [len(page) for page in small_pages] == [3, 3, 1]
    ids = [paper_id for page in small_pages for paper_id in page]
    assert ids == next(pages(client, limit=100, **params))


@pytest.mark.parametrize("params", [{}, {"sort": "trending"}])
def test_papers_added_between_pages_shift_nothing(client: Client, params: dict[str, str]) -> None:
    for _ in range(4):
        factories.paper(score=1.0)
    paging = pages(client, limit=2, **params)

    first = next(paging)
    factories.paper(listed_on=factories.TODAY, score=9.0)
    second = next(paging)

    assert len({*first, *second}) == 4


def test_the_link_header_equals_next_and_keeps_the_parameters(client: Client) -> None:
    for _ in range(3):
        factories.paper(topics=["robotics"])

    response = client.get(PAPERS, {"topic": "robotics", "limit": "2", "utm_source": "<x>"})

    next_url = response.json()["next"]
    assert response["Link"] == f'<{next_url}>; rel="next"'
    assert next_url.startswith("https://papers.example.org/api/v1/papers?")
    assert parse_qsl(urlsplit(next_url).query)[:2] == [("limit", "2"), ("topic", "robotics")]
    assert "utm_source" not in next_url
    last = client.get(next_url)
    assert (last.json()["next"], last.headers.get("Link")) == (None, None)


def test_a_cursor_of_another_query_is_a_404(client: Client) -> None:
    for _ in range(3):
        indexed_paper(title="A robot")
    cursor = dict(parse_qsl(urlsplit(get_json(client, limit=1)["next"]).query))["cursor"]

    for params in ("sort=trending", "q=robot", "since=2026-01-01"):
        response = client.get(f"{PAPERS}?cursor={cursor}&{params}")
        assert response.status_code == 404
        assert response.json()["detail"].startswith("There is no such page")
    assert client.get("/api/v1/editions", {"cursor": cursor}).status_code == 404
    assert client.get(PAPERS, {"cursor": cursor, "limit": "50"}).status_code == 200


@pytest.mark.services  # databases differ in what text they accept
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
def test_an_invalid_parameter_is_reported_without_its_value(parameter: str, value: str) -> None:
    with pytest.raises(ValidationError) as invalid:
        PaperFilters.model_validate({parameter: value})

    (error,) = field_errors([dict(error) for error in invalid.value.errors()])
    assert error.parameter == parameter
    assert len(value) < 3 or value not in error.detail


def test_an_invalid_parameter_is_a_422(client: Client) -> None:
    response = client.get(PAPERS, {"limit": "1e3"})

    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["parameter"] == "limit"
    assert response.json()["detail"] == f"limit: {error['detail']}"
    assert "1e3" not in response.content.decode()


def test_topics_come_most_trending_papers_first(client: Client) -> None:
    factories.topic("theory", description="Proofs.")
    factories.paper(topics=["robotics"])

    topics = get_json(client, TOPICS)

    assert topics["next"] is None
    assert [(topic["slug"], topic["trending"]) for topic in topics["items"]] == [
        ("robotics", 1),
        ("theory", 0),
    ]
    assert get_json(client, f"{TOPICS}/theory") == {
        "slug": "theory",
        "name": "Theory",
        "description": "Proofs.",
        "trending": 0,
        "url": "https://papers.example.org/topics/theory/",
        "feed_url": "https://papers.example.org/feeds/theory.xml",
        "papers_url": "https://papers.example.org/api/v1/papers?topic=theory&sort=trending",
    }


@pytest.mark.parametrize(("slug", "status"), [("nothing", 404), ("a b", 422), ("%00", 422)])
def test_an_unknown_topic_is_a_404_and_an_invalid_slug_a_422(
    client: Client, slug: str, status: int
) -> None:
    assert client.get(f"{TOPICS}/{slug}").status_code == status


@pytest.mark.parametrize(
    ("url", "queries"),
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
    client: Client, django_assert_num_queries: Any, settings: Any, url: str, queries: int
) -> None:
    rate_limit_queries = 0 if settings.REDIS_URL else 2
    client.get(TOPICS)
    for number in (1, 4):
        for _ in range(number):
            indexed_paper(title="A robot", topics=["robotics", f"topic-{number}"])
        with django_assert_num_queries(queries + rate_limit_queries):
            assert client.get(url).status_code == 200


@pytest.mark.parametrize("url", [PAPERS, f"{PAPERS}/2605.04321", TOPICS, f"{TOPICS}/robotics"])
def test_conditional_requests_get_304_until_something_changes(client: Client, url: str) -> None:
    paper = factories.paper(arxiv_id="2605.04321", topics=["robotics"])
    first = client.get(url)

    by_tag = client.get(url, headers={"If-None-Match": first["ETag"]})
    by_date = client.get(url, headers={"If-Modified-Since": first["Last-Modified"]})
    assert (by_tag.status_code, by_tag.content) == (304, b"")
    assert (by_date.status_code, by_date.content) == (304, b"")
    assert by_tag["ETag"] == first["ETag"]

    later = factories.NOW + timedelta(minutes=1)
    Paper.objects.filter(pk=paper.pk).update(score=9.0, scored_at=later)
    factories.paper(topics=["robotics"])
    by_tag = client.get(url, headers={"If-None-Match": first["ETag"]})
    by_date = client.get(url, headers={"If-Modified-Since": first["Last-Modified"]})
    assert (by_tag.status_code, by_date.status_code) == (200, 200)


def test_the_etag_of_a_page_with_a_next_page_is_stable(
    client: Client, clock: time_machine.Traveller
) -> None:
    for _ in range(2):
        factories.paper()
    first = client.get(PAPERS, {"limit": 1})
    clock.shift(timedelta(minutes=1))

    assert client.get(PAPERS, {"limit": 1})["ETag"] == first["ETag"]


def test_an_empty_catalogue_has_empty_lists(client: Client) -> None:
    assert get_json(client) == {"items": [], "next": None}
    assert get_json(client, TOPICS) == {"items": [], "next": None}
