"""GitHub: stars, repositories that moved or are gone, and a used-up quota."""

from __future__ import annotations

import json
import re
import time
from email.utils import formatdate
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
    github,
)
from papers.sources.github import GitHub, repository_name
from papers.sources.http import SourceClient

TOKEN = "gh-very-secret"


class RecordingPacer:
    """Records for how long the source asked for a pause."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def acquire(self, timeout_seconds: float) -> None:
        pass

    def back_off(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture(autouse=True)
def retry_without_waiting():
    with stamina.set_testing(True, attempts=4):
        yield


@pytest.fixture
def pacer() -> RecordingPacer:
    return RecordingPacer()


@pytest.fixture
def source(httpserver: HTTPServer, pacer: RecordingPacer) -> GitHub:
    return source_for(httpserver, pacer=pacer)


def source_for(server: HTTPServer, **options: Any) -> GitHub:
    return GitHub(
        SourceClient(
            server.url_for(""), title="GitHub", user_agent="test", timeout_seconds=5, **options
        )
    )


def repository(name: str, stars: int) -> dict[str, Any]:
    url = f"https://github.com/{name}"
    return {"full_name": name, "html_url": url, "stargazers_count": stars, "forks": 1}


def paper(arxiv_id: str, name: str) -> KnownPaper:
    return KnownPaper(arxiv_id=arxiv_id, code_url=f"https://github.com/{name}")


def serve(server: HTTPServer, stars: int = 7) -> list[str]:
    """Respond for every repository. Return the names of those that are requested."""
    requested: list[str] = []

    def respond(request: Request) -> Response:
        requested.append(request.path.removeprefix("/repos/"))
        return Response(json.dumps(repository(requested[-1], stars)))

    server.expect_request(re.compile("/repos/.+")).respond_with_handler(respond)
    return requested


def test_papers_that_share_a_repository_cost_one_call(source, httpserver):
    requested = serve(httpserver, stars=42)
    first, second = paper("2605.00001", "Ada/Engine"), paper("2605.00002", "ada/engine/tree/main")
    third = KnownPaper(doi="10.1000/abc", code_url="https://github.com/ada/notes.git")

    engine, notes = source.fetch(
        FetchRequest(
            papers=(
                first,
                third,
                second,
                paper("2605.00003", "only-an-owner"),
                KnownPaper(arxiv_id="2605.00004", code_url="https://gitlab.com/ada/engine"),
                KnownPaper(arxiv_id="2605.00005"),
            )
        )
    )

    assert requested == ["ada/engine", "ada/notes"]
    assert engine.records == (
        Record(arxiv_id="2605.00001", code_url=first.code_url, stars=42),
        Record(arxiv_id="2605.00002", code_url=second.code_url, stars=42),
    )
    assert notes.records == (Record(doi="10.1000/abc", code_url=third.code_url, stars=42),)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/Ada/Engine", "ada/engine"),
        ("http://www.github.com/ada/engine.git", "ada/engine"),
        ("https://github.com/ada/engine/tree/main?tab=readme#top", "ada/engine"),
        ("https://github.com/ada/.github", "ada/.github"),
        ("https://github.com/ada", ""),
        ("https://github.com/ada/", ""),
        ("https://github.com/ada/..", ""),
        ("https://github.com/../../rate_limit", ""),
        ("https://github.com.evil.example/ada/engine", ""),
        ("https://gist.github.com/ada/engine", ""),
        ("https://github.com/ada/éngine", ""),
        ("", ""),
    ],
)
def test_only_the_url_of_a_repository_has_a_name(url, name):
    assert repository_name(url) == name


@pytest.mark.parametrize(
    ("credentials", "limit"), [({}, 3), (GitHub.credentials(TOKEN), 6)], ids=["anonymous", "token"]
)
def test_calls_are_limited_to_the_most_important_papers(
    httpserver, monkeypatch, credentials, limit
):
    monkeypatch.setattr(github, "MAX_REPOS_PER_FETCH", 3)
    monkeypatch.setattr(github, "MAX_REPOS_PER_FETCH_WITH_TOKEN", 6)
    requested = serve(httpserver)
    papers = tuple(paper(f"2605.{number:05}", f"ada/part-{number}") for number in range(10))

    responses = list(source_for(httpserver, **credentials).fetch(FetchRequest(papers=papers)))

    assert requested == [f"ada/part-{number}" for number in range(limit)]
    assert len(responses) == limit
    if credentials:
        assert httpserver.log[0][0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_repository_that_moved_keeps_the_url_of_the_paper(source, httpserver):
    httpserver.expect_request("/repos/ada/old").respond_with_data(
        "", status=301, headers={"Location": httpserver.url_for("/repositories/7")}
    )
    httpserver.expect_request("/repositories/7").respond_with_json(repository("ada/new", 5))

    [response] = source.fetch(FetchRequest(papers=(paper("2605.00001", "ada/old"),)))

    [record] = response.records
    assert (record.stars, record.code_url) == (5, "https://github.com/ada/old")


@pytest.mark.parametrize(
    ("status", "message"),
    [(404, "Not Found"), (451, "Unavailable"), (403, "Repository access blocked")],
)
def test_a_missing_repository_is_rejected_and_the_others_are_fetched(
    source, httpserver, status, message
):
    httpserver.expect_request("/repos/ada/gone").respond_with_json({"message": message}, status)
    httpserver.expect_request("/repos/ada/here").respond_with_json(repository("ada/here", 3))
    papers = (paper("2605.00001", "ada/gone"), paper("2605.00002", "ada/here"))

    gone, here = source.fetch(FetchRequest(papers=papers))

    assert gone == SourceResponse(rejected=("repository not found",))
    assert [record.stars for record in here.records] == [3]


@pytest.mark.parametrize("status", [403, 429])
def test_a_used_up_quota_ends_the_fetch_and_pauses_all_workers(source, httpserver, pacer, status):
    now = int(time.time())
    headers = {
        "Date": formatdate(now, usegmt=True),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(now + 1800),
    }
    httpserver.expect_request("/repos/ada/first").respond_with_json(repository("ada/first", 3))
    httpserver.expect_request("/repos/ada/second").respond_with_data(
        "{}", status=status, headers=headers
    )
    papers = tuple(
        paper(f"2605.{n:05}", f"ada/{name}") for n, name in enumerate(["first", "second", "third"])
    )

    responses = source.fetch(FetchRequest(papers=papers))

    assert len(next(responses).records) == 1
    with pytest.raises(
        SourceUnavailableError, match=f"GitHub answered {status} .*; retry after 1800"
    ):
        next(responses)
    assert pacer.seconds == [1800]
    assert len(httpserver.log) == 2


def test_a_limit_without_a_time_pauses_for_a_minute(source, httpserver, pacer):
    message = {"message": "You have exceeded a secondary rate limit."}
    httpserver.expect_request("/repos/ada/engine").respond_with_json(message, status=403)

    with pytest.raises(SourceUnavailableError, match="GitHub answered 403 FORBIDDEN"):
        list(source.fetch(FetchRequest(papers=(paper("2605.00001", "ada/engine"),))))

    assert pacer.seconds == [60]


def test_a_bad_token_is_reported_without_the_token(httpserver):
    httpserver.expect_request("/repos/ada/engine").respond_with_json(
        {"message": f"Bad credentials {TOKEN}"}, status=401
    )
    source = source_for(httpserver, **GitHub.credentials(TOKEN))

    with pytest.raises(SourceUnavailableError) as caught:
        list(source.fetch(FetchRequest(papers=(paper("2605.00001", "ada/engine"),))))

    assert str(caught.value) == "GitHub answered 401 UNAUTHORIZED."


@pytest.mark.parametrize("key", ["", "items"], ids=["list", "search"])
def test_a_saved_list_has_the_stars_of_each_repository(source, key):
    items = [repository("ada/engine", 7), repository("ada/notes", 0), {"html_url": "x"}, 3]

    response = source.parse(json.dumps({key: items} if key else items).encode())

    assert response.records == (
        Record(code_url="https://github.com/ada/engine", stars=7),
        Record(code_url="https://github.com/ada/notes", stars=0),
    )
    assert response.rejected == ("no stars", "not a repository")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The answer is empty."),
        (b'"x"', 'The answer is "x", not a repository.'),
        (b"{}", "None of the 1 items is a paper of GitHub (no stars)."),
        (
            b'{"message": "Not Found", "documentation_url": "https://docs", "status": "404"}',
            "GitHub answered with an error: Not Found.",
        ),
    ],
)
def test_an_invalid_response_is_reported_in_a_sentence(source, body, sentence):
    with pytest.raises(InvalidResponseError) as caught:
        source.parse(body)

    assert str(caught.value) == sentence
