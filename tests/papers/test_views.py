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
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pages wherever the tests run; a test that needs the extra says so."""
    monkeypatch.setattr(encoder, "is_installed", lambda: False)


def titles(html: str) -> list[str]:
    """The papers of a list, in the order in which they are shown."""
    return re.findall(r'<h3><a href="/papers/[^"]+">([^<]+)</a></h3>', html)


def get(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def test_papers_come_newest_day_first_and_hottest_first_within_a_day(client: Client) -> None:
    factories.paper(title="Cool", score=1.0)
    factories.paper(title="Hot", score=9.0)
    factories.paper(title="Older", score=20.0, listed_on=factories.TODAY - timedelta(days=20))

    assert titles(get(client, "/papers/")) == ["Hot", "Cool", "Older"]


def test_papers_are_shown_a_page_at_a_time(client: Client) -> None:
    for _ in range(31):
        factories.paper()

    assert len(titles(get(client, "/papers/"))) == 30
    assert len(titles(get(client, "/papers/?page=2"))) == 1
    assert client.get("/papers/?page=3").status_code == 404
    assert client.get("/papers/?page=x").status_code == 404


def test_a_paper_shows_its_whole_abstract_and_where_to_read_it(client: Client) -> None:
    abstract = " ".join(f"word{number}" for number in range(400))
    paper = factories.paper(
        abstract=abstract, code_url="https://github.com/a/b", project_url="https://a.example/"
    )

    html = get(client, paper.get_absolute_url())

    assert abstract in html
    for address in (
        paper.arxiv_url,
        paper.pdf_url,
        paper.discussion_url,
        "https://github.com/a/b",
        "https://a.example/",
    ):
        assert f'href="{address}"' in html


def test_a_paper_names_the_edition_that_featured_it(client: Client) -> None:
    paper = factories.paper()
    factories.edition(papers=[factories.paper(), paper])

    html = get(client, paper.get_absolute_url())

    assert 'No. 2 in the <a href="/editions/2026-05-12/">edition of Tuesday 12 May 2026</a>' in html


def test_a_paper_that_was_in_no_edition_names_none(client: Client) -> None:
    assert "/editions/20" not in get(client, factories.paper().get_absolute_url())


def test_what_a_machine_wrote_is_marked(client: Client) -> None:
    paper = factories.paper(abstract="", machine_summary="It is about things.")

    for address in ("/papers/", paper.get_absolute_url()):
        html = get(client, address)
        assert html.index("Machine-written summary") < html.index("It is about things.")


def test_a_paper_draws_how_its_attention_grew(client: Client) -> None:
    paper = factories.paper()
    for hours, value in ((12, 2), (6, 20), (0, 87)):
        factories.reading(
            paper=paper, value=value, observed_at=factories.NOW - timedelta(hours=hours)
        )

    html = get(client, paper.get_absolute_url())

    assert 'aria-label="From 2 on 11 May to 87 on 12 May"' in html
    assert "<polyline points=" in html


def test_a_paper_of_an_old_id_with_a_slash_has_a_page(client: Client) -> None:
    paper = factories.paper(arxiv_id="math/0309136", title="Old but gold")

    assert paper.get_absolute_url() == "/papers/math/0309136/"
    assert "Old but gold" in get(client, "/papers/math/0309136/")


def test_hundreds_of_authors_are_folded_away(client: Client) -> None:
    paper = factories.paper(authors=[f"Author {number}" for number in range(573)])

    html = get(client, paper.get_absolute_url())

    assert "<summary>Author 0, Author 1, Author 2 and 570 more</summary>" in html
    assert "Author 572" in html


def test_text_that_looks_like_html_is_shown_as_text(client: Client) -> None:
    paper = factories.paper(
        title=HOSTILE,
        abstract=HOSTILE,
        machine_summary=HOSTILE,
        authors=[HOSTILE],
        organization=HOSTILE,
        topics=["robotics"],
    )

    for address in ("/", "/papers/", paper.get_absolute_url(), "/topics/robotics/"):
        html = get(client, address)
        assert "&lt;script&gt;alert(" in html
        assert "<script>" not in html


def test_topics_show_how_many_papers_trend_in_each_the_busiest_first(client: Client) -> None:
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


def test_a_topic_shows_what_trends_in_it(client: Client) -> None:
    factories.paper(title="Second", topics=["robotics"], score=1.0)
    factories.paper(title="First", topics=["robotics", "vision"], score=2.0)
    factories.paper(title="Elsewhere", topics=["vision"], score=9.0)
    factories.paper(
        title="Too old", topics=["robotics"], listed_on=factories.TODAY - timedelta(days=8)
    )

    assert titles(get(client, "/topics/robotics/")) == ["First", "Second"]


def test_a_topic_leads_to_its_feed_for_browsers_and_for_people(client: Client) -> None:
    factories.topic("robotics")

    html = get(client, "/topics/robotics/")

    assert re.findall(r'<link rel="alternate" href="([^"]+)"', html)[-1] == "/feeds/robotics.xml"
    assert ("/feeds/robotics.xml", "this topic's feed") in re.findall(
        r'<a href="(/feeds/[^"]+)">([^<]+)</a>', html
    )
    assert client.get("/feeds/robotics.xml").status_code == 200


@pytest.mark.parametrize("address", ["/topics/robotics/", "/papers/2605.12345/"])
def test_the_signup_form_has_the_topic_already_chosen(client: Client, address: str) -> None:
    factories.topic("vision")
    factories.paper(arxiv_id="2605.12345", topics=["robotics"])

    html = get(client, address)

    chosen = re.findall(r'name="topics" value="(\w+)" checked', html)
    assert chosen == ["robotics"]
    assert re.findall(r'name="topics" value="(\w+)">', html) == ["vision"]


@pytest.mark.parametrize(
    "address",
    [
        "/papers/2605.99999/",
        "/papers/nothing/at/all/",
        "/papers/%00/",
        "/topics/alchemy/",
        "/topics/Not a slug/",
    ],
)
def test_what_does_not_exist_is_a_page_that_says_so(client: Client, address: str) -> None:
    response = client.get(address)

    assert response.status_code == 404
    assert "There is no such page." in response.content.decode()


def test_pages_without_any_paper_say_so(client: Client) -> None:
    factories.topic("robotics")

    assert "No papers yet." in get(client, "/papers/")
    assert "Nothing this week." in get(client, "/topics/robotics/")


def pages() -> list[str]:
    paper = factories.paper(topics=["robotics", "vision"], upvotes=3)
    return ["/papers/", paper.get_absolute_url(), "/topics/", "/topics/robotics/"]


def test_pages_hold_nothing_personal_and_may_be_kept_a_minute(client: Client) -> None:
    for address in pages():
        response = client.get(address)
        assert response.headers["Cache-Control"] == "public, max-age=60"
        assert "Cookie" not in response.headers.get("Vary", "")
        assert not response.cookies


def test_pages_answer_head_and_nothing_that_writes(client: Client) -> None:
    for address in pages():
        response = client.head(address)
        assert (response.status_code, response.content) == (200, b"")
        assert client.post(address).status_code == 405


@pytest.mark.parametrize("papers", [1, 31])
@pytest.mark.parametrize(
    ("address", "queries"),
    [
        ("/papers/", 3),
        ("/papers/?q=study", 3),
        ("/papers/2605.12345/", 5),
        ("/topics/", 2),
        ("/topics/robotics/", 5),
    ],
)
def test_a_page_asks_the_database_no_more_for_more_papers(
    client: Client, django_assert_num_queries: Any, address: str, queries: int, papers: int
) -> None:
    many_papers(papers)
    client.get(address)  # how many papers a week has is asked for once

    with django_assert_num_queries(queries):
        client.get(address)


@pytest.mark.parametrize("papers", [2, 31])
@pytest.mark.parametrize(
    ("address", "queries"), [("/papers/?q=study", 4), ("/papers/2605.12345/", 9)]
)
def test_nor_for_papers_that_are_close_in_meaning(
    client: Client,
    django_assert_num_queries: Any,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    queries: int,
    papers: int,
) -> None:
    semantic.install_fake_encoder(monkeypatch)
    many_papers(papers)
    sum(embeddings.embed_missing())
    client.get(address)

    with django_assert_num_queries(queries):
        client.get(address)


def many_papers(number: int) -> None:
    papers = [
        factories.paper(arxiv_id=f"2605.{12345 + each}", topics=["robotics", f"topic-{each % 5}"])
        for each in range(number)
    ]
    for hours in range(number):
        factories.reading(paper=papers[0], observed_at=factories.NOW - timedelta(hours=hours))
    engine.update_index(papers)
    factories.edition(papers=papers[:1])


def indexed(**fields: Any) -> Paper:
    paper = factories.paper(**fields)
    engine.update_index([paper])
    return paper


def results(html: str) -> list[str]:
    return re.findall(r'<h2><a href="/papers/[^"]+">(.+?)</a></h2>', html)


def test_results_show_title_and_whole_abstract_with_the_matches_marked(client: Client) -> None:
    indexed(title="Robot arms", abstract=f"{'Long. ' * 100}All <b> robots & co.", authors=["Ada B"])
    indexed(title="Something else")

    html = get(client, "/papers/?q=robot+author:ada")

    assert results(html) == ["<mark>Robot</mark> arms"]
    assert "Long. All &lt;b&gt; <mark>robots</mark> &amp; co." in html
    assert "<mark>Ada</mark> B" in html
    assert 'value="robot author:ada"' in html
    assert "1 paper<" in html


def test_results_begin_with_the_signup_form(client: Client) -> None:
    indexed(title="Robot")

    html = get(client, "/papers/?q=robot")

    assert html.index('action="/subscribe/"') < html.index('name="q"') < html.index("<mark>")


def test_the_list_has_the_search_form_and_an_empty_one_is_the_list(client: Client) -> None:
    factories.paper(title="Robot")

    for address in ("/papers/", "/papers/?q=", "/papers/?q=+"):
        html = get(client, address)
        assert titles(html) == ["Robot"]
        assert '<input type="search" id="q" name="q" value=""' in html


def test_what_was_typed_comes_back_escaped(client: Client) -> None:
    indexed(title=HOSTILE, abstract=HOSTILE)

    html = get(client, "/papers/?q=%22%3E%3Cscript%3Ealert%00")

    assert 'value="&quot;&gt;&lt;script&gt;alert"' in html
    assert "&lt;<mark>script&gt;alert</mark>(" in html
    assert "<script>" not in html


def test_results_come_a_page_at_a_time(client: Client) -> None:
    for _ in range(21):
        indexed(title="Robot & co")

    first = get(client, "/papers/?q=robot+%26+co")

    assert len(results(first)) == 20
    assert 'href="?q=robot+%26+co&amp;page=2"' in first
    assert len(results(get(client, "/papers/?q=robot+%26+co&page=2"))) == 1
    for page in ("3", "0", "-1", "x", "1e3", "99999999999999999999"):
        assert client.get(f"/papers/?q=robot&page={page}").status_code == 404


@pytest.mark.parametrize(
    ("query", "help_"),
    [
        ("zebra", "No paper has all of that."),
        ("%22robot+zebra%22", 'href="?q=robot+zebra"'),
        ("the+of", "There is nothing to look for in that."),
        ("%27%29%3B+--", "There is nothing to look for in that."),
        ("%00", "There is nothing to look for in that."),
        ("robot+since:yesterday+zebra", "<q>since:yesterday</q>"),
        ("x" * 4000, "No paper has all of that."),
    ],
)
def test_an_empty_result_helps(client: Client, query: str, help_: str) -> None:
    indexed(title="Robot")

    html = get(client, f"/papers/?q={query}")

    assert results(html) == []
    assert help_ in html
    assert "author:erdos" in html


def test_an_empty_result_leads_on(client: Client) -> None:
    indexed(title="Robot")
    factories.topic("robotics")

    html = get(client, "/papers/?q=robotiks+robot&page=1")

    assert "None has <q>robotiks</q>" in html
    assert 'look for <a href="?q=robot">robot</a> instead' in html
    assert 'Do you mean the topic <a href="/topics/robotics/">Robotics</a>?' in html


def test_papers_close_in_meaning_are_called_that(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    semantic.install_fake_encoder(monkeypatch)
    paper = indexed(title="Robot arms grasp", abstract="", authors=[])
    indexed(title="Robot arms throw", abstract="", authors=[])
    assert "Close in meaning" not in get(client, paper.get_absolute_url())
    sum(embeddings.embed_missing())

    page = get(client, paper.get_absolute_url())
    found = get(client, "/papers/?q=robot+arms+grasp")

    assert page.index("Close in meaning") < page.index("Robot arms throw")
    assert page.count("Robot arms throw") == 1
    assert found.index("Close in meaning") < found.index("<mark>Robot arms</mark> throw")


WHATEVER = st.text(st.characters(), max_size=60) | st.sampled_from(
    ["a" * 10_000, "\x00", "\ud800", '"' * 999, "-" * 99, "since:9999-99-99", "author:", "%", "(\\"]
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=WHATEVER, page=st.none() | WHATEVER | st.integers().map(str))
def test_whatever_is_asked_is_answered(client: Client, typed: str, page: str | None) -> None:
    asked = {"q": f"{typed} study"} | ({} if page is None else {"page": page})
    query = "&".join(
        f"{name}={quote(each, errors='surrogatepass')}" for name, each in asked.items()
    )

    assert client.get(f"/papers/?{query}").status_code in ({200} if page is None else {200, 404})


def test_a_capped_count_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_RESULTS", 20)
    for _ in range(21):
        indexed(title="Robot")

    assert "The best of the newest 20 papers that match" in get(client, "/papers/?q=robot")


def test_addresses_are_as_the_design_says() -> None:
    assert reverse("papers:papers") == "/papers/"
    assert reverse("papers:paper", args=["2605.00001"]) == "/papers/2605.00001/"
    assert reverse("papers:topics") == "/topics/"
    assert reverse("papers:topic", args=["robotics"]) == "/topics/robotics/"


@pytest.mark.parametrize(
    "written", ["2605.01234v2", "10.48550/arXiv.2605.01234", "arXiv:2605.01234"]
)
def test_a_paper_by_another_of_its_names_leads_to_its_page(client, written):
    factories.paper(arxiv_id="2605.01234")

    response = client.get(f"/papers/{written}/")

    assert (response.status_code, response.headers["Location"]) == (302, "/papers/2605.01234/")


def test_a_paper_that_is_only_known_by_its_doi_has_a_page_and_no_links_to_arxiv(client):
    factories.paper(arxiv_id="", doi="10.1145/1.2", listed_on=None, title="A robot")

    page = client.get("/papers/10.1145/1.2/").content.decode()

    assert "<h1>A robot</h1>" in page
    assert 'href="https://doi.org/10.1145/1.2"' in page
    assert "Read the PDF" not in page
    assert "huggingface.co" not in page


def test_a_paper_of_an_import_says_no_day_that_nobody_told(client):
    paper = factories.paper(
        arxiv_id="", listed_on=None, published_on=None, sort_date=factories.TODAY
    )

    page = client.get(paper.get_absolute_url()).content.decode()

    assert "Published" not in page
    assert "Listed" not in page


def test_citations_show_by_their_newest_reading(client):
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


def test_a_withdrawn_paper_says_so(client):
    paper = factories.paper(withdrawn=True)

    assert "<strong>Withdrawn.</strong>" in client.get(paper.get_absolute_url()).content.decode()
