"""Batches, papers that are not known, and the answers of its other questions."""

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
EXCHANGES = recordings.load_exchanges("semantic_scholar")


@pytest.fixture(autouse=True)
def no_long_waits():
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
    """Answer with what is known, in order, as the real one does. Returns the ids asked for."""
    asked: list[list[str]] = []

    def answer(request: Request) -> Response:
        assert request.headers["x-api-key"] == KEY
        assert "externalIds" in request.args["fields"]
        ids = request.get_json()["ids"]
        asked.append(ids)
        if len(ids) > 500:
            return Response('{"error": "Too many ids"}', status=400)
        if not known.keys() & set(ids):
            return Response('{"error": "No valid paper ids given"}', status=400)
        return Response(json.dumps([known.get(each) for each in ids]))

    server.expect_request("/graph/v1/paper/batch", method="POST").respond_with_handler(answer)
    return asked


def test_a_paper_of_a_batch_is_what_its_own_numbers_say(source, httpserver):
    told = paper(
        externalIds={"ArXiv": "2605.00001", "DOI": "10.1000/ABC.1", "CorpusId": 7},
        tldr={"model": "tldr@v2.0.0", "text": "Robots fold towels. "},
        publicationDate="2026-05-03",
    )
    other = paper(externalIds={"DOI": "10.48550/arXiv.2605.00003"}, tldr=None, citationCount=0)
    asked = serve(httpserver, {"ARXIV:2605.00001": told, "DOI:10.1000/xyz": other})

    [answer] = source.fetch(
        FetchRequest(
            papers=(
                KnownPaper(arxiv_id="2605.00001", doi="10.1000/abc.1"),
                KnownPaper(arxiv_id="2605.00002"),
                KnownPaper(doi="10.1000/xyz"),
                KnownPaper(code_url="https://github.com/example/no-number"),
            )
        )
    )

    assert asked == [["ARXIV:2605.00001", "ARXIV:2605.00002", "DOI:10.1000/xyz"]]
    assert answer.records == (
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
    assert answer.rejected == ("unknown to Semantic Scholar",)


def test_no_more_than_500_papers_are_asked_for_at_once(source, httpserver):
    papers = tuple(KnownPaper(arxiv_id=f"2605.{number:05}") for number in range(1001))
    known = {
        f"ARXIV:{each.arxiv_id}": paper(externalIds={"ArXiv": each.arxiv_id}) for each in papers
    }
    asked = serve(httpserver, known)

    answers = list(source.fetch(FetchRequest(papers=papers)))

    assert [len(ids) for ids in asked] == [500, 500, 1]
    assert [len(answer.records) for answer in answers] == [500, 500, 1]


def test_a_batch_of_which_nothing_is_known_is_no_error(source, httpserver):
    serve(httpserver, {})

    [answer] = source.fetch(
        FetchRequest(papers=(KnownPaper(arxiv_id="2605.00001"), KnownPaper(doi="10.1000/x")))
    )

    assert answer.records == ()
    assert answer.rejected == ("unknown to Semantic Scholar",) * 2


def test_nothing_wanted_asks_nothing(source):
    assert list(source.fetch(FetchRequest(days=(date(2026, 5, 12),)))) == []


@pytest.mark.parametrize(
    ("status", "headers", "sentence", "questions"),
    [
        (400, {}, "Semantic Scholar answered 400 BAD REQUEST.", 1),
        (403, {}, "Semantic Scholar answered 403 FORBIDDEN.", 1),
        (429, {}, "Semantic Scholar answered 429 TOO MANY REQUESTS.", 4),
        (
            429,
            {"Retry-After": "90"},
            "Semantic Scholar answered 429 TOO MANY REQUESTS and asks to wait 90 seconds.",
            1,
        ),
        (502, {}, "Semantic Scholar answered 502 BAD GATEWAY.", 4),
    ],
)
def test_an_error_is_a_sentence_without_the_key(
    source, httpserver, status, headers, sentence, questions
):
    path = "/graph/v1/paper/batch"
    httpserver.expect_request(path).respond_with_data(
        f'{{"error": "the key {KEY} is bad"}}', status=status, headers=headers
    )

    with pytest.raises(SourceUnavailableError) as caught:
        list(source.fetch(FetchRequest(papers=(KnownPaper(arxiv_id="2605.00001"),))))

    assert str(caught.value) == sentence
    assert len(httpserver.log) == questions


def test_what_came_before_a_failure_is_given(source, httpserver):
    ids = [f"2605.{number:05}" for number in range(501)]
    whole = json.dumps([paper(externalIds={"ArXiv": each}) for each in ids[:500]])
    path = "/graph/v1/paper/batch"
    httpserver.expect_ordered_request(path).respond_with_data(whole)
    httpserver.expect_ordered_request(path).respond_with_data(whole[:5000])

    answers = source.fetch(FetchRequest(papers=tuple(KnownPaper(arxiv_id=each) for each in ids)))

    assert len(next(answers).records) == 500
    with pytest.raises(InvalidResponseError, match="not JSON, or was cut off at character"):
        next(answers)


@pytest.mark.parametrize(
    ("shape", "titles"),
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
def test_its_other_answers_are_read_too(source, shape, titles):
    answer = source.parse(json.dumps(shape).encode())

    assert [record.title for record in answer.records] == titles
    assert answer.rejected == ()


def test_broken_items_are_rejected_one_by_one(source):
    good = paper(externalIds={"ArXiv": "2605.00001"}, citationCount=-1, tldr=[], authors="x")
    items = [good, good, None, 3, {}, paper(title="Alone"), paper(externalIds=[1])]

    answer = source.parse(json.dumps(items).encode())

    assert answer.records == (Record(arxiv_id="2605.00001", influential_citations=1),)
    assert answer.rejected == (
        "told twice",
        "unknown to Semantic Scholar",
        "no paper",
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
        (b"[1, 2]", "None of the 2 items is a paper of Semantic Scholar (no paper)."),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(source, body, sentence):
    with pytest.raises(InvalidResponseError) as caught:
        source.parse(body)

    assert str(caught.value) == sentence


def items_in(body: bytes) -> int:
    value = json.loads(body)
    if isinstance(value, list):
        return len(value)
    lists = [value[name] for name in ("data", "recommendedPapers") if name in value]
    return len(lists[0]) if lists else int("paperId" in value)


@recordings.needs_recordings
@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.name)
def test_every_item_of_a_recorded_answer_is_a_record_or_has_a_reason(source, exchange):
    count = items_in(exchange.body)
    if exchange.status != 200:
        with pytest.raises(InvalidResponseError, match="Semantic Scholar answered with an error: "):
            source.parse(exchange.body)
        return
    try:
        answer = source.parse(exchange.body)
        told = f"{len(answer.records) + len(answer.rejected)} items"
    except InvalidResponseError as malformed:
        told = str(malformed)
    # Of a single author the answer is no list.
    assert f"{count} items" in told or told.startswith("The answer is an object")


@recordings.needs_recordings
def test_the_recorded_batch_is_read_whole(source):
    [body] = [each.body for each in EXCHANGES if "get_papers_not_found" in each.name]

    answer = source.parse(body)

    assert [(each.doi, each.citations) for each in answer.records] == [
        ("10.2139/ssrn.288970", 10670),
        ("10.2139/ssrn.2250500", 2185),
        ("10.1257/rct.1355", 0),
    ]
    assert answer.rejected == ("unknown to Semantic Scholar",)
