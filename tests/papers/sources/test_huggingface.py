"""Hugging Face: responses of every year, defective ones, and pagination."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from papers.sources import (
    FetchRequest,
    InvalidResponseError,
    SourceResponse,
    SourceUnavailableError,
)
from papers.sources.http import SourceClient
from papers.sources.huggingface import HuggingFace
from tests.papers import recordings

RESPONSES_DIR = Path(__file__).parent / "answers"
TODAY = date(2026, 5, 12)


@pytest.fixture
def huggingface(httpserver: HTTPServer) -> HuggingFace:
    url = httpserver.url_for("")
    return HuggingFace(
        SourceClient(url, title="Hugging Face", user_agent="test", timeout_seconds=1)
    )


def parse(huggingface: HuggingFace, name: str, day: date | None = None) -> list[dict[str, Any]]:
    response = huggingface.parse((RESPONSES_DIR / name).read_bytes(), day=day)
    assert response.rejected == ()
    return [asdict(record) for record in response.records]


def item(arxiv_id: str, **paper: Any) -> dict[str, Any]:
    title = f"Paper {arxiv_id}"
    return {"paper": {"id": arxiv_id, "title": title, "upvotes": 1, **paper}, "title": title}


def test_a_response_of_2024_keeps_the_tex_of_a_title(huggingface):
    first, second = parse(huggingface, "2024-06.json")

    assert first == {
        "arxiv_id": "2406.00101",
        "title": r"$\nabla^2$DFT: A Dataset of Small Molecules",
        "abstract": "We compute many small molecules\nwith care. The code is shared.",
        "authors": ("Ada Lovelace", "Émilie du Châtelet"),
        "published_on": date(2024, 6, 20),
        "listed_on": date(2024, 6, 24),
        "machine_summary": "",
        "organization": "",
        "categories": (),
        "keywords": (),
        "code_url": "",
        "project_url": "",
        "upvotes": 27,
        "comments": 3,
        "stars": None,
        "doi": "",
        "withdrawn": None,
        "citations": None,
        "influential_citations": None,
        "cited_by": None,
        "updated_at": None,
    }
    assert (second["upvotes"], second["comments"]) == (0, 0)


def test_a_response_of_march_2025_lacks_hidden_authors(huggingface):
    [record] = parse(huggingface, "2025-03.json", day=date(2025, 3, 11))

    assert record["authors"] == ("Grace Hopper",)
    assert record["listed_on"] == date(2025, 3, 11)
    assert record["code_url"] == "https://github.com/example/plain-words"
    assert record["project_url"] == "https://plain-words.example.org"
    assert record["keywords"] == ("compilers", "plain words")


def test_a_response_of_december_2025_has_its_day_its_stars_and_its_organisation(huggingface):
    first, second = parse(huggingface, "2025-12.json", day=date(2030, 1, 1))

    assert first["arxiv_id"] == "2512.00301"
    assert first["listed_on"] == date(2025, 12, 2)
    assert first["published_on"] == date(2025, 11, 28)
    assert first["organization"] == "Bletchley Park"
    assert first["machine_summary"] == "A game of imitation is played."
    assert (first["code_url"], first["stars"]) == ("https://github.com/example/imitation", 1024)
    assert (second["code_url"], second["stars"]) == ("", None)


def test_optional_fields_of_a_response_of_2026_may_be_empty(huggingface):
    first, second = parse(huggingface, "2026-05.json")

    assert (first["machine_summary"], first["organization"], first["stars"]) == ("", "", None)
    assert second["arxiv_id"] == "2605.00402"
    assert second["authors"] == ("Chien-Shiung Wu",)
    assert second["published_on"] == date(2026, 5, 9)
    assert second["abstract"] == ""
    assert (second["upvotes"], second["comments"]) == (0, None)
    assert second["code_url"] == "https://github.com/example/parity"
    assert second["project_url"] == "https://parity.example.org"


@pytest.mark.parametrize("name", ["python-literals.json", "wrapped.json"])
def test_the_formats_of_other_peoples_archives_are_parsed(huggingface, name):
    [record] = parse(huggingface, name)

    assert record["title"] == "A Comet"


def test_defective_items_are_rejected_one_by_one(huggingface):
    response = huggingface.parse((RESPONSES_DIR / "broken.json").read_bytes(), day=TODAY)

    comet, defective = response.records
    assert comet.title == "A Comet"
    assert (defective.title, defective.authors, defective.keywords) == (
        "Odd figures",
        (),
        ("comets",),
    )
    assert (defective.upvotes, defective.stars, defective.comments) == (None, None, None)
    assert (defective.listed_on, defective.published_on) == (TODAY, TODAY)
    assert response.rejected == (
        "not a paper",
        "not a paper",
        "no id",
        "not an arXiv id",
        "no title",
    )


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The answer is empty."),
        (b" \n", "The answer is empty."),
        (b"1", "The answer is 1, not a list of papers."),
        (b"null", "The answer is null, not a list of papers."),
        (b"{}", "The answer is an object, not a list of papers."),
        (b'[{"paper": {"id"', "The answer is not JSON, or was cut off at character 16."),
        (b"<html>", "The answer is not JSON, or was cut off at character 0."),
        (b"\x89PNG\r\n\x1a\n\xff", "The answer is not JSON, or was cut off."),
        (b"[" * 100_000, "The answer is not JSON, or was cut off."),
        (b'{"error": "Paper not found"}', "Hugging Face answered with an error: Paper not found."),
        (b"[3, 4]", "None of the 2 items is a paper of Hugging Face (not a paper)."),
        (b'["{" ]', "None of the 1 items is a paper of Hugging Face (not a paper)."),
    ],
)
def test_an_invalid_response_is_reported_in_a_sentence(huggingface, body, sentence):
    with pytest.raises(InvalidResponseError) as caught:
        huggingface.parse(body)

    assert str(caught.value) == sentence


def test_an_empty_list_is_a_day_without_papers(huggingface):
    assert huggingface.parse(b"[]").records == ()


def test_a_literal_that_is_nested_too_deeply_is_rejected(huggingface):
    body = json.dumps([item("2605.00001"), "{" + "[" * 5000]).encode()

    assert huggingface.parse(body, day=TODAY).rejected == ("not a paper",)


def serve(server: HTTPServer, pages: dict[tuple[str, int], Any]) -> list[tuple[str, int]]:
    """Serve the pages by day and number, and no papers for others. Return the calls."""
    calls = []

    def respond(request: Request) -> Response:
        assert request.args["limit"] == "100"
        key = (request.args["date"], int(request.args["p"]))
        calls.append(key)
        page = pages.get(key, [])
        if isinstance(page, int):
            return Response("{}", status=page)
        return Response(json.dumps(page), content_type="application/json")

    server.expect_request("/api/daily_papers").respond_with_handler(respond)
    return calls


def test_fetching_goes_on_after_a_short_page_until_one_is_empty(huggingface, httpserver):
    pages = {
        ("2026-05-12", 0): [item("2605.00001"), item("2605.00002")],
        ("2026-05-12", 1): [item("2605.00003")],
    }
    calls = serve(httpserver, pages)

    [response] = huggingface.fetch(FetchRequest(days=(TODAY,)))

    assert [record.arxiv_id for record in response.records] == [
        "2605.00001",
        "2605.00002",
        "2605.00003",
    ]
    assert calls == [("2026-05-12", 0), ("2026-05-12", 1), ("2026-05-12", 2)]


def test_fetching_ends_if_the_server_ignores_the_page_number(huggingface, httpserver):
    items = [item("2605.00001")]
    calls = serve(httpserver, {("2026-05-12", page): items for page in range(50)})

    [response] = huggingface.fetch(FetchRequest(days=(TODAY,)))

    assert len(response.records) == 1
    assert len(calls) == 2


def test_the_number_of_pages_is_limited(huggingface, httpserver):
    endless = {("2026-05-12", page): [item(f"2605.{page:05}")] for page in range(50)}
    calls = serve(httpserver, endless)

    [response] = huggingface.fetch(FetchRequest(days=(TODAY,)))

    assert len(response.records) == len(calls) == 10


def test_a_day_without_a_list_yet_has_no_papers(huggingface, httpserver):
    serve(httpserver, {("2026-05-12", 0): 400, ("2026-05-11", 0): [item("2605.00001")]})

    today, yesterday = huggingface.fetch(FetchRequest(days=(TODAY, date(2026, 5, 11))))

    assert (len(today.records), len(yesterday.records)) == (0, 1)


def test_it_is_an_error_if_none_of_several_days_has_a_list(huggingface, httpserver):
    days = [date(2026, 5, day) for day in (12, 11, 10)]
    serve(httpserver, {(day.isoformat(), 0): 400 for day in days})

    with pytest.raises(SourceUnavailableError, match="Hugging Face answered 400 BAD REQUEST"):
        list(huggingface.fetch(FetchRequest(days=tuple(days))))


def test_responses_before_a_failure_are_yielded(huggingface, httpserver):
    serve(httpserver, {("2026-05-12", 0): [item("2605.00001")], ("2026-05-11", 0): 404})

    responses = huggingface.fetch(FetchRequest(days=(TODAY, date(2026, 5, 11))))

    assert len(next(responses).records) == 1
    with pytest.raises(SourceUnavailableError, match="404"):
        next(responses)


def search_result(arxiv_id: str, *, day: str, **paper: Any) -> dict[str, Any]:
    """Return an item of search results: its date is that of the paper."""
    return item(arxiv_id, publishedAt=day, **paper) | {"publishedAt": day}


def test_a_search_returns_papers_of_any_day(huggingface, httpserver):
    httpserver.expect_request(
        "/api/papers/search", query_string={"q": "graph networks", "limit": "100"}
    ).respond_with_json(
        [
            search_result(
                "2605.00001", day="2026-05-01", submittedOnDailyAt="2026-05-04T00:00:00.000Z"
            ),
            search_result("2004.00002", day="2020-04-02"),
            {"paper": None},
        ]
    )

    [response] = huggingface.fetch(FetchRequest(query=" graph\n networks "))

    assert [
        (record.arxiv_id, record.published_on, record.listed_on) for record in response.records
    ] == [
        ("2605.00001", date(2026, 5, 1), date(2026, 5, 4)),
        ("2004.00002", date(2020, 4, 2), None),
    ]
    assert response.rejected == ("not a paper",)


def test_a_long_query_is_truncated(huggingface, httpserver):
    httpserver.expect_request("/api/papers/search").respond_with_json([])

    [response] = huggingface.fetch(FetchRequest(query="é" * 300))

    assert response == SourceResponse()
    assert httpserver.log[0][0].args["q"] == "é" * 250


def test_saved_search_results_have_no_date_of_listing(huggingface):
    papers = [
        search_result("2605.00001", day="2026-05-01"),
        search_result("2605.00002", day="2026-05-03"),
    ]

    response = huggingface.parse(json.dumps(papers).encode())

    assert [record.listed_on for record in response.records] == [None, None]


def test_items_of_days_far_apart_have_no_date_of_listing(huggingface):
    papers = [item("2605.00001"), item("2605.00002")]
    papers[0]["publishedAt"], papers[1]["publishedAt"] = "2024-05-01", "2024-05-09"

    response = huggingface.parse(json.dumps(papers).encode())

    assert [record.listed_on for record in response.records] == [None, None]


def test_the_page_of_a_single_paper_is_parsed(huggingface):
    paper = item("2605.00001", publishedAt="2026-05-01", githubRepo="https://github.com/a/b")

    [record] = huggingface.parse(json.dumps(paper["paper"]).encode(), day=TODAY).records

    assert (record.arxiv_id, record.title, record.upvotes) == ("2605.00001", "Paper 2605.00001", 1)
    assert (record.published_on, record.listed_on) == (date(2026, 5, 1), None)
    assert (record.comments, record.code_url) == (None, "https://github.com/a/b")


def test_a_duplicate_is_rejected(huggingface):
    body = json.dumps([item("2605.00001"), item("2605.00001v2")]).encode()

    response = huggingface.parse(body, day=TODAY)

    assert (len(response.records), response.rejected) == (1, ("duplicate",))


@recordings.needs_recordings
def test_the_recorded_hard_cases_are_parsed_completely(huggingface):
    items = recordings.huggingface_hard_cases()

    response = huggingface.parse(json.dumps(items).encode(), day=TODAY)

    assert len(response.records) + len(response.rejected) == len(items)
    assert set(response.rejected) <= {"duplicate"}


@recordings.needs_recordings
def test_a_recorded_weekend_that_is_not_a_list_is_reported(huggingface):
    body = (
        recordings.RECORDINGS_DIR / "huggingface/odd/2024-06-01.weekend-literal-1.json"
    ).read_bytes()

    with pytest.raises(InvalidResponseError, match="The answer is 1, not a list of papers"):
        huggingface.parse(body)


@recordings.needs_recordings
def test_every_recorded_day_is_parsed_completely(huggingface, subtests):
    for path in recordings.daily_papers_paths():
        with subtests.test(path.stem):
            check_recorded_day(huggingface, path)


def check_recorded_day(huggingface: HuggingFace, path: Path) -> None:
    day = date.fromisoformat(path.stem)
    body = path.read_bytes()

    response = huggingface.parse(body, day=day)

    assert len(response.records) == len(json.loads(body))
    assert response.rejected == ()
    assert {record.listed_on for record in response.records} == {day}


@recordings.needs_recordings
@pytest.mark.parametrize(
    ("name", "papers"),
    [
        ("2025-01-08.python-repr-strings.json", 15),
        ("2025-01-09.python-repr-strings.json", 13),
        ("2025-01-10.wrapped-object.json", 9),
    ],
)
def test_recorded_days_in_unusual_formats_are_parsed(huggingface, name, papers):
    body = (recordings.RECORDINGS_DIR / "huggingface" / "odd" / name).read_bytes()

    assert len(huggingface.parse(body, day=TODAY).records) == papers
