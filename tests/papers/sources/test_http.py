"""Sources that are slow, busy, broken, huge or not there."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import stamina
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from papers.sources import SourceUnavailableError, http
from papers.sources.http import RetryableHttpError, SourceClient

PATIENCE = 0.6


@pytest.fixture(autouse=True)
def no_long_waits() -> Iterator[None]:
    """Tries follow each other at once, as often as really."""
    with stamina.set_testing(True, attempts=http.MAX_ATTEMPTS):
        yield


@pytest.fixture
def client(httpserver: HTTPServer) -> SourceClient:
    return ask(httpserver.url_for(""))


def ask(url: str, patience: float = 10) -> SourceClient:
    return SourceClient(
        url, title="The source", user_agent="test/1 (+https://x)", timeout_seconds=patience
    )


@pytest.fixture
def raw_server() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """A server that does with a connection what it is told to, and its address."""
    listeners = []

    def start(behave: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        connection.recv(65536)
                        behave(connection)
                    except OSError:
                        pass

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.close()


def test_the_answer_comes_back_and_the_source_knows_who_asked(client, httpserver):
    def answer(request: Request) -> Response:
        return Response(f"{request.args['p']} {request.headers['User-Agent']}")

    httpserver.expect_request("/api").respond_with_handler(answer)

    assert client.get("/api", p=3) == b"3 test/1 (+https://x)"


@pytest.mark.parametrize("status", sorted(http.RETRY_STATUSES))
def test_a_busy_source_is_asked_again(client, httpserver, status):
    httpserver.expect_ordered_request("/api").respond_with_data("", status=status)
    httpserver.expect_ordered_request("/api").respond_with_data("at last")

    assert client.get("/api") == b"at last"


def test_a_source_that_stays_busy_is_given_up(client, httpserver):
    httpserver.expect_request("/api").respond_with_data("", status=503)

    with pytest.raises(RetryableHttpError) as caught:
        client.get("/api")

    assert str(caught.value) == "The source answered 503 SERVICE UNAVAILABLE."
    assert len(httpserver.log) == http.MAX_ATTEMPTS


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_is_not_argued_with(client, httpserver, status):
    httpserver.expect_request("/api").respond_with_data("", status=status)

    with pytest.raises(http.HttpError) as caught:
        client.get("/api")

    assert caught.value.status == status
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(
    "header",
    [
        {"Retry-After": "300"},
        {"RateLimit": '"api";r=0;t=300'},
        {"Retry-After": "Tue, 12 May 2026 06:05:00 GMT", "Date": "Tue, 12 May 2026 06:00:00 GMT"},
    ],
)
def test_a_wait_beyond_our_patience_is_not_waited_for(raw_server, header):
    head = "".join(f"{name}: {value}\r\n" for name, value in header.items())
    busy = f"HTTP/1.1 429 Too Many Requests\r\n{head}Content-Length: 0\r\n\r\n".encode()
    url = raw_server(lambda connection: connection.sendall(busy))

    with pytest.raises(RetryableHttpError) as caught:
        ask(url).get("/api")

    assert str(caught.value) == (
        "The source answered 429 Too Many Requests and asks to wait 300 seconds."
    )


def test_a_short_wait_is_honoured(httpserver):
    httpserver.expect_ordered_request("/api").respond_with_data(
        "", status=429, headers={"Retry-After": "1"}
    )
    httpserver.expect_ordered_request("/api").respond_with_data("now")
    stamina.set_testing(False)
    started = time.monotonic()

    assert ask(httpserver.url_for("")).get("/api") == b"now"
    assert 1 <= time.monotonic() - started < 3


def silent(connection: socket.socket) -> None:
    time.sleep(3)


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    drip(connection)


def drip_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    drip(connection)


def drip(connection: socket.socket) -> None:
    for _ in range(60):
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("behaviour", [silent, drip_body, drip_headers])
def test_a_source_that_does_not_come_to_an_end_is_left(raw_server, behaviour):
    client = ask(raw_server(behaviour), patience=PATIENCE)
    started = time.monotonic()

    with pytest.raises(SourceUnavailableError, match="could not be reached"):
        client.get("/api")

    assert time.monotonic() - started < PATIENCE + 1


def test_a_name_that_takes_for_ever_to_resolve_is_left(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: time.sleep(3))
    started = time.monotonic()

    with pytest.raises(SourceUnavailableError, match="no whole answer within 1 seconds"):
        ask("http://papers.example", patience=PATIENCE).get("/api")

    assert time.monotonic() - started < PATIENCE + 1


def test_a_name_that_does_not_resolve_is_said(monkeypatch):
    def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(SourceUnavailableError) as caught:
        ask("http://papers.example").get("/api")

    assert str(caught.value) == (
        "The source could not be reached (its name could not be resolved)."
    )


def test_a_closed_port_is_said():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(SourceUnavailableError) as caught:
        ask(f"http://127.0.0.1:{port}").get("/api")

    assert str(caught.value) == "The source could not be reached (the connection was refused)."


def test_an_answer_that_breaks_off_is_said(raw_server):
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n[{"

    with pytest.raises(SourceUnavailableError) as caught:
        ask(raw_server(lambda connection: connection.sendall(half))).get("/api")

    assert str(caught.value) == "The source could not be reached (the answer broke off)."


def test_what_is_not_http_is_said(raw_server):
    with pytest.raises(SourceUnavailableError, match="could not be reached"):
        ask(raw_server(lambda connection: connection.sendall(b"\x00\x01\r\n\r\n"))).get("/api")


def test_an_answer_that_is_too_large_is_not_read_to_its_end(raw_server, monkeypatch):
    monkeypatch.setattr(http, "MAX_RESPONSE_BYTES", 200_000)
    sent = []

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b" " * 100_000)
            sent.append(1)

    with pytest.raises(SourceUnavailableError, match="more than 50 MB"):
        ask(raw_server(flood)).get("/api")

    assert len(sent) < 1000


def test_a_redirect_within_the_host_is_followed(client, httpserver):
    httpserver.expect_request("/api").respond_with_data(
        "", status=301, headers={"Location": "/new"}
    )
    httpserver.expect_request("/new").respond_with_data("here")

    assert client.get("/api") == b"here"


def test_a_redirect_to_another_host_is_not_followed(client, httpserver):
    elsewhere = {"Location": "http://elsewhere.example/api"}
    httpserver.expect_request("/api").respond_with_data("", status=302, headers=elsewhere)

    with pytest.raises(
        SourceUnavailableError, match=r"another host, http://elsewhere\.example/api"
    ):
        client.get("/api")


def test_a_redirect_in_a_circle_comes_to_an_end(client, httpserver):
    httpserver.expect_request("/api").respond_with_data(
        "", status=302, headers={"Location": "/api"}
    )

    with pytest.raises(SourceUnavailableError, match="from one address to the next"):
        client.get("/api")


@pytest.mark.parametrize("url", ["", "huggingface.co", "ftp://x.example", "http://", "http://[x"])
def test_an_address_that_is_none_is_said(url):
    with pytest.raises(SourceUnavailableError, match="is not a web address"):
        ask(url).get("/api")


def test_neither_a_proxy_nor_a_password_file_comes_between_us_and_this_machine(
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

    assert ask(httpserver.url_for("")).get("/api") == b"False"


def test_a_key_goes_with_every_question_but_into_no_redirect(httpserver):
    httpserver.expect_request("/api", query_string={"key": "secret", "p": "3"}).respond_with_data(
        "", status=301, headers={"Location": "/moved"}
    )
    httpserver.expect_request("/moved", query_string="").respond_with_data("found")
    url = httpserver.url_for("")
    client = SourceClient(url, title="The source", user_agent="test", query={"key": "secret"})

    assert client.get("/api", p=3) == b"found"


def test_a_refusal_keeps_the_beginning_of_what_was_said(client, httpserver):
    httpserver.expect_request("/api").respond_with_data("é" * 5000, status=400)

    with pytest.raises(http.HttpError) as caught:
        client.post("/api", json={})

    assert caught.value.body_start == "é" * 1000


def test_a_refusal_whose_words_break_off_is_still_said(raw_server):
    url = raw_server(
        lambda connection: connection.sendall(
            b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhal"
        )
    )

    with pytest.raises(http.HttpError, match="The source answered 400 Bad Request") as caught:
        ask(url).get("/api")

    assert caught.value.body_start == ""


@pytest.mark.parametrize(
    ("status", "remaining", "reset", "wait"),
    [
        (429, "0", "1700000090", 90.0),
        (403, "0", "1700000090", 90.0),
        (403, "0", "1600000000", 0.0),
        (403, "0", "90", 90.0),
        (403, "0", "1999999999", 86_400.0),
        (403, "3", "1700000090", None),
        (403, "0", "soon", None),
    ],
)
def test_an_allowance_that_is_used_up_says_when_it_is_not(
    raw_server, status, remaining, reset, wait
):
    head = (
        f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
        f"X-RateLimit-Remaining: {remaining}\r\nX-RateLimit-Reset: {reset}\r\n\r\n"
    )
    url = raw_server(lambda connection: connection.sendall(head.encode()))

    with pytest.raises(http.HttpError) as caught:
        ask(url, patience=3).get("/api")

    assert getattr(caught.value, "retry_after_seconds", None) == wait
