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


def get(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def titles(html: str) -> list[str]:
    """The papers of a list, in the order in which they are shown."""
    return re.findall(r'<h3><a href="/papers/[^"]+">([^<]+)</a></h3>', html)


def test_the_front_page_ranks_what_trends_today(client: Client) -> None:
    factories.paper(title="Second", score=1.0)
    factories.paper(title="First", score=2.0)
    factories.paper(title="Last week's", score=9.0, listed_on=factories.TODAY - timedelta(days=8))

    html = get(client, "/")

    assert titles(html) == ["First", "Second"]
    assert "Tuesday 12 May 2026" in html


def test_the_front_page_shows_the_best_twenty(client: Client) -> None:
    for _ in range(21):
        factories.paper()

    assert len(titles(get(client, "/"))) == 20


def test_the_front_page_offers_every_topic_the_busiest_first(client: Client) -> None:
    for number in range(12):
        factories.topic(f"topic-{number:02}")
    factories.paper(topics=["topic-11"])

    html = get(client, "/")

    offered = re.findall(r'name="topics" value="([^"]+)">', html)
    assert offered == ["topic-11", *(f"topic-{number:02}" for number in range(11))]
    visible, folded = html.split("<details>")
    assert len(re.findall('name="topics"', visible)) == 6
    assert len(re.findall('name="topics"', folded)) == 6


def test_the_front_page_can_be_used_to_sign_up_without_a_cookie(client: Client) -> None:
    response = client.get("/")

    assert 'method="post" action="/subscribe/"' in response.content.decode()
    assert not response.cookies


def test_the_front_page_of_an_empty_site_says_what_will_come(client: Client) -> None:
    html = get(client, "/")

    assert "No papers yet." in html
    assert "glimpse" not in html


def test_an_edition_shows_the_ranking_and_the_figures_of_its_day(client: Client) -> None:
    edition = factories.edition()
    first = factories.paper(title="First", upvotes=500)
    second = factories.paper(title="Second")
    factories.entry(edition=edition, paper=second, rank=2, upvotes=40, gain=7)
    factories.entry(edition=edition, paper=first, rank=1, upvotes=87, gain=-3)

    html = get(client, "/editions/2026-05-12/")

    assert titles(html) == ["First", "Second"]
    assert re.findall(r"</svg> (\d+)<", html) == ["87", "40"]
    assert re.findall(r'class="gain">([^<]+)<', html) == ["+7 since the day before"]


def test_an_edition_lists_what_comes_after_the_best_twenty_by_title(client: Client) -> None:
    factories.edition(papers=[factories.paper(title=f"Paper {number}") for number in range(1, 23)])

    html = get(client, "/editions/2026-05-12/")

    assert len(titles(html)) == 20
    assert re.findall(r'<li value="(\d+)"><a [^>]+>([^<]+)<', html) == [
        ("21", "Paper 21"),
        ("22", "Paper 22"),
    ]


def test_an_edition_leads_to_its_neighbours(client: Client) -> None:
    for days in (0, 1, 4):
        factories.edition(day=factories.TODAY - timedelta(days=days))

    def neighbours(day: str) -> list[tuple[str, str]]:
        html = get(client, f"/editions/{day}/")
        return re.findall(r'<a rel="(\w+)" href="/editions/([^/]+)/"', html)

    assert neighbours("2026-05-12") == [("prev", "2026-05-11")]
    assert neighbours("2026-05-11") == [("prev", "2026-05-08"), ("next", "2026-05-12")]
    assert neighbours("2026-05-08") == [("next", "2026-05-11")]


def test_the_archive_lists_editions_newest_first_with_their_best(client: Client) -> None:
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


def test_the_archive_without_an_edition_says_so(client: Client) -> None:
    assert "No edition yet." in get(client, "/editions/")


@pytest.mark.parametrize(
    "address",
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
def test_what_does_not_exist_is_a_page_that_says_so(client: Client, address: str) -> None:
    factories.edition()

    response = client.get(address)

    assert response.status_code == 404
    assert "There is no such page." in response.content.decode()


@pytest.mark.parametrize("address", ["/", "/editions/", "/editions/2026-05-12/"])
def test_pages_hold_nothing_personal_and_may_be_kept_a_minute(client: Client, address: str) -> None:
    factories.edition(papers=[factories.paper(topics=["robotics"])])

    response = client.get(address)

    assert response.headers["Cache-Control"] == "public, max-age=60"
    assert "Cookie" not in response.headers.get("Vary", "")
    assert not response.cookies


@pytest.mark.parametrize("address", ["/", "/editions/", "/editions/2026-05-12/"])
def test_pages_answer_head_and_nothing_that_writes(client: Client, address: str) -> None:
    factories.edition()

    response = client.head(address)

    assert (response.status_code, response.content) == (200, b"")
    assert client.post(address).status_code == 405


@pytest.mark.parametrize("many", [1, 3])
@pytest.mark.parametrize(
    ("address", "queries"), [("/", 5), ("/editions/", 3), ("/editions/2026-05-12/", 7)]
)
def test_a_page_asks_the_database_no_more_for_more_papers(
    client: Client, django_assert_num_queries: Any, address: str, queries: int, many: int
) -> None:
    for days in range(many):
        papers = [factories.paper(topics=["robotics", f"topic-{each}"]) for each in range(many)]
        factories.edition(day=factories.TODAY - timedelta(days=days), papers=papers)

    with django_assert_num_queries(queries):
        client.get(address)


def test_pages_allow_no_script_or_style_but_the_files_of_the_site(client: Client) -> None:
    factories.paper(topics=["robotics"])

    response = client.get("/")

    html = response.content.decode()
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in response.headers["Content-Security-Policy"]
    assert " style=" not in html
    assert "<style" not in html
    scripts = re.findall(r"<script([^>]*)>", html)
    assert scripts != []
    assert [each for each in scripts if not re.fullmatch(r' src="/static/\S+" defer', each)] == []


def test_a_failure_of_ours_is_a_page_that_needs_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> dict[str, bool]:
        raise RuntimeError("broken")

    monkeypatch.setattr(health, "check_dependencies", broken)
    client.raise_request_exception = False

    response = client.get("/health/")

    assert response.status_code == 500
    assert "Something broke on our side." in response.content.decode()


def test_a_request_that_makes_no_sense_is_a_page_that_says_so(client: Client) -> None:
    response = client.get("/", headers={"host": "other.example"})

    assert response.status_code == 400
    assert "This request makes no sense to us." in response.content.decode()
