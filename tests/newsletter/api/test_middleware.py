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

API_URLS = ["/api/v1/papers", "/api/v1/topics", "/api/v1/editions", "/api/v1/openapi.json"]


def pass_through(view_response: HttpResponse, path: str = "/api/v1/papers", **environ: Any) -> Any:
    """Return what the middleware makes of a view's response."""
    request = RequestFactory().get(path, **environ)
    return middleware.api_middleware(lambda _: view_response)(request)


def is_a_problem(response: Any, status: int) -> bool:
    problem = response.json()
    assert {"type", "title", "status", "detail"} <= problem.keys()
    assert problem["type"].endswith(f"/api/v1/#{status}")
    assert problem["detail"].endswith(".")
    actual = (response.status_code, problem["status"], response["Content-Type"])
    return actual == (status, status, "application/problem+json")


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/nothing", "/api/v2/papers", "/api/v1/papers/", "/api/%00/<script>"]
)
def test_an_unknown_path_is_a_problem_rather_than_a_page(client: Client, path: str) -> None:
    response = client.get(path)

    assert is_a_problem(response, 404)
    assert b"script" not in response.content


def test_the_path_without_a_slash_redirects_to_the_documentation(client: Client) -> None:
    assert client.get("/api/v1")["Location"] == "/api/v1/"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", url) for url in API_URLS),
        *((method, API_URLS[0]) for method in ("PUT", "PATCH", "DELETE", "TRACE", "BREW")),
    ],
)
def test_methods_that_write_are_not_allowed(path: str, method: str) -> None:
    response = Client(enforce_csrf_checks=True).generic(method, path, b"{}")

    assert is_a_problem(response, 405)
    assert response["Allow"] == "GET, HEAD, OPTIONS"
    assert response.json()["detail"] == "Method not allowed. Use GET, HEAD, OPTIONS."


@pytest.mark.parametrize("path", API_URLS)
def test_options_lists_the_methods_and_lets_other_sites_read(client: Client, path: str) -> None:
    response = client.options(path, headers={"Origin": "https://elsewhere.example"})

    assert (response.status_code, response.content) == (204, b"")
    assert response["Allow"] == "GET, HEAD, OPTIONS"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert "Access-Control-Allow-Credentials" not in response


def test_options_of_an_unknown_path_is_a_problem(client: Client) -> None:
    assert is_a_problem(client.options("/api/v1/nothing"), 404)


@pytest.mark.parametrize("path", API_URLS)
def test_head_is_get_without_the_body(client: Client, path: str) -> None:
    factories.paper()
    head, get = client.head(path), client.get(path)

    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Content-Type", "Cache-Control"):
        assert head[name] == get[name]
    assert client.head(path, headers={"If-None-Match": get["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", [*API_URLS, "/api/v1/nothing"])
def test_other_sites_may_read_and_no_cookie_is_set(client: Client, path: str) -> None:
    response = client.get(path, headers={"Cookie": "sessionid=x; csrftoken=y"})

    assert response["Access-Control-Allow-Origin"] == "*"
    assert not response.cookies
    assert "Cookie" not in response.headers.get("Vary", "")


@pytest.mark.parametrize("path", API_URLS)
def test_responses_may_be_cached_for_a_minute(client: Client, path: str) -> None:
    assert client.get(path)["Cache-Control"] == "public, max-age=60"


def test_a_failed_precondition_is_a_problem(client: Client) -> None:
    assert is_a_problem(client.get(API_URLS[0], headers={"If-Match": '"gone"'}), 412)


def test_too_many_requests_are_refused_with_retry_after(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(middleware, "RATE_LIMIT", "2/minute")

    first, second, third = (client.get(API_URLS[0]) for _ in range(3))

    assert [response.status_code for response in (first, second, third)] == [200, 200, 429]
    assert [response["RateLimit"].split(";")[1] for response in (first, second, third)] == [
        "r=1",
        "r=0",
        "r=0",
    ]
    assert third["RateLimit-Policy"] == '"default";q=2;w=60'
    assert 0 < int(third["Retry-After"]) <= 60
    assert is_a_problem(third, 429)


def test_the_rate_limit_counts_an_ipv6_64_as_one_client(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(middleware, "RATE_LIMIT", "1/minute")
    callers = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "198.51.100.1", "198.51.100.2"]

    statuses = [client.get(API_URLS[0], REMOTE_ADDR=ip).status_code for ip in callers]

    assert statuses == [200, 429, 200, 200, 200]


def test_pages_outside_the_api_are_not_rate_limited(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(middleware, "RATE_LIMIT", "1/minute")

    assert [client.get("/topics/").status_code for _ in range(3)] == [200] * 3


def test_requests_are_allowed_while_the_rate_limit_storage_is_down(
    client: Client, settings: Any
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert client.get(API_URLS[0]).status_code == 200


@pytest.mark.parametrize("length", [middleware.MAX_REQUEST_BYTES + 1, "9" * 5000])
def test_a_body_that_is_too_large_is_a_413(length: int | str) -> None:
    response = Client().post(
        API_URLS[0], b"x", content_type="text/plain", CONTENT_LENGTH=str(length)
    )

    assert response.status_code == 413
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("length", ["", "-1", "abc", "²"])
def test_an_invalid_content_length_is_ignored(length: str) -> None:
    assert pass_through(HttpResponse(), CONTENT_LENGTH=length).status_code == 200


@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_error_pages_become_problems(status: int) -> None:
    response = pass_through(HttpResponse("<h1>Traceback: secret</h1>", status=status))

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert b"secret" not in response.content


def test_a_disallowed_host_is_a_problem(client: Client) -> None:
    assert is_a_problem(client.get(API_URLS[0], headers={"Host": "evil.example"}), 400)


def test_paths_outside_the_api_pass_through_unchanged() -> None:
    page = HttpResponseServerError("<h1>Oh</h1>")

    assert pass_through(page, path="/papers/") is page
    assert "Access-Control-Allow-Origin" not in page


@pytest.mark.parametrize("debug", [False, True])
def test_an_internal_error_is_logged_and_reported_without_details(
    settings: Any, caplog: pytest.LogCaptureFixture, *, debug: bool
) -> None:
    settings.DEBUG = debug
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE papers_paper RENAME TO renamed_paper")

    response = Client(raise_request_exception=False).get("/api/v1/papers")

    assert is_a_problem(response, 500)
    assert b"papers_paper" not in response.content
    assert "Internal Server Error: /api/v1/papers" in caplog.text


def test_responses_to_post_are_neither_cached_nor_shared_with_other_sites() -> None:
    request = RequestFactory().post("/api/v1/papers")
    response = middleware.api_middleware(lambda _: HttpResponse("{}"))(request)

    assert not {"ETag", "Cache-Control", "Access-Control-Allow-Origin"} & response.headers.keys()
