"""Stars, repositories that moved or are gone, and an allowance that is used up."""

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


class Held:
    """Turns that remember for how long they were held."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def acquire(self, timeout_seconds: float) -> None:
        pass

    def back_off(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture(autouse=True)
def no_long_waits():
    with stamina.set_testing(True, attempts=4):
        yield


@pytest.fixture
def pacer() -> Held:
    return Held()


@pytest.fixture
def source(httpserver: HTTPServer, pacer: Held) -> GitHub:
    return asking(httpserver, pacer=pacer)


def asking(server: HTTPServer, **options: Any) -> GitHub:
    return GitHub(
        SourceClient(
            server.url_for(""), title="GitHub", user_agent="test", timeout_seconds=5, **options
        )
    )


def repository(name: str, stars: int) -> dict[str, Any]:
    address = f"https://github.com/{name}"
    return {"full_name": name, "html_url": address, "stargazers_count": stars, "forks": 1}


def known(arxiv_id: str, name: str) -> KnownPaper:
    return KnownPaper(arxiv_id=arxiv_id, code_url=f"https://github.com/{name}")


def serve(server: HTTPServer, stars: int = 7) -> list[str]:
    """Answer for every repository. Returns which were asked for."""
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.path.removeprefix("/repos/"))
        return Response(json.dumps(repository(asked[-1], stars)))

    server.expect_request(re.compile("/repos/.+")).respond_with_handler(answer)
    return asked


def test_papers_that_share_a_repository_are_told_of_at_once(source, httpserver):
    asked = serve(httpserver, stars=42)
    first, second = known("2605.00001", "Ada/Engine"), known("2605.00002", "ada/engine/tree/main")
    third = KnownPaper(doi="10.1000/abc", code_url="https://github.com/ada/notes.git")

    one, other = source.fetch(
        FetchRequest(
            papers=(
                first,
                third,
                second,
                known("2605.00003", "only-an-owner"),
                KnownPaper(arxiv_id="2605.00004", code_url="https://gitlab.com/ada/engine"),
                KnownPaper(arxiv_id="2605.00005"),
            )
        )
    )

    assert asked == ["ada/engine", "ada/notes"]
    assert one.records == (
        Record(arxiv_id="2605.00001", code_url=first.code_url, stars=42),
        Record(arxiv_id="2605.00002", code_url=second.code_url, stars=42),
    )
    assert other.records == (Record(doi="10.1000/abc", code_url=third.code_url, stars=42),)


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
def test_only_a_repository_is_asked_for(url, name):
    assert repository_name(url) == name


@pytest.mark.parametrize(
    ("options", "most"), [({}, 3), (GitHub.credentials(TOKEN), 6)], ids=["anonymous", "token"]
)
def test_the_most_important_are_asked_for_and_no_more(httpserver, monkeypatch, options, most):
    monkeypatch.setattr(github, "MAX_REPOS_PER_FETCH", 3)
    monkeypatch.setattr(github, "MAX_REPOS_PER_FETCH_WITH_TOKEN", 6)
    asked = serve(httpserver)
    papers = tuple(known(f"2605.{number:05}", f"ada/part-{number}") for number in range(10))

    answers = list(asking(httpserver, **options).fetch(FetchRequest(papers=papers)))

    assert asked == [f"ada/part-{number}" for number in range(most)]
    assert len(answers) == most
    if options:
        assert httpserver.log[0][0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_repository_that_moved_is_followed(source, httpserver):
    httpserver.expect_request("/repos/ada/old").respond_with_data(
        "", status=301, headers={"Location": httpserver.url_for("/repositories/7")}
    )
    httpserver.expect_request("/repositories/7").respond_with_json(repository("ada/new", 5))

    [answer] = source.fetch(FetchRequest(papers=(known("2605.00001", "ada/old"),)))

    [record] = answer.records
    assert (record.stars, record.code_url) == (5, "https://github.com/ada/old")


@pytest.mark.parametrize(
    ("status", "message"),
    [(404, "Not Found"), (451, "Unavailable"), (403, "Repository access blocked")],
)
def test_a_repository_that_is_gone_is_no_failure(source, httpserver, status, message):
    httpserver.expect_request("/repos/ada/gone").respond_with_json({"message": message}, status)
    httpserver.expect_request("/repos/ada/here").respond_with_json(repository("ada/here", 3))
    papers = (known("2605.00001", "ada/gone"), known("2605.00002", "ada/here"))

    gone, here = source.fetch(FetchRequest(papers=papers))

    assert gone == SourceResponse(rejected=("repository not found",))
    assert [record.stars for record in here.records] == [3]


@pytest.mark.parametrize("status", [403, 429])
def test_an_allowance_that_is_used_up_ends_it_and_holds_everybody(
    source, httpserver, pacer, status
):
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
        known(f"2605.{n:05}", f"ada/{name}") for n, name in enumerate(["first", "second", "third"])
    )

    answers = source.fetch(FetchRequest(papers=papers))

    assert len(next(answers).records) == 1
    with pytest.raises(
        SourceUnavailableError, match=f"GitHub answered {status} .* asks to wait 1800"
    ):
        next(answers)
    assert pacer.seconds == [1800]
    assert len(httpserver.log) == 2


def test_a_limit_that_says_no_time_is_given_a_minute(source, httpserver, pacer):
    message = {"message": "You have exceeded a secondary rate limit."}
    httpserver.expect_request("/repos/ada/engine").respond_with_json(message, status=403)

    with pytest.raises(SourceUnavailableError, match="GitHub answered 403 FORBIDDEN"):
        list(source.fetch(FetchRequest(papers=(known("2605.00001", "ada/engine"),))))

    assert pacer.seconds == [60]


def test_a_bad_token_is_said_without_the_token(httpserver):
    httpserver.expect_request("/repos/ada/engine").respond_with_json(
        {"message": f"Bad credentials {TOKEN}"}, status=401
    )
    source = asking(httpserver, **GitHub.credentials(TOKEN))

    with pytest.raises(SourceUnavailableError) as caught:
        list(source.fetch(FetchRequest(papers=(known("2605.00001", "ada/engine"),))))

    assert str(caught.value) == "GitHub answered 401 UNAUTHORIZED."


@pytest.mark.parametrize("found", [False, True], ids=["listed", "found"])
def test_a_saved_list_tells_the_stars_of_each_repository(source, found):
    two = [repository("ada/engine", 7), repository("ada/notes", 0), {"html_url": "x"}, 3]

    answer = source.parse(json.dumps({"items": two} if found else two).encode())

    assert answer.records == (
        Record(code_url="https://github.com/ada/engine", stars=7),
        Record(code_url="https://github.com/ada/notes", stars=0),
    )
    assert answer.rejected == ("no stars", "no repository")


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
def test_what_is_no_answer_is_said_to_be_none(source, body, sentence):
    with pytest.raises(InvalidResponseError) as caught:
        source.parse(body)

    assert str(caught.value) == sentence
