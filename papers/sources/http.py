"""Asking a source over HTTP: identified, patient when told to wait, and bounded in time and size."""

from __future__ import annotations

import logging
import queue
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import stamina
from stamina.instrumentation import set_on_retry_hooks

from papers.sources import SourceUnavailableError

logger = logging.getLogger(__name__)

# Seconds that a person is kept waiting for one answer, all tries together; a worker may wait longer.
INTERACTIVE_TIMEOUT_SECONDS, WORKER_TIMEOUT_SECONDS = 7.0, 45.0
CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS = 3.05, 20.0
MAX_ATTEMPTS = 4
MAX_RESPONSE_BYTES = 50 * 1024 * 1024
MAX_REDIRECTS = 3
# Nobody's allowance is for longer than a day, in seconds.
MAX_RETRY_AFTER_SECONDS = 86_400.0
RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})

# Its own line says neither what is tried again nor why; ours does.
set_on_retry_hooks([])
# Its lines hold whole addresses, in which an operator's key may stand.
logging.getLogger("urllib3").setLevel(logging.INFO)

Result = TypeVar("Result")


class HttpError(SourceUnavailableError):
    """The source answered, but not with 200; `told` is the beginning of what it said."""

    def __init__(self, message: str, status: int, body_start: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body_start = body_start


class RetryableHttpError(HttpError):
    """An answer that may be better the next time."""

    def __init__(self, message: str, status: int, retry_after_seconds: float | None) -> None:
        super().__init__(message, status)
        self.retry_after_seconds = retry_after_seconds


# What may be over in a moment.
RETRYABLE_ERRORS = (
    RetryableHttpError,
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)


class Pacer(Protocol):
    """Whose turn it is to ask, among all workers."""

    def acquire(self, timeout_seconds: float) -> None:
        """Return when it is ours; SourceUnavailable if that takes longer than so many seconds."""
        ...

    def back_off(self, seconds: float) -> None:
        """The source asked to be left alone so long."""
        ...


class NoPacer:
    """For a source that may be asked at any time."""

    def acquire(self, timeout_seconds: float) -> None:
        pass

    def back_off(self, seconds: float) -> None:
        pass


class SourceClient:
    """Asks one source, always under its base address."""

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
        # Goes with every question, as a key does.
        self.query = dict(query or {})
        self.title = title
        self.timeout_seconds = timeout_seconds
        self.pacer = pacer or NoPacer()
        self.session = requests.Session()
        self.session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        self.session.headers.update(headers or {})
        # A proxy of the operator's is used, except to reach this very machine; ~/.netrc never.
        self.session.trust_env = host_of(base_url) not in {"localhost", "127.0.0.1", "::1"}
        self.session.auth = no_auth

    def get(self, path: str, **query: str | int) -> bytes:
        """The body of a 200; anything else is SourceUnavailable, in one sentence."""
        return self.request_with_retries("GET", path, query, None)

    def post(self, path: str, json: Any, **query: str | int) -> bytes:
        """The same for a question that is too long for an address; it changes nothing there."""
        return self.request_with_retries("POST", path, query, json)

    def request_with_retries(
        self, method: str, path: str, query: dict[str, str | int], json: Any
    ) -> bytes:
        if not re.match("https?://", self.base_url) or not host_of(self.base_url):
            raise SourceUnavailableError(
                f"{self.base_url!r} is not a web address to find {self.title} at."
            )
        deadline = time.monotonic() + self.timeout_seconds
        try:
            for attempt in stamina.retry_context(
                on=lambda error: self.should_retry(error, deadline),
                attempts=MAX_ATTEMPTS,
                timeout=None,
                wait_initial=0.4,
                wait_max=2,
                wait_jitter=0.2,
            ):
                with attempt:
                    self.pacer.acquire(max(deadline - time.monotonic(), 0))
                    left = max(deadline - time.monotonic(), 0.1)
                    return run_with_timeout(
                        left, lambda: self.request_once(method, path, query, json, deadline)
                    )
        except RetryableHttpError as busy:
            if busy.retry_after_seconds:
                self.pacer.back_off(busy.retry_after_seconds)
            raise
        except requests.RequestException as error:
            # Without its cause, which quotes the whole address, and a key with it.
            raise SourceUnavailableError(
                f"{self.title} could not be reached ({describe_error(error, self.timeout_seconds)})."
            ) from None
        raise AssertionError("stamina returns or raises")

    def should_retry(self, error: Exception, deadline: float) -> bool | float:
        """Whether to try again and, where the source says so, after how many seconds."""
        if not isinstance(error, RETRYABLE_ERRORS):
            return False
        wait = error.retry_after_seconds if isinstance(error, RetryableHttpError) else None
        if time.monotonic() + (2.5 if wait is None else wait) >= deadline:
            return False
        logger.debug("%s: trying again after %s", self.title, type(error).__name__)
        return True if wait is None else wait

    def request_once(
        self, method: str, path: str, query: dict[str, str | int], json: Any, deadline: float
    ) -> bytes:
        url = f"{self.base_url}/{path.lstrip('/')}" if path else self.base_url
        with self.follow_redirects(method, url, query, json) as response:
            wait = parse_retry_after(response)
            if response.status_code in RETRY_STATUSES or is_rate_limited(response, wait):
                raise RetryableHttpError(self.error_message(response), response.status_code, wait)
            if response.status_code != requests.codes.ok:
                raise HttpError(
                    self.error_message(response), response.status_code, read_body_start(response)
                )
            return b"".join(self.iter_body_chunks(response, deadline))

    def follow_redirects(
        self, method: str, url: str, query: dict[str, str | int], json: Any
    ) -> requests.Response:
        """The answer, after redirects that stay with the host."""
        host = host_of(url)
        parameters: dict[str, str | int] | None = {**self.query, **query}
        for _ in range(MAX_REDIRECTS + 1):
            response = self.session.request(
                method,
                url,
                params=parameters,
                json=json,
                timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
                stream=True,
                allow_redirects=False,
            )
            target = self.session.get_redirect_target(response)
            if target is None:
                return response
            response.close()
            url, parameters = urljoin(url, target), None
            if host_of(url) != host:
                place = url.partition("?")[0][:200]
                raise SourceUnavailableError(f"{self.title} sends us to another host, {place}.")
        raise SourceUnavailableError(f"{self.title} sends us from one address to the next.")

    def iter_body_chunks(self, response: requests.Response, deadline: float) -> Iterator[bytes]:
        size = 0
        for chunk in response.iter_content(64 * 1024):
            size += len(chunk)
            if size > MAX_RESPONSE_BYTES:
                raise SourceUnavailableError(f"{self.title} answered with more than 50 MB.")
            if time.monotonic() > deadline:
                raise requests.Timeout
            yield chunk

    def error_message(self, response: requests.Response) -> str:
        text = f"{self.title} answered {response.status_code} {response.reason or ''}".rstrip()
        wait = parse_retry_after(response)
        return f"{text}." if wait is None else f"{text} and asks to wait {wait:.0f} seconds."


def host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def run_with_timeout(timeout_seconds: float, function: Callable[[], Result]) -> Result:
    """The work's result, or requests.Timeout when the time is up.

    The timeouts of requests bound one connection attempt and one silence: neither the resolving of
    a name, nor a host with eight dead addresses, nor a server that sends a byte a second. So the
    work is done in a thread of its own, which is left behind if it is late.
    """
    results: queue.SimpleQueue[tuple[Result | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put((function(), None))
        except BaseException as error:
            results.put((None, error))

    threading.Thread(target=run, daemon=True, name="source").start()
    try:
        result, error = results.get(timeout=timeout_seconds)
    except queue.Empty:
        raise requests.Timeout from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def parse_retry_after(response: requests.Response) -> float | None:
    """Seconds to wait, from Retry-After or from the headers of Hugging Face and GitHub."""
    asked = response.headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return float(asked[:6])
    if asked:
        # A date is compared with the server's own, whatever our clock says.
        try:
            until, sent = map(parsedate_to_datetime, (asked, response.headers.get("Date", "")))
            return max((until - sent).total_seconds(), 0.0)
        except (TypeError, ValueError):
            return None
    reset = re.search(r"\bt=(\d{1,6})", response.headers.get("RateLimit", ""))
    if response.status_code == requests.codes.too_many_requests and reset:
        return float(reset.group(1))
    return seconds_until_reset(response)


def seconds_until_reset(response: requests.Response) -> float | None:
    """Seconds until the source counts from nought again, if all that it allows has been asked."""
    reset = response.headers.get("X-RateLimit-Reset", "")
    used_up = response.headers.get("X-RateLimit-Remaining") == "0"
    if response.status_code == requests.codes.ok or not used_up or not reset.isdecimal():
        return None
    # A moment, as GitHub says it, or seconds from now, as others do.
    try:
        now = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except (TypeError, ValueError):
        now = time.time()
    told = float(reset[:12])
    return min(
        max(told - now if told > MAX_RETRY_AFTER_SECONDS else told, 0.0), MAX_RETRY_AFTER_SECONDS
    )


def is_rate_limited(response: requests.Response, retry_after_seconds: float | None) -> bool:
    """Whether "forbidden" means for now."""
    return response.status_code == requests.codes.forbidden and retry_after_seconds is not None


def read_body_start(response: requests.Response) -> str:
    """Of an error's words, as far as they come."""
    try:
        start: bytes = next(response.iter_content(2_000), b"")
    except requests.RequestException:
        return ""
    return start.decode(errors="replace")


def describe_error(error: requests.RequestException, timeout_seconds: float) -> str:
    """Why, in a few words: the exceptions themselves quote their innards."""
    if isinstance(error, requests.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.Timeout):
        return f"no whole answer within {timeout_seconds:.0f} seconds"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate could not be verified"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy did not answer"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the answer broke off"
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
