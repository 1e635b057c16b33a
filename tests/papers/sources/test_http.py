"""Sources that are slow, busy, broken, huge or unreachable."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import stamina
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from papers.sources import SourceUnavailableError, http
from papers.sources.http import RetryableHttpError, SourceClient

SHORT_TIMEOUT_SECONDS = 0.2
# A call that hangs lasts as long as the server does. This leaves a loaded machine plenty of time.
HANG_SECONDS = 10


@pytest.fixture(autouse=True)
def retry_without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=http.MAX_ATTEMPTS):
        yield


@pytest.fixture
def client(httpserver: HTTPServer) -> SourceClient:
    return client_for(httpserver.url_for(""))


def client_for(url: str, timeout_seconds: float = 10) -> SourceClient:
    return SourceClient(
        url, title="The source", user_agent="test/1 (+https://x)", timeout_seconds=timeout_seconds
    )


@pytest.fixture
def raw_server() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Return a function that starts a server with the test's own handler and returns its URL."""
    listeners: list[socket.socket] = []
    connections: list[socket.socket] = []

    def start(handle: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connections.append(connection)
                with suppress(OSError), connection:
                    connection.recv(65536)
                    handle(connection)

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.close()
    for connection in connections:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def test_the_body_is_returned_and_the_client_identifies_itself(client, httpserver):
    def echo(request: Request) -> Response:
        return Response(f"{request.args['p']} {request.headers['User-Agent']}")

    httpserver.expect_request("/api").respond_with_handler(echo)

    assert client.get("/api", p=3) == b"3 test/1 (+https://x)"


@pytest.mark.parametrize("status", sorted(http.RETRY_STATUSES))
def test_a_call_to_a_busy_source_is_retried(client, httpserver, status):
    httpserver.expect_ordered_request("/api").respond_with_data("", status=status)
    httpserver.expect_ordered_request("/api").respond_with_data("at last")

    assert client.get("/api") == b"at last"


def test_retries_end_after_some_attempts(client, httpserver):
    httpserver.expect_request("/api").respond_with_data("", status=503)

    with pytest.raises(RetryableHttpError) as caught:
        client.get("/api")

    assert str(caught.value) == "The source answered 503 SERVICE UNAVAILABLE."
    assert len(httpserver.log) == http.MAX_ATTEMPTS


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_other_errors_are_not_retried(client, httpserver, status):
    httpserver.expect_request("/api").respond_with_data("", status=status)

    with pytest.raises(http.HttpError) as caught:
        client.get("/api")

    assert caught.value.status == status
    assert len(httpserver.log) == 1


def test_a_wait_beyond_the_deadline_is_not_waited_for_but_passed_on_to_all_workers(httpserver):
    pauses = []

    class Pacer(http.NoPacer):
        def back_off(self, seconds: float) -> None:
            pauses.append(seconds)

    httpserver.expect_request("/api").respond_with_data(
        "", status=429, headers={"Retry-After": "300"}
    )
    client = SourceClient(
        httpserver.url_for(""), title="The source", user_agent="test", pacer=Pacer()
    )

    with pytest.raises(RetryableHttpError) as caught:
        client.get("/api")

    assert str(caught.value) == (
        "The source answered 429 TOO MANY REQUESTS; retry after 300 seconds."
    )
    assert len(httpserver.log) == 1
    assert pauses == [300]


def test_a_used_up_quota_counts_as_busy_although_its_status_is_forbidden(client, httpserver):
    httpserver.expect_request("/api").respond_with_data(
        "", status=403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "90"}
    )

    with pytest.raises(RetryableHttpError) as caught:
        client.get("/api")

    assert caught.value.retry_after_seconds == 90


def test_a_short_wait_is_honoured(monkeypatch, httpserver):
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    stamina.set_testing(False)
    httpserver.expect_ordered_request("/api").respond_with_data(
        "", status=429, headers={"Retry-After": "1"}
    )
    httpserver.expect_ordered_request("/api").respond_with_data("now")

    assert client_for(httpserver.url_for("")).get("/api") == b"now"
    assert pauses == [1]


def test_each_attempt_has_a_session_of_its_own(client, httpserver):
    """A late attempt may still be using its session: sharing one would mix up two responses."""
    cookies = []

    def set_cookie(request: Request) -> Response:
        cookies.append(request.headers.get("Cookie"))
        return Response("", status=503, headers={"Set-Cookie": "session=1"})

    httpserver.expect_request("/api").respond_with_handler(set_cookie)

    with pytest.raises(RetryableHttpError):
        client.get("/api")

    assert cookies == [None] * http.MAX_ATTEMPTS


def stay_silent(connection: socket.socket) -> None:
    connection.settimeout(2 * HANG_SECONDS)
    connection.recv(1)


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    drip(connection)


def drip_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    drip(connection)


def drip(connection: socket.socket) -> None:
    """Send a byte at a time, so that no silence is long enough for a timeout of requests."""
    for _ in range(2 * HANG_SECONDS * 20):
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("handle", [stay_silent, drip_body, drip_headers])
def test_a_response_without_an_end_does_not_hang(raw_server, handle):
    client = client_for(raw_server(handle), timeout_seconds=SHORT_TIMEOUT_SECONDS)
    started = time.monotonic()

    with pytest.raises(SourceUnavailableError, match="could not be reached"):
        client.get("/api")

    assert time.monotonic() - started < HANG_SECONDS


def test_slow_name_resolution_does_not_hang(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: release.wait(HANG_SECONDS))

    with pytest.raises(SourceUnavailableError, match="no complete response within 0 seconds"):
        client_for("http://papers.example", timeout_seconds=SHORT_TIMEOUT_SECONDS).get("/api")

    assert not release.is_set()
    release.set()


def test_an_unknown_name_is_reported(monkeypatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(SourceUnavailableError) as caught:
        client_for("http://papers.example").get("/api")

    assert str(caught.value) == (
        "The source could not be reached (its name could not be resolved)."
    )


def test_a_closed_port_is_reported():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(SourceUnavailableError) as caught:
        client_for(f"http://127.0.0.1:{port}").get("/api")

    assert str(caught.value) == "The source could not be reached (the connection was refused)."


def test_a_response_that_is_cut_off_is_reported(raw_server):
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n[{"

    with pytest.raises(SourceUnavailableError) as caught:
        client_for(raw_server(lambda connection: connection.sendall(half))).get("/api")

    assert str(caught.value) == "The source could not be reached (the response was cut off)."


def test_bytes_that_are_not_http_are_an_error(raw_server):
    url = raw_server(lambda connection: connection.sendall(b"\x00\x01\r\n\r\n"))

    with pytest.raises(SourceUnavailableError, match="could not be reached"):
        client_for(url).get("/api")


def test_a_huge_response_is_not_read_to_its_end(raw_server, monkeypatch):
    monkeypatch.setattr(http, "MAX_RESPONSE_BYTES", 200_000)
    sent_chunks = []

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b" " * 100_000)
            sent_chunks.append(1)

    with pytest.raises(SourceUnavailableError, match="more than 50 MB"):
        client_for(raw_server(flood)).get("/api")

    assert len(sent_chunks) < 1000


def test_a_redirect_on_the_same_host_is_followed(client, httpserver):
    httpserver.expect_request("/api").respond_with_data(
        "", status=301, headers={"Location": "/new"}
    )
    httpserver.expect_request("/new").respond_with_data("here")

    assert client.get("/api") == b"here"


def test_a_redirect_to_another_host_is_not_followed(client, httpserver):
    httpserver.expect_request("/api").respond_with_data(
        "", status=302, headers={"Location": "http://elsewhere.example/api"}
    )

    with pytest.raises(
        SourceUnavailableError, match=r"another host, http://elsewhere\.example/api"
    ):
        client.get("/api")


def test_redirects_in_a_circle_end(client, httpserver):
    httpserver.expect_request("/api").respond_with_data(
        "", status=302, headers={"Location": "/api"}
    )

    with pytest.raises(SourceUnavailableError, match="redirects more than 3 times"):
        client.get("/api")

    assert len(httpserver.log) == http.MAX_REDIRECTS + 1


@pytest.mark.parametrize("url", ["", "huggingface.co", "ftp://x.example", "http://", "http://[x"])
def test_an_invalid_address_is_reported(url):
    with pytest.raises(SourceUnavailableError, match="is not a web address"):
        client_for(url).get("/api")


def test_neither_a_proxy_nor_a_netrc_file_is_used_for_this_machine(
    httpserver, monkeypatch, tmp_path
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    httpserver.expect_request("/api").respond_with_handler(
        lambda request: Response(str("Authorization" in request.headers))
    )

    assert client_for(httpserver.url_for("")).get("/api") == b"False"


def test_a_key_is_sent_with_every_call_but_not_to_the_target_of_a_redirect(httpserver):
    httpserver.expect_request("/api", query_string={"key": "secret", "p": "3"}).respond_with_data(
        "", status=301, headers={"Location": "/moved"}
    )
    httpserver.expect_request("/moved", query_string="").respond_with_data("found")
    url = httpserver.url_for("")
    client = SourceClient(url, title="The source", user_agent="test", query={"key": "secret"})

    assert client.get("/api", p=3) == b"found"


def test_an_error_keeps_the_beginning_of_the_body(client, httpserver):
    httpserver.expect_request("/api").respond_with_data("é" * 5000, status=400)

    with pytest.raises(http.HttpError) as caught:
        client.post("/api", json={})

    assert caught.value.body_start == "é" * 1000


def test_an_error_whose_body_is_cut_off_is_still_reported(raw_server):
    url = raw_server(
        lambda connection: connection.sendall(
            b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhal"
        )
    )

    with pytest.raises(http.HttpError, match="The source answered 400 Bad Request") as caught:
        client_for(url).get("/api")

    assert caught.value.body_start == ""
