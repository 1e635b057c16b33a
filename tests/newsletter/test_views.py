"""newsletter/views.py, and the error pages"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from newsletter.operations import health
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(factories.NOW, tick=False):
        yield


def get(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


def titles(html: str) -> list[str]:
    """Return the titles in a list of papers, in page order."""
    return re.findall(r'<h3><a href="/papers/[^"]+">([^<]+)</a></h3>', html)


def test_the_front_page_ranks_the_trending_papers(client: Client) -> None:
    factories.paper(title="Second", score=1.0)
    factories.paper(title="First", score=2.0)
    factories.paper(title="Last week's", score=9.0, listed_on=factories.TODAY - timedelta(days=8))

    html = get(client, "/")

    assert titles(html) == ["First", "Second"]
    assert "Tuesday 12 May 2026" in html


def test_the_front_page_shows_twenty_papers(client: Client) -> None:
    for _ in range(21):
        factories.paper()

    assert len(titles(get(client, "/"))) == 20


def test_the_signup_form_offers_all_topics_most_trending_papers_first(client: Client) -> None:
    for number in range(12):
        factories.topic(f"topic-{number:02}")
    factories.paper(topics=["topic-11"])

    html = get(client, "/")

    choices = re.findall(r'name="topics" value="([^"]+)">', html)
    assert choices == ["topic-11", *(f"topic-{number:02}" for number in range(11))]
    visible, collapsed = html.split("<details>")
    assert len(re.findall('name="topics"', visible)) == 6
    assert len(re.findall('name="topics"', collapsed)) == 6


def test_the_signup_form_of_the_front_page_needs_no_cookie(client: Client) -> None:
    response = client.get("/")

    assert 'method="post" action="/subscribe/"' in response.content.decode()
    assert not response.cookies


def test_the_front_page_without_papers_says_so(client: Client) -> None:
    html = get(client, "/")

    assert "No papers yet." in html
    assert "glimpse" not in html


def test_an_edition_shows_the_ranking_and_upvotes_of_its_day(client: Client) -> None:
    edition = factories.edition()
    first = factories.paper(title="First", upvotes=500)
    second = factories.paper(title="Second")
    factories.entry(edition=edition, paper=second, rank=2, upvotes=40, gain=7)
    factories.entry(edition=edition, paper=first, rank=1, upvotes=87, gain=-3)

    html = get(client, "/editions/2026-05-12/")

    assert titles(html) == ["First", "Second"]
    assert re.findall(r"</svg> (\d+)<", html) == ["87", "40"]
    assert re.findall(r'class="gain">([^<]+)<', html) == ["+7 since the day before"]


def test_an_edition_lists_papers_after_the_first_twenty_by_title_only(client: Client) -> None:
    factories.edition(papers=[factories.paper(title=f"Paper {number}") for number in range(1, 23)])

    html = get(client, "/editions/2026-05-12/")

    assert len(titles(html)) == 20
    assert re.findall(r'<li value="(\d+)"><a [^>]+>([^<]+)<', html) == [
        ("21", "Paper 21"),
        ("22", "Paper 22"),
    ]


def test_an_edition_links_to_the_previous_and_the_next_one(client: Client) -> None:
    for days in (0, 1, 4):
        factories.edition(day=factories.TODAY - timedelta(days=days))

    def neighbours(day: str) -> list[tuple[str, str]]:
        html = get(client, f"/editions/{day}/")
        return re.findall(r'<a rel="(\w+)" href="/editions/([^/]+)/"', html)

    assert neighbours("2026-05-12") == [("prev", "2026-05-11")]
    assert neighbours("2026-05-11") == [("prev", "2026-05-08"), ("next", "2026-05-12")]
    assert neighbours("2026-05-08") == [("next", "2026-05-11")]


def test_the_archive_lists_editions_newest_first_with_their_top_papers(client: Client) -> None:
    factories.edition(
        day=factories.TODAY - timedelta(days=12),
        papers=[factories.paper(title=f"Old {n}") for n in range(5)],
    )
    factories.edition(papers=[factories.paper(title="New")])

    html = get(client, "/editions/")

    assert re.findall(r'href="/editions/([\d-]+)/"', html) == ["2026-05-12", "2026-04-30"]
    assert re.findall(r"<span>((?:Old|New)[^<]*)</span>", html) == [
        "New",
        "Old 0",
        "Old 1",
        "Old 2",
    ]
    assert re.findall(r">(\d+ papers?)<", html) == ["1 paper", "5 papers"]
    assert html.index("May 2026") < html.index("April 2026")


def test_the_archive_without_editions_says_so(client: Client) -> None:
    assert "No edition yet." in get(client, "/editions/")


@pytest.mark.parametrize(
    "url",
    [
        "/editions/2026-05-11/",
        "/editions/2026-02-30/",
        "/editions/2026-13-01/",
        "/editions/0000-00-00/",
        "/editions/today/",
        "/editions/2026-5-12/",
        "/editions/?page=2",
        "/nothing/",
    ],
)
def test_an_unknown_page_is_a_404(client: Client, url: str) -> None:
    factories.edition()

    response = client.get(url)

    assert response.status_code == 404
    assert "Page not found." in response.content.decode()


@pytest.mark.parametrize("url", ["/", "/editions/", "/editions/2026-05-12/"])
def test_pages_are_public_and_cacheable_for_a_minute(client: Client, url: str) -> None:
    factories.edition(papers=[factories.paper(topics=["robotics"])])

    response = client.get(url)

    assert response.headers["Cache-Control"] == "public, max-age=60"
    assert "Cookie" not in response.headers.get("Vary", "")
    assert not response.cookies


@pytest.mark.parametrize("url", ["/", "/editions/", "/editions/2026-05-12/"])
def test_pages_allow_head_but_not_post(client: Client, url: str) -> None:
    factories.edition()

    response = client.head(url)

    assert (response.status_code, response.content) == (200, b"")
    assert client.post(url).status_code == 405


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("url", "queries"), [("/", 5), ("/editions/", 3), ("/editions/2026-05-12/", 7)]
)
def test_more_papers_need_no_more_queries(
    client: Client, django_assert_num_queries: Any, url: str, queries: int, count: int
) -> None:
    for days in range(count):
        papers = [factories.paper(topics=["robotics", f"topic-{n}"]) for n in range(count)]
        factories.edition(day=factories.TODAY - timedelta(days=days), papers=papers)

    with django_assert_num_queries(queries):
        client.get(url)


def test_pages_have_no_inline_scripts_or_styles(client: Client) -> None:
    factories.paper(topics=["robotics"])

    response = client.get("/")

    html = response.content.decode()
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in response.headers["Content-Security-Policy"]
    assert " style=" not in html
    assert "<style" not in html
    scripts = re.findall(r"<script([^>]*)>", html)
    assert scripts != []
    assert all(re.fullmatch(r' src="/static/\S+" defer', script) for script in scripts)


def test_an_internal_error_is_a_static_page(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> dict[str, bool]:
        raise RuntimeError("broken")

    monkeypatch.setattr(health, "check_dependencies", fail)
    client.raise_request_exception = False

    response = client.get("/health/")

    assert response.status_code == 500
    assert "Something went wrong on our side." in response.content.decode()


def test_an_invalid_request_is_a_400(client: Client) -> None:
    response = client.get("/", headers={"host": "other.example"})

    assert response.status_code == 400
    assert "This request is invalid." in response.content.decode()
