"""newsletter/api/middleware.py"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse, HttpResponseServerError
from django.test import Client, RequestFactory

from newsletter.api import middleware
from tests import factories

pytestmark = pytest.mark.django_db

ADDRESSES = ["/api/v1/papers", "/api/v1/topics", "/api/v1/editions", "/api/v1/openapi.json"]


def through(answer: HttpResponse, path: str = "/api/v1/papers", **environ: Any) -> Any:
    """What becomes of an answer from behind the gateway."""
    return middleware.api_middleware(lambda request: answer)(RequestFactory().get(path, **environ))


def is_a_problem(response: Any, status: int) -> bool:
    said = response.json()
    assert {"type", "title", "status", "detail"} <= said.keys()
    assert said["type"].endswith(f"/api/v1/#{status}")
    assert said["detail"].endswith(".")
    found = (response.status_code, said["status"], response["Content-Type"])
    return found == (status, status, "application/problem+json")


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/nothing", "/api/v2/papers", "/api/v1/papers/", "/api/%00/<script>"]
)
def test_an_address_that_is_not_there_is_a_problem_and_not_a_page(
    client: Client, path: str
) -> None:
    response = client.get(path)

    assert is_a_problem(response, 404)
    assert b"script" not in response.content


def test_who_leaves_out_the_slash_is_led_to_the_page_for_people(client: Client) -> None:
    assert client.get("/api/v1")["Location"] == "/api/v1/"


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_what_can_only_be_read_says_so(path: str, method: str) -> None:
    response = Client(enforce_csrf_checks=True).generic(method, path, b"{}")

    assert is_a_problem(response, 405)
    assert response["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ADDRESSES)
def test_options_says_what_can_be_done_and_lets_scripts_of_other_sites_read(
    client: Client, path: str
) -> None:
    response = client.options(path, headers={"Origin": "https://elsewhere.example"})

    assert (response.status_code, response.content) == (204, b"")
    assert response["Allow"] == "GET, HEAD, OPTIONS"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert "Access-Control-Allow-Credentials" not in response


def test_options_of_nothing_is_a_problem(client: Client) -> None:
    assert is_a_problem(client.options("/api/v1/nothing"), 404)


@pytest.mark.parametrize("path", ADDRESSES)
def test_head_is_get_without_the_body(client: Client, path: str) -> None:
    factories.paper()
    head, get = client.head(path), client.get(path)

    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Content-Type", "Cache-Control"):
        assert head[name] == get[name]
    assert client.head(path, headers={"If-None-Match": get["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", [*ADDRESSES, "/api/v1/nothing"])
def test_anybody_s_script_may_read_and_nobody_gets_a_cookie(client: Client, path: str) -> None:
    response = client.get(path, headers={"Cookie": "sessionid=x; csrftoken=y"})

    assert response["Access-Control-Allow-Origin"] == "*"
    assert not response.cookies
    assert "Cookie" not in response.headers.get("Vary", "")


@pytest.mark.parametrize("path", ADDRESSES)
def test_an_answer_may_be_kept_for_a_minute(client: Client, path: str) -> None:
    assert client.get(path)["Cache-Control"] == "public, max-age=60"


def test_a_tag_that_is_demanded_and_gone_is_a_problem(client: Client) -> None:
    assert is_a_problem(client.get(ADDRESSES[0], headers={"If-Match": '"gone"'}), 412)


def test_who_asks_too_often_is_told_when_to_come_back(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(middleware, "RATE_LIMIT", "2/minute")

    first, second, third = (client.get(ADDRESSES[0]) for _ in range(3))

    assert [each.status_code for each in (first, second, third)] == [200, 200, 429]
    assert [each["RateLimit"].split(";")[1] for each in (first, second, third)] == [
        "r=1",
        "r=0",
        "r=0",
    ]
    assert third["RateLimit-Policy"] == '"default";q=2;w=60'
    assert 0 < int(third["Retry-After"]) <= 60
    assert is_a_problem(third, 429)


def test_an_ipv6_household_is_counted_as_one_and_every_ipv4_address_apart(
    client: Client, monkeypatch: Any
) -> None:
    monkeypatch.setattr(middleware, "RATE_LIMIT", "1/minute")
    callers = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "198.51.100.1", "198.51.100.2"]

    found = [client.get(ADDRESSES[0], REMOTE_ADDR=each).status_code for each in callers]

    assert found == [200, 429, 200, 200, 200]


def test_pages_for_people_are_not_counted(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(middleware, "RATE_LIMIT", "1/minute")

    assert [client.get("/topics/").status_code for _ in range(3)] == [200] * 3


def test_reading_goes_on_when_the_counter_is_away(client: Client, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert client.get(ADDRESSES[0]).status_code == 200


@pytest.mark.parametrize("length", [middleware.MAX_REQUEST_BYTES + 1, "9" * 5000])
def test_a_body_that_is_too_large_is_not_read(length: int | str) -> None:
    response = Client().post(
        ADDRESSES[0], b"x", content_type="text/plain", CONTENT_LENGTH=str(length)
    )

    assert response.status_code == 413
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("length", ["", "-1", "abc", "²"])
def test_a_length_that_is_none_is_no_failure(length: str) -> None:
    assert through(HttpResponse(), CONTENT_LENGTH=length).status_code == 200


@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_whatever_fails_behind_it_becomes_a_problem(status: int) -> None:
    answer = through(HttpResponse("<h1>Traceback: secret</h1>", status=status))

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert b"secret" not in answer.content


def test_a_host_that_is_not_ours_is_a_problem(client: Client) -> None:
    assert is_a_problem(client.get(ADDRESSES[0], headers={"Host": "evil.example"}), 400)


def test_other_addresses_pass_untouched() -> None:
    page = HttpResponseServerError("<h1>Oh</h1>")

    assert through(page, path="/papers/") is page
    assert "Access-Control-Allow-Origin" not in page


@pytest.mark.parametrize("debug", [False, True])
def test_a_failure_of_ours_is_logged_and_told_in_a_sentence(
    settings: Any, caplog: pytest.LogCaptureFixture, debug: Any
) -> None:
    settings.DEBUG = debug
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE papers_paper RENAME TO mislaid")

    response = Client(raise_request_exception=False).get("/api/v1/papers")

    assert is_a_problem(response, 500)
    assert b"papers_paper" not in response.content
    assert "Internal Server Error: /api/v1/papers" in caplog.text


def test_what_changes_something_is_neither_kept_nor_open_to_other_sites() -> None:
    request = RequestFactory().post("/api/v1/papers")
    answer = middleware.api_middleware(lambda request: HttpResponse("{}"))(request)

    assert not {"ETag", "Cache-Control", "Access-Control-Allow-Origin"} & answer.headers.keys()
