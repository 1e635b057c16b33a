"""OpenAlex: works by their DOIs, page by page, and those that it does not know."""

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


@pytest.fixture(autouse=True)
def retry_without_waiting():
    with stamina.set_testing(True, attempts=4):
        yield


def source_for(url: str) -> OpenAlex:
    return OpenAlex(
        SourceClient(url, title="OpenAlex", user_agent="test", **OpenAlex.credentials(KEY))
    )


@pytest.fixture
def source(httpserver: HTTPServer) -> OpenAlex:
    return source_for(httpserver.url_for(""))


def work(doi: str | None, **fields: Any) -> dict[str, Any]:
    url = f"https://doi.org/{doi}" if doi else None
    return {"id": "https://openalex.org/W1", "doi": url, "cited_by_count": 2, **fields}


def location(url: str) -> dict[str, Any]:
    return {"landing_page_url": url, "pdf_url": None}


def serve(server: HTTPServer, works: list[dict[str, Any]]) -> list[set[str]]:
    """Respond with the works that have one of the DOIs. Return the DOIs of each call."""
    calls: list[set[str]] = []

    def respond(request: Request) -> Response:
        assert request.args["api_key"] == KEY
        assert request.args["per-page"] == "100"
        name, dois = request.args["filter"].split(":", 1)
        assert (name, len(dois.split("|")) <= 100) == ("doi", True)
        calls.append(set(dois.split("|")))
        matches = [
            item for item in works if item["doi"].removeprefix("https://doi.org/") in calls[-1]
        ]
        start = 0 if request.args["cursor"] == "*" else int(request.args["cursor"])
        page = matches[start : start + 100]
        meta = {"count": len(matches), "next_cursor": str(start + 100) if page else None}
        return Response(json.dumps({"meta": meta, "results": page}))

    server.expect_request("/works").respond_with_handler(respond)
    return calls


def test_a_work_has_all_fields_and_its_retraction(source):
    item = work(
        "10.1145/ABC",
        title="Robots",
        publication_date="2026-05-03",
        is_retracted=True,
        authorships=[
            {"author": {"display_name": "Ada Lovelace"}},
            {"author": None, "raw_author_name": "Hopper, Grace"},
        ],
        locations=[
            location("https://doi.org/10.1145/abc"),
            location("http://arxiv.org/abs/2605.00001v2"),
            None,
        ],
        abstract_inverted_index={"fold": [1, 3], "Robots": [0], "and": [2], "!": ["x"]},
        updated_date="2026-05-10T13:24:50.025567",
    )

    assert source.parse(json.dumps({"results": [item]}).encode()).records == (
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


def test_the_first_of_january_is_not_taken_for_a_day(source):
    item = work("10.48550/arXiv.2605.00001", publication_date="2026-01-01", is_retracted=False)

    [record] = source.parse(json.dumps(item).encode()).records

    assert record == Record(arxiv_id="2605.00001", withdrawn=False, cited_by=2)


def test_papers_are_looked_up_by_both_their_dois_and_the_unknown_are_rejected(source, httpserver):
    calls = serve(httpserver, [work("10.48550/arxiv.2605.00001"), work("10.1000/abc")])

    responses = list(
        source.fetch(
            FetchRequest(
                papers=(
                    KnownPaper(arxiv_id="2605.00001", doi="10.1000/published"),
                    KnownPaper(doi="10.1000/abc"),
                    KnownPaper(doi="10.1000/unknown"),
                    KnownPaper(doi="10.1000/with,comma"),
                    KnownPaper(code_url="https://github.com/example/no-doi"),
                )
            )
        )
    )

    assert calls == [
        {"10.48550/arxiv.2605.00001", "10.1000/published", "10.1000/abc", "10.1000/unknown"}
    ]
    assert [len(response.records) for response in responses] == [2, 0]
    assert [response.rejected for response in responses] == [(), ("unknown to OpenAlex",)]


def test_all_batches_are_fetched_and_none_has_a_cursor(source, httpserver):
    papers = tuple(KnownPaper(doi=f"10.1000/{number}") for number in range(120))
    calls = serve(httpserver, [work(paper.doi) for paper in papers])

    responses = list(source.fetch(FetchRequest(papers=papers)))

    assert [len(dois) for dois in calls] == [50, 50, 20]
    assert responses == [SourceResponse(records=response.records) for response in responses]
    assert sum(len(response.records) for response in responses) == 120


def test_a_full_page_is_followed_by_the_next(source, httpserver):
    works = [work("10.1000/abc", title=f"Part {part}") for part in range(130)]
    for part, item in enumerate(works):
        item["locations"] = [location(f"https://arxiv.org/abs/2605.{part:05}")]
    calls = serve(httpserver, works)

    responses = list(source.fetch(FetchRequest(papers=(KnownPaper(doi="10.1000/abc"),))))

    assert [len(response.records) for response in responses] == [100, 30]
    assert len(calls) == 2


def test_of_two_works_of_a_paper_the_more_cited_one_is_used(source):
    preprint = work("10.48550/arxiv.2605.00001", cited_by_count=4)
    published = work(
        "10.1145/abc", cited_by_count=9, locations=[location("https://arxiv.org/abs/2605.00001")]
    )

    response = source.parse(json.dumps([preprint, published]).encode())

    assert [(record.doi, record.cited_by) for record in response.records] == [("10.1145/abc", 9)]
    assert response.rejected == ("duplicate",)


@pytest.mark.parametrize("index", [None, [], {"a": 3}, {"a": [None, "0"]}, {}])
def test_an_invalid_abstract_is_empty(source, index):
    item = work("10.1000/abc", abstract_inverted_index=index)

    assert source.parse(json.dumps(item).encode()).records[0].abstract == ""


def test_broken_items_are_rejected_one_by_one(source):
    items = [work("10.1000/abc", authorships=[3], locations="x"), None, work(None), work("10.1/x")]

    response = source.parse(json.dumps(items).encode())

    assert response.records == (Record(doi="10.1000/abc", cited_by=2),)
    assert sorted(response.rejected) == [*["no arXiv id, DOI or author"] * 2, "not a work"]


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
        (b'{"results": [1]}', "None of the 1 items is a paper of OpenAlex (not a work)."),
    ],
)
def test_an_invalid_response_is_reported_in_a_sentence(source, body, sentence):
    with pytest.raises(InvalidResponseError) as caught:
        source.parse(body)

    assert str(caught.value) == sentence


def fetch_error(source: OpenAlex) -> SourceUnavailableError:
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
            "OpenAlex answered 429 TOO MANY REQUESTS; retry after 3599 seconds.",
        ),
        (
            302,
            {"Location": f"http://elsewhere.example/works?api_key={KEY}"},
            "OpenAlex redirects to another host, http://elsewhere.example/works.",
        ),
    ],
)
def test_an_error_is_reported_without_the_key(source, httpserver, status, headers, sentence):
    httpserver.expect_request("/works").respond_with_data(KEY, status=status, headers=headers)

    assert str(fetch_error(source)) == sentence


def test_a_failed_connection_is_reported_without_the_key(caplog):
    caplog.set_level("DEBUG")

    error = fetch_error(source_for("http://127.0.0.1:9"))

    assert str(error) == "OpenAlex could not be reached (the connection was refused)."
    assert error.__suppress_context__
    assert KEY not in caplog.text


def test_a_url_with_a_key_is_not_logged(source, httpserver, caplog):
    caplog.set_level("DEBUG")
    serve(httpserver, [work("10.1000/abc")])

    list(source.fetch(FetchRequest(papers=(KnownPaper(doi="10.1000/abc"),))))

    client_lines = [line.getMessage() for line in caplog.records if line.name != "werkzeug"]
    assert KEY not in "\n".join(client_lines)


@recordings.needs_recordings
def test_every_recorded_response_is_parsed_or_reported(source, subtests):
    for exchange in recordings.load_exchanges("openalex"):
        with subtests.test(exchange.name):
            check_recorded_response(source, exchange)


def check_recorded_response(source: OpenAlex, exchange: recordings.RecordedExchange) -> None:
    if exchange.status == 200:
        response = source.parse(exchange.body)
        assert (len(response.records), response.rejected) == (1, ())
    else:
        with pytest.raises(InvalidResponseError, match="not JSON"):
            source.parse(exchange.body)


@recordings.needs_recordings
def test_a_recorded_preprint_has_its_arxiv_id(source):
    [body] = [
        exchange.body
        for exchange in recordings.load_exchanges("openalex")
        if "title_search" in exchange.name
    ]

    [record] = source.parse(body).records

    assert (record.arxiv_id, record.doi, record.cited_by) == ("2312.07559", "", 27)
    assert record.published_on is None
    assert record.abstract.startswith("Large Language Models (LLMs) generalize well")
