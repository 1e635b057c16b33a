"""papers/views.py"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from papers.models import Paper
from papers.search import embeddings, encoder, engine
from tests import factories
from tests.papers import semantic

pytestmark = pytest.mark.django_db

HOSTILE = '<script>alert("x")</script> & 1 < 2'


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(factories.NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def without_semantic_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the extra `semantic`, installed or not; tests that need it install a fake."""
    monkeypatch.setattr(encoder, "is_installed", lambda: False)


def titles(html: str) -> list[str]:
    """Return the titles in a list of papers, in page order."""
    return re.findall(r'<h3><a href="/papers/[^"]+">([^<]+)</a></h3>', html)


def get(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


def test_papers_are_listed_by_day_then_by_score(client: Client) -> None:
    factories.paper(title="Cool", score=1.0)
    factories.paper(title="Hot", score=9.0)
    factories.paper(title="Older", score=20.0, listed_on=factories.TODAY - timedelta(days=20))

    assert titles(get(client, "/papers/")) == ["Hot", "Cool", "Older"]


def test_the_list_of_papers_has_a_heading_for_each_day(client: Client) -> None:
    for days in (1, 1, 2):
        factories.paper(listed_on=factories.TODAY - timedelta(days=days))

    headings = re.findall(r'<h2 class="day"[^>]*>([^<]+)<', get(client, "/papers/"))

    assert headings == ["Monday 11 May 2026", "Sunday 10 May 2026"]


def test_the_list_of_papers_is_paginated(client: Client) -> None:
    for _ in range(31):
        factories.paper()

    assert len(titles(get(client, "/papers/"))) == 30
    assert len(titles(get(client, "/papers/?page=2"))) == 1
    assert client.get("/papers/?page=3").status_code == 404
    assert client.get("/papers/?page=x").status_code == 404


def test_a_paper_shows_its_whole_abstract_and_its_links(client: Client) -> None:
    abstract = " ".join(f"word{number}" for number in range(400))
    paper = factories.paper(
        abstract=abstract, code_url="https://github.com/a/b", project_url="https://a.example/"
    )

    html = get(client, paper.get_absolute_url())

    assert abstract in html
    for url in (
        paper.arxiv_url,
        paper.pdf_url,
        paper.discussion_url,
        "https://github.com/a/b",
        "https://a.example/",
    ):
        assert f'href="{url}"' in html


def test_a_paper_links_to_the_edition_that_featured_it(client: Client) -> None:
    paper = factories.paper()
    factories.edition(papers=[factories.paper(), paper])

    html = get(client, paper.get_absolute_url())

    assert 'No. 2 in the <a href="/editions/2026-05-12/">edition of Tuesday 12 May 2026</a>' in html


def test_a_paper_that_was_in_no_edition_links_to_none(client: Client) -> None:
    assert "/editions/20" not in get(client, factories.paper().get_absolute_url())


def test_machine_written_summaries_are_labelled(client: Client) -> None:
    paper = factories.paper(abstract="", machine_summary="It is about things.")

    for url in ("/papers/", paper.get_absolute_url()):
        html = get(client, url)
        assert html.index("Machine-written summary") < html.index("It is about things.")


def test_a_paper_shows_a_sparkline_of_its_upvotes(client: Client) -> None:
    paper = factories.paper()
    for hours, value in ((12, 2), (6, 20), (0, 87)):
        factories.reading(
            paper=paper, value=value, observed_at=factories.NOW - timedelta(hours=hours)
        )

    html = get(client, paper.get_absolute_url())

    assert 'aria-label="From 2 on 11 May to 87 on 12 May"' in html
    assert "<polyline points=" in html


def test_a_paper_with_a_slash_in_its_id_has_a_page(client: Client) -> None:
    paper = factories.paper(arxiv_id="math/0309136", title="Old but gold")

    assert paper.get_absolute_url() == "/papers/math/0309136/"
    assert "Old but gold" in get(client, "/papers/math/0309136/")


def test_long_author_lists_are_collapsed(client: Client) -> None:
    paper = factories.paper(authors=[f"Author {number}" for number in range(573)])

    html = get(client, paper.get_absolute_url())

    assert "<summary>Author 0, Author 1, Author 2 and 570 more</summary>" in html
    assert "Author 572" in html


def test_text_of_papers_is_escaped(client: Client) -> None:
    paper = factories.paper(
        title=HOSTILE,
        abstract=HOSTILE,
        machine_summary=HOSTILE,
        authors=[HOSTILE],
        organization=HOSTILE,
        topics=["robotics"],
    )

    for url in ("/", "/papers/", paper.get_absolute_url(), "/topics/robotics/"):
        html = get(client, url)
        assert "&lt;script&gt;alert(" in html
        assert "<script>" not in html


def test_topics_are_listed_by_their_number_of_trending_papers(client: Client) -> None:
    factories.topic("audio", description="Sound and music")
    factories.paper(topics=["robotics"])
    factories.paper(topics=["robotics", "vision"])
    factories.paper(topics=["vision"], listed_on=factories.TODAY - timedelta(days=8))

    html = get(client, "/topics/")

    assert "Sound and music" in html
    assert re.findall(r'/topics/(\w+)/">\w+</a> <span class="count">(\d+)<', html) == [
        ("robotics", "2"),
        ("vision", "1"),
        ("audio", "0"),
    ]


def test_a_topic_shows_its_trending_papers(client: Client) -> None:
    factories.paper(title="Second", topics=["robotics"], score=1.0)
    factories.paper(title="First", topics=["robotics", "vision"], score=2.0)
    factories.paper(title="Elsewhere", topics=["vision"], score=9.0)
    factories.paper(
        title="Too old", topics=["robotics"], listed_on=factories.TODAY - timedelta(days=8)
    )

    assert titles(get(client, "/topics/robotics/")) == ["First", "Second"]


def test_a_topic_links_to_its_feed_in_head_and_body(client: Client) -> None:
    factories.topic("robotics")

    html = get(client, "/topics/robotics/")

    assert re.findall(r'<link rel="alternate" href="([^"]+)"', html)[-1] == "/feeds/robotics.xml"
    assert ("/feeds/robotics.xml", "this topic's feed") in re.findall(
        r'<a href="(/feeds/[^"]+)">([^<]+)</a>', html
    )
    assert client.get("/feeds/robotics.xml").status_code == 200


@pytest.mark.parametrize("url", ["/topics/robotics/", "/papers/2605.12345/"])
def test_the_signup_form_has_the_topic_preselected(client: Client, url: str) -> None:
    factories.topic("vision")
    factories.paper(arxiv_id="2605.12345", topics=["robotics"])

    html = get(client, url)

    checked = re.findall(r'name="topics" value="(\w+)" checked', html)
    assert checked == ["robotics"]
    assert re.findall(r'name="topics" value="(\w+)">', html) == ["vision"]


@pytest.mark.parametrize(
    "url",
    [
        "/papers/2605.99999/",
        "/papers/nothing/at/all/",
        "/papers/%00/",
        "/topics/alchemy/",
        "/topics/Not a slug/",
    ],
)
def test_an_unknown_page_is_a_404(client: Client, url: str) -> None:
    response = client.get(url)

    assert response.status_code == 404
    assert "Page not found." in response.content.decode()


def test_empty_pages_say_that_they_are_empty(client: Client) -> None:
    factories.topic("robotics")

    assert "No papers yet." in get(client, "/papers/")
    assert "Nothing this week." in get(client, "/topics/robotics/")


def page_urls() -> list[str]:
    paper = factories.paper(topics=["robotics", "vision"], upvotes=3)
    return ["/papers/", paper.get_absolute_url(), "/topics/", "/topics/robotics/"]


def test_pages_are_public_and_cacheable_for_a_minute(client: Client) -> None:
    for url in page_urls():
        response = client.get(url)
        assert response.headers["Cache-Control"] == "public, max-age=60"
        assert "Cookie" not in response.headers.get("Vary", "")
        assert not response.cookies


def test_pages_allow_head_but_not_post(client: Client) -> None:
    for url in page_urls():
        response = client.head(url)
        assert (response.status_code, response.content) == (200, b"")
        assert client.post(url).status_code == 405


@pytest.mark.parametrize("papers", [1, 31])
@pytest.mark.parametrize(
    ("url", "queries"),
    [
        ("/papers/", 3),
        ("/papers/?q=study", 3),
        ("/papers/2605.12345/", 5),
        ("/topics/", 2),
        ("/topics/robotics/", 5),
    ],
)
def test_more_papers_need_no_more_queries(
    client: Client, django_assert_num_queries: Any, url: str, queries: int, papers: int
) -> None:
    create_papers(papers)
    client.get(url)  # fills the cache of the search's date windows

    with django_assert_num_queries(queries):
        client.get(url)


@pytest.mark.parametrize("papers", [2, 31])
@pytest.mark.parametrize(("url", "queries"), [("/papers/?q=study", 4), ("/papers/2605.12345/", 9)])
def test_more_similar_papers_need_no_more_queries(
    client: Client,
    django_assert_num_queries: Any,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    queries: int,
    papers: int,
) -> None:
    semantic.install_fake_encoder(monkeypatch)
    create_papers(papers)
    sum(embeddings.embed_missing())
    client.get(url)

    with django_assert_num_queries(queries):
        client.get(url)


def create_papers(count: int) -> None:
    papers = [
        factories.paper(arxiv_id=f"2605.{12345 + n}", topics=["robotics", f"topic-{n % 5}"])
        for n in range(count)
    ]
    for hours in range(count):
        factories.reading(paper=papers[0], observed_at=factories.NOW - timedelta(hours=hours))
    engine.update_index(papers)
    factories.edition(papers=papers[:1])


def indexed_paper(**fields: Any) -> Paper:
    paper = factories.paper(**fields)
    engine.update_index([paper])
    return paper


def result_titles(html: str) -> list[str]:
    return re.findall(r'<h2><a href="/papers/[^"]+">(.+?)</a></h2>', html)


def test_results_highlight_the_matches_in_title_abstract_and_authors(client: Client) -> None:
    indexed_paper(
        title="Robot arms", abstract=f"{'Long. ' * 100}All <b> robots & co.", authors=["Ada B"]
    )
    indexed_paper(title="Something else")

    html = get(client, "/papers/?q=robot+author:ada")

    assert result_titles(html) == ["<mark>Robot</mark> arms"]
    assert "Long. All &lt;b&gt; <mark>robots</mark> &amp; co." in html
    assert "<mark>Ada</mark> B" in html
    assert 'value="robot author:ada"' in html
    assert "1 paper<" in html


def test_the_signup_form_is_above_the_results(client: Client) -> None:
    indexed_paper(title="Robot")

    html = get(client, "/papers/?q=robot")

    assert html.index('action="/subscribe/"') < html.index('name="q"') < html.index("<mark>")


def test_an_empty_search_is_the_list_of_papers(client: Client) -> None:
    factories.paper(title="Robot")

    for url in ("/papers/", "/papers/?q=", "/papers/?q=+"):
        html = get(client, url)
        assert titles(html) == ["Robot"]
        assert '<input type="search" id="q" name="q" value=""' in html


def test_the_query_is_escaped_in_the_search_box(client: Client) -> None:
    indexed_paper(title=HOSTILE, abstract=HOSTILE)

    html = get(client, "/papers/?q=%22%3E%3Cscript%3Ealert%00")

    assert 'value="&quot;&gt;&lt;script&gt;alert"' in html
    assert "&lt;<mark>script&gt;alert</mark>(" in html
    assert "<script>" not in html


def test_results_are_paginated(client: Client) -> None:
    for _ in range(21):
        indexed_paper(title="Robot & co")

    first = get(client, "/papers/?q=robot+%26+co")

    assert len(result_titles(first)) == 20
    assert 'href="?q=robot+%26+co&amp;page=2"' in first
    assert len(result_titles(get(client, "/papers/?q=robot+%26+co&page=2"))) == 1
    for page in ("3", "0", "-1", "x", "1e3", "99999999999999999999"):
        assert client.get(f"/papers/?q=robot&page={page}").status_code == 404


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("zebra", "No paper matches this search."),
        ("%22robot+zebra%22", 'href="?q=robot+zebra"'),
        ("the+of", "This search has no search terms."),
        ("%27%29%3B+--", "This search has no search terms."),
        ("%00", "This search has no search terms."),
        ("robot+since:yesterday+zebra", "<q>since:yesterday</q>"),
        ("x" * 4000, "No paper matches this search."),
    ],
)
def test_an_empty_result_gives_a_hint(client: Client, query: str, hint: str) -> None:
    indexed_paper(title="Robot")

    html = get(client, f"/papers/?q={query}")

    assert result_titles(html) == []
    assert hint in html
    assert "author:erdos" in html


def test_an_empty_result_suggests_other_searches(client: Client) -> None:
    indexed_paper(title="Robot")
    factories.topic("robotics")

    html = get(client, "/papers/?q=robotiks+robot&page=1")

    assert "No paper contains <q>robotiks</q>" in html
    assert 'Search for <a href="?q=robot">robot</a> instead' in html
    assert 'Did you mean the topic <a href="/topics/robotics/">Robotics</a>?' in html


def test_papers_similar_in_meaning_are_listed_separately(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    semantic.install_fake_encoder(monkeypatch)
    paper = indexed_paper(title="Robot arms grasp", abstract="", authors=[])
    indexed_paper(title="Robot arms throw", abstract="", authors=[])
    assert "Similar papers" not in get(client, paper.get_absolute_url())
    sum(embeddings.embed_missing())

    page = get(client, paper.get_absolute_url())
    results = get(client, "/papers/?q=robot+arms+grasp")

    assert page.index("Similar papers") < page.index("Robot arms throw")
    assert page.count("Robot arms throw") == 1
    assert results.index("Similar papers") < results.index("<mark>Robot arms</mark> throw")


HOSTILE_TEXT = st.text(st.characters(), max_size=60) | st.sampled_from(
    ["a" * 10_000, "\x00", "\ud800", '"' * 999, "-" * 99, "since:9999-99-99", "author:", "%", "(\\"]
)


@pytest.mark.services  # databases differ in what text they accept
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=HOSTILE_TEXT, page=st.none() | HOSTILE_TEXT | st.integers().map(str))
def test_hostile_searches_never_fail(client: Client, text: str, page: str | None) -> None:
    params = {"q": f"{text} study"} | ({} if page is None else {"page": page})
    query = "&".join(
        f"{name}={quote(value, errors='surrogatepass')}" for name, value in params.items()
    )

    assert client.get(f"/papers/?{query}").status_code in ({200} if page is None else {200, 404})


def test_a_capped_count_is_labelled(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_RESULTS", 20)
    for _ in range(21):
        indexed_paper(title="Robot")

    assert "The best of the newest 20 matching papers" in get(client, "/papers/?q=robot")


def test_the_urls_are_stable() -> None:
    assert reverse("papers:papers") == "/papers/"
    assert reverse("papers:paper", args=["2605.00001"]) == "/papers/2605.00001/"
    assert reverse("papers:topics") == "/topics/"
    assert reverse("papers:topic", args=["robotics"]) == "/topics/robotics/"


@pytest.mark.parametrize("alias", ["2605.01234v2", "10.48550/arXiv.2605.01234", "arXiv:2605.01234"])
def test_another_identifier_of_a_paper_redirects_to_its_page(client, alias):
    factories.paper(arxiv_id="2605.01234")

    response = client.get(f"/papers/{alias}/")

    assert (response.status_code, response.headers["Location"]) == (302, "/papers/2605.01234/")


def test_a_paper_without_an_arxiv_id_has_no_arxiv_links(client):
    factories.paper(arxiv_id="", doi="10.1145/1.2", listed_on=None, title="A robot")

    page = client.get("/papers/10.1145/1.2/").content.decode()

    assert "<h1>A robot</h1>" in page
    assert 'href="https://doi.org/10.1145/1.2"' in page
    assert "Read the PDF" not in page
    assert "huggingface.co" not in page


def test_unknown_dates_are_not_shown(client):
    paper = factories.paper(
        arxiv_id="", listed_on=None, published_on=None, sort_date=factories.TODAY
    )

    page = client.get(paper.get_absolute_url()).content.decode()

    assert "Published" not in page
    assert "Listed" not in page


def test_the_latest_citation_counts_are_shown(client):
    paper = factories.paper()
    for value, hours in ((3, 2), (4, 1)):
        factories.reading(
            paper=paper,
            value=value,
            source="semanticscholar-citations",
            observed_at=factories.NOW - timedelta(hours=hours),
        )
    factories.reading(paper=paper, value=1, source="semanticscholar-influential")

    page = client.get(paper.get_absolute_url()).content.decode()

    assert "Citations, 1 of them influential" in page
    assert "<dd>4</dd>" in page


def test_a_withdrawn_paper_is_marked(client):
    paper = factories.paper(withdrawn=True)

    assert "<strong>Withdrawn.</strong>" in client.get(paper.get_absolute_url()).content.decode()
