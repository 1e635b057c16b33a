"""Answers of every era, the odd ones, and the paging of the live ones."""

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

ANSWERS = Path(__file__).parent / "answers"
TODAY = date(2026, 5, 12)


@pytest.fixture
def huggingface(httpserver: HTTPServer) -> HuggingFace:
    url = httpserver.url_for("")
    return HuggingFace(
        SourceClient(url, title="Hugging Face", user_agent="test", timeout_seconds=1)
    )


def parse(huggingface: HuggingFace, name: str, day: date | None = None) -> list[dict[str, Any]]:
    answer = huggingface.parse((ANSWERS / name).read_bytes(), day=day)
    assert answer.rejected == ()
    return [asdict(record) for record in answer.records]


def item(arxiv_id: str, **paper: Any) -> dict[str, Any]:
    title = f"Paper {arxiv_id}"
    return {"paper": {"id": arxiv_id, "title": title, "upvotes": 1, **paper}, "title": title}


def test_an_answer_of_2024_is_read_with_the_title_that_kept_its_tex(huggingface):
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


def test_an_answer_of_march_2025_hides_the_authors_who_hid(huggingface):
    [record] = parse(huggingface, "2025-03.json", day=date(2025, 3, 11))

    assert record["authors"] == ("Grace Hopper",)
    assert record["listed_on"] == date(2025, 3, 11)
    assert record["code_url"] == "https://github.com/example/plain-words"
    assert record["project_url"] == "https://plain-words.example.org"
    assert record["keywords"] == ("compilers", "plain words")


def test_an_answer_of_december_2025_says_its_day_its_stars_and_its_organisation(huggingface):
    first, second = parse(huggingface, "2025-12.json", day=date(2030, 1, 1))

    assert first["arxiv_id"] == "2512.00301"
    assert first["listed_on"] == date(2025, 12, 2)
    assert first["published_on"] == date(2025, 11, 28)
    assert first["organization"] == "Bletchley Park"
    assert first["machine_summary"] == "A game of imitation is played."
    assert (first["code_url"], first["stars"]) == ("https://github.com/example/imitation", 1024)
    assert (second["code_url"], second["stars"]) == ("", None)


def test_an_answer_of_2026_may_hold_nothing_where_something_is_optional(huggingface):
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
def test_the_shapes_of_other_peoples_archives_are_read_too(huggingface, name):
    [record] = parse(huggingface, name)

    assert record["title"] == "A Comet"


def test_broken_items_are_rejected_one_by_one_and_the_rest_is_taken(huggingface):
    answer = huggingface.parse((ANSWERS / "broken.json").read_bytes(), day=TODAY)

    comet, odd = answer.records
    assert comet.title == "A Comet"
    assert (odd.title, odd.authors, odd.keywords) == ("Odd figures", (), ("comets",))
    assert (odd.upvotes, odd.stars, odd.comments) == (None, None, None)
    assert (odd.listed_on, odd.published_on) == (TODAY, TODAY)
    assert answer.rejected == ("no paper", "no paper", "no id", "not an arXiv id", "no title")


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
        (b"[3, 4]", "None of the 2 items is a paper of Hugging Face (no paper)."),
        (b'["{" ]', "None of the 1 items is a paper of Hugging Face (no paper)."),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(huggingface, body, sentence):
    with pytest.raises(InvalidResponseError) as caught:
        huggingface.parse(body)

    assert str(caught.value) == sentence


def test_an_empty_list_is_a_day_without_papers(huggingface):
    assert huggingface.parse(b"[]").records == ()


def test_a_literal_that_is_too_deep_is_rejected_like_any_other(huggingface):
    body = json.dumps([item("2605.00001"), "{" + "[" * 5000]).encode()

    assert huggingface.parse(body, day=TODAY).rejected == ("no paper",)


def serve(server: HTTPServer, pages: dict[tuple[str, int], Any]) -> list[tuple[str, int]]:
    """Answer each (date, page); everything else with an empty list. Returns what was asked."""
    asked = []

    def answer(request: Request) -> Response:
        assert request.args["limit"] == "100"
        key = (request.args["date"], int(request.args["p"]))
        asked.append(key)
        page = pages.get(key, [])
        if isinstance(page, int):
            return Response("{}", status=page)
        return Response(json.dumps(page), content_type="application/json")

    server.expect_request("/api/daily_papers").respond_with_handler(answer)
    return asked


def test_fetch_pages_until_nothing_comes_although_a_page_was_short(huggingface, httpserver):
    pages = {
        ("2026-05-12", 0): [item("2605.00001"), item("2605.00002")],
        ("2026-05-12", 1): [item("2605.00003")],
    }
    asked = serve(httpserver, pages)

    [answer] = huggingface.fetch(FetchRequest(days=(TODAY,)))

    assert [record.arxiv_id for record in answer.records] == [
        "2605.00001",
        "2605.00002",
        "2605.00003",
    ]
    assert asked == [("2026-05-12", 0), ("2026-05-12", 1), ("2026-05-12", 2)]


def test_fetch_stops_at_a_server_that_ignores_the_page(huggingface, httpserver):
    same = [item("2605.00001")]
    asked = serve(httpserver, {("2026-05-12", page): same for page in range(50)})

    [answer] = huggingface.fetch(FetchRequest(days=(TODAY,)))

    assert len(answer.records) == 1
    assert len(asked) == 2


def test_fetch_stops_at_a_server_that_never_ends(huggingface, httpserver):
    endless = {("2026-05-12", page): [item(f"2605.{page:05}")] for page in range(50)}
    asked = serve(httpserver, endless)

    [answer] = huggingface.fetch(FetchRequest(days=(TODAY,)))

    assert len(answer.records) == len(asked) == 10


def test_a_day_that_is_not_open_yet_has_no_papers(huggingface, httpserver):
    serve(httpserver, {("2026-05-12", 0): 400, ("2026-05-11", 0): [item("2605.00001")]})

    today, yesterday = huggingface.fetch(FetchRequest(days=(TODAY, date(2026, 5, 11))))

    assert (len(today.records), len(yesterday.records)) == (0, 1)


def test_every_day_refused_is_no_list_not_open_but_an_error(huggingface, httpserver):
    days = [date(2026, 5, day) for day in (12, 11, 10)]
    serve(httpserver, {(day.isoformat(), 0): 400 for day in days})

    with pytest.raises(SourceUnavailableError, match="Hugging Face answered 400 BAD REQUEST"):
        list(huggingface.fetch(FetchRequest(days=tuple(days))))


def test_what_came_before_a_failure_is_given(huggingface, httpserver):
    serve(httpserver, {("2026-05-12", 0): [item("2605.00001")], ("2026-05-11", 0): 404})

    answers = huggingface.fetch(FetchRequest(days=(TODAY, date(2026, 5, 11))))

    assert len(next(answers).records) == 1
    with pytest.raises(SourceUnavailableError, match="404"):
        next(answers)


def found(arxiv_id: str, *, day: str, **paper: Any) -> dict[str, Any]:
    """An item of the search's answer: the outer day is the paper's own."""
    return item(arxiv_id, publishedAt=day, **paper) | {"publishedAt": day}


def test_a_search_fills_in_papers_of_any_day(huggingface, httpserver):
    httpserver.expect_request(
        "/api/papers/search", query_string={"q": "graph networks", "limit": "100"}
    ).respond_with_json(
        [
            found("2605.00001", day="2026-05-01", submittedOnDailyAt="2026-05-04T00:00:00.000Z"),
            found("2004.00002", day="2020-04-02"),
            {"paper": None},
        ]
    )

    [answer] = huggingface.fetch(FetchRequest(query=" graph\n networks "))

    told = [(each.arxiv_id, each.published_on, each.listed_on) for each in answer.records]
    assert told == [
        ("2605.00001", date(2026, 5, 1), date(2026, 5, 4)),
        ("2004.00002", date(2020, 4, 2), None),
    ]
    assert answer.rejected == ("no paper",)


def test_a_long_query_is_cut(huggingface, httpserver):
    httpserver.expect_request("/api/papers/search").respond_with_json([])

    [answer] = huggingface.fetch(FetchRequest(query="é" * 300))

    assert answer == SourceResponse()
    assert httpserver.log[0][0].args["q"] == "é" * 250


def test_a_saved_answer_of_the_search_is_no_list_of_a_day(huggingface):
    papers = [found("2605.00001", day="2026-05-01"), found("2605.00002", day="2026-05-03")]

    answer = huggingface.parse(json.dumps(papers).encode())

    assert [record.listed_on for record in answer.records] == [None, None]


def test_days_too_far_apart_are_no_list_of_a_day(huggingface):
    papers = [item("2605.00001"), item("2605.00002")]
    papers[0]["publishedAt"], papers[1]["publishedAt"] = "2024-05-01", "2024-05-09"

    answer = huggingface.parse(json.dumps(papers).encode())

    assert [record.listed_on for record in answer.records] == [None, None]


def test_a_papers_own_page_is_read_too(huggingface):
    paper = item("2605.00001", publishedAt="2026-05-01", githubRepo="https://github.com/a/b")

    [record] = huggingface.parse(json.dumps(paper["paper"]).encode(), day=TODAY).records

    assert (record.arxiv_id, record.title, record.upvotes) == ("2605.00001", "Paper 2605.00001", 1)
    assert (record.published_on, record.listed_on) == (date(2026, 5, 1), None)
    assert (record.comments, record.code_url) == (None, "https://github.com/a/b")


def test_a_paper_that_is_told_twice_is_taken_once(huggingface):
    body = json.dumps([item("2605.00001"), item("2605.00001v2")]).encode()

    answer = huggingface.parse(body, day=TODAY)

    assert (len(answer.records), answer.rejected) == (1, ("told twice",))


@recordings.needs_recordings
def test_the_recorded_hard_cases_are_read_whole(huggingface):
    items = recordings.huggingface_hard_cases()

    answer = huggingface.parse(json.dumps(items).encode(), day=TODAY)

    assert len(answer.records) + len(answer.rejected) == len(items)
    assert set(answer.rejected) <= {"told twice"}


@recordings.needs_recordings
def test_a_recorded_weekend_that_is_no_list_is_said(huggingface):
    body = (
        recordings.RECORDINGS_DIR / "huggingface/odd/2024-06-01.weekend-literal-1.json"
    ).read_bytes()

    with pytest.raises(InvalidResponseError, match="The answer is 1, not a list of papers"):
        huggingface.parse(body)


@recordings.needs_recordings
@pytest.mark.parametrize("path", recordings.daily_papers_paths(), ids=lambda path: path.stem)
def test_every_recorded_day_is_read_whole(huggingface, path):
    day = date.fromisoformat(path.stem)

    answer = huggingface.parse(path.read_bytes(), day=day)

    assert len(answer.records) == len(json.loads(path.read_bytes()))
    assert answer.rejected == ()
    assert {record.listed_on for record in answer.records} == {day}


@recordings.needs_recordings
@pytest.mark.parametrize(
    ("name", "papers"),
    [
        ("2025-01-08.python-repr-strings.json", 15),
        ("2025-01-09.python-repr-strings.json", 13),
        ("2025-01-10.wrapped-object.json", 9),
    ],
)
def test_the_recorded_oddities_are_read(huggingface, name, papers):
    body = (recordings.RECORDINGS_DIR / "huggingface" / "odd" / name).read_bytes()

    assert len(huggingface.parse(body, day=TODAY).records) == papers
