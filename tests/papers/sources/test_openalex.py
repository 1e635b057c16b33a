"""Works by their DOIs, page by page, and what OpenAlex leaves out."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
import stamina
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from papers.sources import (
    FetchRequest,
    InvalidResponseError,
    KnownPaper,
    Record,
    SourceResponse,
    SourceUnavailableError,
)
from papers.sources.http import SourceClient
from papers.sources.openalex import OpenAlex
from tests.papers import recordings

KEY = "oa-very-secret"
EXCHANGES = recordings.load_exchanges("openalex")


@pytest.fixture(autouse=True)
def no_long_waits():
    with stamina.set_testing(True, attempts=4):
        yield


def asking(url: str, patience: float = 5) -> OpenAlex:
    credentials = OpenAlex.credentials(KEY)
    return OpenAlex(
        SourceClient(
            url, title="OpenAlex", user_agent="test", timeout_seconds=patience, **credentials
        )
    )


@pytest.fixture
def source(httpserver: HTTPServer) -> OpenAlex:
    return asking(httpserver.url_for(""))


def work(doi: str | None, **fields: Any) -> dict[str, Any]:
    address = f"https://doi.org/{doi}" if doi else None
    return {"id": "https://openalex.org/W1", "doi": address, "cited_by_count": 2, **fields}


def at(address: str) -> dict[str, Any]:
    return {"landing_page_url": address, "pdf_url": None}


def serve(server: HTTPServer, works: list[dict[str, Any]], page: int = 100) -> list[set[str]]:
    """Answer with the works that have one of the DOIs. Returns the DOIs of each question."""
    asked: list[set[str]] = []

    def answer(request: Request) -> Response:
        assert request.args["api_key"] == KEY
        assert request.args["per-page"] == "100"
        name, dois = request.args["filter"].split(":", 1)
        assert (name, len(dois.split("|")) <= 100) == ("doi", True)
        asked.append(set(dois.split("|")))
        found = [each for each in works if each["doi"][len("https://doi.org/") :] in asked[-1]]
        start = 0 if request.args["cursor"] == "*" else int(request.args["cursor"])
        shown = found[start : start + page]
        meta = {"count": len(found), "next_cursor": str(start + page) if shown else None}
        return Response(json.dumps({"meta": meta, "results": shown}))

    server.expect_request("/works").respond_with_handler(answer)
    return asked


def test_a_work_is_read_with_what_became_of_it(source):
    told = work(
        "10.1145/ABC",
        title="Robots",
        publication_date="2026-05-03",
        is_retracted=True,
        authorships=[
            {"author": {"display_name": "Ada Lovelace"}},
            {"author": None, "raw_author_name": "Hopper, Grace"},
        ],
        locations=[
            at("https://doi.org/10.1145/abc"),
            at("http://arxiv.org/abs/2605.00001v2"),
            None,
        ],
        abstract_inverted_index={"fold": [1, 3], "Robots": [0], "and": [2], "!": ["x"]},
        updated_date="2026-05-10T13:24:50.025567",
    )

    assert source.parse(json.dumps({"results": [told]}).encode()).records == (
        Record(
            arxiv_id="2605.00001",
            doi="10.1145/abc",
            title="Robots",
            abstract="Robots fold and fold",
            authors=("Ada Lovelace", "Hopper, Grace"),
            published_on=date(2026, 5, 3),
            withdrawn=True,
            cited_by=2,
            updated_at=datetime(2026, 5, 10, 13, 24, 50, 25567, tzinfo=UTC),
        ),
    )


def test_a_year_that_was_made_a_day_is_no_day(source):
    told = work("10.48550/arXiv.2605.00001", publication_date="2026-01-01", is_retracted=False)

    [record] = source.parse(json.dumps(told).encode()).records

    assert record == Record(arxiv_id="2605.00001", withdrawn=False, cited_by=2)


def test_papers_are_asked_for_by_both_their_dois_and_the_unknown_are_counted(source, httpserver):
    asked = serve(httpserver, [work("10.48550/arxiv.2605.00001"), work("10.1000/abc")])

    answers = list(
        source.fetch(
            FetchRequest(
                papers=(
                    KnownPaper(arxiv_id="2605.00001", doi="10.1000/published"),
                    KnownPaper(doi="10.1000/abc"),
                    KnownPaper(doi="10.1000/unknown"),
                    KnownPaper(doi="10.1000/not,askable"),
                    KnownPaper(code_url="https://github.com/example/no-number"),
                )
            )
        )
    )

    assert asked == [
        {"10.48550/arxiv.2605.00001", "10.1000/published", "10.1000/abc", "10.1000/unknown"}
    ]
    assert [len(answer.records) for answer in answers] == [2, 0]
    assert [answer.rejected for answer in answers] == [(), ("unknown to OpenAlex",)]


def test_batches_and_pages_are_read_to_the_end(source, httpserver):
    papers = tuple(KnownPaper(doi=f"10.1000/{number}") for number in range(120))
    asked = serve(httpserver, [work(each.doi) for each in papers])

    answers = list(source.fetch(FetchRequest(papers=papers)))

    assert [len(dois) for dois in asked] == [50, 50, 20]
    assert answers == [SourceResponse(records=answer.records) for answer in answers]
    assert sum(len(answer.records) for answer in answers) == 120


def test_a_full_page_is_followed_by_the_next(source, httpserver):
    works = [work("10.1000/abc", title=f"Part {part}") for part in range(130)]
    for part, each in enumerate(works):
        each["locations"] = [at(f"https://arxiv.org/abs/2605.{part:05}")]
    asked = serve(httpserver, works)

    answers = list(source.fetch(FetchRequest(papers=(KnownPaper(doi="10.1000/abc"),))))

    assert [len(answer.records) for answer in answers] == [100, 30]
    assert len(asked) == 2


def test_of_two_works_of_a_paper_the_one_that_is_cited_more_is_taken(source):
    preprint = work("10.48550/arxiv.2605.00001", cited_by_count=4)
    published = work(
        "10.1145/abc", cited_by_count=9, locations=[at("https://arxiv.org/abs/2605.00001")]
    )

    answer = source.parse(json.dumps([preprint, published]).encode())

    assert [(record.doi, record.cited_by) for record in answer.records] == [("10.1145/abc", 9)]
    assert answer.rejected == ("told twice",)


@pytest.mark.parametrize("index", [None, [], {"a": 3}, {"a": [None, "0"]}, {}])
def test_an_abstract_that_is_none_is_empty(source, index):
    told = work("10.1000/abc", abstract_inverted_index=index)

    assert source.parse(json.dumps(told).encode()).records[0].abstract == ""


def test_broken_items_are_rejected_one_by_one(source):
    items = [work("10.1000/abc", authorships=[3], locations="x"), None, work(None), work("10.1/x")]

    answer = source.parse(json.dumps(items).encode())

    assert answer.records == (Record(doi="10.1000/abc", cited_by=2),)
    assert sorted(answer.rejected) == [*["no arXiv id, DOI or author"] * 2, "no work"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b" ", "The answer is empty."),
        (b"{}", "The answer is an object, not a list of works."),
        (b"<!doctype html>", "The answer is not JSON, or was cut off at character 0."),
        (
            b'{"error": "Invalid query parameters error.", "message": "per-page is too large"}',
            "OpenAlex answered with an error: Invalid query parameters error.",
        ),
        (b'{"results": [1]}', "None of the 1 items is a paper of OpenAlex (no work)."),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(source, body, sentence):
    with pytest.raises(InvalidResponseError) as caught:
        source.parse(body)

    assert str(caught.value) == sentence


def failure_of(source: OpenAlex) -> SourceUnavailableError:
    with pytest.raises(SourceUnavailableError) as caught:
        list(source.fetch(FetchRequest(papers=(KnownPaper(doi="10.1000/abc"),))))
    return caught.value


@pytest.mark.parametrize(
    ("status", "headers", "sentence"),
    [
        (403, {}, "OpenAlex answered 403 FORBIDDEN."),
        (
            429,
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3599"},
            "OpenAlex answered 429 TOO MANY REQUESTS and asks to wait 3599 seconds.",
        ),
        (
            302,
            {"Location": f"http://elsewhere.example/works?api_key={KEY}"},
            "OpenAlex sends us to another host, http://elsewhere.example/works.",
        ),
    ],
)
def test_an_error_is_a_sentence_without_the_key(source, httpserver, status, headers, sentence):
    httpserver.expect_request("/works").respond_with_data(KEY, status=status, headers=headers)

    assert str(failure_of(source)) == sentence


def test_a_source_that_is_away_does_not_give_the_key_away(caplog):
    caplog.set_level("DEBUG")

    failure = failure_of(asking("http://127.0.0.1:9"))

    assert str(failure) == "OpenAlex could not be reached (the connection was refused)."
    assert failure.__suppress_context__
    assert KEY not in caplog.text


def test_an_address_with_a_key_is_not_logged(source, httpserver, caplog):
    caplog.set_level("DEBUG")
    serve(httpserver, [work("10.1000/abc")])

    list(source.fetch(FetchRequest(papers=(KnownPaper(doi="10.1000/abc"),))))

    ours = [line.getMessage() for line in caplog.records if line.name != "werkzeug"]
    assert KEY not in "\n".join(ours)


@recordings.needs_recordings
@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.name)
def test_every_recorded_answer_is_read_or_said_to_be_none(source, exchange):
    if exchange.status == 200:
        answer = source.parse(exchange.body)
        assert (len(answer.records), answer.rejected) == (1, ())
    else:
        with pytest.raises(InvalidResponseError, match="not JSON"):
            source.parse(exchange.body)


@recordings.needs_recordings
def test_a_recorded_preprint_is_known_by_its_arxiv_id(source):
    [body] = [each.body for each in EXCHANGES if "title_search" in each.name]

    [record] = source.parse(body).records

    assert (record.arxiv_id, record.doi, record.cited_by) == ("2312.07559", "", 27)
    assert record.published_on is None
    assert record.abstract.startswith("Large Language Models (LLMs) generalize well")
