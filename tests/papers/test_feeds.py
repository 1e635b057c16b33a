"""papers/feeds.py"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
import time_machine
from django.test import Client

from papers.topics import rules
from tests import factories
from tests.papers import arxiv_feed_factory

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"
FEED_URLS = ["/feeds/trending.xml", "/feeds/robotics.xml"]


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(factories.NOW, tick=False):
        yield


def get_feed(client: Client, url: str) -> ElementTree.Element:
    response = client.get(url)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(response.content)


def texts(feed: ElementTree.Element, path: str) -> list[str | None]:
    return [
        element.text for element in feed.iterfind("/".join(ATOM + tag for tag in path.split("/")))
    ]


def test_the_trending_feed_has_this_week_s_papers_highest_score_first(client: Client) -> None:
    factories.paper(title="Cool", score=1.0)
    factories.paper(title="Hot", score=9.0)
    factories.paper(title="Long ago", score=99.0, listed_on=factories.TODAY - timedelta(days=20))

    assert texts(get_feed(client, "/feeds/trending.xml"), "entry/title") == ["Hot", "Cool"]


def test_a_topic_feed_has_only_the_topic_s_papers(client: Client) -> None:
    factories.paper(title="A robot", topics=["robotics"])
    factories.paper(title="A theorem", topics=["theory"])

    feed = get_feed(client, "/feeds/robotics.xml")

    assert texts(feed, "title") == ["Trending Papers: Robotics"]
    assert texts(feed, "entry/title") == ["A robot"]


@pytest.mark.parametrize("slug", ["no-such-topic", "x" * 300])
def test_a_topic_that_does_not_exist_has_no_feed(client: Client, slug: str) -> None:
    assert client.get(f"/feeds/{slug}.xml").status_code == 404


@pytest.mark.parametrize("url", FEED_URLS)
def test_a_feed_has_the_elements_that_atom_requires(
    client: Client, settings: Any, url: str
) -> None:
    settings.SITE_URL, settings.SITE_HOST = "https://papers.example.org", "papers.example.org"
    paper = factories.paper(arxiv_id="2605.04321", topics=["robotics"])
    old = factories.paper(arxiv_id="math/0309136", topics=["robotics"], authors=[])

    feed = get_feed(client, url)

    assert all(feed.findtext(ATOM + tag) for tag in ("id", "title", "updated"))
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "Trending Papers"
    links = {link.get("rel"): link.get("href") for link in feed.iterfind(f"{ATOM}link")}
    assert links["self"] == f"https://papers.example.org{url}"
    first = feed.find(f"{ATOM}entry")
    assert first is not None
    assert first.findtext(f"{ATOM}author/{ATOM}name") == paper.byline
    assert first.findtext(f"{ATOM}updated") == "2026-05-12T06:00:00+00:00"
    assert first.findtext(f"{ATOM}published") == "2026-05-11T00:00:00+00:00"
    assert texts(feed, "entry/id") == [
        f"tag:papers.example.org,2026:paper/{listed.arxiv_id}" for listed in (paper, old)
    ]
    entry_links = [link.get("href") for link in feed.iterfind(f"{ATOM}entry/{ATOM}link")]
    assert entry_links == [
        f"https://papers.example.org/papers/{listed.arxiv_id}/" for listed in (paper, old)
    ]


HOSTILE = [
    "plain",
    "<script>alert(1)</script> & ]]> <![CDATA[ <!-- &nbsp; &amp;",
    "\x01\x0b\x1f\x7f\x85\ufffe\uffff",
    "‮ evil ‏ \u2028 🤖 é ﷽",
    "<img src=x onerror=alert(1)>",
    "x" * 500,
    "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>&b;",
]


@pytest.mark.parametrize("url", FEED_URLS)
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_a_feed_with_hostile_text_is_valid(
    client: Client, settings: Any, url: str, hostile: str
) -> None:
    settings.SITE_URL, settings.SITE_HOST = "https://papers.example.org", "papers.example.org"
    topic = factories.topic("robotics", name=hostile[:100], description=hostile[:300])
    for title in ("A title", "A title", "Another"):  # titles need not be unique
        paper = factories.paper(
            title=f"{title} {hostile}"[:500], abstract=hostile, authors=[hostile]
        )
        paper.topics.add(topic)

    assert arxiv_feed_factory.find_feed_errors(client.get(url).content) == []


@pytest.mark.parametrize("url", FEED_URLS)
def test_an_empty_feed_is_valid(client: Client, url: str) -> None:
    factories.topic("robotics")

    assert arxiv_feed_factory.find_feed_errors(client.get(url).content) == []


def test_the_validator_of_these_tests_reports_every_kind_of_error() -> None:
    feed = """<feed xmlns="http://www.w3.org/2005/Atom"><id>x y</id><title/><updated>today</updated>
        <entry><id>tag:a,2026:b</id><title>A</title><title>B</title>
        <link href="javascript:x"/><summary type="html">&lt;script></summary></entry>
        <entry><id>tag:a,2026:b</id></entry></feed>"""

    errors = arxiv_feed_factory.find_feed_errors(feed.encode())

    for message in (
        "'x y' is not an address.",
        "'today' is not a moment.",
        "The title is empty.",
        "title must be there exactly once.",
        "updated must be there exactly once.",
        "'javascript:x' is not an address to follow.",
        "<script> is not to be shown by a reader.",
        "The id tag:a,2026:b is there 2 times.",
        "An entry has no author, and neither has the feed.",
        "The feed does not say where it is itself.",
        "The feed does not say its language.",
        "There must be one page that this is about, and not two of a kind.",
    ):
        assert message in errors


@pytest.mark.parametrize("url", FEED_URLS)
def test_a_feed_is_displayed_rather_than_downloaded(client: Client, url: str) -> None:
    factories.topic("robotics")
    response = client.get(url)

    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "Content-Disposition" not in response


def test_every_feed_has_its_own_id(client: Client) -> None:
    factories.topic("robotics")

    assert len({texts(get_feed(client, url), "id")[0] for url in FEED_URLS}) == 2


def test_titles_authors_and_abstracts_are_escaped(client: Client) -> None:
    hostile = "<script>x</script> & 1 < 2 ]]>"
    factories.paper(
        title=f"{hostile}\x0b\ufffe", abstract=f"{hostile}\x01", authors=[f"{hostile}\x1f"]
    )

    feed = get_feed(client, "/feeds/trending.xml")

    # Titles are plain text. Summaries are HTML that contains the escaped text.
    assert texts(feed, "entry/title") == [hostile]
    assert texts(feed, "entry/author/name") == [hostile]
    summary = "<p>&lt;script&gt;x&lt;/script&gt; &amp; 1 &lt; 2 ]]&gt;</p>"
    assert texts(feed, "entry/summary") == [summary]


@pytest.mark.parametrize(("url", "queries"), [(FEED_URLS[0], 2), (FEED_URLS[1], 3)])
def test_more_papers_need_no_more_queries(
    client: Client, django_assert_num_queries: Any, url: str, queries: int
) -> None:
    for _ in range(40):
        factories.paper(topics=["robotics", "theory"])

    with django_assert_num_queries(queries):
        feed = get_feed(client, url)

    assert len(texts(feed, "entry/id")) == 30


@pytest.mark.parametrize("url", FEED_URLS)
@pytest.mark.parametrize("papers", [0, 1])
def test_a_conditional_request_gets_304(client: Client, url: str, papers: int) -> None:
    factories.topic("robotics")
    for _ in range(papers):
        factories.paper(topics=["robotics"])
    first = client.get(url)
    with time_machine.travel(factories.NOW + timedelta(hours=1), tick=False):
        by_tag = client.get(url, headers={"If-None-Match": first["ETag"]})
        by_date = client.get(url, headers={"If-Modified-Since": first["Last-Modified"]})

    assert first["Cache-Control"] == "public, max-age=600"
    assert (by_tag.status_code, by_date.status_code) == (304, 304)
    assert by_tag.content == b""


def test_a_new_paper_changes_the_etag(client: Client) -> None:
    factories.paper()
    first = client.get("/feeds/trending.xml")
    factories.paper()

    second = client.get("/feeds/trending.xml", headers={"If-None-Match": first["ETag"]})

    assert second.status_code == 200


def test_a_feed_sets_no_cookie_and_rejects_post(client: Client) -> None:
    response = client.get("/feeds/trending.xml")

    assert not response.cookies
    assert client.post("/feeds/trending.xml").status_code == 405


def test_pages_link_to_the_feeds(client: Client) -> None:
    factories.topic("robotics")

    home, topic = (client.get(url).content.decode() for url in ("/", "/topics/robotics/"))

    for url, pages in [(FEED_URLS[0], [home, topic]), (FEED_URLS[1], [topic])]:
        link = f'<link rel="alternate" href="{url}" type="application/atom+xml"'
        assert all(link in page for page in pages)
    assert FEED_URLS[1] not in home


def test_no_topic_is_called_trending() -> None:
    assert "trending" not in {rule.slug for rule in rules.load_rules()}
