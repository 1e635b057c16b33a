"""arXiv's search: entries of every kind, errors, and the paging of its lists."""

from __future__ import annotations

import re
import threading
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

ANSWERS = Path(__file__).parent / "answers"
TODAY = date(2026, 11, 20)


@pytest.fixture
def source(httpserver: HTTPServer) -> Arxiv:
    return Arxiv(
        SourceClient(httpserver.url_for(""), title="arXiv", user_agent="test", timeout_seconds=5)
    )


def saved(name: str) -> bytes:
    return (ANSWERS / name).read_bytes()


def feed(total: int, *days: str, first: int = 1) -> str:
    """A feed of papers of those days."""
    entries = "".join(
        f"<entry><id>http://arxiv.org/abs/2611.{number:05}v1</id><title>T</title>"
        f"<published>{day}T12:00:00Z</published></entry>"
        for number, day in enumerate(days, first)
    )
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">'
        f"<o:totalResults>{total}</o:totalResults>{entries}</feed>"
    )


def test_an_entry_is_read_whole_and_others_are_named(source):
    answer = source.parse(saved("arxiv-search.xml"))

    comets, lemma = answer.records
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
    assert answer.rejected == ("no title", "not an arXiv id")


def test_an_answer_of_2007_is_read_with_the_day_in_utc(source):
    [record] = source.parse(saved("arxiv-search-2007.xml")).records

    assert (record.arxiv_id, record.published_on) == ("hep-ex/0307099", date(2003, 7, 8))
    assert (record.categories, record.authors) == (("hep-ex",), ("Ring Collaboration",))


def test_an_id_that_nobody_has_is_an_empty_answer(source):
    answer = source.parse(feed(0).encode())

    assert (answer.records, answer.rejected) == ((), ())


def test_an_error_is_said_in_its_own_words(source):
    with pytest.raises(SourceUnavailableError) as caught:
        source.parse(saved("arxiv-search-error.xml"))

    assert str(caught.value) == "arXiv answered with an error: incorrect id format for x."


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The answer is empty."),
        (b"<rss/>", "The answer is <rss>, not a feed of arXiv's."),
        (saved("arxiv-atom.xml"), "The answer is a daily feed: arxiv-rss is the source of it."),
        (saved("arxiv-search.xml")[:2000], "The answer is not XML, or was cut off at line"),
        (
            b"<feed><entry><id>urn:x</id><title>X</title></entry></feed>",
            "None of the 1 items is a paper of arXiv (not an arXiv id).",
        ),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(source, body, sentence):
    with pytest.raises(InvalidResponseError, match=re.escape(sentence)):
        source.parse(body)


def serve(server: HTTPServer, *answers: str | Response) -> list[dict[str, str]]:
    """Answer one question after another; returns what was asked."""
    asked: list[dict[str, str]] = []
    waiting = list(answers)

    def answer(request: Request) -> Response:
        asked.append(dict(request.args))
        found = waiting.pop(0)
        return found if isinstance(found, Response) else Response(found)

    server.expect_request("/api/query").respond_with_handler(answer)
    return asked


def test_papers_are_looked_up_a_hundred_at_once_and_each_once(source, httpserver):
    asked = serve(httpserver, feed(2, "2026-11-20", "2026-11-20"), feed(0))
    numbers = [f"2611.{number:05}" for number in range(101)]
    papers = tuple(KnownPaper(arxiv_id=each) for each in [*numbers, numbers[0], ""])

    first, second = source.fetch(FetchRequest(papers=papers, categories=("cs.LG",)))

    assert (len(first.records), len(second.records)) == (2, 0)
    assert asked == [
        {"id_list": ",".join(numbers[:100]), "max_results": "100"},
        {"id_list": numbers[100], "max_results": "1"},
    ]


def test_papers_of_others_are_not_asked_for(source, httpserver):
    assert list(source.fetch(FetchRequest(papers=(KnownPaper(doi="10.1234/x"),)))) == []


def test_a_category_is_paged_until_it_reaches_behind_the_oldest_day(source, httpserver):
    asked = serve(
        httpserver,
        feed(999, "2026-11-20", "2026-11-20"),
        feed(999, "2026-11-19", "2026-11-18", first=3),
    )

    days = (TODAY, date(2026, 11, 19))
    answers = list(source.fetch(FetchRequest(days=days, categories=("cs.LG",))))

    assert [len(answer.records) for answer in answers] == [2, 2]
    question = {"search_query": "cat:cs.LG", "sortBy": "submittedDate", "sortOrder": "descending"}
    assert asked == [
        {**question, "start": "0", "max_results": "500"},
        {**question, "start": "2", "max_results": "500"},
    ]


def test_each_category_is_listed_to_its_end(source, httpserver):
    asked = serve(httpserver, feed(1, "2026-11-20"), feed(0))

    wanted = FetchRequest(days=(TODAY,), categories=("math.IT", "hep-th"))

    assert len(list(source.fetch(wanted))) == 2
    assert [each["search_query"] for each in asked] == ["cat:cs.IT", "cat:hep-th"]


def test_without_a_day_one_page_is_enough(source, httpserver):
    asked = serve(httpserver, feed(999, "2026-11-20"))

    list(source.fetch(FetchRequest(categories=("cs.LG",))))

    assert len(asked) == 1


def test_a_list_without_an_end_is_left_after_some_pages(source, httpserver):
    asked = serve(httpserver, *[feed(99999, "2026-11-20", first=each) for each in range(1, 20)])

    list(source.fetch(FetchRequest(days=(TODAY,), categories=("cs.LG",))))

    assert len(asked) == arxiv.MAX_PAGES


def test_a_page_that_was_left_out_is_an_error_after_what_came(source, httpserver):
    serve(httpserver, feed(999, "2026-11-20"), feed(999))

    answers = source.fetch(FetchRequest(days=(TODAY,), categories=("cs.LG",)))

    assert len(next(answers).records) == 1
    with pytest.raises(SourceUnavailableError, match="arXiv left out a page: 1 of 999 papers came"):
        next(answers)


def test_words_are_searched_before_anything_else(source, httpserver):
    asked = serve(httpserver, feed(1, "2026-11-20"))

    wanted = FetchRequest(
        query='comets "long tail" au:Noether', papers=(KnownPaper(arxiv_id="2611.00001"),)
    )
    list(source.fetch(wanted))

    assert asked == [
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
def test_every_word_must_be_found(words, query):
    assert build_search_query(words) == query


def test_a_refusal_is_said_in_the_words_of_its_body(source, httpserver):
    serve(httpserver, Response(saved("arxiv-search-error.xml"), status=400))

    with pytest.raises(SourceUnavailableError) as caught:
        list(source.fetch(FetchRequest(papers=(KnownPaper(arxiv_id="2611.00001"),))))

    assert str(caught.value) == "arXiv answered with an error: incorrect id format for x."


@pytest.mark.parametrize("status", [429, 503])
def test_arxiv_is_asked_again_when_it_says(source, httpserver, status):
    busy = Response("Rate exceeded.", status=status, headers={"Retry-After": "0"})
    asked = serve(httpserver, busy, feed(1, "2026-11-20"))

    [answer] = source.fetch(FetchRequest(papers=(KnownPaper(arxiv_id="2611.00001"),)))

    assert (len(asked), len(answer.records)) == (2, 1)


def test_an_answer_that_does_not_come_is_not_waited_for(httpserver):
    leave = threading.Event()

    def hang(request: Request) -> Response:
        leave.wait(5)
        return Response(feed(0))

    httpserver.expect_request("/api/query").respond_with_handler(hang)
    url = httpserver.url_for("")
    source = Arxiv(SourceClient(url, title="arXiv", user_agent="test", timeout_seconds=1))

    with pytest.raises(SourceUnavailableError) as caught:
        list(source.fetch(FetchRequest(papers=(KnownPaper(arxiv_id="2611.00001"),))))

    leave.set()
    assert str(caught.value) == ("arXiv could not be reached (no whole answer within 1 seconds).")


def test_a_long_wait_is_told_and_not_sat_out(source, httpserver):
    serve(httpserver, Response("", status=503, headers={"Retry-After": "3600"}))

    with stamina.set_testing(True, attempts=4), pytest.raises(SourceUnavailableError) as caught:
        list(source.fetch(FetchRequest(papers=(KnownPaper(arxiv_id="2611.00001"),))))

    assert str(caught.value) == (
        "arXiv answered 503 SERVICE UNAVAILABLE and asks to wait 3600 seconds."
    )


EXPECTED = {"id_abc_s0_m100.400.xml": "arXiv answered with an error: incorrect id format for abc."}


@recordings.needs_recordings
@pytest.mark.parametrize(
    "path", recordings.xml_response_paths("arxiv_api"), ids=lambda path: path.name
)
def test_every_recorded_answer_is_read_whole(source, path):
    body = path.read_bytes()
    if path.name in EXPECTED:
        with pytest.raises(SourceUnavailableError) as caught:
            source.parse(body)
        assert str(caught.value) == EXPECTED[path.name]
        return

    answer = source.parse(body)

    assert (len(answer.records), answer.rejected) == (len(re.findall(rb"<entry[ >]", body)), ())
    assert all(
        each.title and each.authors and each.categories and each.published_on and each.updated_at
        for each in answer.records
    )
