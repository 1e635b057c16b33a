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

from papers.sources import SourceUnavailable

logger = logging.getLogger(__name__)

# Seconds that a person is kept waiting for one answer, all tries together; a worker may wait longer.
PATIENCE, WORKER_PATIENCE = 7.0, 45.0
CONNECT_TIMEOUT, READ_TIMEOUT = 3.05, 20.0
ATTEMPTS = 4
MOST_BYTES = 50 * 1024 * 1024
MOST_REDIRECTS = 3
# Nobody's allowance is for longer than a day, in seconds.
LONGEST_HOLD = 86_400.0
TRY_AGAIN = frozenset({429, 500, 502, 503, 504})

# Its own line says neither what is tried again nor why; ours does.
set_on_retry_hooks([])
# Its lines hold whole addresses, in which an operator's key may stand.
logging.getLogger("urllib3").setLevel(logging.INFO)

Result = TypeVar("Result")


class Refused(SourceUnavailable):
    """The source answered, but not with 200; `told` is the beginning of what it said."""

    def __init__(self, message: str, status: int, told: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.told = told


class Busy(Refused):
    """An answer that may be better the next time."""

    def __init__(self, message: str, status: int, wait: float | None) -> None:
        super().__init__(message, status)
        self.wait = wait


# What may be over in a moment.
PASSING = (
    Busy,
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)


class Turns(Protocol):
    """Whose turn it is to ask, among all workers."""

    def wait(self, patience: float) -> None:
        """Return when it is ours; SourceUnavailable if that takes longer than so many seconds."""
        ...

    def hold(self, seconds: float) -> None:
        """The source asked to be left alone so long."""
        ...


class NoTurns:
    """For a source that may be asked at any time."""

    def wait(self, patience: float) -> None:
        pass

    def hold(self, seconds: float) -> None:
        pass


class Client:
    """Asks one source, always under its base address."""

    def __init__(
        self,
        base_url: str,
        *,
        title: str,
        user_agent: str,
        patience: float = PATIENCE,
        turns: Turns | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        # Goes with every question, as a key does.
        self.query = dict(query or {})
        self.title = title
        self.patience = patience
        self.turns = turns or NoTurns()
        self.session = requests.Session()
        self.session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        self.session.headers.update(headers or {})
        # A proxy of the operator's is used, except to reach this very machine; ~/.netrc never.
        self.session.trust_env = host_of(base_url) not in {"localhost", "127.0.0.1", "::1"}
        self.session.auth = anonymous

    def get(self, path: str, **query: str | int) -> bytes:
        """The body of a 200; anything else is SourceUnavailable, in one sentence."""
        return self.fetch("GET", path, query, None)

    def post(self, path: str, json: Any, **query: str | int) -> bytes:
        """The same for a question that is too long for an address; it changes nothing there."""
        return self.fetch("POST", path, query, json)

    def fetch(self, method: str, path: str, query: dict[str, str | int], json: Any) -> bytes:
        if not re.match("https?://", self.base_url) or not host_of(self.base_url):
            raise SourceUnavailable(
                f"{self.base_url!r} is not a web address to find {self.title} at."
            )
        deadline = time.monotonic() + self.patience
        try:
            for attempt in stamina.retry_context(
                on=lambda error: self.wait_after(error, deadline),
                attempts=ATTEMPTS,
                timeout=None,
                wait_initial=0.4,
                wait_max=2,
                wait_jitter=0.2,
            ):
                with attempt:
                    self.turns.wait(max(deadline - time.monotonic(), 0))
                    left = max(deadline - time.monotonic(), 0.1)
                    return within(left, lambda: self.ask(method, path, query, json, deadline))
        except Busy as busy:
            if busy.wait:
                self.turns.hold(busy.wait)
            raise
        except requests.RequestException as error:
            # Without its cause, which quotes the whole address, and a key with it.
            raise SourceUnavailable(
                f"{self.title} could not be reached ({reason(error, self.patience)})."
            ) from None
        raise AssertionError("stamina returns or raises")

    def wait_after(self, error: Exception, deadline: float) -> bool | float:
        """Whether to try again and, where the source says so, after how many seconds."""
        if not isinstance(error, PASSING):
            return False
        wait = error.wait if isinstance(error, Busy) else None
        if time.monotonic() + (2.5 if wait is None else wait) >= deadline:
            return False
        logger.debug("%s: trying again after %s", self.title, type(error).__name__)
        return True if wait is None else wait

    def ask(
        self, method: str, path: str, query: dict[str, str | int], json: Any, deadline: float
    ) -> bytes:
        url = f"{self.base_url}/{path.lstrip('/')}" if path else self.base_url
        with self.follow(method, url, query, json) as response:
            wait = wait_asked(response)
            if response.status_code in TRY_AGAIN or is_limited(response, wait):
                raise Busy(self.sentence(response), response.status_code, wait)
            if response.status_code != requests.codes.ok:
                raise Refused(self.sentence(response), response.status_code, beginning(response))
            return b"".join(self.chunks(response, deadline))

    def follow(
        self, method: str, url: str, query: dict[str, str | int], json: Any
    ) -> requests.Response:
        """The answer, after redirects that stay with the host."""
        host = host_of(url)
        parameters: dict[str, str | int] | None = {**self.query, **query}
        for _ in range(MOST_REDIRECTS + 1):
            response = self.session.request(
                method,
                url,
                params=parameters,
                json=json,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
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
                raise SourceUnavailable(f"{self.title} sends us to another host, {place}.")
        raise SourceUnavailable(f"{self.title} sends us from one address to the next.")

    def chunks(self, response: requests.Response, deadline: float) -> Iterator[bytes]:
        size = 0
        for chunk in response.iter_content(64 * 1024):
            size += len(chunk)
            if size > MOST_BYTES:
                raise SourceUnavailable(f"{self.title} answered with more than 50 MB.")
            if time.monotonic() > deadline:
                raise requests.Timeout
            yield chunk

    def sentence(self, response: requests.Response) -> str:
        text = f"{self.title} answered {response.status_code} {response.reason or ''}".rstrip()
        wait = wait_asked(response)
        return f"{text}." if wait is None else f"{text} and asks to wait {wait:.0f} seconds."


def host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def anonymous(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """The work's result, or requests.Timeout when the time is up.

    The timeouts of requests bound one connection attempt and one silence: neither the resolving of
    a name, nor a host with eight dead addresses, nor a server that sends a byte a second. So the
    work is done in a thread of its own, which is left behind if it is late.
    """
    results: queue.SimpleQueue[tuple[Result | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put((work(), None))
        except BaseException as error:
            results.put((None, error))

    threading.Thread(target=run, daemon=True, name="source").start()
    try:
        result, error = results.get(timeout=seconds)
    except queue.Empty:
        raise requests.Timeout from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def wait_asked(response: requests.Response) -> float | None:
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
    return wait_until_reset(response)


def wait_until_reset(response: requests.Response) -> float | None:
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
    return min(max(told - now if told > LONGEST_HOLD else told, 0.0), LONGEST_HOLD)


def is_limited(response: requests.Response, wait: float | None) -> bool:
    """Whether "forbidden" means for now."""
    return response.status_code == requests.codes.forbidden and wait is not None


def beginning(response: requests.Response) -> str:
    """Of an error's words, as far as they come."""
    try:
        start: bytes = next(response.iter_content(2_000), b"")
    except requests.RequestException:
        return ""
    return start.decode(errors="replace")


def reason(error: requests.RequestException, patience: float) -> str:
    """Why, in a few words: the exceptions themselves quote their innards."""
    if isinstance(error, requests.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.Timeout):
        return f"no whole answer within {patience:.0f} seconds"
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
