"""newsletter/api/editions.py"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from papers.models import Paper
from tests import factories

pytestmark = pytest.mark.django_db

EDITIONS = "/api/v1/editions"


@pytest.fixture(autouse=True)
def site_url(settings: Any) -> None:
    settings.SITE_URL = "https://papers.example.org"
    settings.API_URL = "https://papers.example.org/api/v1"


def get_json(client: Client, url: str = EDITIONS) -> Any:
    response = client.get(url)
    assert response.status_code == 200
    return response.json()


def test_editions_are_paginated_newest_first(client: Client) -> None:
    for days in (2, 0, 1):
        factories.edition(
            day=factories.TODAY - timedelta(days=days), papers=[factories.paper()] * (days == 0)
        )

    first = get_json(client, f"{EDITIONS}?limit=2")
    second = get_json(client, first["next"])

    assert first["items"][0] == {
        "date": "2026-05-12",
        "published_at": "2026-05-12T04:00:00Z",
        "url": "https://papers.example.org/editions/2026-05-12/",
        "entries_url": "https://papers.example.org/api/v1/editions/2026-05-12",
        "papers": 1,
    }
    assert [edition["date"] for edition in first["items"]] == ["2026-05-12", "2026-05-11"]
    assert [edition["date"] for edition in second["items"]] == ["2026-05-10"]
    assert second["next"] is None


def test_an_edition_has_its_papers_by_rank_with_their_figures(client: Client) -> None:
    first, second = (
        factories.paper(title="First", topics=["robotics"]),
        factories.paper(title="Second"),
    )
    edition = factories.edition()
    factories.entry(edition=edition, paper=second, rank=2, gain=None)
    figures: dict[str, Any] = {
        "rank": 1,
        "score": 4.5,
        "upvotes": 12,
        "gain": -3,
        "topic_ranks": {"robotics": 1},
    }
    factories.entry(edition=edition, paper=first, **figures)

    detail = get_json(client, f"{EDITIONS}/2026-05-12")

    assert (detail["date"], detail["papers"]) == ("2026-05-12", 2)
    assert [entry["paper"]["title"] for entry in detail["entries"]] == ["First", "Second"]
    first_paper = get_json(client, f"/api/v1/papers/{first.arxiv_id}")
    assert detail["entries"][0] == {**figures, "paper": first_paper}


@pytest.mark.parametrize(
    ("day", "status"),
    [
        ("2026-05-11", 404),
        ("0001-01-01", 404),
        ("9999-12-31", 404),
        ("2026-02-30", 422),
        ("1747008000", 422),
        ("today", 422),
        ("%00", 422),
        ("2026-05-12/x", 404),
    ],
)
def test_an_unknown_edition_is_a_404_and_an_invalid_date_a_422(
    client: Client, day: str, status: int
) -> None:
    factories.edition()
    response = client.get(f"{EDITIONS}/{day}")

    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")


@pytest.mark.parametrize(("url", "queries"), [(EDITIONS, 1), (f"{EDITIONS}/2026-05-12", 3)])
def test_more_rows_need_no_more_queries(
    client: Client, django_assert_num_queries: Any, settings: Any, url: str, queries: int
) -> None:
    rate_limit_queries = 0 if settings.REDIS_URL else 2
    client.get(EDITIONS)
    edition = factories.edition()
    for number in (1, 4):
        for rank in range(number):
            paper = factories.paper(topics=["robotics", f"topic-{number}"])
            factories.entry(edition=edition, paper=paper, rank=10 * number + rank)
        factories.edition(day=factories.TODAY - timedelta(days=number))
        with django_assert_num_queries(queries + rate_limit_queries):
            assert client.get(url).status_code == 200


@pytest.mark.parametrize("url", [EDITIONS, f"{EDITIONS}/2026-05-12"])
def test_a_conditional_request_gets_304(client: Client, url: str) -> None:
    factories.edition(papers=[factories.paper()])
    Paper.objects.update(added_at=factories.NOW)
    first = client.get(url)

    by_tag = client.get(url, headers={"If-None-Match": first["ETag"]})
    by_date = client.get(url, headers={"If-Modified-Since": first["Last-Modified"]})

    assert (by_tag.status_code, by_date.status_code) == (304, 304)
