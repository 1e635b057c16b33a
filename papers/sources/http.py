"""The HTTP client of the sources: identified, paced, and bounded in time and size.

One call is up to four attempts within one deadline. Each attempt waits for a call slot, then runs
in a thread and a session of its own (see `Deadline.run`). So the calls of a client share no
connection and no cookie: a late thread cannot disturb the next call.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import requests
import stamina
from stamina.instrumentation import set_on_retry_hooks

from papers.sources.deadline import Deadline
from papers.sources.errors import SourceUnavailableError
from papers.sources.rate_limits import is_rate_limited, parse_retry_after

logger = logging.getLogger(__name__)

# For all attempts of one call together. A person waits for an interactive call, but not for a
# worker's.
INTERACTIVE_TIMEOUT_SECONDS, WORKER_TIMEOUT_SECONDS = 7.0, 45.0
# For one connection and for one silence. They bound neither name resolution, nor a host with
# several dead addresses, nor a server that sends a byte a second.
CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS = 3.05, 20.0
MAX_RESPONSE_BYTES = 50 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
MAX_ERROR_BYTES = 2_000
MAX_REDIRECTS = 3
RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})
MAX_ATTEMPTS = 4
# With less time left than the longest backoff and a short attempt take, there is no retry.
MIN_RETRY_SECONDS = 2.5
RETRIES = stamina.RetryingCaller(
    attempts=MAX_ATTEMPTS, timeout=None, wait_initial=0.4, wait_max=2, wait_jitter=0.2
)

# stamina's own log line has neither the source nor the error; should_retry logs both.
set_on_retry_hooks([])
# urllib3's debug lines hold whole addresses, and these an operator's key.
logging.getLogger("urllib3").setLevel(logging.INFO)


class HttpError(SourceUnavailableError):
    """A response with a status other than 200; `body_start` is the beginning of its text."""

    def __init__(self, message: str, status: int, body_start: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body_start = body_start


class RetryableHttpError(HttpError):
    """An error response that may not be repeated by the next attempt."""

    def __init__(self, message: str, status: int, retry_after_seconds: float | None) -> None:
        super().__init__(message, status)
        self.retry_after_seconds = retry_after_seconds


# Failures that may be over in a moment.
RETRYABLE_ERRORS = (
    RetryableHttpError,
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    TimeoutError,
)


class Pacer(Protocol):
    """Spaces the calls of all workers to a source."""

    def acquire(self, timeout_seconds: float) -> None:
        """Wait for the next call slot; raise SourceUnavailableError if it is too far away."""
        ...

    def back_off(self, seconds: float) -> None:
        """Let nobody call the source for this time."""
        ...


class NoPacer:
    """For a source that may be called at any time."""

    def acquire(self, timeout_seconds: float) -> None:
        pass

    def back_off(self, seconds: float) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Call:
    """A request, the same in each attempt."""

    method: str
    url: str
    query: Mapping[str, str | int]
    json: Any


class SourceClient:
    """Calls one source, always below its base URL."""

    def __init__(
        self,
        base_url: str,
        *,
        title: str,
        user_agent: str,
        timeout_seconds: float = INTERACTIVE_TIMEOUT_SECONDS,
        pacer: Pacer | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        # Sent with every call, as an API key is. A redirect is followed without the query.
        self.query = dict(query or {})
        self.headers = {"User-Agent": user_agent, "Accept": "application/json", **(headers or {})}
        self.title = title
        self.timeout_seconds = timeout_seconds
        self.pacer = pacer or NoPacer()

    def get(self, path: str, **query: str | int) -> bytes:
        """Return the body of a response with status 200; raise SourceUnavailableError otherwise."""
        return self.send("GET", path, query)

    def post(self, path: str, json: Any, **query: str | int) -> bytes:
        """Do as `get` does, with a query too long for a URL. Only for calls that may be repeated."""
        return self.send("POST", path, query, json)

    def send(
        self, method: str, path: str, query: Mapping[str, str | int], json: Any = None
    ) -> bytes:
        """Make attempts until one succeeds, or fails for good, or the time is up."""
        if not re.match("https?://", self.base_url) or not host_of(self.base_url):
            raise SourceUnavailableError(
                f"The address of {self.title} is not a web address: {self.base_url!r}."
            )
        url = f"{self.base_url}/{path.lstrip('/')}" if path else self.base_url
        call = Call(method, url, {**self.query, **query}, json)
        deadline = Deadline.after(self.timeout_seconds)
        try:
            return RETRIES(
                lambda error: self.should_retry(error, deadline), self.attempt, call, deadline
            )
        except RetryableHttpError as error:
            if error.retry_after_seconds:
                self.pacer.back_off(error.retry_after_seconds)
            raise
        except (requests.RequestException, TimeoutError) as error:
            # Without its cause, which quotes the whole address, and a key with it.
            cause = describe_error(error, self.timeout_seconds)
            raise SourceUnavailableError(f"{self.title} could not be reached ({cause}).") from None

    def should_retry(self, error: Exception, deadline: Deadline) -> bool | float:
        """Return whether to retry or, where the source states it, after how many seconds."""
        if not isinstance(error, RETRYABLE_ERRORS):
            return False
        wait = error.retry_after_seconds if isinstance(error, RetryableHttpError) else None
        if deadline.remaining_seconds() <= (MIN_RETRY_SECONDS if wait is None else wait):
            return False
        logger.debug("%s: retrying after %s", self.title, type(error).__name__)
        return True if wait is None else wait

    def attempt(self, call: Call, deadline: Deadline) -> bytes:
        """Make one attempt by the deadline; raise HttpError, RequestException or TimeoutError."""
        self.pacer.acquire(deadline.remaining_seconds())
        return deadline.run(lambda: self.exchange(call, deadline))

    def exchange(self, call: Call, deadline: Deadline) -> bytes:
        """Send the call in a new session and return the body; raise HttpError for an error."""
        with (
            self.open_session() as session,
            self.follow_redirects(session, call, deadline) as response,
        ):
            self.raise_for_status(response)
            return b"".join(self.iter_body_chunks(response, deadline))

    def open_session(self) -> requests.Session:
        session = requests.Session()
        session.headers.update(self.headers)
        # Use the operator's proxy, except to reach this very machine; never use ~/.netrc.
        session.trust_env = host_of(self.base_url) not in {"localhost", "127.0.0.1", "::1"}
        session.auth = no_auth
        return session

    def follow_redirects(
        self, session: requests.Session, call: Call, deadline: Deadline
    ) -> requests.Response:
        """Return the first response that is not a redirect; refuse to leave the host."""
        url, host = call.url, host_of(call.url)
        query: Mapping[str, str | int] | None = call.query
        for _ in range(MAX_REDIRECTS + 1):
            response = session.request(
                call.method,
                url,
                params=query,
                json=call.json,
                timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
                stream=True,
                allow_redirects=False,
            )
            target = session.get_redirect_target(response)
            if target is None:
                return response
            response.close()
            deadline.check()
            url, query = urljoin(url, target), None
            if host_of(url) != host:
                # Without its query: the source may have put our key there.
                place = url.partition("?")[0][:200]
                raise SourceUnavailableError(f"{self.title} redirects to another host, {place}.")
        raise SourceUnavailableError(f"{self.title} redirects more than {MAX_REDIRECTS} times.")

    def raise_for_status(self, response: requests.Response) -> None:
        """Raise RetryableHttpError or HttpError unless the status is 200."""
        status, wait = response.status_code, parse_retry_after(response)
        message = f"{self.title} answered {status} {response.reason or ''}".rstrip()
        message += "." if wait is None else f"; retry after {wait:.0f} seconds."
        if status in RETRY_STATUSES or is_rate_limited(response):
            raise RetryableHttpError(message, status, wait)
        if status != requests.codes.ok:
            raise HttpError(message, status, read_body_start(response))

    def iter_body_chunks(self, response: requests.Response, deadline: Deadline) -> Iterator[bytes]:
        size = 0
        for chunk in response.iter_content(CHUNK_BYTES):
            size += len(chunk)
            if size > MAX_RESPONSE_BYTES:
                raise SourceUnavailableError(f"{self.title} answered with more than 50 MB.")
            deadline.check()
            yield chunk


def host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from looking for a password in ~/.netrc."""
    return request


def read_body_start(response: requests.Response) -> str:
    """Return the beginning of an error's text, or nothing if the text is cut off before that."""
    try:
        start: bytes = next(response.iter_content(MAX_ERROR_BYTES), b"")
    except requests.RequestException:
        return ""
    return start.decode(errors="replace")


def describe_error(error: requests.RequestException | TimeoutError, timeout_seconds: float) -> str:
    """Return the cause in a few words; the exception's own text is for programmers."""
    if isinstance(error, requests.ConnectTimeout):
        return "the connection timed out"
    if isinstance(error, requests.Timeout | TimeoutError):
        return f"no complete response within {timeout_seconds:.0f} seconds"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate could not be verified"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy could not be reached"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the response was cut off"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
        if isinstance(cause, socket.gaierror):
            return "its name could not be resolved"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, requests.ConnectionError):
        return "the connection failed"
    return type(error).__name__
