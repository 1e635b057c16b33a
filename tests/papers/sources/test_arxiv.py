"""arXiv's search API: entries of every kind, errors, and pagination."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import stamina
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from papers.sources import (
    FetchRequest,
    InvalidResponseError,
    KnownPaper,
    SourceUnavailableError,
    arxiv,
)
from papers.sources.arxiv import Arxiv, build_search_query
from papers.sources.http import SourceClient
from tests.papers import recordings

RESPONSES_DIR = Path(__file__).parent / "answers"
TODAY = date(2026, 11, 20)


@pytest.fixture
def source(httpserver: HTTPServer) -> Arxiv:
    return Arxiv(
        SourceClient(httpserver.url_for(""), title="arXiv", user_agent="test", timeout_seconds=5)
    )


def saved_response(name: str) -> bytes:
    return (RESPONSES_DIR / name).read_bytes()


def feed(total: int, *days: str, first: int = 1) -> str:
    """Return a feed with one paper published on each of the days."""
    entries = "".join(
        f"<entry><id>http://arxiv.org/abs/2611.{number:05}v1</id><title>T</title>"
        f"<published>{day}T12:00:00Z</published></entry>"
        for number, day in enumerate(days, first)
    )
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">'
        f"<o:totalResults>{total}</o:totalResults>{entries}</feed>"
    )


def test_an_entry_has_all_fields_and_bad_ones_are_rejected(source):
    response = source.parse(saved_response("arxiv-search.xml"))

    comets, lemma = response.records
    assert {name: value for name, value in asdict(comets).items() if value} == {
        "arxiv_id": "2611.00101",
        "doi": "10.1234/comets.2026.7",
        "title": "How Comets Learn: $O(n^2)$ Passes\n  and More",
        "abstract": "We watch comets & learn. Our code is at https://github.com/example/comets.",
        "authors": ("Caroline Herschel", "Émilie du Châtelet"),
        "categories": ("cs.LG", "stat.ML", "cs.IT"),
        "published_on": date(2026, 11, 2),
        "updated_at": datetime(2026, 11, 12, 9, 30, tzinfo=UTC),
        "code_url": "https://github.com/example/comets",
    }
    assert (comets.withdrawn, comets.listed_on, comets.upvotes) == (False, None, None)
    assert (lemma.arxiv_id, lemma.doi, lemma.withdrawn) == ("math/0309136", "", True)
    assert lemma.published_on == date(2003, 9, 8)
    assert response.rejected == ("no title", "not an arXiv id")


def test_the_day_of_an_old_response_is_that_in_utc(source):
    [record] = source.parse(saved_response("arxiv-search-2007.xml")).records

    assert (record.arxiv_id, record.published_on) == ("hep-ex/0307099", date(2003, 7, 8))
    assert (record.categories, record.authors) == (("hep-ex",), ("Ring Collaboration",))


def test_an_unknown_id_yields_no_record(source):
    response = source.parse(feed(0).encode())

    assert (response.records, response.rejected) == ((), ())


def test_an_error_is_reported_with_its_message(source):
    with pytest.raises(SourceUnavailableError) as caught:
        source.parse(saved_response("arxiv-search-error.xml"))

    assert str(caught.value) == "arXiv answered with an error: incorrect id format for x."


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The answer is empty."),
        (b"<rss/>", "The answer is <rss>, not a feed of arXiv's."),
        (saved_response("arxiv-atom.xml"), "The answer is a daily feed: use the source arxiv-rss."),
        (
            saved_response("arxiv-search.xml")[:2000],
            "The answer is not XML, or was cut off at line",
        ),
        (
            b"<feed><entry><id>urn:x</id><title>X</title></entry></feed>",
            "None of the 1 items is a paper of arXiv (not an arXiv id).",
        ),
    ],
)
def test_an_invalid_response_is_reported_in_a_sentence(source, body, sentence):
    with pytest.raises(InvalidResponseError, match=re.escape(sentence)):
        source.parse(body)


def serve(server: HTTPServer, *responses: str | Response) -> list[dict[str, str]]:
    """Serve the responses one after another. Return the query of each call."""
    calls: list[dict[str, str]] = []
    remaining = list(responses)

    def respond(request: Request) -> Response:
        calls.append(dict(request.args))
        response = remaining.pop(0)
        return response if isinstance(response, Response) else Response(response)

    server.expect_request("/api/query").respond_with_handler(respond)
    return calls


def test_papers_are_looked_up_once_each_in_batches_of_a_hundred(source, httpserver):
    calls = serve(httpserver, feed(2, "2026-11-20", "2026-11-20"), feed(0))
    ids = [f"2611.{number:05}" for number in range(101)]
    papers = tuple(KnownPaper(arxiv_id=arxiv_id) for arxiv_id in [*ids, ids[0], ""])

    first, second = source.fetch(FetchRequest(papers=papers, categories=("cs.LG",)))

    assert (len(first.records), len(second.records)) == (2, 0)
    assert calls == [
        {"id_list": ",".join(ids[:100]), "max_results": "100"},
        {"id_list": ids[100], "max_results": "1"},
    ]


def test_papers_without_an_arxiv_id_are_not_looked_up(source, httpserver):
    assert list(source.fetch(FetchRequest(papers=(KnownPaper(doi="10.1234/x"),)))) == []


def test_a_category_is_paged_until_a_paper_is_older_than_the_oldest_day(source, httpserver):
    calls = serve(
        httpserver,
        feed(999, "2026-11-20", "2026-11-20"),
        feed(999, "2026-11-19", "2026-11-18", first=3),
    )

    days = (TODAY, date(2026, 11, 19))
    responses = list(source.fetch(FetchRequest(days=days, categories=("cs.LG",))))

    assert [len(response.records) for response in responses] == [2, 2]
    query = {"search_query": "cat:cs.LG", "sortBy": "submittedDate", "sortOrder": "descending"}
    assert calls == [
        {**query, "start": "0", "max_results": "500"},
        {**query, "start": "2", "max_results": "500"},
    ]


def test_each_category_is_listed_to_its_end(source, httpserver):
    calls = serve(httpserver, feed(1, "2026-11-20"), feed(0))

    request = FetchRequest(days=(TODAY,), categories=("math.IT", "hep-th"))

    assert len(list(source.fetch(request))) == 2
    assert [call["search_query"] for call in calls] == ["cat:cs.IT", "cat:hep-th"]


def test_without_a_day_only_one_page_is_fetched(source, httpserver):
    calls = serve(httpserver, feed(999, "2026-11-20"))

    list(source.fetch(FetchRequest(categories=("cs.LG",))))

    assert len(calls) == 1


def test_the_number_of_pages_is_limited(source, httpserver):
    calls = serve(httpserver, *[feed(99999, "2026-11-20", first=number) for number in range(1, 20)])

    list(source.fetch(FetchRequest(days=(TODAY,), categories=("cs.LG",))))

    assert len(calls) == arxiv.MAX_PAGES


def test_an_empty_page_before_the_end_is_an_error(source, httpserver):
    serve(httpserver, feed(999, "2026-11-20"), feed(999))

    responses = source.fetch(FetchRequest(days=(TODAY,), categories=("cs.LG",)))

    assert len(next(responses).records) == 1
    with pytest.raises(
        SourceUnavailableError, match="arXiv returned an empty page after 1 of 999 papers"
    ):
        next(responses)


def test_a_query_takes_precedence_over_papers(source, httpserver):
    calls = serve(httpserver, feed(1, "2026-11-20"))

    request = FetchRequest(
        query='comets "long tail" au:Noether', papers=(KnownPaper(arxiv_id="2611.00001"),)
    )
    list(source.fetch(request))

    assert calls == [
        {
            "search_query": 'all:comets AND all:"long tail" AND au:Noether',
            "start": "0",
            "max_results": "500",
        }
    ]


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("graph", "all:graph"),
        ('ti:"long tail"', 'ti:"long tail"'),
        ('an "open quote', "all:an AND all:open AND all:quote"),
        ("cat:cs.LG http://x (2026)", 'cat:cs.LG AND all:"http://x" AND all:"(2026)"'),
        ("ti:comets ANDNOT (au:a OR au:b)", "ti:comets ANDNOT (au:a OR au:b)"),
        (' "', ""),
        ("", ""),
    ],
)
def test_every_word_becomes_a_required_clause(words, query):
    assert build_search_query(words) == query


def test_an_error_status_is_reported_with_the_message_of_its_body(source, httpserver):
    serve(httpserver, Response(saved_response("arxiv-search-error.xml"), status=400))

    with pytest.raises(SourceUnavailableError) as caught:
        list(source.fetch(FetchRequest(papers=(KnownPaper(arxiv_id="2611.00001"),))))

    assert str(caught.value) == "arXiv answered with an error: incorrect id format for x."


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_retried_when_it_allows(source, httpserver, status):
    busy = Response("Rate exceeded.", status=status, headers={"Retry-After": "0"})
    calls = serve(httpserver, busy, feed(1, "2026-11-20"))

    [response] = source.fetch(FetchRequest(papers=(KnownPaper(arxiv_id="2611.00001"),)))

    assert (len(calls), len(response.records)) == (2, 1)


def test_a_long_wait_is_reported_and_not_waited_for(source, httpserver):
    serve(httpserver, Response("", status=503, headers={"Retry-After": "3600"}))

    with stamina.set_testing(True, attempts=4), pytest.raises(SourceUnavailableError) as caught:
        list(source.fetch(FetchRequest(papers=(KnownPaper(arxiv_id="2611.00001"),))))

    assert str(caught.value) == (
        "arXiv answered 503 SERVICE UNAVAILABLE; retry after 3600 seconds."
    )


RECORDED_ERRORS = {
    "id_abc_s0_m100.400.xml": "arXiv answered with an error: incorrect id format for abc."
}


@recordings.needs_recordings
def test_every_recorded_response_is_parsed_completely(source, subtests):
    for path in recordings.xml_response_paths("arxiv_api"):
        with subtests.test(path.name):
            check_recorded_response(source, path)


def check_recorded_response(source: Arxiv, path: Path) -> None:
    body = path.read_bytes()
    if path.name in RECORDED_ERRORS:
        with pytest.raises(SourceUnavailableError) as caught:
            source.parse(body)
        assert str(caught.value) == RECORDED_ERRORS[path.name]
        return

    response = source.parse(body)

    entries = len(re.findall(rb"<entry[ >]", body))
    assert (len(response.records), response.rejected) == (entries, ())
    for record in response.records:
        assert all((record.title, record.authors, record.categories))
        assert all((record.published_on, record.updated_at))
