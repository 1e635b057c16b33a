"""Semantic Scholar: batches, unknown papers, and the responses of its other endpoints."""

from __future__ import annotations

import json
from datetime import date
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
    SourceUnavailableError,
)
from papers.sources.http import SourceClient
from papers.sources.semanticscholar import SemanticScholar
from tests.papers import recordings

KEY = "s2-very-secret"


@pytest.fixture(autouse=True)
def retry_without_waiting():
    with stamina.set_testing(True, attempts=4):
        yield


@pytest.fixture
def source(httpserver: HTTPServer) -> SemanticScholar:
    client = SourceClient(
        httpserver.url_for(""),
        title="Semantic Scholar",
        user_agent="test",
        timeout_seconds=5,
        **SemanticScholar.credentials(KEY),
    )
    return SemanticScholar(client)


def paper(**fields: Any) -> dict[str, Any]:
    return {"paperId": "0f" * 20, "citationCount": 3, "influentialCitationCount": 1, **fields}


def serve(server: HTTPServer, known: dict[str, dict[str, Any]]) -> list[list[str]]:
    """Respond with the known papers, in order, as the real one does. Return the ids of each call."""
    calls: list[list[str]] = []

    def respond(request: Request) -> Response:
        assert request.headers["x-api-key"] == KEY
        assert "externalIds" in request.args["fields"]
        ids = request.get_json()["ids"]
        calls.append(ids)
        if len(ids) > 500:
            return Response('{"error": "Too many ids"}', status=400)
        if not known.keys() & set(ids):
            return Response('{"error": "No valid paper ids given"}', status=400)
        return Response(json.dumps([known.get(paper_id) for paper_id in ids]))

    server.expect_request("/graph/v1/paper/batch", method="POST").respond_with_handler(respond)
    return calls


def test_a_paper_of_a_batch_is_identified_by_its_own_ids(source, httpserver):
    requested = paper(
        externalIds={"ArXiv": "2605.00001", "DOI": "10.1000/ABC.1", "CorpusId": 7},
        tldr={"model": "tldr@v2.0.0", "text": "Robots fold towels. "},
        publicationDate="2026-05-03",
    )
    other = paper(externalIds={"DOI": "10.48550/arXiv.2605.00003"}, tldr=None, citationCount=0)
    calls = serve(httpserver, {"ARXIV:2605.00001": requested, "DOI:10.1000/xyz": other})

    [response] = source.fetch(
        FetchRequest(
            papers=(
                KnownPaper(arxiv_id="2605.00001", doi="10.1000/abc.1"),
                KnownPaper(arxiv_id="2605.00002"),
                KnownPaper(doi="10.1000/xyz"),
                KnownPaper(code_url="https://github.com/example/no-id"),
            )
        )
    )

    assert calls == [["ARXIV:2605.00001", "ARXIV:2605.00002", "DOI:10.1000/xyz"]]
    assert response.records == (
        Record(
            arxiv_id="2605.00001",
            doi="10.1000/abc.1",
            machine_summary="Robots fold towels.",
            published_on=date(2026, 5, 3),
            citations=3,
            influential_citations=1,
        ),
        Record(arxiv_id="2605.00003", citations=0, influential_citations=1),
    )
    assert response.rejected == ("unknown to Semantic Scholar",)


def test_a_call_has_at_most_500_papers(source, httpserver):
    papers = tuple(KnownPaper(arxiv_id=f"2605.{number:05}") for number in range(1001))
    known = {
        f"ARXIV:{known_paper.arxiv_id}": paper(externalIds={"ArXiv": known_paper.arxiv_id})
        for known_paper in papers
    }
    calls = serve(httpserver, known)

    responses = list(source.fetch(FetchRequest(papers=papers)))

    assert [len(ids) for ids in calls] == [500, 500, 1]
    assert [len(response.records) for response in responses] == [500, 500, 1]


def test_a_batch_of_unknown_papers_is_rejected_without_an_error(source, httpserver):
    serve(httpserver, {})

    [response] = source.fetch(
        FetchRequest(papers=(KnownPaper(arxiv_id="2605.00001"), KnownPaper(doi="10.1000/x")))
    )

    assert response.records == ()
    assert response.rejected == ("unknown to Semantic Scholar",) * 2


def test_a_request_without_papers_makes_no_call(source):
    assert list(source.fetch(FetchRequest(days=(date(2026, 5, 12),)))) == []


@pytest.mark.parametrize(
    ("status", "headers", "sentence", "attempts"),
    [
        (400, {}, "Semantic Scholar answered 400 BAD REQUEST.", 1),
        (403, {}, "Semantic Scholar answered 403 FORBIDDEN.", 1),
        (429, {}, "Semantic Scholar answered 429 TOO MANY REQUESTS.", 4),
        (
            429,
            {"Retry-After": "90"},
            "Semantic Scholar answered 429 TOO MANY REQUESTS; retry after 90 seconds.",
            1,
        ),
        (502, {}, "Semantic Scholar answered 502 BAD GATEWAY.", 4),
    ],
)
def test_an_error_is_reported_without_the_key(
    source, httpserver, status, headers, sentence, attempts
):
    path = "/graph/v1/paper/batch"
    httpserver.expect_request(path).respond_with_data(
        f'{{"error": "the key {KEY} is bad"}}', status=status, headers=headers
    )

    with pytest.raises(SourceUnavailableError) as caught:
        list(source.fetch(FetchRequest(papers=(KnownPaper(arxiv_id="2605.00001"),))))

    assert str(caught.value) == sentence
    assert len(httpserver.log) == attempts


def test_responses_before_a_failure_are_yielded(source, httpserver):
    ids = [f"2605.{number:05}" for number in range(501)]
    whole = json.dumps([paper(externalIds={"ArXiv": arxiv_id}) for arxiv_id in ids[:500]])
    path = "/graph/v1/paper/batch"
    httpserver.expect_ordered_request(path).respond_with_data(whole)
    httpserver.expect_ordered_request(path).respond_with_data(whole[:5000])

    responses = source.fetch(
        FetchRequest(papers=tuple(KnownPaper(arxiv_id=arxiv_id) for arxiv_id in ids))
    )

    assert len(next(responses).records) == 500
    with pytest.raises(InvalidResponseError, match="not JSON, or was cut off at character"):
        next(responses)


@pytest.mark.parametrize(
    ("value", "titles"),
    [
        ({"data": [paper(title="A", authors=[{"name": "Ada"}])]}, ["A"]),
        ({"recommendedPapers": [paper(title="A", authors=[{"name": "Ada"}])]}, ["A"]),
        ({"data": [{"citingPaper": paper(title="A", authors=[{"name": "Ada"}])}]}, ["A"]),
        ({"data": [{"snippet": {}, "paper": {"title": "A", "authors": ["Ada"]}}]}, ["A"]),
        (paper(title="A", authors=[{"name": "Ada"}, {"name": None}, 3]), ["A"]),
        ({"total": 0, "offset": 0}, []),
        ([], []),
    ],
)
def test_responses_of_other_endpoints_are_parsed(source, value, titles):
    response = source.parse(json.dumps(value).encode())

    assert [record.title for record in response.records] == titles
    assert response.rejected == ()


def test_broken_items_are_rejected_one_by_one(source):
    good = paper(externalIds={"ArXiv": "2605.00001"}, citationCount=-1, tldr=[], authors="x")
    items = [good, good, None, 3, {}, paper(title="Alone"), paper(externalIds=[1])]

    response = source.parse(json.dumps(items).encode())

    assert response.records == (Record(arxiv_id="2605.00001", influential_citations=1),)
    assert response.rejected == (
        "duplicate",
        "unknown to Semantic Scholar",
        "not a paper",
        *["no arXiv id, DOI or author"] * 3,
    )


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The answer is empty."),
        (b"{}", "The answer is an object, not a list of papers."),
        (b"7", "The answer is 7, not a list of papers."),
        (b'[{"paperId": "a"}, nul', "The answer is not JSON, or was cut off at character 19."),
        (
            b'{"error": "Bad\\n\\u001b[31m id."}',
            "Semantic Scholar answered with an error: Bad [31m id.",
        ),
        (b'{"message": "Forbidden"}', "Semantic Scholar answered with an error: Forbidden."),
        (b"[1, 2]", "None of the 2 items is a paper of Semantic Scholar (not a paper)."),
    ],
)
def test_an_invalid_response_is_reported_in_a_sentence(source, body, sentence):
    with pytest.raises(InvalidResponseError) as caught:
        source.parse(body)

    assert str(caught.value) == sentence


def count_items(body: bytes) -> int:
    value = json.loads(body)
    if isinstance(value, list):
        return len(value)
    lists = [value[name] for name in ("data", "recommendedPapers") if name in value]
    return len(lists[0]) if lists else int("paperId" in value)


@recordings.needs_recordings
def test_every_item_of_a_recorded_response_is_a_record_or_rejected(source, subtests):
    for exchange in recordings.load_exchanges("semantic_scholar"):
        with subtests.test(exchange.name):
            check_recorded_response(source, exchange)


def check_recorded_response(source: SemanticScholar, exchange: recordings.RecordedExchange) -> None:
    if exchange.status != 200:
        with pytest.raises(InvalidResponseError, match="Semantic Scholar answered with an error: "):
            source.parse(exchange.body)
        return
    try:
        response = source.parse(exchange.body)
        outcome = f"{len(response.records) + len(response.rejected)} items"
    except InvalidResponseError as error:
        outcome = str(error)
    # The response for a single author is not a list.
    assert f"{count_items(exchange.body)} items" in outcome or outcome.startswith(
        "The answer is an object"
    )


@recordings.needs_recordings
def test_the_recorded_batch_is_parsed_completely(source):
    [body] = [
        exchange.body
        for exchange in recordings.load_exchanges("semantic_scholar")
        if "get_papers_not_found" in exchange.name
    ]

    response = source.parse(body)

    assert [(record.doi, record.citations) for record in response.records] == [
        ("10.2139/ssrn.288970", 10670),
        ("10.2139/ssrn.2250500", 2185),
        ("10.1257/rct.1355", 0),
    ]
    assert response.rejected == ("unknown to Semantic Scholar",)
